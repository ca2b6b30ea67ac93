//! oidc-client-ts in Chromium: redirect, popup, silent renewal in a hidden frame, refresh, userinfo, revocation, logout.
//! The application is tests/real_clients/browser.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use fantoccini::Client;
use serde_json::{Value, json};

use super::script::NODE;
use super::server;
use crate::browser::driver::browse;
use crate::browser::flows::{click, sees, sign_in};
use crate::browser::web::{content, page, serve};
use crate::support::TestServer;
use crate::support::jwt::verified;
use crate::support::server::{NOTES, PASSWORD, Setup};

const PAGE: &str = include_str!("../../real_clients/browser/index.html");
const APP: &str = include_str!("../../real_clients/browser/app.js");

struct World {
    server: TestServer,
    app: String,
}

impl World {
    fn start(profile: &str, scope: &str) -> Option<Self> {
        if !NODE.is_there() {
            return None;
        }
        let library = NODE.folder().join("node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js");
        let library = std::fs::read_to_string(library).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = server(Setup { clients: clients(address, profile), ..Setup::default() });
        let given = json!({ "issuer": server.issuer, "client": "app", "scope": scope });
        let given = format!("globalThis.given = {given};");
        serve(listener, move |request| application(request, &given, &library));
        Some(Self { server, app: format!("http://{address}") })
    }
}

fn clients(app: SocketAddr, profile: &str) -> String {
    format!(
        r#"
[[resource_servers]]
id = "{NOTES}"
name = "Notes"
scopes = {{ "notes:read" = "Read your notes" }}

[[clients]]
id = "app"
name = "Notes App"
profile = "{profile}"
redirect_uris = ["http://{app}/callback"]
post_logout_redirect_uris = ["http://{app}/"]
scopes = ["notes:read"]
resources = ["{NOTES}"]
"#
    )
}

/// The application's own web server.
fn application(request: &str, given: &str, library: &str) -> String {
    match request.split([' ', '?']).nth(1).unwrap_or_default() {
        "/given.js" => content("text/javascript", given),
        "/oidc-client-ts.js" => content("text/javascript", library),
        "/app.js" => content("text/javascript", APP),
        _ => page(PAGE),
    }
}

/// What a promise of the library comes to: the user, or the error's code.
async fn outcome(client: &Client, promise: &str) -> Value {
    let script = format!("outcome({promise}, arguments[arguments.length - 1])");
    client.execute_async(&script, vec![]).await.unwrap_or_else(|error| panic!("{promise}: {error}"))
}

async fn told(client: &Client, what: &str) {
    for _ in 0..200 {
        let told = client.execute("return told", vec![]).await.unwrap();
        if told.as_array().unwrap().iter().any(|heard| heard == what) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what:?} was not told: {}", client.execute("return told", vec![]).await.unwrap());
}

async fn signed_in(client: &Client, world: &World) -> Value {
    client.goto(&world.app).await.unwrap();
    sees(client, "nobody is signed in").await;
    client.execute("void manager.signinRedirect()", vec![]).await.unwrap();
    sign_in(client, PASSWORD).await;
    sees(client, "Read your notes").await;
    click(client, "button[value=allow]").await;
    sees(client, "signed in as alice Example").await;
    outcome(client, "manager.getUser()").await
}

fn text<'a>(user: &'a Value, name: &str) -> &'a str {
    user[name].as_str().unwrap_or_else(|| panic!("no {name} in {user}"))
}

