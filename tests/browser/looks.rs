//! The pages as they look: nothing sticks out on a phone, and the screenshots are there for whoever wants to look.
//!
//! `COUNTERSIGN_SCREENSHOTS=folder cargo test --test it looks` keeps them.

use std::path::PathBuf;

use countersign::domain::consent::Consent;
use countersign::store;
use fantoccini::{Client, Locator};

use serde_json::json;

use super::driver::{Look, browse_as, screenshot};
use super::flows::{World, click, fill, sees, sign_in};
use crate::support::flow::authorize_path;
use crate::support::server::{PASSWORD, Setup};
use crate::support::{TestServer, change, registration};

const LOOKS: [(&str, Look); 4] = [
    ("desk-light", Look::DESK),
    ("desk-dark", Look::DESK.dark()),
    ("phone-light", Look::PHONE),
    ("phone-dark", Look::PHONE.dark()),
];

#[test]
fn every_page_fits_phone_and_desk_in_light_and_dark() {
    for (name, look) in LOOKS {
        // A world of its own: nobody agreed to anything yet.
        let world = World::start();
        browse_as(look, async |client: Client| {
            client.goto(&world.app).await.unwrap();
            keep(&client, name, "0-app").await;
            click(&client, "#sign-in").await;
            sees(&client, "Notes App").await;
            keep(&client, name, "1-login").await;
            sign_in(&client, "wrong").await;
            client.wait().for_element(Locator::Css("[role=alert]")).await.unwrap();
            keep(&client, name, "2-login-refused").await;
            sign_in(&client, PASSWORD).await;
            sees(&client, "Notes App").await;
            sees(&client, "Write notes for you").await;
            keep(&client, name, "3-consent").await;
            click(&client, "button[value=allow]").await;
            sees(&client, "alice").await;
            keep(&client, name, "4-app").await;
            applications(&client, &world, name).await;
            tokens(&client, &world, name).await;
            client.goto(&format!("{}/logout", world.server.issuer)).await.unwrap();
            client.wait().for_element(Locator::Css("button[value=logout]")).await.unwrap();
            keep(&client, name, "5-logout").await;
            client.goto(&format!("{}/logout", world.server.issuer)).await.unwrap();
            click(&client, "button[value=logout]").await;
            keep(&client, name, "6-logged-out").await;
            client.goto(&format!("{}/authorize?client_id=nobody", world.server.issuer)).await.unwrap();
            keep(&client, name, "7-error").await;
        });
    }
}

/// An application that registered itself, with all that it may show: a logo, links, a long name.
#[test]
fn an_application_that_registered_itself_fits_too() {
    for (name, look) in LOOKS {
        let server = registration::open();
        let told = registration::registered(
            &server,
            &registration::least_with(json!({
                "client_name": "Acme Photos for the whole family and all of its albums",
                "client_uri": "https://app.example/", "policy_uri": "https://app.example/policy",
                "tos_uri": "https://app.example/tos",
            })),
        );
        let id = told["client_id"].as_str().unwrap().to_owned();
        let logo = format!("{}/assets/favicon.svg", server.issuer);
        change::client(&server, &id, |draft| draft.openid.logo_uri = Some(logo));
        browse_as(look, async |client: Client| {
            let path = authorize_path(&id, &[("scope", "openid profile email offline_access")]);
            client.goto(&format!("{}{path}", server.issuer)).await.unwrap();
            sees(&client, "Privacy policy").await;
            let loaded =
                client.execute("return document.querySelector('.logo img').naturalWidth", vec![]).await;
            assert!(loaded.unwrap().as_u64().unwrap() > 0, "the logo is not there");
            keep(&client, name, "r1-login").await;
            sign_in(&client, PASSWORD).await;
            sees(&client, "registered itself").await;
            keep(&client, name, "r2-consent").await;
            agreed(&server, &id);
            client.goto(&format!("{}/account/applications", server.issuer)).await.unwrap();
            sees(&client, "registered itself").await;
            keep(&client, name, "r3-applications").await;
            client.execute("scrollTo(0, document.body.scrollHeight)", vec![]).await.unwrap();
            keep(&client, name, "r3-applications-below").await;
            click(&client, "button[name=client_id]").await;
            sees(&client, "You stay signed in here").await;
            keep(&client, name, "r4-withdraw").await;
        });
    }
}

/// As if alice had said yes: the way back to the application would lead out of this machine.
fn agreed(server: &TestServer, id: &str) {
    let consent = Consent {
        user_id: server.user("alice").id,
        client_id: id.parse().unwrap(),
        resource: String::new(),
        scope: "openid profile email".parse().unwrap(),
        granted_at: server.app.now(),
    };
    server.store().write("test consent", move |conn| store::consents::put(conn, &consent)).unwrap();
}

