//! OpenID Connect Core 1.0 §3.1.2.1, prompt=select_account: several accounts at one browser, and which of them a request
//! is for.

use countersign::base::{HashedToken, Id};
use countersign::store::sessions;

use super::support::flow::{authorize_path, claims, redemption};
use super::support::http::{Answer, Browser};
use super::support::pages::{
    accounts_on, ask, assert_refused, assert_safe, choose, error_of, is_chooser, is_consent, is_login,
    signed_in,
};
use super::support::server::{PASSWORD, Setup};
use super::support::{TestServer, change, on_each_database};

const COOKIE: &str = "csgn_session";
const SELECT: (&str, &str) = ("prompt", "select_account");

/// Signs one more account in, at the house's own client, which asks for no consent.
fn add(browser: &mut Browser, name: &str) -> Answer {
    let mut page = ask(browser, "house", &[("prompt", "login")]);
    if is_chooser(&page) {
        page = choose(browser, &page, "other");
    }
    let answer = browser.log_in(&page, name, PASSWORD);
    assert!(answer.sent("code").is_some(), "{name}: {}", answer.location());
    answer
}

/// A browser with these accounts, the last one active.
fn browser_of(server: &TestServer, names: &[&str]) -> Browser {
    let mut browser = server.browser();
    for name in names {
        if *name != "alice" {
            server.add_user(name);
        }
        add(&mut browser, name);
    }
    browser
}

/// Whose code it is.
fn subject(server: &TestServer, answer: &Answer) -> String {
    let code = answer.sent("code").unwrap_or_else(|| panic!("no code: {}", answer.location()));
    claims(&server.token("house", &redemption(&code)).text("id_token"))["sub"].as_str().unwrap().to_owned()
}

fn id_of(server: &TestServer, name: &str) -> String {
    server.user(name).id.to_string()
}

fn names_on(page: &Answer) -> Vec<String> {
    accounts_on(page).into_iter().map(|(_, name)| name).collect()
}

/// The session of each secret in the cookie, with whether it has ended.
fn sessions_of(server: &TestServer, cookie: &str) -> Vec<(Id, bool)> {
    let hashes: Vec<_> = cookie.split('.').map(HashedToken::of).collect();
    let found = server.store().read("test", |conn| {
        hashes.iter().map(|hash| sessions::by_token(conn, hash)).collect::<Result<Vec<_>, _>>()
    });
    found.unwrap().into_iter().flatten().map(|session| (session.id, session.ended_at.is_some())).collect()
}

#[test]
fn a_second_account_is_added_and_is_the_active_one() {
    let server = TestServer::start();
    let mut browser = browser_of(&server, &["alice", "bob"]);
    assert_eq!(browser.cookies[COOKIE].split('.').count(), 2);
    let answer = ask(&mut browser, "house", &[("prompt", "none")]);
    assert_eq!(subject(&server, &answer), id_of(&server, "bob"));
    let page = ask(&mut browser, "house", &[SELECT]);
    assert_eq!(names_on(&page), ["bob", "alice"]);
}

#[test]
fn the_chosen_account_goes_on_without_a_password_and_is_active_from_then_on() {
    let server = TestServer::start();
    let mut browser = browser_of(&server, &["alice", "bob"]);
    let page = ask(&mut browser, "house", &[SELECT]);
    assert_safe(&page);
    assert!(page.body.contains("House App") && page.body.contains("alice Example"), "{}", page.body);
    let answer = choose(&mut browser, &page, "alice");
    assert_eq!(subject(&server, &answer), id_of(&server, "alice"));
    let answer = ask(&mut browser, "house", &[("prompt", "none")]);
    assert_eq!(subject(&server, &answer), id_of(&server, "alice"));
    assert_eq!(names_on(&ask(&mut browser, "house", &[SELECT])), ["alice", "bob"]);
}

/// §3.1.2.1: the user is asked to choose "even" where one account is all there is: another may be meant.
#[test]
fn with_one_account_the_user_is_asked_too() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let page = ask(&mut browser, "app", &[SELECT]);
    assert_eq!(names_on(&page), ["alice"]);
    assert!(choose(&mut browser, &page, "alice").sent("code").is_some());
    let login = choose(&mut browser, &page, "other");
    assert!(is_login(&login) && login.body.contains("value=\"\" required"), "{}", login.body);
    assert!(login.body.contains("/choose-account?request="), "there is a way back: {}", login.body);
}

/// §3.1.2.1: prompt is a list; what a login page would ask is asked after the choice.
#[test]
fn the_choice_spares_no_password_where_one_is_asked_for() {
    let server = TestServer::start();
    let mut browser = browser_of(&server, &["alice", "bob"]);
    server.advance(100);
    for with in [[("prompt", "select_account login"), ("max_age", "")], [SELECT, ("max_age", "60")]] {
        let page = ask(&mut browser, "house", &with);
        let page = choose(&mut browser, &page, "alice");
        assert!(is_login(&page), "{with:?}");
        let answer = browser.log_in(&page, "alice", PASSWORD);
        assert_eq!(subject(&server, &answer), id_of(&server, "alice"));
        server.advance(100);
    }
}

