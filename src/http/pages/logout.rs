//! The two pages of signing out: the question, and the word that it is done.

use askama::Template;

use super::texts::Language;

/// Asks whether to sign out. Posts `request`, `csrf` and `decision` (`logout` or `stay`) to `{base}/logout`.
#[derive(Template)]
#[template(path = "logout.html")]
pub struct LogoutPage<'a> {
    /// The language to show it in.
    pub lang: Language,
    /// The path of the issuer: `""`, or `"/auth"`.
    pub base: &'a str,
    /// The name of the service, as people know it.
    pub service: &'a str,
    /// Who is signed in.
    pub username: &'a str,
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
