//! Everything in the database that is sealed under the master key, sealed anew, once that is another: the signing keys, and
//! the client secrets that are kept.

use std::collections::HashMap;

use crate::base::Timestamp;
use crate::domain::{ClientSecret, SigningKeyRecord};
use crate::jose::{Purpose, Sealer, open_key};
use crate::store::{Conn, Store, StoreError, client_secrets, keys, revision};

use super::{KeyFault, keys_with_private_part};

/// Seals every key and every kept secret anew under the current master key; the number of keys.
///
/// # Errors
/// When one cannot be opened with any of the master keys given: then none is changed.
pub fn reseal(store: &Store, sealer: &Sealer, now: Timestamp) -> Result<usize, KeyFault> {
    let mut seals = HashMap::new();
    for record in store.read("keys", keys_with_private_part)? {
        let key = open_key(&record, sealer, now).map_err(|e| KeyFault::Key(e.to_string()))?;
        let sealed = key.to_record(sealer, now).map_err(|e| KeyFault::Key(e.to_string()))?;
        seals.insert(record.kid, sealed.sealed_private);
    }
    let mut secrets = HashMap::new();
    for secret in store.read("secrets", kept_secrets)? {
        let fault = |e: &dyn std::fmt::Display| {
            KeyFault::Key(format!("the secret {} of client {}: {e}", secret.id, secret.client_id))
        };
        let sealed = secret.sealed.as_deref().unwrap_or_default();
        let plain = sealer.open(Purpose::ClientSecret, sealed, None, now).map_err(|e| fault(&e))?;
        let sealed = sealer.seal(Purpose::ClientSecret, &plain, now).map_err(|e| fault(&e))?;
        secrets.insert(secret.id, sealed);
    }
    store.write("reseal keys", move |conn| {
        revision::lock(conn)?;
        // Read again: what another node did to a key's state in the meantime stands.
        let there = keys_with_private_part(conn)?;
        let kept = kept_secrets(conn)?;
        if there.iter().any(|record| !seals.contains_key(&record.kid))
            || kept.iter().any(|secret| !secrets.contains_key(&secret.id))
        {
            return Ok(Err(KeyFault::Meanwhile));
        }
        let count = there.len();
        for record in there {
            let Some(sealed_private) = seals.get(&record.kid).cloned() else { continue };
            keys::update(conn, &SigningKeyRecord { sealed_private, ..record })?;
        }
        for secret in kept {
            if let Some(sealed) = secrets.get(&secret.id) {
                client_secrets::seal(conn, secret.id, sealed)?;
            }
        }
        Ok(Ok(count))
    })?
}

/// The client secrets that are there themselves, not only as hashes.
///
/// # Errors
/// When the database fails.
pub fn kept_secrets(conn: &mut Conn) -> Result<Vec<ClientSecret>, StoreError> {
    let mut secrets = client_secrets::all(conn)?;
    secrets.retain(|secret| secret.sealed.is_some());
    Ok(secrets)
}
