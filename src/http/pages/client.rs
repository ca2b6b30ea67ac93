//! What the login and consent pages tell of an application beside its name: its logo, where it stands, what it promises
//! (OpenID Connect Dynamic Client Registration 1.0 §2), and that nobody checked any of it, where that is so.

use crate::domain::Client;
use crate::oauth::redirect_uri::origin_of;

use super::texts::Language;

/// An application as people see it, in their language as far as it speaks that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientCard<'a> {
    /// Its name.
    pub name: &'a str,
    /// The address of its logo. It is loaded from there: whoever has that address sees that somebody looks at the page,
    /// but not which page, as no referrer goes along.
    pub logo: Option<&'a str>,
    /// Its home page.
    pub home: Option<&'a str>,
    /// What it does with data.
    pub policy: Option<&'a str>,
    /// Its terms of service.
    pub terms: Option<&'a str>,
    /// Whether it registered itself, and nobody let it in.
    pub unchecked: bool,
}

impl<'a> ClientCard<'a> {
    /// The card of a client.
    #[must_use]
    pub fn of(client: &'a Client, lang: Language, unchecked: bool) -> Self {
        let settings = &client.openid;
        let member = |name: &str, plain: Option<&'a str>| translated(client, name, lang).or(plain);
        Self {
            name: translated(client, "client_name", lang).unwrap_or(&client.name),
            logo: member("logo_uri", settings.logo_uri.as_deref()),
            home: member("client_uri", settings.client_uri.as_deref()),
            policy: member("policy_uri", settings.policy_uri.as_deref()),
            terms: member("tos_uri", settings.tos_uri.as_deref()),
            unchecked,
        }
    }

    /// The one origin beside this server's from which the page loads something.
    #[must_use]
    pub fn logo_origin(&self) -> Option<String> {
        origin_of(self.logo?)
    }

    pub(super) fn has_links(&self) -> bool {
        self.home.or(self.policy).or(self.terms).is_some()
    }
}

/// RFC 7591 §2.2: `client_name#de`; one for Austria is better than one in another language.
fn translated<'a>(client: &'a Client, name: &str, lang: Language) -> Option<&'a str> {
    let translations = &client.openid.translations;
    let exact = format!("{name}#{}", lang.tag());
    let regional = format!("{exact}-");
    let same = |known: &str, wanted: &str| known.eq_ignore_ascii_case(wanted);
    let found = translations.iter().find(|(known, _)| same(known, &exact)).or_else(|| {
        translations
            .iter()
            .find(|(known, _)| known.get(..regional.len()).is_some_and(|start| same(start, &regional)))
    });
    found.map(|(_, text)| text.as_str())
}
