//! The login page under attack: it tells nobody which names exist, and it slows guessing down.

use std::time::{Duration, Instant};

use super::support::http::{Answer, Browser};
use super::support::pages::{ask, assert_refused, assert_safe, is_login, redacted};
use super::support::raw::{Raw, at_once};
use super::support::server::{PASSWORD, Setup};
use super::support::{TestServer, change};

fn attempt(browser: &mut Browser, name: &str, password: &str) -> Answer {
    let page = ask(browser, "house", &[]);
    assert!(is_login(&page), "{} {:?}", page.status, page.header("location"));
    browser.log_in(&page, name, password)
}

fn is_throttled(answer: &Answer) -> bool {
    is_login(answer) && answer.body.contains("Too many attempts")
}

fn is_wrong(answer: &Answer) -> bool {
    is_login(answer) && answer.body.contains("User name or password is wrong")
}

fn with(login: &str) -> TestServer {
    TestServer::with(Setup { extra: format!("[login]\n{login}"), ..Setup::default() })
}

/// The same behind a proxy on this machine.
fn behind_proxy(login: &str) -> TestServer {
    let server = "trusted_proxies = [\"127.0.0.1\"]".to_owned();
    TestServer::with(Setup { extra: format!("[login]\n{login}"), server, ..Setup::default() })
}

/// A browser behind a proxy that says where it sits.
fn from(server: &TestServer, address: &str) -> Browser {
    let mut browser = server.browser();
    browser.headers.push(("x-forwarded-for".to_owned(), address.to_owned()));
    browser
}

#[test]
fn a_wrong_password_an_unknown_name_and_a_locked_account_give_the_same_page() {
    let server = TestServer::start();
    server.add_user("lockd");
    change::lock(&server, "lockd");
    let page = |name: &str, password: &str| {
        let mut browser = server.browser();
        let answer = attempt(&mut browser, name, password);
        assert!(is_wrong(&answer), "{}", answer.body);
        assert_safe(&answer);
        assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), ["csgn_browser"]);
        let headers = answer.headers.iter().filter(|(name, _)| name != "date" && name != "set-cookie");
        let mut headers: Vec<_> = headers.cloned().collect();
        headers.sort();
        (headers, redacted(&answer).replace(&format!("value=\"{name}\""), "value=\"[name]\""))
    };
    // Names of one length: the ticket's length, which the redaction hides, follows it.
    let wrong = page("alice", "wrong password");
    assert_eq!(page("nobod", "wrong password"), wrong);
    assert_eq!(page("lockd", PASSWORD), wrong);
    assert_eq!(page("alice", "\u{1f600}"), wrong);
}

/// Takes time like a wrong password: the hash is computed for nobody, too.
#[test]
fn an_unknown_name_takes_no_less_time_than_a_wrong_password() {
    let server = with("max_failures_per_account = 1000\nmax_failures_per_address = 1000");
    let mut browser = server.browser();
    let mut time = |name: &str| {
        let page = ask(&mut browser, "house", &[]);
        let start = Instant::now();
        assert!(is_wrong(&browser.log_in(&page, name, "wrong password")));
        start.elapsed()
    };
    // On a busy machine the quickest of several is the one that little else disturbed; the busier, the more it takes.
    let (mut known, mut unknown) = (Duration::MAX, Duration::MAX);
    for round in 1..=60 {
        known = known.min(time("alice"));
        unknown = unknown.min(time("nobody"));
        if round >= 6 && unknown * 2 > known && known * 2 > unknown {
            return;
        }
    }
    panic!("a wrong password takes {known:?}, an unknown name {unknown:?}");
}

#[test]
fn after_ten_wrong_passwords_even_the_right_one_is_refused_for_a_while() {
    let server = TestServer::start();
    let mut browser = server.browser();
    for _ in 0..10 {
        assert!(is_wrong(&attempt(&mut browser, "alice", "wrong password")));
    }
    server.advance(300);
    let answer = attempt(&mut browser, "alice", PASSWORD);
    assert!(is_throttled(&answer), "{}", answer.body);
    assert!(answer.body.contains("10 minutes"), "{}", answer.body);
    assert!(!browser.cookies.contains_key("csgn_session"));
    // Another account is not concerned, and a throttled attempt does not make the wait longer.
    server.add_user("bob");
    assert!(attempt(&mut server.browser(), "bob", PASSWORD).sent("code").is_some());
    server.advance(599);
    assert!(is_throttled(&attempt(&mut browser, "alice", PASSWORD)));
    server.advance(1);
    assert!(attempt(&mut browser, "alice", PASSWORD).sent("code").is_some());
}

