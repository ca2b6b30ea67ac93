//! The life of a signing key: published → active → retired → withdrawn → removed; or compromised, and gone at once.
//!
//! A verifier that caches the JWKS by its `Cache-Control` must never meet a token whose key it has not seen, so a key signs
//! only once it has been published for as long as a cache may live, and it stays published until its last token is dead.
//! ID tokens are shown for longer than they live, as hints: withdrawn, a key verifies those and nothing else.

use super::ImpossibleRow;
use crate::base::{Seconds, Timestamp};
use crate::oauth::algorithm::SigningAlgorithm;

/// How much longer than its last token a key is shown: verifiers' clocks differ, and they grant leeway on `exp`.
pub const RETIREMENT_LEEWAY: Seconds = Seconds(300);

/// A signing key as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKeyRecord {
    /// The RFC 7638 thumbprint.
    pub kid: String,
    /// The one algorithm that the key is used with.
    pub algorithm: SigningAlgorithm,
    /// The public key as a JWK, in JSON.
    pub public_jwk: String,
    /// The private key, sealed under a master key; empty once the key is compromised or withdrawn.
    pub sealed_private: String,
    /// Where in its life the key is.
    pub state: KeyState,
    /// The longest life of any token that it may have signed. It only grows: a life that is shortened later still has
    /// tokens of the longer one.
    pub longest_token: Seconds,
    /// When the key was made or imported.
    pub created_at: Timestamp,
}

impl SigningKeyRecord {
    /// Whether nothing is left of it that could sign: it was given up, or it verifies hints only.
    #[must_use]
    pub fn is_public_only(&self) -> bool {
        match self.state {
            KeyState::Compromised { .. } => true,
            KeyState::Retired { .. } => self.sealed_private.is_empty(),
            KeyState::Published { .. } | KeyState::Active { .. } => false,
        }
    }

    /// Whether the JWKS shows the key at `now`. One whose private part is gone has left it, whatever the clock of this node
    /// says: another node, whose clock is ahead, has withdrawn it.
    #[must_use]
    pub fn is_published(&self, now: Timestamp) -> bool {
        self.state.is_published(now) && !self.is_public_only()
    }

    /// Whether the key has signed and left the JWKS in the ordinary way: only ID token hints need it from then on.
    #[must_use]
    pub fn is_withdrawn(&self, now: Timestamp) -> bool {
        matches!(self.state, KeyState::Retired { activated_at: Some(_), .. }) && !self.is_published(now)
    }
}

/// Where in its life a key is, with the dates that led there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// In the JWKS, not yet signing.
    Published {
        /// First shown in the JWKS.
        published_at: Timestamp,
    },
    /// In the JWKS and signing.
    Active {
        /// First shown in the JWKS.
        published_at: Timestamp,
        /// Signing since.
        activated_at: Timestamp,
    },
    /// In the JWKS until `remove_at`, signing no more. From then on it is withdrawn: what it signed counts as a hint only.
    Retired {
        /// First shown in the JWKS.
        published_at: Timestamp,
        /// Signing since; nothing when the key never signed.
        activated_at: Option<Timestamp>,
        /// Not signing since.
        retired_at: Timestamp,
        /// From here on no token that it signed is alive.
        remove_at: Timestamp,
    },
    /// Somebody else may have it: not in the JWKS, and nothing that it signed counts. It is remembered by its name, so that
    /// nobody takes it in again.
    Compromised {
        /// First shown in the JWKS.
        published_at: Timestamp,
        /// Signing since; nothing when the key never signed.
        activated_at: Option<Timestamp>,
        /// Given up.
        compromised_at: Timestamp,
    },
}

/// Why a key does not change its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransitionRefused {
    /// Verifiers may hold a cached JWKS without the key.
    #[error(
        "the key was published at {published_at}; verifiers may hold a key set without it until {not_before}: wait until then"
    )]
    TooFresh {
        /// First shown in the JWKS.
        published_at: Timestamp,
        /// From here on it may sign.
        not_before: Timestamp,
    },
    /// The key signs already.
    #[error("the key is active already")]
    AlreadyActive,
    /// A retired key never comes back.
    #[error("the key is retired; make a new one")]
    Retired,
    /// A compromised key never comes back.
    #[error("the key was given up as compromised; make a new one")]
    Compromised,
}

