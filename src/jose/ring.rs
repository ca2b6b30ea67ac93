//! All signing keys at one instant, opened and ready: an immutable snapshot, with the JWKS made once.

use serde_json::{Map, Value, json};

use super::jwk::PublicJwk;
use super::private_key::{KeyError, PrivateKey};
use super::seal::{OpenError, Purpose, Sealer};
use super::signer::{Signer, TokenType};
use super::verifier::{VerificationKey, VerifyError, verify};
use crate::base::Timestamp;
use crate::base::encoding::{base64url, sha256};
use crate::domain::key::{KeyState, SigningKeyRecord};
use crate::oauth::algorithm::SigningAlgorithm;

/// The keys. Made anew when a record changes, and at [`KeyRing::next_change`].
#[derive(Debug)]
pub struct KeyRing {
    /// One per algorithm, in order of preference.
    signers: Vec<Signer>,
    verification_keys: Vec<VerificationKey>,
    /// Those that left the JWK Set: they verify hints and nothing else.
    hint_keys: Vec<VerificationKey>,
    jwks_json: Vec<u8>,
    etag: String,
    next_change: Option<Timestamp>,
}

/// Why the keys cannot be used. The texts are for the operator; no key is ever left out silently.
#[derive(Debug, thiserror::Error)]
pub enum RingError {
    /// The sealed private key does not open.
    #[error(
        "the signing key {kid} cannot be opened: {why}. The master key of this node is {master_id}. \
         Give the master key that sealed it (keys.master_key_file, or keys.previous_master_key_files)"
    )]
    Sealed {
        /// The key.
        kid: String,
        /// The id of the current master key.
        master_id: String,
        /// What is wrong.
        why: OpenError,
    },
    /// It opens, but there is no such key inside.
    #[error("the signing key {kid} cannot be used: {why}")]
    Unusable {
        /// The key.
        kid: String,
        /// What is wrong.
        why: KeyError,
    },
    /// The row's columns do not belong together.
    #[error("the signing key {kid} is damaged: its {column} does not fit the key")]
    Damaged {
        /// The key.
        kid: String,
        /// The column of `signing_keys`.
        column: &'static str,
    },
}

impl KeyRing {
    /// Opens the keys that are in use at `now`; of the withdrawn ones only the public part is needed.
    ///
    /// # Errors
    /// When one of them cannot be opened or used.
    pub fn open(
        mut records: Vec<SigningKeyRecord>,
        sealer: &Sealer,
        now: Timestamp,
    ) -> Result<Self, RingError> {
        let withdrawn = records.iter().filter(|record| record.is_withdrawn(now));
        let hint_keys = withdrawn.map(hint_key).collect::<Result<_, _>>()?;
        records.retain(|record| record.is_published(now));
        // By age, so that the JWKS keeps its order while keys come and go.
        records.sort_by(|a, b| (a.created_at, &a.kid).cmp(&(b.created_at, &b.kid)));

        let mut active: Vec<(Timestamp, Signer)> = Vec::new();
        let mut verification_keys = Vec::with_capacity(records.len());
        for record in &records {
            let key = open_key(record, sealer, now)?;
            let unusable = |why| RingError::Unusable { kid: record.kid.clone(), why };
            verification_keys.push(VerificationKey::new(key.public()).map_err(|why| unusable(why.into()))?);
            if let KeyState::Active { activated_at, .. } = record.state {
                active.push((activated_at, Signer::new(&key).map_err(unusable)?));
            }
        }
        // The newest of an algorithm comes first and stays.
        active.sort_by(|(a_at, a), (b_at, b)| {
            (a.algorithm(), b_at, b.kid()).cmp(&(b.algorithm(), a_at, a.kid()))
        });
        active.dedup_by_key(|(_, signer)| signer.algorithm());

        let keys: Vec<Value> = verification_keys.iter().map(|key| key.public().to_value()).collect();
        let jwks_json = json!({ "keys": keys }).to_string().into_bytes();
        let mut hash = base64url(&sha256(&jwks_json));
        hash.truncate(22);
        let removals = records.iter().filter_map(|record| match record.state {
            KeyState::Retired { remove_at, .. } => Some(remove_at),
            KeyState::Published { .. } | KeyState::Active { .. } | KeyState::Compromised { .. } => None,
        });
        Ok(Self {
            next_change: removals.min(),
            signers: active.into_iter().map(|(_, signer)| signer).collect(),
            verification_keys,
            hint_keys,
            jwks_json,
            etag: format!("\"{hash}\""),
        })
    }

