//! Which client asks, and whether it is the one it says (RFC 6749 §2.3, §3.2.1).
//!
//! 1. One way of authentication only.
//! 2. The client exists and is switched on.
//! 3. Public clients show no secret, confidential clients show a valid one.

mod secret;

use std::sync::Arc;

use crate::base::Timestamp;
use crate::domain::Client;
use crate::oauth::{ErrorCode, OAuthError, Params};

use super::Snapshot;

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

/// Authenticates the client of a token request.
///
/// # Errors
/// `invalid_request` for two ways at once, otherwise `invalid_client`; the operator's text says which check failed.
pub fn authenticate(
    snapshot: &Snapshot,
    presented: &Presented,
    params: &Params,
    now: Timestamp,
) -> Result<Arc<Client>, OAuthError> {
    let (id, secret, verbatim) = claimed(presented, params)?;
    let Some(known) = snapshot.client(id) else {
        secret::waste_time(secret);
        return Err(invalid_client(format!("client {id:?} is unknown or switched off")));
    };
    let client = &known.client;
    match (client.is_public(), secret) {
        // Some clients send an empty secret where they have none.
        (true, None | Some("")) => Ok(Arc::clone(client)),
        (true, Some(_)) => Err(invalid_client(format!("client {id} is public and showed a secret"))),
        (false, None | Some("")) => {
            Err(invalid_client(format!("client {id} is confidential and showed no secret")))
        }
        (false, Some(shown)) => {
            secret::check(&known.secrets, shown, now)
                .or_else(|why| match verbatim {
                    Some(other) => secret::check(&known.secrets, other, now).map_err(|_| why),
                    None => Err(why),
                })
                .map_err(|why| invalid_client(format!("client {id}: {why}")))?;
            Ok(Arc::clone(client))
        }
    }
}

/// The client that a request says it comes from, believed by nobody yet.
#[must_use]
pub fn named<'r>(presented: &'r Presented, params: &'r Params) -> Option<&'r str> {
    match presented {
        Presented::Basic { client_id, .. } => Some(client_id),
        Presented::Nothing | Presented::Unusable(_) => params.get("client_id"),
    }
}

/// The same, where there is such a client: whose pages may read the answer.
#[must_use]
pub fn asking(snapshot: &Snapshot, presented: &Presented, params: &Params) -> Option<Arc<Client>> {
    snapshot.client(named(presented, params)?).map(|known| Arc::clone(&known.client))
}

/// RFC 6749 §2.3: "The client MUST NOT use more than one authentication method in each request."
fn claimed<'r>(
    presented: &'r Presented,
    params: &'r Params,
) -> Result<(&'r str, Option<&'r str>, Option<&'r str>), OAuthError> {
    let body_id = params.get("client_id");
    let body_secret = params.get("client_secret");
    match presented {
        Presented::Basic { client_id, secret, verbatim } => {
            if body_secret.is_some() {
                return Err(OAuthError::new(ErrorCode::InvalidRequest).describe(
                    "two ways of client authentication at once: Authorization header and client_secret",
                ));
            }
            if body_id.is_some_and(|id| id != client_id) {
                return Err(OAuthError::new(ErrorCode::InvalidRequest)
                    .describe("client_id differs from the client in the Authorization header"));
            }
            Ok((client_id, Some(secret.as_str()), verbatim.as_ref().map(|text| text.as_str())))
        }
        Presented::Unusable(why) => Err(invalid_client((*why).to_owned())),
        Presented::Nothing => match body_id {
            Some(id) => Ok((id, body_secret, None)),
            None => Err(invalid_client("no client_id and no Authorization header".to_owned())
                .describe("the request does not say which client it comes from")),
        },
    }
}

fn invalid_client(why: String) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClient).because(why)
}
