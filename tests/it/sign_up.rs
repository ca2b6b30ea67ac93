//! The sign-up page under attack and in bad hands: what it refuses, what it tells, and how often.

use std::time::{Duration, Instant};

use countersign::http::paths::SIGN_UP;

use super::support::http::form;
use super::support::pages::{ask, assert_refused, signed_in};
use super::support::raw::{Raw, at_once};
use super::support::server::{PASSWORD, Setup};
use super::support::sign_up::{CREATE, NEW, assert_again, at_sign_up, on, send, sign_up, users, with};
use super::support::{TestServer, change, on_each_database};

#[test]
fn what_is_wrong_stands_beside_its_field_and_nothing_else_is_lost() {
    let server = with("max_sign_ups_per_address = 1");
    let (mut browser, page) = at_sign_up(&server, "house");
    let long = "a".repeat(257);
    let umlauts = "ü".repeat(150);
    let mail = format!("{}@example.org", "a".repeat(243));
    let (rules, none_seen) = ("at least 8 characters", "all of which can be seen");
    for (name, with, text) in [
        ("", &[][..], none_seen),
        (" \u{a0}", &[], none_seen),
        (&long, &[], none_seen),
        ("al\u{200b}ice", &[], none_seen),
        ("al\u{7}ice", &[], none_seen),
        ("carol", &[("new_password", "short"), ("new_password_again", "short")], rules),
        ("carol", &[("new_password", "")], rules),
        ("carol", &[("new_password_again", "")], "in two different ways"),
        ("carol", &[("new_password_again", "quiet river seven lamp")], "in two different ways"),
        ("carol", &[("display_name", &umlauts)], "This name is too long"),
        ("carol", &[("display_name", "a\u{1b}[2J")], "This name is too long"),
        ("carol", &[("email", "carol")], "This is no e-mail address"),
        ("carol", &[("email", &mail)], "This is no e-mail address"),
        ("carol", &[("email", "a b@example.org")], "This is no e-mail address"),
    ] {
        let answer = send(&mut browser, &page, name, with);
        assert_again(&browser, &answer, text);
        assert_eq!(answer.body.matches("class=\"wrong\"").count(), 1, "{name} {with:?}");
    }
    // All at once; what was typed is there again.
    let typed = [("new_password", "short"), ("display_name", "\"><b id=1>"), ("email", "no mail")];
    let answer = send(&mut browser, &page, &long, &typed);
    assert_again(&browser, &answer, rules);
    assert_eq!(answer.body.matches("class=\"wrong\"").count(), 3, "{}", answer.body);
    for text in [format!("value=\"{long}\""), "value=\"no mail\"".to_owned(), "&#60;b id=1&#62;".to_owned()] {
        assert!(answer.body.contains(&text), "{text}: {}", answer.body);
    }
    assert_eq!(users(&server), 1);
    // None of it was counted: one account is what this network may make.
    assert!(sign_up(&mut browser, &answer, "carol").sent("code").is_some());
}

#[test]
fn what_is_longer_than_any_form_sends_is_refused_before_it_is_looked_at() {
    let server = with("");
    let (mut browser, page) = at_sign_up(&server, "house");
    let long = "a".repeat(1025);
    for name in ["new_username", "new_password", "new_password_again", "display_name", "email"] {
        let answer = send(&mut browser, &page, "carol", &[(name, &long)]);
        assert_refused(&answer, 400, "This request cannot be answered");
        assert!(answer.body.contains(&format!("{name} is longer than 1024 bytes")), "{}", answer.body);
        let answer = send(&mut browser, &page, "carol", &[(name, "correct\0horse")]);
        assert_refused(&answer, 400, "This request cannot be answered");
        assert!(!answer.body.contains("horse"));
    }
    assert_eq!(users(&server), 1);
}

