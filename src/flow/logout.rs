//! Logout at the wish of a client (OpenID Connect RP-Initiated Logout 1.0) or of the user.
//!
//! §2: "At the Logout Endpoint, the OP SHOULD ask the End-User whether to log out of the OP as well. Furthermore, the OP
//! MUST ask the End-User this question if an id_token_hint was not provided or if the supplied ID Token does not belong to
//! the current OP session". It is asked always, so that no link of another site can end a session.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::{Id, PlainToken};
use crate::domain::Client;
use crate::jose::{Purpose, TokenType};
use crate::oauth::{ErrorCode, OAuthError, Params};
use crate::store::sessions;

use super::Cx;
use super::authorize::TicketError;
use super::authorize::{open_sealed, seal_for};
use super::backchannel;
use super::login::{self, Browser};

/// What to do next.
pub enum Step {
    /// Ask the user: the sealed request, who is signed in, and who asks for it.
    Ask {
        /// For the form.
        sealed: String,
        /// Who is signed in.
        username: String,
        /// The client that asks.
        client_name: Option<String>,
        /// Where the browser goes afterwards, if not to a page of this server.
        return_to: Option<String>,
    },
    /// Nobody is signed in (any more).
    Done(After),
}

/// Where the browser goes after a logout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// Back to the client: a registered URI, with `state`.
    Client(String),
    /// To the page that says so.
    Page {
        /// The client that asked.
        client_name: Option<String>,
    },
    /// The user wants to stay.
    Stayed,
}

#[derive(Serialize, Deserialize)]
struct Ticket {
    session_id: Id,
    /// Where to go afterwards.
    to: Option<String>,
    client_name: Option<String>,
}

/// Reads a logout request.
///
/// # Errors
/// `invalid_request` when the hint, the client or the URI are not in order: then nobody is redirected, and no session ends.
pub fn request(cx: &Cx, params: &Params, browser: &Browser, tie: &PlainToken) -> Result<Step, OAuthError> {
    let client = asking_client(cx, params)?;
    let to = return_to(params, client.as_deref())?;
    let client_name = client.map(|client| client.name.clone());
    match login::signed_in(cx, browser)? {
        None => Ok(Step::Done(after(to, client_name))),
        Some(known) => {
            let ticket =
                Ticket { session_id: known.session.id, to: to.clone(), client_name: client_name.clone() };
            let sealed = seal_for(cx, Purpose::LogoutRequest, ticket, tie)?;
            Ok(Step::Ask { sealed, username: known.user.username.to_string(), client_name, return_to: to })
        }
    }
}

/// Answers the posted form. `leave` is the user's word.
///
/// # Errors
/// See [`TicketError`].
pub fn answer(cx: &Cx, sealed: &str, leave: bool, browser: &Browser) -> Result<After, TicketError> {
    let ticket: Ticket = open_sealed(cx, Purpose::LogoutRequest, sealed, browser)?;
    if !leave {
        return Ok(After::Stayed);
    }
    // The page named a user: whoever signed in at this browser since has not been asked.
    if login::signed_in(cx, browser)?.is_some_and(|known| known.session.id != ticket.session_id) {
        return Err(TicketError::Expired);
    }
    // A session that was renewed since keeps its id; one that ended is over anyway.
    let (id, now) = (ticket.session_id, cx.now);
    cx.store.write("logout", move |conn| {
        if sessions::end(conn, id, now)?
            && let Some(session) = sessions::find(conn, id)?
        {
            backchannel::enqueue(conn, id, session.user_id, now)?;
        }
        Ok(())
    })?;
    tracing::info!(session = %id, "signed out");
    Ok(after(ticket.to, ticket.client_name))
}

fn after(to: Option<String>, client_name: Option<String>) -> After {
    match to {
        Some(url) => After::Client(url),
        None => After::Page { client_name },
    }
}

/// The client that `id_token_hint` or `client_id` names; §2: "When both client_id and id_token_hint are present, the OP
/// MUST verify that the Client Identifier matches the one used when issuing the ID Token."
fn asking_client(cx: &Cx, params: &Params) -> Result<Option<Arc<Client>>, OAuthError> {
    let hinted = params.get("id_token_hint").map(|hint| audience_of(cx, hint)).transpose()?;
    let id = match (hinted, params.get("client_id")) {
        (Some(hinted), Some(id)) if hinted != id => {
            return Err(invalid("client_id is not the client that id_token_hint was issued to"));
        }
        (Some(hinted), _) => hinted,
        (None, Some(id)) => id.to_owned(),
        (None, None) => return Ok(None),
    };
    match cx.snapshot.client(&id) {
        Some(known) => Ok(Some(Arc::clone(&known.client))),
        None => Err(invalid("no client of this client_id is registered here")),
    }
}

/// §2: the hint may have expired; "the OP SHOULD accept ID Tokens when the RP identified by the ID Token's aud claim
/// and/or sid claim has a current session or had a recent session at the OP, even when the exp time has passed."
fn audience_of(cx: &Cx, hint: &str) -> Result<String, OAuthError> {
    let refuse = || invalid("id_token_hint is not an ID token of this server");
    let claims =
        cx.snapshot.keys.verify(hint, TokenType::IdToken).map_err(|e| refuse().because(e.to_string()))?;
    if claims.get("iss").and_then(|iss| iss.as_str()) != Some(cx.policy.issuer.as_str()) {
        return Err(refuse());
    }
    claims.get("aud").and_then(|aud| aud.as_str()).map(str::to_owned).ok_or_else(refuse)
}

/// §3: the value "MUST have been previously registered with the OP"; it is compared exactly.
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
