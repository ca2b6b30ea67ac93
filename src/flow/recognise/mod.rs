//! What an access token that somebody shows stands for, and whether it is alive: for introspection (RFC 7662 §2),
//! revocation (RFC 7009 §2), exchange (RFC 8693 §2.1), and for the endpoints of this server that take one.
//!
//! One file per form of token. Each proves that the token is of this server and whole; what all have in common (expiry, the
//! client, the user, the authorization) is judged here, in one read.
//!
//! An encrypted token is dead here: only its resource server can open it, and what it finds inside is a signed JWT, which
//! is what it shows.

mod jwt;
mod opaque;

use crate::base::{Id, PlainToken, TokenKind};
use crate::domain::{Authorization, User};
use crate::oauth::{AccessTokenClaims, OAuthError};
use crate::store::{authorizations, users};

use super::Cx;

/// An access token that is whole and alive.
#[derive(Clone, Debug)]
pub struct Recognised {
    /// What it says.
    pub claims: AccessTokenClaims<'static>,
    /// What it is.
    pub form: Form,
    /// The family that it belongs to, where a user gave it.
    pub authorization: Option<Authorization>,
    /// The user that it stands for.
    pub user: Option<User>,
}

/// What an access token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A signed JWT.
    Jwt,
    /// A name and a secret, in the table `opaque_tokens` under `PlainToken::id`.
    Opaque,
}

/// A text that is no living access token; the reason is for the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dead(pub &'static str);

/// Looks at a token. Writes nothing.
///
/// # Errors
/// When the database is down: that is not "dead".
pub fn access_token(cx: &Cx, text: &str) -> Result<Result<Recognised, Dead>, OAuthError> {
    let (claims, form) = match PlainToken::parse(TokenKind::Access, text) {
        Some(token) => (opaque::claims(cx, &token)?, Form::Opaque),
        None if is_encrypted(text) => (Err(Dead("it is encrypted: what is inside is the token")), Form::Jwt),
        None => (jwt::claims(cx, text), Form::Jwt),
    };
    match claims {
        Ok(claims) => alive(cx, claims, form),
        Err(dead) => Ok(Err(dead)),
    }
}

/// RFC 7516 §9: "If the object is using the […] Compact Serialization, the number of base64url-encoded segments separated
/// by period ('.') characters differs for JWSs and JWEs. JWSs have three segments […]. JWEs have five segments".
fn is_encrypted(text: &str) -> bool {
    text.bytes().filter(|byte| *byte == b'.').count() == 4
}

/// The id of the family in the `jti` of a user's token.
fn family(claims: &AccessTokenClaims<'_>) -> Option<Id> {
    claims.jti.split_once('.').and_then(|(id, _)| id.parse().ok())
}

fn alive(
    cx: &Cx,
    claims: AccessTokenClaims<'static>,
    form: Form,
) -> Result<Result<Recognised, Dead>, OAuthError> {
    let dead = |why| Ok(Err(Dead(why)));
    if claims.exp <= cx.now.0 {
        return dead("it has expired");
    }
    if cx.snapshot.client(&claims.client_id).is_none() {
        return dead("its client is gone or switched off");
    }
    let Some(family) = family(&claims) else {
        return Ok(Ok(Recognised { claims, form, authorization: None, user: None }));
    };
    let found = cx.store.read("look at an access token", move |conn| {
        let Some(authorization) = authorizations::find(conn, family)? else { return Ok(None) };
        let user = users::find(conn, authorization.user_id)?;
        Ok(user.map(|user| (authorization, user)))
    })?;
    match found {
        None => dead("its authorization is gone"),
        // The authorization may have run out since: what it gave lives to its own end.
        Some((authorization, _)) if authorization.revoked.is_some() => dead("its authorization was revoked"),
        Some((_, user)) if !user.is_active() => dead("its user's account is locked"),
        Some((authorization, user)) => {
            Ok(Ok(Recognised { claims, form, authorization: Some(authorization), user: Some(user) }))
        }
    }
}
