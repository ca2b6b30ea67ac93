//! The authorization endpoint (RFC 6749 §3.1, §4.1.1; OpenID Connect Core 1.0 §3.1.2).
//!
//! ```text
//! request ─► client and redirect URI ─► the other checks ─► ValidRequest ─► who is signed in? ─► consent? ─► code
//!            (a page if refused)        (a redirect)                        (login or sign-up)  (consent page)
//! ```
//!
//! Before the redirect URI is proven to belong to the client there is no [`ReplyTo`], and without one nothing can
//! redirect. The valid request travels sealed through the browser: an unfinished login costs no database row.

mod asked;
mod checks;
mod choose;
mod client;
mod consent;
mod decide;
mod entrance;
mod issue;
mod machine;
mod reply;
mod request;
mod tickets;

pub use checks::has_request_object;
pub use choose::{Choice, Chosen, answer_choice, show_choice};
pub use client::Unproven;
pub use consent::{ConsentView, answer_consent, show_consent};
pub use decide::Answer;
pub use entrance::{Entrance, LoginOutcome, SignUpOutcome, answer_login, answer_sign_up, show_entrance};
pub use reply::{Delivery, Parameters, ReplyTo};
pub use request::ValidRequest;
pub use tickets::{Destination, LoginNotice, LoginTicket, OwnPage, TicketError, open_login_ticket};
pub(in crate::flow) use tickets::{open as open_sealed, seal as seal_for, seal_login};

use crate::base::PlainToken;
use crate::oauth::{OAuthError, Params};

use super::Cx;
use super::login::{self, Browser, SignedIn};

/// What the browser is told to do next.
pub enum Next {
    /// Go back to the client, with `code` or `error`.
    Client(Delivery),
    /// Show the login page of this sealed request.
    Login(String),
    /// Show the sign-up page of this sealed request.
    SignUp(String),
    /// Show the account chooser of this sealed request.
    Choose(String),
    /// Show the consent page of this sealed ticket.
    Consent(String),
    /// Show a page of this server.
    Own(OwnPage),
}

/// Answers an authorization request. `fault` is what was wrong with its parameters, if anything.
///
/// # Errors
/// [`Unproven`] while there is nobody to redirect to: it becomes a page.
pub fn authorize(
    cx: &Cx,
    params: &Params,
    fault: Option<OAuthError>,
    browser: &Browser,
    tie: &PlainToken,
) -> Result<Next, Unproven> {
    let (client, reply) = client::prove(&cx.snapshot, params, fault.as_ref())?;
    let checked = match fault {
        Some(fault) => Err(fault),
        None => checks::all(cx, &client, &reply, params),
    };
    let answered = checked.and_then(|valid| {
        let here = login::accounts(cx, browser)?;
        decide::next(cx, &client, valid, &here, tie)
    });
    Ok(answered.unwrap_or_else(|error| Next::Client(reply.refuse(&cx.policy.issuer, &client.id, &error))))
}

/// Goes on with a request once somebody is signed in. What goes wrong is told to the client.
fn go_on(cx: &Cx, valid: ValidRequest, known: &SignedIn, tie: &PlainToken) -> Result<Next, OAuthError> {
    let reply = valid.reply.clone();
    let client = request::still_registered(cx, &valid)?;
    let next = decide::next_for(cx, &client, valid, Some(known), tie);
    Ok(next.unwrap_or_else(|error| Next::Client(reply.refuse(&cx.policy.issuer, &client.id, &error))))
}
