//! What an access token that somebody shows stands for, and whether it is alive: for introspection (RFC 7662 §2),
//! revocation (RFC 7009 §2), exchange (RFC 8693 §2.1), and for the endpoints of this server that take one.
//!
//! One file per form of token. Each proves that the token is of this server and whole ([`whole`]); what all have in common
//! (expiry, revocation, the client, the user, the authorization) is judged here, in one read ([`access_token`]).
//!
//! An encrypted token is dead here: only its resource server can open it, and what it finds inside is a signed JWT, which
//! is what it shows.

mod api;
mod jwt;
mod opaque;

use crate::base::{Id, PlainToken, Seconds, Timestamp, TokenKind};
use crate::domain::api_token::Owner;
use crate::domain::{Authorization, Client, User};
use crate::oauth::{AccessTokenClaims, OAuthError, Resource, Scope};
use crate::store::{Conn, StoreError, api_tokens, authorizations, denied_tokens, users};

use super::Cx;

/// An access token of this server that nobody changed. Whether it lives is another question.
#[derive(Clone, Debug)]
pub struct Whole {
    /// What it says.
    pub claims: AccessTokenClaims<'static>,
    /// What it is.
    pub form: Form,
}

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
    /// What its family was given in the first place: no exchange leads beyond it.
    pub first: First,
}

/// What a family of tokens was given in the first place: by a user, to an API token, or to a client for itself.
#[derive(Clone, Debug, Default)]
pub struct First {
    /// For which resource servers.
    pub resources: Vec<Resource>,
    /// What was allowed.
    pub scope: Scope,
}

/// What an access token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A signed JWT. It is revoked by its place on the list of denied tokens.
    Jwt,
    /// A name and a secret, in the table `opaque_tokens` under `PlainToken::id`.
    Opaque,
    /// A token that a user or a service account made for scripts.
    Api,
}

/// A text that is no living access token; the reason is for the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dead(pub &'static str);

impl Whole {
    /// When it dies by itself.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        Timestamp(self.claims.exp)
    }

    /// Whose token it is.
    fn holder(&self) -> Holder {
        match self.claims.family().map(|id| id.parse().map_err(|_| id)) {
            None => Holder::Client,
            Some(Ok(authorization)) => Holder::Authorization(authorization),
            Some(Err(api_token)) => Holder::ApiToken(api_token.to_owned()),
        }
    }
}

/// What a token came from, itself or by exchange (RFC 8693).
enum Holder {
    Authorization(Id),
    /// An API token, by its id.
    ApiToken(String),
    /// A client's own word.
    Client,
}

/// Whether a text is an access token of this server, alive or not. Writes nothing.
///
/// # Errors
/// When the database is down: that is not "none".
pub fn whole(cx: &Cx, text: &str) -> Result<Result<Whole, Dead>, OAuthError> {
    let (claims, form) = match PlainToken::parse(TokenKind::Access, text) {
        Some(token) => (opaque::claims(cx, &token)?, Form::Opaque),
        None if is_encrypted(text) => (Err(Dead("it is encrypted: what is inside is the token")), Form::Jwt),
        None => (jwt::claims(cx, text), Form::Jwt),
    };
    Ok(claims.map(|claims| Whole { claims, form }))
}

/// Whether a text is a living access token of this server. Writes nothing.
///
/// # Errors
/// When the database is down: that is not "dead".
pub fn access_token(cx: &Cx, text: &str) -> Result<Result<Recognised, Dead>, OAuthError> {
    if text.starts_with(TokenKind::Api.prefix()) {
        return api::recognise(cx, text);
    }
    match whole(cx, text)? {
        Ok(token) => alive(cx, token),
        Err(dead) => Ok(Err(dead)),
    }
}

/// What a signed access token of this server says, dead ones too. Looks at nothing but memory.
pub(super) fn signed(cx: &Cx, text: &str) -> Result<AccessTokenClaims<'static>, Dead> {
    jwt::claims(cx, text)
}

