//! Tests of the room, one file per part, and the keys that they share.

mod client_keys;
mod encrypt;
mod jwk;
mod private_key;
mod ring;
mod seal;
mod signer;
mod verifier;

use std::sync::{Arc, LazyLock};

use zeroize::Zeroizing;

use super::{MasterKey, MasterKeys, PrivateKey, Sealer};
use crate::base::Timestamp;
use crate::base::entropy::OsEntropy;
use crate::oauth::algorithm::SigningAlgorithm;

pub(super) const NOW: Timestamp = Timestamp(1_795_471_200);

/// RSA keys take long to make: there is one.
static RSA: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate(SigningAlgorithm::Rs256, &OsEntropy).unwrap());

/// A key for the algorithm: new, except for RSA.
pub(super) fn key(algorithm: SigningAlgorithm) -> PrivateKey {
    if algorithm.is_rsa() {
        PrivateKey::from_pkcs8(Zeroizing::new(RSA.pkcs8().to_vec()), algorithm).unwrap()
    } else {
        PrivateKey::generate(algorithm, &OsEntropy).unwrap()
    }
}

/// Seals under `current`, opens under `previous` too; each master key is 32 times one byte.
pub(super) fn sealer(current: u8, previous: &[u8]) -> Sealer {
    let master = |byte: u8| MasterKey::from_bytes([byte; 32]);
    let keys = MasterKeys {
        current: master(current),
        previous: previous.iter().map(|byte| master(*byte)).collect(),
    };
    Sealer::new(&keys, Arc::new(OsEntropy))
}
