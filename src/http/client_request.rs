//! What a client posts together with its credentials (RFC 6749 §2.3.1): the same at every endpoint that takes them.

use actix_web::HttpRequest;

use crate::flow::client_auth::Presented;
use crate::oauth::{ErrorCode, OAuthError, Params};

use super::credentials;

/// The parameters of the body and the Authorization header.
///
/// # Errors
/// `invalid_request` for parameters that are repeated, too long, or not in the body.
pub(super) fn read(
    http: &HttpRequest,
    pairs: Vec<(String, String)>,
) -> Result<(Params, Presented), OAuthError> {
    // RFC 6749 §2.3.1: "The parameters can only be transmitted in the request-body and MUST NOT be included in the
    // request URI."
    if !http.query_string().is_empty() {
        return Err(OAuthError::new(ErrorCode::InvalidRequest)
            .describe("parameters belong in the body, not in the URI"));
    }
    Ok((Params::collect(pairs)?, credentials::presented(http)?))
}
