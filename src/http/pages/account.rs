//! The pages of a person's sessions and password.

use std::borrow::Cow;

use askama::Template;

use super::texts::Language;

/// Lists a person's sessions. Posts `csrf` and `end` (what names a session, or `others`) to `{base}/account/sessions`.
#[derive(Template)]
#[template(path = "sessions.html")]
pub struct SessionsPage<'a> {
    /// The language to show it in.
    pub lang: Language,
    /// The path of the issuer: `""`, or `"/auth"`.
    pub base: &'a str,
    /// The name of the service, as people know it.
    pub service: &'a str,
    /// Who is signed in.
    pub username: &'a str,
    /// The form's CSRF token.
    pub csrf: &'a str,
    /// Whether the password was changed just now.
    pub password_changed: bool,
    /// The sessions that count, this one first.
    pub sessions: Vec<ShownSession>,
}

/// A session in the list. Times are in UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownSession {
    /// What names it in the form.
    pub id: String,
    /// Whether the page is looked at in it.
    pub is_this: bool,
    /// In which browser it began, if that is known.
    pub browser: Option<String>,
    /// When it began.
    pub started: String,
    /// When it was last used.
    pub last_used: String,
    /// Whether it outlives the browser.
    pub remembered: bool,
    /// The names of the applications that were used in it.
    pub clients: Vec<String>,
}

/// Asks for the old password and a new one. Posts `csrf`, `password`, `new_password` and `new_password_again` to
/// `{base}/account/password`.
#[derive(Template)]
#[template(path = "password.html")]
pub struct PasswordPage<'a> {
    /// The language to show it in.
    pub lang: Language,
    /// The path of the issuer: `""`, or `"/auth"`.
    pub base: &'a str,
    /// The name of the service, as people know it.
    pub service: &'a str,
    /// Who is signed in.
    pub username: &'a str,
    /// The form's CSRF token.
    pub csrf: &'a str,
    /// What to tell above the form.
    pub notice: Option<PasswordNotice>,
}

/// Why a password was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordNotice {
    /// The old one is wrong.
    Wrong,
    /// Too many attempts.
    Throttled {
        /// For how long further attempts are refused, in seconds.
        wait_s: u64,
    },
    /// The server cannot check a password now.
    Unavailable,
    /// The new one is too short or too long.
    Rules,
    /// The new one was typed in two ways.
    Differ,
}

impl SessionsPage<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        super::html(self)
    }

    fn has_others(&self) -> bool {
        self.sessions.iter().any(|session| !session.is_this)
    }
}

impl PasswordPage<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        super::html(self)
    }

    fn is_old_wrong(&self) -> bool {
        self.notice == Some(PasswordNotice::Wrong)
    }

    fn is_new_wrong(&self) -> bool {
        matches!(self.notice, Some(PasswordNotice::Rules | PasswordNotice::Differ))
    }
}

impl PasswordNotice {
    fn text(self, lang: Language) -> Cow<'static, str> {
        match self {
            Self::Wrong => lang.text("password-wrong"),
            Self::Throttled { wait_s } => super::login::wait(lang, wait_s),
            Self::Unavailable => lang.text("password-unavailable"),
            Self::Rules => lang.text("password-rules"),
            Self::Differ => lang.text("password-differ"),
        }
    }
}
