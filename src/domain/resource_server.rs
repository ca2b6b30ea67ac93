//! Resource servers (RFC 6749 §1.1): the audience of tokens, the scope values they own, and their policy for tokens.

use serde::{Deserialize, Serialize};

use crate::base::{Seconds, Timestamp};
use crate::oauth::{Resource, ScopeToken};

use super::Problem;
use super::client::{LONGEST_ACCESS_TOKEN, MAX_NAME_BYTES};

/// A scope value and what it means to a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeDefinition {
    /// The value on the wire.
    pub name: ScopeToken,
    /// The line on the consent page.
    pub description: String,
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
    /// Whether it comes from the configuration file.
    pub declared: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Scope values that belong to this server itself, not to a resource server (OpenID Connect Core 1.0 §5.4, §11).
pub const IDENTITY_SCOPES: [&str; 4] = ["openid", "profile", "email", "offline_access"];

impl ResourceServer {
    /// Whether it owns this scope value.
    #[must_use]
    pub fn owns(&self, scope: &str) -> bool {
        self.scopes.iter().any(|definition| definition.name.as_str() == scope)
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
