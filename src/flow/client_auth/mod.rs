//! Which client asks, and whether it is the one it says (RFC 6749 §2.3, §3.2.1).
//!
//! 1. One way of authentication only.
//! 2. The client exists and is switched on.
//! 3. It authenticates in the way that it registered, if it did (RFC 7591 §2).
//! 4. Public clients show nothing, confidential clients a valid secret or assertion.

mod assertion;
mod client_secret_jwt;
mod private_key_jwt;
mod secret;

use std::borrow::Cow;
use std::sync::Arc;

use crate::domain::Client;
use crate::oauth::{AuthMethod, ErrorCode, OAuthError, Params, logged};

use super::snapshot::KnownClient;
use super::{Cx, Snapshot};

/// What stood in the Authorization header.
#[derive(Clone, Default)]
pub enum Presented {
    /// No header.
    #[default]
    Nothing,
    /// HTTP Basic, both halves form-url-decoded (RFC 6749 §2.3.1).
    Basic {
        /// The user name half.
        client_id: String,
        /// The password half.
        secret: zeroize::Zeroizing<String>,
        /// The password half as it came, where decoding changes it: many clients (curl, authlib) do not encode.
        verbatim: Option<zeroize::Zeroizing<String>>,
    },
    /// A header that no client authentication of this server uses, or that cannot be read.
    Unusable(&'static str),
}

/// What a request shows to prove who it comes from.
enum Shown<'r> {
    Nothing,
    Basic { secret: &'r str, verbatim: Option<&'r str> },
    Posted(&'r str),
    Assertion(&'r str),
}

impl<'r> Shown<'r> {
    /// Some clients send an empty secret where they have none.
    fn is_empty(&self) -> bool {
        matches!(self, Self::Nothing | Self::Posted("") | Self::Basic { secret: "", .. })
    }

    fn secret(&self) -> Option<&'r str> {
        match self {
            Self::Basic { secret, .. } | Self::Posted(secret) => Some(secret),
            Self::Nothing | Self::Assertion(_) => None,
        }
    }
}

/// Authenticates the client of a request. An assertion is used up by that, which is a write; all else is done in memory.
///
/// # Errors
/// `invalid_request` for two ways at once, otherwise `invalid_client`; the operator's text says which check failed.
/// `temporarily_unavailable` when the database is down.
pub fn authenticate(cx: &Cx, presented: &Presented, params: &Params) -> Result<Arc<Client>, OAuthError> {
    let (id, shown) = claimed(presented, params)?;
    let Some(known) = cx.snapshot.client(&id) else {
        secret::waste_time(shown.secret());
        return Err(invalid_client(format!("client {} is unknown or switched off", logged(&id))));
    };
    let client = &known.client;
    if client.is_public() {
        return match shown.is_empty() {
            true => Ok(Arc::clone(client)),
            false => {
                Err(invalid_client(format!("client {id} is public and showed a secret or an assertion")))
            }
        };
    }
    confidential(cx, known, &shown)?;
    Ok(Arc::clone(client))
}

fn confidential(cx: &Cx, known: &KnownClient, shown: &Shown<'_>) -> Result<(), OAuthError> {
    let id = &known.client.id;
    let check = |method, secret: &str, verbatim: Option<&str>| {
        registered(&known.client, method)?;
        secret::check(&known.secrets, secret, cx.now)
            .or_else(|why| match verbatim {
                Some(other) => secret::check(&known.secrets, other, cx.now).map_err(|_| why),
                None => Err(why),
            })
            .map_err(|why| invalid_client(format!("client {id}: {why}")))
    };
    match shown {
        _ if shown.is_empty() => {
            Err(invalid_client(format!("client {id} is confidential and showed no secret and no assertion")))
        }
        Shown::Nothing => Ok(()),
        Shown::Basic { secret, verbatim } => check(AuthMethod::ClientSecretBasic, secret, *verbatim),
        Shown::Posted(secret) => check(AuthMethod::ClientSecretPost, secret, None),
        Shown::Assertion(text) => assertion::check(cx, known, text),
    }
}

/// RFC 7591 §2: what a client registered as its `token_endpoint_auth_method` is what it does; one that registered nothing
/// may choose where its secret stands.
fn registered(client: &Client, method: AuthMethod) -> Result<(), OAuthError> {
    match client.openid.auth_method {
        Some(registered) if registered != method => Err(invalid_client(format!(
            "client {} is registered for {registered} and authenticated by {method}",
            client.id
        ))),
        _ => Ok(()),
    }
}

/// The client that a request says it comes from, believed by nobody yet.
#[must_use]
pub fn named<'r>(presented: &'r Presented, params: &'r Params) -> Option<Cow<'r, str>> {
    match presented {
        Presented::Basic { client_id, .. } => Some(Cow::Borrowed(client_id)),
        Presented::Nothing | Presented::Unusable(_) => match params.get("client_id") {
            Some(id) => Some(Cow::Borrowed(id)),
            None => assertion::subject(params.get("client_assertion")?).map(Cow::Owned),
        },
    }
}

/// The same, where there is such a client: whose pages may read the answer.
#[must_use]
pub fn asking(snapshot: &Snapshot, presented: &Presented, params: &Params) -> Option<Arc<Client>> {
    snapshot.client(&named(presented, params)?).map(|known| Arc::clone(&known.client))
}

/// Whether it takes a write to see who asks.
#[must_use]
pub fn is_by_assertion(params: &Params) -> bool {
    params.get("client_assertion").is_some()
}

/// RFC 6749 §2.3: "The client MUST NOT use more than one authentication method in each request."
fn claimed<'r>(
    presented: &'r Presented,
    params: &'r Params,
) -> Result<(Cow<'r, str>, Shown<'r>), OAuthError> {
    let body_id = params.get("client_id");
    let body_secret = params.get("client_secret");
    let two_ways = |what: &str| {
        let text = format!("two ways of client authentication at once: {what}");
        Err(OAuthError::new(ErrorCode::InvalidRequest).describe(text))
    };
    if let Some(text) = asserted(params)? {
        if !matches!(presented, Presented::Nothing) {
            return two_ways("Authorization header and client_assertion");
        }
        if body_secret.is_some() {
            return two_ways("client_secret and client_assertion");
        }
        return by_assertion(text, body_id);
    }
    match presented {
        Presented::Basic { client_id, secret, verbatim } => {
            if body_secret.is_some() {
                return two_ways("Authorization header and client_secret");
            }
            if body_id.is_some_and(|id| id != client_id) {
                return Err(OAuthError::new(ErrorCode::InvalidRequest)
                    .describe("client_id differs from the client in the Authorization header"));
            }
            let verbatim = verbatim.as_ref().map(|text| text.as_str());
            Ok((Cow::Borrowed(client_id), Shown::Basic { secret, verbatim }))
        }
        Presented::Unusable(why) => Err(invalid_client((*why).to_owned())),
        Presented::Nothing => match body_id {
            Some(id) => Ok((Cow::Borrowed(id), body_secret.map_or(Shown::Nothing, Shown::Posted))),
            None => Err(invalid_client("no client_id and no Authorization header".to_owned())
                .describe("the request does not say which client it comes from")),
        },
    }
}

