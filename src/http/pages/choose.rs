//! The account chooser.

use askama::Template;

use super::texts::Language;

/// Asks which of the accounts that are signed in is meant. Posts `request`, `csrf` and `account` (what names one, or
/// `other`) to `{base}/choose-account`.
#[derive(Template)]
#[template(path = "choose.html")]
pub struct ChoosePage<'a> {
    /// The language to show it in.
    pub lang: Language,
    /// The path of the issuer: `""`, or `"/auth"`.
    pub base: &'a str,
    /// The name of the service, as people know it.
    pub service: &'a str,
    /// The name of the application that the person comes from, where there is one.
    pub client_name: Option<&'a str>,
    /// The sealed authorization request.
    pub request: &'a str,
    /// The form's CSRF token.
    pub csrf: &'a str,
    /// Who is signed in, the active account first.
    pub accounts: Vec<ShownAccount>,
}

/// An account that is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownAccount {
    /// What names it in the form.
    pub id: String,
    /// The name that it signs in with.
    pub username: String,
    /// The name that people read.
    pub display_name: Option<String>,
}

impl ChoosePage<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        super::html(self)
    }
}