impl KeyState {
    /// Lets the key sign.
    ///
    /// # Errors
    /// When a verifier may still have a cached JWKS without the key (`jwks_max_age`), or the state does not allow it.
    pub fn activate(self, now: Timestamp, jwks_max_age: Seconds) -> Result<Self, TransitionRefused> {
        if let Self::Published { published_at } = self {
            let not_before = published_at + jwks_max_age;
            if !not_before.is_past(now) {
                return Err(TransitionRefused::TooFresh { published_at, not_before });
            }
        }
        self.activate_first(now)
    }

    /// Lets the key sign at once. Only for the first key of an algorithm (nobody can have cached a set that lacks it and
    /// yet expect its tokens), or when an operator accepts failing verifiers, as after the loss of a key.
    ///
    /// # Errors
    /// When the state does not allow it.
    pub fn activate_first(self, now: Timestamp) -> Result<Self, TransitionRefused> {
        match self {
            Self::Published { published_at } => Ok(Self::Active { published_at, activated_at: now }),
            Self::Active { .. } => Err(TransitionRefused::AlreadyActive),
            Self::Retired { .. } => Err(TransitionRefused::Retired),
            Self::Compromised { .. } => Err(TransitionRefused::Compromised),
        }
    }

    /// Stops the key from signing; it stays published for `kept_for`, in which its last token dies, and for
    /// [`RETIREMENT_LEEWAY`].
    ///
    /// # Errors
    /// When it is retired already: its dates stand.
    pub fn retire(self, now: Timestamp, kept_for: Seconds) -> Result<Self, TransitionRefused> {
        let (published_at, activated_at) = match self {
            Self::Published { published_at } => (published_at, None),
            Self::Active { published_at, activated_at } => (published_at, Some(activated_at)),
            Self::Retired { .. } => return Err(TransitionRefused::Retired),
            Self::Compromised { .. } => return Err(TransitionRefused::Compromised),
        };
        let remove_at = now + kept_for + RETIREMENT_LEEWAY;
        Ok(Self::Retired { published_at, activated_at, retired_at: now, remove_at })
    }

    /// Takes the key out at once.
    ///
    /// # Errors
    /// When it was taken out already.
    pub fn compromise(self, now: Timestamp) -> Result<Self, TransitionRefused> {
        let (published_at, activated_at) = match self {
            Self::Published { published_at } => (published_at, None),
            Self::Active { published_at, activated_at } => (published_at, Some(activated_at)),
            Self::Retired { published_at, activated_at, .. } => (published_at, activated_at),
            Self::Compromised { .. } => return Err(TransitionRefused::Compromised),
        };
        Ok(Self::Compromised { published_at, activated_at, compromised_at: now })
    }

    /// Whether the JWKS shows the key at `now`.
    #[must_use]
    pub fn is_published(self, now: Timestamp) -> bool {
        match self {
            Self::Published { .. } | Self::Active { .. } => true,
            Self::Retired { remove_at, .. } => !remove_at.is_past(now),
            Self::Compromised { .. } => false,
        }
    }

