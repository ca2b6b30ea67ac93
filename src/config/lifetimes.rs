//! `[tokens]` and `[session]`: how long things live.

use super::schema::section;

/// The longest life of an access token without an explicit override, in seconds.
pub const MAX_ORDINARY_ACCESS_TOKEN_TTL_S: u32 = 3_600;

section! {
    /// How long tokens live. Clients and resource servers may set shorter or (refresh tokens) longer lives of their own.
    pub struct Tokens {
        /// An authorization code. RFC 6749 §4.1.2 recommends at most ten minutes; clients redeem within a second.
        code_ttl_s: u32 = 60, in 1..=600;
        /// An access token. Above an hour only together with `allow_long_access_tokens`: verifiers that go by the JWKS
        /// alone accept a token until it expires, whatever happens to the user meanwhile.
        access_token_ttl_s: u32 = 300, in 10..=86_400;
        /// Lets `access_token_ttl_s` be above an hour.
        allow_long_access_tokens: bool = false;
        /// An ID token.
        id_token_ttl_s: u32 = 300, in 10..=86_400;
        /// The absolute life of a family of refresh tokens, counted from the login. Those of clients without a secret, and
        /// those without `offline_access`, end with the browser session at the latest.
        refresh_token_ttl_s: u32 = 2_592_000, in 60..=31_536_000;
        /// A refresh token that nobody uses for this long is dead.
        refresh_token_idle_ttl_s: u32 = 1_209_600, in 60..=31_536_000;
        /// A used refresh token that is shown again within this time gets the same successor: the answer may have been
        /// lost, or two tabs have refreshed at once. Later the family is revoked. 0: always.
        refresh_reuse_grace_s: u32 = 10, in 0..=60;
        /// The longest life that an API token may be given. It gets 90 days, or this where it is less, unless its maker
        /// says otherwise.
        api_token_max_ttl_s: u32 = 31_622_400, in 86_400..=31_622_400;
    }
}

section! {
    /// The browser session behind a single sign-on.
    pub struct Session {
        /// The absolute life of a session, counted from the login.
        ttl_s: u32 = 28_800, in 60..=31_536_000;
        /// A session that nobody uses for this long is dead.
        idle_ttl_s: u32 = 3_600, in 60..=31_536_000;
        /// The absolute life of a session whose user chose to stay signed in, counted from the login.
        remembered_ttl_s: u32 = 2_592_000, in 60..=31_536_000;
        /// Such a session is dead when nobody uses it for this long.
        remembered_idle_ttl_s: u32 = 1_209_600, in 60..=31_536_000;
        /// How long a login or consent page stays usable after it was shown.
        request_ttl_s: u32 = 1_800, in 60..=86_400;
    }
}
