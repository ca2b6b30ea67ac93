//! The door between the parameters of a request (RFC 6749 §4.1.3, §4.4.2, §6) and oxide-auth's state machines.
//!
//! The machines ask for credentials too; ours were checked before, with more methods than they know, so they are given the
//! authenticated client's name and an empty secret, and their question is answered with yes for that name only.

use std::borrow::Cow;
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use oxide_auth::code_grant::{accesstoken, client_credentials, refresh};
use oxide_auth::primitives::grant::{Extensions, Grant};
use oxide_auth::primitives::scope::Scope as OxideScope;
use url::Url;

use crate::oauth::{ErrorCode, OAuthError, Params, Scope};

/// A request of an authenticated client.
pub(super) struct Request<'r> {
    pub(super) client_id: &'r str,
    pub(super) params: &'r Params,
    /// Stands in for a redirect URI that was rightly left out.
    pub(super) redirect_uri: Option<&'r str>,
}

impl accesstoken::Request for Request<'_> {
    fn valid(&self) -> bool {
        true
    }
    fn code(&self) -> Option<Cow<'_, str>> {
        self.params.get("code").map(Cow::Borrowed)
    }
    fn authorization(&self) -> accesstoken::Authorization<'_> {
        accesstoken::Authorization::Username(Cow::Borrowed(self.client_id))
    }
    fn client_id(&self) -> Option<Cow<'_, str>> {
        None
    }
    fn redirect_uri(&self) -> Option<Cow<'_, str>> {
        self.redirect_uri.map(Cow::Borrowed)
    }
    fn grant_type(&self) -> Option<Cow<'_, str>> {
        self.params.get("grant_type").map(Cow::Borrowed)
    }
    fn extension(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}

impl refresh::Request for Request<'_> {
    fn valid(&self) -> bool {
        true
    }
    fn refresh_token(&self) -> Option<Cow<'_, str>> {
        self.params.get("refresh_token").map(Cow::Borrowed)
    }
    fn scope(&self) -> Option<Cow<'_, str>> {
        self.params.get("scope").map(Cow::Borrowed)
    }
    fn grant_type(&self) -> Option<Cow<'_, str>> {
        self.params.get("grant_type").map(Cow::Borrowed)
    }
    fn authorization(&self) -> Option<(Cow<'_, str>, Cow<'_, [u8]>)> {
        Some((Cow::Borrowed(self.client_id), Cow::Borrowed(&[])))
    }
    fn extension(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}

impl client_credentials::Request for Request<'_> {
    fn valid(&self) -> bool {
        true
    }
    fn authorization(&self) -> Option<(Cow<'_, str>, Cow<'_, [u8]>)> {
        Some((Cow::Borrowed(self.client_id), Cow::Borrowed(&[])))
    }
    fn scope(&self) -> Option<Cow<'_, str>> {
        self.params.get("scope").map(Cow::Borrowed)
    }
    fn grant_type(&self) -> Option<Cow<'_, str>> {
        self.params.get("grant_type").map(Cow::Borrowed)
    }
    fn extension(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}

/// A grant for a machine. Its `until` is the end of time: expiry is judged before, by the request's own instant, and the
/// machines would look at the wall clock.
pub(super) fn grant(
    client_id: &str,
    owner_id: String,
    scope: &Scope,
    redirect_uri: Url,
    extensions: Extensions,
) -> Result<Box<Grant>, OAuthError> {
    Ok(Box::new(Grant {
        owner_id,
        client_id: client_id.to_owned(),
        scope: machine_scope(scope)?,
        redirect_uri,
        until: DateTime::<Utc>::MAX_UTC,
        extensions,
    }))
}

pub(super) fn machine_scope(scope: &Scope) -> Result<OxideScope, OAuthError> {
    scope.to_string().parse().map_err(|_| fault("a scope of ours is none of the machine's"))
}

/// A machine that asks a question out of turn, or for what it was given: a fault of the driver, not of the client.
pub(super) fn fault(why: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::ServerError).because(format!("oxide-auth: {why}"))
}

/// A URL for machines that want one where the grant has none. Parsed once.
pub(super) fn no_redirect() -> Result<Url, OAuthError> {
    static PLACEHOLDER: LazyLock<Option<Url>> =
        LazyLock::new(|| Url::parse("urn:countersign:no-redirect").ok());
    PLACEHOLDER.clone().ok_or_else(|| fault("no placeholder"))
}
