//! Opaque access tokens (RFC 6749 §1.4): the client holds a name and a secret, what they stand for is here.

use crate::base::{HashedToken, Id, Timestamp};
use crate::oauth::{AccessTokenClaims, ClientId};

/// What an opaque access token stands for. It lives until `claims.exp`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpaqueToken {
    /// The part of the token that names it.
    pub id: String,
    /// The hash of the whole token.
    pub hash: HashedToken,
    /// To whom it was issued.
    pub client_id: ClientId,
    /// The family that it belongs to, where a user gave it.
    pub authorization_id: Option<Id>,
    /// What a JWT would say.
    pub claims: AccessTokenClaims<'static>,
    /// When it was revoked by itself, not with its family.
    pub revoked_at: Option<Timestamp>,
}
