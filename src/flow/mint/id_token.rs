//! The ID token (OpenID Connect Core 1.0 §2, §3.1.3.6, §12.2). Nothing stands in it that was not asked for: what a scope bears
//! is told at the userinfo endpoint (§5.4), since an access token comes along.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::domain::Client;
use crate::domain::session::sid;
use crate::flow::token::{Granted, GrantedBy};
use crate::flow::{Cx, Policy, claims, subject};
use crate::jose::TokenType;
use crate::oauth::algorithm::SigningAlgorithm;
use crate::oauth::at_hash::at_hash;
use crate::oauth::{Acr, OAuthError};

use super::{protect, size};

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    /// The same: "If present, it MUST contain the OAuth 2.0 Client ID of this party".
    azp: &'a str,
    exp: i64,
    iat: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'static str>,
    /// RFC 8176 §1.
    #[serde(skip_serializing_if = "Option::is_none")]
    amr: Option<&'static [&'static str]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    at_hash: String,
    /// OpenID Connect Back-Channel Logout 1.0 §2.1, for as long as the tokens hang on a session.
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    #[serde(flatten)]
    person: Map<String, Value>,
}

/// What it is signed with.
pub(super) fn algorithm(policy: &Policy, client: &Client) -> SigningAlgorithm {
    client.openid.id_token.signing.unwrap_or(policy.id_token_algorithm)
}

pub(super) fn mint(
    cx: &Cx,
    granted: &Granted,
    by: &GrantedBy,
    access_token: &str,
) -> Result<String, OAuthError> {
    let client = &granted.client;
    let (settings, asked) = (&client.openid, &by.asked);
    let algorithm = algorithm(&cx.policy, client);
    let sub = subject::sub_for(&cx.policy, client, by.user.id);
    // §3.1.2.1: "When max_age is used, the ID Token returned MUST include an auth_time Claim Value"; the client may have
    // said so once and for all (OpenID Connect Dynamic Client Registration 1.0 §2).
    let wants_auth_time =
        asked.auth_time || settings.require_auth_time || settings.default_max_age_s.is_some();
    let wants_acr = asked.acr || !settings.default_acr_values.is_empty();
    let reached = Acr::Password;
    let mut person = claims::by_name(&by.user, client, &asked.claims.id_token);
    person.extend(claims::custom(&by.user, client, &by.roles));
    let claims = Claims {
        iss: &cx.policy.issuer,
        sub: &sub,
        aud: client.id.as_str(),
        azp: client.id.as_str(),
        exp: (cx.now + cx.policy.id_token_ttl).0,
        iat: cx.now.0,
        auth_time: wants_auth_time.then_some(by.authenticated_at.0),
        acr: wants_acr.then_some(reached.as_str()),
        amr: (wants_acr || asked.amr).then_some(reached.amr()),
        nonce: by.nonce.as_deref(),
        at_hash: at_hash(algorithm, access_token),
        sid: by.session_id.map(|session| sid(session, &client.id)),
        person,
    };
    let token =
        protect::signed(cx, client, algorithm, settings.id_token.encryption, TokenType::IdToken, &claims)?;
    size::warn_if_large(cx, client, claims.aud, &token, &claims);
    Ok(token)
}
