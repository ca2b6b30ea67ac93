//! A person makes an API token, copies it, and revokes it.

use countersign::flow::recognise;
use fantoccini::{Client, Locator};

use super::driver::browse;
use super::flows::{World, click, fill, sees, sign_in};
use crate::support::server::PASSWORD;

#[test]
fn a_person_makes_an_api_token_copies_it_and_revokes_it() {
    let world = World::start();
    let is_alive = |text: &str| {
        recognise::access_token(&world.server.app.refreshed_cx().unwrap(), text).unwrap().is_ok()
    };
    browse(async |client: Client| {
        client.goto(&format!("{}/account/tokens", world.server.issuer)).await.unwrap();
        sign_in(&client, PASSWORD).await;
        sees(&client, "You have no token at the moment").await;
        click(&client, "main button.primary").await;
        fill(&client, "#name", "Backup").await;
        click(&client, "input[value='notes:read']").await;
        click(&client, "main button.primary").await;

        let shown = client.wait().for_element(Locator::Css("code.secret")).await.unwrap();
        let token = shown.text().await.unwrap();
        assert!(is_alive(&token), "what is shown can be copied and used");

        // One click takes the whole of it.
        shown.click().await.unwrap();
        let selected = client.execute("return getSelection().toString()", vec![]).await.unwrap();
        assert_eq!(selected.as_str().map(str::trim), Some(token.as_str()));

        // A reload shows it no more, and makes no other.
        client.refresh().await.unwrap();
        sees(&client, "Backup").await;
        assert!(!client.source().await.unwrap().contains(&token));
        assert_eq!(client.find_all(Locator::Css("section.token")).await.unwrap().len(), 1);

        click(&client, "button[name=id]").await;
        sees(&client, "Revoke Backup?").await;
        click(&client, "button[value=revoke]").await;
        sees(&client, "You have no token at the moment").await;
        assert!(!is_alive(&token));
    });
}
