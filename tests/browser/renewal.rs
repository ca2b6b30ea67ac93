//! The single-page app renews without a refresh token: in a hidden frame, by redirect, by the session grant. And what a
//! page gets that is not the app's.

use std::time::Duration;

use fantoccini::{Client, Locator};
use serde_json::{Value, json};

use super::driver::browse;
use super::flows::{World, click, sees, sign_in};
use super::web::{answers, page};
use crate::support::raw::Raw;
use crate::support::server::PASSWORD;

const HOUSE: &str = r#"
first_party = true
grant_types = ["authorization_code", "urn:countersign:params:oauth:grant-type:session"]
"#;
/// Each way, and the error that ends it.
const WAYS: [(&str, &str); 4] = [
    ("frame", "login_required"),
    ("message", "login_required"),
    ("redirect", "login_required"),
    ("session", "invalid_grant"),
];

async fn open_app(client: &Client, world: &World) {
    client.goto(&world.app).await.unwrap();
    click(client, "#sign-in").await;
    sign_in(client, PASSWORD).await;
    sees(client, "alice Example").await;
}

async fn choose(client: &Client, way: &str) {
    let option = format!("#renewal option[value={way}]");
    client.wait().for_element(Locator::Css(&option)).await.unwrap().click().await.unwrap();
}

