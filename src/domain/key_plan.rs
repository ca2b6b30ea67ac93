//! The plan by which keys rotate: per algorithm, when the next key is published, when it signs, how long the former one is
//! kept. Only dates are reckoned here; `flow::keys::rotation` acts on them.

use super::key::{KeyState, SigningKeyRecord};
use crate::base::{Seconds, Timestamp};
use crate::oauth::algorithm::SigningAlgorithm;

/// How long after the date of its publication a node may still answer with the key set before it. A key is dated before it
/// is made and stored (seconds, where it is RSA), each node looks at the database once a second, and clocks differ a little.
/// A cache that was filled by such an answer counts from then.
pub const NODES_FOLLOW: Seconds = Seconds(30);
/// What is due for longer than this is overdue: every node looks about once a minute.
const PATIENCE: Seconds = Seconds(3600);

/// The plan of one algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPlan {
    /// What its keys sign with.
    pub algorithm: SigningAlgorithm,
    /// How long a key signs.
    pub sign_for: Seconds,
    /// How long before it signs a key is published.
    pub publish_ahead: Seconds,
    /// How long a retired key stays published: its longest token at least. Twice that where nothing is said.
    pub keep_retired: Option<Seconds>,
}

/// What the configuration says about the life of keys.
#[derive(Clone, Debug)]
pub struct KeyRules {
    /// Whether keys rotate by themselves.
    pub rotate: bool,
    /// One for each algorithm that keys are kept for.
    pub plans: Vec<KeyPlan>,
    /// How long verifiers may cache the JWKS.
    pub jwks_max_age: Seconds,
    /// The longest life that the configuration gives any token; clients and resource servers may give longer ones.
    pub longest_token: Seconds,
    /// The longest life of a session: for as long its ID tokens are hints.
    pub longest_session: Seconds,
    /// How long a node that does not reach the database goes on signing with the keys that it knows.
    pub max_stale: Seconds,
    /// The size of new RSA keys.
    pub rsa_bits: u32,
}

impl KeyRules {
    /// How long after its publication some verifier may still hold a set without the key.
    #[must_use]
    pub fn cached_for(&self) -> Seconds {
        Seconds(self.jwks_max_age.0 + NODES_FOLLOW.0)
    }

    /// How long a key is kept after its retirement, if `longest` is the longest life of its tokens.
    #[must_use]
    pub fn kept_for(&self, algorithm: SigningAlgorithm, longest: Seconds) -> Seconds {
        let wanted = self.plan(algorithm).and_then(|plan| plan.keep_retired);
        let kept = wanted.map_or(Seconds(longest.0 * 2), |wanted| wanted.max(longest));
        Seconds(kept.0 + self.max_stale.0)
    }

    /// Until when a key that left the JWKS verifies ID token hints; nothing for one that has not begun to leave, or never
    /// signed.
    #[must_use]
    pub fn hints_until(&self, state: KeyState) -> Option<Timestamp> {
        match state {
            KeyState::Retired { activated_at: Some(_), remove_at, .. } => {
                Some(remove_at + self.longest_session)
            }
            KeyState::Retired { activated_at: None, .. }
            | KeyState::Published { .. }
            | KeyState::Active { .. }
            | KeyState::Compromised { .. } => None,
        }
    }

    /// The plan of an algorithm, where keys are kept for it.
    #[must_use]
    pub fn plan(&self, algorithm: SigningAlgorithm) -> Option<&KeyPlan> {
        self.plans.iter().find(|plan| plan.algorithm == algorithm)
    }
}

/// What comes next for an algorithm, reckoned from the keys that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule<'a> {
    /// The key that signs.
    pub active: Option<&'a SigningKeyRecord>,
    /// The published key that signs next: the oldest.
    pub next: Option<&'a SigningKeyRecord>,
    /// When a next key is published; nothing while one is.
    pub publish_at: Option<Timestamp>,
    /// When the next key signs; where it has yet to be published, the earliest.
    pub activate_at: Timestamp,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due<'a> {
    /// Make a key and publish it.
    Publish,
    /// Let this key sign, and retire the one that signed.
    Activate(&'a SigningKeyRecord),
}

impl<'a> Schedule<'a> {
    /// Reckons the dates. Whatever came late (all nodes were down, an operator acted by hand), a key is always published for
    /// as long as the plan says before it signs: late is better than a token that nobody can verify.
    #[must_use]
    pub fn of(records: &'a [SigningKeyRecord], plan: &KeyPlan, rules: &KeyRules, now: Timestamp) -> Self {
        let own = || records.iter().filter(|record| record.algorithm == plan.algorithm);
        let active = own().filter(|r| r.state.signs_since().is_some()).max_by_key(|r| r.state.signs_since());
        let next = own()
            .filter_map(|record| record.state.waits_since().map(|since| (since, record)))
            .min_by_key(|(since, record)| (*since, &record.kid));
        // Where nothing signs, every token that is asked for fails: the plan's long wait is for better times.
        let (ahead, former_ends_at) = match active.and_then(|record| record.state.signs_since()) {
            Some(since) => (plan.publish_ahead, since + plan.sign_for),
            None => (rules.cached_for(), own().filter_map(|r| r.state.ended_at()).max().unwrap_or(now)),
        };
        let (publish_at, published_at) = match next {
            Some((published_at, _)) => (None, published_at),
            None => {
                let planned = if active.is_some() { former_ends_at - ahead } else { former_ends_at };
                (Some(planned), planned.max(now))
            }
        };
        Self {
            active,
            next: next.map(|(_, record)| record),
            publish_at,
            activate_at: former_ends_at.max(published_at + ahead),
        }
    }

    /// What is to be done at `now`.
    #[must_use]
    pub fn due(&self, now: Timestamp) -> Option<Due<'a>> {
        match (self.next, self.publish_at) {
            (_, Some(at)) if at.is_past(now) => Some(Due::Publish),
            (Some(next), _) if self.activate_at.is_past(now) => Some(Due::Activate(next)),
            _ => None,
        }
    }

    /// Since when something is due that some node should have done long ago.
    #[must_use]
    pub fn overdue_since(&self, now: Timestamp) -> Option<Timestamp> {
        let at = self.publish_at.unwrap_or(self.activate_at);
        (at + PATIENCE).is_past(now).then_some(at)
    }
}

impl KeyState {
    /// Since when an active key signs.
    #[must_use]
    pub fn signs_since(self) -> Option<Timestamp> {
        match self {
            Self::Active { activated_at, .. } => Some(activated_at),
            Self::Published { .. } | Self::Retired { .. } | Self::Compromised { .. } => None,
        }
    }

    /// Since when a published key waits to sign.
    #[must_use]
    pub fn waits_since(self) -> Option<Timestamp> {
        match self {
            Self::Published { published_at } => Some(published_at),
            Self::Active { .. } | Self::Retired { .. } | Self::Compromised { .. } => None,
        }
    }

    /// When a key that signed stopped.
    fn ended_at(self) -> Option<Timestamp> {
        match self {
            Self::Retired { retired_at: at, .. } | Self::Compromised { compromised_at: at, .. } => Some(at),
            Self::Published { .. } | Self::Active { .. } => None,
        }
    }
}
