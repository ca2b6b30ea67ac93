//! What a client says of itself for OpenID Connect, with the names of OpenID Connect Dynamic Client Registration 1.0 §2.
//! Everything has a default, so that a client that says nothing works.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use crate::oauth::algorithm::{ContentEncryption, KeyManagement, SigningAlgorithm};
use crate::oauth::redirect_uri::is_loopback;
use crate::oauth::{AssertionAlgorithm, AuthMethod};

use super::ClientDraft;
use crate::domain::CustomClaims;

/// The longest address that a client may name, in bytes.
const MAX_URI_BYTES: usize = 2048;
/// The most values of `default_acr_values`, and the most bytes of each.
const MAX_ACR_VALUES: usize = 16;
/// The most keys of a JWK Set by value.
const MAX_KEYS: usize = 32;
/// The members of a JWK that only its owner has (RFC 7518 §6.2.2, §6.3.2, §6.4.1).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
/// The largest JWK Set by value, in bytes.
pub const MAX_JWKS_BYTES: usize = 16_384;

/// The OpenID Connect metadata of a client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OpenIdSettings {
    /// How its ID tokens are signed and encrypted.
    #[serde(skip_serializing_if = "is_default")]
    pub id_token: Protection,
    /// How its userinfo answers are; JSON where nothing is said.
    #[serde(skip_serializing_if = "is_default")]
    pub userinfo: Protection,
    /// Whether its `sub` values are its sector's alone (OpenID Connect Core §8).
    #[serde(skip_serializing_if = "is_default")]
    pub subject_type: SubjectType,
    /// Where the redirect URIs of its sector stand (OpenID Connect Core §8.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sector_identifier_uri: Option<String>,
    /// `max_age` where a request names none, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_max_age_s: Option<i64>,
    /// Whether `auth_time` stands in every ID token.
    #[serde(skip_serializing_if = "is_default")]
    pub require_auth_time: bool,
    /// `acr_values` where a request names none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub default_acr_values: Vec<String>,
    /// Where a third party starts a login (OpenID Connect Core §4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiate_login_uri: Option<String>,
    /// Where it is told that a session ended (OpenID Connect Back-Channel Logout 1.0 §2.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    /// Whether it wants `sid` in logout tokens.
    #[serde(skip_serializing_if = "is_default")]
    pub backchannel_logout_session_required: bool,
    /// Its logo, on the login and consent pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    /// Its home page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    /// What it does with data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    /// Its terms of service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<String>,
    /// Its name and those addresses in other languages, by member and language tag: `client_name#de` (RFC 7591 §2.2).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub translations: BTreeMap<String, String>,
    /// How it authenticates; where nothing is said: by its secret, in the header or in the body, or not at all if public.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_method: Option<AuthMethod>,
    /// The algorithm of its assertions; where nothing is said: any that belongs to `auth_method`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_signing_alg: Option<AssertionAlgorithm>,
    /// Whether the `aud` of its assertions must be the issuer alone, not the token endpoint.
    #[serde(skip_serializing_if = "is_default")]
    pub assertion_for_issuer_only: bool,
    /// Its public keys, by value (RFC 7517 §5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Map<String, Value>>,
    /// Its public keys, by reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// What its ID tokens and userinfo answers say beyond the standard claims.
    #[serde(skip_serializing_if = "CustomClaims::is_empty")]
    pub claims: CustomClaims,
}

/// How an answer for a client is signed and encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Protection {
    /// The algorithm of the signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signing: Option<SigningAlgorithm>,
    /// How it is encrypted to one of the client's keys: `alg` and `enc`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption: Option<(KeyManagement, ContentEncryption)>,
}

/// OpenID Connect Core 1.0 §8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubjectType {
    /// Every client knows the user by the same `sub`.
    #[default]
    Public,
    /// Each sector by another.
    Pairwise,
}

impl SubjectType {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Public, Self::Pairwise];

    /// As it stands on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Pairwise => "pairwise",
        }
    }
}

impl std::str::FromStr for SubjectType {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|known| known.as_str() == text);
        found.ok_or_else(|| "a subject type is public or pairwise".to_owned())
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// An https address without a fragment; plain http on this very machine is for development.
fn is_address(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    let sound = text.len() <= MAX_URI_BYTES && url.fragment().is_none() && url.username().is_empty();
    let local = url.host().as_ref().is_some_and(is_loopback);
    sound
        && url.password().is_none()
        && url.has_host()
        && (url.scheme() == "https" || (url.scheme() == "http" && local))
}

impl ClientDraft {
    /// The sector identifier (OpenID Connect Core §8.1): the host of `sector_identifier_uri`; without one, that of all the
    /// redirect URIs.
    #[must_use]
    pub fn sector(&self) -> Option<String> {
        let host = |uri: &str| Url::parse(uri).ok()?.host_str().map(str::to_owned);
        if let Some(uri) = &self.openid.sector_identifier_uri {
            return host(uri);
        }
        let mut hosts = self.redirect_uris.iter().map(|uri| host(uri.as_str()));
        let first = hosts.next()??;
        hosts.all(|other| other.as_ref() == Some(&first)).then_some(first)
    }
}

