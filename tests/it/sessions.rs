//! The browser session: its cookie, its life, and what it spares the user.

use std::fs;

use countersign::base::entropy::OsEntropy;
use countersign::base::{HashedToken, PlainToken, TokenKind};
use countersign::store::{sessions, users};

use super::support::http::{Answer, Browser};
use super::support::pages::{ask, is_consent, is_login, signed_in};
use super::support::server::{PASSWORD, Setup};
use super::support::{TestServer, change};

const COOKIE: &str = "csgn_session";

fn session_cookie(browser: &Browser) -> String {
    browser.cookies.get(COOKIE).unwrap_or_else(|| panic!("no session: {:?}", browser.cookies)).clone()
}

fn goes_through(browser: &mut Browser) -> bool {
    ask(browser, "app", &[]).header("location").is_some_and(|to| to.contains("?code="))
}

fn log_in(server: &TestServer, browser: &mut Browser, name: &str) -> Answer {
    let page = ask(browser, "app", &[("prompt", "login")]);
    assert!(is_login(&page), "{}", page.body);
    let answer = browser.log_in(&page, name, PASSWORD);
    let cookie = session_cookie(browser);
    let hash = HashedToken::of(cookie.split('.').next().unwrap());
    let known = server.store().read("test session", |conn| sessions::by_token(conn, &hash)).unwrap().unwrap();
    assert_eq!(known.user_id, server.user(name).id);
    answer
}

/// RFC 6265bis §4.1.3.2: the `__Host-` prefix wants Secure, Path=/ and no Domain.
#[test]
fn the_cookies_of_an_https_issuer_are_as_strict_as_cookies_can_be() {
    let server = TestServer::with(Setup { https: true, ..Setup::default() });
    let mut browser = server.browser();
    let first = browser.get(&super::support::flow::authorize_path("app", &[]));
    let page = browser.follow(first.clone());
    let (request, csrf) = (page.field("request"), page.field("csrf"));
    let form =
        [("request", request.as_str()), ("csrf", &csrf), ("username", "alice"), ("password", PASSWORD)];
    let second = browser.post("/login", &form);
    let cookies: Vec<String> = [&first, &second]
        .iter()
        .flat_map(|answer| answer.headers_of("set-cookie"))
        .map(|cookie| {
            let (name, rest) = cookie.split_once('=').unwrap();
            format!("{name}=…{}", &rest[rest.find(';').unwrap()..])
        })
        .collect();
    insta::assert_snapshot!(cookies.join("\n"), @"
    __Host-csgn_browser=…; HttpOnly; SameSite=Lax; Secure; Path=/
    __Host-csgn_browser=…; HttpOnly; SameSite=Lax; Secure; Path=/
    __Host-csgn_session=…; HttpOnly; SameSite=Lax; Secure; Path=/
    ");
    assert_eq!(page.header("strict-transport-security"), Some("max-age=31536000"));
}

/// On http loopback there is no Secure, so the plain name must do.
#[test]
fn on_http_loopback_the_cookies_have_their_plain_names() {
    let server = TestServer::start();
    let browser = signed_in(&server);
    assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), ["csgn_browser", COOKIE]);
}

/// A cookie under the plain name, as a neighbouring host can set it, says nothing to an https issuer.
#[test]
fn an_https_issuer_reads_no_cookie_without_the_prefix() {
    let server = TestServer::with(Setup { https: true, ..Setup::default() });
    let mut browser = signed_in(&server);
    assert!(goes_through(&mut browser));
    browser.cookies = browser.cookies.iter().map(|(n, v)| (n.replace("__Host-", ""), v.clone())).collect();
    assert!(!goes_through(&mut browser));
}

#[test]
fn what_the_browser_holds_is_nowhere_in_the_database() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let code = ask(&mut browser, "app", &[]).sent("code").unwrap();
    let secrets = [session_cookie(&browser), browser.cookies["csgn_browser"].clone(), code];
    let mut seen = 0;
    for entry in fs::read_dir(server.folder.path()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        seen += bytes.len();
        for secret in &secrets {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret}");
        }
    }
    let hash = HashedToken::of(&secrets[0]);
    assert!(server.store().read("test", |conn| sessions::by_token(conn, &hash)).unwrap().is_some());
    assert!(seen > 10_000, "the database was not looked at");
}

/// Session fixation: a cookie that an attacker planted before the login is worth nothing after it.
#[test]
fn a_planted_cookie_is_not_the_one_that_counts_after_the_login() {
    let server = TestServer::start();
    let planted = PlainToken::random(TokenKind::Session, &OsEntropy).unwrap().reveal().to_owned();
    let mut victim = server.browser();
    victim.cookies.insert(COOKIE.to_owned(), planted.clone());
    log_in(&server, &mut victim, "alice");
    assert_ne!(session_cookie(&victim), planted);
    let mut attacker = server.browser();
    attacker.cookies.insert(COOKIE.to_owned(), planted);
    assert!(is_login(&ask(&mut attacker, "app", &[])));
}

/// The same with a session that lives: the attacker's own, planted in the victim's browser. It stays the attacker's.
#[test]
fn the_attackers_own_session_does_not_become_the_victims() {
    let server = TestServer::start();
    server.add_user("mallory");
    let mut attacker = server.browser();
    log_in(&server, &mut attacker, "mallory");
    let mut victim = server.browser();
    victim.cookies.insert(COOKIE.to_owned(), session_cookie(&attacker));
    log_in(&server, &mut victim, "alice");
    let page = attacker.get("/account/tokens");
    assert!(page.body.contains("<bdi>mallory</bdi>") && !page.body.contains("alice"), "{}", page.body);
    let page = victim.get("/account/tokens");
    assert!(page.body.contains("<bdi>alice</bdi>") && !page.body.contains("mallory"), "{}", page.body);
}

