//! OpenID Connect Core 1.0 §11 and §12: refresh tokens with `offline_access`, and without it for as long as the browser session
//! lives.

use super::support::flow::{authorize, code, redemption};
use super::support::http::Answer;
use super::support::pages::{ask, error_of, is_consent, is_login, signed_in};
use super::support::server::{PASSWORD, Setup};
use super::support::tokens::is_active;
use super::support::{TestServer, change, on_each_database};

fn refresh(server: &TestServer, token: &str) -> Answer {
    server.token("web", &[("grant_type", "refresh_token"), ("refresh_token", token)])
}

fn refresh_token(server: &TestServer, scope: &str) -> String {
    server.token("web", &redemption(&code(server, "web", &[("scope", scope)]))).text("refresh_token")
}

fn end_sessions(server: &TestServer) {
    change::end_sessions(server, "alice");
}

/// §11: offline_access is for access "even when the End-User is not present (not logged in)"; without it the user must be.
#[test]
fn without_offline_access_refreshing_ends_with_the_session() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let (bound, offline) =
            (refresh_token(&server, "openid"), refresh_token(&server, "openid offline_access"));
        let bound = refresh(&server, &bound).text("refresh_token");
        assert!(is_active(&server, "web", &bound));
        end_sessions(&server);
        let answer = refresh(&server, &bound);
        assert_eq!((answer.error().as_str(), answer.status), ("invalid_grant", 400));
        assert!(answer.text("error_description").contains("session"), "{}", answer.body);
        assert!(!is_active(&server, "web", &bound), "introspection says so too");
        let offline = refresh(&server, &offline).text("refresh_token");
        assert!(is_active(&server, "web", &offline));
    });
}

#[test]
fn a_session_that_nobody_uses_takes_the_tokens_along_that_are_bound_to_it() {
    on_each_database(|database| {
        let extra = "[session]\nttl_s = 7200\nidle_ttl_s = 600\n".to_owned();
        let server =
            TestServer::with(Setup { database: Some(database.url.clone()), extra, ..Setup::default() });
        let mut token = refresh_token(&server, "openid");
        // Whoever uses an application uses the session.
        for _ in 0..3 {
            server.advance(599);
            token = refresh(&server, &token).text("refresh_token");
        }
        server.advance(600);
        assert_eq!(refresh(&server, &token).error(), "invalid_grant", "{}", database.kind);
    });
}

/// With `offline_access` nobody is there: it keeps no session alive.
#[test]
fn access_while_the_user_is_away_is_no_use_of_the_session() {
    let extra = "[session]\nidle_ttl_s = 600\n".to_owned();
    let server = TestServer::with(Setup { extra, ..Setup::default() });
    let mut browser = server.browser();
    let code = authorize(&mut browser, "web", &[("scope", "openid offline_access")]).sent("code").unwrap();
    let mut token = server.token("web", &redemption(&code)).text("refresh_token");
    for _ in 0..2 {
        server.advance(300);
        token = refresh(&server, &token).text("refresh_token");
    }
    assert!(is_login(&ask(&mut browser, "web", &[])));
}

/// A public client holds nothing that outlives the session: nobody is asked to agree to what is not given.
#[test]
fn a_public_client_is_not_given_offline_access() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let offline = [("scope", "openid notes:read offline_access")];
    let page = ask(&mut browser, "native", &offline);
    assert!(is_consent(&page) && !page.body.contains("while you are away"), "{}", page.body);
    let code = browser.decide(&page, "allow").sent("code").unwrap();
    let answer = server.public_token("native", &redemption(&code));
    assert_eq!(answer.text("scope"), "openid notes:read");
    assert!(answer.json()["refresh_token"].is_string());
    assert_eq!(error_of(&ask(&mut browser, "native", &[("scope", "offline_access")])), "invalid_scope");
}

/// However often the session is used, it ends, and with it what is bound to it.
#[test]
fn the_end_of_a_session_is_the_end_of_its_refresh_tokens() {
    let extra = "[session]\nttl_s = 7200\nidle_ttl_s = 7200\n".to_owned();
    let server = TestServer::with(Setup { extra, ..Setup::default() });
    let mut token = refresh_token(&server, "openid");
    for _ in 0..2 {
        server.advance(3599);
        token = refresh(&server, &token).text("refresh_token");
    }
    server.advance(2);
    assert_eq!(refresh(&server, &token).error(), "invalid_grant");
}

/// A grant without a session has nothing to be bound to.
#[test]
fn the_password_grant_gives_a_refresh_token_for_offline_access_only() {
    let server = TestServer::start();
    let with = |scope: &str| {
        let form =
            [("grant_type", "password"), ("username", "alice"), ("password", PASSWORD), ("scope", scope)];
        server.token("house", &form).json().get("refresh_token").is_some()
    };
    assert!(with("openid offline_access") && !with("openid"));
}

/// §11: prompt=consent is needed "unless other conditions for processing the request permitting offline access […] are in
/// place". Here the page names it and the answer is remembered; a client that the operator trusts is not asked.
#[test]
fn the_user_is_asked_for_offline_access_by_name_and_once() {
    let server = TestServer::start();
    let offline = [("scope", "openid offline_access")];
    let mut browser = server.browser();
    authorize(&mut browser, "web", &[("scope", "openid")]);
    let page = ask(&mut browser, "web", &offline);
    assert!(is_consent(&page) && page.body.contains("while you are away"), "{}", page.body);
    let code = browser.decide(&page, "allow").sent("code").unwrap();
    let answer = server.token("web", &redemption(&code));
    assert!(answer.json()["refresh_token"].is_string() && answer.text("scope").contains("offline_access"));
    assert!(ask(&mut browser, "web", &offline).sent("code").is_some(), "it is remembered");
    let again = ask(&mut browser, "web", &[offline[0], ("prompt", "consent")]);
    assert!(is_consent(&again));
    assert!(ask(&mut browser, "house", &offline).sent("code").is_some(), "the house's own");
}

/// What the client may do today counts.
#[test]
fn a_client_that_lost_the_grant_refreshes_no_more() {
    let server = TestServer::start();
    let token = refresh_token(&server, "openid");
    change::client(&server, "web", |draft| {
        draft.grant_types.remove(&countersign::oauth::GrantType::RefreshToken);
    });
    assert_eq!(refresh(&server, &token).error(), "unauthorized_client");
}
