//! Algorithms by their wire names: of signatures (RFC 7518 §3.1, RFC 8037 §3.1) and of encryption (RFC 7518 §4.1, §5.1).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An asymmetric signature algorithm.
///
/// The symmetric ones (`HS256`, `HS384`, `HS512`) and `none` are not representable: no key, no configuration and no token
/// can name them, so there is nothing to forget to refuse. The order is the order of preference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SigningAlgorithm {
    /// ECDSA using P-256 and SHA-256: the default for access tokens.
    #[serde(rename = "ES256")]
    Es256,
    /// RSASSA-PKCS1-v1_5 using SHA-256: what OpenID Connect Core §15.1 makes every provider have.
    #[serde(rename = "RS256")]
    Rs256,
    /// RSASSA-PSS using SHA-256 and MGF1 with SHA-256.
    #[serde(rename = "PS256")]
    Ps256,
    /// ECDSA using P-384 and SHA-384.
    #[serde(rename = "ES384")]
    Es384,
    /// ECDSA using P-521 and SHA-512.
    #[serde(rename = "ES512")]
    Es512,
    /// EdDSA, here with Ed25519 only.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl SigningAlgorithm {
    /// All of them, in order of preference.
    pub const ALL: [Self; 6] = [Self::Es256, Self::Rs256, Self::Ps256, Self::Es384, Self::Es512, Self::EdDsa];

    /// The `alg` value (RFC 7515 §4.1.1).
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::EdDsa => "EdDSA",
        }
    }

    /// Whether a worker may sign with it while other requests wait. OpenSSL has code of its own for these two curves; the
    /// others and RSA take more than ten times as long.
    #[must_use]
    pub fn is_fast(self) -> bool {
        matches!(self, Self::Es256 | Self::EdDsa)
    }

    /// Whether the key is an RSA key: slow to make and slow to sign with.
    #[must_use]
    pub fn is_rsa(self) -> bool {
        matches!(self, Self::Rs256 | Self::Ps256)
    }
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no algorithm of this server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown signature algorithm {0:?}; known are ES256, RS256, PS256, ES384, ES512 and EdDSA")]
pub struct UnknownAlgorithm(pub String);

impl FromStr for SigningAlgorithm {
    type Err = UnknownAlgorithm;

    /// The names are case-sensitive (RFC 7515 §4.1.1).
    fn from_str(text: &str) -> Result<Self, UnknownAlgorithm> {
        Self::ALL
            .into_iter()
            .find(|known| known.as_str() == text)
            .ok_or_else(|| UnknownAlgorithm(text.to_owned()))
    }
}

/// How the key of an encrypted token's content is conveyed (RFC 7518 §4.1).
///
/// RSA1_5 (RFC 8725 §3.2), PBES2 and the symmetric ways are not representable, so there is nothing to forget to refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyManagement {
    /// RSAES OAEP using SHA-256 and MGF1 with SHA-256.
    #[serde(rename = "RSA-OAEP-256")]
    RsaOaep256,
    /// Elliptic Curve Diffie-Hellman Ephemeral Static, the agreed key used directly.
    #[serde(rename = "ECDH-ES")]
    EcdhEs,
    /// ECDH-ES, the agreed key wrapping the content's key with AES-256.
    #[serde(rename = "ECDH-ES+A256KW")]
    EcdhEsA256Kw,
}

impl KeyManagement {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::RsaOaep256, Self::EcdhEs, Self::EcdhEsA256Kw];

    /// The `alg` value (RFC 7516 §4.1.1).
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RsaOaep256 => "RSA-OAEP-256",
            Self::EcdhEs => "ECDH-ES",
            Self::EcdhEsA256Kw => "ECDH-ES+A256KW",
        }
    }
}

impl fmt::Display for KeyManagement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for KeyManagement {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|known| known.as_str() == text).ok_or_else(|| {
            let why = why_not(text);
            format!(
                "{text:?} is no way to convey a key here{why}; RSA-OAEP-256, ECDH-ES and ECDH-ES+A256KW are"
            )
        })
    }
}

/// Why a name that the specs know is not taken, for whoever configures it.
fn why_not(name: &str) -> &'static str {
    match name {
        "RSA1_5" => ", as its padding gives the key away to whoever may ask often enough (RFC 8725 §3.2)",
        "RSA-OAEP" => ", as it hashes with SHA-1",
        _ if name.starts_with("PBES2") => ", as it makes the key of a password (RFC 7518 §8.8)",
        "dir" | "A128KW" | "A192KW" | "A256KW" | "A128GCMKW" | "A192GCMKW" | "A256GCMKW" => {
            ", as it needs a shared secret, and a resource server registers a public key"
        }
        _ => "",
    }
}

/// How the content of a token is encrypted (RFC 7518 §5.1: those that are required or recommended there).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ContentEncryption {
    /// AES in CBC mode with a 128-bit key, authenticated by HMAC with SHA-256.
    #[serde(rename = "A128CBC-HS256")]
    A128CbcHs256,
    /// AES in CBC mode with a 256-bit key, authenticated by HMAC with SHA-512.
    #[serde(rename = "A256CBC-HS512")]
    A256CbcHs512,
    /// AES GCM using a 128-bit key.
    #[serde(rename = "A128GCM")]
    A128Gcm,
    /// AES GCM using a 256-bit key.
    #[serde(rename = "A256GCM")]
    A256Gcm,
}

impl ContentEncryption {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::A128CbcHs256, Self::A256CbcHs512, Self::A128Gcm, Self::A256Gcm];

    /// The `enc` value (RFC 7516 §4.1.2).
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A128CbcHs256 => "A128CBC-HS256",
            Self::A256CbcHs512 => "A256CBC-HS512",
            Self::A128Gcm => "A128GCM",
            Self::A256Gcm => "A256GCM",
        }
    }
}

impl fmt::Display for ContentEncryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ContentEncryption {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|known| known.as_str() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("{text:?} is no way to encrypt content here; these are: {known}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_goes_out_and_comes_back() {
        for algorithm in SigningAlgorithm::ALL {
            assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
            let json = serde_json::to_string(&algorithm).unwrap();
            assert_eq!(json, format!("\"{algorithm}\""));
            assert_eq!(serde_json::from_str::<SigningAlgorithm>(&json).unwrap(), algorithm);
        }
    }

    #[test]
    fn symmetric_algorithms_and_none_have_no_value() {
        for name in ["RSA1_5", "RSA-OAEP", "dir", "A256KW", "PBES2-HS256+A128KW", "A128GCMKW", ""] {
            assert!(name.parse::<KeyManagement>().is_err(), "{name}");
        }
        for name in ["HS256", "HS384", "HS512", "none", "None", "es256", "RS1", "ES256K", ""] {
            assert_eq!(name.parse::<SigningAlgorithm>(), Err(UnknownAlgorithm(name.to_owned())));
            assert!(serde_json::from_str::<SigningAlgorithm>(&format!("\"{name}\"")).is_err());
        }
    }
}
