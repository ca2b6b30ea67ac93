//! The access token: a JWT of RFC 9068 with the claims of §2.2, and no others.

use serde::Serialize;

use crate::base::{Id, Seconds};
use crate::flow::Cx;
use crate::flow::token::Granted;
use crate::jose::TokenType;
use crate::oauth::OAuthError;

use super::sign;

/// RFC 9068 §2.2. The order is fixed, so that tokens are easy to read.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    iat: i64,
    jti: &'a str,
    client_id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    scope: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    roles: &'a [String],
}

pub(super) fn mint(cx: &Cx, granted: &Granted, ttl: Seconds) -> Result<String, OAuthError> {
    let server = granted.target.server.as_deref();
    let by = granted.by.as_ref();
    let subject = by.map(|by| by.user.id.to_string());
    // The family's id leads the jti of a user's token, so that an operator finds the authorization of a token in a log.
    let random = Id::random(&*cx.entropy)?;
    let jti = match by {
        Some(by) => format!("{}.{random}", by.authorization_id),
        None => random.to_string(),
    };
    let scope = granted.target.scope.to_string();
    let claims = Claims {
        iss: &cx.policy.issuer,
        // RFC 9068 §2.2: without a resource owner "the value of "sub" SHOULD correspond to an identifier the
        // authorization server uses to indicate the client application."
        sub: subject.as_deref().unwrap_or(granted.client.id.as_str()),
        aud: server.map_or(cx.policy.issuer.as_str(), |server| server.id.as_str()),
        exp: (cx.now + ttl).0,
        iat: cx.now.0,
        jti: &jti,
        client_id: granted.client.id.as_str(),
        scope: &scope,
        auth_time: by.map(|by| by.authenticated_at.0),
        roles: by.map_or(&[], |by| by.roles.as_slice()),
    };
    let algorithm =
        server.and_then(|server| server.signing_algorithm).unwrap_or(cx.policy.access_token_algorithm);
    sign(cx, algorithm, TokenType::AccessToken, &claims)
}
