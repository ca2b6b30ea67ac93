//! Clients that registered themselves (RFC 7591), and what let them do so.

use serde_json::{Map, Value};

use crate::base::{HashedToken, Seconds, Timestamp};
use crate::oauth::ClientId;

use super::Problem;
use super::client::MAX_NAME_BYTES;

/// The longest life of an initial access token, and the one that it has unless it is said otherwise.
pub const MAX_INITIAL_LIFE: Seconds = Seconds(366 * 86_400);
/// See [`MAX_INITIAL_LIFE`].
pub const INITIAL_LIFE: Seconds = Seconds(30 * 86_400);

/// What is kept of a client beside the client itself, because it registered itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Whose it is.
    pub client_id: ClientId,
    /// The hash of the registration access token.
    pub token_hash: HashedToken,
    /// The client's secret, sealed: it is told again whenever the client asks.
    pub sealed_secret: Option<String>,
    /// What it said of itself and only gets told again.
    pub metadata: Map<String, Value>,
    /// The initial access token that let it in, by its id.
    pub initial_token: Option<String>,
    /// When it registered.
    pub created_at: Timestamp,
    /// When it last got a code or a token, to about a minute.
    pub last_used_at: Option<Timestamp>,
    /// Until when it has to be used; nothing once it was.
    pub unused_until: Option<Timestamp>,
    /// When its registration access token was revoked, if it was.
    pub token_revoked_at: Option<Timestamp>,
}

/// What lets clients register (RFC 7591 §3: "initial access token").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitialAccessToken {
    /// The part of the token that may be seen.
    pub id: String,
    /// SHA-256 of the whole token.
    pub hash: HashedToken,
    /// What the operator calls it.
    pub name: String,
    /// How many clients it lets in; any number where nothing is said.
    pub max_uses: Option<i64>,
    /// How many it has let in.
    pub uses: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused.
    pub expires_at: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

impl InitialAccessToken {
    /// Whether it still lets a client in.
    #[must_use]
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none()
            && !self.expires_at.is_past(now)
            && self.max_uses.is_none_or(|most| self.uses < most)
    }
}

/// What somebody wants an initial access token to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitialWish {
    /// What to call it.
    pub name: String,
    /// How many clients it is to let in.
    pub max_uses: Option<i64>,
    /// How long it is to live.
    pub lives_for: Seconds,
}

impl InitialWish {
    /// Applies the rules.
    ///
    /// # Errors
    /// All problems at once.
    pub fn check(&self) -> Result<(), Vec<Problem>> {
        let mut found = Vec::new();
        let name = &self.name;
        if name.trim().is_empty() || name.len() > MAX_NAME_BYTES || name.chars().any(char::is_control) {
            found.push(Problem::new("name", "a name has 1 to 200 bytes and no control characters"));
        }
        if self.max_uses.is_some_and(|uses| uses < 1) {
            found.push(Problem::new("uses", "a token that lets nobody in is of no use: 1 or more"));
        }
        if self.lives_for.0 < 1 || self.lives_for > MAX_INITIAL_LIFE {
            found.push(Problem::new("expires_in", "more than nothing, and 366 days at most"));
        }
        if found.is_empty() { Ok(()) } else { Err(found) }
    }
}
