//! Resource servers (RFC 6749 §1.1): the audience of tokens, the scope values they own, and their policy for tokens.

use serde::{Deserialize, Serialize};

use crate::base::{Seconds, Timestamp};
use crate::oauth::algorithm::{ContentEncryption, KeyManagement};
use crate::oauth::{Resource, Scope, ScopeToken};

use super::client::{LONGEST_ACCESS_TOKEN, MAX_NAME_BYTES};
use super::{CustomClaims, Problem};

/// A scope value and what it means to a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeDefinition {
    /// The value on the wire.
    pub name: ScopeToken,
    /// The line on the consent page.
    pub description: String,
}

impl ScopeDefinition {
    /// What it allows, for people; the value itself where nobody said it.
    #[must_use]
    pub fn words(&self) -> String {
        if self.description.is_empty() { self.name.to_string() } else { self.description.clone() }
    }
}

/// A resource server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceServer {
    /// Its identifier: `resource` in requests (RFC 8707), `aud` in tokens.
    pub id: Resource,
    /// What people read on the consent page.
    pub name: String,
    /// The scope values it owns.
    pub scopes: Vec<ScopeDefinition>,
    /// The life of tokens for it.
    pub access_token_ttl: Option<Seconds>,
    /// Lets `access_token_ttl` be above an hour.
    pub allow_long_access_tokens: bool,
    /// The algorithm of tokens for it (`ES256` when none is named).
    pub signing_algorithm: Option<crate::oauth::algorithm::SigningAlgorithm>,
    /// Whether the user's roles stand in tokens for it.
    pub include_roles: bool,
    /// Whether any user may make API tokens for it, with all of its scope.
    pub user_api_tokens: bool,
    /// Whether it comes from the configuration file.
    pub declared: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// What its access tokens look like.
    pub token_format: TokenFormat,
    /// What its access tokens say beyond that.
    pub claims: CustomClaims,
}

/// What the access tokens of a resource server look like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TokenFormat {
    /// A signed JWT (RFC 9068), which it verifies by the JWKS.
    #[default]
    Jwt,
    /// A name and a secret; what they stand for, introspection says (RFC 7662).
    Opaque,
    /// A signed JWT, encrypted to its key (RFC 7519 §11.2).
    Jwe(Encryption),
}

/// To which key and how tokens are encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encryption {
    /// How the content's key is conveyed (RFC 7518 §4.1).
    pub alg: KeyManagement,
    /// How the content is encrypted (RFC 7518 §5.1).
    pub enc: ContentEncryption,
    /// The resource server's public key (RFC 7517 §4).
    pub jwk: serde_json::Map<String, serde_json::Value>,
}

impl TokenFormat {
    /// As it is stored and configured.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Jwt => "jwt",
            Self::Opaque => "opaque",
            Self::Jwe(_) => "jwe",
        }
    }

    /// How tokens are encrypted, where they are.
    #[must_use]
    pub fn encryption(&self) -> Option<&Encryption> {
        match self {
            Self::Jwe(encryption) => Some(encryption),
            Self::Jwt | Self::Opaque => None,
        }
    }

    /// From what is stored or configured.
    ///
    /// # Errors
    /// When the word is unknown, or the encryption is missing or of no use.
    pub fn from_columns(word: &str, encryption: Option<Encryption>) -> Result<Self, String> {
        match (word, encryption) {
            ("jwt", None) => Ok(Self::Jwt),
            ("opaque", None) => Ok(Self::Opaque),
            ("jwe", Some(encryption)) => Ok(Self::Jwe(encryption)),
            ("jwe", None) => {
                Err("encrypted tokens need the resource server's public key: name its encryption key"
                    .to_owned())
            }
            ("jwt" | "opaque", Some(_)) => Err(format!("a token of the format {word} is not encrypted")),
            _ => Err(format!("unknown token format {word:?}; known are jwt, opaque and jwe")),
        }
    }
}

/// Scope values that belong to this server itself, not to a resource server (OpenID Connect Core 1.0 §5.4, §11).
pub const IDENTITY_SCOPES: [&str; 6] = ["openid", "profile", "email", "address", "phone", "offline_access"];

impl ResourceServer {
    /// Whether the user's roles are needed for its tokens.
    #[must_use]
    pub fn wants_roles(&self) -> bool {
        self.include_roles || self.claims.want_roles()
    }

    /// Whether it owns this scope value.
    #[must_use]
    pub fn owns(&self, scope: &str) -> bool {
        self.scopes.iter().any(|definition| definition.name.as_str() == scope)
    }

    /// What a scope allows here, each value in words for people; by itself where it has none.
    #[must_use]
    pub fn words(&self, scope: &Scope) -> Vec<String> {
        let asked = self.scopes.iter().filter(|definition| scope.contains(definition.name.as_str()));
        asked.map(ScopeDefinition::words).collect()
    }

    /// Applies every rule, at creation and at every change alike.
    ///
    /// # Errors
    /// All problems at once.
    pub fn check(self) -> Result<Self, Vec<Problem>> {
        let mut found = Vec::new();
        let mut refuse = |field: &'static str, text: &str| found.push(Problem::new(field, text));
        if self.name.trim().is_empty()
            || self.name.len() > MAX_NAME_BYTES
            || self.name.chars().any(char::is_control)
        {
            refuse("name", "a name has 1 to 200 bytes and no control characters");
        }
        if self.scopes.len() > 256 {
            refuse("scopes", "at most 256");
        }
        for (at, scope) in self.scopes.iter().enumerate() {
            if IDENTITY_SCOPES.contains(&scope.name.as_str()) {
                refuse("scopes", &format!("{} belongs to the authorization server", scope.name));
            }
            if self.scopes[..at].iter().any(|earlier| earlier.name == scope.name) {
                refuse("scopes", &format!("{} is named twice", scope.name));
            }
            if scope.description.len() > 500 {
                refuse("scopes", &format!("the description of {} is longer than 500 bytes", scope.name));
            }
        }
        for problem in self.claims.problems() {
            refuse("claims", &problem);
        }
        if self.claims.iter().any(|(name, _)| name == "roles") {
            refuse("claims", "roles stand in its tokens by include_roles");
        }
        if let Some(ttl) = self.access_token_ttl {
            if ttl.0 < 10 {
                refuse("access_token_ttl_s", "at least 10 seconds");
            } else if ttl > LONGEST_ACCESS_TOKEN && !self.allow_long_access_tokens {
                refuse("access_token_ttl_s", "above 3600 seconds only with allow_long_access_tokens = true");
            } else if ttl.0 > 86_400 * 30 {
                refuse("access_token_ttl_s", "at most 30 days");
            }
        }
        if found.is_empty() { Ok(self) } else { Err(found) }
    }
}
