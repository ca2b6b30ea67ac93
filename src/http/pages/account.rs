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
    /// What was done just now.
    pub done: Option<Done>,
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

/// What a person did on one of these pages, told on the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// The password is another one.
    PasswordChanged,
    /// One session has ended.
    SessionEnded,
    /// All others have ended.
    OthersEnded,
    /// An API token is revoked.
    TokenRevoked,
    /// An application has no access any more.
    AccessWithdrawn,
}

impl Done {
    const ALL: [Self; 5] = [
        Self::PasswordChanged,
        Self::SessionEnded,
        Self::OthersEnded,
        Self::TokenRevoked,
        Self::AccessWithdrawn,
    ];

    /// What it is called on the way.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PasswordChanged => "password_changed",
            Self::SessionEnded => "session_ended",
            Self::OthersEnded => "others_ended",
            Self::TokenRevoked => "token_revoked",
            Self::AccessWithdrawn => "access_withdrawn",
        }
    }

    /// What is called so.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|done| done.name() == name)
    }

    pub(super) fn text(self, lang: Language) -> Cow<'static, str> {
        lang.text(match self {
            Self::PasswordChanged => "done-password-changed",
            Self::SessionEnded => "done-session-ended",
            Self::OthersEnded => "done-others-ended",
            Self::TokenRevoked => "done-token-revoked",
            Self::AccessWithdrawn => "done-access-withdrawn",
        })
    }
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
    /// The new one is the old one.
    Same,
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
        matches!(self.notice, Some(PasswordNotice::Rules | PasswordNotice::Differ | PasswordNotice::Same))
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
            Self::Same => lang.text("password-same"),
        }
    }
}
