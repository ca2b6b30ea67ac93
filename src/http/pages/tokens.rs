//! The pages of a person's API tokens: the list, the form that makes one, the question before one is revoked.

use std::borrow::Cow;

use askama::Template;

use super::account::Done;
use super::texts::Language;

/// Lists a person's tokens, and shows the one that was just made, this once.
#[derive(Template)]
#[template(path = "tokens.html")]
pub struct TokensPage<'a> {
    /// The language to show it in.
    pub lang: Language,
    /// The path of the issuer: `""`, or `"/auth"`.
    pub base: &'a str,
    /// The name of the service, as people know it.
    pub service: &'a str,
    /// Who is signed in.
    pub username: &'a str,
    /// The token that was just made.
    pub made: Option<MadeToken<'a>>,
    /// What was done just now.
    pub done: Option<Done>,
    /// Those that count, the newest first.
    pub tokens: Vec<ShownToken>,
}

/// A token that was just made.
pub struct MadeToken<'a> {
    /// What the person calls it.
    pub name: &'a str,
    /// The token itself.
    pub secret: &'a str,
}

/// A token in the list. Dates are those of the calendar, in UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownToken {
    /// What names it.
    pub id: String,
    /// What the person calls it.
    pub name: String,
    /// The resource server's name for people.
    pub server: String,
    /// What it allows, each in words.
    pub permissions: Vec<String>,
    /// When it was made.
    pub made: String,
    /// When its time is over.
    pub expires: String,
    /// When it was last used.
    pub last_used: Option<String>,
}

/// Asks what a new token is to be. Posts `csrf`, `resource`, `name`, `scope` (several) and `days` to
/// `{base}/account/tokens/new`; while no resource server is chosen, it asks for `resource` by GET.
#[derive(Template)]
#[template(path = "new_token.html")]
pub struct NewTokenPage<'a> {
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
    /// The resource servers to choose from, where none is chosen.
    pub servers: Vec<ServerChoice>,
    /// The form for the chosen one.
    pub form: Option<TokenForm>,
    /// What was wrong with the form that was sent.
    pub notice: Option<TokenNotice>,
}

/// A resource server to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerChoice {
    /// Its identifier.
    pub id: String,
    /// Its name for people.
    pub name: String,
}

/// What can be said of a new token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenForm {
    /// The identifier of the resource server.
    pub resource: String,
    /// Its name for people.
    pub server: String,
    /// The name that was typed before.
    pub name: String,
    /// What a token for it may allow.
    pub scopes: Vec<ScopeChoice>,
    /// How long it may live.
    pub lives: Vec<LifeChoice>,
}

/// A permission to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeChoice {
    /// The value on the wire.
    pub value: String,
    /// What it allows, in words.
    pub words: String,
    /// Whether it is chosen.
    pub checked: bool,
}

/// A life to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LifeChoice {
    /// In days.
    pub days: u32,
    /// Whether it is chosen.
    pub checked: bool,
}

/// What was wrong with the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenNotice {
    /// No name, or too long a one.
    Name,
    /// Nothing chosen, or what is not there any more.
    Scope,
    /// No life that is allowed.
    Life,
    /// The person has as many tokens as there may be.
    Full,
}

/// Asks whether to revoke a token. Posts `csrf`, `id` and `decision` (`revoke` or `keep`) to
/// `{base}/account/tokens/revoke`.
#[derive(Template)]
#[template(path = "revoke_token.html")]
pub struct RevokeTokenPage<'a> {
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
    /// What names the token.
    pub id: &'a str,
    /// What the person calls it.
    pub name: &'a str,
}

impl TokenNotice {
    fn text(self, lang: Language) -> Cow<'static, str> {
        match self {
            Self::Name => lang.text("tokens-problem-name"),
            Self::Scope => lang.text("tokens-problem-scope"),
            Self::Life => lang.text("tokens-problem-life"),
            Self::Full => lang.text("tokens-problem-full"),
        }
    }
}

impl TokensPage<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        super::html(self)
    }
}

impl NewTokenPage<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        super::html(self)
    }
}

impl RevokeTokenPage<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        super::html(self)
    }
}
