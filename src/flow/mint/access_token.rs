//! The access token: a JWT of RFC 9068 with the claims of §2.2, and no others.

use std::borrow::Cow;

use crate::base::{Id, Seconds};
use crate::flow::Cx;
use crate::flow::token::Granted;
use crate::jose::TokenType;
use crate::oauth::{AccessTokenClaims, OAuthError};

use super::sign;

pub(super) fn mint(cx: &Cx, granted: &Granted, ttl: Seconds) -> Result<String, OAuthError> {
    let server = granted.target.server.as_deref();
    let by = granted.by.as_ref();
    // The family's id leads the jti of a user's token, so that its authorization is found from the token alone.
    let random = Id::random(&*cx.entropy)?;
    let jti = match by {
        Some(by) => format!("{}.{random}", by.authorization_id),
        None => random.to_string(),
    };
    let claims = AccessTokenClaims {
        iss: Cow::Borrowed(&cx.policy.issuer),
        // RFC 9068 §2.2: without a resource owner "the value of "sub" SHOULD correspond to an identifier the
        // authorization server uses to indicate the client application."
        sub: by.map_or(Cow::Borrowed(granted.client.id.as_str()), |by| Cow::Owned(by.user.id.to_string())),
        aud: Cow::Borrowed(server.map_or(cx.policy.issuer.as_str(), |server| server.id.as_str())),
        exp: (cx.now + ttl).0,
        iat: cx.now.0,
        jti: Cow::Owned(jti),
        client_id: Cow::Borrowed(granted.client.id.as_str()),
        scope: Cow::Owned(granted.target.scope.to_string()),
        auth_time: by.map(|by| by.authenticated_at.0),
        roles: Cow::Borrowed(by.map_or(&[], |by| by.roles.as_slice())),
        act: None,
    };
    let algorithm =
        server.and_then(|server| server.signing_algorithm).unwrap_or(cx.policy.access_token_algorithm);
    sign(cx, algorithm, TokenType::AccessToken, &claims)
}
