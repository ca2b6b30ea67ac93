//! Private signing keys: made here, taken in by `import`, held as PKCS#8 in memory that is wiped.

use std::fmt;

use josekit::jwk::KeyPair;
use p256::elliptic_curve::Generate as _;
use p256::pkcs8::{EncodePrivateKey as _, LineEnding, SecretDocument};
use rsa::rand_core::{TryCryptoRng, TryRng};
use zeroize::Zeroizing;

use super::jwk::{JwkError, PublicJwk};
use super::seal::{Purpose, SealError, Sealer};
use super::{backend, import};
use crate::base::entropy::{Entropy, EntropyError};
use crate::base::{Seconds, Timestamp};
use crate::domain::key::{KeyState, SigningKeyRecord};
use crate::oauth::algorithm::SigningAlgorithm;

/// The size of a new RSA key where nobody names one.
pub const DEFAULT_RSA_BITS: u32 = 2048;

/// A private signing key with the one algorithm that it is used with. It cannot be printed or compared.
pub struct PrivateKey {
    public: PublicJwk,
    pkcs8: Zeroizing<Vec<u8>>,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The text is no private key in a form that is read here.
    #[error("no private key for {algorithm} could be read: {why}")]
    Unreadable {
        /// What it should have been for.
        algorithm: SigningAlgorithm,
        /// In words; never key material.
        why: String,
    },
    /// The public part is refused.
    #[error(transparent)]
    Jwk(#[from] JwkError),
    /// Public and private part do not belong together.
    #[error(
        "the key's public part does not verify what its private part signs: the file is damaged or made up"
    )]
    Mismatch,
    /// A size that is not offered.
    #[error("an RSA key of {0} bits is not offered; 2048, 3072 and 4096 are")]
    RsaSize(u32),
    /// A library failed.
    #[error("the key could not be made: {0}")]
    Failed(String),
}

impl PrivateKey {
    /// A new key; RSA with [`DEFAULT_RSA_BITS`].
    ///
    /// # Errors
    /// When there is no randomness or a library fails.
    pub fn generate(algorithm: SigningAlgorithm, entropy: &dyn Entropy) -> Result<Self, KeyError> {
        match algorithm {
            SigningAlgorithm::Rs256 | SigningAlgorithm::Ps256 => {
                Self::generate_rsa(algorithm, DEFAULT_RSA_BITS, entropy)
            }
            SigningAlgorithm::Es256 => {
                let key = p256::SecretKey::try_generate_from_rng(&mut Source(entropy))?;
                Self::from_pkcs8(encoded(key.to_pkcs8_der())?, algorithm)
            }
            SigningAlgorithm::Es384 | SigningAlgorithm::Es512 | SigningAlgorithm::EdDsa => {
                let pair = backend::generate(algorithm).map_err(|e| KeyError::Failed(e.to_string()))?;
                Self::from_pkcs8(import::pkcs8_of(&*pair)?, algorithm)
            }
        }
    }

    /// A new RSA key of 2048, 3072 or 4096 bits (the last takes many seconds). Another algorithm ignores the size.
    ///
    /// # Errors
    /// When the size is another one, there is no randomness, or a library fails.
    pub fn generate_rsa(
        algorithm: SigningAlgorithm,
        bits: u32,
        entropy: &dyn Entropy,
    ) -> Result<Self, KeyError> {
        if !algorithm.is_rsa() {
            return Self::generate(algorithm, entropy);
        }
        let size = match bits {
            2048 => 2048,
            3072 => 3072,
            4096 => 4096,
            _ => return Err(KeyError::RsaSize(bits)),
        };
        let key = rsa::PrivateKey::new(&mut Source(entropy), size).map_err(|error| match error {
            rsa::Error::Rng => KeyError::Entropy(EntropyError),
            other => KeyError::Failed(other.to_string()),
        })?;
        Self::from_pkcs8(encoded(key.to_pkcs8_der())?, algorithm)
    }

