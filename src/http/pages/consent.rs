//! The consent page: what an application gets, in words, and whether it shall.

use askama::Template;

use super::client::ClientCard;
use super::texts::Language;

/// Asks for permission. Posts `request`, `csrf` and `decision` (`allow`, `deny` or `switch`) to `{base}/consent`.
#[derive(Template)]
#[template(path = "consent.html")]
pub struct ConsentPage<'a> {
    /// The language to show it in.
    pub lang: Language,
    /// The path of the issuer: `""`, or `"/auth"`.
    pub base: &'a str,
    /// The name of the service, as people know it.
    pub service: &'a str,
    /// The name of the application.
    pub client_name: &'a str,
    /// What it says of itself.
    pub card: ClientCard<'a>,
    /// The host of the redirect URI: where the person goes from here.
    pub client_host: &'a str,
    /// Who is signed in.
    pub username: &'a str,
    /// The sealed authorization request.
    pub request: &'a str,
    /// The form's CSRF token.
    pub csrf: &'a str,
    /// What is asked for; see [`ConsentGroup::for_account`] for the scopes of OpenID Connect.
    pub groups: Vec<ConsentGroup>,
    /// Whether a yes lasts, so that the same is not asked for again.
    pub remembered: bool,
    /// Whether it is asked for `offline_access`. The page says so by itself: leave that scope out of the groups.
    pub offline: bool,
}

/// The permissions that concern one resource server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentGroup {
    /// The resource server's name for people.
    pub resource_name: String,
    /// What the scopes allow, each in words.
    pub items: Vec<String>,
}

impl ConsentPage<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        super::html(self)
    }
}

impl ConsentGroup {
    /// The group of the scopes that concern the person's account at this server. Scopes that [`scope_words`] does not
    /// know are left out, and `offline_access`, which the page shows by itself. Nothing when no scope remains.
    pub fn for_account<'a>(lang: Language, scopes: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let items: Vec<String> = scopes
            .into_iter()
            .filter(|scope| *scope != "offline_access")
            .filter_map(|scope| scope_words(lang, scope))
            .collect();
        let resource_name = lang.text("consent-own").into_owned();
        (!items.is_empty()).then_some(Self { resource_name, items })
    }
}

/// What a scope of OpenID Connect Core §5.4 and §11 allows, in words. Nothing for scopes that belong to resource servers.
#[must_use]
pub fn scope_words(lang: Language, scope: &str) -> Option<String> {
    let key = match scope {
        "openid" => "scope-openid",
        "profile" => "scope-profile",
        "email" => "scope-email",
        "address" => "scope-address",
        "phone" => "scope-phone",
        "offline_access" => "scope-offline",
        _ => return None,
    };
    Some(lang.text(key).into_owned())
}