/// The name is what a person would take it for, however it is written.
#[test]
fn a_name_that_somebody_has_is_refused_in_every_spelling() {
    on_each_database(|database| {
        let server = on(&database);
        let (mut browser, page) = at_sign_up(&server, "house");
        for name in ["alice", "ALICE", " alice ", "ａｌｉｃｅ"] {
            let answer = send(&mut browser, &page, name, &[("email", "eve@example.org")]);
            assert_again(&browser, &answer, "Somebody has this user name");
            assert!(answer.body.contains("value=\"eve@example.org\""), "{}", answer.body);
        }
        assert_eq!(users(&server), 1, "{}", database.kind);
        // She is who she was.
        let login = ask(&mut browser, "house", &[]);
        assert!(browser.log_in(&login, "alice", PASSWORD).sent("code").is_some());
    });
}

/// Two who want one name at the same moment: one has it, the others are told.
#[test]
fn of_sign_ups_with_one_name_at_once_one_succeeds() {
    on_each_database(|database| {
        let server = on(&database);
        let pages: Vec<_> = (0..6).map(|_| at_sign_up(&server, "house")).collect();
        let answers = at_once(6, |at| {
            let (mut browser, page) = pages[at].clone();
            let password = format!("{NEW} {at}");
            let with = [("new_password", password.as_str()), ("new_password_again", &password)];
            (at, send(&mut browser, &page, "carol", &with))
        });
        let (made, refused): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|(_, answer)| answer.status == 303);
        assert_eq!(made.len(), 1, "{}", database.kind);
        for (_, answer) in refused {
            assert!(answer.body.contains("Somebody has this user name"), "{} {}", answer.status, answer.body);
        }
        let count = "SELECT count(*) AS n FROM users WHERE username = 'carol'";
        assert_eq!(Raw::open(&database.url).number(count), 1, "{}", database.kind);
        let mut browser = server.browser();
        let login = ask(&mut browser, "house", &[]);
        let answer = browser.log_in(&login, "carol", &format!("{NEW} {}", made[0].0));
        assert!(answer.sent("code").is_some(), "{}", database.kind);
    });
}

/// What is told of a name is told so often to one network, and no more.
#[test]
fn sign_ups_of_one_network_are_counted_taken_names_too() {
    let extra = "[login]\nself_registration = true\nmax_sign_ups_per_address = 3".to_owned();
    let server = "trusted_proxies = [\"127.0.0.1\"]".to_owned();
    let server = TestServer::with(Setup { extra, server, ..Setup::default() });
    let from = |address: &str| {
        let (mut browser, page) = at_sign_up(&server, "house");
        browser.headers.push(("x-forwarded-for".to_owned(), address.to_owned()));
        (browser, page)
    };
    let (mut browser, page) = from("2001:db8:0:101::1");
    assert_again(&browser.clone(), &send(&mut browser, &page, "alice", &[]), "Somebody has this user name");
    for (n, name) in ["carol", "dave"].into_iter().enumerate() {
        let (mut browser, page) = from(&format!("2001:db8:0:10{n}:{n}::1"));
        assert!(sign_up(&mut browser, &page, name).sent("code").is_some());
    }
    server.advance(600);
    for name in ["alice", "erin"] {
        let (mut browser, page) = from("2001:db8:0:1ff::1");
        let answer = send(&mut browser, &page, name, &[]);
        assert_again(&browser, &answer, "Please wait 50 minutes");
        assert!(answer.body.contains(&format!("value=\"{name}\"")), "{}", answer.body);
    }
    let (mut other, page) = from("2001:db8:0:200::1");
    assert!(sign_up(&mut other, &page, "erin").sent("code").is_some());
    // A login is another matter.
    let (mut browser, page) = from("2001:db8:0:101::1");
    let login = browser.get(&format!("/login?request={}", page.field("request")));
    assert!(browser.log_in(&login, "carol", NEW).sent("code").is_some());
    server.advance(3000);
    let (mut browser, page) = from("2001:db8:0:101::1");
    assert!(sign_up(&mut browser, &page, "frank").sent("code").is_some());
}

#[test]
fn all_sign_ups_together_have_a_limit_and_a_window() {
    let server = with("max_sign_ups_per_address = 2\nmax_sign_ups_overall = 2\nsign_up_window_s = 60");
    for name in ["carol", "dave"] {
        let (mut browser, page) = at_sign_up(&server, "house");
        assert!(sign_up(&mut browser, &page, name).sent("code").is_some());
    }
    let (mut browser, page) = at_sign_up(&server, "house");
    assert_again(&browser.clone(), &send(&mut browser, &page, "erin", &[]), "Too many attempts");
    server.advance(60);
    assert!(sign_up(&mut browser, &page, "erin").sent("code").is_some());
}

