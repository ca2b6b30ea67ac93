//! A client that is to be told that a session ended (OpenID Connect Back-Channel Logout 1.0), and when it is tried again.

use crate::base::{Id, Seconds, Timestamp};
use crate::oauth::ClientId;

/// For how long it is tried.
pub const LONGEST: Seconds = Seconds(86_400);
/// Whoever takes one has it for that long: longer than a request may take.
pub const LEASE: Seconds = Seconds(120);
/// Between the first try and the second; each pause is twice as long as the one before.
const FIRST_PAUSE: i64 = 15;
/// The longest pause.
const LONGEST_PAUSE: i64 = 3600;

/// What is to be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutDelivery {
    /// Names it.
    pub id: Id,
    /// Who is told.
    pub client_id: ClientId,
    /// Which session ended.
    pub session_id: Id,
    /// Whose it was.
    pub user_id: Id,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is due.
    pub next_attempt_at: Timestamp,
    /// When the session ended.
    pub created_at: Timestamp,
    /// When it is given up.
    pub expires_at: Timestamp,
}

impl LogoutDelivery {
    /// One that is due at once. The same session and client make the same one.
    #[must_use]
    pub fn new(client_id: ClientId, session_id: Id, user_id: Id, now: Timestamp) -> Self {
        let id = Id::named(&["logout", &session_id.to_string(), client_id.as_str()]);
        let expires_at = now + LONGEST;
        Self {
            id,
            client_id,
            session_id,
            user_id,
            attempts: 0,
            next_attempt_at: now,
            created_at: now,
            expires_at,
        }
    }

    /// When it is tried again after it failed at `now`; nothing when it is given up. `chance` spreads what failed together
    /// over a quarter of the pause: a client that comes back is not run over.
    #[must_use]
    pub fn after_failure(&self, now: Timestamp, chance: u8) -> Option<Timestamp> {
        let doublings = u32::try_from(self.attempts.clamp(0, 16)).unwrap_or(16);
        let pause = (FIRST_PAUSE << doublings).min(LONGEST_PAUSE);
        let at = now + Seconds(pause + pause * i64::from(chance) / 1024);
        (!self.expires_at.is_past(at)).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery() -> LogoutDelivery {
        let id = "00000000-0000-4000-8000-000000000001".parse().unwrap();
        LogoutDelivery::new("web".parse().unwrap(), id, id, Timestamp(1000))
    }

    #[test]
    fn the_pauses_grow_up_to_an_hour_and_a_day_is_the_end() {
        let mut delivery = delivery();
        let (mut now, mut pauses) = (Timestamp(1000), Vec::new());
        while let Some(next) = delivery.after_failure(now, 0) {
            pauses.push((next - now).0);
            delivery.attempts += 1;
            now = next;
        }
        assert_eq!(pauses[..9], [15, 30, 60, 120, 240, 480, 960, 1920, 3600]);
        assert!(pauses[9..].iter().all(|pause| *pause == 3600), "{pauses:?}");
        assert!((LONGEST.0 - 3600..LONGEST.0).contains(&(now.0 - 1000)), "{now:?}");
    }

    #[test]
    fn chance_adds_up_to_a_quarter() {
        let mut delivery = delivery();
        delivery.attempts = 4;
        let next = |chance| (delivery.after_failure(Timestamp(1000), chance).unwrap() - Timestamp(1000)).0;
        assert_eq!((next(0), next(128), next(255)), (240, 270, 299));
    }
}
