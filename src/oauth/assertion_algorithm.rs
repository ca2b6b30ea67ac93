//! The algorithms of a client's assertion (RFC 7523 §3, OpenID Connect Core 1.0 §9): a signature, or a MAC under its secret.
//!
//! Nothing else in this server is ever authenticated by a MAC, so these have a type of their own: neither a key nor a token
//! can name one of them elsewhere. `none` has no value here either.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::AuthMethod;
use super::algorithm::SigningAlgorithm;

/// An HMAC (RFC 7518 §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MacAlgorithm {
    /// HMAC using SHA-256.
    Hs256,
    /// HMAC using SHA-384.
    Hs384,
    /// HMAC using SHA-512.
    Hs512,
}

impl MacAlgorithm {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Hs256, Self::Hs384, Self::Hs512];

    /// The `alg` value.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }
}

/// What protects an assertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssertionAlgorithm {
    /// One of the client's keys.
    Signature(SigningAlgorithm),
    /// The client's secret.
    Mac(MacAlgorithm),
}

impl AssertionAlgorithm {
    /// The `alg` values of all of them, for discovery.
    pub fn all() -> impl Iterator<Item = Self> {
        let signatures = SigningAlgorithm::ALL.map(Self::Signature).into_iter();
        signatures.chain(MacAlgorithm::ALL.map(Self::Mac))
    }

    /// The `alg` value.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Signature(algorithm) => algorithm.as_str(),
            Self::Mac(algorithm) => algorithm.as_str(),
        }
    }

    /// The method of client authentication that it belongs to.
    #[must_use]
    pub fn method(self) -> AuthMethod {
        match self {
            Self::Signature(_) => AuthMethod::PrivateKeyJwt,
            Self::Mac(_) => AuthMethod::ClientSecretJwt,
        }
    }
}

impl fmt::Display for AssertionAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AssertionAlgorithm {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::all().find(|known| known.as_str() == text).ok_or_else(|| {
            let known: Vec<&str> = Self::all().map(Self::as_str).collect();
            format!("{text:?} is no algorithm of an assertion here; known are {}", known.join(", "))
        })
    }
}

impl Serialize for AssertionAlgorithm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for AssertionAlgorithm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_goes_out_and_comes_back_and_none_is_none_of_them() {
        for algorithm in AssertionAlgorithm::all() {
            assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
            let json = serde_json::to_string(&algorithm).unwrap();
            assert_eq!(serde_json::from_str::<AssertionAlgorithm>(&json).unwrap(), algorithm);
        }
        for name in ["none", "None", "", "hs256", "HS1", "RS1", "ES256K", "RS384"] {
            assert!(name.parse::<AssertionAlgorithm>().is_err(), "{name}");
        }
    }
}