/// A name that is taken costs the hash that a free one does.
#[test]
fn a_name_that_is_taken_takes_no_less_time_than_a_free_one() {
    let server = with("max_sign_ups_per_address = 1000");
    let (browser, page) = at_sign_up(&server, "house");
    let time = |name: &str| {
        let mut browser = browser.clone();
        let start = Instant::now();
        let answer = send(&mut browser, &page, name, &[]);
        (start.elapsed(), answer.status)
    };
    let (mut taken, mut free) = (Duration::MAX, Duration::MAX);
    for round in 1..=60 {
        let (spent, status) = time("alice");
        assert_eq!(status, 400);
        taken = taken.min(spent);
        let (spent, status) = time(&format!("user{round}"));
        assert_eq!(status, 303);
        free = free.min(spent);
        // A free one has a session started and a code issued as well.
        if round >= 4 && taken * 3 > free * 2 {
            return;
        }
    }
    panic!("a name that is taken takes {taken:?}, a free one {free:?}");
}

#[test]
fn the_form_needs_its_token_its_browser_and_a_page_that_is_not_too_old() {
    let server = with("");
    let forbidden = "This was not sent from our own page";
    let other_browser = "This page belongs to another browser";
    assert_refused(&server.browser().get(&format!("{SIGN_UP}?x=1")), 400, "This request cannot be answered");
    let (mut browser, page) = at_sign_up(&server, "house");
    let (mut other, theirs) = at_sign_up(&server, "house");
    let of_login = browser.get(&format!("/login?request={}", page.field("request"))).field("csrf");
    for csrf in ["", "AAAA", &of_login, &theirs.field("csrf")] {
        assert_refused(&send(&mut browser, &page, "carol", &[("csrf", csrf)]), 403, forbidden);
    }
    let link = format!("{SIGN_UP}?request={}", page.field("request"));
    assert_refused(&other.get(&link), 400, other_browser);
    assert_refused(&server.browser().get(&link), 400, other_browser);
    assert_refused(&send(&mut server.browser(), &page, "carol", &[]), 400, other_browser);
    let csrf = theirs.field("csrf");
    assert_refused(&send(&mut other, &page, "carol", &[("csrf", &csrf)]), 400, other_browser);
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let mut foreign = browser.clone();
        foreign.headers.push((name.to_owned(), value.to_owned()));
        assert_refused(&send(&mut foreign, &page, "carol", &[]), 403, forbidden);
    }
    for request in ["", "x", &page.field("request")[1..]] {
        let answer = send(&mut browser, &page, "carol", &[("request", request)]);
        assert_refused(&answer, 400, "This request cannot be answered");
    }
    let mut agreeing = signed_in(&server);
    let consent = ask(&mut agreeing, "web", &[]);
    let sign_up_page = ask(&mut agreeing, "web", &[CREATE]);
    let of_consent = consent.field("request");
    let answer = send(&mut agreeing, &sign_up_page, "carol", &[("request", &of_consent)]);
    assert_refused(&answer, 400, "This request cannot be answered");
    assert_eq!(server.client().send("PUT", SIGN_UP, &[], "").status, 405);
    let body = form(&[("new_username", "carol")]);
    assert_eq!(server.client().send("POST", SIGN_UP, &[("content-type", "text/plain")], &body).status, 400);
    server.advance(1801);
    assert_refused(&browser.get(&link), 400, "This page is too old");
    assert_refused(&send(&mut browser, &page, "carol", &[]), 400, "This page is too old");
    assert_eq!(users(&server), 1);
}

/// Nobody makes an account for an application that is gone.
#[test]
fn a_client_that_was_switched_off_meanwhile_gets_no_new_user() {
    let server = with("");
    let (mut browser, page) = at_sign_up(&server, "app");
    change::switch_off(&server, "app");
    let answer = send(&mut browser, &page, "carol", &[]);
    assert_refused(&answer, 400, "This request cannot be answered");
    assert_eq!(users(&server), 1);
}
