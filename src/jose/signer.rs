//! Signs tokens: compact JWS (RFC 7515 §7.1) with the header made once per key.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use josekit::jws::JwsSigner;

use super::backend;
use super::jwk::PublicJwk;
use super::private_key::{KeyError, PrivateKey};
use crate::base::encoding::base64url;
use crate::oauth::algorithm::SigningAlgorithm;

/// What a token is, in its `typ` (RFC 7515 §4.1.9), so that one kind is never taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenType {
    /// RFC 9068 §2.1.
    AccessToken,
    /// OpenID Connect Core §2.
    IdToken,
    /// RFC 9701 §5.
    Introspection,
    /// OpenID Connect Core §5.3.2. It has no `typ`: clients know none for it, and none is what no other token of ours has. So
    /// it is never taken for an ID token, whose claims it shares; and it is never read here.
    Userinfo,
    /// OpenID Connect Back-Channel Logout 1.0 §2.4.
    Logout,
}

impl TokenType {
    /// The `typ` value.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "at+jwt",
            Self::IdToken => "JWT",
            Self::Introspection => "token-introspection+jwt",
            Self::Userinfo => "",
            Self::Logout => "logout+jwt",
        }
    }
}

/// Nothing was signed.
#[derive(Debug, thiserror::Error)]
#[error("signing with the key {kid} failed: {why}")]
pub struct SignError {
    /// The key.
    pub kid: String,
    /// What the library said.
    pub why: String,
}

/// One key, ready to sign. Shared between threads without a lock.
pub struct Signer {
    public: PublicJwk,
    access_token_header: String,
    id_token_header: String,
    introspection_header: String,
    userinfo_header: String,
    logout_header: String,
    signature_chars: usize,
    inner: Box<dyn JwsSigner>,
}

impl Signer {
    /// Prepares a key.
    ///
    /// # Errors
    /// When the library refuses the key.
    pub fn new(key: &PrivateKey) -> Result<Self, KeyError> {
        let public = key.public().clone();
        let inner =
            backend::signer(public.algorithm(), key.pkcs8()).map_err(|e| KeyError::Failed(e.to_string()))?;
        Ok(Self {
            access_token_header: header(&public, TokenType::AccessToken),
            id_token_header: header(&public, TokenType::IdToken),
            introspection_header: header(&public, TokenType::Introspection),
            userinfo_header: header(&public, TokenType::Userinfo),
            logout_header: header(&public, TokenType::Logout),
            signature_chars: encoded_length(public.signature_length()),
            public,
            inner,
        })
    }

    /// The key's algorithm.
    #[must_use]
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.public.algorithm()
    }

    /// The key's id.
    #[must_use]
    pub fn kid(&self) -> &str {
        self.public.kid()
    }

    /// Signs claims that are JSON already; they go into the token byte by byte.
    ///
    /// # Errors
    /// When the library fails.
    pub fn sign(&self, token_type: TokenType, claims_json: &[u8]) -> Result<String, SignError> {
        let header = match token_type {
            TokenType::AccessToken => &self.access_token_header,
            TokenType::IdToken => &self.id_token_header,
            TokenType::Introspection => &self.introspection_header,
            TokenType::Userinfo => &self.userinfo_header,
            TokenType::Logout => &self.logout_header,
        };
        let length = header.len() + encoded_length(claims_json.len()) + 1 + self.signature_chars;
        let mut token = String::with_capacity(length);
        token.push_str(header);
        URL_SAFE_NO_PAD.encode_string(claims_json, &mut token);
        let signature = self
            .inner
            .sign(token.as_bytes())
            .map_err(|e| SignError { kid: self.kid().to_owned(), why: e.to_string() })?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(&signature, &mut token);
        Ok(token)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({} {}, …)", self.algorithm(), self.kid())
    }
}

/// The encoded header with the dot behind it.
fn header(public: &PublicJwk, token_type: TokenType) -> String {
    let (alg, kid) = (public.algorithm().as_str(), public.kid());
    let typ = match token_type.as_str() {
        "" => String::new(),
        typ => format!(r#""typ":"{typ}","#),
    };
    let mut encoded = base64url(format!(r#"{{"alg":"{alg}",{typ}"kid":"{kid}"}}"#).as_bytes());
    encoded.push('.');
    encoded
}

fn encoded_length(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}
