//! Encrypts signed tokens to a resource server or a client: nested JWTs (RFC 7519 §11.2) as compact JWE (RFC 7516 §7.1).
//!
//! josekit conveys the content's key and runs the cipher; key and nonce of the content are drawn here, and the header is
//! written here, so that it never holds more than `alg`, `enc`, `kid`, `typ`, `cty` and the ephemeral key `epk`. There is
//! no `zip`: what is compressed before it is encrypted tells by its length what stands in it (RFC 8725 §3.6).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use josekit::jwe::{JweContentEncryption, JweEncrypter};
use zeroize::Zeroizing;

use super::backend;
use super::encryption_key::{EncryptionKey, EncryptionKeyError};
use super::jwk::JwkError;
use super::signer::TokenType;
use crate::base::entropy::{self, Entropy, EntropyError};
use crate::oauth::algorithm::ContentEncryption;

/// The longest key of a way to encrypt content: that of A256CBC-HS512 (RFC 7518 §5.2.5).
const MAX_KEY_BYTES: usize = 64;
/// The longest nonce: a block of AES (RFC 7518 §5.2.2.1). GCM takes 96 bits (RFC 7518 §5.3), here random, under a key that
/// is used once (NIST SP 800-38D §8.2).
const MAX_NONCE_BYTES: usize = 16;

/// Nothing was encrypted.
#[derive(Debug, thiserror::Error)]
pub enum EncryptError {
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// A library failed.
    #[error("encryption to the key {kid} failed: {why}")]
    Failed {
        /// The key.
        kid: String,
        /// What the library said.
        why: String,
    },
}

/// What is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A signed access token.
    AccessToken,
    /// Another signed JWT, for a client.
    Jwt,
    /// Claims that nobody signed.
    Claims,
}

impl Content {
    /// RFC 7519 §5.2: "In the case that nested signing or encryption is employed, this Header Parameter MUST be present; in
    /// this case, the value MUST be "JWT"" of `cty`. RFC 9068 §4 has `typ` looked at before decryption, so it stands outside
    /// as well as inside, which RFC 8725 §3.11 allows.
    fn header(self) -> String {
        let typ = match self {
            Self::AccessToken => TokenType::AccessToken.as_str(),
            Self::Jwt | Self::Claims => TokenType::IdToken.as_str(),
        };
        let cty = if self == Self::Claims { "" } else { r#","cty":"JWT""# };
        format!(r#""typ":"{typ}"{cty}"#)
    }
}

/// A public key, ready to encrypt to. Shared between threads without a lock.
pub struct Encrypter {
    kid: String,
    /// The header in JSON, but for what the agreement adds and the closing brace.
    header: String,
    inner: Box<dyn JweEncrypter>,
    content: &'static dyn JweContentEncryption,
}

impl Encrypter {
    /// Prepares a key.
    ///
    /// # Errors
    /// When the library refuses the key.
    pub fn new(
        key: &EncryptionKey,
        enc: ContentEncryption,
        what: Content,
    ) -> Result<Self, EncryptionKeyError> {
        let inner = key.encrypter().map_err(|e| JwkError::Refused(e.to_string()))?;
        let kid = serde_json::Value::from(key.kid());
        let header = format!(r#"{{"alg":"{}","enc":"{enc}","kid":{kid},{}"#, key.algorithm(), what.header());
        Ok(Self { kid: key.kid().to_owned(), header, inner, content: backend::content(enc) })
    }

    /// Encrypts a signed token, or claims in JSON.
    ///
    /// # Errors
    /// When there is no randomness or the library fails.
    pub fn encrypt(&self, signed: &str, entropy: &dyn Entropy) -> Result<String, EncryptError> {
        let failed =
            |e: josekit::JoseError| EncryptError::Failed { kid: self.kid.clone(), why: e.to_string() };
        let drawn: Zeroizing<[u8; MAX_KEY_BYTES]> = Zeroizing::new(entropy::bytes(entropy)?);
        let nonce: [u8; MAX_NONCE_BYTES] = entropy::bytes(entropy)?;
        let nonce = &nonce[..self.content.iv_len()];
        let conveyed =
            backend::convey(&*self.inner, self.content, &drawn[..self.content.key_len()]).map_err(failed)?;

        let epk = conveyed.epk.map(|epk| format!(r#","epk":{epk}"#)).unwrap_or_default();
        let header = format!("{}{epk}}}", self.header);
        let parts_bytes = header.len() + conveyed.encrypted_key.len() + signed.len() + nonce.len() + 48;
        let mut token = String::with_capacity(parts_bytes * 4 / 3 + 16);
        URL_SAFE_NO_PAD.encode_string(header, &mut token);
        // RFC 7516 §5.1 step 14: the additional authenticated data is ASCII(Encoded Protected Header).
        let (ciphertext, tag) = self
            .content
            .encrypt(&conveyed.key, Some(nonce), signed.as_bytes(), token.as_bytes())
            .map_err(failed)?;
        let tag = tag.unwrap_or_default();
        for part in [&conveyed.encrypted_key[..], nonce, &ciphertext, &tag] {
            token.push('.');
            URL_SAFE_NO_PAD.encode_string(part, &mut token);
        }
        Ok(token)
    }
}

impl fmt::Debug for Encrypter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Encrypter({}, {})", self.kid, self.content.name())
    }
}
