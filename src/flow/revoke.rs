//! The revocation endpoint (RFC 7009 §2): a client says that it needs a token no more.
//!
//! ```text
//! refresh token ─► its authorization is revoked, and with it every token that came from it
//! access token  ─► a JWT: one row on the list of denied tokens, until it would have died by itself; an opaque one: its row
//! anything else ─► nothing; a text that is no token of this server costs no write
//! ```

use serde_json::{Map, Value};

use crate::base::encoding::from_base64url;
use crate::base::{Id, PlainToken, TokenKind};
use crate::domain::{Client, RevocationReason};
use crate::jose::TokenType;
use crate::oauth::{ErrorCode, OAuthError, Params};
use crate::store::{authorizations, denied_tokens, opaque_tokens, refresh_tokens};

use super::Cx;
use super::client_auth::{self, Presented};
use super::recognise::{self, Whole};

/// A revocation request as it came through the door.
pub struct RevocationRequest {
    /// The form.
    pub params: Params,
    /// The Authorization header.
    pub presented: Presented,
}

/// Answers a revocation request. RFC 7009 §2.2: "invalid tokens do not cause an error response since the client cannot
/// handle such an error in a reasonable way": `Ok` says that the token is of no use (any more), whatever it was.
///
/// # Errors
/// `invalid_client`, `invalid_request`; `invalid_grant` for another client's token; `unsupported_token_type`;
/// `temporarily_unavailable` when the database is down.
pub fn revoke(cx: &Cx, request: &RevocationRequest) -> Result<(), OAuthError> {
    // RFC 7009 §2.1: "The authorization server first validates the client credentials (in case of a confidential client)
    // and then verifies whether the token was issued to the client making the revocation request."
    let client = client_auth::authenticate(cx, &request.presented, &request.params)?;
    let text = request.params.require("token")?;
    // `token_type_hint` is not looked at: ours tell by themselves what they are.
    if let Some(token) = PlainToken::parse(TokenKind::Refresh, text) {
        return refresh_token(cx, &client, &token);
    }
    match recognise::whole(cx, text)? {
        Ok(token) => access_token(cx, &client, text, &token),
        Err(dead) if is_of_another_type(cx, text) => Err(OAuthError::new(ErrorCode::UnsupportedTokenType)
            .describe("refresh tokens and access tokens are revoked here: not codes, ID tokens, API tokens or encrypted tokens")
            .because(dead.0)),
        Err(dead) => {
            tracing::debug!(client = %client.id, why = dead.0, "nothing to revoke");
            Ok(())
        }
    }
}

/// RFC 7009 §2.1: "If the particular token is a refresh token and the authorization server supports the revocation of access
/// tokens, then the authorization server SHOULD also invalidate all access tokens based on the same authorization grant".
///
/// One that was used, or has expired, is good enough: a client that lost the answer to its last refresh has no other.
fn refresh_token(cx: &Cx, client: &Client, token: &PlainToken) -> Result<(), OAuthError> {
    let hash = token.hash();
    let found = cx.store.read("find a refresh token", |conn| {
        let Some(token) = refresh_tokens::find(conn, &hash)? else { return Ok(None) };
        authorizations::find(conn, token.authorization_id)
    })?;
    let Some(authorization) = found else { return Ok(()) };
    if authorization.client_id != client.id {
        return Err(of_another_client(client));
    }
    if authorization.revoked.is_some() {
        return Ok(());
    }
    let (id, now): (Id, _) = (authorization.id, cx.now);
    let first = cx.store.write("revoke an authorization", move |conn| {
        authorizations::revoke(conn, id, now, RevocationReason::Revoked)
    })?;
    if first {
        tracing::info!(client = %client.id, authorization = %id, "authorization revoked by its client");
    }
    Ok(())
}

fn access_token(cx: &Cx, client: &Client, text: &str, token: &Whole) -> Result<(), OAuthError> {
    if token.claims.client_id != client.id.as_str() {
        return Err(of_another_client(client));
    }
    let expires_at = token.expires_at();
    if expires_at.is_past(cx.now) || cx.denials.contain(&token.claims.jti, expires_at) {
        return Ok(());
    }
    match PlainToken::parse(TokenKind::Access, text) {
        Some(opaque) => end(cx, client, &opaque),
        None => deny(cx, client, token),
    }
}

/// An opaque token: its own row says that it is dead.
fn end(cx: &Cx, client: &Client, token: &PlainToken) -> Result<(), OAuthError> {
    let (id, now) = (token.id().to_owned(), cx.now);
    let first =
        cx.store.write("revoke an opaque token", move |conn| opaque_tokens::revoke(conn, &id, now))?;
    if first {
        tracing::info!(client = %client.id, id = token.id(), "access token revoked by its client");
    }
    Ok(())
}

fn deny(cx: &Cx, client: &Client, token: &Whole) -> Result<(), OAuthError> {
    let (jti, expires_at) = (token.claims.jti.to_string(), token.expires_at());
    let known = cx.store.read("find a denied token", |conn| denied_tokens::contains(conn, &jti))?;
    if !known {
        let denied = jti.clone();
        let first =
            cx.store.write("deny a token", move |conn| denied_tokens::insert(conn, &denied, expires_at))?;
        if first {
            tracing::info!(client = %client.id, jti, "access token revoked by its client");
        }
    }
    // The other nodes read it within a second.
    cx.denials.learn(&jti, expires_at);
    Ok(())
}

/// RFC 7009 §2.1: "If this validation fails, the request is refused and the client is informed of the error". Of the codes
/// of RFC 6749 §5.2, `invalid_grant` is the one for what "was issued to another client".
fn of_another_client(client: &Client) -> OAuthError {
    let event = "revocation_of_another_clients_token";
    tracing::warn!(target: "countersign::security", event, client = %client.id, "refused");
    OAuthError::new(ErrorCode::InvalidGrant).describe("the token was given to another client")
}

/// What this server makes, and whoever sends it takes for a token, but what is revoked elsewhere or not at all; and a
/// token that is encrypted to a resource server, which only that can open.
fn is_of_another_type(cx: &Cx, text: &str) -> bool {
    [TokenKind::Code, TokenKind::Api].into_iter().any(|kind| PlainToken::parse(kind, text).is_some())
        || is_encrypted(text)
        || cx.snapshot.keys.verify(text, TokenType::IdToken).is_ok()
}

/// RFC 7516 §3.1: a JWE in its compact form.
fn is_encrypted(text: &str) -> bool {
    let header = text
        .split_once('.')
        .filter(|_| text.split('.').count() == 5)
        .and_then(|(header, _)| serde_json::from_slice::<Map<String, Value>>(&from_base64url(header)?).ok());
    header.is_some_and(|header| header.contains_key("enc"))
}
