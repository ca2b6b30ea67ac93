//! An opaque access token (RFC 6749 §1.4): found by the id in it, and nothing but its holder knows the rest.

use crate::base::PlainToken;
use crate::flow::Cx;
use crate::oauth::{AccessTokenClaims, OAuthError};
use crate::store::opaque_tokens;

use super::Dead;

pub(super) fn claims(
    cx: &Cx,
    token: &PlainToken,
) -> Result<Result<AccessTokenClaims<'static>, Dead>, OAuthError> {
    let found = cx.store.read("look up an opaque token", |conn| opaque_tokens::find(conn, token.id()))?;
    Ok(match found {
        None => Err(Dead("no opaque token has this id, or it has expired and was swept")),
        // The id may stand in a log; only the whole token counts, compared in constant time.
        Some(stored) if !stored.hash.matches(token.reveal()) => Err(Dead("its secret is not that of its id")),
        Some(stored) if stored.revoked_at.is_some() => Err(Dead("it was revoked")),
        Some(stored) if stored.claims.iss != cx.policy.issuer => Err(Dead("it is of another issuer")),
        Some(stored) => Ok(stored.claims),
    })
}
