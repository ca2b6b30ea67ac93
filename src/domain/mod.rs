//! What is remembered: states as enums that carry their dates, and transitions that can refuse. No I/O.

pub mod api_token;
pub mod authorization;
pub mod client;
pub mod code;
pub mod consent;
pub mod custom_claims;
pub mod exchange;
pub mod key;
pub mod key_plan;
pub mod logout_delivery;
pub mod opaque_token;
pub mod person;
pub mod refresh_token;
pub mod registration;
pub mod resource_server;
pub mod role;
pub mod session;
pub mod throttle;
pub mod user;

pub use api_token::ApiToken;
pub use authorization::{Authorization, RevocationReason};
pub use client::{Client, ClientSecret, Profile};
pub use code::Code;
pub use custom_claims::CustomClaims;
pub use exchange::ExchangeRule;
pub use key::{KeyState, SigningKeyRecord};
pub use key_plan::{KeyPlan, KeyRules};
pub use logout_delivery::LogoutDelivery;
pub use opaque_token::OpaqueToken;
pub use person::{Attributes, Person};
pub use refresh_token::{RefreshLives, RefreshToken};
pub use registration::{InitialAccessToken, Registration};
pub use resource_server::{ResourceServer, ScopeDefinition};
pub use role::Role;
pub use session::Session;
pub use user::{User, UserName};

/// What is wrong with a thing that someone wants to store: the field and, in words, why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The field, as it is called in the configuration and on the command line.
    pub field: &'static str,
    /// What is wrong, and what would be right.
    pub text: String,
}

impl Problem {
    pub(crate) fn new(field: &'static str, text: impl Into<String>) -> Self {
        Self { field, text: text.into() }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.text)
    }
}

/// A column holds what the code that wrote it could not have written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImpossibleRow {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The row's key; never a secret.
    pub id: String,
    /// What is wrong with it.
    pub text: String,
}

impl std::fmt::Display for ImpossibleRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "impossible value in {}.{} of row {}: {}", self.table, self.column, self.id, self.text)
    }
}
