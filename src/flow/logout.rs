//! Logout at the wish of a client (OpenID Connect RP-Initiated Logout 1.0) or of the user.
//!
//! ```text
//! request ─► hint, client and URI are in order ─► whose session? ─► is it proven? ─yes─► ended ─► client, or a page
//!            (a page if refused)                  (nobody: back)     └─no─► the user is asked ─►┘
//! ```
//!
//! §2: "At the Logout Endpoint, the OP SHOULD ask the End-User whether to log out of the OP as well. Furthermore, the OP
//! MUST ask the End-User this question if an id_token_hint was not provided or if the supplied ID Token does not belong to
//! the current OP session with the RP and/or currently logged in End-User." One whose `sid` is that of a session of this
//! browser belongs to it: nobody but the client that it was given to can show it, so nobody is asked
//! (docs/adr/0012-logout.md).

mod hint;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::{Id, PlainToken};
use crate::domain::Client;
use crate::jose::Purpose;
use crate::oauth::{ErrorCode, OAuthError, Params, locales};

use super::Cx;
use super::authorize::{TicketError, open_sealed, seal_for};
use super::login::{self, Accounts, Browser, Held};
use super::session_end::{self, Cause, Ended};

/// What to do next.
pub enum Step {
    /// Ask the user.
    Ask(Question),
    /// It is over; the browser holds these sessions from now on.
    Done(After, Held),
}

/// What the user is asked.
pub struct Question {
    /// For the form.
    pub sealed: String,
    /// Who would be signed out.
    pub username: String,
    /// Who else is signed in at this browser.
    pub others: Vec<String>,
    /// The client that asks.
    pub client_name: Option<String>,
    /// Where the browser goes afterwards, if not to a page of this server.
    pub return_to: Option<String>,
}

/// Where the browser goes after a logout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// Back to the client: a registered URI, with `state`.
    Client(String),
    /// To the page that says what ended.
    Page(Farewell),
    /// The user wants to stay.
    Stayed,
}

/// What ended, in words for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Farewell {
    /// The client that asked.
    pub client_name: Option<String>,
    /// The accounts that were signed out.
    pub accounts: Vec<String>,
    /// The accounts that are still signed in at this browser.
    pub remaining: Vec<String>,
    /// The applications that are told of it.
    pub told: Vec<String>,
    /// The others that were used in it: they may take a while to notice.
    pub not_told: Vec<String>,
    /// The languages that the client asked for.
    pub ui_locales: Option<String>,
}

/// What the user said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    /// End the session that the page names.
    Leave,
    /// End all that it names.
    LeaveAll,
    /// End none.
    Stay,
}

#[derive(Serialize, Deserialize)]
struct Ticket {
    /// The session that is asked about, then the others of this browser, each with its user's name.
    sessions: Vec<(Id, String)>,
    /// Where to go afterwards.
    to: Option<String>,
    client_name: Option<String>,
    ui_locales: Option<String>,
}

/// Reads a logout request.
///
/// # Errors
/// `invalid_request` when the hint, the client or the URI are not in order: then nobody is redirected, and no session ends.
pub fn request(cx: &Cx, params: &Params, browser: &Browser, tie: &PlainToken) -> Result<Step, OAuthError> {
    let hint = params.get("id_token_hint").map(|text| hint::read(cx, text)).transpose()?;
    // A hint of a key that is known no more leads to the question, and to no address but one that client_id proves.
    let is_forgotten = matches!(hint, Some(None));
    let hint = hint.flatten();
    let client = asking_client(cx, params, hint.as_ref())?;
    let to = if is_forgotten && client.is_none() { None } else { return_to(params, client.as_deref())? };
    let client_name = client.as_ref().map(|client| client.name.clone());
    let ui_locales = params.get("ui_locales").map(|list| locales::first(list).to_owned());
    let here = login::accounts(cx, browser)?;
    let whom = hint::whom(cx, &here, hint.as_ref(), client.as_deref(), params.get("logout_hint"));
    let Some((known, is_proven)) = whom else {
        let nobody = Farewell { client_name, ui_locales, ..Farewell::default() };
        return Ok(Step::Done(after(to, nobody), here.held(cx)));
    };
    let named = |known: &login::SignedIn| (known.session.id, known.user.username.to_string());
    let first = named(known);
    let others: Vec<_> = here.all().filter(|other| other.session.id != first.0).map(named).collect();
    if is_proven {
        let ticket = Ticket { sessions: vec![first], to, client_name, ui_locales };
        let (done, held) = leave(cx, ticket, here)?;
        return Ok(Step::Done(done, held));
    }
    let names = others.iter().map(|(_, name)| name.clone()).collect();
    let username = first.1.clone();
    let sessions = std::iter::once(first).chain(others).collect();
    let ticket = Ticket { sessions, to: to.clone(), client_name: client_name.clone(), ui_locales };
    let sealed = seal_for(cx, Purpose::LogoutRequest, ticket, tie)?;
    Ok(Step::Ask(Question { sealed, username, others: names, client_name, return_to: to }))
}

