//! "Stay signed in": a cookie that outlives the browser (RFC 6265 §5.3: one without Max-Age is a session cookie), for those
//! accounts alone whose users asked for it, and lifetimes of its own.

use super::support::flow::{authorize_path, redemption};
use super::support::http::{Answer, Browser};
use super::support::pages::{ask, choose, is_login};
use super::support::raw::Raw;
use super::support::server::{PASSWORD, Setup};
use super::support::{TestServer, on_each_database};

const DAY: i64 = 86_400;

/// Signs in at the house's own client; the answer that sets the cookies.
fn log_in(browser: &mut Browser, name: &str, remember: bool) -> Answer {
    let page = browser.get(&authorize_path("house", &[("prompt", "login")]));
    let page = browser.follow(page);
    let (request, csrf) = (page.field("request"), page.field("csrf"));
    let mut form =
        vec![("request", request.as_str()), ("csrf", &csrf), ("username", name), ("password", PASSWORD)];
    if remember {
        form.push(("remember", "on"));
    }
    let answer = browser.post("/login", &form);
    assert_eq!(answer.status, 303, "{}", answer.body);
    answer
}

fn is_in(browser: &mut Browser) -> bool {
    ask(browser, "house", &[("prompt", "none")]).sent("code").is_some()
}

fn restarted(browser: &Browser) -> Browser {
    let mut browser = browser.clone();
    browser.cookies.retain(|name, _| name.ends_with("csgn_kept"));
    browser
}

#[test]
fn without_the_box_everything_ends_with_the_browser() {
    let server = TestServer::start();
    let mut browser = server.browser();
    let answer = log_in(&mut browser, "alice", false);
    let cookies = answer.headers_of("set-cookie").join("\n");
    assert!(!cookies.contains("Max-Age") && !cookies.contains("Expires"), "{cookies}");
    assert!(is_in(&mut browser) && !is_in(&mut restarted(&browser)));
}

#[test]
fn with_the_box_the_session_is_there_after_a_restart() {
    let server = TestServer::with(Setup { https: true, ..Setup::default() });
    let mut browser = server.browser();
    let answer = log_in(&mut browser, "alice", true);
    let kept = answer.headers_of("set-cookie").into_iter().find(|c| c.contains("kept")).unwrap();
    let (value, rest) = kept.split_once(';').unwrap();
    assert!(value.starts_with("__Host-csgn_kept=csgn_se_"), "{kept}");
    assert_eq!(rest, " HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=2592000");
    assert!(is_in(&mut restarted(&browser)));
}

/// `session.remembered_ttl_s` and `session.remembered_idle_ttl_s`, in place of those of the others.
#[test]
fn it_lives_for_thirty_days_if_it_is_used_within_fourteen() {
    let server = TestServer::start();
    for (wait, alive) in [(14 * DAY - 1, true), (14 * DAY, false)] {
        let mut browser = server.browser();
        log_in(&mut browser, "alice", true);
        server.advance(wait);
        assert_eq!(is_in(&mut restarted(&browser)), alive, "after {wait} s");
    }
    let mut browser = server.browser();
    log_in(&mut browser, "alice", true);
    for _ in 0..2 {
        server.advance(13 * DAY);
        assert!(is_in(&mut browser));
    }
    server.advance(4 * DAY - 1);
    assert!(is_in(&mut browser));
    server.advance(1);
    assert!(!is_in(&mut browser));
}

#[test]
fn the_lifetimes_are_configured() {
    let extra = "[session]\nremembered_ttl_s = 1000\nremembered_idle_ttl_s = 600\n".to_owned();
    let server = TestServer::with(Setup { extra, ..Setup::default() });
    let mut browser = server.browser();
    let answer = log_in(&mut browser, "alice", true);
    assert!(answer.headers_of("set-cookie").join("\n").contains("Max-Age=1000"));
    server.advance(599);
    assert!(is_in(&mut browser));
    server.advance(401);
    assert!(!is_in(&mut browser));
}

