//! Makes the tokens of a grant (RFC 6749 §5.1), after its commit and outside of any transaction: SQLite has one writer.

mod access_token;
mod id_token;

use crate::base::Seconds;
use crate::domain::authorization::REMEMBERED;
use crate::domain::{Client, ResourceServer};
use crate::jose::TokenType;
use crate::oauth::algorithm::SigningAlgorithm;
use crate::oauth::token_response::TokenResponse;
use crate::oauth::{ErrorCode, OAuthError, Resource};

use super::token::Granted;
use super::{Cx, Policy, Snapshot};

/// Signs what was granted.
///
/// # Errors
/// `server_error` when no key of the wanted algorithm is active, or signing fails.
pub fn tokens(cx: &Cx, granted: Granted) -> Result<TokenResponse, OAuthError> {
    let ttl = lives_for(cx, &granted);
    let access_token = access_token::mint(cx, &granted, ttl)?;
    let id_token = match &granted.by {
        Some(by) if by.id_token => Some(id_token::mint(cx, &granted, by)?),
        _ => None,
    };
    Ok(TokenResponse {
        access_token,
        token_type: "Bearer",
        expires_in: ttl.0,
        scope: granted.target.scope.to_string(),
        refresh_token: granted.refresh_token.map(|token| token.reveal().to_owned()),
        id_token,
    })
}

/// How long this access token lives: as long as its authorization is remembered at most, since it is looked up by that.
fn lives_for(cx: &Cx, granted: &Granted) -> Seconds {
    let ttl = access_token_ttl(&cx.policy, &granted.client, granted.target.server.as_deref());
    match &granted.by {
        Some(by) => ttl.min(by.ends_at + REMEMBERED - cx.now),
        None => ttl,
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

fn sign(
    cx: &Cx,
    algorithm: SigningAlgorithm,
    kind: TokenType,
    claims: &impl serde::Serialize,
) -> Result<String, OAuthError> {
    let fault = |why: String| OAuthError::new(ErrorCode::ServerError).because(why);
    let signer = cx.snapshot.keys.signer(algorithm).ok_or_else(|| {
        fault(format!("no active {algorithm} key: countersign key generate --algorithm {algorithm}"))
    })?;
    // Most claims fit without growing.
    let mut json = Vec::with_capacity(1024);
    serde_json::to_writer(&mut json, claims).map_err(|e| fault(format!("claims: {e}")))?;
    signer.sign(kind, &json).map_err(|e| fault(format!("signing with {algorithm}: {e}")))
}

impl Snapshot {
    /// Whether no access token needs an RSA signature, which is too slow for a worker.
    #[must_use]
    pub fn signs_fast(&self) -> bool {
        !self.slow_signatures
    }
}
