//! Makes the tokens of a grant (RFC 6749 §5.1). What is stored is stored in the grant's own transaction; what is signed is
//! signed after its commit, outside of any transaction: SQLite has one writer.
//!
//! ```text
//! Granted ─► prepare (inside the transaction), or prepare_alone (for a grant that has none) ─► Prepared ─► tokens
//! ```

mod access_token;
mod id_token;
mod introspection;
mod logout_token;
mod opaque;
mod protect;
mod size;
mod userinfo;

pub(super) use introspection::signed_introspection;
pub(super) use logout_token::logout_token;
pub(super) use userinfo::userinfo;

use crate::base::{Entropy, PlainToken, Seconds, Timestamp};
use crate::domain::authorization::REMEMBERED;
use crate::domain::resource_server::TokenFormat;
use crate::domain::{Client, ResourceServer};
use crate::jose::{Signer, TokenType};
use crate::oauth::algorithm::SigningAlgorithm;
use crate::oauth::token_response::TokenResponse;
use crate::oauth::{ErrorCode, OAuthError, Resource};
use crate::store::{Conn, StoreError, opaque_tokens};

use super::target::TokenTarget;
use super::token::{By, Granted};
use super::{Cx, Policy, Snapshot};

pub(super) use size::Told;

/// A grant whose access token is stored, if it is one that is stored.
pub struct Prepared {
    granted: Granted,
    opaque: Option<PlainToken>,
}

/// Stores an opaque access token with what it was granted by: both are committed, or neither is.
///
/// # Errors
/// When the database fails or there is no randomness.
pub fn prepare(
    conn: &mut Conn,
    now: Timestamp,
    policy: &Policy,
    entropy: &dyn Entropy,
    granted: Granted,
) -> Result<Prepared, StoreError> {
    let made = opaque::make(now, policy, entropy, &granted)?;
    if let Some((_, stored)) = &made {
        opaque_tokens::insert(conn, stored)?;
    }
    Ok(Prepared { granted, opaque: made.map(|(plain, _)| plain) })
}

/// The same for a grant that writes nothing itself: no write, or one for an opaque access token.
///
/// # Errors
/// `temporarily_unavailable` when the database is down; `invalid_client` when the client was deleted meanwhile.
pub fn prepare_alone(cx: &Cx, granted: Granted) -> Result<Prepared, OAuthError> {
    let made = opaque::make(cx.now, &cx.policy, &*cx.entropy, &granted)?;
    let Some((plain, stored)) = made else { return Ok(Prepared { granted, opaque: None }) };
    cx.store.write("store an access token", move |conn| opaque_tokens::insert(conn, &stored)).map_err(
        |error| match error {
            StoreError::Reference => {
                OAuthError::new(ErrorCode::InvalidClient).because("the client was deleted meanwhile")
            }
            other => other.into(),
        },
    )?;
    Ok(Prepared { granted, opaque: Some(plain) })
}

/// Signs what was granted.
///
/// # Errors
/// `server_error` when no key of the wanted algorithm is active, or signing or encryption fails.
pub fn tokens(cx: &Cx, prepared: Prepared) -> Result<TokenResponse, OAuthError> {
    let Prepared { granted, opaque } = prepared;
    let ttl = lives_for(cx.now, &cx.policy, &granted);
    let access_token = match opaque {
        Some(token) => token.reveal().to_owned(),
        None => access_token::mint(cx, &granted, ttl)?,
    };
    let id_token = match &granted.by {
        By::User(by) if by.id_token => Some(id_token::mint(cx, &granted, by, &access_token)?),
        _ => None,
    };
    let issued_token_type = match &granted.by {
        By::Token(token) => Some(token.issued),
        By::Client | By::User(_) => None,
    };
    Ok(TokenResponse {
        access_token,
        token_type: "Bearer",
        expires_in: ttl.0,
        scope: granted.target.scope.to_string(),
        refresh_token: granted.refresh_token.map(|token| token.reveal().to_owned()),
        id_token,
        issued_token_type,
    })
}

/// How long this access token lives: as long as its authorization is remembered at most, since it is looked up by that; and
/// no longer than the one that it is exchanged for.
fn lives_for(now: Timestamp, policy: &Policy, granted: &Granted) -> Seconds {
    let ttl = access_token_ttl(policy, &granted.client, granted.target.server.as_deref());
    match &granted.by {
        By::Client => ttl,
        By::User(by) => ttl.min(by.ends_at + REMEMBERED - now),
        By::Token(token) => ttl.min(token.ends_at - now),
    }
}

/// The shorter of what the client and the resource server say; the server's default where neither does.
pub(super) fn access_token_ttl(policy: &Policy, client: &Client, server: Option<&ResourceServer>) -> Seconds {
    match (client.access_token_ttl, server.and_then(|server| server.access_token_ttl)) {
        (Some(client), Some(server)) => client.min(server),
        (Some(ttl), None) | (None, Some(ttl)) => ttl,
        (None, None) => policy.access_token_ttl,
    }
}

/// The longest life of an access token of this client at any of these resource servers.
pub(super) fn longest_access_token(
    policy: &Policy,
    snapshot: &Snapshot,
    client: &Client,
    resources: &[Resource],
) -> Seconds {
    let ttls = resources
        .iter()
        .map(|id| access_token_ttl(policy, client, snapshot.resource_server(id).map(AsRef::as_ref)));
    ttls.max().unwrap_or_else(|| access_token_ttl(policy, client, None))
}

/// Whether there is a key for everything that is to be signed or encrypted for a resource server. Asked before anything is
/// used up: a code or a refresh token that went for an answer that nobody can give would be lost, and look stolen when it is
/// shown again.
///
/// # Errors
/// `server_error`, as [`tokens`] would say.
pub fn can_make(
    snapshot: &Snapshot,
    policy: &Policy,
    client: &Client,
    target: &TokenTarget,
) -> Result<(), OAuthError> {
    let server = target.server.as_deref();
    if !server.is_some_and(|server| matches!(server.token_format, TokenFormat::Opaque)) {
        signer(snapshot, access_token::algorithm(policy, server))?;
    }
    if let Some(server) = server.filter(|server| server.token_format.encryption().is_some()) {
        access_token::encrypter(snapshot, server)?;
    }
    if target.scope.contains("openid") {
        signer(snapshot, id_token::algorithm(policy, client))?;
    }
    Ok(())
}

fn fault(why: String) -> OAuthError {
    OAuthError::new(ErrorCode::ServerError).because(why)
}

fn signer(snapshot: &Snapshot, algorithm: SigningAlgorithm) -> Result<&Signer, OAuthError> {
    snapshot.keys.signer(algorithm).ok_or_else(|| {
        fault(format!("no active {algorithm} key: countersign key generate --algorithm {algorithm}"))
    })
}

fn sign(
    cx: &Cx,
    algorithm: SigningAlgorithm,
    kind: TokenType,
    claims: &impl serde::Serialize,
) -> Result<String, OAuthError> {
    let signer = signer(&cx.snapshot, algorithm)?;
    // Most claims fit without growing.
    let mut json = Vec::with_capacity(1024);
    serde_json::to_writer(&mut json, claims).map_err(|e| fault(format!("claims: {e}")))?;
    signer.sign(kind, &json).map_err(|e| fault(format!("signing with {algorithm}: {e}")))
}