/// Throttling must not tell which names exist either.
#[test]
fn an_unknown_name_is_throttled_like_a_known_one() {
    let server = with("max_failures_per_account = 3");
    let mut browser = server.browser();
    for _ in 0..3 {
        assert!(is_wrong(&attempt(&mut browser, "nobody", "wrong password")));
    }
    assert!(is_throttled(&attempt(&mut browser, "nobody", "wrong password")));
}

/// Lessons: "Throttle keys that are not canonical (case, Unicode, trailing blanks of a name; IPv6 addresses one by one)."
#[test]
fn ways_to_write_one_name_count_together() {
    let server = TestServer::start();
    let mut browser = server.browser();
    let ways = [
        "alice",
        "ALICE",
        "Alice",
        " alice",
        "alice ",
        "ａｌｉｃｅ",
        "ＡＬＩＣＥ",
        "alice\u{a0}",
        "aLiCe",
        "alice\t",
    ];
    for way in ways {
        assert!(is_wrong(&attempt(&mut browser, way, "wrong password")), "{way:?}");
    }
    assert!(is_throttled(&attempt(&mut browser, "alice", PASSWORD)));
}

#[test]
fn a_success_forgets_the_failures_of_its_account() {
    let server = TestServer::start();
    for _ in 0..2 {
        for _ in 0..9 {
            assert!(is_wrong(&attempt(&mut server.browser(), "alice", "wrong password")));
        }
        assert!(attempt(&mut server.browser(), "ALICE", PASSWORD).sent("code").is_some());
    }
}

#[test]
fn one_address_may_fail_only_so_often_whatever_the_names() {
    let server = behind_proxy("max_failures_per_address = 5");
    for n in 0..5 {
        let answer = attempt(&mut from(&server, "192.0.2.1"), &format!("user{n}"), "wrong password");
        assert!(is_wrong(&answer));
    }
    // Some proxies write the port too.
    for address in
        ["192.0.2.1", "::ffff:192.0.2.1", "198.51.100.7, 192.0.2.1", "192.0.2.1:5678", "[::ffff:192.0.2.1]:5"]
    {
        assert!(is_throttled(&attempt(&mut from(&server, address), "alice", PASSWORD)), "{address}");
    }
    assert!(attempt(&mut from(&server, "192.0.2.2"), "alice", PASSWORD).sent("code").is_some());
}

/// A customer of an IPv6 provider has a whole /56.
#[test]
fn the_addresses_of_one_ipv6_network_count_together() {
    let server = behind_proxy("max_failures_per_address = 5");
    for n in 0..5 {
        let address = format!("2001:db8:0:10{n}:{n}::{n}");
        assert!(is_wrong(&attempt(&mut from(&server, &address), "alice", "wrong password")));
    }
    assert!(is_throttled(&attempt(&mut from(&server, "2001:db8:0:1ff:ffff::1"), "alice", PASSWORD)));
    assert!(attempt(&mut from(&server, "2001:db8:0:200::1"), "alice", PASSWORD).sent("code").is_some());
}

/// Whoever is no trusted proxy cannot choose the address that is counted.
#[test]
fn x_forwarded_for_is_believed_of_trusted_proxies_only() {
    let server = with("max_failures_per_address = 5");
    for n in 0..5 {
        let mut browser = from(&server, &format!("192.0.2.{n}"));
        assert!(is_wrong(&attempt(&mut browser, &format!("user{n}"), "wrong password")));
    }
    assert!(is_throttled(&attempt(&mut from(&server, "192.0.2.99"), "alice", PASSWORD)));
}

/// The client writes the left end of X-Forwarded-For itself; only what the trusted proxy added at the right end counts.
#[test]
fn what_the_client_wrote_into_x_forwarded_for_does_not_count() {
    let server = behind_proxy("max_failures_per_address = 5");
    for n in 0..5 {
        let mut browser = from(&server, &format!("203.0.113.{n}, 192.0.2.1"));
        assert!(is_wrong(&attempt(&mut browser, &format!("user{n}"), "wrong password")));
    }
    assert!(is_throttled(&attempt(&mut from(&server, "203.0.113.99, 192.0.2.1"), "alice", PASSWORD)));
    // Nor does what is no text.
    assert!(is_throttled(&attempt(&mut from(&server, "\u{e9}vil, 192.0.2.1"), "alice", PASSWORD)));
    // What is no address stops the reading: the proxy's own address is counted then.
    assert!(attempt(&mut from(&server, "192.0.2.1, unknown"), "alice", PASSWORD).sent("code").is_some());
}

