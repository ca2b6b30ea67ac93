//! Signature algorithms by their wire names: RFC 7518 §3.1 and RFC 8037 §3.1.

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
        for name in ["HS256", "HS384", "HS512", "none", "None", "es256", "RS1", "ES256K", ""] {
            assert_eq!(name.parse::<SigningAlgorithm>(), Err(UnknownAlgorithm(name.to_owned())));
            assert!(serde_json::from_str::<SigningAlgorithm>(&format!("\"{name}\"")).is_err());
        }
    }
}
