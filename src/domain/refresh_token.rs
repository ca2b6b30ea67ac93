//! A refresh token (RFC 6749 §1.5) of a family that rotates (RFC 9700 §4.14.2).

use crate::base::{HashedToken, Id, Seconds, Timestamp};

use super::Authorization;

/// A refresh token, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// The hash of the token, behind its id.
    pub hash: HashedToken,
    /// The family.
    pub authorization_id: Id,
    /// When it was given out.
    pub created_at: Timestamp,
    /// From when on nobody needs to know of it: no family that it may belong to lives then, so that its reuse is always
    /// noticed. It is dead before ([`RefreshToken::ends_at`]).
    pub expires_at: Timestamp,
    /// When it was exchanged for the next one.
    pub used_at: Option<Timestamp>,
    /// The id of the master key that its successor was derived with; nothing where nobody is to find that again.
    pub successor_key: Option<String>,
}

/// How long the refresh tokens of a client live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshLives {
    /// A family, from the login on.
    pub family: Seconds,
    /// A token that nobody uses.
    pub idle: Seconds,
}

impl RefreshToken {
    /// Until when it can be used, if nobody does.
    #[must_use]
    pub fn ends_at(&self, authorization: &Authorization, lives: RefreshLives) -> Timestamp {
        // An authorization that is bound to a session may have to live longer, for one long access token.
        let family_ends_at = authorization.expires_at.min(authorization.created_at + lives.family);
        family_ends_at.min(self.created_at + lives.idle).min(self.expires_at)
    }
}
