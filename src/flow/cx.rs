//! What a use case is given.

use std::sync::Arc;

use crate::base::{Entropy, Seconds, Timestamp};
use crate::domain::session::IdleTtls;
use crate::domain::{Client, RefreshLives};
use crate::fetch::Fetcher;
use crate::jose::Sealer;
use crate::oauth::algorithm::SigningAlgorithm;
use crate::store::Store;

use super::api_tokens::LastUses;
use super::client_keys::ClientKeys;
use super::passwords::Passwords;
use super::registration::RegistrationPolicy;
use super::{Denials, Snapshot};

/// One request's surroundings. `now` is read once, at the door.
pub struct Cx {
    /// The instant of the request.
    pub now: Timestamp,
    /// The database.
    pub store: Arc<Store>,
    /// Clients, resource servers and keys as they are in memory.
    pub snapshot: Arc<Snapshot>,
    /// The access tokens that were revoked one by one, as far as this node knows.
    pub denials: Arc<Denials>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Seals what travels through the browser.
    pub sealer: Arc<Sealer>,
    /// Argon2, bounded.
    pub passwords: Arc<Passwords>,
    /// When API tokens were last used.
    pub last_uses: Arc<LastUses>,
    /// When clients that registered themselves were last used.
    pub client_uses: Arc<LastUses>,
    /// Requests to addresses that a client named.
    pub fetcher: Arc<Fetcher>,
    /// The keys of clients that were fetched.
    pub client_keys: Arc<ClientKeys>,
    /// What the operator configured.
    pub policy: Arc<Policy>,
}

/// What the operator configured, as the use cases need it. All spans in seconds.
#[derive(Clone, Debug)]
pub struct Policy {
    /// `iss`: the issuer's URL, exactly as configured.
    pub issuer: String,
    /// What pairwise subjects are made with.
    pub pairwise_salt: String,
    /// The URL of the token endpoint, which an assertion may be for.
    pub token_endpoint: String,
    /// Life of a code.
    pub code_ttl: Seconds,
    /// Life of an access token where neither client nor resource server says otherwise.
    pub access_token_ttl: Seconds,
    /// Life of an ID token.
    pub id_token_ttl: Seconds,
    /// Life of a refresh family from its authorization on.
    pub refresh_token_ttl: Seconds,
    /// Life of one refresh token that is not used.
    pub refresh_token_idle_ttl: Seconds,
    /// How long a used refresh token still gets the same successor, where the client says nothing.
    pub refresh_reuse_grace: Seconds,
    /// The longest life of an API token.
    pub api_token_max_ttl: Seconds,
    /// Life of a browser session.
    pub session_ttl: Seconds,
    /// Life of one whose user asked to stay signed in.
    pub remembered_ttl: Seconds,
    /// Lives of browser sessions that are not used.
    pub session_idle: IdleTtls,
    /// How long a login or consent page may lie open.
    pub request_ttl: Seconds,
    /// Failed logins per account and window.
    pub max_failures_per_account: i64,
    /// Failed logins per network and window.
    pub max_failures_per_address: i64,
    /// Failed logins in all per window.
    pub max_failures_overall: i64,
    /// The window.
    pub login_window: Seconds,
    /// How users make their own accounts, where they may.
    pub sign_up: Option<SignUpLimits>,
    /// The algorithm of access tokens where the resource server names none.
    pub access_token_algorithm: SigningAlgorithm,
    /// The algorithm of ID tokens.
    pub id_token_algorithm: SigningAlgorithm,
    /// How long verifiers may cache the JWKS.
    pub jwks_max_age: Seconds,
    /// What a client may have that registers itself.
    pub registration: RegistrationPolicy,
}

impl Policy {
    /// How long the refresh tokens of this client live.
    #[must_use]
    pub fn refresh_lives(&self, client: &Client) -> RefreshLives {
        RefreshLives {
            family: client.refresh_token_ttl.unwrap_or(self.refresh_token_ttl),
            idle: client.refresh_token_idle_ttl.unwrap_or(self.refresh_token_idle_ttl),
        }
    }
}

/// How many accounts users may make for themselves.
#[derive(Clone, Copy, Debug)]
pub struct SignUpLimits {
    /// From one network, in a window.
    pub per_address: i64,
    /// In all, in a window.
    pub overall: i64,
    /// The window.
    pub window: Seconds,
}
