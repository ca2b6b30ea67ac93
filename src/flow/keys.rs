//! The life of signing keys: made at the first start, published, activated, retired, removed, sealed anew.

use std::collections::HashMap;
use std::fmt;

use crate::base::{Entropy, Seconds, Timestamp};
use crate::domain::key::TransitionRefused;
use crate::domain::{KeyState, SigningKeyRecord};
use crate::jose::{PrivateKey, Sealer, open_key};
use crate::oauth::algorithm::SigningAlgorithm;
use crate::store::{Conn, Store, StoreError, clients, keys, resource_servers, revision};

/// How long after a change a node may still answer with the key set before it: a second for its look at the database, and
/// one because instants here are whole seconds. A cache that was filled then counts from then.
const NODES_FOLLOW: Seconds = Seconds(2);

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
/// meantime throws its own away.
///
/// # Errors
/// See [`KeyFault`]. A key that exists and cannot be opened is an error: no new one is made in its place.
pub fn ensure(
    store: &Store,
    sealer: &Sealer,
    entropy: &dyn Entropy,
    algorithms: &[SigningAlgorithm],
    rsa_bits: u32,
    now: Timestamp,
) -> Result<(), KeyFault> {
    let there = store.read("keys", keys::all)?;
    for record in &there {
        open_key(record, sealer, now).map_err(|e| KeyFault::Key(e.to_string()))?;
    }
    for &algorithm in algorithms.iter().filter(|algorithm| !has_active(&there, **algorithm)) {
        let fresh = match waiting(&there, algorithm, now) {
            Some(_) => None,
            None => {
                let mut record = make(algorithm, rsa_bits, sealer, entropy, now)?;
                record.state = record.state.activate_first(now).map_err(KeyFault::Refused)?;
                Some(record)
            }
        };
        let active = store.write("first key", move |conn: &mut Conn| {
            revision::lock(conn)?;
            let there = keys::all(conn)?;
            if has_active(&there, algorithm) {
                return Ok(None);
            }
            if let Some(record) = waiting(&there, algorithm, now) {
                keys::update(conn, &record)?;
                return Ok(Some(record.kid));
            }
            if let Some(record) = &fresh {
                keys::insert(conn, record)?;
            }
            Ok(fresh.as_ref().map(|record| record.kid.clone()))
        })?;
        if let Some(kid) = active {
            tracing::info!(%algorithm, kid, "first signing key active");
        }
    }
    Ok(())
}

fn has_active(records: &[SigningKeyRecord], algorithm: SigningAlgorithm) -> bool {
    records
        .iter()
        .any(|record| record.algorithm == algorithm && matches!(record.state, KeyState::Active { .. }))
}

