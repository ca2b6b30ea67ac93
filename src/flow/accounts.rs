//! The life of an account, as an operator steers it. What takes an account's power away (a lock, a new password, its end)
//! takes its sessions, authorizations and API tokens along, in the same transaction.

use crate::base::{Entropy, Id, Timestamp};
use crate::domain::user::check_password;
use crate::domain::{Problem, RevocationReason, Session, User, UserName};
use crate::oauth::ClientId;
use crate::store::{
    Conn, Store, StoreError, api_tokens, authorizations, session_clients, sessions, throttles, users,
};

use super::passwords::{PasswordError, Passwords};
use super::session_end::{self, Cause};
use crate::domain::throttle::ThrottleKey;

/// Why an account was not made or changed.
#[derive(Debug)]
pub enum AccountFault {
    /// What was given breaks a rule.
    Problem(Problem),
    /// The name is taken.
    Taken,
    /// There is no such account.
    Unknown,
    /// The password could not be hashed.
    Password(PasswordError),
    /// The database failed.
    Store(StoreError),
}

impl std::fmt::Display for AccountFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Problem(problem) => problem.fmt(f),
            Self::Taken => f.write_str("there is a user of this name already"),
            Self::Unknown => f.write_str("there is no user of this name: countersign user list"),
            Self::Password(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for AccountFault {}

impl From<StoreError> for AccountFault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => Self::Taken,
            other => Self::Store(other),
        }
    }
}

impl From<Problem> for AccountFault {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// A new account's fields.
pub struct NewAccount<'a> {
    /// The name to sign in with, as typed.
    pub username: &'a str,
    /// As typed.
    pub password: &'a str,
}

/// Makes an account; `known` fills in what is known of the person.
///
/// # Errors
/// See [`AccountFault`].
pub fn create(
    store: &Store,
    passwords: &Passwords,
    entropy: &dyn Entropy,
    new: NewAccount<'_>,
    known: impl FnOnce(&mut User) -> Result<(), Problem>,
    now: Timestamp,
) -> Result<User, AccountFault> {
    let username = UserName::for_new_account(new.username)?;
    let id = Id::random(entropy).map_err(StoreError::from)?;
    let mut user = User::new(id, username, String::new(), now);
    known(&mut user)?;
    user.check()?;
    user.password_hash = hashed(passwords, entropy, new.password)?;
    let stored = user.clone();
    store.write("make an account", move |conn| users::insert(conn, &stored))?;
    Ok(user)
}

fn hashed(passwords: &Passwords, entropy: &dyn Entropy, password: &str) -> Result<String, AccountFault> {
    check_password(password)?;
    passwords.hash(password, entropy).map_err(AccountFault::Password)
}

/// Changes an account by name; `change` may be called again.
///
/// # Errors
/// See [`AccountFault`].
pub fn change(
    store: &Store,
    name: &UserName,
    now: Timestamp,
    change: impl Fn(&mut User) -> Result<(), Problem> + Send + 'static,
) -> Result<User, AccountFault> {
    let name = name.clone();
    store.write("change an account", move |conn| {
        let Some(mut user) = users::by_name_to_change(conn, &name)? else {
            return Ok(Err(AccountFault::Unknown));
        };
        let before = user.clone();
        if let Err(problem) = change(&mut user).and_then(|()| user.check()) {
            return Ok(Err(AccountFault::Problem(problem)));
        }
        if (user.claims(), &user.attributes) != (before.claims(), &before.attributes) {
            user.updated_at = now;
        }
        users::update(conn, &user)?;
        Ok(Ok(user))
    })?
}

/// Sets a new password; every session, authorization and API token that came from the old one ends: whoever knew it may
/// have made them.
///
/// # Errors
/// See [`AccountFault`].
pub fn set_password(
    store: &Store,
    passwords: &Passwords,
    entropy: &dyn Entropy,
    name: &UserName,
    password: &str,
    now: Timestamp,
) -> Result<User, AccountFault> {
    let hash = hashed(passwords, entropy, password)?;
    ending(store, name, now, move |user| user.password_hash.clone_from(&hash))
}

