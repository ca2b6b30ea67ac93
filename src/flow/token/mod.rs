//! The token endpoint (RFC 6749 §3.2): authenticate the client, run its grant, mint after the commit.
//!
//! ```text
//! form + credentials ─► client_auth ─► grant (one transaction): Granted ─► Prepared ─► mint ─► TokenResponse
//! ```

mod client_credentials;
mod code;
mod exchange;
mod oxide;
mod password;
mod refresh;
mod session;
mod successor;

pub(super) use refresh::gives_refresh_token;
pub use session::FromPage;

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use crate::base::{Id, PlainToken, Timestamp};
use crate::domain::{Authorization, Client, User};
use crate::oauth::token_response::{IssuedTokenType, TokenResponse};
use crate::oauth::{Actor, Asked, ErrorCode, GrantType, OAuthError, Params};

use super::client_auth::{self, Presented};
use super::target::TokenTarget;
use super::{Cx, Policy, Snapshot, client_keys, mint, registration};

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
    /// On whose word.
    pub by: By,
    /// The next refresh token.
    pub refresh_token: Option<PlainToken>,
}

/// On whose word a grant stands.
pub enum By {
    /// The client's: it acts for itself.
    Client,
    /// A user's.
    User(GrantedBy),
    /// That of a token which is exchanged.
    Token(Exchanged),
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
    /// The browser session in which it was given, while that lives: what is named after its end names nothing (OpenID
    /// Connect Back-Channel Logout 1.0 §2.1, `sid`).
    pub session_id: Option<Id>,
    /// When the user proved who they are.
    pub authenticated_at: Timestamp,
    /// The nonce of the authentication request.
    pub nonce: Option<String>,
    /// What the authentication request asked to be told.
    pub asked: Asked,
    /// Whether an ID token is due.
    pub id_token: bool,
}

impl GrantedBy {
    /// What an authorization gives for this target. `nonce` is left out where the request was answered before.
    pub(super) fn of(
        authorization: &Authorization,
        user: User,
        roles: Vec<String>,
        nonce: Option<String>,
        target: &TokenTarget,
    ) -> Self {
        Self {
            authorization_id: authorization.id,
            ends_at: authorization.expires_at,
            user,
            roles,
            session_id: authorization.session_id,
            authenticated_at: authorization.authenticated_at,
            nonce,
            asked: authorization.asked.clone(),
            id_token: target.scope.contains("openid"),
        }
    }
}

/// What is left of a token that is exchanged (RFC 8693).
pub struct Exchanged {
    /// Whom it stands for.
    pub sub: String,
    /// What leads its `jti`.
    pub family: Option<String>,
    /// When its user proved who they are.
    pub auth_time: Option<i64>,
    /// What kind of proof that was.
    pub acr: Option<String>,
    /// By which means.
    pub amr: Vec<String>,
    /// Its user's roles, where the new resource server asks for them.
    pub roles: Vec<String>,
    /// Its user, for what custom claims say.
    pub user: Option<User>,
    /// Who acts.
    pub act: Option<Actor>,
    /// When it dies.
    pub ends_at: Timestamp,
    /// What was asked for in return.
    pub issued: IssuedTokenType,
}

impl By {
    /// What leads the `jti` of an access token: the id of the authorization that it comes from.
    #[must_use]
    pub fn family(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Client => None,
            Self::User(by) => Some(Cow::Owned(by.authorization_id.to_string())),
            Self::Token(token) => token.family.as_deref().map(Cow::Borrowed),
        }
    }
}

/// Answers a token request.
///
/// # Errors
/// Those of RFC 6749 §5.2, RFC 8707 §2 and RFC 8693 §2.2.2; `temporarily_unavailable` when the database is down.
pub fn token(cx: &Cx, request: &TokenRequest) -> Result<TokenResponse, OAuthError> {
    let client = client_auth::authenticate(cx, &request.presented, &request.params)?;
    let grant = grant_type(&request.params)?;
    if !client.may(grant) {
        return Err(OAuthError::new(ErrorCode::UnauthorizedClient)
            .describe(format!("this client may not use the grant {grant}"))
            .because(format!("client {} is not registered for {grant}", client.id)));
    }
    can_be_told(cx, &client, grant)?;
    let asking = Arc::clone(&client);
    let granted = match grant {
        GrantType::AuthorizationCode => code::run(cx, client, &request.params),
        GrantType::ClientCredentials => client_credentials::run(cx, client, &request.params),
        GrantType::RefreshToken => refresh::run(cx, client, &request.params),
        GrantType::Password => password::run(cx, client, request),
        GrantType::Session => session::run(cx, client, request),
        GrantType::TokenExchange => exchange::run(cx, client, &request.params),
    };
    // Which client to mend is what the operator wants to know first.
    let granted = granted.map_err(|error| {
        let why = format!("client {}, {grant}; {}", asking.id, error.operator);
        error.because(why.trim_end_matches([' ', ';']).to_owned())
    })?;
    let tokens = mint::tokens(cx, granted)?;
    registration::note_use(cx, &asking.id);
    Ok(tokens)
}

/// Whether there is a key for the ID token of a client that wants it encrypted. Looked for before anything is used up: a code
/// or a refresh token that went for an answer that nobody can give would be lost, and look stolen when it is shown again.
fn can_be_told(cx: &Cx, client: &Client, grant: GrantType) -> Result<(), OAuthError> {
    let without_id_token = matches!(grant, GrantType::ClientCredentials | GrantType::TokenExchange);
    match client.openid.id_token.encryption {
        Some((algorithm, _)) if !without_id_token => {
            client_keys::encryption_key(cx, client, algorithm).map(drop)
        }
        _ => Ok(()),
    }
}

/// Whether a request can be answered on the worker itself: it touches no database and signs nothing slow. That of a client
/// that does not exist is refused from memory.
#[must_use]
pub fn is_light(snapshot: &Snapshot, policy: &Policy, request: &TokenRequest) -> bool {
    let known = || snapshot.client(&client_auth::named(&request.presented, &request.params)?);
    request.params.get("grant_type") == Some(GrantType::ClientCredentials.as_str())
        && !client_auth::is_by_assertion(&request.params)
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
