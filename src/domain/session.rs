//! A browser session: who signed in, when, and until when that counts.

use crate::base::{HashedToken, Id, Seconds, Timestamp};

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Names it in the log and in authorizations.
    pub id: Id,
    /// The hash of the cookie.
    pub token_hash: HashedToken,
    /// Who signed in.
    pub user_id: Id,
    /// `auth_time`: when the user last proved who they are.
    pub authenticated_at: Timestamp,
    /// When it was last used, to about a minute.
    pub last_seen_at: Timestamp,
    /// The latest end, however much it is used.
    pub expires_at: Timestamp,
    /// When the user signed out, if they did.
    pub ended_at: Option<Timestamp>,
}

impl Session {
    /// Whether it counts at `now`, given how long it may lie idle.
    #[must_use]
    pub fn is_alive(&self, now: Timestamp, idle_ttl: Seconds) -> bool {
        self.ended_at.is_none()
            && !self.expires_at.is_past(now)
            && !(self.last_seen_at + idle_ttl).is_past(now)
    }

    /// Whether its use should be written down (not at every request: a write costs more than it tells).
    #[must_use]
    pub fn is_stale(&self, now: Timestamp) -> bool {
        (now - self.last_seen_at).0 >= 60
    }
}
