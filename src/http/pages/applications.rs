//! The pages of the applications that have access to a person's account: the list, and the question before the access of
//! one is withdrawn.

use std::borrow::Cow;

use askama::Template;

use super::account::Done;
use super::client::ClientCard;
use super::consent::ConsentGroup;
use super::texts::Language;
use crate::domain::authorization::Access;

/// Lists the applications that have access.
#[derive(Template)]
#[template(path = "applications.html")]
pub struct ApplicationsPage<'a> {
    /// The language to show it in.
    pub lang: Language,
    /// The path of the issuer: `""`, or `"/auth"`.
    pub base: &'a str,
    /// The name of the service, as people know it.
    pub service: &'a str,
    /// Who is signed in.
    pub username: &'a str,
    /// What was done just now.
    pub done: Option<Done>,
    /// The applications.
    pub applications: Vec<ShownApplication<'a>>,
}

/// An application in the list. The date is that of the calendar, in UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownApplication<'a> {
    /// What names it.
    pub id: &'a str,
    /// What people read of it. Its logo is not shown: it would be loaded from elsewhere.
    pub card: ClientCard<'a>,
    /// What it may do; see [`ConsentGroup::for_account`] for the scopes of OpenID Connect.
    pub groups: Vec<ConsentGroup>,
    /// Since when.
    pub since: String,
    /// How far its access reaches.
    pub access: Access,
}

/// Asks whether to withdraw the access of an application. Posts `csrf`, `client_id` and `decision` (`withdraw` or `keep`) to
/// `{base}/account/applications/withdraw`.
#[derive(Template)]
#[template(path = "withdraw.html")]
pub struct WithdrawPage<'a> {
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
    /// What names the application.
    pub client: &'a str,
    /// Its name.
    pub client_name: &'a str,
    /// Whether it asks the person before it gets access.
    pub asks: bool,
}

impl ApplicationsPage<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        super::html(self)
    }
}

impl WithdrawPage<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        super::html(self)
    }
}

impl ShownApplication<'_> {
    fn access_text(&self, lang: Language) -> Cow<'static, str> {
        lang.text(match self.access {
            Access::Lasting => "apps-lasting",
            Access::WhileSignedIn => "apps-signed-in",
            Access::Remembered => "apps-remembered",
        })
    }
}
