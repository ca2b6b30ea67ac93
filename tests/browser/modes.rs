//! The response modes as a browser carries them out: forms that are posted, fragments, messages to a popup's opener; and
//! that the login page is never framed.

use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use countersign::base::clock::{Clock as _, SystemClock};
use fantoccini::{Client, Locator};
use serde_json::{Value, json};

use super::driver::{browse, devtools};
use super::flows::{click, sees, sign_in};
use super::web::{answers, page, serve};
use crate::support::TestServer;
use crate::support::flow::{VERIFIER, challenge};
use crate::support::http::{Answer, form, query_of};
use crate::support::server::{PASSWORD, Setup};

fn server(redirect_uri: &str) -> TestServer {
    let clients = format!(
        "[[clients]]\nid = \"app\"\nname = \"Notes App\"\nprofile = \"spa\"\nredirect_uris = [\"{redirect_uri}\"]\n"
    );
    TestServer::with(Setup { clients, start_at: SystemClock.now(), ..Setup::default() })
}

fn authorize_url(server: &TestServer, redirect_uri: &str, mode: &str, more: &[(&str, &str)]) -> String {
    let challenge = challenge();
    let mut request = vec![
        ("response_type", "code"),
        ("client_id", "app"),
        ("redirect_uri", redirect_uri),
        ("scope", "openid"),
        ("state", "a \"state\" & <more>"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("response_mode", mode),
    ];
    request.extend(more);
    format!("{}/authorize?{}", server.issuer, form(&request))
}

fn redeem(server: &TestServer, redirect_uri: &str, code: &str) -> Answer {
    let redemption = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", redirect_uri),
        ("code_verifier", VERIFIER),
    ];
    server.public_token("app", &redemption)
}

/// A web server that keeps the requests of its callback, head and body.
fn receiver() -> (SocketAddr, Receiver<String>) {
    let (tell, told) = channel();
    let address = serve(TcpListener::bind("127.0.0.1:0").unwrap(), move |request| {
        if request.split(' ').nth(1).is_some_and(|path| path.starts_with("/cb")) {
            let _ = tell.send(request.to_owned());
        }
        page("the callback")
    });
    (address, told)
}

/// OAuth 2.0 Form Post Response Mode §2.
#[test]
fn the_answer_lands_as_a_posted_form_with_and_without_javascript() {
    let (app, received) = receiver();
    let uri = format!("http://{app}/cb?x=1");
    let server = server(&uri);
    let received = |error: Option<&str>| {
        let request = received.recv_timeout(Duration::from_secs(10)).expect("nothing was posted");
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST /cb?x=1 HTTP/1.1\r\n"), "{head}");
        let head = head.to_ascii_lowercase();
        assert!(head.contains("content-type: application/x-www-form-urlencoded"), "{head}");
        // A guard against forged requests sees from where it came.
        assert!(head.contains(&format!("origin: {}\r\n", server.issuer)), "{head}");
        let told = query_of(&format!("http://x/?{body}"));
        assert_eq!((told["state"].as_str(), &told["iss"]), ("a \"state\" & <more>", &server.issuer));
        assert_eq!(told.get("error").map(String::as_str), error, "{told:?}");
        if error.is_none() {
            assert_eq!(redeem(&server, &uri, &told["code"]).status, 200);
        }
    };
    browse(async |client: Client| {
        client.goto(&authorize_url(&server, &uri, "form_post", &[("prompt", "none")])).await.unwrap();
        sees(&client, "the callback").await;
        received(Some("login_required"));

        client.goto(&authorize_url(&server, &uri, "form_post", &[])).await.unwrap();
        sign_in(&client, PASSWORD).await;
        click(&client, "button[value=allow]").await;
        sees(&client, "the callback").await;
        received(None);

        let off = json!({ "value": true });
        devtools(&client, "Emulation.setScriptExecutionDisabled", off).await;
        client.goto(&authorize_url(&server, &uri, "form_post", &[])).await.unwrap();
        sees(&client, "You are being sent on to").await;
        click(&client, "main button").await;
        sees(&client, "the callback").await;
        received(None);
    });
}

