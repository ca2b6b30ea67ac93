//! First check: the client exists and the redirect URI is one of its own.
//!
//! RFC 6749 §4.1.2.1: "If the request fails due to a missing, invalid, or mismatching redirection URI, or if the client
//! identifier is missing or invalid, the authorization server SHOULD inform the resource owner of the error and MUST NOT
//! automatically redirect the user-agent to the invalid redirection URI."

use std::borrow::Cow;
use std::sync::Arc;

use crate::domain::Client;
use crate::flow::Snapshot;
use crate::oauth::{ErrorCode, OAuthError, Params, ResponseMode, logged};

use super::{ReplyTo, reply};

/// A request that nobody may be redirected for.
#[derive(Debug)]
pub enum Unproven {
    /// The client is missing, unknown or switched off.
    Client(OAuthError),
    /// The redirect URI is missing, or not one of the client's.
    RedirectUri(OAuthError),
    /// The parameters that would say so cannot be read.
    Malformed(OAuthError),
}

impl Unproven {
    /// The error in it.
    #[must_use]
    pub fn error(&self) -> &OAuthError {
        match self {
            Self::Client(error) | Self::RedirectUri(error) | Self::Malformed(error) => error,
        }
    }
}

pub(super) fn prove(
    snapshot: &Snapshot,
    params: &Params,
    fault: Option<&OAuthError>,
) -> Result<(Arc<Client>, ReplyTo), Unproven> {
    let missing = |why: Unproven| fault.map_or(why, |fault| Unproven::Malformed(fault.clone()));
    let Some(id) = params.get("client_id") else {
        return Err(missing(Unproven::Client(invalid("client_id is missing"))));
    };
    let Some(known) = snapshot.client(id) else {
        return Err(Unproven::Client(
            invalid("no client of this client_id is registered here")
                .because(format!("client_id {}", logged(id))),
        ));
    };
    let client = &known.client;
    let uri = match params.get("redirect_uri") {
        Some(presented) if client.redirect_uri(presented).is_some() => presented,
        Some(presented) => {
            return Err(Unproven::RedirectUri(
                invalid(format!(
                    "redirect_uri {presented} is not registered for this client; it is compared character by character, \
                     so look at scheme, host, port, path and a slash at the end"
                ))
                .because(format!("client {id} presented redirect_uri {presented:?}")),
            ));
        }
        // RFC 6749 §3.1.2.3: it may be left out where exactly one full URI is registered; OpenID Connect Core §3.1.2.1
        // wants it always.
        None => match client.redirect_uris.as_slice() {
            [only] if fault.is_none() && !asks_for_openid(params) => only.as_str(),
            _ => return Err(missing(Unproven::RedirectUri(invalid("redirect_uri is missing")))),
        },
    };
    let reply =
        ReplyTo::proven(uri.to_owned(), params.get("state").map(str::to_owned), mode(client, uri, params));
    Ok((Arc::clone(client), reply))
}

/// How the client wants its answer, where that can be; what cannot be is refused later, by the default mode.
fn mode(client: &Client, uri: &str, params: &Params) -> ResponseMode {
    let asked = params.get("response_mode").and_then(|text| text.parse().ok());
    asked.filter(|mode| reply::unfit(client, uri, *mode).is_none()).unwrap_or_default()
}

fn asks_for_openid(params: &Params) -> bool {
    params.get("scope").is_some_and(|scope| scope.split(' ').any(|value| value == "openid"))
}

fn invalid(text: impl Into<Cow<'static, str>>) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest).describe(text)
}
