//! Who the user is: the password check that the login page and the password grant share (RFC 6749 §4.3).

use std::net::IpAddr;

use crate::base::Seconds;
use crate::domain::throttle::{Limit, ThrottleKey};
use crate::domain::{User, UserName};
use crate::oauth::{ErrorCode, OAuthError};
use crate::store::{throttles, users};

use super::Cx;
use super::passwords::PasswordError;

pub use super::accounts_here::{
    Accounts, Browser, Entry, Held, SignedIn, accounts, signed_in, start_session, touch,
};

/// One attempt to sign in.
pub struct Attempt<'a> {
    /// As it was typed.
    pub username: &'a str,
    /// As it was typed.
    pub password: &'a str,
    /// Where it comes from.
    pub peer: IpAddr,
}

/// Why nobody was signed in.
#[derive(Debug)]
pub enum Refusal {
    /// Unknown name, wrong password, locked account: nobody is told which.
    Wrong,
    /// Too many attempts; come back after so many seconds.
    Throttled(Seconds),
    /// The server cannot answer now.
    Failed(OAuthError),
}

impl Refusal {
    /// As the token endpoint says it: RFC 6749 §5.2 counts the resource owner credentials as the grant.
    #[must_use]
    pub fn into_oauth(self) -> OAuthError {
        match self {
            Self::Wrong => {
                OAuthError::new(ErrorCode::InvalidGrant).describe("the user name or the password is wrong")
            }
            Self::Throttled(wait) => OAuthError::new(ErrorCode::InvalidGrant)
                .describe("too many attempts, try again later")
                .because("throttled")
                .retry_after(wait.0),
            Self::Failed(error) => error,
        }
    }
}

impl<E: Into<OAuthError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Checks a name and a password. The attempt is counted before the password is looked at; a success takes it back, and so
/// does a failure that is the server's own.
///
/// The user is as the check found them. What follows from it holds the row first ([`users::hold`]): the account may be
/// locked, or the password changed, while Argon2 runs.
///
/// # Errors
/// See [`Refusal`].
pub fn check_password(cx: &Cx, attempt: &Attempt<'_>) -> Result<User, Refusal> {
    let name = UserName::canonical(attempt.username);
    let limits = limits(cx, &name, attempt.peer);
    let now = cx.now;
    let counted = limits.clone();
    if let Some(full) =
        cx.store.write("count an attempt", move |conn| throttles::reserve(conn, &counted, now))?
    {
        let (limit, wait_s) = (full.key.kind(), full.wait.0);
        tracing::warn!(peer = %attempt.peer, limit, wait_s, "login throttled");
        return Err(Refusal::Throttled(full.wait));
    }
    let checked = compare(cx, &name, attempt);
    if matches!(checked, Err(Refusal::Failed(_))) {
        let counted = limits.clone();
        // Where the database is what failed, the attempt stays counted: nobody can say otherwise.
        let _ = cx.store.write("take an attempt back", move |conn| {
            counted.iter().try_for_each(|limit| throttles::refund(conn, &limit.key))
        });
    }
    succeeded(cx, checked?, attempt.password, &limits)
}

fn compare(cx: &Cx, name: &UserName, attempt: &Attempt<'_>) -> Result<User, Refusal> {
    let wanted = name.clone();
    let user = cx.store.read("find a user", move |conn| users::by_name(conn, &wanted))?;
    let hash = user.as_ref().map(|user| user.password_hash.as_str());
    let right = cx.passwords.verify(attempt.password, hash).map_err(unverified)?;
    match user {
        Some(user) if right && user.is_active() => Ok(user),
        Some(user) if right => {
            tracing::info!(user = %user.id, "login refused: the account is locked");
            Err(Refusal::Wrong)
        }
        // Never the name: people type their password there.
        Some(user) => {
            tracing::info!(peer = %attempt.peer, user = %user.id, "login refused: wrong password");
            Err(Refusal::Wrong)
        }
        None => {
            tracing::info!(peer = %attempt.peer, "login refused: unknown name");
            Err(Refusal::Wrong)
        }
    }
}

fn unverified(error: PasswordError) -> Refusal {
    Refusal::Failed(
        OAuthError::new(ErrorCode::TemporarilyUnavailable).because(error.to_string()).retry_after(2),
    )
}

fn limits(cx: &Cx, name: &UserName, peer: IpAddr) -> Vec<Limit> {
    let limit = |key, max_failures| Limit { key, max_failures, window: cx.policy.login_window };
    // The account last: whoever is stopped before makes no row for a name that they made up.
    vec![
        limit(ThrottleKey::overall(), cx.policy.max_failures_overall),
        limit(ThrottleKey::address(peer), cx.policy.max_failures_per_address),
        limit(ThrottleKey::account(name), cx.policy.max_failures_per_account),
    ]
}

/// A success forgets the account's failures and takes this attempt back from the others; a hash of an older cost is made
/// anew while the password is at hand.
fn succeeded(cx: &Cx, mut user: User, password: &str, limits: &[Limit]) -> Result<User, Refusal> {
    let newer = if cx.passwords.is_outdated(&user.password_hash) {
        cx.passwords.hash(password, &*cx.entropy).ok()
    } else {
        None
    };
    let (id, old, limits) = (user.id, user.password_hash.clone(), limits.to_vec());
    let account = ThrottleKey::account(&user.username);
    let replaced = cx.store.write("login succeeded", move |conn| {
        for limit in &limits {
            if limit.key == account {
                throttles::reset(conn, &limit.key)?;
            } else {
                throttles::refund(conn, &limit.key)?;
            }
        }
        match &newer {
            Some(new) if users::rehash(conn, id, &old, new)? => Ok(Some(new.clone())),
            _ => Ok(None),
        }
    })?;
    if let Some(hash) = replaced {
        user.password_hash = hash;
    }
    Ok(user)
}