/// The assertion, if there is one. RFC 7521 §4.2: both parameters or neither.
fn asserted(params: &Params) -> Result<Option<&str>, OAuthError> {
    match (params.get("client_assertion_type"), params.get("client_assertion")) {
        (None, None) => Ok(None),
        (Some(kind), Some(text)) if kind == assertion::TYPE => Ok(Some(text)),
        (Some(_), Some(_)) => Err(invalid_client("client_assertion_type is none that is known".to_owned())
            .describe(format!("client_assertion_type must be {}", assertion::TYPE))),
        (Some(_), None) => Err(OAuthError::new(ErrorCode::InvalidRequest)
            .describe("client_assertion_type without client_assertion")),
        (None, Some(_)) => Err(OAuthError::new(ErrorCode::InvalidRequest)
            .describe("client_assertion without client_assertion_type")),
    }
}

/// RFC 7521 §4.2: a client_id beside the assertion "MUST identify the same client as is identified by the client assertion."
fn by_assertion<'r>(text: &'r str, body_id: Option<&str>) -> Result<(Cow<'r, str>, Shown<'r>), OAuthError> {
    let Some(subject) = assertion::subject(text) else {
        return Err(invalid_client("the assertion cannot be read, or has no sub".to_owned()));
    };
    if body_id.is_some_and(|id| id != subject) {
        return Err(invalid_client(format!(
            "client_id is {:?}, and the assertion's sub is {subject:?}",
            body_id.unwrap_or_default()
        )));
    }
    Ok((Cow::Owned(subject), Shown::Assertion(text)))
}

fn invalid_client(why: String) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClient).because(why)
}
