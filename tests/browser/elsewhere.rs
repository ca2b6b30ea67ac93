//! Applications of other kinds in a real browser: a web app with a server, a popup, a broker that goes on to another
//! origin.

use std::net::TcpListener;
use std::process::Command;

use countersign::base::clock::{Clock as _, SystemClock};
use fantoccini::Client;

use super::driver::browse;
use super::flows::{click, sees, sign_in};
use super::web::{answers, page, serve};
use crate::support::TestServer;
use crate::support::flow::challenge;
use crate::support::http::form;
use crate::support::programs::{example, free_address, start};
use crate::support::server::{PASSWORD, Setup, secret};

fn server(clients: String) -> TestServer {
    TestServer::with(Setup { clients, start_at: SystemClock.now(), ..Setup::default() })
}

fn spa(redirect_uri: &str) -> String {
    format!(
        "[[clients]]\nid = \"app\"\nname = \"Notes App\"\nprofile = \"spa\"\nredirect_uris = [\"{redirect_uri}\"]\n"
    )
}

fn authorize_url(server: &TestServer, redirect_uri: &str) -> String {
    let challenge = challenge();
    let request = [
        ("response_type", "code"),
        ("client_id", "app"),
        ("redirect_uri", redirect_uri),
        ("scope", "openid"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    format!("{}/authorize?{}", server.issuer, form(&request))
}

#[test]
fn a_web_app_signs_in_calls_the_api_and_signs_out_here_and_there() {
    let (web, api) = (free_address(), free_address());
    let clients = format!(
        r#"
[[resource_servers]]
id = "http://{api}"
name = "Demo Notes"
scopes = {{ "notes:read" = "Read your notes" }}

[[clients]]
id = "web"
name = "Web App"
profile = "web"
redirect_uris = ["http://{web}/callback"]
post_logout_redirect_uris = ["http://{web}/"]
scopes = ["notes:read"]
resources = ["http://{api}"]
secret_hash = "SECRET_HASH:web"
"#
    );
    let server = server(clients);
    let file = server.folder.path().join("web.secret");
    std::fs::write(&file, secret("web")).unwrap();
    let mut notes = Command::new(example("resource-server"));
    notes.args(["--listen", &api.to_string(), "--issuer", &server.issuer]);
    notes.args(["--audience", &format!("http://{api}")]);
    let mut app = Command::new(example("confidential-client"));
    app.args(["--listen", &web.to_string(), "--issuer", &server.issuer, "--client-id", "web"]);
    app.args(["--api", &format!("http://{api}"), "--client-secret-file"]).arg(&file);
    let _running = [start(notes, api), start(app, web)];

    browse(async |client: Client| {
        client.goto(&format!("http://{web}/")).await.unwrap();
        click(&client, "#sign-in").await;
        sign_in(&client, PASSWORD).await;
        sees(&client, "Read your notes").await;
        click(&client, "button[value=allow]").await;
        sees(&client, "alice Example").await;
        client.goto(&format!("http://{web}/notes")).await.unwrap();
        sees(&client, "The API says").await;
        client.goto(&format!("http://{web}/")).await.unwrap();
        click(&client, "#sign-out").await;
        sees(&client, "Nobody is signed in").await;
        client.goto(&format!("http://{web}/login")).await.unwrap();
        sees(&client, "User name").await;
    });
}

/// A policy that cuts the pages off from their opener makes the application think that its popup was closed.
#[test]
fn a_popup_keeps_the_window_that_opened_it() {
    let app = answers(page("the app"));
    let uri = format!("http://{app}/cb");
    let server = server(spa(&uri));
    browse(async |client: Client| {
        client.goto(&format!("http://{app}/")).await.unwrap();
        let before = client.window().await.unwrap();
        let open =
            format!("window.popup = window.open({:?}, 'login', 'popup')", authorize_url(&server, &uri));
        client.execute(&open, vec![]).await.unwrap();
        let windows = client.windows().await.unwrap();
        let popup = windows.into_iter().find(|window| *window != before).expect("no popup");
        client.switch_to_window(popup).await.unwrap();
        sign_in(&client, PASSWORD).await;
        click(&client, "button[value=allow]").await;
        sees(&client, "the app").await;
        let opener = client.execute("return window.opener !== null", vec![]).await.unwrap();
        assert_eq!(opener, true, "the popup lost its opener");
        client.switch_to_window(before).await.unwrap();
        let closed = client.execute("return window.popup.closed", vec![]).await.unwrap();
        assert_eq!(closed, false, "the opener takes the popup for closed");
    });
}

/// Chromium holds redirects after a form to the page's policy, those of the application too.
#[test]
fn a_login_ends_at_a_callback_that_goes_on_to_another_origin() {
    let end = answers(page("the end of the way"));
    let moved = format!(
        "HTTP/1.1 302 Found\r\nLocation: http://localhost:{}/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        end.port()
    );
    let broker = answers(moved);
    ends_well(&format!("http://{broker}/cb"), "the end of the way");
}

/// No source of a content security policy can name an IPv6 address.
#[test]
fn a_login_ends_at_an_ipv6_loopback_address() {
    let listener = TcpListener::bind("[::1]:0").expect("this machine has no IPv6 loopback address");
    let app = serve(listener, |_| page("the app on IPv6"));
    ends_well(&format!("http://{app}/cb"), "the app on IPv6");
}

fn ends_well(uri: &str, text: &str) {
    let server = server(spa(uri));
    browse(async |client: Client| {
        client.goto(&authorize_url(&server, uri)).await.unwrap();
        sign_in(&client, PASSWORD).await;
        click(&client, "button[value=allow]").await;
        sees(&client, text).await;
    });
}
