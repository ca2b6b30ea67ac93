//! Tokens that a user or a service account makes for scripts: made, listed, revoked. What one stands for when it is shown
//! is for `recognise`: there it is an access token like any other (RFC 6749 §1.4).

mod last_use;

use crate::base::{Entropy, Id, PlainToken, Seconds, Timestamp, TokenKind};
use crate::domain::api_token::{ApiToken, MAX_ALIVE, Owner, Wish};
use crate::domain::{Problem, RevocationReason};
use crate::oauth::Resource;
use crate::store::{
    Conn, Store, StoreError, api_tokens, clients, resource_servers, revision, sessions, users,
};

pub use last_use::LastUses;

/// Why no token was made or revoked.
#[derive(Debug)]
pub enum ApiTokenFault {
    /// What was given breaks rules.
    Problems(Vec<Problem>),
    /// There is no such user or client, it may make none, or the session in which it was asked for has ended.
    Owner,
    /// There is no such resource server.
    ResourceServer(Resource),
    /// The owner has as many as there may be.
    Full,
    /// There is no such token that counts.
    Unknown,
    /// The database failed.
    Store(StoreError),
}

impl std::fmt::Display for ApiTokenFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Problems(problems) => {
                let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
                f.write_str(&texts.join("; "))
            }
            Self::Owner => f.write_str("there is no such user or client, or it is locked or switched off"),
            Self::ResourceServer(id) => {
                write!(
                    f,
                    "there is no resource server {id} (a declared one is there once the server has started)"
                )
            }
            Self::Full => {
                write!(f, "there are {MAX_ALIVE} tokens of this owner that count: revoke one of them first")
            }
            Self::Unknown => f.write_str("there is no token of this id that counts: countersign token list"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ApiTokenFault {}

impl From<StoreError> for ApiTokenFault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// A token that is to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Whose it is to be.
    pub owner: Owner,
    /// The browser session in which it is asked for; none where an operator makes it.
    pub session: Option<Id>,
    /// What it is to be.
    pub wish: Wish,
}

/// A token that was just made: shown once, stored as a hash.
pub struct Made {
    /// As stored.
    pub stored: ApiToken,
    /// For its owner.
    pub plain: PlainToken,
}

/// Makes a token. `longest` is the longest life that is allowed.
///
/// # Errors
/// See [`ApiTokenFault`].
pub fn make(
    store: &Store,
    new: NewToken,
    longest: Seconds,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<Made, ApiTokenFault> {
    let plain = PlainToken::random(TokenKind::Api, entropy).map_err(StoreError::from)?;
    let token = ApiToken {
        id: plain.id().to_owned(),
        hash: plain.hash(),
        owner: new.owner.clone(),
        name: new.wish.name.clone(),
        scope: new.wish.scope.clone(),
        resource: new.wish.resource.clone(),
        created_at: now,
        expires_at: now + new.wish.life(longest),
        last_used_at: None,
        revoked: None,
    };
    let stored = token.clone();
    store.write("make an API token", move |conn| {
        if let Err(fault) = may_make(conn, &new, longest, now)? {
            return Ok(Err(fault));
        }
        api_tokens::insert(conn, &token)?;
        Ok(Ok(()))
    })??;
    tracing::info!(
        target: "countersign::security", event = "api_token_made",
        id = stored.id, owner = %stored.owner, resource = %stored.resource, "an API token was made"
    );
    Ok(Made { stored, plain })
}

/// The owner's row is held first: of two tokens that are asked for at once, the second one is counted after the first.
fn may_make(
    conn: &mut Conn,
    new: &NewToken,
    longest: Seconds,
    now: Timestamp,
) -> Result<Result<(), ApiTokenFault>, StoreError> {
    let (wish, mut problems) = (&new.wish, Vec::new());
    match &new.owner {
        Owner::User(id) => {
            let Some(user) = users::find(conn, *id)? else { return Ok(Err(ApiTokenFault::Owner)) };
            if !users::hold(conn, *id, &user.password_hash)? {
                return Ok(Err(ApiTokenFault::Owner));
            }
            if let Some(session) = new.session
                && !sessions::hold(conn, session)?
            {
                return Ok(Err(ApiTokenFault::Owner));
            }
        }
        Owner::Service(id) => {
            revision::lock(conn)?;
            let client = clients::find(conn, id)?.filter(|client| client.disabled_at.is_none());
            let Some(client) = client else { return Ok(Err(ApiTokenFault::Owner)) };
            problems.extend(wish.check_for(&client).err().unwrap_or_default());
        }
    }
    let known = resource_servers::all(conn)?.into_iter().find(|server| server.id == wish.resource);
    // An operator may; a user only where the operator lets every user.
    let by_user = new.session.is_some();
    let Some(server) = known.filter(|server| server.user_api_tokens || !by_user) else {
        return Ok(Err(ApiTokenFault::ResourceServer(wish.resource.clone())));
    };
    problems.extend(wish.check(&server, longest).err().unwrap_or_default());
    if !problems.is_empty() {
        return Ok(Err(ApiTokenFault::Problems(problems)));
    }
    let alive = api_tokens::count_alive(conn, &new.owner, now)?;
    let is_full = usize::try_from(alive).unwrap_or(usize::MAX) >= MAX_ALIVE;
    Ok(if is_full { Err(ApiTokenFault::Full) } else { Ok(()) })
}

/// The tokens of an owner that count, the newest first.
///
/// # Errors
/// When the database fails.
pub fn alive(store: &Store, owner: &Owner, now: Timestamp) -> Result<Vec<ApiToken>, StoreError> {
    let mut tokens = store.read("API tokens of an owner", |conn| api_tokens::of_owner(conn, owner))?;
    tokens.retain(|token| token.is_alive(now));
    Ok(tokens)
}

/// Revokes a token; `owner` says whose it must be, where not an operator asks.
///
/// # Errors
/// [`ApiTokenFault::Unknown`] for one that is not there, is another's, or was revoked before.
pub fn revoke(
    store: &Store,
    id: &str,
    owner: Option<&Owner>,
    reason: RevocationReason,
    now: Timestamp,
) -> Result<(), ApiTokenFault> {
    let (wanted, owner) = (id.to_owned(), owner.cloned());
    let revoked = store.write("revoke an API token", move |conn| {
        api_tokens::revoke(conn, &wanted, owner.as_ref(), now, reason)
    })?;
    if !revoked {
        return Err(ApiTokenFault::Unknown);
    }
    tracing::info!(
        target: "countersign::security", event = "api_token_revoked",
        id, reason = reason.as_str(), "an API token was revoked"
    );
    Ok(())
}
