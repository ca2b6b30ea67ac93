//! The two pages that carry an answer back to the application by themselves: a form that posts itself, and a message to
//! the window around. The only pages with a script; each is named by its hash in the page's policy.

use std::sync::LazyLock;

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::texts::Language;
use crate::base::encoding::sha256;

/// OAuth 2.0 Form Post Response Mode §2: "the Authorization Response parameters are encoded as HTML form values that are
/// auto-submitted in the User Agent". Without JavaScript there is a button.
#[derive(Template)]
#[template(path = "form_post.html")]
pub struct FormPostPage<'a> {
    /// The language to show it in.
    pub lang: Language,
    /// The path of the issuer: `""`, or `"/auth"`.
    pub base: &'a str,
    /// The name of the service, as people know it.
    pub service: &'a str,
    /// The host that the form goes to.
    pub client_host: &'a str,
    /// The redirect URI.
    pub to: &'a str,
    /// Names and values of the fields.
    pub parameters: &'a [(&'static str, String)],
}

/// Tells the page around it, or the one that opened it, what came of a request (draft-sakimura-oauth-wmrm-01). Nothing on
/// it can be clicked.
#[derive(Template)]
#[template(path = "web_message.html")]
pub struct WebMessagePage<'a> {
    /// The language to show it in.
    pub lang: Language,
    /// The path of the issuer: `""`, or `"/auth"`.
    pub base: &'a str,
    /// The name of the service, as people know it.
    pub service: &'a str,
    /// The only origin that may read the message.
    pub origin: &'a str,
    /// The message, in JSON. It stands in an attribute, escaped as all text is: no value can become a part of the script.
    pub message: &'a str,
}

impl FormPostPage<'_> {
    /// The script, word by word as it stands on the page.
    pub const SCRIPT: &'static str = include_str!("../../../templates/assets/form_post.js");

    /// The page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        super::html(self)
    }

    /// The script as a content security policy names it.
    #[must_use]
    pub fn script_source() -> &'static str {
        static SOURCE: LazyLock<String> = LazyLock::new(|| source(FormPostPage::SCRIPT));
        &SOURCE
    }
}

impl WebMessagePage<'_> {
    /// The script, word by word as it stands on the page.
    pub const SCRIPT: &'static str = include_str!("../../../templates/assets/web_message.js");

    /// The page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        super::html(self)
    }

    /// The script as a content security policy names it.
    #[must_use]
    pub fn script_source() -> &'static str {
        static SOURCE: LazyLock<String> = LazyLock::new(|| source(WebMessagePage::SCRIPT));
        &SOURCE
    }
}

fn source(script: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(sha256(script.as_bytes())))
}
