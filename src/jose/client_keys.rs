//! The public keys of a client (RFC 7517 §5), and which of them is for what.

use serde_json::{Map, Value};

use super::encryption_key::{EncryptionKey, EncryptionKeyError, PRIVATE_MEMBERS};
use super::jwk::{JwkError, PublicJwk};
use super::strict;
use super::verifier::VerificationKey;
use crate::oauth::algorithm::{KeyManagement, SigningAlgorithm};

/// The most keys of a set that are looked at.
const MAX_KEYS: usize = 64;

/// A JWK Set of somebody else's. RFC 7517 §5: "Implementations SHOULD ignore JWKs within a JWK Set that use "kty" (key type)
/// values that are not understood by them, that are missing required members, or for which values are out of the supported
/// ranges." So the keys are checked one by one, when one is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientKeySet {
    keys: Vec<Map<String, Value>>,
}

/// Why no key of a set is taken. The texts are for the operator's log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoKey {
    /// None of this name, or of this kind.
    #[error("the client has no key for {0}{1}")]
    None(&'static str, String),
    /// Without a name, nobody can tell which.
    #[error("the client has several keys for {0}, and no kid says which one")]
    Several(&'static str),
    /// There is one, and it is of no use.
    #[error("the client's key for {0} cannot be used: {1}")]
    Unusable(&'static str, String),
}

impl NoKey {
    /// Whether a newer set may have one.
    #[must_use]
    pub fn may_come(&self) -> bool {
        matches!(self, Self::None(..))
    }
}

impl ClientKeySet {
    /// Reads a set that was fetched.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(json: &[u8]) -> Result<Self, JwkError> {
        Self::from_members(&strict::object(json).ok_or(JwkError::NotAnObject)?)
    }

    /// The same from its members. A key that has private parts is no secret any more: it is left out.
    ///
    /// # Errors
    /// When it is no JWK Set.
    pub fn from_members(set: &Map<String, Value>) -> Result<Self, JwkError> {
        let keys = set.get("keys").and_then(Value::as_array).ok_or(JwkError::Member("keys"))?;
        let objects = keys.iter().filter_map(Value::as_object);
        let keys = objects.filter(|key| !is_private(key)).take(MAX_KEYS).cloned().collect();
        Ok(Self { keys })
    }

    /// The key that verifies `algorithm`: the one that `kid` names, or the only one of its kind. Whoever signs with one of
    /// several says with which (OpenID Connect Core 1.0 §10.1).
    ///
    /// # Errors
    /// See [`NoKey`].
    pub fn signature_key(
        &self,
        algorithm: SigningAlgorithm,
        kid: Option<&str>,
    ) -> Result<VerificationKey, NoKey> {
        let name = algorithm.as_str();
        let named = |key: &&Map<String, Value>| {
            kid.is_none_or(|kid| key.get("kid").and_then(Value::as_str) == Some(kid))
        };
        let kind = key_type(algorithm);
        let mut fitting: Vec<_> =
            self.keys.iter().filter(named).filter(|key| is_for(key, kind, name)).collect();
        if fitting.len() > 1 {
            // A set may hold keys of the same type for other curves, or broken ones.
            fitting.retain(|key| verification_key(key, algorithm).is_ok());
        }
        match fitting[..] {
            [key] => verification_key(key, algorithm).map_err(|e| NoKey::Unusable(name, e.to_string())),
            [] => Err(NoKey::None(name, kid.map(|kid| format!(" of the name {kid:?}")).unwrap_or_default())),
            _ => Err(NoKey::Several(name)),
        }
    }

    /// Whether a signature by `algorithm` can be verified with one of these keys, be it that its `kid` is named.
    #[must_use]
    pub fn verifies(&self, algorithm: SigningAlgorithm) -> bool {
        let kids = self.keys.iter().filter_map(|key| key.get("kid").and_then(Value::as_str));
        std::iter::once(None).chain(kids.map(Some)).any(|kid| self.signature_key(algorithm, kid).is_ok())
    }

    /// A key that content may be encrypted to. One that says that it is for that goes before one that says nothing.
    ///
    /// # Errors
    /// See [`NoKey`].
    pub fn encryption_key(&self, algorithm: KeyManagement) -> Result<EncryptionKey, NoKey> {
        let name = algorithm.as_str();
        let mut keys: Vec<_> = self.keys.iter().collect();
        keys.sort_by_key(|key| !key.contains_key("use") && !key.contains_key("alg"));
        let mut usable = keys.iter().filter_map(|key| EncryptionKey::from_members(key, Some(algorithm)).ok());
        usable.next().ok_or_else(|| NoKey::None(name, String::new()))
    }
}

/// Why a key that is for one of this server's algorithms can be used with none of them. RFC 7517 §5: what is of a kind, on a
/// curve, for an algorithm or for a use that is not known here is passed over. What the key says is not said again.
#[must_use]
pub fn fault(key: &Map<String, Value>) -> Option<String> {
    let mut why = None;
    for algorithm in SigningAlgorithm::ALL {
        if !is_for(key, key_type(algorithm), algorithm.as_str()) {
            continue;
        }
        match verification_key(key, algorithm) {
            Ok(_) => return None,
            // "ECDSA using P-256" (RFC 7518 §3.1) and a key on P-384; what has no `alg` may be for one of the others.
            Err(JwkError::WrongKind(name, _)) if key.contains_key("alg") && is_known_curve(key) => {
                why = Some(format!("its \"crv\" is not the one of {name}, its \"alg\""));
            }
            Err(JwkError::WrongKind(..)) => {}
            Err(other) => why = Some(other.to_string()),
        }
    }
    for algorithm in KeyManagement::ALL {
        match EncryptionKey::from_members(key, Some(algorithm)) {
            Ok(_) => return None,
            Err(EncryptionKeyError::Jwk(JwkError::WrongKind(..))) => {}
            Err(other) => why = why.or_else(|| Some(other.to_string())),
        }
    }
    why
}

fn is_known_curve(key: &Map<String, Value>) -> bool {
    let crv = key.get("crv").and_then(Value::as_str);
    crv.is_some_and(|crv| ["P-256", "P-384", "P-521", "Ed25519", "X25519"].contains(&crv))
}

/// Whether a JWK has parts that nobody but its owner may have (RFC 7518 §6.2.2, §6.3.2, §6.4.1).
#[must_use]
pub fn is_private(key: &Map<String, Value>) -> bool {
    key.contains_key("k") || PRIVATE_MEMBERS.iter().any(|name| key.contains_key(*name))
}

fn key_type(algorithm: SigningAlgorithm) -> &'static str {
    match algorithm {
        SigningAlgorithm::Es256 | SigningAlgorithm::Es384 | SigningAlgorithm::Es512 => "EC",
        SigningAlgorithm::Rs256 | SigningAlgorithm::Ps256 => "RSA",
        SigningAlgorithm::EdDsa => "OKP",
    }
}

/// RFC 7517 §4.2 to §4.4: where `use`, `key_ops` and `alg` are there, they bind.
fn is_for(key: &Map<String, Value>, kind: &str, algorithm: &str) -> bool {
    let verifies = |operations: &Value| {
        operations.as_array().is_some_and(|list| list.iter().any(|operation| operation == "verify"))
    };
    key.get("kty").is_some_and(|found| found == kind)
        && key.get("use").is_none_or(|found| found == "sig")
        && key.get("alg").is_none_or(|found| found == algorithm)
        && key.get("key_ops").is_none_or(verifies)
}

fn verification_key(
    key: &Map<String, Value>,
    algorithm: SigningAlgorithm,
) -> Result<VerificationKey, JwkError> {
    VerificationKey::new(&PublicJwk::from_members(key, algorithm)?)
}