/// RFC 7517 §9.2: "Private and symmetric keys MUST be protected from disclosure to unintended parties." Nobody gives one
/// away on purpose.
fn check_keys(keys: &[Value], refuse: &mut impl FnMut(&'static str, &str)) {
    if keys.len() > MAX_KEYS {
        refuse("jwks", "a JWK Set of at most 32 keys");
    }
    let is_private = |key: &Value| PRIVATE_MEMBERS.iter().any(|name| key.get(name).is_some());
    if keys.iter().any(is_private) {
        refuse("jwks", "one of its keys has private parts: give public keys only, and make a new pair");
    }
}

pub(super) fn check(draft: &ClientDraft, refuse: &mut impl FnMut(&'static str, &str)) {
    let settings = &draft.openid;
    for (field, uri) in [
        ("sector_identifier_uri", &settings.sector_identifier_uri),
        ("initiate_login_uri", &settings.initiate_login_uri),
        ("backchannel_logout_uri", &settings.backchannel_logout_uri),
        ("logo_uri", &settings.logo_uri),
        ("client_uri", &settings.client_uri),
        ("policy_uri", &settings.policy_uri),
        ("tos_uri", &settings.tos_uri),
        ("jwks_uri", &settings.jwks_uri),
    ] {
        if uri.as_deref().is_some_and(|uri| !is_address(uri)) {
            refuse(
                field,
                "an https URL of at most 2048 bytes, without a fragment and without a user name in it",
            );
        }
    }
    for (field, uri) in [
        ("sector_identifier_uri", &settings.sector_identifier_uri),
        ("backchannel_logout_uri", &settings.backchannel_logout_uri),
        ("jwks_uri", &settings.jwks_uri),
    ] {
        if uri.as_deref().is_some_and(|uri| uri.starts_with("http:")) {
            refuse(field, "an https URL: this server asks it, and asks https addresses only");
        }
    }
    if settings.jwks.is_some() && settings.jwks_uri.is_some() {
        // OpenID Connect Dynamic Client Registration §2: "jwks_uri and jwks MUST NOT be used together."
        refuse("jwks", "jwks and jwks_uri cannot stand together");
    }
    if let Some(jwks) = &settings.jwks {
        let length = serde_json::to_string(jwks).map_or(usize::MAX, |text| text.len());
        if length > MAX_JWKS_BYTES {
            refuse("jwks", "a JWK Set of at most 16384 bytes");
        } else if let Some(keys) = jwks.get("keys").and_then(Value::as_array) {
            check_keys(keys, refuse);
        } else {
            refuse("jwks", "a JWK Set: an object whose member \"keys\" is a list (RFC 7517 §5)");
        }
    }
    let has_keys = settings.jwks.is_some() || settings.jwks_uri.is_some();
    for (field, protection) in [
        ("id_token_encrypted_response_alg", &settings.id_token),
        ("userinfo_encrypted_response_alg", &settings.userinfo),
    ] {
        if protection.encryption.is_some() && !has_keys {
            refuse(field, "needs the client's public keys: jwks or jwks_uri");
        }
    }
    let method = settings.auth_method;
    if settings.auth_signing_alg.is_some_and(|algorithm| Some(algorithm.method()) != method) {
        refuse(
            "token_endpoint_auth_signing_alg",
            "an HS… algorithm goes with client_secret_jwt, any other with private_key_jwt",
        );
    }
    match method {
        Some(AuthMethod::None) if draft.profile.is_confidential() => {
            refuse("token_endpoint_auth_method", "none is for public clients: the profiles spa and native");
        }
        Some(method) if method != AuthMethod::None && !draft.profile.is_confidential() => {
            refuse("token_endpoint_auth_method", "a public client does not authenticate: none");
        }
        Some(AuthMethod::PrivateKeyJwt) if !has_keys => {
            refuse(
                "token_endpoint_auth_method",
                "private_key_jwt needs the client's public keys: jwks or jwks_uri",
            );
        }
        _ => {}
    }
    // OpenID Connect Core §8.1: "If there are multiple hostnames in the registered redirect_uris, the Client MUST register a
    // sector_identifier_uri."
    if settings.subject_type == SubjectType::Pairwise && draft.sector().is_none() {
        refuse("subject_type", "pairwise needs redirect URIs on one host, or a sector_identifier_uri");
    }
    for problem in settings.claims.problems() {
        refuse("claims", &problem);
    }
    if settings.default_max_age_s.is_some_and(|age| age < 0) {
        refuse("default_max_age_s", "a number of seconds, 0 or more");
    }
    let acr = |value: &String| !value.is_empty() && value.len() <= 128 && !value.contains(' ');
    if settings.default_acr_values.len() > MAX_ACR_VALUES || !settings.default_acr_values.iter().all(acr) {
        refuse("default_acr_values", "at most 16, each of 1 to 128 bytes without a blank");
    }
}