    /// Takes in a PEM file: PKCS#8 (`PRIVATE KEY`), SEC1 (`EC PRIVATE KEY`) or PKCS#1 (`RSA PRIVATE KEY`), without a
    /// passphrase. The key is checked: curve, strength, and that both its parts belong together.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn from_pem(pem: &str, algorithm: SigningAlgorithm) -> Result<Self, KeyError> {
        let key = Self::from_pkcs8(import::pem_to_pkcs8(pem, algorithm)?, algorithm)?;
        key.check_parts()?;
        Ok(key)
    }

    /// Takes in a private JWK, with the same checks as [`PrivateKey::from_pem`].
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn from_jwk(json: &str, algorithm: SigningAlgorithm) -> Result<Self, KeyError> {
        let (pkcs8, declared) = import::jwk_to_pkcs8(json, algorithm)?;
        let key = Self::from_pkcs8(pkcs8, algorithm)?;
        key.check_parts()?;
        if declared.is_some_and(|declared| declared != key.public) {
            return Err(KeyError::Mismatch);
        }
        Ok(key)
    }

    /// A key that [`PrivateKey::pkcs8`] gave before: of the right kind and strength, otherwise trusted.
    ///
    /// # Errors
    /// When it is no PKCS#8 document of a key for `algorithm`.
    pub fn from_pkcs8(pkcs8: Zeroizing<Vec<u8>>, algorithm: SigningAlgorithm) -> Result<Self, KeyError> {
        let pair = pair(algorithm, &pkcs8)?;
        let public = PublicJwk::from_members(pair.to_jwk_public_key().as_ref(), algorithm)?;
        Ok(Self { public, pkcs8 })
    }

    /// The public part.
    #[must_use]
    pub fn public(&self) -> &PublicJwk {
        &self.public
    }

    /// The key as a PKCS#8 document in DER.
    #[must_use]
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// The key as PKCS#8 in PEM: for an export, nowhere else.
    ///
    /// # Errors
    /// When the encoder fails.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        let failed = |e: p256::pkcs8::der::Error| KeyError::Failed(e.to_string());
        let document = SecretDocument::try_from(self.pkcs8.as_slice()).map_err(failed)?;
        document.to_pem("PRIVATE KEY", LineEnding::LF).map_err(failed)
    }

    /// The key as a private JWK: for an export, nowhere else.
    ///
    /// # Errors
    /// When the encoder fails.
    pub fn to_jwk(&self) -> Result<Zeroizing<String>, KeyError> {
        let mut jwk = pair(self.public.algorithm(), &self.pkcs8)?.to_jwk_key_pair();
        jwk.set_key_use("sig");
        jwk.set_algorithm(self.public.algorithm().as_str());
        jwk.set_key_id(self.public.kid());
        Ok(Zeroizing::new(jwk.to_string()))
    }

    /// The row of a new key: published at `now`, sealed.
    ///
    /// # Errors
    /// When sealing fails.
    pub fn to_record(&self, sealer: &Sealer, now: Timestamp) -> Result<SigningKeyRecord, SealError> {
        Ok(SigningKeyRecord {
            kid: self.public.kid().to_owned(),
            algorithm: self.public.algorithm(),
            public_jwk: self.public.to_json(),
            sealed_private: sealer.seal(Purpose::SigningKey, &self.pkcs8, now)?,
            state: KeyState::Published { published_at: now },
            longest_token: Seconds(0),
            created_at: now,
        })
    }

    /// One signature, verified: OpenSSL takes a public part that stands in the file as it is.
    fn check_parts(&self) -> Result<(), KeyError> {
        let message = b"countersign pairwise check";
        let failed = |e: josekit::JoseError| KeyError::Failed(e.to_string());
        let signature = backend::signer(self.public.algorithm(), &self.pkcs8)
            .map_err(failed)?
            .sign(message)
            .map_err(failed)?;
        let verifier = self.public.verifier().map_err(failed)?;
        verifier.verify(message, &signature).map_err(|_| KeyError::Mismatch)
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({} {}, …)", self.public.algorithm(), self.public.kid())
    }
}

fn pair(algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Result<Box<dyn KeyPair>, KeyError> {
    backend::key_pair(algorithm, pkcs8).map_err(|e| KeyError::Unreadable { algorithm, why: e.to_string() })
}

pub(super) fn encoded(
    document: Result<SecretDocument, p256::pkcs8::Error>,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    document.map(|document| document.to_bytes()).map_err(|e| KeyError::Failed(e.to_string()))
}

/// Our entropy as the RustCrypto crates want it.
struct Source<'a>(&'a dyn Entropy);

impl TryRng for Source<'_> {
    type Error = EntropyError;
    fn try_next_u32(&mut self) -> Result<u32, EntropyError> {
        crate::base::entropy::bytes(self.0).map(u32::from_le_bytes)
    }
    fn try_next_u64(&mut self) -> Result<u64, EntropyError> {
        crate::base::entropy::bytes(self.0).map(u64::from_le_bytes)
    }
    fn try_fill_bytes(&mut self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        self.0.fill(buffer)
    }
}

impl TryCryptoRng for Source<'_> {}
