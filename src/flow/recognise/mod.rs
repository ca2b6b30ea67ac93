//! What an access token that somebody shows stands for, and whether it is alive: for introspection (RFC 7662 §2),
//! revocation (RFC 7009 §2), exchange (RFC 8693 §2.1), and for the endpoints of this server that take one.
//!
//! One file per form of token. Each proves that the token is of this server and whole; what all have in common (expiry, the
//! client, the user, the authorization) is judged here, in one read.

mod api;
mod jwt;

use crate::base::{Id, TokenKind};
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
    /// A token that a user or a service account made for scripts.
    Api,
}

/// A text that is no living access token; the reason is for the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dead(pub &'static str);

/// Looks at a token. Writes nothing (the use of an API token is noted in memory).
///
/// # Errors
/// When the database is down: that is not "dead".
pub fn access_token(cx: &Cx, text: &str) -> Result<Result<Recognised, Dead>, OAuthError> {
    if text.starts_with(TokenKind::Api.prefix()) {
        return api::recognise(cx, text);
    }
    let claims = match jwt::claims(cx, text) {
        Ok(claims) => claims,
        Err(dead) => return Ok(Err(dead)),
    };
    alive(cx, claims, Form::Jwt)
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
