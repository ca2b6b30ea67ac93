//! The page on which a person makes an account.

use std::borrow::Cow;

use askama::Template;

use super::client::ClientCard;
use super::texts::Language;

/// Asks for what a new account is made of. Posts `request`, `csrf`, `new_username`, `new_password`, `new_password_again`, and
/// perhaps `display_name`, `email` and `remember`, to `{base}/sign-up`.
#[derive(Template)]
#[template(path = "sign_up.html")]
pub struct SignUpPage<'a> {
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
    /// The user name: the `login_hint`, or what was typed before.
    pub username: &'a str,
    /// The name that people read, as typed before.
    pub display_name: &'a str,
    /// The e-mail address, as typed before.
    pub email: &'a str,
    /// Whether "stay signed in" is ticked.
    pub remember: bool,
    /// What to tell above the form.
    pub notice: Option<SignUpNotice>,
    /// What to tell beside the fields.
    pub marks: SignUpMarks,
}

/// Why there is no account yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignUpNotice {
    /// Something is wrong with the fields that are marked.
    Fields,
    /// Too many attempts.
    Throttled {
        /// For how long further attempts are refused, in seconds.
        wait_s: u64,
    },
    /// The server cannot make an account now.
    Unavailable,
}

/// What is wrong with each field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignUpMarks {
    /// With the user name.
    pub username: Option<UserNameMark>,
    /// With the password.
    pub password: Option<PasswordMark>,
    /// Whether the name that people read is too long.
    pub display_name: bool,
    /// Whether the e-mail address is none.
    pub email: bool,
}

/// What is wrong with a user name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserNameMark {
    /// Empty, too long, or with characters that cannot be seen.
    Rules,
    /// Somebody has it.
    Taken,
}

/// What is wrong with a new password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordMark {
    /// Too short or too long.
    Rules,
    /// Typed in two ways.
    Differ,
}

impl SignUpPage<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        super::html(self)
    }

    /// The first field that wants to be typed in.
    fn focus(&self) -> &'static str {
        match self.marks {
            SignUpMarks { username: Some(_), .. } => "username",
            _ if self.username.is_empty() => "username",
            SignUpMarks { password: None, display_name: true, .. } => "display-name",
            SignUpMarks { password: None, email: true, .. } => "email",
            _ => "password",
        }
    }
}

impl SignUpNotice {
    fn text(self, lang: Language) -> Cow<'static, str> {
        match self {
            Self::Fields => lang.text("signup-fields"),
            Self::Throttled { wait_s } => super::login::wait(lang, wait_s),
            Self::Unavailable => lang.text("signup-unavailable"),
        }
    }
}

impl UserNameMark {
    fn text(self, lang: Language) -> Cow<'static, str> {
        match self {
            Self::Rules => lang.text("signup-username-rules"),
            Self::Taken => lang.text("signup-username-taken"),
        }
    }
}

impl PasswordMark {
    fn text(self, lang: Language) -> Cow<'static, str> {
        match self {
            Self::Rules => lang.text("password-rules"),
            Self::Differ => lang.text("password-differ"),
        }
    }
}