    /// The word for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Published { .. } => "published",
            Self::Active { .. } => "active",
            Self::Retired { .. } => "retired",
            Self::Compromised { .. } => "compromised",
        }
    }

    /// As columns.
    #[must_use]
    pub fn to_columns(self) -> KeyStateColumns {
        let (published_at, activated_at, retired_at, remove_at, compromised_at) = match self {
            Self::Published { published_at } => (published_at, None, None, None, None),
            Self::Active { published_at, activated_at } => {
                (published_at, Some(activated_at), None, None, None)
            }
            Self::Retired { published_at, activated_at, retired_at, remove_at } => {
                (published_at, activated_at, Some(retired_at), Some(remove_at), None)
            }
            Self::Compromised { published_at, activated_at, compromised_at } => {
                (published_at, activated_at, None, None, Some(compromised_at))
            }
        };
        KeyStateColumns {
            published_at: published_at.0,
            activated_at: activated_at.map(|at| at.0),
            retired_at: retired_at.map(|at| at.0),
            remove_at: remove_at.map(|at| at.0),
            compromised_at: compromised_at.map(|at| at.0),
        }
    }

    /// From columns; `kid` is for the fault's text.
    ///
    /// # Errors
    /// When no key can be in the state that the row claims.
    pub fn from_columns(kid: &str, columns: KeyStateColumns) -> Result<Self, ImpossibleRow> {
        let fault = |column, text: &str| ImpossibleRow {
            table: "signing_keys",
            column,
            id: kid.to_owned(),
            text: text.to_owned(),
        };
        let published_at = Timestamp(columns.published_at);
        let activated_at = columns.activated_at.map(Timestamp);
        if let Some(compromised_at) = columns.compromised_at.map(Timestamp) {
            return match (columns.retired_at, columns.remove_at) {
                (None, None) => Ok(Self::Compromised { published_at, activated_at, compromised_at }),
                _ => Err(fault("compromised_at", "set beside retired_at or remove_at")),
            };
        }
        match (activated_at, columns.retired_at, columns.remove_at) {
            (None, None, None) => Ok(Self::Published { published_at }),
            (Some(activated_at), None, None) => Ok(Self::Active { published_at, activated_at }),
            (_, Some(retired_at), Some(remove_at)) if retired_at <= remove_at => Ok(Self::Retired {
                published_at,
                activated_at,
                retired_at: Timestamp(retired_at),
                remove_at: Timestamp(remove_at),
            }),
            (_, None, Some(_)) => Err(fault("retired_at", "empty, although remove_at is set")),
            (_, Some(_), None) => Err(fault("remove_at", "empty, although retired_at is set")),
            (_, Some(_), Some(_)) => Err(fault("remove_at", "before retired_at")),
        }
    }
}

