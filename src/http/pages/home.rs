//! The page at the server's root, for people who come here by the address alone.

use askama::Template;

use super::texts::Language;

/// Says whose sign-in server this is.
#[derive(Template)]
#[template(path = "home.html")]
pub struct HomePage<'a> {
    /// The language to show it in.
    pub lang: Language,
    /// The path of the issuer: `""`, or `"/auth"`.
    pub base: &'a str,
    /// The name of the service, as people know it.
    pub service: &'a str,
    /// The issuer, as discovery names it.
    pub issuer: &'a str,
    /// Who is signed in, if anybody.
    pub username: Option<&'a str>,
}

impl HomePage<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        super::html(self)
    }
}
