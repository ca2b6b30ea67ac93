//! The introspection endpoint (RFC 7662 §2): a resource server, or a client, asks what a token is. Nothing is written.
//!
//! ```text
//! form + credentials ─► client_auth ─► recognise ─► is it meant for the caller? ─► what is said of it, plain or signed
//! ```

use std::borrow::Cow;

use crate::base::{PlainToken, TokenKind};
use crate::domain::{Authorization, Client, RefreshToken, User};
use crate::oauth::introspection::Introspection;
use crate::oauth::{Acr, ErrorCode, OAuthError, Params};
use crate::store::{authorizations, refresh_tokens, sessions, users};

use super::client_auth::{self, Presented};
use super::recognise::{self, Dead, Recognised};
use super::{Cx, mint, subject};

/// An introspection request as it came through the door.
pub struct IntrospectionRequest {
    /// The form.
    pub params: Params,
    /// The Authorization header.
    pub presented: Presented,
    /// Whether the answer is to be a JWT (RFC 9701 §4).
    pub signed: bool,
}

/// What goes back.
pub enum IntrospectionAnswer {
    /// A JSON object.
    Plain(Box<Introspection>),
    /// A JWT with that object inside.
    Signed(String),
}

/// Answers an introspection request.
///
/// # Errors
/// `invalid_client`, `invalid_request`; `temporarily_unavailable` when the database is down.
pub fn introspect(cx: &Cx, request: &IntrospectionRequest) -> Result<IntrospectionAnswer, OAuthError> {
    let caller = client_auth::authenticate(cx, &request.presented, &request.params)?;
    // RFC 7662 §2.1: "To prevent token scanning attacks, the endpoint MUST also require some form of authorization to access
    // this endpoint". A client_id that anybody may know is none.
    if caller.is_public() {
        return Err(OAuthError::new(ErrorCode::InvalidClient)
            .describe("a public client may not introspect tokens")
            .because(format!("client {} is public and asked for an introspection", caller.id)));
    }
    let token = request.params.require("token")?;
    let said = match about(cx, &caller, token)? {
        Ok(said) => said,
        Err(Dead(why)) => {
            tracing::debug!(client = %caller.id, why, "introspected token is not active");
            Introspection::default()
        }
    };
    if request.signed {
        return mint::signed_introspection(cx, &caller, &said).map(IntrospectionAnswer::Signed);
    }
    Ok(IntrospectionAnswer::Plain(Box::new(said)))
}

/// RFC 7662 §2.1 of `token_type_hint`: "An authorization server MAY ignore this parameter, particularly if it is able to
/// detect the token type automatically." Ours tell by themselves what they are.
fn about(cx: &Cx, caller: &Client, token: &str) -> Result<Result<Introspection, Dead>, OAuthError> {
    if let Some(token) = PlainToken::parse(TokenKind::Refresh, token) {
        return about_refresh_token(cx, caller, &token);
    }
    let token = match recognise::access_token(cx, token)? {
        Ok(token) => token,
        Err(dead) => return Ok(Err(dead)),
    };
    // RFC 7662 §2.2: "If […] the protected resource is not allowed to introspect this particular token, then the
    // authorization server MUST return an introspection response with the "active" field set to "false"."
    let speaks_for_its_audience = caller.introspects.iter().any(|id| id.as_str() == token.claims.aud);
    if !speaks_for_its_audience && token.claims.client_id != caller.id.as_str() {
        return Ok(Err(Dead(
            "it is neither for a resource server that the client speaks for nor the client's own",
        )));
    }
    Ok(Ok(access_token(token)))
}

fn access_token(token: Recognised) -> Introspection {
    let Recognised { claims, user, .. } = token;
    // OpenID Connect Core §5.4: `profile` is what lets somebody know the user's name.
    let may_know = claims.scope.split(' ').any(|value| value == "profile");
    Introspection {
        active: true,
        username: user.filter(|_| may_know).map(|user| user.username.to_string()),
        scope: claims.scope.into_owned(),
        // An API token is no client's.
        client_id: Some(claims.client_id.into_owned()).filter(|id| !id.is_empty()),
        token_type: Some("Bearer"),
        exp: Some(claims.exp),
        iat: Some(claims.iat),
        sub: Some(claims.sub.into_owned()),
        aud: Some(claims.aud.into_owned()),
        iss: Some(claims.iss.into_owned()),
        jti: Some(claims.jti.into_owned()),
        auth_time: claims.auth_time,
        acr: claims.acr.map(Cow::into_owned),
        amr: claims.amr.into_owned(),
        roles: claims.roles.into_owned(),
        act: claims.act,
        custom: claims.custom,
    }
}

/// A refresh token is for its own client alone (RFC 6749 §10.4).
fn about_refresh_token(
    cx: &Cx,
    caller: &Client,
    token: &PlainToken,
) -> Result<Result<Introspection, Dead>, OAuthError> {
    let (hash, idle_ttl) = (token.hash(), cx.policy.session_idle);
    let found = cx.store.read("look at a refresh token", |conn| {
        let Some(token) = refresh_tokens::find(conn, &hash)? else { return Ok(None) };
        let Some(authorization) = authorizations::find(conn, token.authorization_id)? else {
            return Ok(None);
        };
        let session = match authorization.bound_to(caller) {
            Some(id) => sessions::find(conn, id)?.map(|session| session.is_alive(cx.now, idle_ttl)),
            None => Some(true),
        };
        let user = users::find(conn, authorization.user_id)?;
        Ok(user.map(|user| (token, authorization, user, session.unwrap_or(false))))
    })?;
    Ok(match found {
        None => Err(Dead("the refresh token is unknown")),
        Some((_, authorization, ..)) if authorization.client_id != caller.id => {
            Err(Dead("the refresh token was given to another client"))
        }
        Some((.., false)) => Err(Dead("the browser session of the refresh token has ended")),
        Some((token, authorization, user, true)) => refresh_token(cx, caller, token, authorization, user),
    })
}

fn refresh_token(
    cx: &Cx,
    caller: &Client,
    token: RefreshToken,
    authorization: Authorization,
    user: User,
) -> Result<Introspection, Dead> {
    if !authorization.is_alive(cx.now) {
        return Err(Dead("the refresh token was revoked"));
    }
    if token.used_at.is_some() {
        return Err(Dead("the refresh token was used"));
    }
    let ends_at = token.ends_at(&authorization, cx.policy.refresh_lives(caller));
    if ends_at.is_past(cx.now) {
        return Err(Dead("the refresh token has expired"));
    }
    if !user.is_active() {
        return Err(Dead("its user's account is locked"));
    }
    Ok(Introspection {
        active: true,
        username: authorization.scope.contains("profile").then(|| user.username.to_string()),
        scope: authorization.scope.to_string(),
        client_id: Some(authorization.client_id.to_string()),
        exp: Some(ends_at.0),
        iat: Some(token.created_at.0),
        sub: Some(subject::sub_for(&cx.policy, caller, user.id)),
        iss: Some(cx.policy.issuer.clone()),
        auth_time: Some(authorization.authenticated_at.0),
        acr: Some(Acr::Password.as_str().to_owned()),
        amr: Acr::Password.amr().iter().copied().map(str::to_owned).collect(),
        ..Introspection::default()
    })
}
