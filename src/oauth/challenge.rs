//! PKCE (RFC 7636): `code_challenge` and `code_verifier`. Only S256 has a type; `plain` cannot be held.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// RFC 7636 §4.2: BASE64URL-ENCODE(SHA256(ASCII(code_verifier))), so always 43 characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CodeChallenge(String);

impl CodeChallenge {
    /// As it stands on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CodeChallenge {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let sound =
            text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if sound {
            Ok(Self(text.to_owned()))
        } else {
            Err("code_challenge is not the base64url form of a SHA-256 (43 characters, no padding)"
                .to_owned())
        }
    }
}

impl TryFrom<String> for CodeChallenge {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<CodeChallenge> for String {
    fn from(challenge: CodeChallenge) -> String {
        challenge.0
    }
}

/// RFC 7636 §4.1: 43 to 128 characters of `ALPHA / DIGIT / "-" / "." / "_" / "~"`.
#[derive(Clone)]
pub struct CodeVerifier(String);

impl CodeVerifier {
    /// As it stands on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CodeVerifier {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let unreserved = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
        if (43..=128).contains(&text.len()) && text.bytes().all(unreserved) {
            Ok(Self(text.to_owned()))
        } else {
            Err("code_verifier has 43 to 128 characters of A-Z a-z 0-9 - . _ ~".to_owned())
        }
    }
}
