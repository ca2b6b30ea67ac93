//! The pages of a person's API tokens.

use super::samples::{self, FRIENDLY, Words};
use crate::http::pages::{Language, TokenNotice};

const AT: Words = Words { sealed: "SEALED", base: "/auth", ..FRIENDLY };

#[test]
fn the_forms_that_change_something_are_posted_with_their_csrf_token() {
    let made = samples::new_token(Language::English, AT, None);
    let revoked = samples::revoke_token(Language::English, AT);
    for (action, html) in [("/auth/account/tokens/new", made), ("/auth/account/tokens/revoke", revoked)] {
        assert!(html.contains(&format!("<form method=\"post\" action=\"{action}\">")), "{html}");
        assert!(html.contains("type=\"hidden\" name=\"csrf\" value=\"SEALED\""), "{html}");
    }
}

#[test]
fn a_permission_and_a_life_are_chosen_as_they_were_before() {
    let html = samples::new_token(Language::English, FRIENDLY, None);
    assert_eq!(html.matches("type=\"checkbox\"").count(), 2);
    assert_eq!(html.matches(" checked>").count(), 1);
    assert!(html.contains("<option value=\"90\" selected>90 days</option>"), "{html}");
    assert!(html.contains("<option value=\"1\">one day</option>"), "{html}");
}

#[test]
fn what_is_wrong_with_the_form_is_announced_and_what_was_typed_is_kept() {
    let html = samples::new_token(Language::English, FRIENDLY, Some(TokenNotice::Scope));
    assert!(html.contains("role=\"alert\">Please choose at least one thing"), "{html}");
    assert!(html.contains("name=\"name\" type=\"text\" value=\"Acme Photos\""), "{html}");
}

/// Several buttons that all say "Revoke" are told apart by a screen reader.
#[test]
fn every_revoke_button_names_its_token() {
    let html = samples::tokens(Language::English, FRIENDLY);
    assert_eq!(html.matches("aria-label=\"Revoke Acme Photos\"").count(), 2, "{html}");
}

#[test]
fn the_list_says_when_a_token_was_used_and_that_another_was_not() {
    let html = samples::tokens(Language::German, FRIENDLY);
    assert!(html.contains("<dd>2026-11-24</dd>") && html.contains("<dd>noch nicht benutzt</dd>"), "{html}");
}
