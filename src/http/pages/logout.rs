//! The two pages of signing out: the question, and the word that it is done.

use askama::Template;

use super::texts::Language;

/// Asks whether to sign out. Posts `request`, `csrf` and `decision` (`logout`, `all` or `stay`) to `{base}/logout`.
#[derive(Template)]
#[template(path = "logout.html")]
pub struct LogoutPage<'a> {
    /// The language to show it in.
    pub lang: Language,
    /// The path of the issuer: `""`, or `"/auth"`.
    pub base: &'a str,
    /// The name of the service, as people know it.
    pub service: &'a str,
    /// Who would be signed out.
    pub username: &'a str,
    /// Who else is signed in at this browser.
    pub others: &'a [String],
    /// The name of the application that asks for it, where one does.
    pub client_name: Option<&'a str>,
    /// The sealed logout request.
    pub request: &'a str,
    /// The form's CSRF token.
    pub csrf: &'a str,
}

/// Says that the session has ended.
#[derive(Template)]
#[template(path = "logged_out.html")]
pub struct LoggedOutPage<'a> {
    /// The language to show it in.
    pub lang: Language,
    /// The path of the issuer: `""`, or `"/auth"`.
    pub base: &'a str,
    /// The name of the service, as people know it.
    pub service: &'a str,
    /// The name of the application that asked for it, where one did.
    pub client_name: Option<&'a str>,
    /// The accounts that were signed out.
    pub accounts: &'a [String],
    /// The accounts that are still signed in at this browser.
    pub remaining: &'a [String],
    /// The applications that are told of it.
    pub told: &'a [String],
    /// The other applications that were used.
    pub not_told: &'a [String],
}

impl LogoutPage<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        super::html(self)
    }
}

impl LoggedOutPage<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        super::html(self)
    }
}
