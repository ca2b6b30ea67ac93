//! The opaque access token (RFC 6749 §1.4): a name and a secret. What it stands for is stored, beside its hash.

use crate::base::entropy::EntropyError;
use crate::base::{Entropy, PlainToken, Timestamp, TokenKind};
use crate::domain::OpaqueToken;
use crate::domain::resource_server::TokenFormat;
use crate::flow::Policy;
use crate::flow::token::Granted;

use super::access_token;

/// A new token for the client and the row for the database, if the resource server takes such tokens.
pub(super) fn make(
    now: Timestamp,
    policy: &Policy,
    entropy: &dyn Entropy,
    granted: &Granted,
) -> Result<Option<(PlainToken, OpaqueToken)>, EntropyError> {
    let is_opaque = |format: &TokenFormat| matches!(format, TokenFormat::Opaque);
    if !granted.target.server.as_ref().is_some_and(|server| is_opaque(&server.token_format)) {
        return Ok(None);
    }
    let claims = access_token::claims(now, policy, entropy, granted, super::lives_for(now, policy, granted))?;
    let plain = PlainToken::random(TokenKind::Access, entropy)?;
    let stored = OpaqueToken {
        id: plain.id().to_owned(),
        hash: plain.hash(),
        client_id: granted.client.id.clone(),
        authorization_id: granted.by.family().and_then(|family| family.parse().ok()),
        claims: claims.into_owned(),
        revoked_at: None,
    };
    Ok(Some((plain, stored)))
}