#[test]
fn that_is_not_me_on_the_consent_page_leads_to_the_chooser() {
    let server = TestServer::start();
    let mut browser = browser_of(&server, &["alice", "bob"]);
    let page = ask(&mut browser, "web", &[]);
    assert!(is_consent(&page) && page.body.contains("<bdi>bob</bdi>"));
    let page = browser.decide(&page, "switch");
    let page = choose(&mut browser, &page, "alice");
    assert!(is_consent(&page) && page.body.contains("<bdi>alice</bdi>"), "{}", page.body);
    assert!(browser.decide(&page, "allow").sent("code").is_some());
}

/// §3.1.2.1: with `id_token_hint`, "if the End-User identified by the ID Token is already logged in […], then the
/// Authorization Server returns a positive response", without a question, and nobody else is.
#[test]
fn a_hint_finds_its_user_among_the_accounts_and_leaves_the_active_one() {
    let server = TestServer::start();
    let mut browser = server.browser();
    let code = add(&mut browser, "alice").sent("code").unwrap();
    let hint = server.token("house", &redemption(&code)).text("id_token");
    server.add_user("bob");
    add(&mut browser, "bob");
    for prompt in ["none", ""] {
        let answer = ask(&mut browser, "house", &[("prompt", prompt), ("id_token_hint", &hint)]);
        assert_eq!(subject(&server, &answer), id_of(&server, "alice"), "{prompt:?}");
    }
    let answer = ask(&mut browser, "house", &[("prompt", "none")]);
    assert_eq!(subject(&server, &answer), id_of(&server, "bob"));
    // Signed out, and expected all the same: that one must sign in, whoever else is there.
    change::end_sessions(&server, "alice");
    let with = [("prompt", "none"), ("id_token_hint", hint.as_str())];
    assert_eq!(error_of(&ask(&mut browser, "house", &with)), "login_required");
    assert!(is_login(&ask(&mut browser, "house", &[("id_token_hint", &hint)])));
}

/// §3.1.2.6: "the End-User is REQUIRED to select a session at the Authorization Server […] but the End-User did not select a
/// session".
#[test]
fn nobody_moves_up_when_the_active_account_is_gone() {
    let server = TestServer::start();
    let mut browser = browser_of(&server, &["alice", "bob"]);
    let page = browser.get("/logout");
    let page = browser.decide(&page, "logout");
    assert!(page.body.contains("<bdi>bob</bdi>"), "{}", page.body);
    let answer = ask(&mut browser, "house", &[("prompt", "none")]);
    assert_eq!(error_of(&answer), "account_selection_required");
    let page = ask(&mut browser, "house", &[]);
    assert_eq!(names_on(&page), ["alice"]);
    assert_eq!(subject(&server, &choose(&mut browser, &page, "alice")), id_of(&server, "alice"));
    // The same where it was locked, and where a page of this server is asked for.
    let mut browser = browser_of(&server, &["alice", "carol"]);
    change::lock(&server, "carol");
    let page = browser.get("/account/tokens");
    let page = browser.follow(page);
    assert_eq!(names_on(&page), ["alice"]);
    let page = choose(&mut browser, &page, "alice");
    assert!(page.body.contains("<bdi>alice</bdi>") && page.body.contains("API token"), "{}", page.body);
}

#[test]
fn the_sixth_account_ends_the_session_that_was_not_used_for_the_longest_time() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let names = ["alice", "bob", "carol", "dave", "erin"];
        let mut browser = browser_of(&server, &names);
        let page = ask(&mut browser, "house", &[SELECT]);
        choose(&mut browser, &page, "alice");
        let before = browser.cookies[COOKIE].clone();
        assert_eq!(sessions_of(&server, &before).len(), 5);
        server.add_user("frank");
        add(&mut browser, "frank");
        let ended: Vec<bool> = sessions_of(&server, &before).into_iter().map(|(_, ended)| ended).collect();
        assert_eq!(ended, [false, false, false, false, true], "{}", database.kind);
        let page = ask(&mut browser, "house", &[SELECT]);
        assert_eq!(names_on(&page), ["frank", "alice", "erin", "dave", "carol"]);
    });
}

#[test]
fn a_login_drops_what_has_ended_from_the_cookie_and_names_nobody_twice() {
    let server = TestServer::start();
    let mut browser = browser_of(&server, &["alice", "bob", "carol"]);
    change::end_sessions(&server, "bob");
    let former = browser.cookies[COOKIE].clone();
    add(&mut browser, "alice");
    let cookie = &browser.cookies[COOKIE];
    assert_eq!(sessions_of(&server, cookie).len(), 2, "{cookie}");
    // The same session as before, under a new secret.
    let (now, before) = (sessions_of(&server, cookie)[0].0, sessions_of(&server, &former));
    assert_eq!(cookie.split('.').count(), 2);
    assert!(!before.iter().any(|(id, _)| *id == now), "the old secret is dead: {before:?}");
    let page = ask(&mut browser, "house", &[SELECT]);
    assert_eq!(names_on(&page), ["alice", "carol"]);
}

