//! OpenID Connect Back-Channel Logout 1.0 §2.7 and OpenID Connect Core 1.0 §11: what ends with a session, however it ends,
//! and what does not.

use countersign::base::entropy::OsEntropy;
use countersign::domain::UserName;
use countersign::flow::accounts;
use countersign::flow::passwords::{PasswordCost, Passwords};

use super::support::flow::{authorize, claims, redemption};
use super::support::http::{Answer, Browser};
use super::support::pages::signed_in;
use super::support::server::PASSWORD;
use super::support::tokens::{introspect, is_active, on};
use super::support::{TestServer, on_each_database};

const OFFLINE: (&str, &str) = ("scope", "openid notes:read offline_access");

/// What a client got in this browser.
fn got(server: &TestServer, browser: &mut Browser, client: &str, with: &[(&str, &str)]) -> Answer {
    let code = authorize(browser, client, with).sent("code").unwrap();
    let answer = match client {
        "web" => server.token(client, &redemption(&code)),
        _ => server.public_token(client, &redemption(&code)),
    };
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer
}

fn lives(server: &TestServer, got: &Answer) -> bool {
    is_active(server, "notes-api", &got.text("access_token"))
}

fn sign_out(browser: &mut Browser) {
    let page = browser.get("/logout");
    let page = browser.decide(&page, "logout");
    assert!(page.body.contains("You are signed out"), "{}", page.body);
}

/// §2.7: "Refresh tokens issued without the offline_access property to a session being logged out SHOULD be revoked.
/// Refresh tokens issued with the offline_access property normally SHOULD NOT be revoked." What a public client holds ends
/// with the session all the same.
#[test]
fn a_logout_ends_what_was_given_in_the_session_but_for_the_time_after_it() {
    on_each_database(|database| {
        let server = on(&database);
        let mut browser = signed_in(&server);
        let plain = got(&server, &mut browser, "web", &[]);
        let offline = got(&server, &mut browser, "web", &[OFFLINE]);
        let public = got(&server, &mut browser, "native", &[OFFLINE]);
        let mut elsewhere = server.browser();
        let other_session = got(&server, &mut elsewhere, "web", &[]);
        for token in [&plain, &offline, &public, &other_session] {
            assert!(lives(&server, token), "{}", database.kind);
        }
        sign_out(&mut browser);
        assert!(!lives(&server, &plain), "{}", database.kind);
        assert_eq!(introspect(&server, "notes-api", &plain.text("access_token")).body, r#"{"active":false}"#);
        assert!(!lives(&server, &public), "{}", database.kind);
        assert!(lives(&server, &other_session), "another session, on {}", database.kind);
        assert!(lives(&server, &offline), "{}", database.kind);
        let refresh = |client: &str, got: &Answer| {
            let token = got.text("refresh_token");
            let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
            if client == "web" { server.token(client, &form) } else { server.public_token(client, &form) }
        };
        assert_eq!(refresh("web", &offline).status, 200, "{}", database.kind);
        assert_eq!(refresh("native", &public).error(), "invalid_grant", "{}", database.kind);
    });
}

/// Back-Channel Logout §2.1 has `sid` name a session at this server: after its end, however it came, there is none to name.
#[test]
fn an_id_token_names_no_session_that_has_ended() {
    on_each_database(|database| {
        let server = on(&database);
        let mut browser = signed_in(&server);
        let first = got(&server, &mut browser, "web", &[OFFLINE]);
        let refresh = |before: &Answer| {
            let token = before.text("refresh_token");
            server.token("web", &[("grant_type", "refresh_token"), ("refresh_token", token.as_str())])
        };
        let told = |answer: &Answer| claims(&answer.text("id_token")).remove("sid");
        let sid = told(&first);
        assert!(sid.is_some(), "{}", database.kind);
        let during = refresh(&first);
        assert_eq!(told(&during), sid, "{}", database.kind);
        sign_out(&mut browser);
        let after = refresh(&during);
        assert_eq!((after.status, told(&after)), (200, None), "{}", database.kind);
        // The same user's next session is another one.
        let again = got(&server, &mut signed_in(&server), "web", &[OFFLINE]);
        assert!(told(&again).is_some_and(|again| Some(again) != sid), "{}", database.kind);
    });
}

/// Core §11 speaks of "access […] even when the End-User is not present", not of one who lost the account.
#[test]
fn a_lock_and_a_new_password_end_what_was_given_for_the_time_after_the_session_too() {
    on_each_database(|database| {
        let name = UserName::canonical("alice");
        for with_lock in [true, false] {
            let server = on(&database);
            let mut browser = signed_in(&server);
            let offline = got(&server, &mut browser, "web", &[OFFLINE]);
            assert!(lives(&server, &offline), "{}", database.kind);
            let (store, now) = (server.store(), server.app.now());
            if with_lock {
                accounts::lock(store, &name, now).unwrap();
                accounts::unlock(store, &name, now).unwrap();
            } else {
                let cost = PasswordCost {
                    memory_kib: 7168,
                    iterations: 5,
                    parallelism: 1,
                    max_parallel: 2,
                    max_waiting: 8,
                };
                let passwords = Passwords::new(cost, &OsEntropy).unwrap();
                accounts::set_password(store, &passwords, &OsEntropy, &name, PASSWORD, now).unwrap();
            }
            assert!(!lives(&server, &offline), "lock {with_lock}, on {}", database.kind);
            let page = browser.get("/account/tokens");
            assert_eq!(page.status, 303, "signed out: {}", page.body);
        }
    });
}

/// A session that just runs out ends nothing: what was given in it has dates of its own.
#[test]
fn a_session_that_runs_out_takes_no_access_token_along() {
    let server = TestServer::with(super::support::tokens::setup());
    let mut browser = signed_in(&server);
    server.advance(3500);
    let token = got(&server, &mut browser, "web", &[]);
    server.advance(200);
    assert!(lives(&server, &token));
    server.advance(101);
    assert!(!lives(&server, &token), "its own end");
}

#[test]
fn the_logged_out_page_says_who_and_which_applications() {
    let server = TestServer::with(super::support::tokens::setup());
    super::support::change::client(&server, "web", |draft| {
        draft.openid.backchannel_logout_uri = Some("https://app.example/backchannel".to_owned());
    });
    let mut browser = signed_in(&server);
    got(&server, &mut browser, "web", &[]);
    let page = browser.get("/logout?ui_locales=de");
    let page = browser.decide(&page, "logout");
    assert!(page.body.contains("<html lang=\"de\">"), "{}", page.body);
    let (told, not_told) = page.body.split_once("Diese Anwendungen haben Sie benutzt").unwrap();
    assert!(told.contains("<bdi>alice</bdi>") && told.contains("<bdi>Web Shop</bdi>"), "{}", page.body);
    assert!(not_told.contains("<bdi>Notes App</bdi>") && !not_told.contains("Web Shop"), "{}", page.body);
    // Another browser's session of the same user goes on, and nobody is named to whom nobody was.
    let page = browser.get("/logout");
    assert!(page.body.contains("Nobody is signed in here"), "{}", page.body);
    assert!(!page.body.contains("alice") && !page.body.contains("Web Shop"), "{}", page.body);
}
