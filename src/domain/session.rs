//! A browser session: who signed in, when, and until when that counts.

use crate::base::{HashedToken, Id, Seconds, Timestamp};
use crate::oauth::ClientId;

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

/// `sid` (OpenID Connect Front-Channel Logout 1.0 §3): what a client knows a session by. Each knows it by another, so that
/// two of them cannot compare.
#[must_use]
pub fn sid(session: Id, client: &ClientId) -> String {
    Id::named(&["sid", &session.to_string(), client.as_str()]).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_knows_a_session_by_a_name_of_its_own() {
        let session =
            |last: &str| format!("00000000-0000-4000-8000-00000000000{last}").parse::<Id>().unwrap();
        let (web, app): (ClientId, ClientId) = ("web".parse().unwrap(), "app".parse().unwrap());
        assert_eq!(sid(session("1"), &web), sid(session("1"), &web));
        assert_ne!(sid(session("1"), &web), sid(session("1"), &app));
        assert_ne!(sid(session("1"), &web), sid(session("2"), &web));
        assert_ne!(sid(session("1"), &web), session("1").to_string());
    }
}
