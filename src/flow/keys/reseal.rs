//! Every signing key sealed anew, once the master key is another.

use std::collections::HashMap;

use crate::base::Timestamp;
use crate::domain::SigningKeyRecord;
use crate::jose::{Sealer, open_key};
use crate::store::{Store, keys, revision};

use super::{KeyFault, keys_with_private_part};

/// Seals every key anew under the current master key; the number of keys.
///
/// # Errors
/// When a key cannot be opened with any of the master keys given: then none is changed.
pub fn reseal(store: &Store, sealer: &Sealer, now: Timestamp) -> Result<usize, KeyFault> {
    let mut seals = HashMap::new();
    for record in store.read("keys", keys_with_private_part)? {
        let key = open_key(&record, sealer, now).map_err(|e| KeyFault::Key(e.to_string()))?;
        let sealed = key.to_record(sealer, now).map_err(|e| KeyFault::Key(e.to_string()))?;
        seals.insert(record.kid, sealed.sealed_private);
    }
    store.write("reseal keys", move |conn| {
        revision::lock(conn)?;
        // Read again: what another node did to a key's state in the meantime stands.
        let there = keys_with_private_part(conn)?;
        if there.iter().any(|record| !seals.contains_key(&record.kid)) {
            return Ok(Err(KeyFault::Meanwhile));
        }
        let count = there.len();
        for record in there {
            let Some(sealed_private) = seals.get(&record.kid).cloned() else { continue };
            keys::update(conn, &SigningKeyRecord { sealed_private, ..record })?;
        }
        Ok(Ok(count))
    })?
}
