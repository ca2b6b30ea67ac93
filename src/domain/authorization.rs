//! The grant record that codes and refresh tokens hang on. Revoking it revokes the whole family.

use std::str::FromStr;

use crate::base::{Id, Seconds, Timestamp};
use crate::oauth::{Asked, ClientId, Resource, Scope};

use super::Client;

/// How long an ended authorization is remembered: so that the replay of its codes is known for what it is, and because the
/// access tokens that it gave are looked up by it. None of them lives longer than this beyond its end.
pub const REMEMBERED: Seconds = Seconds(86_400);

/// What a user (or a client for itself) allowed, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// Names the family in the log.
    pub id: Id,
    /// The client that got it.
    pub client_id: ClientId,
    /// The user who gave it.
    pub user_id: Id,
    /// The browser session in which it was given; none for the password grant.
    pub session_id: Option<Id>,
    /// What was allowed.
    pub scope: Scope,
    /// For which resource servers.
    pub resources: Vec<Resource>,
    /// When the user proved who they are.
    pub authenticated_at: Timestamp,
    /// The `nonce` of the authentication request, for the ID token.
    pub nonce: Option<String>,
    /// What the authentication request asked to be told beyond its scope.
    pub asked: Asked,
    /// When it was given.
    pub created_at: Timestamp,
    /// From when on nothing more comes from it.
    pub expires_at: Timestamp,
    /// When and why it was revoked, if it was.
    pub revoked: Option<(Timestamp, RevocationReason)>,
}

/// Why a family of tokens was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationReason {
    /// RFC 6749 §4.1.2: its code was used twice.
    CodeReplayed,
    /// RFC 9700 §4.14.2: a refresh token was used twice.
    RefreshTokenReused,
    /// The user signed out.
    Logout,
    /// An operator did it.
    Operator,
    /// RFC 7009: the client said that it needs it no more.
    Revoked,
    /// One of its tokens was found where everybody can read it.
    Leaked,
    /// The user changed the password.
    PasswordChanged,
    /// The user took back what they had allowed the client.
    Withdrawn,
}

/// How far the access of a client to a user's account reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// It goes on while the user is away.
    Lasting,
    /// It ends with the session that it was given in.
    WhileSignedIn,
    /// There is none at the moment, but what the user once allowed is remembered.
    Remembered,
}

impl Access {
    /// As scripts read it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lasting => "lasting",
            Self::WhileSignedIn => "while_signed_in",
            Self::Remembered => "none",
        }
    }
}

impl RevocationReason {
    const ALL: [Self; 8] = [
        Self::CodeReplayed,
        Self::RefreshTokenReused,
        Self::Logout,
        Self::Operator,
        Self::Revoked,
        Self::Leaked,
        Self::PasswordChanged,
        Self::Withdrawn,
    ];

    /// As it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CodeReplayed => "code_replayed",
            Self::RefreshTokenReused => "refresh_token_reused",
            Self::Logout => "logout",
            Self::Operator => "operator",
            Self::Revoked => "revoked",
            Self::Leaked => "leaked",
            Self::PasswordChanged => "password_changed",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl FromStr for RevocationReason {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|reason| reason.as_str() == text)
            .ok_or_else(|| format!("unknown reason {text:?}"))
    }
}

impl Authorization {
    /// Whether tokens may still come from it.
    #[must_use]
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && !self.expires_at.is_past(now)
    }

    /// The browser session that it lives no longer than, where it ends with one. Only what a confidential client got with
    /// `offline_access` (OpenID Connect Core §11) outlives the session that it was given in; so does what has none.
    #[must_use]
    pub fn bound_to(&self, client: &Client) -> Option<Id> {
        self.session_id.filter(|_| !outlives_session(client, &self.scope))
    }
}

/// Whether what this client is given in a browser session outlives it.
#[must_use]
pub fn outlives_session(client: &Client, scope: &Scope) -> bool {
    !client.is_public() && scope.contains("offline_access")
}