/// The oldest published key of the algorithm, made active.
fn waiting(
    records: &[SigningKeyRecord],
    algorithm: SigningAlgorithm,
    now: Timestamp,
) -> Option<SigningKeyRecord> {
    records
        .iter()
        .filter(|record| record.algorithm == algorithm && matches!(record.state, KeyState::Published { .. }))
        .find_map(|record| {
            Some(SigningKeyRecord { state: record.state.activate_first(now).ok()?, ..record.clone() })
        })
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
/// [`KeyFault::Taken`] when it is there already.
pub fn import(store: &Store, record: SigningKeyRecord) -> Result<SigningKeyRecord, KeyFault> {
    let stored = record.clone();
    match store.write("store a key", move |conn| keys::insert(conn, &stored)) {
        Ok(()) => Ok(record),
        Err(StoreError::Conflict) => Err(KeyFault::Taken),
        Err(other) => Err(other.into()),
    }
}

/// Lets a key sign and retires the one of the same algorithm that signed so far.
///
/// # Errors
/// [`KeyFault::Refused`] while verifiers may hold a key set without it, unless `at_once`.
pub fn activate(
    store: &Store,
    kid: &str,
    jwks_max_age: Seconds,
    longest_token: Seconds,
    at_once: bool,
    now: Timestamp,
) -> Result<SigningKeyRecord, KeyFault> {
    let kid = kid.to_owned();
    let cached_for = Seconds(jwks_max_age.0 + NODES_FOLLOW.0);
    store.write("activate a key", move |conn| {
        revision::lock(conn)?;
        let all = keys::all(conn)?;
        let Some(mut key) = all.iter().find(|key| key.kid == kid).cloned() else {
            return Ok(Err(KeyFault::Unknown));
        };
        let next = if at_once { key.state.activate_first(now) } else { key.state.activate(now, cached_for) };
        key.state = match next {
            Ok(state) => state,
            Err(refused) => return Ok(Err(KeyFault::Refused(refused))),
        };
        let longest = longest_token.max(longest_lifetime(conn)?);
        for mut former in all.into_iter().filter(|k| k.algorithm == key.algorithm && k.kid != key.kid) {
            if let (KeyState::Active { .. }, Ok(retired)) = (former.state, former.state.retire(now, longest))
            {
                former.state = retired;
                keys::update(conn, &former)?;
            }
        }
        keys::update(conn, &key)?;
        Ok(Ok(key))
    })?
}

/// The longest life that any client or resource server gives its access tokens.
fn longest_lifetime(conn: &mut Conn) -> Result<Seconds, StoreError> {
    let by_client = clients::all(conn)?.into_iter().filter_map(|client| client.access_token_ttl);
    let by_server = resource_servers::all(conn)?.into_iter().filter_map(|server| server.access_token_ttl);
    Ok(by_client.chain(by_server).max().unwrap_or(Seconds(0)))
}

/// Stops a key from signing; it stays published until its last token is dead.
///
/// # Errors
/// See [`KeyFault`].
pub fn retire(
    store: &Store,
    kid: &str,
    longest_token: Seconds,
    now: Timestamp,
) -> Result<SigningKeyRecord, KeyFault> {
    let kid = kid.to_owned();
    store.write("retire a key", move |conn| {
        revision::lock(conn)?;
        let found = keys::all(conn)?.into_iter().find(|key| key.kid == kid);
        let Some(mut key) = found else { return Ok(Err(KeyFault::Unknown)) };
        let longest = longest_token.max(longest_lifetime(conn)?);
        key.state = match key.state.retire(now, longest) {
            Ok(state) => state,
            Err(refused) => return Ok(Err(KeyFault::Refused(refused))),
        };
        keys::update(conn, &key)?;
        Ok(Ok(key))
    })?
}

/// Deletes a key that nothing needs any more.
///
/// # Errors
/// [`KeyFault::StillNeeded`] while tokens that it signed may live, unless `at_once`.
pub fn remove(store: &Store, kid: &str, at_once: bool, now: Timestamp) -> Result<(), KeyFault> {
    let kid = kid.to_owned();
    store.write("remove a key", move |conn| {
        revision::lock(conn)?;
        let found = keys::all(conn)?.into_iter().find(|key| key.kid == kid);
        match found.map(|key| key.state) {
            None => Ok(Err(KeyFault::Unknown)),
            Some(KeyState::Published { .. }) => keys::delete(conn, &kid).map(|_| Ok(())),
            Some(KeyState::Retired { remove_at, .. }) if at_once || remove_at.is_past(now) => {
                keys::delete(conn, &kid).map(|_| Ok(()))
            }
            Some(KeyState::Retired { remove_at, .. }) => Ok(Err(KeyFault::StillNeeded(remove_at))),
            Some(KeyState::Active { .. }) => Ok(Err(KeyFault::Signs)),
        }
    })?
}

/// Seals every key anew under the current master key; the number of keys.
///
/// # Errors
/// When a key cannot be opened with any of the master keys given: then none is changed.
pub fn reseal(store: &Store, sealer: &Sealer, now: Timestamp) -> Result<usize, KeyFault> {
    let mut seals = HashMap::new();
    for record in store.read("keys", keys::all)? {
        let key = open_key(&record, sealer, now).map_err(|e| KeyFault::Key(e.to_string()))?;
        let sealed = key.to_record(sealer, now).map_err(|e| KeyFault::Key(e.to_string()))?;
        seals.insert(record.kid, sealed.sealed_private);
    }
    store.write("reseal keys", move |conn| {
        revision::lock(conn)?;
        // Read again: what another node did to a key's state in the meantime stands.
        let there = keys::all(conn)?;
        if let Some(new) = there.iter().find(|record| !seals.contains_key(&record.kid)) {
            let text = format!("the key {} was made in the meantime: run this again", new.kid);
            return Ok(Err(KeyFault::Key(text)));
        }
        let count = there.len();
        for record in there {
            let Some(sealed_private) = seals.get(&record.kid).cloned() else { continue };
            keys::update(conn, &SigningKeyRecord { sealed_private, ..record })?;
        }
        Ok(Ok(count))
    })?
}
