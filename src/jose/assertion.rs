//! JWTs that clients make (RFC 7523 §3): read first, believed when a key of the client's or its secret has verified them.
//!
//! RFC 8725 §3.1: the algorithm is one that the key is for, never the token's word alone. A key, or the address of one, in
//! the token's own header (`jwk`, `jku`, `x5c`, `x5u`) is never looked at.

use josekit::jws::{HS256, HS384, HS512};
use serde_json::{Map, Value};

use super::strict;
use super::verifier::VerificationKey;
use crate::base::encoding::from_base64url;
use crate::oauth::assertion_algorithm::{AssertionAlgorithm, MacAlgorithm};
use crate::oauth::limits::MAX_TOKEN_BYTES;

const MAX_HEADER_CHARS: usize = 4096;
const MAX_KID_BYTES: usize = 256;

/// A JWT that nobody has verified yet.
pub struct Assertion<'t> {
    algorithm: AssertionAlgorithm,
    kid: Option<String>,
    signed: &'t str,
    signature: Vec<u8>,
    claims: Map<String, Value>,
}

/// Why an assertion cannot be read. The texts are for the operator's log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssertionError {
    /// Too long to be read.
    #[error("the assertion is longer than {MAX_TOKEN_BYTES} bytes")]
    TooLong,
    /// Not three base64url parts around two JSON objects without duplicate members.
    #[error("the assertion is not a compact JWS")]
    Malformed,
    /// `none`, or one that is not known.
    #[error("the assertion's alg: {0}")]
    Algorithm(String),
    /// RFC 7515 §4.1.11: an extension that must be understood, and is not; or `b64` (RFC 7797).
    #[error("the assertion's header asks for an extension (crit, b64) that is not supported")]
    Extension,
    /// Another kind of token.
    #[error("the assertion's typ is that of another kind of token")]
    WrongType,
}

impl<'t> Assertion<'t> {
    /// Reads it; what it says is only what somebody says.
    ///
    /// # Errors
    /// See [`AssertionError`].
    pub fn read(token: &'t str) -> Result<Self, AssertionError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(AssertionError::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(AssertionError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(AssertionError::Malformed)?;
        if payload.contains('.') || header.len() > MAX_HEADER_CHARS {
            return Err(AssertionError::Malformed);
        }
        let header = decoded(header)?;
        let word = |name: &str| match header.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(AssertionError::Malformed),
        };
        let algorithm = word("alg")?.ok_or(AssertionError::Malformed)?;
        let algorithm = algorithm.parse().map_err(AssertionError::Algorithm)?;
        if header.contains_key("crit") || header.contains_key("b64") {
            return Err(AssertionError::Extension);
        }
        // RFC 7523 names no type; one that names another kind of token was made for something else (RFC 8725 §3.11).
        if word("typ")?.is_some_and(|typ| !is_type(typ)) {
            return Err(AssertionError::WrongType);
        }
        let kid = word("kid")?.map(str::to_owned);
        if kid.as_ref().is_some_and(|kid| kid.len() > MAX_KID_BYTES) {
            return Err(AssertionError::Malformed);
        }
        let signature = from_base64url(signature).ok_or(AssertionError::Malformed)?;
        Ok(Self { algorithm, kid, signed, signature, claims: decoded(payload)? })
    }

    /// What protects it.
    #[must_use]
    pub fn algorithm(&self) -> AssertionAlgorithm {
        self.algorithm
    }

    /// The key that it names.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// What it says.
    #[must_use]
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// Whether this key has signed it, by the algorithm that both name.
    #[must_use]
    pub fn is_signed_by(&self, key: &VerificationKey) -> bool {
        self.algorithm == AssertionAlgorithm::Signature(key.public().algorithm())
            && key.verifies(self.signed.as_bytes(), &self.signature)
    }

    /// Whether this secret authenticates it. RFC 7518 §3.2: "A key of the same size as the hash output […] or larger MUST
    /// be used with this algorithm": a shorter secret authenticates nothing.
    #[must_use]
    pub fn is_authenticated_by(&self, secret: &[u8]) -> bool {
        let AssertionAlgorithm::Mac(algorithm) = self.algorithm else { return false };
        let verifier = match algorithm {
            MacAlgorithm::Hs256 => HS256.verifier_from_bytes(secret),
            MacAlgorithm::Hs384 => HS384.verifier_from_bytes(secret),
            MacAlgorithm::Hs512 => HS512.verifier_from_bytes(secret),
        };
        let Ok(verifier) = verifier else { return false };
        josekit::jws::JwsVerifier::verify(&verifier, self.signed.as_bytes(), &self.signature).is_ok()
    }
}

fn is_type(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    matches!(typ.trim_start_matches("application/"), "jwt" | "client-authentication+jwt")
}

fn decoded(part: &str) -> Result<Map<String, Value>, AssertionError> {
    from_base64url(part).as_deref().and_then(strict::object).ok_or(AssertionError::Malformed)
}
