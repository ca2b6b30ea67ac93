//! A key that somebody else may have: out at once, with everything that it signed.
//!
//! Its name leaves the JWKS, so introspection calls its tokens dead (RFC 7662 §2.2) as soon as the nodes have looked. A
//! verifier that keeps to a cached set believes it until that set is stale (RFC 9111 §4.2): nobody can call that back.

use crate::base::{Entropy, Timestamp};
use crate::domain::{KeyRules, SigningKeyRecord};
use crate::jose::Sealer;
use crate::store::{Store, keys, revision};

use super::{KeyFault, has_active, life, make, waiting};

/// What was done about it.
#[derive(Clone, Debug)]
pub struct Replaced {
    /// The key that was given up; its private part is destroyed.
    pub compromised: SigningKeyRecord,
    /// The key that signs in its place, where it signed.
    pub successor: Option<SigningKeyRecord>,
    /// Whether some verifiers cannot know the successor yet: they fail until they fetch the set anew.
    pub successor_is_new: bool,
}

/// Gives a key up. Where it signed, the published key of its algorithm signs from now on, else a new one.
///
/// # Errors
/// See [`KeyFault`].
pub fn compromise(
    store: &Store,
    sealer: &Sealer,
    entropy: &dyn Entropy,
    kid: &str,
    rules: &KeyRules,
    now: Timestamp,
) -> Result<Replaced, KeyFault> {
    let there = store.read("keys", keys::all)?;
    let known = there.iter().find(|key| key.kid == kid).ok_or(KeyFault::Unknown)?;
    let algorithm = known.algorithm;
    // RSA keys take their time: they are not made while others wait for the database.
    let fresh = match known.state.signs_since().filter(|_| waiting(&there, algorithm).is_none()) {
        Some(_) => Some(make(algorithm, rules.rsa_bits, sealer, entropy, now)?),
        None => None,
    };
    let (kid, rules) = (kid.to_owned(), rules.clone());
    store.write("compromised key", move |conn| {
        revision::lock(conn)?;
        let mut there = keys::all(conn)?;
        let Some(at) = there.iter().position(|key| key.kid == kid) else {
            return Ok(Err(KeyFault::Unknown));
        };
        let signed = there[at].state.signs_since().is_some();
        match there[at].state.compromise(now) {
            Ok(state) => there[at].state = state,
            Err(refused) => return Ok(Err(KeyFault::Refused(refused))),
        }
        there[at].sealed_private = String::new();
        let compromised = there[at].clone();
        let mut replaced = Replaced { compromised, successor: None, successor_is_new: false };
        if signed && !has_active(&there, algorithm) {
            let next = waiting(&there, algorithm).or(fresh.as_ref()).cloned();
            // It began to sign, or the one that waited went, while we looked: nothing is changed yet.
            let Some(next) = next else { return Ok(Err(KeyFault::Meanwhile)) };
            if fresh.as_ref() == Some(&next) {
                keys::insert(conn, &next)?;
            }
            replaced.successor_is_new = next.state.activate(now, rules.cached_for()).is_err();
            match life::let_sign(conn, &there, &next, &rules, None, now)? {
                Ok((key, _)) => replaced.successor = Some(key),
                Err(fault) => return Ok(Err(fault)),
            }
        }
        keys::update(conn, &replaced.compromised)?;
        Ok(Ok(replaced))
    })?
}
