//! RFC 6749 §4.3: the password grant, which RFC 9700 §2.4 rules out. Off unless a client is marked for it,
//! and never a way around the login page's throttle.

use std::time::{Duration, Instant};

use countersign::base::Seconds;
use countersign::domain::throttle::{Limit, ThrottleKey};
use countersign::store;

use super::support::flow::{authorize_path, claims};
use super::support::http::{Answer, basic, form};
use super::support::jwt::redacted;
use super::support::server::{CLIENTS, NOTES, PASSWORD, Setup, secret};
use super::support::{TestServer, change, on_each_database};

fn ask(server: &TestServer, username: &str, password: &str) -> Answer {
    ask_with(server, username, password, &[])
}

fn ask_with(server: &TestServer, username: &str, password: &str, more: &[(&str, &str)]) -> Answer {
    let mut form = vec![("grant_type", "password"), ("username", username), ("password", password)];
    form.extend_from_slice(more);
    server.token("house", &form)
}

fn few_failures() -> Setup {
    Setup { extra: "[login]\nmax_failures_per_account = 3".to_owned(), ..Setup::default() }
}

/// One try at the login page: whether it let the user in.
fn log_in(server: &TestServer, password: &str) -> bool {
    let mut browser = server.browser();
    let page = browser.get(&authorize_path("house", &[("scope", "openid")]));
    let page = browser.follow(page);
    browser.log_in(&page, "alice", password).header("location").is_some()
}

/// RFC 6749 §4.3.2: grant_type, username, password and scope.
#[test]
fn a_marked_client_gets_tokens_for_a_name_and_a_password() {
    let server = TestServer::start();
    let answer = ask_with(&server, "alice", PASSWORD, &[("scope", "notes:read offline_access")]);
    let wire = answer.wire(&["content-type", "cache-control", "pragma"]);
    insta::assert_snapshot!(redacted(&wire), @r#"
    200
    content-type: application/json
    cache-control: no-store
    pragma: no-cache

    {"access_token":"…","token_type":"Bearer","expires_in":300,"scope":"notes:read offline_access","refresh_token":"…"}
    "#);
    let claims = claims(&answer.text("access_token"));
    assert_eq!(claims["sub"], server.user("alice").id.to_string());
    assert_eq!(claims["aud"], NOTES);
    let form = [("grant_type", "refresh_token"), ("refresh_token", &answer.text("refresh_token"))];
    assert_eq!(server.token("house", &form).status, 200);
}

/// RFC 9700 §2.4: "The resource owner password credentials grant […] MUST NOT be used."
#[test]
fn a_client_that_is_not_marked_is_refused_before_anything_is_counted() {
    let server = TestServer::with(few_failures());
    let form = [("grant_type", "password"), ("username", "alice"), ("password", "wrong")];
    for _ in 0..4 {
        assert_eq!(server.token("web", &form).error(), "unauthorized_client");
        assert_eq!(server.public_token("native", &form).error(), "unauthorized_client");
    }
    assert_eq!(ask(&server, "alice", PASSWORD).status, 200);
}

/// One answer for every reason, so that nobody learns which names exist.
#[test]
fn an_unknown_user_a_wrong_password_and_a_locked_account_look_the_same() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        server.add_user("mallory");
        change::lock(&server, "mallory");
        let seen = |answer: Answer| {
            assert_eq!(answer.error(), "invalid_grant");
            let mut headers: Vec<_> =
                answer.headers.into_iter().filter(|(n, _)| n != "date" && n != "x-request-id").collect();
            headers.sort();
            (answer.status, headers, answer.body)
        };
        let wrong = seen(ask(&server, "alice", "wrong horse"));
        assert_eq!(wrong.0, 400);
        assert_eq!(seen(ask(&server, "nobody", PASSWORD)), wrong);
        assert_eq!(seen(ask(&server, "nobody\u{202e}", PASSWORD)), wrong);
        assert_eq!(seen(ask(&server, "mallory", PASSWORD)), wrong);
        assert_eq!(seen(ask(&server, "mallory", "wrong horse")), wrong);
    });
}

