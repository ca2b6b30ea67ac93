//! The userinfo endpoint (OpenID Connect Core 1.0 §5.3): what is told of the user to whoever holds an access token with the
//! scope `openid`.
//!
//! ```text
//! access token ─► recognise ─► openid? ─► does its session live? ─► claims of its scope, and those asked for by name
//! ```
//!
//! The token may be for any resource server: a client that asks for `openid notes:read` gets one token, which is for the notes
//! (RFC 9068 §3 has one audience), and must be able to ask here with it. An encrypted token is for its resource server alone
//! and is none here; a client that wants both asks for `openid` in a request of its own.

use serde_json::{Map, Value};

use crate::oauth::{ErrorCode, OAuthError, Scope};
use crate::store::{roles, sessions};

use super::recognise::{self, Recognised};
use super::{Cx, claims, mint, subject};

/// What goes back.
pub enum UserinfoAnswer {
    /// A JSON object.
    Json(Map<String, Value>),
    /// A JWT with that object inside.
    Jwt(String),
}

/// An answer, and the client that may read it.
pub struct Userinfo {
    /// The answer.
    pub answer: UserinfoAnswer,
    /// Whose token it was.
    pub client_id: String,
}

/// Answers a userinfo request.
///
/// # Errors
/// `invalid_token`, `insufficient_scope`; `temporarily_unavailable` when the database is down.
pub fn userinfo(cx: &Cx, token: &str) -> Result<Userinfo, OAuthError> {
    let invalid = |why: &'static str| OAuthError::new(ErrorCode::InvalidToken).because(why);
    let token = recognise::access_token(cx, token)?.map_err(|dead| invalid(dead.0))?;
    let scope: Scope = token.claims.scope.parse().unwrap_or_default();
    if !scope.contains("openid") {
        // RFC 6750 §3.1: "The request requires higher privileges than provided by the access token."
        return Err(OAuthError::new(ErrorCode::InsufficientScope)
            .describe("the access token does not have the scope openid"));
    }
    if !session_lives(cx, &token)? {
        return Err(invalid("the browser session that it came from has ended"));
    }
    let Recognised { claims: said, user: Some(user), authorization, .. } = token else {
        return Err(invalid("it stands for no user"));
    };
    let known = cx.snapshot.client(&said.client_id).ok_or_else(|| invalid("its client is gone"))?;
    let client = &known.client;
    let mut told = Map::new();
    told.insert("sub".to_owned(), subject::sub_for(&cx.policy, client, user.id).into());
    // What the client may have today counts, not what it could have when the grant was made.
    told.extend(claims::by_scope(&user, &scope.filter(|value| client.scope.contains(value))));
    if let Some(authorization) = &authorization {
        told.extend(claims::by_name(&user, client, &authorization.asked.claims.userinfo));
    }
    let roles = match client.openid.claims.want_roles() {
        true => cx.store.read("roles", |conn| roles::of_user(conn, user.id))?,
        false => Vec::new(),
    };
    told.extend(claims::custom(&user, client, &roles));
    let answer = match mint::userinfo(cx, client, &told)? {
        Some(jwt) => UserinfoAnswer::Jwt(jwt),
        None => UserinfoAnswer::Json(told),
    };
    Ok(Userinfo { answer, client_id: client.id.to_string() })
}

/// Whether the browser session lives that the token is bound to, if it is bound to one. A resource server that verifies by
/// itself cannot know; this endpoint can.
fn session_lives(cx: &Cx, token: &Recognised) -> Result<bool, OAuthError> {
    let Some(given) = &token.authorization else { return Ok(true) };
    let client = cx.snapshot.client(given.client_id.as_str());
    let Some(session) = client.and_then(|known| given.bound_to(&known.client)) else { return Ok(true) };
    let found = cx.store.read("look for a session", move |conn| sessions::find(conn, session))?;
    Ok(found.is_some_and(|session| session.is_alive(cx.now, cx.policy.session_idle)))
}