/// Locks an account: it can neither sign in nor renew anything.
///
/// # Errors
/// See [`AccountFault`].
pub fn lock(store: &Store, name: &UserName, now: Timestamp) -> Result<User, AccountFault> {
    ending(store, name, now, move |user| {
        user.locked_at.get_or_insert(now);
    })
}

/// Unlocks an account and forgets its failed logins. What the lock ended stays ended.
///
/// # Errors
/// See [`AccountFault`].
pub fn unlock(store: &Store, name: &UserName, now: Timestamp) -> Result<User, AccountFault> {
    let user = change(store, name, now, |user| {
        user.locked_at = None;
        Ok(())
    })?;
    let key = ThrottleKey::account(&user.username);
    store.write("forget failures", move |conn| throttles::reset(conn, &key))?;
    Ok(user)
}

/// Deletes an account with everything of it. Its subject is never given again.
///
/// # Errors
/// See [`AccountFault`].
pub fn delete(store: &Store, name: &UserName, now: Timestamp) -> Result<(), AccountFault> {
    let name = name.clone();
    let found = store.write("delete an account", move |conn| match users::by_name(conn, &name)? {
        Some(user) => {
            session_end::end_all_of_user(conn, user.id, None, Cause::Operator, now)?;
            users::delete(conn, user.id)
        }
        None => Ok(false),
    })?;
    if found { Ok(()) } else { Err(AccountFault::Unknown) }
}

/// The sessions of an account that neither ended nor ran out, the one that was used last first, and the clients that got
/// something in each.
///
/// # Errors
/// See [`AccountFault`].
pub fn sessions(
    store: &Store,
    name: &UserName,
    now: Timestamp,
) -> Result<Vec<(Session, Vec<ClientId>)>, AccountFault> {
    let name = name.clone();
    store.read("list sessions", move |conn| {
        let Some(user) = users::by_name(conn, &name)? else { return Ok(Err(AccountFault::Unknown)) };
        let with_clients = sessions::of_user(conn, user.id, now)?.into_iter().map(|session| {
            let clients = session_clients::of(conn, session.id)?;
            Ok((session, clients))
        });
        with_clients.collect::<Result<Vec<_>, StoreError>>().map(Ok)
    })?
}

/// Ends one session of an account, or all; how many ended. Unlike a lock it takes nothing else away: the user signs in
/// again.
///
/// # Errors
/// See [`AccountFault`].
pub fn sign_out(
    store: &Store,
    name: &UserName,
    which: Option<Id>,
    now: Timestamp,
) -> Result<usize, AccountFault> {
    let name = name.clone();
    store.write("end sessions", move |conn| {
        let Some(user) = users::by_name(conn, &name)? else { return Ok(Err(AccountFault::Unknown)) };
        let ended = match which {
            None => session_end::end_all_of_user(conn, user.id, None, Cause::Operator, now)?.len(),
            Some(id) => match sessions::find(conn, id)? {
                Some(session) if session.user_id == user.id => {
                    usize::from(session_end::end(conn, id, Cause::Operator, now)?.is_some())
                }
                _ => 0,
            },
        };
        Ok(Ok(ended))
    })?
}

/// A change after which nothing that the account gave before counts.
fn ending(
    store: &Store,
    name: &UserName,
    now: Timestamp,
    change: impl Fn(&mut User) + Send + 'static,
) -> Result<User, AccountFault> {
    let name = name.clone();
    store.write("change an account", move |conn: &mut Conn| {
        let Some(mut user) = users::by_name_to_change(conn, &name)? else {
            return Ok(Err(AccountFault::Unknown));
        };
        change(&mut user);
        users::update(conn, &user)?;
        session_end::end_all_of_user(conn, user.id, None, Cause::Operator, now)?;
        authorizations::revoke_of_user(conn, user.id, now, RevocationReason::Operator)?;
        api_tokens::revoke_of_user(conn, user.id, now, RevocationReason::Operator)?;
        Ok(Ok(user))
    })?
}
