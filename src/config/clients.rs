//! `[[clients]]`: clients declared in the file, applied at every start.

use std::path::PathBuf;

use super::resources::ClaimTable;
use super::schema::section;
use super::words::{AlgorithmName, AuthMethodName, ClientProfile, GrantName};

section! {
    /// A declared client, applied at every start; it is known by its `id`. What is left out comes from its profile.
    pub struct Client named by id {
        /// The `client_id`: 1 to 128 visible ASCII characters. Required.
        id: String = String::new();
        /// The name that people see on the consent page. Left out: the `id`.
        name: Option<String> = None;
        /// What kind of client it is, with its defaults. Required. `spa`: public, code. `native`: public, code and
        /// refresh tokens. `web`: with a secret, code and refresh tokens. `service`: with a secret, client credentials.
        /// `first-party`: as `web`, without the consent page. `resource-server`: with a secret, no grant; it introspects.
        /// All but `service` and `resource-server` may ask for `openid profile email`, and those with refresh tokens for
        /// `offline_access`.
        profile: Option<ClientProfile> = None;
        /// Where the browser may be sent back to, compared letter by letter. Required for the code flow.
        redirect_uris: Vec<String> = Vec::new();
        /// Where the browser may be sent after a logout.
        post_logout_redirect_uris: Vec<String> = Vec::new();
        /// Replaces the profile's grants. `urn:countersign:params:oauth:grant-type:session` is for a `spa` that is
        /// `first_party`, on the same site as this server.
        grant_types: Option<Vec<GrantName>> = None;
        /// Origins of its web pages beside those of its redirect URIs: `https://host` or `https://host:port`. Pages of
        /// all of them may read the answers that it gets.
        origins: Vec<String> = Vec::new();
        /// The scopes of resource servers that it may ask for, beside those of OpenID Connect that its profile brings;
        /// `address` and `phone` are named here too.
        scopes: Vec<String> = Vec::new();
        /// The resource servers, by `id`, that it may ask tokens for.
        resources: Vec<String> = Vec::new();
        /// The resource servers, by `id`, that it speaks for: it may introspect tokens that are for them (RFC 7662).
        introspects: Vec<String> = Vec::new();
        /// What it may exchange for what (RFC 8693); wants the grant `urn:ietf:params:oauth:grant-type:token-exchange` too.
        exchange: Vec<ExchangeRule> = Vec::new();
        /// The unpadded base64url of the SHA-256 of its secret. Only for secrets that a machine made (256 bits).
        secret_hash: Option<String> = None;
        /// A file that holds its secret.
        secret_file: Option<PathBuf> = None;
        /// The name of an environment variable that holds its secret.
        secret_env: Option<String> = None;
        /// The one way in which it authenticates. Left out: by its secret, in the header or in the body; a public client not
        /// at all. `client_secret_jwt` wants the secret itself (`secret_file` or `secret_env`), which then lies in the
        /// database under the master key; `private_key_jwt` wants no secret but its public keys.
        token_endpoint_auth_method: Option<AuthMethodName> = None;
        /// The one algorithm of its assertions, such as `ES256`. Left out: any that belongs to its way of authentication.
        token_endpoint_auth_signing_alg: Option<String> = None;
        /// Whether its assertions must be for the issuer alone (`aud` is the issuer, as a text), not for the token endpoint.
        assertion_for_issuer_only: bool = false;
        /// Its public keys: a JWK Set in JSON.
        jwks: Option<String> = None;
        /// A file that holds its public keys: a JWK Set in JSON.
        jwks_file: Option<PathBuf> = None;
        /// Where its public keys are fetched from: an https address that `[outbound]` lets this server ask.
        jwks_uri: Option<String> = None;
        /// Where it is told that a session ended (back-channel logout): an https address likewise.
        backchannel_logout_uri: Option<String> = None;
        /// Whether it wants to be told which session (`sid`) ended. It is told in any case.
        backchannel_logout_session_required: bool = false;
        /// Whether it is the operator's own. Left out: by the profile.
        first_party: Option<bool> = None;
        /// Whether the consent page is left out. Left out: as `first_party`.
        skip_consent: Option<bool> = None;
        /// Marks it for the password grant, which RFC 9700 §2.4 forbids to new applications.
        allow_password_grant: bool = false;
        /// The life of its access tokens. Left out: as in `[tokens]`.
        access_token_ttl_s: Option<u32> = None, in 10..=86_400;
        /// Lets `access_token_ttl_s` be above an hour.
        allow_long_access_tokens: bool = false;
        /// The absolute life of its refresh tokens. Left out: as in `[tokens]`.
        refresh_token_ttl_s: Option<u32> = None, in 60..=31_536_000;
        /// A refresh token of its that is not used for this long is dead. Left out: as in `[tokens]`.
        refresh_token_idle_ttl_s: Option<u32> = None, in 60..=31_536_000;
        /// How long a used refresh token still gets the same successor; 0: not at all. Left out: as in `[tokens]`.
        refresh_reuse_grace_s: Option<u32> = None, in 0..=60;
        /// What its ID tokens and userinfo answers say beyond the standard claims: a table from a claim's name to where its
        /// value comes from, as for resource servers.
        claims: ClaimTable = ClaimTable::default();
        /// `public`: it knows users by the same `sub` as all clients. `pairwise`: by one of its own, which it shares with
        /// clients whose redirect URIs are on the same host.
        subject_type: Option<String> = None;
        /// An https address whose host is the sector of a pairwise client: clients with the same one know users by the same
        /// `sub`. Needed where its redirect URIs are on several hosts.
        sector_identifier_uri: Option<String> = None;
        /// Whether it must use PKCE. Left out: yes. Public clients cannot do without.
        require_pkce: Option<bool> = None;
        /// The address of its logo, for the login and consent pages; an https address, here and in the next four.
        logo_uri: Option<String> = None;
        /// Its home page.
        client_uri: Option<String> = None;
        /// What it does with data.
        policy_uri: Option<String> = None;
        /// Its terms of service.
        tos_uri: Option<String> = None;
        /// Where a third party starts a login (OpenID Connect Core 1.0 §4).
        initiate_login_uri: Option<String> = None;
        /// How its ID tokens are signed; one of `keys.algorithms`. Left out: RS256.
        id_token_signed_response_alg: Option<AlgorithmName> = None;
        /// How its ID tokens are encrypted to one of its keys: `RSA-OAEP-256`, `ECDH-ES` or `ECDH-ES+A256KW`.
        id_token_encrypted_response_alg: Option<String> = None;
        /// How the content is encrypted then: `A256GCM` (left out), `A128GCM`, `A256CBC-HS512` or `A128CBC-HS256`.
        id_token_encrypted_response_enc: Option<String> = None;
        /// How its answers of userinfo are signed; one of `keys.algorithms`. Left out: they are JSON.
        userinfo_signed_response_alg: Option<AlgorithmName> = None;
        /// How its answers of userinfo are encrypted to one of its keys.
        userinfo_encrypted_response_alg: Option<String> = None;
        /// How the content is encrypted then.
        userinfo_encrypted_response_enc: Option<String> = None;
        /// `max_age` where a request names none.
        default_max_age_s: Option<u32> = None, in 0..=31_536_000;
        /// Whether `auth_time` stands in every ID token.
        require_auth_time: bool = false;
        /// `acr_values` where a request names none.
        default_acr_values: Vec<String> = Vec::new();
    }
}

section! {
    /// What a declared client may exchange for what (RFC 8693). The scopes that it gets are among its own `scopes`.
    pub struct ExchangeRule named by from {
        /// The resource server, by `id`, that the token it shows is for. Required.
        from: String = String::new();
        /// The resource servers, by `id`, that it may get a token for in return. Required.
        to: Vec<String> = Vec::new();
    }
}
