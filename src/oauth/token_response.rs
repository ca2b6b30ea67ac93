//! The answer of the token endpoint (RFC 6749 §5.1, OpenID Connect Core 1.0 §3.1.3.3, RFC 8693 §2.2.1).

use serde::Serialize;

/// A successful token response. `Debug` is left out on purpose: it holds tokens.
#[derive(Serialize)]
pub struct TokenResponse {
    /// The access token, a JWT of RFC 9068.
    pub access_token: String,
    /// Always `Bearer` (RFC 6750).
    pub token_type: &'static str,
    /// Seconds until the access token is dead.
    pub expires_in: i64,
    /// RFC 6749 §5.1: "OPTIONAL, if identical to the scope requested by the client; otherwise, REQUIRED." Always sent,
    /// unless there is none: §3.3 has no empty scope.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// The next refresh token, where the grant gives one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// The ID token, where the scope has `openid` and a user is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    /// What was issued in exchange for another token: then RFC 8693 §2.2.1 has it REQUIRED.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued_token_type: Option<IssuedTokenType>,
}

/// RFC 8693 §3: the types of tokens that are exchanged here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum IssuedTokenType {
    /// "an OAuth 2.0 access token issued by the given authorization server", whatever it looks like.
    #[serde(rename = "urn:ietf:params:oauth:token-type:access_token")]
    AccessToken,
    /// One that is a JWT.
    #[serde(rename = "urn:ietf:params:oauth:token-type:jwt")]
    Jwt,
}

impl IssuedTokenType {
    /// The type of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "urn:ietf:params:oauth:token-type:access_token" => Some(Self::AccessToken),
            "urn:ietf:params:oauth:token-type:jwt" => Some(Self::Jwt),
            _ => None,
        }
    }
}
