//! The pages of the applications that have access.

use super::samples::{self, FRIENDLY, LONG, Words};
use crate::http::pages::Language;

#[test]
fn the_question_is_posted_with_its_csrf_token() {
    let at = Words { sealed: "SEALED", base: "/auth", ..FRIENDLY };
    let html = samples::withdraw(Language::English, at, true);
    assert!(html.contains("<form method=\"post\" action=\"/auth/account/applications/withdraw\">"), "{html}");
    for name in ["csrf", "client_id"] {
        assert!(html.contains(&format!("type=\"hidden\" name=\"{name}\" value=\"SEALED\"")), "{html}");
    }
}

#[test]
fn the_question_says_whether_the_application_asks_again() {
    let says = |asks| samples::withdraw(Language::English, FRIENDLY, asks);
    assert!(says(true).contains("it has to ask you") && !says(false).contains("it has to ask you"));
    assert!(says(false).contains("when you use it again, it has access again"), "{}", says(false));
}

#[test]
fn each_application_says_how_far_its_access_reaches() {
    let html = samples::applications(Language::English, FRIENDLY);
    for text in ["also while you are away", "only while you are signed in", "not at the moment"] {
        assert_eq!(html.matches(text).count(), 1, "{text}: {html}");
    }
    let html = samples::applications(Language::German, FRIENDLY);
    assert!(html.contains("auch in Ihrer Abwesenheit"), "{html}");
}

/// Several buttons that say the same are told apart by a screen reader.
#[test]
fn every_button_names_its_application() {
    let html = samples::applications(Language::English, FRIENDLY);
    assert_eq!(html.matches("aria-label=\"Withdraw the access of Acme Photos\"").count(), 3, "{html}");
}

#[test]
fn an_application_shows_its_links_and_that_nobody_checked_it_but_no_logo() {
    let html = samples::applications(Language::English, LONG);
    assert_eq!(html.matches(">Privacy policy</a>").count(), 3, "{html}");
    assert_eq!(html.matches("This application registered itself").count(), 3, "{html}");
    assert!(!html.contains("<img"), "{html}");
}
