//! `[registration]`: clients that register themselves.

use super::schema::section;
use super::words::{AuthMethodName, GrantName, RegistrationMode};

section! {
    /// Clients that register themselves (RFC 7591, OpenID Connect Dynamic Client Registration 1.0) and manage that
    /// (RFC 7592), and what they may have. A change here is for registrations from then on; a client that is registered
    /// keeps what it has, and may ask for what is allowed beside that.
    pub struct Registration {
        /// `off`: nobody may. `token`: whoever has an initial access token (`countersign registration token create`).
        /// `open`: everybody; people are told on the consent page that nobody checked such a client.
        mode: RegistrationMode = RegistrationMode::Off;
        /// The grants that such a client may have: `authorization_code`, `refresh_token`, `client_credentials`.
        grant_types: Vec<GrantName> = vec![GrantName::AuthorizationCode, GrantName::RefreshToken];
        /// The scopes that it may have. Those of resource servers want these among `resources`.
        scopes: Vec<String> = ["openid", "profile", "email", "address", "phone", "offline_access"]
            .map(str::to_owned)
            .to_vec();
        /// The resource servers, by `id`, that it may ask tokens for.
        resources: Vec<String> = Vec::new();
        /// How it may authenticate.
        auth_methods: Vec<AuthMethodName> = AuthMethodName::ALL.to_vec();
        /// Whether one with a secret or a key must use PKCE. Public ones always must.
        require_pkce: bool = true;
        /// How many registered clients there may be. All of them are kept in the memory of every node.
        max_clients: u32 = 1_000, in 1..=100_000;
        /// How many may be registered from one address (IPv6: from one /56) within the window.
        max_per_address: u32 = 20, in 1..=100_000;
        /// The window in which registrations are counted.
        window_s: u32 = 3_600, in 10..=86_400;
        /// A client that got no code and no token within this time from its registration on is deleted.
        unused_ttl_s: u32 = 2_592_000, in 60..=31_536_000;
    }
}