/// The same work for all three. The quickest of several tries is compared, so that a busy machine does not
/// decide.
#[test]
fn an_unknown_user_costs_as_much_time_as_a_wrong_password() {
    let extra = "[login]\nmax_failures_per_account = 1000\nmax_failures_per_address = 1000".to_owned();
    let server = TestServer::with(Setup { extra, ..Setup::default() });
    let mut quickest = [Duration::MAX; 3];
    for _ in 0..16 {
        for (at, name) in ["alice", "nobody", ""].into_iter().enumerate() {
            let started = Instant::now();
            assert_eq!(ask(&server, name, "wrong horse").status, 400);
            quickest[at] = quickest[at].min(started.elapsed());
        }
    }
    let [known, unknown, nameless] = quickest;
    assert!(unknown * 2 > known && known * 2 > unknown, "{quickest:?}");
    // A request that needs no Argon2 shows that there is something to hide.
    assert!(nameless * 2 < known, "{quickest:?}");
}

#[test]
fn a_missing_name_or_password_is_an_invalid_request() {
    let server = TestServer::start();
    for (username, password) in [("", PASSWORD), ("alice", ""), ("", "")] {
        assert_eq!(ask(&server, username, password).error(), "invalid_request", "{username} {password}");
    }
}

/// NFKC, case and blanks: one account has one name, here and at the throttle.
#[test]
fn a_name_may_be_typed_in_another_case_or_width_and_a_password_may_not() {
    let server = TestServer::start();
    for name in ["Alice", " ALICE ", "ａｌｉｃｅ", "alice\u{a0}"] {
        assert_eq!(ask(&server, name, PASSWORD).status, 200, "{name:?}");
    }
    for password in ["Correct horse battery", "correct horse battery ", "ｃorrect horse battery"] {
        assert_eq!(ask(&server, "alice", password).error(), "invalid_grant", "{password:?}");
    }
}

#[test]
fn another_spelling_of_the_name_is_no_second_set_of_tries() {
    on_each_database(|database| {
        let setup = Setup { database: Some(database.url.clone()), ..few_failures() };
        let server = TestServer::with(setup);
        for name in ["alice", "ALICE", "ａlice "] {
            assert_eq!(ask(&server, name, "wrong").error(), "invalid_grant");
        }
        let answer = ask(&server, "Alice", PASSWORD);
        assert_eq!(answer.error(), "invalid_grant");
        assert_eq!(answer.header("retry-after"), Some("900"), "{}", database.kind);
        // Another account of the same address is not shut out.
        server.add_user("bob");
        assert_eq!(ask(&server, "bob", PASSWORD).status, 200);
    });
}

#[test]
fn failures_at_the_login_page_count_here_and_the_other_way_round() {
    let server = TestServer::with(few_failures());
    for _ in 0..3 {
        assert!(!log_in(&server, "wrong"));
    }
    let answer = ask(&server, "alice", PASSWORD);
    assert_eq!((answer.error().as_str(), answer.header("retry-after")), ("invalid_grant", Some("900")));

    let server = TestServer::with(few_failures());
    for _ in 0..3 {
        assert_eq!(ask(&server, "alice", "wrong").error(), "invalid_grant");
    }
    assert!(!log_in(&server, PASSWORD));
    server.advance(899);
    assert!(!log_in(&server, PASSWORD));
    server.advance(1);
    assert!(log_in(&server, PASSWORD));
}

#[test]
fn a_success_forgets_the_failures_before_it() {
    let server = TestServer::with(few_failures());
    for _ in 0..3 {
        for _ in 0..2 {
            assert_eq!(ask(&server, "alice", "wrong").error(), "invalid_grant");
        }
        assert_eq!(ask(&server, "alice", PASSWORD).status, 200);
    }
}

