//! The page on which a user sees their sessions and ends them.

use countersign::http::paths::ACCOUNT_SESSIONS;

use super::support::flow::{authorize, redemption};
use super::support::http::{Answer, Browser};
use super::support::pages::{assert_refused, assert_safe, is_login, signed_in};
use super::support::tokens::{is_active, on, setup};
use super::support::{TestServer, on_each_database};

/// The sessions on the page, this one first.
fn listed(page: &Answer) -> Vec<String> {
    page.body
        .split("name=\"end\" value=\"")
        .skip(1)
        .map(|rest| rest.split_once('"').unwrap().0.to_owned())
        .filter(|value| value != "others")
        .collect()
}

fn end(browser: &mut Browser, page: &Answer, which: &str) -> Answer {
    let csrf = page.field("csrf");
    let answer = browser.post(ACCOUNT_SESSIONS, &[("csrf", &csrf), ("end", which)]);
    browser.follow(answer)
}

fn token_of(server: &TestServer, browser: &mut Browser) -> String {
    let code = authorize(browser, "web", &[]).sent("code").unwrap();
    server.token("web", &redemption(&code)).text("access_token")
}

#[test]
fn each_session_is_listed_with_its_browser_its_times_and_its_applications() {
    let server = TestServer::start();
    let mut browser = server.browser();
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0 <b>me</b>";
    browser.headers.push(("user-agent".to_owned(), agent.to_owned()));
    authorize(&mut browser, "app", &[]);
    server.advance(3000);
    let mut here = signed_in(&server);
    server.advance(90);
    authorize(&mut here, "house", &[]);
    let page = here.get(ACCOUNT_SESSIONS);
    assert_safe(&page);
    assert_eq!(listed(&page).len(), 2);
    let (this, other) = page.body.split_once("</section>").unwrap();
    assert!(this.contains("This session") && !other.contains("This session"), "{}", page.body);
    assert!(this.contains("Unknown browser") && this.contains("2026-11-23 12:50 UTC"), "{}", page.body);
    assert!(this.contains("2026-11-23 12:51 UTC") && this.contains("<bdi>House App</bdi>"), "{}", page.body);
    assert!(other.contains("Firefox, Linux") && !page.body.contains("<b>"), "{}", page.body);
    assert!(
        other.contains("2026-11-23 12:00 UTC") && other.contains("<bdi>Notes App</bdi>"),
        "{}",
        page.body
    );
    assert!(!other.contains("House App"), "{}", page.body);
    // One that lay idle for too long does not count any more.
    server.advance(600);
    assert_eq!(listed(&here.get(ACCOUNT_SESSIONS)).len(), 1);
}

#[test]
fn ending_another_session_ends_what_was_given_in_it() {
    on_each_database(|database| {
        let server = on(&database);
        let mut elsewhere = signed_in(&server);
        let theirs = token_of(&server, &mut elsewhere);
        let mut here = signed_in(&server);
        let ours = token_of(&server, &mut here);
        let page = here.get(ACCOUNT_SESSIONS);
        let other = listed(&page).remove(1);
        let page = end(&mut here, &page, &other);
        assert_eq!(listed(&page).len(), 1, "{}: {}", database.kind, page.body);
        assert!(page.body.contains("The session has ended."), "{}", page.body);
        assert!(!here.get(ACCOUNT_SESSIONS).body.contains("has ended"), "it is said once");
        assert!(!page.body.contains("value=\"others\""), "{}", page.body);
        assert!(!is_active(&server, "notes-api", &theirs), "{}", database.kind);
        assert!(is_active(&server, "notes-api", &ours), "{}", database.kind);
        let gone = elsewhere.get(ACCOUNT_SESSIONS);
        assert!(is_login(&elsewhere.follow(gone)), "{}", database.kind);
    });
}

#[test]
fn all_others_end_at_once() {
    on_each_database(|database| {
        let server = on(&database);
        let tokens: Vec<String> = (0..3).map(|_| token_of(&server, &mut signed_in(&server))).collect();
        let mut here = signed_in(&server);
        server.add_user("bob");
        let mut bobs = server.browser();
        let page = super::support::pages::ask(&mut bobs, "house", &[]);
        bobs.log_in(&page, "bob", super::support::server::PASSWORD);
        let page = here.get(ACCOUNT_SESSIONS);
        assert_eq!(listed(&page).len(), 4);
        let page = end(&mut here, &page, "others");
        assert_eq!(listed(&page).len(), 1, "{}", database.kind);
        assert!(page.body.contains("All your other sessions have ended."), "{}", page.body);
        for token in &tokens {
            assert!(!is_active(&server, "notes-api", token), "{}", database.kind);
        }
        assert_eq!(listed(&bobs.get(ACCOUNT_SESSIONS)).len(), 1, "{}", database.kind);
    });
}

#[test]
fn ending_this_one_signs_out() {
    let server = TestServer::with(setup());
    let mut browser = signed_in(&server);
    let page = browser.get(ACCOUNT_SESSIONS);
    let this = listed(&page).remove(0);
    assert!(is_login(&end(&mut browser, &page, &this)));
    assert!(!browser.cookies.contains_key("csgn_session"));
}

#[test]
fn nobody_ends_the_session_of_somebody_else() {
    let server = TestServer::start();
    server.add_user("bob");
    let mut alices = signed_in(&server);
    let hers = listed(&alices.get(ACCOUNT_SESSIONS)).remove(0);
    let mut bobs = server.browser();
    let page = super::support::pages::ask(&mut bobs, "house", &[]);
    bobs.log_in(&page, "bob", super::support::server::PASSWORD);
    let page = bobs.get(ACCOUNT_SESSIONS);
    for id in [hers.as_str(), "00000000-0000-4000-8000-000000000001"] {
        assert_eq!(listed(&end(&mut bobs, &page, id)).len(), 1, "{id}");
    }
    assert_eq!(listed(&alices.get(ACCOUNT_SESSIONS)).len(), 1);
}

#[test]
fn the_form_needs_its_token_its_browser_and_a_word_that_is_known() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let page = browser.get(ACCOUNT_SESSIONS);
    let csrf = page.field("csrf");
    for which in ["", "all", "x"] {
        let answer = browser.post(ACCOUNT_SESSIONS, &[("csrf", &csrf), ("end", which)]);
        assert_refused(&answer, 400, "This request cannot be answered");
    }
    let answer = browser.post(ACCOUNT_SESSIONS, &[("csrf", "x"), ("end", "others")]);
    assert_refused(&answer, 403, "This was not sent from our own page");
    // The page named a user: whoever signs in at this browser later has not seen it.
    let mut later = browser.clone();
    authorize(&mut later, "app", &[("prompt", "login")]);
    let answer = later.post(ACCOUNT_SESSIONS, &[("csrf", &csrf), ("end", "others")]);
    assert_refused(&answer, 403, "This was not sent from our own page");
    let mut nobody = server.browser();
    let answer = nobody.get(ACCOUNT_SESSIONS);
    assert!(is_login(&nobody.follow(answer)));
    let answer = nobody.post(ACCOUNT_SESSIONS, &[("csrf", "x"), ("end", "others")]);
    assert_eq!((answer.status, answer.location()), (303, ACCOUNT_SESSIONS));
    assert_eq!(server.client().send("PUT", ACCOUNT_SESSIONS, &[], "").status, 405);
}
