//! A Well-Known URL for Changing Passwords §2, and the page that it leads to.

use countersign::http::paths::{ACCOUNT_PASSWORD, ACCOUNT_SESSIONS, CHANGE_PASSWORD};

use super::support::flow::{authorize, redemption};
use super::support::http::{Answer, Browser};
use super::support::pages::{ask, assert_refused, assert_safe, is_login, signed_in};
use super::support::security_log::SecurityLog;
use super::support::server::{PASSWORD, Setup};
use super::support::tokens::{is_active, on};
use super::support::{TestServer, change, on_each_database};

const NEW: &str = "quiet river seven lamps";
const OFFLINE: (&str, &str) = ("scope", "openid notes:read offline_access");

fn send(browser: &mut Browser, old: &str, new: &str, again: &str) -> Answer {
    let page = browser.get(ACCOUNT_PASSWORD);
    let csrf = page.field("csrf");
    let form =
        [("csrf", csrf.as_str()), ("password", old), ("new_password", new), ("new_password_again", again)];
    browser.post(ACCOUNT_PASSWORD, &form)
}

fn token_of(server: &TestServer, browser: &mut Browser, with: &[(&str, &str)]) -> String {
    let code = authorize(browser, "web", with).sent("code").unwrap();
    server.token("web", &redemption(&code)).text("access_token")
}

fn logs_in(server: &TestServer, password: &str) -> bool {
    let mut browser = server.browser();
    let page = ask(&mut browser, "house", &[]);
    !is_login(&browser.log_in(&page, "alice", password))
}

/// §2: a redirect with "302, 303, or 307", and at the root of the host wherever the issuer is.
#[test]
fn the_well_known_address_leads_to_the_page() {
    let server = TestServer::start();
    let answer = server.client().get(CHANGE_PASSWORD);
    assert_eq!((answer.status, answer.location()), (303, ACCOUNT_PASSWORD));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(server.client().send("HEAD", CHANGE_PASSWORD, &[], "").status, 303);
    assert_eq!(server.client().post(CHANGE_PASSWORD, &[]).status, 405);
    // §4: whoever asks checks first that the server does not answer 200 to everything.
    let nowhere = "/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200";
    assert_eq!(server.client().get(nowhere).status, 404);
    let below = TestServer::with(Setup { path: "/auth".to_owned(), ..Setup::default() });
    let root = below.base.strip_suffix("/auth").unwrap();
    for address in [format!("{root}{CHANGE_PASSWORD}"), format!("{}{CHANGE_PASSWORD}", below.base)] {
        let answer = below.client().get(&address);
        assert_eq!((answer.status, answer.location()), (303, "/auth/account/password"), "{address}");
    }
}

#[test]
fn whoever_is_not_signed_in_signs_in_first_and_comes_back() {
    let server = TestServer::start();
    let mut browser = server.browser();
    let page = browser.get(CHANGE_PASSWORD);
    let page = browser.follow(page);
    assert!(is_login(&page) && !page.body.contains("new_password"));
    let page = browser.log_in(&page, "alice", PASSWORD);
    assert!(
        page.body.contains("name=\"new_password\"") && page.body.contains("value=\"alice\""),
        "{}",
        page.body
    );
    assert_safe(&page);
}

#[test]
fn the_new_password_counts_and_everything_else_that_came_from_the_old_one_ends() {
    let log = SecurityLog::listen();
    on_each_database(|database| {
        let server = on(&database);
        let mut elsewhere = signed_in(&server);
        let plain = token_of(&server, &mut elsewhere, &[]);
        let offline = token_of(&server, &mut elsewhere, &[OFFLINE]);
        let form = [("grant_type", "password"), ("username", "alice"), ("password", PASSWORD)];
        let with = [&form[..], &[("scope", "notes:read")]].concat();
        let by_password = server.token("house", &with).text("access_token");
        let mut here = signed_in(&server);
        let ours = token_of(&server, &mut here, &[]);
        let before = here.cookies["csgn_session"].clone();
        server.advance(100);

        let answer = send(&mut here, PASSWORD, NEW, NEW);
        assert_eq!(answer.location(), "/account/sessions", "{}", answer.body);
        let page = here.follow(answer);
        assert!(page.body.contains("Your password has been changed"), "{}", page.body);
        assert!(!page.body.contains("value=\"others\""), "{}", page.body);
        assert_ne!(here.cookies["csgn_session"], before, "a new secret for the session");
        for token in [&plain, &offline, &by_password] {
            assert!(!is_active(&server, "notes-api", token), "{}", database.kind);
        }
        assert!(is_active(&server, "notes-api", &ours), "{}", database.kind);
        let gone = elsewhere.get(ACCOUNT_SESSIONS);
        assert!(is_login(&elsewhere.follow(gone)), "{}", database.kind);
        assert!(logs_in(&server, NEW) && !logs_in(&server, PASSWORD), "{}", database.kind);
        let told = log.of(&server.user("alice").id.to_string());
        assert!(told.iter().any(|event| event["event"] == "password_changed"), "{told:?}");
    });
}