/// Answers the posted form. `decision` is the user's word: `logout`, `all` or `stay`.
///
/// # Errors
/// See [`TicketError`].
pub fn answer(
    cx: &Cx,
    sealed: &str,
    decision: &str,
    browser: &Browser,
) -> Result<(After, Held), TicketError> {
    let decision = match decision {
        "logout" => Decision::Leave,
        "all" => Decision::LeaveAll,
        "stay" => Decision::Stay,
        _ => return Err(TicketError::Failed(invalid("decision is logout, all or stay"))),
    };
    let mut ticket: Ticket = open_sealed(cx, Purpose::LogoutRequest, sealed, browser)?;
    let here = login::accounts(cx, browser)?;
    match decision {
        Decision::Stay => return Ok((After::Stayed, here.held(cx))),
        Decision::Leave => ticket.sessions.truncate(1),
        // Whoever signed in at this browser since the page was shown was not named on it, and stays.
        Decision::LeaveAll => {}
    }
    Ok(leave(cx, ticket, here)?)
}

/// Ends the sessions of a ticket. One that was renewed since keeps its id; one that ended is over anyway.
fn leave(cx: &Cx, ticket: Ticket, here: Accounts) -> Result<(After, Held), OAuthError> {
    let ids: Vec<Id> = ticket.sessions.iter().map(|(id, _)| *id).collect();
    let (ending, now) = (ids.clone(), cx.now);
    let ended = cx.store.write("logout", move |conn| {
        let mut all: Vec<Ended> = Vec::new();
        for id in &ending {
            all.extend(session_end::end(conn, *id, Cause::Logout, now)?);
        }
        Ok(all)
    })?;
    let here = here.without(&ids);
    let (told, not_told) = applications(cx, &ended);
    let farewell = Farewell {
        client_name: ticket.client_name,
        accounts: ticket.sessions.into_iter().map(|(_, name)| name).collect(),
        remaining: here.all().map(|known| known.user.username.to_string()).collect(),
        told,
        not_told,
        ui_locales: ticket.ui_locales,
    };
    Ok((after(ticket.to, farewell), here.held(cx)))
}

/// The names of the applications that were used in these sessions: those that are told of the end, and the others.
fn applications(cx: &Cx, ended: &[Ended]) -> (Vec<String>, Vec<String>) {
    let (mut told, mut not_told) = (BTreeSet::new(), BTreeSet::new());
    let clients = ended.iter().flat_map(|ended| &ended.clients);
    for known in clients.filter_map(|id| cx.snapshot.client(id.as_str())) {
        let is_told = known.client.openid.backchannel_logout_uri.is_some();
        let names = if is_told { &mut told } else { &mut not_told };
        names.insert(known.client.name.clone());
    }
    (told.into_iter().collect(), not_told.into_iter().collect())
}

fn after(to: Option<String>, farewell: Farewell) -> After {
    to.map_or(After::Page(farewell), After::Client)
}

/// The client that `id_token_hint` or `client_id` names; §2: "When both client_id and id_token_hint are present, the OP
/// MUST verify that the Client Identifier matches the one used when issuing the ID Token."
fn asking_client(
    cx: &Cx,
    params: &Params,
    hint: Option<&hint::Hint>,
) -> Result<Option<Arc<Client>>, OAuthError> {
    let id = match (hint, params.get("client_id")) {
        (Some(hint), Some(id)) if hint.client != id => {
            return Err(invalid("client_id is not the client that id_token_hint was issued to"));
        }
        (Some(hint), _) => &hint.client,
        (None, Some(id)) => id,
        (None, None) => return Ok(None),
    };
    match cx.snapshot.client(id) {
        Some(known) => Ok(Some(Arc::clone(&known.client))),
        None => Err(invalid("no client of this client_id is registered here")),
    }
}

/// §3: the value "MUST have been previously registered with the OP"; it is compared exactly. §3 also wants a hint with it,
/// or "other means of confirming the legitimacy of the post-logout redirection target": `client_id` and the exact match.
fn return_to(params: &Params, client: Option<&Client>) -> Result<Option<String>, OAuthError> {
    let Some(uri) = params.get("post_logout_redirect_uri") else { return Ok(None) };
    let Some(client) = client else {
        return Err(invalid(
            "post_logout_redirect_uri needs id_token_hint or client_id, to know whose it is",
        ));
    };
    if !client.post_logout_redirect_uris.iter().any(|registered| registered.as_str() == uri) {
        return Err(invalid(
            "post_logout_redirect_uri is not registered for this client; it is compared exactly",
        ));
    }
    let Some(state) = params.get("state") else { return Ok(Some(uri.to_owned())) };
    let separator = if uri.contains('?') { '&' } else { '?' };
    let state = percent_encoding::utf8_percent_encode(state, percent_encoding::NON_ALPHANUMERIC);
    Ok(Some(format!("{uri}{separator}state={state}")))
}

fn invalid(text: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest).describe(text)
}