/// What is no secret of ours in the cookie, or one too many, is passed over.
#[test]
fn a_cookie_that_somebody_wrote_signs_nobody_in() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let good = browser.cookies[COOKIE].clone();
    for (value, comes_in) in [
        ("x".to_owned(), false),
        (format!("x.{good}"), false),
        (format!("..{good}"), false),
        (format!("{good}."), true),
        (format!("{good}.{good}.x...."), true),
        (format!("{}.{good}", ["x"; 40].join(".")), false),
    ] {
        browser.cookies.insert(COOKIE.to_owned(), value.clone());
        let answer = ask(&mut browser, "app", &[]);
        assert_eq!(answer.header("location").is_some(), comes_in, "{value}");
    }
}

#[test]
fn a_session_of_another_browser_cannot_be_chosen() {
    let server = TestServer::start();
    server.add_user("bob");
    let mut bobs = server.browser();
    add(&mut bobs, "bob");
    let stolen = accounts_on(&ask(&mut bobs, "house", &[SELECT])).remove(0).0;
    let mut browser = signed_in(&server);
    let page = ask(&mut browser, "app", &[SELECT]);
    for account in [stolen.as_str(), "x", "00000000-0000-4000-8000-000000000001"] {
        let again = choose(&mut browser, &page, account);
        assert_eq!(names_on(&again), ["alice"], "{account}");
    }
    let answer = ask(&mut browser, "app", &[("prompt", "none")]);
    assert!(answer.sent("code").is_some());
}

#[test]
fn a_choice_needs_its_token_its_browser_and_a_page_that_is_not_too_old() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    assert_refused(&browser.get("/choose-account?x=1"), 400, "This request cannot be answered");
    assert_refused(&browser.get("/choose-account?request=x"), 400, "This request cannot be answered");
    let page = ask(&mut browser, "app", &[SELECT]);
    let (request, csrf, id) = (page.field("request"), page.field("csrf"), accounts_on(&page).remove(0).0);
    let form = [("request", request.as_str()), ("account", &id), ("csrf", "x")];
    assert_refused(&browser.post("/choose-account", &form), 403, "This was not sent from our own page");
    let mut other = signed_in(&server);
    let theirs = ask(&mut other, "app", &[SELECT]).field("csrf");
    let form = [("request", request.as_str()), ("account", &id), ("csrf", &theirs)];
    assert_refused(&other.post("/choose-account", &form), 400, "This page belongs to another browser");
    let form = [("request", request.as_str()), ("account", &id), ("csrf", &csrf)];
    let mut foreign = browser.clone();
    foreign.headers.push(("sec-fetch-site".to_owned(), "cross-site".to_owned()));
    assert_refused(&foreign.post("/choose-account", &form), 403, "This was not sent from our own page");
    server.advance(1801);
    assert_refused(&browser.post("/choose-account", &form), 400, "This page is too old");
    assert_eq!(server.client().send("PUT", "/choose-account", &[], "").status, 405);
}

#[test]
fn the_chooser_speaks_the_language_of_the_request() {
    let server = TestServer::start();
    let page = ask(&mut signed_in(&server), "app", &[SELECT, ("ui_locales", "de")]);
    assert!(page.body.contains("Welches Konto möchten Sie verwenden?"), "{}", page.body);
}

/// The consent page names a user: that one's yes it is, though another account is active by now; and a session that ended
/// says nothing any more.
#[test]
fn a_consent_page_counts_for_the_account_that_it_names() {
    let server = TestServer::start();
    server.add_user("bob");
    let mut browser = server.browser();
    add(&mut browser, "alice");
    let page = ask(&mut browser, "web", &[]);
    assert!(is_consent(&page));
    add(&mut browser, "bob");
    let code = browser.clone().decide(&page, "allow").sent("code").unwrap();
    let token = server.token("web", &redemption(&code)).text("id_token");
    assert_eq!(claims(&token)["sub"], id_of(&server, "alice"));
    let page = browser.get(&authorize_path("web", &[("prompt", "consent")]));
    let page = browser.follow(page);
    change::end_sessions(&server, "bob");
    assert_refused(&browser.decide(&page, "allow"), 400, "This page is too old");
}

#[test]
fn the_accounts_of_an_https_issuer_are_in_one_strict_cookie() {
    let server = TestServer::with(Setup { https: true, ..Setup::default() });
    let mut browser = browser_of(&server, &["alice", "bob"]);
    let page = ask(&mut browser, "house", &[SELECT]);
    let (request, csrf) = (page.field("request"), page.field("csrf"));
    let id = accounts_on(&page).remove(1).0;
    let form = [("request", request.as_str()), ("csrf", &csrf), ("account", &id)];
    let answer = browser.post("/choose-account", &form);
    let cookie = answer.headers_of("set-cookie").into_iter().find(|c| c.contains("session")).unwrap();
    let (value, rest) = cookie.split_once(';').unwrap();
    assert!(value.starts_with("__Host-csgn_session=csgn_se_") && value.contains(".csgn_se_"), "{cookie}");
    assert_eq!(rest, " HttpOnly; SameSite=Lax; Secure; Path=/");
}