/// Guessing one password against many names is stopped by the address.
#[test]
fn one_address_has_its_limit_whatever_the_names() {
    let setup = Setup { extra: "[login]\nmax_failures_per_address = 2".to_owned(), ..Setup::default() };
    let server = TestServer::with(setup);
    for name in ["one", "two"] {
        assert_eq!(ask(&server, name, "wrong").header("retry-after"), None);
    }
    let answer = ask(&server, "alice", PASSWORD);
    assert_eq!((answer.error().as_str(), answer.header("retry-after")), ("invalid_grant", Some("900")));
}

/// Guessing from many addresses is stopped by the whole.
#[test]
fn all_addresses_together_have_their_limit() {
    let extra =
        "[login]\nmax_failures_per_account = 3\nmax_failures_per_address = 3\nmax_failures_overall = 3";
    let server = TestServer::with(Setup { extra: extra.to_owned(), ..Setup::default() });
    let now = server.app.now();
    for from_elsewhere in ["192.0.2.1", "198.51.100.1", "2001:db8::1"] {
        assert_eq!(ask(&server, "alice", PASSWORD).status, 200);
        let keys = [ThrottleKey::address(from_elsewhere.parse().unwrap()), ThrottleKey::overall()];
        let limits = keys.map(|key| Limit { key, max_failures: 3, window: Seconds(900) });
        server.store().write("fail", move |conn| store::throttles::reserve(conn, &limits, now)).unwrap();
    }
    let answer = ask(&server, "alice", PASSWORD);
    assert_eq!((answer.error().as_str(), answer.header("retry-after")), ("invalid_grant", Some("900")));
}

/// Only a proxy that the operator named may say where a request comes from.
#[test]
fn a_made_up_forwarded_header_is_no_second_address() {
    let setup = Setup { extra: "[login]\nmax_failures_per_address = 2".to_owned(), ..Setup::default() };
    let server = TestServer::with(setup);
    let tries = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|address| {
        let authorization = basic("house", &secret("house"));
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("authorization", authorization.as_str()),
            ("x-forwarded-for", address),
            ("forwarded", "for=192.0.2.9"),
        ];
        let pairs = [("grant_type", "password"), ("username", address), ("password", "wrong")];
        server.client().send("POST", "/token", &headers, &form(&pairs)).header("retry-after").is_some()
    });
    assert_eq!(tries, [false, false, true]);
}

/// A password of a megabyte must cost nobody an Argon2 of it.
#[test]
fn an_overlong_password_is_refused_unread() {
    let server = TestServer::with(few_failures());
    assert_eq!(ask(&server, "alice", &"x".repeat(1024)).error(), "invalid_grant");
    for _ in 0..4 {
        assert_eq!(ask(&server, "alice", &"x".repeat(1025)).error(), "invalid_request");
        assert_eq!(ask(&server, &"x".repeat(257), PASSWORD).error(), "invalid_request");
        assert_eq!(ask(&server, "alice", &"x".repeat(1_000_000)).status, 413);
    }
    // None of them counted as a guess.
    assert_eq!(ask(&server, "alice", PASSWORD).status, 200);
}

/// The scope is judged first: a request that can come to nothing tries no password.
#[test]
fn a_scope_that_is_not_allowed_counts_as_no_guess() {
    let server = TestServer::with(few_failures());
    for _ in 0..4 {
        let answer = ask_with(&server, "alice", "wrong", &[("scope", "mail:send")]);
        assert_eq!(answer.error(), "invalid_scope");
    }
    assert_eq!(ask(&server, "alice", PASSWORD).status, 200);
}

/// Off unless marked: the very client of the tests above, without its mark.
#[test]
fn the_same_client_without_the_mark_has_no_password_grant() {
    let clients = CLIENTS.replace("allow_password_grant = true\n", "");
    assert_ne!(clients, CLIENTS);
    let server = TestServer::with(Setup { clients, ..Setup::default() });
    assert_eq!(ask(&server, "alice", PASSWORD).error(), "unauthorized_client");
}
