//! A person with two accounts: adds the second, chooses between them, stays signed in, changes a password, leaves.

use std::path::PathBuf;

use fantoccini::{Client, Locator};

use super::driver::{Look, browse, browse_as, screenshot};
use super::flows::{World, click, fill, sees};
use crate::support::server::PASSWORD;

const LOOKS: [(&str, Look); 4] = [
    ("desk-light", Look::DESK),
    ("desk-dark", Look::DESK.dark()),
    ("phone-light", Look::PHONE),
    ("phone-dark", Look::PHONE.dark()),
];
const NEW: &str = "quiet river seven lamps";

async fn sign_in_as(client: &Client, name: &str, password: &str) {
    fill(client, "#username", name).await;
    fill(client, "#password", password).await;
    click(client, "main button.primary").await;
}

/// At a page of the account, signed in as these; the last one is the active one.
async fn with_accounts(client: &Client, world: &World, names: &[&str]) {
    for name in names {
        if *name != "alice" {
            world.server.add_user(name);
        }
        client.goto(&authorize(world, "login")).await.unwrap();
        sign_in_as(client, name, PASSWORD).await;
        sees(client, name).await;
    }
}

/// A request of the app, to be stopped at a page of ours.
fn authorize(world: &World, prompt: &str) -> String {
    let redirect = format!("{}/", world.app);
    let challenge = crate::support::flow::challenge();
    let query = crate::support::http::form(&[
        ("client_id", "app"),
        ("response_type", "code"),
        ("scope", "openid notes:read"),
        ("redirect_uri", &redirect),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("prompt", &format!("{prompt} consent")),
    ]);
    format!("{}/authorize?{query}", world.server.issuer)
}

#[test]
fn a_person_with_two_accounts_chooses_between_them() {
    let world = World::start();
    browse(async |client: Client| {
        with_accounts(&client, &world, &["alice", "bob"]).await;
        client.goto(&authorize(&world, "")).await.unwrap();
        sees(&client, "bob").await;
        // "Not you?" on the consent page, and the chooser names both.
        click(&client, "button[value=switch]").await;
        sees(&client, "Which account do you want to use?").await;
        sees(&client, "alice Example").await;
        click(&client, "button[name=account]:nth-of-type(2)").await;
        sees(&client, "Notes App").await;
        sees(&client, "alice").await;
        client.goto(&format!("{}/account/sessions", world.server.issuer)).await.unwrap();
        sees(&client, "Chrom").await;
        sees(&client, "alice").await;
        // A third account, by the way of the chooser's last button.
        world.server.add_user("carol");
        client.goto(&authorize(&world, "select_account")).await.unwrap();
        click(&client, "button[value=other]").await;
        sign_in_as(&client, "carol", PASSWORD).await;
        sees(&client, "carol").await;
        // Signing out of all of them at once.
        client.goto(&format!("{}/logout", world.server.issuer)).await.unwrap();
        sees(&client, "Also signed in here").await;
        click(&client, "button[value=all]").await;
        sees(&client, "You are signed out").await;
        for name in ["alice", "bob", "carol"] {
            sees(&client, name).await;
        }
        assert!(client.get_all_cookies().await.unwrap().iter().all(|cookie| cookie.name() == "csgn_browser"));
    });
}

#[test]
fn the_box_makes_the_cookie_outlive_the_browser() {
    let world = World::start();
    browse(async |client: Client| {
        client.goto(&format!("{}/account/sessions", world.server.issuer)).await.unwrap();
        client.wait().for_element(Locator::Css("#username")).await.unwrap();
        click(&client, "input[name=remember]").await;
        sign_in_as(&client, "alice", PASSWORD).await;
        sees(&client, "you stay signed in").await;
        let kept = client.get_named_cookie("csgn_kept").await.unwrap();
        assert!(kept.expires().is_some(), "{kept:?}");
        let session = client.get_named_cookie("csgn_session").await.unwrap();
        assert!(session.expires_datetime().is_none(), "{session:?}");
        // As after a restart: what has no end of its own is gone.
        client.delete_cookie("csgn_session").await.unwrap();
        client.refresh().await.unwrap();
        sees(&client, "Where you are signed in").await;
    });
}

#[test]
fn a_person_changes_the_password_from_the_address_that_managers_know() {
    let world = World::start();
    browse(async |client: Client| {
        client.goto(&format!("{}/.well-known/change-password", world.server.issuer)).await.unwrap();
        sign_in_as(&client, "alice", PASSWORD).await;
        sees(&client, "Change your password").await;
        fill(&client, "#password", "not the password").await;
        fill(&client, "#new-password", NEW).await;
        fill(&client, "#new-password-again", NEW).await;
        click(&client, "main button.primary").await;
        sees(&client, "Your present password is wrong").await;
        fill(&client, "#password", PASSWORD).await;
        fill(&client, "#new-password", NEW).await;
        fill(&client, "#new-password-again", NEW).await;
        click(&client, "main button.primary").await;
        sees(&client, "Your password has been changed").await;
        client.goto(&format!("{}/logout", world.server.issuer)).await.unwrap();
        click(&client, "button[value=logout]").await;
        sees(&client, "You are signed out").await;
        client.goto(&format!("{}/account/password", world.server.issuer)).await.unwrap();
        sign_in_as(&client, "alice", NEW).await;
        sees(&client, "Change your password").await;
    });
}

#[test]
fn the_pages_of_accounts_fit_phone_and_desk_in_light_and_dark() {
    for (name, look) in LOOKS {
        let world = World::start();
        browse_as(look, async |client: Client| {
            client.goto(&authorize(&world, "login")).await.unwrap();
            client.wait().for_element(Locator::Css("#username")).await.unwrap();
            keep(&client, name, "a1-login").await;
            with_accounts(&client, &world, &["alice", "maximiliane.von-hohenfels@students.example.org"])
                .await;
            client.goto(&authorize(&world, "select_account")).await.unwrap();
            client.wait().for_element(Locator::Css("button[value=other]")).await.unwrap();
            keep(&client, name, "a2-choose").await;
            client.goto(&format!("{}/account/sessions", world.server.issuer)).await.unwrap();
            sees(&client, "Where you are signed in").await;
            keep(&client, name, "a3-sessions").await;
            client.goto(&format!("{}/account/password", world.server.issuer)).await.unwrap();
            sees(&client, "Change your password").await;
            keep(&client, name, "a4-password").await;
            fill(&client, "#password", "wrong").await;
            fill(&client, "#new-password", NEW).await;
            fill(&client, "#new-password-again", "other").await;
            click(&client, "main button.primary").await;
            sees(&client, "two different ways").await;
            keep(&client, name, "a5-password-refused").await;
            client.goto(&format!("{}/logout", world.server.issuer)).await.unwrap();
            sees(&client, "Also signed in").await;
            keep(&client, name, "a6-logout").await;
            click(&client, "button[value=logout]").await;
            sees(&client, "You are signed out").await;
            keep(&client, name, "a7-logged-out").await;
        });
    }
}

/// Nothing is wider than the screen; the picture is kept where a folder is named.
async fn keep(client: &Client, look: &str, name: &str) {
    let wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
    let excess = client.execute(wide, vec![]).await.unwrap().as_i64().unwrap();
    assert!(excess <= 0, "{name} is {excess} px too wide on {look}");
    if let Some(folder) = std::env::var_os("COUNTERSIGN_SCREENSHOTS") {
        screenshot(client, PathBuf::from(folder).join(format!("{name}-{look}.png"))).await;
    }
}