/// It is told once, on the page behind the change, and no link can bring it.
#[test]
fn nobody_is_told_of_a_change_that_was_not_made() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let told = |browser: &mut Browser, path: &str| browser.get(path).body.contains("has been changed");
    for link in
        ["/account/sessions", "/account/sessions?changed=password", "/account/sessions?done=password-changed"]
    {
        assert!(!told(&mut browser, link), "{link}");
    }
    assert_eq!(send(&mut browser, PASSWORD, NEW, NEW).status, 303);
    assert!(told(&mut browser, ACCOUNT_SESSIONS));
    assert!(!told(&mut browser, ACCOUNT_SESSIONS), "a second time");
    browser.cookies.insert("csgn_done".to_owned(), "words".to_owned());
    assert_eq!(browser.get(ACCOUNT_SESSIONS).status, 200);
}

#[test]
fn a_new_password_that_breaks_a_rule_changes_nothing() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    for (old, new, again, told) in [
        (PASSWORD, "short", "short", "too short or too long"),
        (PASSWORD, "", "", "too short or too long"),
        (PASSWORD, NEW, "quiet river seven lamp", "two different ways"),
        (PASSWORD, NEW, "", "two different ways"),
        (PASSWORD, PASSWORD, PASSWORD, "is the present one"),
        ("not the password", NEW, NEW, "Your present password is wrong"),
        ("", NEW, NEW, "Your present password is wrong"),
    ] {
        let answer = send(&mut browser, old, new, again);
        assert_eq!(answer.status, 400, "{}", answer.body);
        assert!(answer.body.contains(told), "{told}: {}", answer.body);
        assert!(!answer.body.contains(NEW) && !answer.body.contains(PASSWORD), "{}", answer.body);
        assert_safe(&answer);
    }
    let long = "x".repeat(1025);
    assert_refused(&send(&mut browser, PASSWORD, &long, &long), 400, "This request cannot be answered");
    assert!(logs_in(&server, PASSWORD));
}

/// The page must be no way around the login page's throttle.
#[test]
fn guessing_at_the_old_password_is_throttled_with_the_logins() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    for _ in 0..10 {
        assert!(send(&mut browser, "not the password", NEW, NEW).body.contains("is wrong"));
    }
    let answer = send(&mut browser, PASSWORD, NEW, NEW);
    assert!(answer.status == 400 && answer.body.contains("Too many attempts"), "{}", answer.body);
    assert!(!logs_in(&server, PASSWORD), "one throttle for both");
}

#[test]
fn the_form_needs_its_token_and_a_session_that_lives() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let csrf = browser.get(ACCOUNT_PASSWORD).field("csrf");
    let fields = [("password", PASSWORD), ("new_password", NEW), ("new_password_again", NEW)];
    let with = |csrf: &str| {
        let mut form: Vec<(String, String)> = fields.map(|(n, v)| (n.to_owned(), v.to_owned())).into();
        form.push(("csrf".to_owned(), csrf.to_owned()));
        form
    };
    let post = |browser: &mut Browser, csrf: &str| {
        let form = with(csrf);
        let form: Vec<(&str, &str)> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        browser.post(ACCOUNT_PASSWORD, &form)
    };
    assert_refused(&post(&mut browser, "x"), 403, "This was not sent from our own page");
    let sessions = browser.get(ACCOUNT_SESSIONS).field("csrf");
    assert_refused(&post(&mut browser, &sessions), 403, "This was not sent from our own page");
    let mut foreign = browser.clone();
    foreign.headers.push(("sec-fetch-site".to_owned(), "cross-site".to_owned()));
    assert_refused(&post(&mut foreign, &csrf), 403, "This was not sent from our own page");
    change::end_sessions(&server, "alice");
    let answer = post(&mut browser, &csrf);
    assert!(is_login(&browser.follow(answer)));
    assert!(logs_in(&server, PASSWORD));
    assert_eq!(server.client().send("PUT", ACCOUNT_PASSWORD, &[], "").status, 405);
}
