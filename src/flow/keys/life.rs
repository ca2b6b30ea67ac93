//! From published to withdrawn and removed, one step at a time, whoever asks for it: an operator or the plan.
//!
//! RFC 9111 §4.2: a verifier may use a stored key set for as long as its `max-age` says. So a key signs only once every set
//! without it is stale, and stays in the set until nothing that it signed is alive.
//!
//! RP-Initiated Logout 1.0 §2 has ID tokens accepted as hints "even when the exp time has passed": so what leaves the set is
//! the key's private part and its name, and its public part stays for as long as a session can live.

use crate::base::{Seconds, Timestamp};
use crate::domain::{KeyRules, KeyState, SigningKeyRecord};
use crate::store::{Conn, Store, StoreError, clients, keys, resource_servers, revision};

use super::KeyFault;

/// Lets a key sign and retires the one of the same algorithm that signed so far.
///
/// # Errors
/// [`KeyFault::Refused`] while verifiers may hold a key set without it, unless `at_once`.
pub fn activate(
    store: &Store,
    kid: &str,
    rules: &KeyRules,
    at_once: bool,
    now: Timestamp,
) -> Result<SigningKeyRecord, KeyFault> {
    let (kid, rules) = (kid.to_owned(), rules.clone());
    store.write("activate a key", move |conn| {
        revision::lock(conn)?;
        let all = keys::all(conn)?;
        let Some(key) = all.iter().find(|key| key.kid == kid) else {
            return Ok(Err(KeyFault::Unknown));
        };
        let cached_for = if at_once { None } else { Some(rules.cached_for()) };
        Ok(let_sign(conn, &all, key, &rules, cached_for, now)?.map(|(key, _)| key))
    })?
}

/// The key that signs now, and those that it relieved; part of a transaction that holds the revision's row. With
/// `cached_for` only once it has been published for that long.
pub(super) fn let_sign(
    conn: &mut Conn,
    all: &[SigningKeyRecord],
    key: &SigningKeyRecord,
    rules: &KeyRules,
    cached_for: Option<Seconds>,
    now: Timestamp,
) -> Result<Result<(SigningKeyRecord, Vec<SigningKeyRecord>), KeyFault>, StoreError> {
    let next = match cached_for {
        Some(span) => key.state.activate(now, span),
        None => key.state.activate_first(now),
    };
    let state = match next {
        Ok(state) => state,
        Err(refused) => return Ok(Err(KeyFault::Refused(refused))),
    };
    let longest = longest_token(conn, rules)?;
    let key = SigningKeyRecord { state, longest_token: key.longest_token.max(longest), ..key.clone() };
    let mut relieved = Vec::new();
    for former in all.iter().filter(|k| k.algorithm == key.algorithm && k.kid != key.kid) {
        if let (KeyState::Active { .. }, Ok(former)) = (former.state, retired(former, longest, rules, now)) {
            keys::update(conn, &former)?;
            relieved.push(former);
        }
    }
    keys::update(conn, &key)?;
    Ok(Ok((key, relieved)))
}

/// The longest life that anything gives a token today. What was given before, each key knows for itself.
pub(super) fn longest_token(conn: &mut Conn, rules: &KeyRules) -> Result<Seconds, StoreError> {
    let by_client = clients::all(conn)?.into_iter().filter_map(|client| client.access_token_ttl);
    let by_server = resource_servers::all(conn)?.into_iter().filter_map(|server| server.access_token_ttl);
    Ok(by_client.chain(by_server).fold(rules.longest_token, Seconds::max))
}

fn retired(
    key: &SigningKeyRecord,
    longest: Seconds,
    rules: &KeyRules,
    now: Timestamp,
) -> Result<SigningKeyRecord, KeyFault> {
    let longest_token = key.longest_token.max(longest);
    let kept_for = rules.kept_for(key.algorithm, longest_token);
    let state = key.state.retire(now, kept_for).map_err(KeyFault::Refused)?;
    Ok(SigningKeyRecord { state, longest_token, ..key.clone() })
}

/// Stops a key from signing; it stays published until its last token is dead.
///
/// # Errors
/// See [`KeyFault`].
pub fn retire(
    store: &Store,
    kid: &str,
    rules: &KeyRules,
    now: Timestamp,
) -> Result<SigningKeyRecord, KeyFault> {
    let (kid, rules) = (kid.to_owned(), rules.clone());
    store.write("retire a key", move |conn| {
        revision::lock(conn)?;
        let Some(key) = keys::all(conn)?.into_iter().find(|key| key.kid == kid) else {
            return Ok(Err(KeyFault::Unknown));
        };
        let key = match retired(&key, longest_token(conn, &rules)?, &rules, now) {
            Ok(key) => key,
            Err(fault) => return Ok(Err(fault)),
        };
        keys::update(conn, &key)?;
        Ok(Ok(key))
    })?
}

/// What became of a key that was taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    /// It is deleted.
    Gone,
    /// Its private part is destroyed; the public one verifies hints until then.
    KeptForHints(Timestamp),
}

/// Takes away a key that signed nothing that is alive: its private part, and all of it once hints do not need it either.
///
/// # Errors
/// [`KeyFault::StillNeeded`] while tokens that it signed may live, [`KeyFault::KeptForHints`] when only its public part is
/// left and needed, [`KeyFault::Remembered`] for a compromised one, unless `at_once`: then it is deleted.
pub fn remove(
    store: &Store,
    kid: &str,
    rules: &KeyRules,
    at_once: bool,
    now: Timestamp,
) -> Result<Removed, KeyFault> {
    let (kid, rules) = (kid.to_owned(), rules.clone());
    store.write("remove a key", move |conn| {
        revision::lock(conn)?;
        let Some(key) = keys::all(conn)?.into_iter().find(|key| key.kid == kid) else {
            return Ok(Err(KeyFault::Unknown));
        };
        let removed = match key.state {
            KeyState::Active { .. } => Err(KeyFault::Signs),
            KeyState::Compromised { .. } if !at_once => Err(KeyFault::Remembered),
            KeyState::Retired { remove_at, .. } if !at_once => match end_of(&key, &rules, now) {
                None => Err(KeyFault::StillNeeded(remove_at)),
                Some(Removed::KeptForHints(until)) if key.is_public_only() => {
                    Err(KeyFault::KeptForHints(until))
                }
                Some(removed) => Ok(removed),
            },
            KeyState::Published { .. } | KeyState::Retired { .. } | KeyState::Compromised { .. } => {
                Ok(Removed::Gone)
            }
        };
        if let Ok(removed) = removed {
            take_away(conn, &key, removed)?;
        }
        Ok(removed)
    })?
}

/// What a key that left the set has come to; nothing for one that is in it.
pub(super) fn end_of(key: &SigningKeyRecord, rules: &KeyRules, now: Timestamp) -> Option<Removed> {
    let KeyState::Retired { remove_at, .. } = key.state else { return None };
    let hints_until = rules.hints_until(key.state).filter(|until| !until.is_past(now));
    remove_at.is_past(now).then(|| hints_until.map_or(Removed::Gone, Removed::KeptForHints))
}

pub(super) fn take_away(conn: &mut Conn, key: &SigningKeyRecord, removed: Removed) -> Result<(), StoreError> {
    match removed {
        Removed::Gone => keys::delete(conn, &key.kid)?,
        Removed::KeptForHints(_) => {
            keys::update(conn, &SigningKeyRecord { sealed_private: String::new(), ..key.clone() })?
        }
    };
    Ok(())
}
