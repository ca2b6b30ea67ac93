//! Tokens that a user, or a client as a service account, makes for scripts: named, for one resource server, with an end.

use std::fmt;

use crate::base::{HashedToken, Id, Seconds, Timestamp};
use crate::oauth::{ClientId, GrantType, Resource, Scope};

use super::{Client, Problem, ResourceServer, RevocationReason};

/// The longest name, in bytes.
pub const MAX_NAME_BYTES: usize = 100;
/// The most living tokens of one owner.
pub const MAX_ALIVE: usize = 50;
/// A day, in which lives are counted. It is the shortest one.
pub const DAY: Seconds = Seconds(86_400);
/// The life where none is said.
pub const DEFAULT: Seconds = Seconds(90 * DAY.0);

/// Whose it is, and in whose name it acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A user.
    User(Id),
    /// A client that acts for itself.
    Service(ClientId),
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user {id}"),
            Self::Service(id) => write!(f, "client {id}"),
        }
    }
}

/// A token, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// The part of it that names it without giving it away.
    pub id: String,
    /// The hash of the whole.
    pub hash: HashedToken,
    /// Whose it is.
    pub owner: Owner,
    /// What its owner calls it.
    pub name: String,
    /// What it allows.
    pub scope: Scope,
    /// The one resource server that it is for.
    pub resource: Resource,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is dead.
    pub expires_at: Timestamp,
    /// When it was last used, to about a minute.
    pub last_used_at: Option<Timestamp>,
    /// When and why it was revoked, if it was.
    pub revoked: Option<(Timestamp, RevocationReason)>,
}

/// Whether a token counts, and since when it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It counts until then.
    Alive(Timestamp),
    /// Its time was over then.
    Expired(Timestamp),
    /// It was revoked then, for that reason.
    Revoked(Timestamp, RevocationReason),
}

impl ApiToken {
    /// What holds at `now`. A token that was revoked stays so, whatever its time.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> State {
        match self.revoked {
            Some((at, reason)) => State::Revoked(at, reason),
            None if self.expires_at.is_past(now) => State::Expired(self.expires_at),
            None => State::Alive(self.expires_at),
        }
    }

    /// Whether it counts at `now`.
    #[must_use]
    pub fn is_alive(&self, now: Timestamp) -> bool {
        matches!(self.state(now), State::Alive(_))
    }

    /// Whether a use at `now` should be written down (not each one: a write costs more than it tells).
    #[must_use]
    pub fn is_stale(&self, now: Timestamp) -> bool {
        self.last_used_at.is_none_or(|at| (now - at).0 >= 60)
    }
}

/// What somebody wants a token to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// What to call it.
    pub name: String,
    /// The resource server that it is to be for.
    pub resource: Resource,
    /// What it is to allow.
    pub scope: Scope,
    /// How long it is to live; [`DEFAULT`] where nothing is said.
    pub lives_for: Option<Seconds>,
}

impl Wish {
    /// Its life, `longest` being the most that is allowed here.
    #[must_use]
    pub fn life(&self, longest: Seconds) -> Seconds {
        self.lives_for.unwrap_or(DEFAULT.min(longest))
    }

    /// Applies the rules that hold for every owner. An access token has one audience, and so has this.
    ///
    /// # Errors
    /// All problems at once.
    pub fn check(&self, server: &ResourceServer, longest: Seconds) -> Result<(), Vec<Problem>> {
        let mut found = Vec::new();
        let mut refuse = |field: &'static str, text: String| found.push(Problem::new(field, text));
        let name = &self.name;
        if name.trim().is_empty() || name.len() > MAX_NAME_BYTES || name.chars().any(char::is_control) {
            refuse("name", format!("a name has 1 to {MAX_NAME_BYTES} bytes and no control characters"));
        }
        if self.scope.is_empty() {
            refuse("scope", "a token without a scope allows nothing; name at least one value".to_owned());
        }
        for value in self.scope.iter().filter(|value| !server.owns(value.as_str())) {
            refuse("scope", format!("{value} is no scope of {}", server.id));
        }
        let life = self.life(longest);
        if life < DAY || life > longest {
            let days = longest.0 / DAY.0;
            refuse("lives_for", format!("a token lives for a day at least, and for {days} days at most"));
        }
        if found.is_empty() { Ok(()) } else { Err(found) }
    }

    /// What a service account may put into a token: nothing that the client could not ask for by itself.
    ///
    /// # Errors
    /// All problems at once.
    pub fn check_for(&self, client: &Client) -> Result<(), Vec<Problem>> {
        let mut found = Vec::new();
        let mut refuse = |field: &'static str, text: String| found.push(Problem::new(field, text));
        if !is_service_account(client) {
            refuse(
                "client",
                format!("{} is no service account: it may not use client_credentials", client.id),
            );
        }
        if !client.resources.contains(&self.resource) {
            refuse("resource", format!("{} is not among the client's resource servers", self.resource));
        }
        for value in self.scope.iter().filter(|value| !client.scope.contains(value.as_str())) {
            refuse("scope", format!("{value} is not among the client's scopes"));
        }
        if found.is_empty() { Ok(()) } else { Err(found) }
    }
}

/// Whether a client acts for itself.
#[must_use]
pub fn is_service_account(client: &Client) -> bool {
    client.may(GrantType::ClientCredentials)
}
