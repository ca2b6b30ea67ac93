//! The pages where somebody comes in: the login page and, where users may make accounts, the sign-up page (OpenID Connect
//! Core 1.0 §3.1.2.3; Initiating User Registration via OpenID Connect 1.0). Both carry the same ticket, and each has a link
//! to the other.

use std::sync::Arc;

use crate::base::PlainToken;
use crate::domain::{Client, User};
use crate::flow::Cx;
use crate::flow::login::{self, Attempt, Browser, Entry, Held, Refusal};
use crate::flow::sign_up::{self, SignUp, SignUpRefusal};
use crate::oauth::OAuthError;

use super::tickets::{Destination, LoginNotice, LoginTicket, TicketError, open_login_ticket, seal_login};
use super::{Next, go_on};

/// What stands on both pages.
pub struct Entrance {
    /// What waits for it.
    pub ticket: LoginTicket,
    /// The client that asks, where one does.
    pub client: Option<Arc<Client>>,
    /// Whether that client registered itself, and nobody has looked at it.
    pub unchecked: bool,
    /// Whether there are accounts to choose from.
    pub choose: bool,
    /// Whether an account may be made here.
    pub sign_up: bool,
}

/// Opens the ticket of a login or sign-up page.
///
/// # Errors
/// See [`TicketError`].
pub fn show_entrance(cx: &Cx, sealed: &str, browser: &Browser) -> Result<Entrance, TicketError> {
    let ticket = open_login_ticket(cx, sealed, browser)?;
    let asked = ticket.to.request();
    let asking = asked.and_then(|request| cx.snapshot.client(request.client_id.as_str()));
    let client = asking.map(|known| Arc::clone(&known.client));
    let unchecked = client.as_ref().is_some_and(|client| cx.snapshot.registered(&client.id) == Some(false));
    // A new account is of no use where a known user is meant.
    let anybody = asked.is_none_or(|request| !request.expects_somebody());
    let again = ticket.notice == Some(LoginNotice::Reauthenticate);
    Ok(Entrance {
        client,
        unchecked,
        choose: !login::accounts(cx, browser)?.is_empty(),
        sign_up: cx.policy.sign_up.is_some() && anybody && !again,
        ticket,
    })
}

/// What came of a posted login form.
pub enum LoginOutcome {
    /// Signed in: go on, with these sessions.
    In(Next, Held),
    /// Show the login page again, with this sealed request.
    Again(String),
}

/// Answers a posted login form.
///
/// # Errors
/// When the request in it is no longer good, or the server cannot answer.
pub fn answer_login(
    cx: &Cx,
    ticket: LoginTicket,
    attempt: &Attempt<'_>,
    entry: &Entry,
    browser: &Browser,
    tie: &PlainToken,
) -> Result<LoginOutcome, OAuthError> {
    let again = |notice| {
        let ticket = LoginTicket {
            notice: Some(notice),
            typed: Some(attempt.username.to_owned()),
            remember: entry.remember,
            ..ticket.clone()
        };
        Ok(LoginOutcome::Again(seal_login(cx, &ticket, tie)?))
    };
    let user = match login::check_password(cx, attempt) {
        Ok(user) => user,
        Err(Refusal::Wrong) => return again(LoginNotice::Refused),
        Err(Refusal::Throttled(wait)) => return again(LoginNotice::Throttled { wait_s: wait.0 }),
        Err(Refusal::Failed(error)) => {
            tracing::warn!(%error, why = %error.operator, "login failed");
            return again(LoginNotice::Unavailable);
        }
    };
    match come_in(cx, ticket.to.clone(), &user, entry, browser, tie)? {
        Some((next, held)) => Ok(LoginOutcome::In(next, held)),
        None => again(LoginNotice::Refused),
    }
}

/// What came of a posted sign-up form.
pub enum SignUpOutcome {
    /// The account is there and signed in: go on, with these sessions.
    In(Next, Held),
    /// Show the page again, and say why.
    Again(SignUpRefusal),
}

/// Answers a posted sign-up form.
///
/// # Errors
/// When the request in it is no longer good, or the server cannot answer.
pub fn answer_sign_up(
    cx: &Cx,
    to: Destination,
    sent: &SignUp<'_>,
    entry: &Entry,
    browser: &Browser,
    tie: &PlainToken,
) -> Result<SignUpOutcome, OAuthError> {
    let user = match sign_up::sign_up(cx, sent) {
        Ok(user) => user,
        Err(refusal) => return Ok(SignUpOutcome::Again(refusal)),
    };
    Ok(match come_in(cx, to, &user, entry, browser, tie)? {
        Some((next, held)) => SignUpOutcome::In(next, held),
        // An operator was quicker, and locked it.
        None => SignUpOutcome::Again(SignUpRefusal::Unavailable),
    })
}

/// Starts a session and goes on with what waits for it. Nothing when the account changed since its password was checked.
fn come_in(
    cx: &Cx,
    to: Destination,
    user: &User,
    entry: &Entry,
    browser: &Browser,
    tie: &PlainToken,
) -> Result<Option<(Next, Held)>, OAuthError> {
    let here = login::accounts(cx, browser)?;
    let Some((known, here)) = login::start_session(cx, user, here, entry)? else { return Ok(None) };
    let next = match to {
        Destination::Own(page) => Next::Own(page),
        Destination::Client(mut valid) => {
            valid.reauthenticated = true;
            go_on(cx, *valid, &known, tie)?
        }
    };
    Ok(Some((next, here.held(cx))))
}