/// Whoever is stopped by their address cannot fill the database with names that they make up.
#[test]
fn an_address_that_is_stopped_makes_no_more_rows() {
    let server = behind_proxy("max_failures_per_address = 3");
    let mut browser = from(&server, "192.0.2.1");
    for n in 0..20 {
        attempt(&mut browser, &format!("user{n}"), "wrong password");
    }
    let url = format!("sqlite:{}", server.folder.path().join("test.db").display());
    assert_eq!(Raw::open(&url).number("SELECT count(*) AS n FROM throttles"), 3 + 2);
}

/// A password that was never looked at was no failure: the server had no place for it.
#[test]
fn attempts_that_found_the_server_busy_do_not_count() {
    let extra = "[login]\nmax_failures_per_account = 3".to_owned();
    let argon2 = "max_parallel = 1\nmax_waiting = 0".to_owned();
    let server = TestServer::with(Setup { extra, argon2, ..Setup::default() });
    let form = [("grant_type", "password"), ("username", "alice"), ("password", PASSWORD)];
    let mut busy = 0;
    while busy < 3 {
        let answers = at_once(8, |_| server.token("house", &form).status);
        busy += answers.into_iter().filter(|status| *status == 503).count();
        // Those who came within the limit and those beyond it: nothing of it stays.
    }
    assert_eq!(server.token("house", &form).status, 200);
}

#[test]
fn all_failures_together_have_a_limit() {
    let server =
        behind_proxy("max_failures_overall = 5\nmax_failures_per_account = 5\nmax_failures_per_address = 5");
    for n in 0..5 {
        let mut browser = from(&server, &format!("192.0.2.{n}"));
        assert!(is_wrong(&attempt(&mut browser, &format!("user{n}"), "wrong password")));
    }
    assert!(is_throttled(&attempt(&mut from(&server, "192.0.2.99"), "alice", PASSWORD)));
    server.advance(900);
    assert!(attempt(&mut from(&server, "192.0.2.99"), "alice", PASSWORD).sent("code").is_some());
}

#[test]
fn a_password_with_a_nul_and_one_beyond_the_limit_are_refused_before_they_are_hashed() {
    let server = TestServer::start();
    let mut browser = server.browser();
    let page = ask(&mut browser, "house", &[]);
    for (password, text) in [
        ("correct\0horse".to_owned(), "password contains a NUL byte"),
        (PASSWORD.to_owned() + "\0", "password contains a NUL byte"),
        ("a".repeat(1025), "password is longer than 1024 bytes"),
    ] {
        let answer = browser.log_in(&page, "alice", &password);
        assert_refused(&answer, 400, "This request cannot be answered");
        assert!(answer.body.contains(text), "{}", answer.body);
        assert!(!answer.body.contains("horse") && !answer.body.contains("aaaa"), "the password is shown");
    }
    assert!(is_wrong(&browser.log_in(&page, "alice", &"a".repeat(1024))));
}

#[test]
fn a_password_of_a_megabyte_is_refused_before_it_is_read() {
    let server = TestServer::start();
    let body = format!("username=alice&password={}", "a".repeat(1_048_576));
    let head = format!(
        "POST /login HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    let answer = server.client().raw((head + &body).as_bytes());
    assert_refused(&answer, 413, "That is more than we can take");
}

#[test]
fn what_was_typed_as_the_name_is_no_markup_on_the_next_page() {
    let server = TestServer::start();
    let answer = attempt(&mut server.browser(), "\"><script>alert(1)</script>", "wrong password");
    assert!(is_wrong(&answer));
    assert_safe(&answer);
}

/// The password that was typed is nowhere on the page, nor in the address that leads to it.
#[test]
fn the_password_does_not_come_back() {
    let server = TestServer::start();
    let mut browser = server.browser();
    let page = ask(&mut browser, "house", &[]);
    let (request, csrf) = (page.field("request"), page.field("csrf"));
    let form =
        [("request", request.as_str()), ("csrf", &csrf), ("username", "alice"), ("password", "s3cr3t-typo")];
    let answer = browser.post("/login", &form);
    assert!(!answer.location().contains("s3cr3t") && !answer.location().contains("alice"));
    let page = browser.follow(answer);
    assert!(is_wrong(&page) && !page.body.contains("s3cr3t"), "{}", page.body);
    assert!(page.body.contains("value=\"alice\""), "{}", page.body);
}