/// As oidc-client-ts does it: a hidden frame, a page of the app's own as its callback, query or fragment.
#[test]
fn a_hidden_frame_lands_on_the_apps_own_silent_page_by_query_and_by_fragment() {
    let script = "<!doctype html><title>x</title><body>an app<script>\
        if (window.parent !== window) window.parent.postMessage(location.href, location.origin)</script>";
    let app = answers(page(script));
    let uri = format!("http://{app}/silent");
    let server = server(&uri);
    let in_frame = "const [url, done] = arguments; const frame = document.createElement('iframe');\
        addEventListener('message', (event) => done(event.data)); frame.hidden = true; frame.src = url;\
        document.body.append(frame)";
    browse(async |client: Client| {
        client.goto(&authorize_url(&server, &uri, "query", &[])).await.unwrap();
        sign_in(&client, PASSWORD).await;
        click(&client, "button[value=allow]").await;
        sees(&client, "an app").await;
        for (mode, mark) in [("query", '?'), ("fragment", '#')] {
            client.goto(&format!("http://{app}/")).await.unwrap();
            let url = authorize_url(&server, &uri, mode, &[("prompt", "none")]);
            let landed = client.execute_async(in_frame, vec![url.into()]).await.unwrap();
            let landed = landed.as_str().unwrap();
            let query =
                landed.strip_prefix(&format!("{uri}{mark}")).unwrap_or_else(|| panic!("{mode}: {landed}"));
            let told = query_of(&format!("http://x/?{query}"));
            assert_eq!(redeem(&server, &uri, &told["code"]).status, 200, "{mode}");
        }
    });
}

/// Opens a popup from the page that is open, and listens.
const POPUP: &str = "window.told = []; addEventListener('message', (event) => \
    window.told.push({ origin: event.origin, data: event.data })); window.open(arguments[0], 'popup', 'popup')";

async fn popup(client: &Client, url: String) -> fantoccini::wd::WindowHandle {
    let before = client.windows().await.unwrap();
    client.execute(POPUP, vec![url.into()]).await.unwrap();
    for _ in 0..100 {
        let windows = client.windows().await.unwrap();
        if let Some(popup) = windows.into_iter().find(|window| !before.contains(window)) {
            client.switch_to_window(popup.clone()).await.unwrap();
            return popup;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no popup");
}

#[test]
fn a_popup_tells_the_app_that_opened_it_and_no_other_page() {
    let app = answers(page("an app"));
    let foreign = answers(page("a foreign page"));
    let uri = format!("http://{app}/cb");
    let server = server(&uri);
    browse(async |client: Client| {
        client.goto(&format!("http://{app}/")).await.unwrap();
        let opener = client.window().await.unwrap();
        popup(&client, authorize_url(&server, &uri, "web_message", &[])).await;
        sign_in(&client, PASSWORD).await;
        click(&client, "button[value=allow]").await;
        sees(&client, "This window has told the application").await;
        client.close_window().await.unwrap();
        client.switch_to_window(opener.clone()).await.unwrap();
        let told = client.execute("return window.told", vec![]).await.unwrap();
        assert_eq!(told[0]["origin"], server.issuer.as_str(), "{told}");
        assert_eq!(told[0]["data"]["type"], "authorization_response");
        let response = &told[0]["data"]["response"];
        assert_eq!(
            (&response["iss"], &response["state"]),
            (&json!(server.issuer), &json!("a \"state\" & <more>"))
        );
        let code = response["code"].as_str().unwrap();
        assert_eq!(redeem(&server, &uri, code).status, 200);
        assert_eq!(told.as_array().unwrap().len(), 1);

        client.goto(&format!("http://{foreign}/")).await.unwrap();
        popup(&client, authorize_url(&server, &uri, "web_message", &[])).await;
        sees(&client, "This window has told the application").await;
        client.switch_to_window(opener).await.unwrap();
        assert_eq!(client.execute("return window.told", vec![]).await.unwrap(), Value::Array(Vec::new()));
    });
}

/// Clickjacking: the answer page may be framed, the login page on the way to it may not.
#[test]
fn the_login_page_shows_in_no_frame_not_even_in_that_of_the_app() {
    let app = answers(page("an app"));
    let uri = format!("http://{app}/cb");
    let server = server(&uri);
    browse(async |client: Client| {
        client.goto(&format!("http://{app}/")).await.unwrap();
        for (prompt, text) in [("none", "This window has told the application"), ("login", "")] {
            let url = authorize_url(&server, &uri, "web_message", &[("prompt", prompt)]);
            let script = "const [url, done] = arguments; document.querySelector('iframe')?.remove();\
                const frame = document.createElement('iframe'); frame.onload = () => done(null); frame.src = url;\
                document.body.append(frame)";
            client.execute_async(script, vec![url.into()]).await.unwrap();
            client.find(Locator::Css("iframe")).await.unwrap().enter_frame().await.unwrap();
            let body = client.find(Locator::Css("body")).await.unwrap().text().await.unwrap();
            assert!(body.contains(text), "{prompt}: {body}");
            let fields = client.find_all(Locator::Css("input")).await.unwrap();
            assert!(fields.is_empty(), "{prompt}: {body}");
            client.enter_parent_frame().await.unwrap();
        }
        // It is there where it is not framed.
        client.goto(&authorize_url(&server, &uri, "web_message", &[("prompt", "login")])).await.unwrap();
        sees(&client, "User name").await;
    });
}