#[test]
fn a_single_page_app_signs_in_renews_silently_and_signs_out() {
    let Some(world) = World::start("spa", "openid profile email notes:read") else { return };
    browse(async |client: Client| {
        let user = signed_in(&client, &world).await;
        // The library has them from userinfo: the ID token holds none.
        assert_eq!(user["profile"]["email"], "alice@example.org");
        assert_eq!((&user["refresh"], &user["expired"]), (&Value::Null, &json!(false)));
        let (_, claims) = verified(&world.server, text(&user, "access"), NOTES);
        assert_eq!((&claims["sub"], &claims["client_id"]), (&user["profile"]["sub"], &json!("app")));

        let mut known = vec![text(&user, "access").to_owned()];
        for _ in 0..2 {
            let renewed = outcome(&client, "manager.signinSilent()").await;
            let token = text(&renewed, "access").to_owned();
            assert!(!known.contains(&token), "the same token again");
            assert_eq!(renewed["profile"]["sub"], user["profile"]["sub"]);
            verified(&world.server, &token, NOTES);
            known.push(token);
        }

        // By itself, as soon as the token is said to expire.
        client.execute("told.length = 0; manager.startSilentRenew()", vec![]).await.unwrap();
        told(&client, "expiring").await;
        told(&client, "loaded").await;
        client.execute("manager.stopSilentRenew()", vec![]).await.unwrap();
        let renewed = outcome(&client, "manager.getUser()").await;
        assert!(!known.contains(&text(&renewed, "access").to_owned()), "nothing was renewed");

        assert_eq!(outcome(&client, "manager.revokeTokens(['access_token'])").await, Value::Null);
        client.execute("void manager.signoutRedirect()", vec![]).await.unwrap();
        sees(&client, "nobody is signed in").await;
        assert!(client.current_url().await.unwrap().as_str().starts_with(&world.app));
        assert_eq!(outcome(&client, "manager.signinSilent()").await, "login_required");
    });
}

/// The user signs out of the server in another tab: the application hears it when it renews.
#[test]
fn an_app_is_told_that_the_session_ended_elsewhere() {
    let Some(world) = World::start("spa", "openid profile email notes:read") else { return };
    browse(async |client: Client| {
        signed_in(&client, &world).await;
        let app = client.window().await.unwrap();
        let tab = client.new_window(true).await.unwrap();
        client.switch_to_window(tab.handle).await.unwrap();
        client.goto(&format!("{}/logout", world.server.issuer)).await.unwrap();
        click(&client, "button[value=logout]").await;
        sees(&client, "You are signed out").await;
        client.close_window().await.unwrap();
        client.switch_to_window(app).await.unwrap();
        client.execute("manager.startSilentRenew()", vec![]).await.unwrap();
        told(&client, "not renewed: login_required").await;
    });
}

#[test]
fn a_popup_signs_in_and_closes_itself() {
    let Some(world) = World::start("spa", "openid profile email notes:read") else { return };
    browse(async |client: Client| {
        client.goto(&world.app).await.unwrap();
        sees(&client, "nobody is signed in").await;
        let app = client.window().await.unwrap();
        client.execute("globalThis.popup = manager.signinPopup(); void 0", vec![]).await.unwrap();
        let mut popup = None;
        for _ in 0..100 {
            popup = client.windows().await.unwrap().into_iter().find(|window| *window != app);
            if popup.is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        client.switch_to_window(popup.expect("no popup")).await.unwrap();
        sign_in(&client, PASSWORD).await;
        sees(&client, "Read your notes").await;
        click(&client, "button[value=allow]").await;
        client.switch_to_window(app).await.unwrap();
        let user = outcome(&client, "popup").await;
        assert_eq!(user["profile"]["email"], "alice@example.org");
        for _ in 0..100 {
            if client.windows().await.unwrap().len() == 1 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the popup is still open");
    });
}

/// An app on the user's machine whose window is a browser gets a refresh token, and the library renews with it.
#[test]
fn a_native_app_renews_with_its_refresh_token() {
    let Some(world) = World::start("native", "openid profile email notes:read offline_access") else {
        return;
    };
    browse(async |client: Client| {
        let user = signed_in(&client, &world).await;
        let renewed = outcome(&client, "manager.signinSilent()").await;
        assert_ne!(text(&renewed, "access"), text(&user, "access"));
        assert_ne!(text(&renewed, "refresh"), text(&user, "refresh"));
        assert_eq!(renewed["profile"]["email"], "alice@example.org");

        assert_eq!(outcome(&client, "manager.revokeTokens(['refresh_token'])").await, Value::Null);
        let form = [("grant_type", "refresh_token"), ("refresh_token", text(&renewed, "refresh"))];
        assert_eq!(world.server.public_token("app", &form).error(), "invalid_grant");
    });
}
