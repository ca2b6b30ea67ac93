//! What a person does: open the app, sign in, agree, use it, come back, sign out.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use countersign::base::Timestamp;
use countersign::base::clock::{Clock as _, SystemClock};
use fantoccini::{Client, Locator};

use super::driver::browse;
use crate::support::TestServer;
use crate::support::programs::{Running, example, free_address, start};
use crate::support::server::{PASSWORD, Setup};

/// The server in this process; the app and its resource server as the programs that users read.
pub struct World {
    pub server: TestServer,
    pub app: String,
    pub api: String,
    _programs: [Running; 2],
}

impl World {
    pub fn start() -> Self {
        Self::with("")
    }

    /// With more keys of the app at the server.
    pub fn with(more: &str) -> Self {
        let (app, api) = (free_address(), free_address());
        let now: Timestamp = SystemClock.now();
        let clients = format!("{}{more}", clients(app, api));
        let server = TestServer::with(Setup { clients, start_at: now, ..Setup::default() });
        let issuer = &server.issuer;
        let mut spa = Command::new(example("spa"));
        spa.args(["--listen", &app.to_string(), "--issuer", issuer, "--client-id", "app"]);
        spa.args(["--api", &format!("http://{api}")]);
        let mut notes = Command::new(example("resource-server"));
        notes.args(["--listen", &api.to_string(), "--issuer", issuer]);
        notes.args(["--audience", &format!("http://{api}"), "--allow-origin", &format!("http://{app}")]);
        let programs = [start(spa, app), start(notes, api)];
        Self { server, app: format!("http://{app}"), api: format!("http://{api}"), _programs: programs }
    }
}

fn clients(app: SocketAddr, api: SocketAddr) -> String {
    format!(
        r#"
[[resource_servers]]
id = "http://{api}"
name = "Demo Notes"
include_roles = true
user_api_tokens = true
scopes = {{ "notes:read" = "Read your notes", "notes:write" = "Write notes for you" }}

[[clients]]
id = "app"
name = "Notes App"
profile = "spa"
redirect_uris = ["http://{app}/", "http://{app}/silent.html"]
post_logout_redirect_uris = ["http://{app}/"]
scopes = ["notes:read", "notes:write"]
resources = ["http://{api}"]
"#
    )
}

