//! Clients that register themselves: OpenID Connect Dynamic Client Registration 1.0, RFC 7591, and their own management of
//! what they registered, RFC 7592.
//!
//! ```text
//! JSON ─► metadata (what is asked) ─► client (what the policy makes of it) ─► register, or manage ─► answer
//! ```
//!
//! What comes of it is a client like any other, and beside it a `Registration`: the hash of the token that manages it, and
//! what is only told again. `initial` are the tokens that let clients in where not everybody may register; `uses` notes
//! which clients are of use, since those that never were go away.

mod answer;
mod client;
mod initial;
mod manage;
mod metadata;
mod openid;
mod register;
mod reseal;
mod sector;
mod uses;

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::base::{Seconds, Timestamp};
use crate::jose::Sealer;
use crate::oauth::registration::MetadataError;
use crate::oauth::{AuthMethod, ErrorCode, GrantType, OAuthError, Resource, Scope};
use crate::store::StoreError;

pub use initial::{InitialFault, make_initial_token, revoke_initial_token};
pub use manage::{delete, read, update};
pub use register::{Asking, register};
pub use reseal::{reseal, sealed_under_others};
pub use uses::note_use;

/// Who may register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Nobody.
    #[default]
    Off,
    /// Whoever has an initial access token (RFC 7591 §3).
    Token,
    /// Everybody: "open registration".
    Open,
}

/// What a client may have that registers itself.
#[derive(Clone, Debug)]
pub struct RegistrationPolicy {
    /// Who may register.
    pub mode: Mode,
    /// The grants.
    pub grant_types: BTreeSet<GrantType>,
    /// The scope.
    pub scope: Scope,
    /// The resource servers that it may ask tokens for.
    pub resources: Vec<Resource>,
    /// How it may authenticate.
    pub auth_methods: Vec<AuthMethod>,
    /// Whether a confidential one must use PKCE; a public one always must.
    pub require_pkce: bool,
    /// How many there may be.
    pub max_clients: i64,
    /// How many one network may register in a window.
    pub max_per_address: i64,
    /// The window.
    pub window: Seconds,
    /// How long one may stay that is not used.
    pub unused_ttl: Seconds,
}

/// Why nothing was registered, told or changed.
#[derive(Debug)]
pub enum Refusal {
    /// What the client says of itself.
    Metadata(MetadataError),
    /// RFC 6750 §3.1: "If the request lacks any authentication information […], the resource server SHOULD NOT include an
    /// error code".
    NoToken,
    /// The token is none, is another's, or does not count any more.
    WrongToken(&'static str),
    /// RFC 7592 §2.1: "If the client does not have permission to read its record, the server MUST return an HTTP 403
    /// Forbidden."
    SwitchedOff,
    /// Too many have registered from there.
    Throttled(Seconds),
    /// There are as many as there may be.
    Full,
    /// Anything else.
    Failed(OAuthError),
}

impl From<MetadataError> for Refusal {
    fn from(error: MetadataError) -> Self {
        Self::Metadata(error)
    }
}

impl From<OAuthError> for Refusal {
    fn from(error: OAuthError) -> Self {
        Self::Failed(error)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// The secret of a client as it was registered, where it has one.
fn unsealed(
    sealer: &Sealer,
    sealed: Option<&str>,
    now: Timestamp,
) -> Result<Option<Zeroizing<String>>, OAuthError> {
    let Some(sealed) = sealed else { return Ok(None) };
    let failed = |why: String| OAuthError::new(ErrorCode::ServerError).because(why);
    let opened = sealer
        .open(crate::jose::Purpose::RegisteredSecret, sealed, None, now)
        .map_err(|e| failed(format!("a registered client's secret: {e}")))?;
    let text = std::str::from_utf8(&opened).map_err(|e| failed(e.to_string()))?;
    Ok(Some(Zeroizing::new(text.to_owned())))
}

/// Whether a client of this way of authentication has a secret.
fn has_secret(method: AuthMethod) -> bool {
    match method {
        AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost | AuthMethod::ClientSecretJwt => true,
        AuthMethod::PrivateKeyJwt | AuthMethod::None => false,
    }
}

/// The members of an answer.
pub type Answer = Map<String, Value>;
