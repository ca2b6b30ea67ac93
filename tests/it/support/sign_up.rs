//! Users who make accounts for themselves: the server that lets them, and its form.

use countersign::http::paths::SIGN_UP;

use super::http::{Answer, Browser};
use super::pages::{ask, assert_safe};
use super::server::Setup;
use super::{Database, TestServer};

pub const CREATE: (&str, &str) = ("prompt", "create");
pub const NEW: &str = "quiet river seven lamps";

pub fn with(login: &str) -> TestServer {
    let extra = format!("[login]\nself_registration = true\n{login}");
    TestServer::with(Setup { extra, ..Setup::default() })
}

pub fn on(database: &Database) -> TestServer {
    let extra = "[login]\nself_registration = true".to_owned();
    TestServer::with(Setup { extra, database: Some(database.url.clone()), ..Setup::default() })
}

pub fn is_sign_up(answer: &Answer) -> bool {
    answer.body.contains("name=\"new_username\"")
}

/// A browser on the sign-up page of a request.
pub fn at_sign_up(server: &TestServer, client: &str) -> (Browser, Answer) {
    let mut browser = server.browser();
    let page = ask(&mut browser, client, &[CREATE]);
    assert!(page.status == 200 && is_sign_up(&page), "{} {}", page.status, page.body);
    (browser, page)
}

/// Sends the form for `name`; `with` replaces, and an empty value leaves out.
pub fn send(browser: &mut Browser, page: &Answer, name: &str, with: &[(&str, &str)]) -> Answer {
    let (request, csrf) = (page.field("request"), page.field("csrf"));
    let mut form = vec![
        ("request", request.as_str()),
        ("csrf", &csrf),
        ("new_username", name),
        ("new_password", NEW),
        ("new_password_again", NEW),
    ];
    form.retain(|(known, _)| !with.iter().any(|(name, _)| name == known));
    form.extend(with);
    browser.post(SIGN_UP, &form)
}

pub fn sign_up(browser: &mut Browser, page: &Answer, name: &str) -> Answer {
    let answer = send(browser, page, name, &[]);
    assert_eq!(answer.status, 303, "{}", answer.body);
    browser.follow(answer)
}

pub fn users(server: &TestServer) -> usize {
    server.store().read("test", |conn| countersign::store::users::page(conn, "", 500)).unwrap().len()
}

/// The form again, with this text in it, and nobody signed in.
#[track_caller]
pub fn assert_again(browser: &Browser, answer: &Answer, text: &str) {
    assert!(answer.status == 400 && is_sign_up(answer), "{} {}", answer.status, answer.body);
    assert!(answer.body.contains(text), "not {text:?}: {}", answer.body);
    assert!(!answer.body.contains(NEW), "the password is shown");
    assert!(!browser.cookies.contains_key("csgn_session"));
    assert_safe(answer);
}
