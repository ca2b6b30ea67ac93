//! An authorization request that passed every check. It travels sealed between the pages.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::Timestamp;
use crate::domain::Client;
use crate::flow::Cx;
use crate::oauth::{ClientId, CodeChallenge, ErrorCode, OAuthError, Prompt, Resource, Scope};

use super::ReplyTo;

/// A valid authorization request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ValidRequest {
    /// Who asks.
    pub client_id: ClientId,
    /// Where the answer goes.
    pub reply: ReplyTo,
    /// Whether the request named the redirect URI: then the token request must too (RFC 6749 §4.1.3).
    pub redirect_uri_given: bool,
    /// What is asked for.
    pub scope: Scope,
    /// For which resource servers.
    pub resources: Vec<Resource>,
    /// RFC 7636.
    pub challenge: Option<CodeChallenge>,
    /// OpenID Connect Core §3.1.2.1.
    pub nonce: Option<String>,
    /// What the user is to be asked.
    pub prompt: Prompt,
    /// The most seconds since the user last proved who they are.
    pub max_age_s: Option<i64>,
    /// Whom the client expects, for the login page.
    pub login_hint: Option<String>,
    /// The languages that the client asks for.
    pub ui_locales: Option<String>,
    /// The subject that the client expects (`id_token_hint`).
    pub expected_subject: Option<String>,
    /// When the request came.
    pub started_at: Timestamp,
    /// Whether the user proved who they are for this very request.
    #[serde(default)]
    pub reauthenticated: bool,
    /// Whether the user chose the account for this very request.
    #[serde(default)]
    pub chosen: bool,
}

/// The client of a sealed request, if it and its redirect URI are still registered: much may change while a page lies
/// open.
pub(super) fn still_registered(cx: &Cx, valid: &ValidRequest) -> Result<Arc<Client>, OAuthError> {
    cx.snapshot
        .client(valid.client_id.as_str())
        .map(|known| &known.client)
        .filter(|client| client.redirect_uri(valid.reply.uri()).is_some())
        .cloned()
        .ok_or_else(|| {
            OAuthError::new(ErrorCode::InvalidRequest)
                .describe("the application is no longer registered here, or no longer with this redirect_uri")
        })
}