/// Each account has its own user's word: nobody is kept because somebody else is.
#[test]
fn an_account_whose_user_did_not_ask_is_gone_after_the_restart() {
    let server = TestServer::start();
    server.add_user("bob");
    let mut browser = server.browser();
    log_in(&mut browser, "alice", true);
    log_in(&mut browser, "bob", false);
    assert_eq!(browser.cookies["csgn_session"].split('.').count(), 2);
    assert_eq!(browser.cookies["csgn_kept"].split('.').count(), 1);
    let mut later = restarted(&browser);
    let page = later.get("/account/tokens");
    assert!(page.body.contains("<bdi>alice</bdi>"), "{} {}", page.status, page.body);
    let page = ask(&mut later, "house", &[("prompt", "select_account")]);
    assert!(!page.body.contains("bob"), "{}", page.body);
    assert!(choose(&mut later, &page, "alice").sent("code").is_some());
}

#[test]
fn a_login_without_the_box_takes_the_word_back_and_a_logout_takes_both_cookies() {
    let server = TestServer::start();
    let mut browser = server.browser();
    log_in(&mut browser, "alice", true);
    log_in(&mut browser, "alice", false);
    assert!(!browser.cookies.contains_key("csgn_kept") && is_in(&mut browser));
    log_in(&mut browser, "alice", true);
    let copy = restarted(&browser);
    let page = browser.get("/logout");
    browser.decide(&page, "logout");
    assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), ["csgn_browser"]);
    assert!(!is_in(&mut copy.clone()));
}

/// Whoever asked for it is not to lose it by proving again who they are, or by a slip of the finger.
#[test]
fn the_box_is_ticked_where_it_was_ticked_before() {
    let server = TestServer::start();
    let mut browser = server.browser();
    let ticked = |page: &Answer| page.body.contains("name=\"remember\" value=\"on\" checked");
    let page = ask(&mut browser, "house", &[]);
    assert!(is_login(&page) && page.body.contains("name=\"remember\"") && !ticked(&page));
    let (request, csrf) = (page.field("request"), page.field("csrf"));
    let wrong = [
        ("request", request.as_str()),
        ("csrf", &csrf),
        ("username", "alice"),
        ("password", "x"),
        ("remember", "on"),
    ];
    let page = browser.post("/login", &wrong);
    assert!(ticked(&browser.follow(page)));
    log_in(&mut browser, "alice", true);
    assert!(ticked(&ask(&mut browser, "house", &[("prompt", "login")])));
}

/// OpenID Connect Back-Channel Logout 1.0 §2: all clients of the session are told, those too whose tokens are over and swept
/// for weeks.
#[test]
fn the_clients_of_a_long_session_are_remembered_as_long_as_it_lives() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let mut browser = server.browser();
        log_in(&mut browser, "alice", true);
        let code = ask(&mut browser, "house", &[]).sent("code").unwrap();
        assert_eq!(server.token("house", &redemption(&code)).status, 200);
        for _ in 0..2 {
            server.advance(10 * DAY);
            countersign::app::sweep(server.store(), server.app.now(), 500, &mut |_| true).unwrap();
            let page = browser.get("/account/sessions");
            assert!(page.body.contains("<bdi>House App</bdi>"), "{}: {}", database.kind, page.body);
        }
        let page = browser.get("/logout");
        let page = browser.decide(&page, "logout");
        assert!(page.body.contains("<bdi>House App</bdi>"), "{}: {}", database.kind, page.body);
        // The rows go with the session.
        server.advance(10 * DAY);
        countersign::app::sweep(server.store(), server.app.now(), 500, &mut |_| true).unwrap();
        let mut raw = Raw::open(&database.url);
        assert_eq!(raw.number("SELECT COUNT(*) AS n FROM session_clients"), 0, "{}", database.kind);
    });
}
