//! A user changes the password (A Well-Known URL for Changing Passwords leads here): the old one is asked for, through the
//! login page's own throttle, and everything else that came from it ends.

use std::net::IpAddr;

use crate::base::{PlainToken, Seconds};
use crate::domain::RevocationReason;
use crate::domain::user::check_password;
use crate::flow::Cx;
use crate::flow::authorize::{Next, OwnPage};
use crate::flow::login::{self, Attempt, Browser, Held, Refusal, SignedIn};
use crate::flow::session_end::{self, Cause};
use crate::oauth::OAuthError;
use crate::store::{authorizations, sessions, users};

use super::{Visit, enter, to_login};

/// The form as it was sent.
pub struct NewPassword<'a> {
    /// The password that counts.
    pub old: &'a str,
    /// The one that is to count.
    pub new: &'a str,
    /// The same, typed again.
    pub again: &'a str,
    /// Where it comes from.
    pub peer: IpAddr,
}

/// What came of it.
pub enum PasswordOutcome {
    /// Changed: the browser holds these sessions from now on.
    Changed(Held),
    /// Not changed: the user's name, for the form, and why.
    Again(String, PasswordFault),
}

/// Why a password was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordFault {
    /// The old one is wrong.
    Wrong,
    /// Too many attempts; come back after this time.
    Throttled(Seconds),
    /// The server cannot check or hash a password now.
    Unavailable,
    /// The new one breaks the rules.
    Rules,
    /// The new one was typed in two ways.
    Differ,
    /// The new one is the old one.
    Same,
}

/// Who is about to change the password.
///
/// # Errors
/// When the server cannot answer.
pub fn password(cx: &Cx, browser: &Browser, tie: &PlainToken) -> Result<Visit<String>, OAuthError> {
    Ok(match enter(cx, browser, tie, OwnPage::Password, None)? {
        Visit::In(known) => Visit::In(known.user.username.to_string()),
        Visit::First(next) => Visit::First(next),
    })
}

/// Changes it. The session in which that is done goes on under a new secret, with what was given in it; all others of the
/// user end, and so does all that was given elsewhere: whoever knew the old password may be behind it.
///
/// # Errors
/// When the server cannot answer.
pub fn change_password(
    cx: &Cx,
    browser: &Browser,
    tie: &PlainToken,
    sent: &NewPassword<'_>,
) -> Result<Visit<PasswordOutcome>, OAuthError> {
    let known = match enter(cx, browser, tie, OwnPage::Password, None)? {
        Visit::In(known) => known,
        Visit::First(next) => return Ok(Visit::First(next)),
    };
    let username = known.user.username.to_string();
    let again = |fault| Ok(Visit::In(PasswordOutcome::Again(username.clone(), fault)));
    if sent.new != sent.again {
        return again(PasswordFault::Differ);
    }
    // Of what was typed, whether it is right or not: nobody learns by it which password is the present one.
    if sent.new == sent.old {
        return again(PasswordFault::Same);
    }
    if check_password(sent.new).is_err() {
        return again(PasswordFault::Rules);
    }
    let attempt = Attempt { username: &username, password: sent.old, peer: sent.peer };
    let checked = match login::check_password(cx, &attempt) {
        Ok(user) => user,
        Err(Refusal::Wrong) => return again(PasswordFault::Wrong),
        Err(Refusal::Throttled(wait)) => return again(PasswordFault::Throttled(wait)),
        Err(Refusal::Failed(error)) => {
            tracing::warn!(%error, why = %error.operator, "a password could not be checked");
            return again(PasswordFault::Unavailable);
        }
    };
    let Ok(hash) = cx.passwords.hash(sent.new, &*cx.entropy) else {
        return again(PasswordFault::Unavailable);
    };
    match changed(cx, browser, &known, &checked.password_hash, hash)? {
        Some(held) => Ok(Visit::In(PasswordOutcome::Changed(held))),
        // The session ended, the account was locked or its password changed, while this was under way.
        None => Ok(Visit::First(to_first(cx, tie)?)),
    }
}

fn to_first(cx: &Cx, tie: &PlainToken) -> Result<Next, OAuthError> {
    to_login(cx, tie, OwnPage::Password, None)
}

fn changed(
    cx: &Cx,
    browser: &Browser,
    known: &SignedIn,
    old: &str,
    new: String,
) -> Result<Option<Held>, OAuthError> {
    let here = login::accounts(cx, browser)?;
    let Some((session, here)) = here.renewed(cx, known.session.id)? else { return Ok(None) };
    let (user, now, old) = (known.user.id, cx.now, old.to_owned());
    let done = cx.store.write("change a password", move |conn| {
        if !users::hold(conn, user, &old)? || !sessions::renew(conn, &session)? {
            return Ok(false);
        }
        users::rehash(conn, user, &old, &new)?;
        session_end::end_all_of_user(conn, user, Some(session.id), Cause::PasswordChanged, now)?;
        let why = RevocationReason::PasswordChanged;
        authorizations::revoke_of_user_elsewhere(conn, user, session.id, now, why)?;
        Ok(true)
    })?;
    if !done {
        return Ok(None);
    }
    tracing::info!(
        target: "countersign::security", event = "password_changed",
        %user, session = %known.session.id, "a user changed the password; all other sessions of theirs ended"
    );
    Ok(Some(here.held(cx)))
}