    /// The key that signs with `algorithm`: the one that was activated last.
    #[must_use]
    pub fn signer(&self, algorithm: SigningAlgorithm) -> Option<&Signer> {
        self.signers.iter().find(|signer| signer.algorithm() == algorithm)
    }

    /// The signer of the most preferred algorithm that has an active key.
    #[must_use]
    pub fn default_signer(&self) -> Option<&Signer> {
        self.signers.first()
    }

    /// The algorithms that have an active key, in order of preference.
    pub fn algorithms(&self) -> impl Iterator<Item = SigningAlgorithm> + '_ {
        self.signers.iter().map(Signer::algorithm)
    }

    /// The JWK Set (RFC 7517 §5) as it goes out.
    #[must_use]
    pub fn jwks_json(&self) -> &[u8] {
        &self.jwks_json
    }

    /// The entity tag of the JWK Set, with its quotes (RFC 9110 §8.8.3).
    #[must_use]
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// When a retired key leaves the JWK Set, so that the ring must be made anew.
    #[must_use]
    pub fn next_change(&self) -> Option<Timestamp> {
        self.next_change
    }

    /// Every key that is in the JWK Set, in its order.
    #[must_use]
    pub fn verification_keys(&self) -> &[VerificationKey] {
        &self.verification_keys
    }

    /// Verifies a token of this server: see [`verify`].
    ///
    /// # Errors
    /// See [`VerifyError`].
    pub fn verify(&self, token: &str, expected: TokenType) -> Result<Map<String, Value>, VerifyError> {
        verify(&self.verification_keys, token, expected)
    }

    /// Verifies an ID token that is shown as a hint: its key may have left the JWK Set.
    ///
    /// # Errors
    /// See [`VerifyError`].
    pub fn verify_hint(&self, token: &str) -> Result<Map<String, Value>, VerifyError> {
        match self.verify(token, TokenType::IdToken) {
            Err(VerifyError::UnknownKey) => verify(&self.hint_keys, token, TokenType::IdToken),
            answer => answer,
        }
    }
}

/// What is left of a withdrawn key, whether its private part is destroyed yet or not.
fn hint_key(record: &SigningKeyRecord) -> Result<VerificationKey, RingError> {
    let damaged = || RingError::Damaged { kid: record.kid.clone(), column: "public_jwk" };
    let public = PublicJwk::from_json(&record.public_jwk, record.algorithm).map_err(|_| damaged())?;
    // The kid is the key's thumbprint: no other key stands under its name.
    if public.kid() != record.kid {
        return Err(damaged());
    }
    VerificationKey::new(&public)
        .map_err(|why| RingError::Unusable { kid: record.kid.clone(), why: why.into() })
}

/// The private key of a record.
///
/// # Errors
/// When it cannot be opened with any master key here, or is damaged.
pub fn open_key(record: &SigningKeyRecord, sealer: &Sealer, now: Timestamp) -> Result<PrivateKey, RingError> {
    let kid = || record.kid.clone();
    let pkcs8 = sealer
        .open(Purpose::SigningKey, &record.sealed_private, None, now)
        .map_err(|why| RingError::Sealed { kid: kid(), master_id: sealer.current_id(), why })?;
    let key = PrivateKey::from_pkcs8(pkcs8, record.algorithm)
        .map_err(|why| RingError::Unusable { kid: kid(), why })?;
    // A sealed key that someone moved to another row would sign under a name that is not its own.
    if key.public().kid() != record.kid {
        return Err(RingError::Damaged { kid: kid(), column: "kid" });
    }
    match PublicJwk::from_json(&record.public_jwk, record.algorithm) {
        Ok(public) if public == *key.public() => Ok(key),
        _ => Err(RingError::Damaged { kid: kid(), column: "public_jwk" }),
    }
}
