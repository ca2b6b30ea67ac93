//! Where each endpoint is, below the issuer's path. The router, discovery and the tests read them here.

/// RFC 6749 §3.1.
pub const AUTHORIZE: &str = "/authorize";
/// RFC 6749 §3.2.
pub const TOKEN: &str = "/token";
/// OpenID Connect Core 1.0 §5.3.
pub const USERINFO: &str = "/userinfo";
/// RFC 7662 §2.
pub const INTROSPECT: &str = "/introspect";
/// RFC 7009 §2.
pub const REVOKE: &str = "/revoke";
/// RFC 7517 §5.
pub const JWKS: &str = "/.well-known/jwks.json";
/// OpenID Connect Discovery 1.0 §4: appended to the issuer's path.
pub const OPENID_CONFIGURATION: &str = "/.well-known/openid-configuration";
/// RFC 8414 §3: inserted before the issuer's path.
pub const OAUTH_METADATA: &str = "/.well-known/oauth-authorization-server";
/// RFC 7591 §3, OpenID Connect Dynamic Client Registration 1.0 §3.
pub const REGISTER: &str = "/register";
/// RFC 7592 §2: where a client that registered itself manages that.
pub const REGISTERED: &str = "/register/{client_id}";
/// The login page.
pub const LOGIN: &str = "/login";
/// The page on which users make accounts for themselves.
pub const SIGN_UP: &str = "/sign-up";
/// The account chooser.
pub const CHOOSE: &str = "/choose-account";
/// The consent page.
pub const CONSENT: &str = "/consent";
/// OpenID Connect RP-Initiated Logout 1.0 §2.
pub const LOGOUT: &str = "/logout";
/// Leads to the first page of a user's own.
pub const ACCOUNT: &str = "/account";
/// A user's sessions.
pub const ACCOUNT_SESSIONS: &str = "/account/sessions";
/// The applications that have access to a user's account.
pub const ACCOUNT_APPLICATIONS: &str = "/account/applications";
/// The question whether to withdraw the access of one.
pub const WITHDRAW_ACCESS: &str = "/account/applications/withdraw";
/// The form that changes the password.
pub const ACCOUNT_PASSWORD: &str = "/account/password";
/// A Well-Known URL for Changing Passwords: at the root of the host.
pub const CHANGE_PASSWORD: &str = "/.well-known/change-password";
/// A user's API tokens.
pub const ACCOUNT_TOKENS: &str = "/account/tokens";
/// The form that makes one.
pub const NEW_TOKEN: &str = "/account/tokens/new";
/// The question whether to revoke one.
pub const REVOKE_TOKEN: &str = "/account/tokens/revoke";
/// Where a secret scanner tells of what it found.
pub const LEAKED_TOKENS: &str = "/leaked-tokens";
/// Whether the process runs.
pub const LIVE: &str = "/health/live";
/// Whether it can serve.
pub const READY: &str = "/health/ready";
/// The pages' stylesheet.
pub const STYLE: &str = "/assets/style.css";
/// The pages' icon.
pub const FAVICON: &str = "/assets/favicon.svg";
/// The front page.
pub const HOME: &str = "/";