/// Waits until the app has tokens that were issued just now, and the API has taken one. The server's clock stands still.
async fn has_fresh_tokens(client: &Client, world: &World) {
    let now = world.server.app.now().0;
    let script = "const text = (id) => document.getElementById(id).textContent;
        return text('token') && text('claims') && JSON.parse(text('claims')).iat";
    for _ in 0..200 {
        // The page may be on its way by redirect.
        if client.execute(script, vec![]).await.is_ok_and(|iat| iat == now) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let shown = client.find(Locator::Css("body")).await.unwrap().text().await.unwrap();
    panic!("no token of {now}:\n{shown}");
}

async fn sign_out_in_another_tab(client: &Client, world: &World) {
    let app = client.window().await.unwrap();
    let tab = client.new_window(true).await.unwrap();
    client.switch_to_window(tab.handle).await.unwrap();
    client.goto(&format!("{}/logout", world.server.issuer)).await.unwrap();
    click(client, "button[value=logout]").await;
    sees(client, "You are signed out").await;
    client.close_window().await.unwrap();
    client.switch_to_window(app).await.unwrap();
}

#[test]
fn the_app_renews_in_four_ways_and_in_none_after_the_sign_out() {
    let world = World::with(HOUSE);
    browse(async |client: Client| {
        for (way, error) in WAYS {
            open_app(&client, &world).await;
            choose(&client, way).await;
            for _ in 0..2 {
                world.server.advance(1);
                click(&client, "#renew").await;
                has_fresh_tokens(&client, &world).await;
            }
            let address = client.current_url().await.unwrap();
            assert_eq!(address.as_str(), format!("{}/", world.app), "{way}");
            // A reload has no tokens any more, and renews the same way.
            world.server.advance(1);
            client.refresh().await.unwrap();
            has_fresh_tokens(&client, &world).await;

            sign_out_in_another_tab(&client, &world).await;
            click(&client, "#renew").await;
            sees(&client, &format!("Your session has ended. Please sign in again. ({error})")).await;
            client.execute("sessionStorage.clear()", vec![]).await.unwrap();
        }
    });
}

#[test]
fn a_client_that_is_not_marked_is_offered_no_session_grant() {
    let world = World::start();
    browse(async |client: Client| {
        client.goto(&world.app).await.unwrap();
        let ready = Locator::Css("body:not([aria-busy])");
        client.wait().for_element(ready).await.unwrap();
        for (way, _) in WAYS {
            let option = format!("#renewal option[value={way}]");
            let option = client.find(Locator::Css(&option)).await.unwrap();
            assert_eq!(option.is_enabled().await.unwrap(), way != "session", "{way}");
        }
    });
}

/// Runs in a page: asks in each way as the app does, and tells what it could read. `args`: issuer, client's origin, API,
/// a code challenge.
const ASK: &str = r#"
const [issuer, app, api, challenge, done] = arguments;
const request = (more) => new URLSearchParams({
  response_type: "code", client_id: "app", scope: "openid notes:read", resource: api, state: "s", prompt: "none",
  code_challenge: challenge, code_challenge_method: "S256", ...more,
});
const framed = (more) => new Promise((resolve) => {
  const frame = document.createElement("iframe");
  const timer = setTimeout(() => resolve("silence"), 2000);
  addEventListener("message", (event) => {
    if (event.source !== frame.contentWindow) return;
    clearTimeout(timer);
    const response = event.data.response ?? Object.fromEntries(new URLSearchParams(event.data.query));
    resolve(response.error ?? (response.code ? "code" : "nothing"));
  });
  frame.src = `${issuer}/authorize?${request(more)}`;
  document.body.append(frame);
});
const fetched = async (options) => {
  try {
    const response = await fetch(`${issuer}/token`, {
      method: "POST", credentials: "include", ...options,
      body: new URLSearchParams({
        grant_type: "urn:countersign:params:oauth:grant-type:session", client_id: "app", scope: "openid notes:read",
      }),
    });
    const answer = await response.json();
    return answer.error ?? (answer.access_token ? "token" : "nothing");
  } catch (error) {
    return error.name;
  }
};
const headers = { "countersign-session": "1" };
(async () => done({
  message: await framed({ response_mode: "web_message", redirect_uri: `${app}/` }),
  frame: await framed({ redirect_uri: `${app}/silent.html` }),
  session: await fetched({ headers }),
  simple: await fetched({ mode: "no-cors" }),
  unmarked: await fetched({}),
}))();
"#;

async fn ask(client: &Client, world: &World) -> Value {
    let challenge = crate::support::flow::challenge();
    let args = [world.server.issuer.clone(), world.app.clone(), world.api.clone(), challenge];
    client.execute_async(ASK, args.map(Value::from).into()).await.unwrap()
}

/// The same script in a page of the app, of another origin of the same site, and of another site.
#[test]
fn a_page_that_is_not_the_apps_gets_nothing_that_it_can_read() {
    let world = World::with(HOUSE);
    let foreign = answers(page("<!doctype html><title>foreign</title><body>a foreign page"));
    browse(async |client: Client| {
        open_app(&client, &world).await;
        let own = ask(&client, &world).await;
        // Without the header there is no preflight, and no token.
        let wanted = json!({
            "message": "code", "frame": "code", "session": "token", "simple": "SyntaxError",
            "unmarked": "invalid_request",
        });
        assert_eq!(own, wanted);

        let mut raw = Raw::open(&world.server.config.database.url.to_string());
        let mut families =
            || raw.number("SELECT count(*) AS n FROM authorizations WHERE expires_at > created_at + 3600");
        let before = families();
        for host in ["127.0.0.1", "localhost"] {
            client.goto(&format!("http://{host}:{}/", foreign.port())).await.unwrap();
            sees(&client, "a foreign page").await;
            let wanted = json!({
                "message": "silence", "frame": "silence", "session": "TypeError", "simple": "SyntaxError",
                "unmarked": "TypeError",
            });
            assert_eq!(ask(&client, &world).await, wanted, "{host}");
        }
        assert_eq!(families(), before, "the session grant gave something");
    });
}

/// `SameSite=Lax`: another site's frame and fetch come without the cookie. Its own app can read that it must ask.
#[test]
fn an_app_on_another_site_is_told_that_nobody_is_signed_in() {
    let world = World::with(HOUSE);
    let elsewhere = world.app.replace("127.0.0.1", "localhost");
    crate::support::change::client(&world.server, "app", |draft| {
        for path in ["/", "/silent.html"] {
            draft.redirect_uris.push(format!("{elsewhere}{path}").parse().unwrap());
        }
    });
    browse(async |client: Client| {
        open_app(&client, &world).await;
        client.goto(&elsewhere).await.unwrap();
        sees(&client, "Your notes, behind a login").await;
        let challenge = crate::support::flow::challenge();
        let args = [world.server.issuer.clone(), elsewhere.clone(), world.api.clone(), challenge];
        let told = client.execute_async(ASK, args.map(Value::from).into()).await.unwrap();
        let wanted = json!({
            "message": "login_required", "frame": "login_required", "session": "invalid_request",
            "simple": "SyntaxError", "unmarked": "invalid_request",
        });
        assert_eq!(told, wanted);
    });
}
