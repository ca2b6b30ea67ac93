//! An authorization request that passed every check (OpenID Connect Core 1.0 §3.1.2.1). It travels sealed between the pages.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::Timestamp;
use crate::domain::Client;
use crate::flow::Cx;
use crate::flow::target::is_identity;
use crate::oauth::{Asked, ClientId, CodeChallenge, ErrorCode, OAuthError, Prompt, Resource, Scope};

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
    /// The subjects of whom the client expects one (`id_token_hint`, `claims`); anybody where there is none.
    #[serde(default)]
    pub expected_subjects: Vec<String>,
    /// What the answer is to tell beyond what the scope says.
    #[serde(default)]
    pub asked: Asked,
    /// When the request came.
    pub started_at: Timestamp,
    /// Whether the user proved who they are for this very request.
    #[serde(default)]
    pub reauthenticated: bool,
    /// Whether the user chose the account for this very request.
    #[serde(default)]
    pub chosen: bool,
}

impl ValidRequest {
    /// Whether the client says whom it expects.
    #[must_use]
    pub fn expects_somebody(&self) -> bool {
        !self.expected_subjects.is_empty()
    }

    /// Whether the client expects somebody else than the user of this subject.
    #[must_use]
    pub fn is_for_another(&self, subject: &str) -> bool {
        self.expects_somebody() && !self.expected_subjects.iter().any(|known| known == subject)
    }

    /// The scope values of this server that the user is asked about: those of the request, and those that bear a claim which
    /// it asks for by name (OpenID Connect Core §5.5).
    #[must_use]
    pub fn identity_scope(&self) -> Scope {
        self.scope.filter(is_identity).union(&self.asked.claims.bearers())
    }
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
