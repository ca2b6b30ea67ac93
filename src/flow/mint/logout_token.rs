//! The logout token (OpenID Connect Back-Channel Logout 1.0 §2.4): signed, and encrypted, as the
//! client's ID tokens are.

use serde::Serialize;
use serde_json::{Value, json};

use crate::base::{Id, Seconds};
use crate::domain::{Client, session};
use crate::flow::{Cx, subject};
use crate::jose::TokenType;
use crate::oauth::OAuthError;

use super::protect;

/// §2.4: "it is RECOMMENDED that it be […] preferably at most two minutes in the future, to prevent captured Logout Tokens
/// from being replayable."
const TTL: Seconds = Seconds(120);
/// §2.4.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// §2.4: a `nonce` is "PROHIBITED", so that no logout token passes for an ID token.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
    events: Value,
    sid: String,
}

/// What tells a client that a session of this user ended.
///
/// # Errors
/// `server_error` when there is no randomness, no key of the wanted algorithm, or signing or encryption fails.
pub(in crate::flow) fn logout_token(
    cx: &Cx,
    client: &Client,
    session: Id,
    user: Id,
) -> Result<String, OAuthError> {
    let sub = subject::sub_for(&cx.policy, client, user);
    let claims = Claims {
        iss: &cx.policy.issuer,
        sub: &sub,
        aud: client.id.as_str(),
        iat: cx.now.0,
        exp: (cx.now + TTL).0,
        jti: Id::random(&*cx.entropy)?.to_string(),
        events: json!({ EVENT: {} }),
        sid: session::sid(session, &client.id),
    };
    // §2.4: "The same keys are used to sign and encrypt Logout Tokens as are used for ID Tokens."
    let wanted = &client.openid.id_token;
    let algorithm = wanted.signing.unwrap_or(cx.policy.id_token_algorithm);
    protect::signed(cx, client, algorithm, wanted.encryption, TokenType::Logout, &claims)
}
