//! Users who make accounts for themselves (Initiating User Registration via OpenID Connect 1.0), where the operator lets
//! them.
//!
//! That a name is taken has to be told. It is told after the same hash as a free one takes, and only so often to one network
//! (docs/adr/0015-sign-up.md).

use std::net::IpAddr;

use crate::base::Seconds;
use crate::domain::throttle::{Limit, ThrottleKey};
use crate::domain::user::{check_display_name, check_email, check_password};
use crate::domain::{User, UserName};
use crate::store::throttles;

use super::accounts::{self, AccountFault, NewAccount};
use super::{Cx, SignUpLimits};

/// The form as it was sent.
pub struct SignUp<'a> {
    /// The name to sign in with.
    pub username: &'a str,
    /// The password.
    pub password: &'a str,
    /// The same, typed again.
    pub again: &'a str,
    /// The name that people read, if one was typed.
    pub display_name: Option<&'a str>,
    /// The e-mail address, if one was typed. Nobody has checked that it is theirs.
    pub email: Option<&'a str>,
    /// Where it comes from.
    pub peer: IpAddr,
}

/// Why no account was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignUpRefusal {
    /// These fields want another look.
    Fields(SignUpFaults),
    /// Too many accounts were made or tried; come back after this time.
    Throttled(Seconds),
    /// The server cannot make one now.
    Unavailable,
}

/// What is wrong, by field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignUpFaults {
    /// With the name to sign in with.
    pub username: Option<UserNameFault>,
    /// With the password.
    pub password: Option<NewPasswordFault>,
    /// The name that people read breaks the rules.
    pub display_name: bool,
    /// The e-mail address is none.
    pub email: bool,
}

/// What is wrong with a user name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserNameFault {
    /// It breaks the rules.
    Rules,
    /// Somebody has it.
    Taken,
}

/// What is wrong with a new password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewPasswordFault {
    /// It breaks the rules.
    Rules,
    /// It was typed in two ways.
    Differ,
}

/// Makes an account: an ordinary user, without roles.
///
/// # Errors
/// See [`SignUpRefusal`].
pub fn sign_up(cx: &Cx, sent: &SignUp<'_>) -> Result<User, SignUpRefusal> {
    let Some(policy) = cx.policy.sign_up else { return Err(SignUpRefusal::Unavailable) };
    // What the rules refuse says nothing of anybody, and costs and counts nothing.
    let faults = faults(sent);
    if faults != SignUpFaults::default() {
        return Err(SignUpRefusal::Fields(faults));
    }
    let limits = limits(policy, sent.peer);
    count(cx, sent.peer, &limits)?;
    let new = NewAccount { username: sent.username, password: sent.password };
    let known = |user: &mut User| {
        user.display_name = sent.display_name.map(str::to_owned);
        user.set_email(sent.email.map(str::to_owned));
        Ok(())
    };
    match accounts::create(&cx.store, &cx.passwords, &*cx.entropy, new, known, cx.now) {
        Ok(user) => {
            tracing::info!(
                target: "countersign::security", event = "user_signed_up",
                user = %user.id, peer = %sent.peer, "a user made an account"
            );
            Ok(user)
        }
        Err(AccountFault::Taken) => {
            tracing::info!(peer = %sent.peer, "sign-up refused: the name is taken");
            let username = Some(UserNameFault::Taken);
            Err(SignUpRefusal::Fields(SignUpFaults { username, ..SignUpFaults::default() }))
        }
        Err(error) => {
            tracing::warn!(%error, "a user could not make an account");
            // Where the database is what failed, the attempt stays counted: nobody can say otherwise.
            let _ = cx.store.write("take a sign-up back", move |conn| {
                limits.iter().try_for_each(|limit| throttles::refund(conn, &limit.key))
            });
            Err(SignUpRefusal::Unavailable)
        }
    }
}

fn faults(sent: &SignUp<'_>) -> SignUpFaults {
    SignUpFaults {
        username: UserName::for_new_account(sent.username).err().map(|_| UserNameFault::Rules),
        password: if check_password(sent.password).is_err() {
            Some(NewPasswordFault::Rules)
        } else {
            (sent.password != sent.again).then_some(NewPasswordFault::Differ)
        },
        display_name: sent.display_name.is_some_and(|name| check_display_name(name).is_err()),
        email: sent.email.is_some_and(|email| check_email(email).is_err()),
    }
}

fn limits(policy: SignUpLimits, peer: IpAddr) -> Vec<Limit> {
    let limit = |key, max_failures| Limit { key, max_failures, window: policy.window };
    vec![
        limit(ThrottleKey::sign_ups_overall(), policy.overall),
        limit(ThrottleKey::sign_ups(peer), policy.per_address),
    ]
}

/// Counts an attempt before anything is looked up, so that fifty at once count as fifty.
fn count(cx: &Cx, peer: IpAddr, limits: &[Limit]) -> Result<(), SignUpRefusal> {
    let (limits, now) = (limits.to_vec(), cx.now);
    let counted = cx.store.write("count a sign-up", move |conn| throttles::reserve(conn, &limits, now));
    match counted {
        Ok(None) => Ok(()),
        Ok(Some(full)) => {
            let (limit, wait_s) = (full.key.kind(), full.wait.0);
            tracing::warn!(%peer, limit, wait_s, "sign-up throttled");
            Err(SignUpRefusal::Throttled(full.wait))
        }
        Err(error) => {
            tracing::warn!(%error, "a sign-up could not be counted");
            Err(SignUpRefusal::Unavailable)
        }
    }
}
