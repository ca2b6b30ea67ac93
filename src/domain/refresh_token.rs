//! A refresh token (RFC 6749 §1.5) of a family that rotates (RFC 9700 §4.14.2).

use crate::base::{HashedToken, Id, Timestamp};

/// A refresh token, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// The hash of the token, behind its id.
    pub hash: HashedToken,
    /// The family.
    pub authorization_id: Id,
    /// When it was given out.
    pub created_at: Timestamp,
    /// From when on it is dead, used or not.
    pub expires_at: Timestamp,
    /// When it was exchanged for the next one.
    pub used_at: Option<Timestamp>,
    /// The id of the master key that its successor was derived with; nothing where nobody is to find that again.
    pub successor_key: Option<String>,
}