/// RFC 7516 §9: "If the object is using the […] Compact Serialization, the number of base64url-encoded segments separated
/// by period ('.') characters differs for JWSs and JWEs. JWSs have three segments […]. JWEs have five segments".
fn is_encrypted(text: &str) -> bool {
    text.bytes().filter(|byte| *byte == b'.').count() == 4
}

fn alive(cx: &Cx, token: Whole) -> Result<Result<Recognised, Dead>, OAuthError> {
    let dead = |why| Ok(Err(Dead(why)));
    if token.expires_at().is_past(cx.now) {
        return dead("it has expired");
    }
    if cx.denials.contain(&token.claims.jti, token.expires_at()) {
        return dead("it was revoked");
    }
    if !cx.snapshot.client(&token.claims.client_id).is_some_and(|known| existed(&known.client, &token)) {
        return dead("its client is gone or switched off");
    }
    let holder = token.holder();
    let found = cx.store.read("look at an access token", |conn| look(conn, &token, &holder))?;
    let Found { authorization, user, first } = match found {
        Ok(found) => found,
        Err(dead) => return Ok(Err(dead)),
    };
    let mut first = first.unwrap_or_default();
    if user.is_none() {
        let client = match cx.snapshot.client(&token.claims.sub) {
            Some(known) if existed(&known.client, &token) => &known.client,
            _ => return dead("the client that it stands for is gone or switched off"),
        };
        if token.claims.family().is_none() {
            first = First { resources: client.resources.clone(), scope: client.scope.clone() };
        }
    }
    // The client that the user gave it to may be another than the one that holds it now (RFC 8693).
    if authorization.as_ref().is_some_and(|given| cx.snapshot.client(given.client_id.as_str()).is_none()) {
        return dead("the client that it was first given to is gone or switched off");
    }
    Ok(Ok(Recognised { claims: token.claims, form: token.form, authorization, user, first }))
}

/// Whether the token can have been given to this client, and not to another that had its id before.
fn existed(client: &Client, token: &Whole) -> bool {
    Timestamp(token.claims.iat) + CLOCKS_DIFFER >= client.created_at
}

/// By how much the clocks of two nodes may differ.
const CLOCKS_DIFFER: Seconds = Seconds(2);

#[derive(Default)]
struct Found {
    authorization: Option<Authorization>,
    user: Option<User>,
    first: Option<First>,
}

/// What only the database knows of a token; a revocation on another node counts from its commit on.
fn look(conn: &mut Conn, token: &Whole, holder: &Holder) -> Result<Result<Found, Dead>, StoreError> {
    let dead = |why| Ok(Err(Dead(why)));
    if denied_tokens::contains(conn, &token.claims.jti)? {
        return dead("it was revoked");
    }
    let (authorization, user, first) = match holder {
        Holder::Client => return Ok(Ok(Found::default())),
        Holder::ApiToken(id) => match api_tokens::find(conn, id)? {
            None => return dead("the API token that it was exchanged for is gone"),
            Some(known) if known.revoked.is_some() => {
                return dead("the API token that it was exchanged for was revoked");
            }
            Some(known) => {
                let first = First { resources: vec![known.resource], scope: known.scope };
                match known.owner {
                    Owner::Service(_) => return Ok(Ok(Found { first: Some(first), ..Found::default() })),
                    Owner::User(user) => (None, user, first),
                }
            }
        },
        Holder::Authorization(id) => match authorizations::find(conn, *id)? {
            None => return dead("its authorization is gone"),
            // The authorization may have run out since: what it gave lives to its own end.
            Some(given) if given.revoked.is_some() => return dead("its authorization was revoked"),
            Some(given) => {
                let (user, scope) = (given.user_id, given.scope.clone());
                let first = First { resources: given.resources.clone(), scope };
                (Some(given), user, first)
            }
        },
    };
    match users::find(conn, user)? {
        Some(user) if user.is_active() => {
            Ok(Ok(Found { authorization, user: Some(user), first: Some(first) }))
        }
        Some(_) => dead("its user's account is locked"),
        None => dead("its user is gone"),
    }
}
