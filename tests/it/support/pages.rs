//! What every page owes its reader, checked the same way wherever the page comes from.

use super::TestServer;
use super::flow::{authorize, authorize_path};
use super::http::{Answer, Browser};

/// An error page: this status, this title, no redirect, and all that [`assert_safe`] asks for.
#[track_caller]
pub fn assert_refused(answer: &Answer, status: u16, title: &str) {
    let shown = format!("{} {:?}\n{}", answer.status, answer.header("location"), answer.body);
    assert_eq!(answer.status, status, "{shown}");
    assert_eq!(answer.header("location"), None, "{shown}");
    assert!(answer.body.contains(&format!("<h1>{title}</h1>")), "not {title:?}: {shown}");
    assert_safe(answer);
}

/// The headers of every page, and nothing on it that comes from elsewhere or runs.
#[track_caller]
pub fn assert_safe(page: &Answer) {
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"), "{page:?}");
    assert_eq!(page.header("cache-control"), Some("no-store"), "{page:?}");
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"), "{page:?}");
    assert_eq!(page.header("x-frame-options"), Some("DENY"), "{page:?}");
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"), "{page:?}");
    let policy = page.header("content-security-policy").unwrap_or_else(|| panic!("no policy: {page:?}"));
    let rules: Vec<&str> = policy.split("; ").collect();
    assert!(rules.contains(&"default-src 'none'"), "{policy}");
    assert!(rules.contains(&"frame-ancestors 'none'"), "{policy}");
    assert!(rules.contains(&"base-uri 'none'"), "{policy}");
    let form_action = rules.iter().find_map(|rule| rule.strip_prefix("form-action ")).unwrap();
    assert!(form_action.starts_with("'self'") && !form_action.contains('*'), "{policy}");
    for mark in ["<script", " onload", " onerror", "<iframe", "<base", "http-equiv"] {
        assert!(!page.body.contains(mark), "{mark} in {}", page.body);
    }
    for mark in ["src=\"", "href=\"", "action=\""] {
        for rest in page.body.split(mark).skip(1) {
            assert!(
                rest.starts_with('/') && !rest.starts_with("//"),
                "{mark}{}",
                &rest[..40.min(rest.len())]
            );
        }
    }
}

/// A browser in which alice is signed in, and has agreed to what the client `app` asks for.
pub fn signed_in(server: &TestServer) -> Browser {
    let mut browser = server.browser();
    let answer = authorize(&mut browser, "app", &[]);
    assert!(answer.sent("code").is_some(), "{}", answer.location());
    browser
}

/// Asks for authorization and follows within this server: a page, or the redirect to the client.
pub fn ask(browser: &mut Browser, client: &str, with: &[(&str, &str)]) -> Answer {
    let answer = browser.get(&authorize_path(client, with));
    browser.follow(answer)
}

pub fn is_login(answer: &Answer) -> bool {
    answer.status == 200 && answer.body.contains("name=\"password\"")
}

pub fn is_consent(answer: &Answer) -> bool {
    answer.status == 200 && answer.body.contains("value=\"allow\"")
}

/// `error` of a redirect to the client; it never comes with a code.
#[track_caller]
pub fn error_of(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert_eq!(answer.sent("code"), None, "{}", answer.location());
    answer.sent("error").unwrap_or_else(|| panic!("no error: {}", answer.location()))
}

/// A page with what differs from one showing to the next taken out.
pub fn redacted(page: &Answer) -> String {
    let mut text = page.body.clone();
    for name in ["request", "csrf"] {
        text = text.replace(&page.field(name), "[…]");
    }
    text
}

pub fn is_chooser(answer: &Answer) -> bool {
    answer.status == 200 && answer.body.contains("name=\"account\" value=\"other\"")
}

/// The accounts on a chooser: what names each in the form, and the name that it signs in with.
pub fn accounts_on(page: &Answer) -> Vec<(String, String)> {
    let mut accounts = Vec::new();
    for button in page.body.split("name=\"account\" value=\"").skip(1) {
        let (id, rest) = button.split_once('"').unwrap();
        let (shown, _) = rest.split_once("</button>").unwrap();
        if id != "other" {
            let (_, name) = shown.rsplit_once("<bdi>").unwrap();
            accounts.push((id.to_owned(), name.split_once('<').unwrap().0.to_owned()));
        }
    }
    accounts
}

/// Chooses the account of this name, or `other`.
#[track_caller]
pub fn choose(browser: &mut Browser, page: &Answer, name: &str) -> Answer {
    assert!(is_chooser(page), "{} {}", page.status, page.body);
    let accounts = accounts_on(page);
    let account = accounts.iter().find(|(_, known)| known == name).map_or(name, |(id, _)| id);
    let (request, csrf) = (page.field("request"), page.field("csrf"));
    let form = [("request", request.as_str()), ("csrf", &csrf), ("account", account)];
    let answer = browser.post("/choose-account", &form);
    browser.follow(answer)
}
