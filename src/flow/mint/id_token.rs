//! The ID token (OpenID Connect Core 1.0 §2, §3.1.3.6).

use serde::Serialize;

use crate::flow::token::{Granted, GrantedBy};
use crate::flow::{Cx, subject};
use crate::jose::TokenType;
use crate::oauth::OAuthError;

use super::{sign, size};

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    iat: i64,
    auth_time: i64,
    /// RFC 8176.
    amr: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    #[serde(flatten)]
    person: Person<'a>,
}

/// OpenID Connect Core §5.4: what the scopes `profile` and `email` allow.
#[derive(Default, Serialize)]
struct Person<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
}

pub(super) fn mint(cx: &Cx, granted: &Granted, by: &GrantedBy) -> Result<String, OAuthError> {
    let scope = &granted.target.scope;
    let mut person = Person::default();
    if scope.contains("profile") {
        person.name = by.user.display_name.as_deref();
        person.preferred_username = Some(by.user.username.as_str());
    }
    if scope.contains("email") && by.user.email.is_some() {
        person.email = by.user.email.as_deref();
        // This server has not checked that the address is the user's.
        person.email_verified = Some(false);
    }
    let sub = subject::sub_for(&cx.policy, &granted.client, by.user.id);
    let claims = Claims {
        iss: &cx.policy.issuer,
        sub: &sub,
        aud: granted.client.id.as_str(),
        exp: (cx.now + cx.policy.id_token_ttl).0,
        iat: cx.now.0,
        auth_time: by.authenticated_at.0,
        amr: ["pwd"],
        nonce: by.nonce.as_deref(),
        person,
    };
    let token = sign(cx, cx.policy.id_token_algorithm, TokenType::IdToken, &claims)?;
    size::warn_if_large(cx, &granted.client, claims.aud, &token, &claims);
    Ok(token)
}