pub async fn click(client: &Client, css: &str) {
    let element = client.wait().at_most(WAIT).for_element(Locator::Css(css)).await;
    let element = element.unwrap_or_else(|error| panic!("{css}: {error}"));
    // The page may still be at work: what cannot be clicked yet will be soon.
    for _ in 0..50 {
        if element.is_enabled().await.unwrap_or(false) && element.is_displayed().await.unwrap_or(false) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    element.click().await.unwrap_or_else(|error| panic!("{css}: {error}"));
}

pub async fn fill(client: &Client, css: &str, text: &str) {
    let field = client.wait().at_most(WAIT).for_element(Locator::Css(css)).await.unwrap();
    field.clear().await.unwrap();
    field.send_keys(text).await.unwrap();
}

/// Waits until the page says `text` somewhere.
pub async fn sees(client: &Client, text: &str) {
    for _ in 0..100 {
        if let Ok(body) = client.find(Locator::Css("body")).await
            && body.text().await.is_ok_and(|shown| shown.contains(text))
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let shown = client.find(Locator::Css("body")).await.unwrap().text().await.unwrap_or_default();
    panic!("{text:?} is not on the page {}:\n{shown}", client.current_url().await.unwrap());
}

const WAIT: Duration = Duration::from_secs(10);

pub async fn sign_in(client: &Client, password: &str) {
    fill(client, "input[name=username]", "alice").await;
    fill(client, "input[name=password]", password).await;
    click(client, "main button[type=submit], form button").await;
}

#[test]
fn a_person_signs_in_agrees_uses_the_app_comes_back_silently_and_signs_out() {
    let world = World::start();
    browse(async |client: Client| {
        client.goto(&world.app).await.unwrap();
        click(&client, "#sign-in").await;
        sees(&client, "Notes App").await;
        sign_in(&client, PASSWORD).await;

        // Consent names the app and says in words what it gets.
        sees(&client, "Write notes for you").await;
        click(&client, "button[value=allow]").await;

        // Back in the app: the resource server takes the token.
        sees(&client, "alice").await;
        fill(&client, "#note-text", "Buy milk").await;
        click(&client, "#add-note").await;
        sees(&client, "Buy milk").await;
        let address = client.current_url().await.unwrap();
        assert!(!address.as_str().contains("code="), "the code stays in the address: {address}");

        // A reload has no tokens any more; a hidden frame gets new ones without a question.
        client.refresh().await.unwrap();
        sees(&client, "Buy milk").await;

        // A second login in the same browser asks nothing.
        client.execute("sessionStorage.clear()", vec![]).await.unwrap();
        client.goto(&world.app).await.unwrap();
        click(&client, "#sign-in").await;
        sees(&client, "Buy milk").await;

        // The app's ID token is of this very session: nobody is asked again.
        click(&client, "#sign-out").await;
        sees(&client, "Sign in").await;
        assert!(client.current_url().await.unwrap().as_str().starts_with(&world.app));

        // Signed out is signed out: the next login asks for the password.
        click(&client, "#sign-in").await;
        client.wait().at_most(WAIT).for_element(Locator::Css("input[name=password]")).await.unwrap();
    });
}

#[test]
fn a_wrong_password_is_told_kindly_and_the_name_is_kept() {
    let world = World::start();
    browse(async |client: Client| {
        client.goto(&world.app).await.unwrap();
        click(&client, "#sign-in").await;
        sign_in(&client, "not the password").await;
        client.wait().at_most(WAIT).for_element(Locator::Css("[role=alert]")).await.unwrap();
        let name = client.find(Locator::Css("input[name=username]")).await.unwrap();
        assert_eq!(name.prop("value").await.unwrap().as_deref(), Some("alice"));
        let password = client.find(Locator::Css("input[name=password]")).await.unwrap();
        assert_eq!(password.prop("value").await.unwrap().as_deref(), Some(""));

        fill(&client, "input[name=password]", PASSWORD).await;
        click(&client, "main button[type=submit], form button").await;
        sees(&client, "Read your notes").await;
    });
}

#[test]
fn whoever_says_no_is_back_in_the_app_which_says_so() {
    let world = World::start();
    browse(async |client: Client| {
        client.goto(&world.app).await.unwrap();
        click(&client, "#sign-in").await;
        sign_in(&client, PASSWORD).await;
        click(&client, "button[value=deny]").await;
        sees(&client, "the user did not agree").await;
        assert!(client.current_url().await.unwrap().as_str().starts_with(&world.app));
    });
}

#[test]
fn the_back_button_after_consent_leads_to_a_page_that_helps() {
    let world = World::start();
    browse(async |client: Client| {
        client.goto(&world.app).await.unwrap();
        click(&client, "#sign-in").await;
        sign_in(&client, PASSWORD).await;
        sees(&client, "Write notes for you").await;
        let consent_page = client.current_url().await.unwrap();
        click(&client, "button[value=allow]").await;
        sees(&client, "alice").await;
        client.goto(consent_page.as_str()).await.unwrap();
        click(&client, "button[value=allow]").await;
        sees(&client, "this page was answered before").await;
    });
}

#[test]
fn the_pages_work_without_javascript() {
    let world = World::start();
    browse(async |client: Client| {
        client.goto(&world.app).await.unwrap();
        click(&client, "#sign-in").await;
        client.wait().at_most(WAIT).for_element(Locator::Css("input[name=password]")).await.unwrap();
        let login_page = client.current_url().await.unwrap();
        super::driver::devtools(
            &client,
            "Emulation.setScriptExecutionDisabled",
            serde_json::json!({ "value": true }),
        )
        .await;
        client.goto(login_page.as_str()).await.unwrap();
        sign_in(&client, PASSWORD).await;
        sees(&client, "Write notes for you").await;
    });
}
