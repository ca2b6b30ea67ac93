//! Verifies this server's own tokens: ID token hints, access tokens at its own endpoints.
//!
//! RFC 8725 §3.1: the algorithm is the key's, never the token's word. The key is chosen by `kid` among the given ones; a key,
//! or the address of one, in the token's own header (`jwk`, `jku`, `x5c`, `x5u`) is never looked at.

use std::fmt;

use josekit::jws::JwsVerifier;
use serde_json::{Map, Value};

use super::jwk::{JwkError, PublicJwk};
use super::signer::TokenType;
use super::strict;
use crate::base::encoding::from_base64url;
use crate::oauth::algorithm::SigningAlgorithm;
use crate::oauth::limits::MAX_TOKEN_BYTES;

const MAX_HEADER_CHARS: usize = 4096;

/// A public key, ready to verify.
pub struct VerificationKey {
    public: PublicJwk,
    inner: Box<dyn JwsVerifier>,
}

impl VerificationKey {
    /// Prepares a key.
    ///
    /// # Errors
    /// When the library refuses it.
    pub fn new(public: &PublicJwk) -> Result<Self, JwkError> {
        let inner = public.verifier().map_err(|e| JwkError::Refused(e.to_string()))?;
        Ok(Self { public: public.clone(), inner })
    }

    /// Whether this key has signed these bytes.
    pub(super) fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        self.inner.verify(signed, signature).is_ok()
    }

    /// The key.
    #[must_use]
    pub fn public(&self) -> &PublicJwk {
        &self.public
    }
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerificationKey({} {})", self.public.algorithm(), self.public.kid())
    }
}

/// Why a token is refused. The texts are for the operator's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// Too long to be read.
    #[error("the token is longer than {MAX_TOKEN_BYTES} bytes")]
    TooLong,
    /// Not three base64url parts around two JSON objects without duplicate members.
    #[error("the token is not a compact JWS")]
    Malformed,
    /// `none`, a symmetric one, or one that this server does not have.
    #[error("the token's algorithm is none that this server signs with")]
    ForbiddenAlgorithm,
    /// RFC 7515 §4.1.11: an extension that must be understood, and is not; or `b64` (RFC 7797).
    #[error("the token's header asks for an extension (crit, b64) that is not supported")]
    Extension,
    /// Another kind of token.
    #[error("the token's typ is not that of the expected kind")]
    WrongType,
    /// No `kid`, or none of a published key.
    #[error("the token names no key that this server publishes")]
    UnknownKey,
    /// RFC 8725 §3.1.
    #[error("the token's algorithm is not that of the key it names")]
    WrongAlgorithm,
    /// The signature is not the key's over this token.
    #[error("the token's signature is not valid")]
    BadSignature,
}

/// The claims of a token that one of `keys` has signed and that is of the `expected` type. `exp` is not looked at: an ID token
/// hint may be expired (OpenID Connect RP-Initiated Logout §2), so that is for the caller to decide.
///
/// # Errors
/// See [`VerifyError`].
pub fn verify(
    keys: &[VerificationKey],
    token: &str,
    expected: TokenType,
) -> Result<Map<String, Value>, VerifyError> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(VerifyError::TooLong);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(VerifyError::Malformed)?;
    let (header, payload) = signed.split_once('.').ok_or(VerifyError::Malformed)?;
    if payload.contains('.') || header.len() > MAX_HEADER_CHARS {
        return Err(VerifyError::Malformed);
    }
    let key = choose(keys, &decoded(header)?, expected)?;
    let signature = from_base64url(signature).ok_or(VerifyError::Malformed)?;
    key.inner.verify(signed.as_bytes(), &signature).map_err(|_| VerifyError::BadSignature)?;
    decoded(payload)
}

fn decoded(part: &str) -> Result<Map<String, Value>, VerifyError> {
    from_base64url(part).as_deref().and_then(strict::object).ok_or(VerifyError::Malformed)
}

/// Every check of the header, in order.
fn choose<'a>(
    keys: &'a [VerificationKey],
    header: &Map<String, Value>,
    expected: TokenType,
) -> Result<&'a VerificationKey, VerifyError> {
    let word = |name: &str| header.get(name).and_then(Value::as_str);
    let algorithm: SigningAlgorithm =
        word("alg").ok_or(VerifyError::Malformed)?.parse().map_err(|_| VerifyError::ForbiddenAlgorithm)?;
    // RFC 7515 §4.1.11: "If any of the listed extension Header Parameters are not understood and supported by the
    // recipient, then the JWS is invalid." None is; and RFC 7797's b64 is refused even where `crit` does not name it.
    if header.contains_key("crit") || header.contains_key("b64") {
        return Err(VerifyError::Extension);
    }
    // RFC 9068 §4: "The resource server MUST verify that the "typ" header value is "at+jwt""; ours are written one way.
    if word("typ") != Some(expected.as_str()) {
        return Err(VerifyError::WrongType);
    }
    let kid = word("kid").ok_or(VerifyError::UnknownKey)?;
    let key = keys.iter().find(|key| key.public.kid() == kid).ok_or(VerifyError::UnknownKey)?;
    if key.public.algorithm() != algorithm {
        return Err(VerifyError::WrongAlgorithm);
    }
    Ok(key)
}
