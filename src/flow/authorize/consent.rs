//! The consent page: what it shows, and what follows from its answer (OpenID Connect Core 1.0 §3.1.2.4).

use std::sync::Arc;

use crate::base::{Id, PlainToken};
use crate::domain::Client;
use crate::domain::consent::Consent;
use crate::flow::Cx;
use crate::flow::login::{self, Browser, SignedIn};
use crate::oauth::redirect_uri::shown_host;
use crate::oauth::{ErrorCode, OAuthError, Scope};
use crate::store::consents;

use super::tickets::{self, ConsentTicket, Destination, LoginTicket};
use super::{Next, TicketError, ValidRequest, decide, issue, request};

/// What the consent page shows.
pub struct ConsentView {
    /// The client.
    pub client: Arc<Client>,
    /// Whether it registered itself, and nobody let it in.
    pub unchecked: bool,
    /// Where the user goes afterwards.
    pub client_host: String,
    /// The address that this is the host of.
    pub redirect_uri: String,
    /// Who is signed in.
    pub username: String,
    /// The identity scopes asked for.
    pub identity_scopes: Vec<String>,
    /// Per resource server its name and the descriptions of the scopes asked for.
    pub resources: Vec<(String, Vec<String>)>,
    /// Whether a yes lasts: the same is not asked for again.
    pub remembered: bool,
    /// The languages that the client asks for.
    pub ui_locales: Option<String>,
}

/// What the user said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Yes.
    Allow,
    /// No.
    Deny,
    /// "That is not me."
    Switch,
}

/// Opens a ticket and says what to show.
///
/// # Errors
/// See [`TicketError`].
pub fn show_consent(cx: &Cx, sealed: &str, browser: &Browser) -> Result<ConsentView, TicketError> {
    let (ticket, known) = open(cx, sealed, browser)?;
    let valid = &ticket.request;
    let client = request::still_registered(cx, valid)?;
    let resources = valid
        .resources
        .iter()
        .filter_map(|id| cx.snapshot.resource_server(id))
        .map(|server| (server.name.clone(), server.words(&valid.scope)))
        .collect();
    Ok(ConsentView {
        remembered: !decide::is_always_asked(&client, valid),
        unchecked: cx.snapshot.registered(&client.id) == Some(false),
        client,
        client_host: shown_host(valid.reply.uri()),
        redirect_uri: valid.reply.uri().to_owned(),
        username: known.user.username.to_string(),
        identity_scopes: valid.identity_scope().iter().map(ToString::to_string).collect(),
        resources,
        ui_locales: valid.ui_locales.clone(),
    })
}

/// Answers a posted consent form.
///
/// # Errors
/// See [`TicketError`].
pub fn answer_consent(
    cx: &Cx,
    sealed: &str,
    decision: &str,
    browser: &Browser,
    tie: &PlainToken,
) -> Result<Next, TicketError> {
    let decision = match decision {
        "allow" => Decision::Allow,
        "deny" => Decision::Deny,
        "switch" => Decision::Switch,
        _ => {
            let error =
                OAuthError::new(ErrorCode::InvalidRequest).describe("decision is allow, deny or switch");
            return Err(TicketError::Failed(error));
        }
    };
    let (ticket, known) = open(cx, sealed, browser)?;
    let client = request::still_registered(cx, &ticket.request)?;
    let reply = ticket.request.reply.clone();
    let answered = match decision {
        Decision::Allow => allow(cx, &client, &ticket, &known)?,
        Decision::Deny => {
            use_up(cx, ticket.jti)?;
            let error = OAuthError::new(ErrorCode::AccessDenied).describe("the user did not agree");
            Ok(Next::Client(reply.refuse(&cx.policy.issuer, &client.id, &error)))
        }
        Decision::Switch => switch(cx, ticket, tie),
    };
    Ok(answered.unwrap_or_else(|error| Next::Client(reply.refuse(&cx.policy.issuer, &client.id, &error))))
}

/// The ticket and the session that it was made for, if that is still signed in at this browser. No other session counts:
/// the page named a user, and that user's yes it is.
fn open(cx: &Cx, sealed: &str, browser: &Browser) -> Result<(ConsentTicket, SignedIn), TicketError> {
    let ticket = tickets::open_consent(cx, sealed, browser)?;
    let here = login::accounts(cx, browser)?;
    match here.of_session(ticket.session_id) {
        Some(known) => Ok((ticket, known.clone())),
        None => Err(TicketError::Expired),
    }
}

/// Remembers the consent and issues the code, in one transaction; the outer error is a ticket that was used before.
fn allow(
    cx: &Cx,
    client: &Client,
    ticket: &ConsentTicket,
    known: &SignedIn,
) -> Result<Result<Next, OAuthError>, TicketError> {
    login::touch(cx, known)?;
    let agreed = issue::Agreed { jti: ticket.jti, consents: consents_of(cx, &ticket.request, known) };
    match issue::code(cx, client, &ticket.request, known, Some(agreed)) {
        Ok(Some(answer)) => Ok(Ok(Next::Client(answer))),
        Ok(None) => Err(TicketError::Used),
        Err(error) => Ok(Err(error)),
    }
}

fn use_up(cx: &Cx, jti: Id) -> Result<(), TicketError> {
    let until = cx.now + cx.policy.request_ttl;
    let first = cx.store.write("deny", move |conn| issue::use_ticket(conn, jti, until))?;
    if first { Ok(()) } else { Err(TicketError::Used) }
}

fn switch(cx: &Cx, ticket: ConsentTicket, tie: &PlainToken) -> Result<Next, OAuthError> {
    let mut request = ticket.request;
    request.reauthenticated = false;
    request.chosen = false;
    request.login_hint = None;
    let to = Destination::Client(Box::new(request));
    let ticket = LoginTicket { to, notice: None, typed: None, remember: false };
    Ok(Next::Choose(tickets::seal_login(cx, &ticket, tie)?))
}

/// The scope asked for, per resource server; the empty name stands for this server.
fn asked_by_resource(cx: &Cx, valid: &ValidRequest) -> Vec<(String, Scope)> {
    let mut asked = vec![(String::new(), valid.identity_scope())];
    for id in &valid.resources {
        let Some(server) = cx.snapshot.resource_server(id) else { continue };
        asked.push((id.to_string(), valid.scope.filter(|value| server.owns(value))));
    }
    asked
}

/// Whether the user agreed before to all that is asked for now.
pub(super) fn is_remembered(
    cx: &Cx,
    client: &Client,
    valid: &ValidRequest,
    known: &SignedIn,
) -> Result<bool, OAuthError> {
    let (user, id) = (known.user.id, client.id.clone());
    let remembered = cx.store.read("find consents", move |conn| consents::of(conn, user, &id))?;
    Ok(asked_by_resource(cx, valid).into_iter().all(|(resource, scope)| {
        remembered.iter().any(|consent| consent.resource == resource && scope.is_within(&consent.scope))
    }))
}

fn consents_of(cx: &Cx, valid: &ValidRequest, known: &SignedIn) -> Vec<Consent> {
    asked_by_resource(cx, valid)
        .into_iter()
        .map(|(resource, scope)| Consent {
            user_id: known.user.id,
            client_id: valid.client_id.clone(),
            resource,
            scope,
            granted_at: cx.now,
        })
        .collect()
}
