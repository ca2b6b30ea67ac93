//! The access token: the claims of RFC 9068 §2.2 and §2.2.1, and no others, in the form that the resource server takes.

use std::borrow::Cow;

use crate::base::entropy::EntropyError;
use crate::base::{Entropy, Id, Seconds, Timestamp};
use crate::domain::ResourceServer;
use crate::domain::custom_claims::About;
use crate::flow::token::{By, Granted};
use crate::flow::{Cx, Policy, Snapshot, subject};
use crate::jose::{Encrypter, TokenType};
use crate::oauth::algorithm::SigningAlgorithm;
use crate::oauth::{AccessTokenClaims, Acr, OAuthError};

use super::{fault, sign, size};

/// Signed, and encrypted where the resource server wants that.
pub(super) fn mint(cx: &Cx, granted: &Granted, ttl: Seconds) -> Result<String, OAuthError> {
    let server = granted.target.server.as_deref();
    let claims = claims(cx.now, &cx.policy, &*cx.entropy, granted, ttl)?;
    let mut token = sign(cx, algorithm(&cx.policy, server), TokenType::AccessToken, &claims)?;
    if let Some(server) = server.filter(|server| server.token_format.encryption().is_some()) {
        let encrypter = encrypter(&cx.snapshot, server)?;
        // RFC 7519 §11.2: sign, then encrypt, so that the signature is hidden too and cannot be taken off.
        token = encrypter.encrypt(&token, &*cx.entropy).map_err(|e| fault(e.to_string()))?;
    }
    size::warn_if_large(cx, &granted.client, &claims.aud, &token, &claims);
    Ok(token)
}

/// What it is signed with.
pub(super) fn algorithm(policy: &Policy, server: Option<&ResourceServer>) -> SigningAlgorithm {
    server.and_then(|server| server.signing_algorithm).unwrap_or(policy.access_token_algorithm)
}

/// What it is encrypted with, for a resource server that wants that.
pub(super) fn encrypter<'s>(
    snapshot: &'s Snapshot,
    server: &ResourceServer,
) -> Result<&'s Encrypter, OAuthError> {
    snapshot
        .encrypter(&server.id)
        .ok_or_else(|| fault(format!("the encryption key of {} is of no use: countersign check", server.id)))
}

/// What the token says, or stands for.
pub(super) fn claims<'g>(
    now: Timestamp,
    policy: &'g Policy,
    entropy: &dyn Entropy,
    granted: &'g Granted,
    ttl: Seconds,
) -> Result<AccessTokenClaims<'g>, EntropyError> {
    let server = granted.target.server.as_deref();
    // The family's id leads the jti of a user's token, so that its authorization is found from the token alone.
    let random = Id::random(entropy)?;
    let jti = match granted.by.family() {
        Some(family) => format!("{family}.{random}"),
        None => random.to_string(),
    };
    let (user, roles) = match &granted.by {
        By::Client => (None, [].as_slice()),
        By::User(by) => (Some(&by.user), by.roles.as_slice()),
        By::Token(token) => (token.user.as_ref(), token.roles.as_slice()),
    };
    let custom = server.map(|server| server.claims.about(About { user, roles })).unwrap_or_default();
    let roles = if server.is_some_and(|server| server.include_roles) { roles } else { &[] };
    let claims = AccessTokenClaims {
        iss: Cow::Borrowed(&policy.issuer),
        // RFC 9068 §2.2: without a resource owner "the value of "sub" SHOULD correspond to an identifier the
        // authorization server uses to indicate the client application."
        sub: Cow::Borrowed(granted.client.id.as_str()),
        aud: Cow::Borrowed(server.map_or(policy.issuer.as_str(), |server| server.id.as_str())),
        exp: (now + ttl).0,
        iat: now.0,
        jti: Cow::Owned(jti),
        client_id: Cow::Borrowed(granted.client.id.as_str()),
        scope: Cow::Owned(granted.target.scope.to_string()),
        auth_time: None,
        acr: None,
        amr: Cow::Borrowed(&[]),
        roles: Cow::Borrowed(roles),
        act: None,
        custom,
    };
    Ok(match &granted.by {
        By::Client => claims,
        // RFC 9470 §6: the resource server "needs a way of accessing information about the authentication event".
        By::User(by) => AccessTokenClaims {
            sub: Cow::Owned(subject::sub_for(policy, &granted.client, by.user.id)),
            auth_time: Some(by.authenticated_at.0),
            acr: Some(Cow::Borrowed(Acr::Password.as_str())),
            amr: Cow::Owned(Acr::Password.amr().iter().copied().map(str::to_owned).collect()),
            ..claims
        },
        By::Token(token) => AccessTokenClaims {
            sub: Cow::Borrowed(&token.sub),
            auth_time: token.auth_time,
            acr: token.acr.as_deref().map(Cow::Borrowed),
            amr: Cow::Borrowed(&token.amr),
            act: token.act.clone(),
            ..claims
        },
    })
}
