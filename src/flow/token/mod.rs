//! The token endpoint (RFC 6749 §3.2): authenticate the client, run its grant, mint after the commit.
//!
//! ```text
//! form + credentials ─► client_auth ─► grant (one transaction): Granted ─► Prepared ─► mint ─► TokenResponse
//! ```

mod client_credentials;
mod code;
mod oxide;
mod password;
mod refresh;
mod session;
mod successor;

pub(super) use refresh::gives_refresh_token;
pub use session::FromPage;

use std::net::IpAddr;
use std::sync::Arc;

use crate::base::{Id, PlainToken, Timestamp};
use crate::domain::{Client, User};
use crate::oauth::token_response::TokenResponse;
use crate::oauth::{ErrorCode, GrantType, OAuthError, Params};

use super::client_auth::{self, Presented};
use super::target::TokenTarget;
use super::{Cx, Policy, Snapshot, mint};

/// A token request as it came through the door.
pub struct TokenRequest {
    /// The form.
    pub params: Params,
    /// The Authorization header.
    pub presented: Presented,
    /// Who sent it, for throttling.
    pub peer: IpAddr,
    /// Which page made the browser send it; looked at by the session grant only.
    pub page: FromPage,
}

/// What a grant came to: everything that minting needs, and nothing that could fail.
pub struct Granted {
    /// To whom.
    pub client: Arc<Client>,
    /// For what.
    pub target: TokenTarget,
    /// By whom; none where the client acts for itself.
    pub by: Option<GrantedBy>,
    /// The next refresh token.
    pub refresh_token: Option<PlainToken>,
}

/// The user behind a grant.
pub struct GrantedBy {
    /// The family that the tokens belong to.
    pub authorization_id: Id,
    /// When it ends.
    pub ends_at: Timestamp,
    /// The user.
    pub user: User,
    /// The user's roles, where the resource server asks for them.
    pub roles: Vec<String>,
    /// When the user proved who they are.
    pub authenticated_at: Timestamp,
    /// The nonce of the authentication request.
    pub nonce: Option<String>,
    /// Whether an ID token is due.
    pub id_token: bool,
}

/// Answers a token request.
///
/// # Errors
/// Those of RFC 6749 §5.2 and RFC 8707 §2; `temporarily_unavailable` when the database is down.
pub fn token(cx: &Cx, request: &TokenRequest) -> Result<TokenResponse, OAuthError> {
    let client = client_auth::authenticate(&cx.snapshot, &request.presented, &request.params, cx.now)?;
    let grant = grant_type(&request.params)?;
    if !client.may(grant) {
        return Err(OAuthError::new(ErrorCode::UnauthorizedClient)
            .describe(format!("this client may not use the grant {grant}"))
            .because(format!("client {} is not registered for {grant}", client.id)));
    }
    let asking = Arc::clone(&client);
    let granted = match grant {
        GrantType::AuthorizationCode => code::run(cx, client, &request.params),
        GrantType::ClientCredentials => client_credentials::run(cx, client, &request.params),
        GrantType::RefreshToken => refresh::run(cx, client, &request.params),
        GrantType::Password => password::run(cx, client, request),
        GrantType::Session => session::run(cx, client, request),
    };
    // Which client to mend is what the operator wants to know first.
    let granted = granted.map_err(|error| {
        let why = format!("client {}, {grant}; {}", asking.id, error.operator);
        error.because(why.trim_end_matches([' ', ';']).to_owned())
    })?;
    mint::tokens(cx, granted)
}

/// Whether a request can be answered on the worker itself: it touches no database and signs nothing slow. That of a client
/// that does not exist is refused from memory.
#[must_use]
pub fn is_light(snapshot: &Snapshot, policy: &Policy, request: &TokenRequest) -> bool {
    let known = || snapshot.client(client_auth::named(&request.presented, &request.params)?);
    request.params.get("grant_type") == Some(GrantType::ClientCredentials.as_str())
        && policy.access_token_algorithm.is_fast()
        && known().is_none_or(|known| known.is_light)
}

fn grant_type(params: &Params) -> Result<GrantType, OAuthError> {
    let text = params.require("grant_type")?;
    text.parse().map_err(|_| {
        OAuthError::new(ErrorCode::UnsupportedGrantType)
            .describe(format!("grant_type is one of {}", GrantType::ALL.map(GrantType::as_str).join(", ")))
    })
}