/// The columns that hold a [`KeyState`], as epoch seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyStateColumns {
    /// Always set.
    pub published_at: i64,
    /// Set once the key has signed.
    pub activated_at: Option<i64>,
    /// Set together with `remove_at`.
    pub retired_at: Option<i64>,
    /// Set together with `retired_at`, and not before it.
    pub remove_at: Option<i64>,
    /// Set when the key was given up; the two before it are empty then.
    pub compromised_at: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLISHED: KeyState = KeyState::Published { published_at: Timestamp(1000) };
    const ACTIVE: KeyState =
        KeyState::Active { published_at: Timestamp(1000), activated_at: Timestamp(1600) };

    #[test]
    fn a_key_signs_only_once_every_cached_key_set_has_it() {
        let refused =
            TransitionRefused::TooFresh { published_at: Timestamp(1000), not_before: Timestamp(1600) };
        assert_eq!(PUBLISHED.activate(Timestamp(1599), Seconds(600)), Err(refused));
        assert_eq!(PUBLISHED.activate(Timestamp(1600), Seconds(600)), Ok(ACTIVE));
    }

    #[test]
    fn the_very_first_key_signs_at_once() {
        let state = PUBLISHED.activate_first(Timestamp(1000)).unwrap();
        assert_eq!(state, KeyState::Active { published_at: Timestamp(1000), activated_at: Timestamp(1000) });
    }

    #[test]
    fn a_retired_key_is_shown_until_its_last_token_is_dead() {
        let retired = ACTIVE.retire(Timestamp(2000), Seconds(3600)).unwrap();
        let KeyState::Retired { remove_at, .. } = retired else { panic!("{retired:?}") };
        assert_eq!(remove_at, Timestamp(2000) + Seconds(3600) + RETIREMENT_LEEWAY);
        assert!(retired.is_published(remove_at - Seconds(1)));
        assert!(!retired.is_published(remove_at));
    }

    #[test]
    fn a_key_that_signed_and_is_shown_no_more_is_withdrawn() {
        let record = |state, sealed: &str| SigningKeyRecord {
            kid: "k".to_owned(),
            algorithm: SigningAlgorithm::Es256,
            public_jwk: String::new(),
            sealed_private: sealed.to_owned(),
            state,
            longest_token: Seconds(0),
            created_at: Timestamp(1000),
        };
        let (now, later) = (Timestamp(2000), Timestamp(9000));
        let retired = ACTIVE.retire(now, Seconds(60)).unwrap();
        assert!(!record(retired, "x").is_withdrawn(now) && record(retired, "x").is_published(now));
        assert!(record(retired, "x").is_withdrawn(later) && !record(retired, "x").is_published(later));
        // By a node whose clock is ahead.
        assert!(record(retired, "").is_withdrawn(now) && !record(retired, "").is_published(now));
        for state in [PUBLISHED, ACTIVE, PUBLISHED.retire(now, Seconds(60)).unwrap()] {
            assert!(!record(state, "x").is_withdrawn(later), "{state:?}");
        }
        assert!(!record(retired.compromise(now).unwrap(), "").is_withdrawn(later));
    }

    #[test]
    fn a_retired_key_never_comes_back() {
        let retired = PUBLISHED.retire(Timestamp(2000), Seconds(3600)).unwrap();
        assert_eq!(retired.activate(Timestamp(99_999), Seconds(0)), Err(TransitionRefused::Retired));
        assert_eq!(retired.activate_first(Timestamp(99_999)), Err(TransitionRefused::Retired));
        assert_eq!(retired.retire(Timestamp(99_999), Seconds(0)), Err(TransitionRefused::Retired));
    }

    #[test]
    fn a_compromised_key_is_shown_no_more_and_never_comes_back() {
        for state in [PUBLISHED, ACTIVE, ACTIVE.retire(Timestamp(2000), Seconds(3600)).unwrap()] {
            let gone = state.compromise(Timestamp(2100)).unwrap();
            assert!(state.is_published(Timestamp(2100)) && !gone.is_published(Timestamp(2100)));
            let refused = Err(TransitionRefused::Compromised);
            assert_eq!(gone.activate(Timestamp(99_999), Seconds(0)), refused);
            assert_eq!(gone.activate_first(Timestamp(99_999)), refused);
            assert_eq!(gone.retire(Timestamp(99_999), Seconds(0)), refused);
            assert_eq!(gone.compromise(Timestamp(99_999)), refused);
        }
    }

    #[test]
    fn an_active_key_is_not_activated_again() {
        assert_eq!(ACTIVE.activate(Timestamp(9000), Seconds(600)), Err(TransitionRefused::AlreadyActive));
    }

    #[test]
    fn every_state_survives_its_columns() {
        let retired = [PUBLISHED, ACTIVE].map(|state| state.retire(Timestamp(2000), Seconds(60)).unwrap());
        for state in [PUBLISHED, ACTIVE, retired[0], retired[1]] {
            assert_eq!(KeyState::from_columns("k", state.to_columns()), Ok(state));
            let compromised = state.compromise(Timestamp(3000)).unwrap();
            assert_eq!(KeyState::from_columns("k", compromised.to_columns()), Ok(compromised));
        }
    }

    #[test]
    fn an_impossible_row_is_named() {
        let row = |activated_at, retired_at, remove_at| {
            let columns = KeyStateColumns {
                published_at: 1,
                activated_at,
                retired_at,
                remove_at,
                compromised_at: None,
            };
            KeyState::from_columns("k1", columns).map_err(|fault| (fault.table, fault.column, fault.id))
        };
        let fault = |column| Err(("signing_keys", column, "k1".to_owned()));
        assert_eq!(row(Some(2), Some(3), None), fault("remove_at"));
        assert_eq!(row(Some(2), None, Some(3)), fault("retired_at"));
        assert_eq!(row(None, None, Some(3)), fault("retired_at"));
        assert_eq!(row(Some(2), Some(4), Some(3)), fault("remove_at"));
        let retired = ACTIVE.retire(Timestamp(2000), Seconds(60)).unwrap();
        let both = KeyStateColumns { compromised_at: Some(5), ..retired.to_columns() };
        assert_eq!(KeyState::from_columns("k1", both).unwrap_err().column, "compromised_at");
    }
}
