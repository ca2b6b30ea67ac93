//! The login page.

use std::borrow::Cow;

use askama::Template;

use super::client::ClientCard;
use super::texts::Language;

/// From this wait on, minutes say it better than seconds.
const MINUTES_FROM_S: u64 = 100;

/// Asks for user name and password. Posts `request`, `csrf`, `username`, `password` and perhaps `remember` to `{base}/login`.
#[derive(Template)]
#[template(path = "login.html")]
pub struct LoginPage<'a> {
    /// The language to show it in.
    pub lang: Language,
    /// The path of the issuer: `""`, or `"/auth"`.
    pub base: &'a str,
    /// The name of the service, as people know it.
    pub service: &'a str,
    /// The name of the application that the person comes from, where there is one.
    pub client_name: Option<&'a str>,
    /// What it says of itself.
    pub card: ClientCard<'a>,
    /// The sealed authorization request.
    pub request: &'a str,
    /// The form's CSRF token.
    pub csrf: &'a str,
    /// What to put into the user name's field: the `login_hint`, or what was typed before.
    pub username: &'a str,
    /// What to tell above the form.
    pub notice: Option<LoginNotice>,
    /// Whether "stay signed in" is ticked.
    pub remember: bool,
    /// Whether there are accounts to choose from.
    pub choose: bool,
    /// Whether an account may be made.
    pub sign_up: bool,
}

/// What the login page has to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginNotice {
    /// User name or password is wrong. The same for a user who does not exist.
    Refused,
    /// Too many attempts.
    Throttled {
        /// For how long further attempts are refused, in seconds.
        wait_s: u64,
    },
    /// The server cannot check a password now.
    Unavailable,
    /// The application wants the person to sign in again (`prompt=login`, `max_age`).
    Reauthenticate,
    /// What the person is about to do here wants a recent sign-in.
    Confirm,
    /// The page that was sent was too old; this is a fresh one.
    Expired,
}

impl LoginPage<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        super::html(self)
    }

    fn refused(&self) -> bool {
        self.notice == Some(LoginNotice::Refused)
    }
}

impl LoginNotice {
    fn text(self, lang: Language) -> Cow<'static, str> {
        match self {
            Self::Refused => lang.text("login-refused"),
            Self::Throttled { wait_s } => wait(lang, wait_s),
            Self::Unavailable => lang.text("login-unavailable"),
            Self::Reauthenticate => lang.text("login-reauthenticate"),
            Self::Confirm => lang.text("login-confirm"),
            Self::Expired => lang.text("login-expired"),
        }
    }

    /// Whether something failed, or the person is only told something.
    fn is_trouble(self) -> bool {
        match self {
            Self::Refused | Self::Throttled { .. } | Self::Unavailable => true,
            Self::Reauthenticate | Self::Confirm | Self::Expired => false,
        }
    }
}

/// That there were too many attempts, and for how long there can be no more.
pub(super) fn wait(lang: Language, wait_s: u64) -> Cow<'static, str> {
    if wait_s < MINUTES_FROM_S {
        return lang.text_count("login-wait-seconds", wait_s.max(1));
    }
    lang.text_count("login-wait-minutes", wait_s.div_ceil(60))
}
