//! `grant_type` (RFC 6749 §4.1.3, §4.3.2, §4.4.2, §4.5, §6; RFC 8693 §2.1).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A grant that this server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// RFC 6749 §4.1.
    AuthorizationCode,
    /// RFC 6749 §4.4.
    ClientCredentials,
    /// RFC 6749 §6.
    RefreshToken,
    /// RFC 6749 §4.3; RFC 9700 §2.4 forbids it to new clients, so a client must be marked for it.
    Password,
    /// This server's own (RFC 6749 §4.5: "The client uses an extension grant type by specifying the grant type using an
    /// absolute URI"): by the cookie of the browser session, for the house's own pages that are marked for it.
    #[serde(rename = "urn:countersign:params:oauth:grant-type:session")]
    Session,
    /// RFC 8693 §2.1; for clients with rules of what they may exchange for what.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:token-exchange")]
    TokenExchange,
}

impl GrantType {
    /// All, in the order in which discovery lists them.
    pub const ALL: [Self; 6] = [
        Self::AuthorizationCode,
        Self::ClientCredentials,
        Self::RefreshToken,
        Self::Password,
        Self::Session,
        Self::TokenExchange,
    ];

    /// The value on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::ClientCredentials => "client_credentials",
            Self::RefreshToken => "refresh_token",
            Self::Password => "password",
            Self::Session => "urn:countersign:params:oauth:grant-type:session",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
        }
    }
}

impl FromStr for GrantType {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|grant| grant.as_str() == text)
            .ok_or_else(|| format!("unknown grant type {text:?}"))
    }
}

impl fmt::Display for GrantType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
