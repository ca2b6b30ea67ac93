//! The account chooser (OpenID Connect Core 1.0 §3.1.2.1, `select_account`): which of the accounts that are signed in at
//! this browser a request is for. It carries the same ticket as the login page, which is one click away.

use crate::base::PlainToken;
use crate::flow::Cx;
use crate::flow::login::{self, Accounts, Browser, Held};

use super::tickets::{self, Destination, LoginTicket, TicketError};
use super::{Next, go_on};

/// What the chooser shows.
pub struct Choice {
    /// What waits for it.
    pub ticket: LoginTicket,
    /// The client that asks, where one does.
    pub client_name: Option<String>,
    /// Who is signed in.
    pub accounts: Accounts,
}

/// What came of a choice.
pub enum Chosen {
    /// Go on, with these sessions.
    In(Next, Held),
    /// Another account: the login page of this sealed ticket.
    Another(String),
    /// That account is not signed in any more: choose again.
    Again(String),
}

/// Opens a ticket and says who is signed in.
///
/// # Errors
/// See [`TicketError`].
pub fn show_choice(cx: &Cx, sealed: &str, browser: &Browser) -> Result<Choice, TicketError> {
    let ticket = tickets::open_login_ticket(cx, sealed, browser)?;
    let asking = ticket.to.request().and_then(|request| cx.snapshot.client(request.client_id.as_str()));
    let client_name = asking.map(|known| known.client.name.clone());
    Ok(Choice { client_name, accounts: login::accounts(cx, browser)?, ticket })
}

/// Answers a posted choice: the id of the account's session, or nothing for an account that is not signed in here.
///
/// # Errors
/// See [`TicketError`].
pub fn answer_choice(
    cx: &Cx,
    sealed: &str,
    session: Option<&str>,
    browser: &Browser,
    tie: &PlainToken,
) -> Result<Chosen, TicketError> {
    let mut ticket = tickets::open_login_ticket(cx, sealed, browser)?;
    let Some(session) = session else {
        // Whom the client hinted at was among those to choose from, or is not meant.
        if let Destination::Client(request) = &mut ticket.to {
            request.login_hint = None;
        }
        let ticket = LoginTicket { notice: None, typed: None, ..ticket };
        return Ok(Chosen::Another(tickets::seal_login(cx, &ticket, tie)?));
    };
    let here = login::accounts(cx, browser)?;
    let known = session.parse().ok().and_then(|id| here.of_session(id)).cloned();
    let Some(known) = known else { return Ok(Chosen::Again(sealed.to_owned())) };
    let here = here.with_active(known.session.id);
    login::touch(cx, &known)?;
    tracing::info!(user = %known.user.id, session = %known.session.id, "account chosen");
    let next = match ticket.to {
        Destination::Own(page) => Next::Own(page),
        Destination::Client(mut request) => {
            request.chosen = true;
            go_on(cx, *request, &known, tie)?
        }
    };
    Ok(Chosen::In(next, here.held(cx)))
}