/// The page on which a person makes an account, as it comes and with everything wrong.
#[test]
fn the_sign_up_page_fits_too() {
    for (name, look) in LOOKS {
        let extra = "[login]\nself_registration = true".to_owned();
        let server = TestServer::with(Setup { extra, ..Setup::default() });
        server.add_user("carol");
        browse_as(look, async |client: Client| {
            let path = authorize_path("app", &[]);
            client.goto(&format!("{}{path}", server.issuer)).await.unwrap();
            sees(&client, "Create an account").await;
            keep(&client, name, "s1-login").await;
            click(&client, "a[href*='/sign-up?']").await;
            sees(&client, "E-mail address (optional)").await;
            keep(&client, name, "s2-sign-up").await;
            // What the browser itself would hold back.
            client.execute("document.forms[0].noValidate = true", vec![]).await.unwrap();
            fill(&client, "#username", &"Carol ".repeat(42)).await;
            fill(&client, "#password", "seven lamps by the river").await;
            fill(&client, "#password-again", "seven lamps by a river").await;
            fill(&client, "#display-name", &"ü".repeat(150)).await;
            fill(&client, "#email", "carol").await;
            click(&client, "main button.primary").await;
            client.wait().for_element(Locator::Css("[role=alert]")).await.unwrap();
            keep(&client, name, "s3-sign-up-refused").await;
            client.execute("scrollTo(0, document.body.scrollHeight)", vec![]).await.unwrap();
            keep(&client, name, "s4-sign-up-refused-below").await;
            fill(&client, "#username", "Carol").await;
            fill(&client, "#display-name", "Carol Example").await;
            fill(&client, "#email", "carol@example.org").await;
            for field in ["#password", "#password-again"] {
                fill(&client, field, PASSWORD).await;
            }
            click(&client, "main button.primary").await;
            sees(&client, "Somebody has this user name").await;
            keep(&client, name, "s5-name-taken").await;
            fill(&client, "#username", "carol.example").await;
            for field in ["#password", "#password-again"] {
                fill(&client, field, PASSWORD).await;
            }
            click(&client, "main button.primary").await;
            sees(&client, "carol.example").await;
            keep(&client, name, "s6-consent").await;
        });
    }
}

/// The pages of the applications that have access.
async fn applications(client: &Client, world: &World, look: &str) {
    client.goto(&format!("{}/account/applications", world.server.issuer)).await.unwrap();
    sees(client, "Write notes for you").await;
    keep(client, look, "u1-applications").await;
    click(client, "button[name=client_id]").await;
    sees(client, "Withdraw the access of Notes App?").await;
    keep(client, look, "u2-withdraw").await;
    click(client, "button[value=withdraw]").await;
    sees(client, "No application has access").await;
    keep(client, look, "u3-applications-none").await;
}

/// The pages of a person's API tokens.
async fn tokens(client: &Client, world: &World, look: &str) {
    client.goto(&format!("{}/", world.server.issuer)).await.unwrap();
    keep(client, look, "t1-home-signed-in").await;
    click(client, "a[href='/account/tokens']").await;
    sees(client, "no token at the moment").await;
    keep(client, look, "t2-tokens-none").await;
    click(client, "main button.primary").await;
    sees(client, "Write notes for you").await;
    keep(client, look, "t3-new-token").await;
    fill(client, "#name", "Backup script on the machine under the stairs").await;
    click(client, "main button.primary").await;
    client.wait().for_element(Locator::Css("[role=alert]")).await.unwrap();
    keep(client, look, "t4-new-token-refused").await;
    click(client, "input[value='notes:read']").await;
    click(client, "input[value='notes:write']").await;
    click(client, "main button.primary").await;
    client.wait().for_element(Locator::Css("code.secret")).await.unwrap();
    keep(client, look, "t5-token-made").await;
    client.execute("scrollTo(0, document.body.scrollHeight)", vec![]).await.unwrap();
    keep(client, look, "t6-tokens").await;
    click(client, "button[name=id]").await;
    client.wait().for_element(Locator::Css("button[value=revoke]")).await.unwrap();
    keep(client, look, "t7-revoke").await;
    click(client, "button[value=revoke]").await;
    sees(client, "no token at the moment").await;
    world.server.advance(601);
    click(client, "main button.primary").await;
    client.wait().for_element(Locator::Css("input[name=password]")).await.unwrap();
    keep(client, look, "t8-confirm").await;
}

/// Looks at the page: no sideways scrolling, and a picture where one is wanted.
async fn keep(client: &Client, look: &str, page: &str) {
    let script = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
    let beyond = client.execute(script, vec![]).await.unwrap();
    assert!(beyond.as_i64().unwrap() <= 0, "{page} on {look} is {beyond} px too wide");
    if let Some(folder) = std::env::var_os("COUNTERSIGN_SCREENSHOTS") {
        screenshot(client, PathBuf::from(folder).join(format!("{page}-{look}.png"))).await;
    }
}
