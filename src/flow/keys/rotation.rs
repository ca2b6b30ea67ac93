//! The plan, carried out. Every node calls `step` again and again; the row of the revision lets one of them act at a time,
//! and what another did in the meantime is not due any more.
//!
//! RFC 9111 §4.2: a verifier that caches the key set by its `max-age` sees no failure. A key that it does not have signs
//! nothing until its set is stale, and a key leaves the set after the last token that it signed.

use crate::base::{Entropy, Timestamp};
use crate::domain::key_plan::{Due, Schedule};
use crate::domain::{KeyRules, SigningKeyRecord};
use crate::jose::Sealer;
use crate::oauth::algorithm::SigningAlgorithm;
use crate::store::{Conn, Store, StoreError, keys, revision};

use super::{KeyFault, Removed, life, make};

/// One thing that was done. Keys are named by their `kid`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A new key is in the JWKS; it does not sign yet.
    Published {
        /// What it will sign with.
        algorithm: SigningAlgorithm,
        /// The key.
        kid: String,
    },
    /// A key signs, and the one before it signs no more.
    Activated {
        /// What it signs with.
        algorithm: SigningAlgorithm,
        /// The key.
        kid: String,
        /// The key that signed before.
        former: Option<String>,
    },
    /// Nothing that the key signed is alive: its private part is destroyed, the public one verifies hints.
    Withdrawn {
        /// The key.
        kid: String,
    },
    /// Nothing needs the key, not for hints either: it is deleted.
    Removed {
        /// The key.
        kid: String,
    },
}

/// Does what is due, if anything: usually this is one look at the keys.
///
/// # Errors
/// When the database fails, or a key cannot be made; then it stays due.
pub fn step(
    store: &Store,
    sealer: &Sealer,
    entropy: &dyn Entropy,
    rules: &KeyRules,
    now: Timestamp,
) -> Result<Vec<Step>, KeyFault> {
    if !rules.rotate {
        return Ok(Vec::new());
    }
    let there = store.read("keys", keys::all)?;
    let due: Vec<_> = rules
        .plans
        .iter()
        .filter_map(|plan| Some((plan, Schedule::of(&there, plan, rules, now).due(now)?)))
        .collect();
    if due.is_empty() && !there.iter().any(|record| ended(record, rules, now).is_some()) {
        return Ok(Vec::new());
    }
    // RSA keys take their time: they are not made while others wait for the database.
    let mut fresh = Vec::new();
    for (plan, _) in due.iter().filter(|(_, due)| matches!(due, Due::Publish)) {
        fresh.push(make(plan.algorithm, rules.rsa_bits, sealer, entropy, now)?);
    }
    let rules = rules.clone();
    let steps = store.write("rotate keys", move |conn| {
        revision::lock(conn)?;
        // Read again: another node may have been quicker.
        let there = keys::all(conn)?;
        carry_out(conn, &there, &fresh, &rules, now)
    })?;
    steps.iter().for_each(tell);
    Ok(steps)
}

fn carry_out(
    conn: &mut Conn,
    there: &[SigningKeyRecord],
    fresh: &[SigningKeyRecord],
    rules: &KeyRules,
    now: Timestamp,
) -> Result<Vec<Step>, StoreError> {
    let mut steps = Vec::new();
    for plan in &rules.plans {
        let algorithm = plan.algorithm;
        match Schedule::of(there, plan, rules, now).due(now) {
            Some(Due::Publish) => {
                if let Some(record) = fresh.iter().find(|record| record.algorithm == algorithm) {
                    keys::insert(conn, record)?;
                    steps.push(Step::Published { algorithm, kid: record.kid.clone() });
                }
            }
            Some(Due::Activate(next)) => {
                let signs = life::let_sign(conn, there, next, rules, Some(rules.cached_for()), now)?;
                if let Ok((key, relieved)) = signs {
                    let former = relieved.into_iter().next().map(|former| former.kid);
                    steps.push(Step::Activated { algorithm, kid: key.kid, former });
                }
            }
            None => {}
        }
    }
    for record in there {
        let Some(removed) = ended(record, rules, now) else { continue };
        life::take_away(conn, record, removed)?;
        let kid = record.kid.clone();
        steps.push(match removed {
            Removed::Gone => Step::Removed { kid },
            Removed::KeptForHints(_) => Step::Withdrawn { kid },
        });
    }
    Ok(steps)
}

/// What is to become of a key that left the set, where that is still to be done.
fn ended(record: &SigningKeyRecord, rules: &KeyRules, now: Timestamp) -> Option<Removed> {
    let is_done = |removed: &Removed| *removed != Removed::Gone && record.is_public_only();
    life::end_of(record, rules, now).filter(|removed| !is_done(removed))
}

fn tell(step: &Step) {
    match step {
        Step::Published { algorithm, kid } => tracing::info!(%algorithm, kid, "next signing key published"),
        Step::Activated { algorithm, kid, former } => {
            tracing::info!(%algorithm, kid, former, "signing key active, the former one retired");
        }
        Step::Withdrawn { kid } => {
            tracing::info!(
                kid,
                "signing key withdrawn, its private part destroyed: nothing that it signed is alive"
            );
        }
        Step::Removed { kid } => tracing::info!(kid, "signing key removed: no ID token hint needs it"),
    }
}
