//! Signing keys: made at the first start or by command, and what becomes of them.
//!
//! `life` is each step by itself, `rotation` takes the steps that the plan says, `compromise` is the way out of it, and
//! `reseal` follows a changed master key. Each change holds the row of the revision, so that of several nodes one acts.

mod compromise;
mod life;
mod reseal;
mod rotation;

use std::fmt;

use crate::base::{Entropy, Timestamp};
use crate::domain::key::TransitionRefused;
use crate::domain::{KeyRules, KeyState, SigningKeyRecord};
use crate::jose::{PrivateKey, Sealer, open_key};
use crate::oauth::algorithm::SigningAlgorithm;
use crate::store::{Conn, Store, StoreError, keys, revision};

pub use compromise::{Replaced, compromise};
pub use life::{Removed, activate, remove, retire};
pub use reseal::{kept_secrets, reseal};
pub use rotation::{Step, step};

/// Why a key was not made or changed.
#[derive(Debug)]
pub enum KeyFault {
    /// The database failed.
    Store(StoreError),
    /// The key could not be made, opened or sealed.
    Key(String),
    /// This key is there already.
    Taken,
    /// The key signs.
    Signs,
    /// No key of this kid.
    Unknown,
    /// The state does not allow it.
    Refused(TransitionRefused),
    /// The key still has tokens that live.
    StillNeeded(Timestamp),
    /// ID tokens that it signed are still hints.
    KeptForHints(Timestamp),
    /// The key was given up as compromised.
    Compromised,
    /// The key is kept by its name.
    Remembered,
    /// Somebody else changed the keys at the same moment.
    Meanwhile,
}

impl fmt::Display for KeyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Key(text) => f.write_str(text),
            Self::Taken => f.write_str("this key is there already: countersign key list"),
            Self::Signs => f.write_str("the key signs: activate another, or retire it, and wait"),
            Self::Unknown => f.write_str("there is no key of this kid: countersign key list"),
            Self::Refused(refused) => refused.fmt(f),
            Self::StillNeeded(until) => {
                write!(f, "tokens that it signed may live until {until}: wait until then, or say --at-once")
            }
            Self::KeptForHints(until) => write!(
                f,
                "only its public part is left, and verifies ID token hints until {until}: wait until then, or say --at-once"
            ),
            Self::Meanwhile => f.write_str("the keys were changed in the meantime: run this again"),
            Self::Compromised => f.write_str("this key was given up as compromised: it is not taken in again"),
            Self::Remembered => f.write_str(
                "the key is remembered as compromised, so that nobody takes it in again: --at-once forgets it",
            ),
        }
    }
}

impl std::error::Error for KeyFault {}

impl From<StoreError> for KeyFault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Sees to it that every configured algorithm has an active key: the oldest that was published (imported, perhaps, before
/// the first start), else a new one. Several nodes may start at once: whoever finds a key made active by another in the
/// meantime throws its own away. And what the configuration gives tokens from now on is noted with the keys.
///
/// # Errors
/// See [`KeyFault`]. A key that exists and cannot be opened is an error: no new one is made in its place.
pub fn ensure(
    store: &Store,
    sealer: &Sealer,
    entropy: &dyn Entropy,
    rules: &KeyRules,
    now: Timestamp,
) -> Result<(), KeyFault> {
    let there = store.read("keys", keys_with_private_part)?;
    for record in &there {
        open_key(record, sealer, now).map_err(|e| KeyFault::Key(e.to_string()))?;
    }
    let algorithms = rules.plans.iter().map(|plan| plan.algorithm);
    for algorithm in algorithms.filter(|algorithm| !has_active(&there, *algorithm)) {
        let fresh = match waiting(&there, algorithm) {
            Some(_) => None,
            None => Some(make(algorithm, rules.rsa_bits, sealer, entropy, now)?),
        };
        let rules = rules.clone();
        let active = store.write("first key", move |conn: &mut Conn| {
            revision::lock(conn)?;
            let mut there = keys::all(conn)?;
            if has_active(&there, algorithm) {
                return Ok(None);
            }
            if let (None, Some(fresh)) = (waiting(&there, algorithm), &fresh) {
                keys::insert(conn, fresh)?;
                there.push(fresh.clone());
            }
            let Some(first) = waiting(&there, algorithm).cloned() else { return Ok(None) };
            // Nobody can have a set without it and yet expect its tokens.
            Ok(life::let_sign(conn, &there, &first, &rules, None, now)?.ok())
        })?;
        if let Some((key, _)) = active {
            tracing::info!(%algorithm, kid = key.kid, "first signing key active");
        }
    }
    let longest = rules.longest_token;
    if there.iter().any(|record| record.state.signs_since().is_some() && record.longest_token < longest) {
        store.write("longest token", move |conn| {
            revision::lock(conn)?;
            keys::raise_longest_token(conn, longest)
        })?;
    }
    Ok(())
}

/// All keys but those of which only the public part is left.
fn keys_with_private_part(conn: &mut Conn) -> Result<Vec<SigningKeyRecord>, StoreError> {
    let mut all = keys::all(conn)?;
    all.retain(|record| !record.is_public_only());
    Ok(all)
}

fn has_active(records: &[SigningKeyRecord], algorithm: SigningAlgorithm) -> bool {
    records
        .iter()
        .any(|record| record.algorithm == algorithm && matches!(record.state, KeyState::Active { .. }))
}

/// The oldest published key of the algorithm.
fn waiting(records: &[SigningKeyRecord], algorithm: SigningAlgorithm) -> Option<&SigningKeyRecord> {
    let waits =
        |record: &&SigningKeyRecord| record.algorithm == algorithm && record.state.waits_since().is_some();
    records.iter().find(waits)
}

fn make(
    algorithm: SigningAlgorithm,
    rsa_bits: u32,
    sealer: &Sealer,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<SigningKeyRecord, KeyFault> {
    let key = if algorithm.is_rsa() {
        PrivateKey::generate_rsa(algorithm, rsa_bits, entropy)
    } else {
        PrivateKey::generate(algorithm, entropy)
    };
    key.map_err(|e| KeyFault::Key(e.to_string()))?
        .to_record(sealer, now)
        .map_err(|e| KeyFault::Key(e.to_string()))
}

/// Makes a key and publishes it; it does not sign yet.
///
/// # Errors
/// See [`KeyFault`].
pub fn generate(
    store: &Store,
    sealer: &Sealer,
    entropy: &dyn Entropy,
    algorithm: SigningAlgorithm,
    rsa_bits: u32,
    now: Timestamp,
) -> Result<SigningKeyRecord, KeyFault> {
    let record = make(algorithm, rsa_bits, sealer, entropy, now)?;
    import(store, record)
}

/// Stores a key that was made elsewhere, published and not yet signing.
///
/// # Errors
/// [`KeyFault::Taken`] when it is there already, [`KeyFault::Compromised`] when it was given up.
pub fn import(store: &Store, record: SigningKeyRecord) -> Result<SigningKeyRecord, KeyFault> {
    let stored = record.clone();
    match store.write("store a key", move |conn| keys::insert(conn, &stored)) {
        Ok(()) => Ok(record),
        Err(StoreError::Conflict) => {
            let there = store.read("keys", keys::all)?;
            let compromised = there
                .iter()
                .any(|key| key.kid == record.kid && matches!(key.state, KeyState::Compromised { .. }));
            Err(if compromised { KeyFault::Compromised } else { KeyFault::Taken })
        }
        Err(other) => Err(other.into()),
    }
}