#[test]
fn each_login_gives_a_new_cookie_and_the_old_one_is_dead() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let mut copy = browser.clone();
    assert!(goes_through(&mut copy));
    log_in(&server, &mut browser, "alice");
    assert_ne!(session_cookie(&browser), session_cookie(&copy));
    assert!(goes_through(&mut browser));
    assert!(!goes_through(&mut copy));
}

#[test]
fn a_session_that_lies_idle_for_an_hour_is_dead() {
    let server = TestServer::start();
    for (wait, alive) in [(3599, true), (3600, false)] {
        let mut browser = signed_in(&server);
        server.advance(wait);
        assert_eq!(goes_through(&mut browser), alive, "after {wait} s");
    }
}

/// Its use is not written down at every request, and still in time for the shortest idle life that can be set.
#[test]
fn a_session_in_use_outlives_the_shortest_idle_life() {
    let extra = "[session]\nidle_ttl_s = 60\n".to_owned();
    let server = TestServer::with(Setup { extra, ..Setup::default() });
    let mut browser = signed_in(&server);
    for wait in [20, 20, 15, 3, 4, 53, 53] {
        server.advance(wait);
        assert!(goes_through(&mut browser), "after {wait} s");
    }
    server.advance(60);
    assert!(!goes_through(&mut browser));
}

#[test]
fn a_session_in_use_lives_for_eight_hours_and_no_longer() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    for _ in 0..15 {
        server.advance(1900);
        assert!(goes_through(&mut browser));
    }
    server.advance(8 * 3600 - 15 * 1900 - 1);
    assert!(goes_through(&mut browser));
    server.advance(1);
    assert!(!goes_through(&mut browser));
}

/// A native app is asked about each time: that too is a use of the session.
#[test]
fn a_session_that_is_used_for_consent_only_is_in_use() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let with = [("redirect_uri", "com.example.app:/cb"), ("scope", "notes:read")];
    for _ in 0..3 {
        server.advance(1900);
        let page = ask(&mut browser, "native", &with);
        assert!(is_consent(&page), "{}", page.body);
        assert!(browser.decide(&page, "allow").sent("code").is_some());
    }
    assert!(goes_through(&mut browser));
}

#[test]
fn a_session_ends_with_the_logout() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let mut copy = browser.clone();
    let page = browser.get("/logout");
    browser.decide(&page, "logout");
    assert!(!browser.cookies.contains_key(COOKIE));
    assert!(!goes_through(&mut browser) && !goes_through(&mut copy));
}

#[test]
fn a_locked_user_has_no_session() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    change::lock(&server, "alice");
    assert!(is_login(&ask(&mut browser, "app", &[])));
}

#[test]
fn a_deleted_user_has_no_session() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let id = server.user("alice").id;
    assert!(server.store().write("test", move |conn| users::delete(conn, id)).unwrap());
    assert!(is_login(&ask(&mut browser, "app", &[])));
    // Another person of the same name is another person.
    server.add_user("alice");
    assert!(is_login(&ask(&mut browser, "app", &[])));
}

#[test]
fn a_second_login_is_silent_for_every_client() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    assert!(goes_through(&mut browser));
    assert!(ask(&mut browser, "house", &[]).sent("code").is_some());
    assert!(is_consent(&ask(&mut browser, "web", &[])));
}

#[test]
fn a_consent_is_remembered_for_its_user_and_its_client_alone() {
    let server = TestServer::start();
    server.add_user("bob");
    let mut browser = signed_in(&server);
    assert!(goes_through(&mut browser));
    assert!(is_consent(&ask(&mut browser, "web", &[])));
    assert!(is_consent(&log_in(&server, &mut browser, "bob")));
    // A new session of the same user is not asked again.
    let mut elsewhere = server.browser();
    assert!(log_in(&server, &mut elsewhere, "alice").sent("code").is_some());
}

#[test]
fn a_wider_scope_is_asked_about_and_a_narrower_one_is_not() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    assert!(ask(&mut browser, "app", &[("scope", "openid")]).sent("code").is_some());
    let page = ask(&mut browser, "app", &[("scope", "openid notes:read notes:write")]);
    assert!(is_consent(&page));
    assert!(browser.decide(&page, "allow").sent("code").is_some());
    for scope in ["notes:write", "openid notes:read notes:write"] {
        assert!(ask(&mut browser, "app", &[("scope", scope)]).sent("code").is_some(), "{scope}");
    }
    assert!(is_consent(&ask(&mut browser, "app", &[("scope", "openid email notes:read")])));
}

#[test]
fn another_resource_server_is_asked_about() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let page = ask(&mut browser, "web", &[("scope", "notes:read")]);
    assert!(page.body.contains("Read your notes") && !page.body.contains("Send mail"), "{}", page.body);
    browser.decide(&page, "allow");
    assert!(ask(&mut browser, "web", &[("scope", "notes:read")]).sent("code").is_some());
    let page = ask(&mut browser, "web", &[("scope", "notes:read mail:send")]);
    assert!(page.body.contains("Send mail in your name"), "{}", page.body);
    browser.decide(&page, "deny");
    assert!(is_consent(&ask(&mut browser, "web", &[("scope", "mail:send")])));
}

#[test]
fn the_houses_own_client_skips_the_consent_page() {
    let server = TestServer::start();
    let mut browser = server.browser();
    let page = ask(&mut browser, "house", &[]);
    let answer = browser.log_in(&page, "alice", PASSWORD);
    assert!(answer.sent("code").is_some(), "{}", answer.status);
}
