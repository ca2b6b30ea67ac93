//! The Authorization header of a token request (RFC 6749 §2.3.1, RFC 7617).

use actix_web::HttpRequest;
use actix_web::http::header;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::flow::client_auth::Presented;
use crate::oauth::limits::{MAX_CLIENT_ID_BYTES, MAX_CLIENT_SECRET_BYTES};
use crate::oauth::{ErrorCode, OAuthError};

use super::forms;

/// Reads the header.
///
/// # Errors
/// `invalid_request` when it is there twice: two ways of authentication at once.
pub(super) fn presented(request: &HttpRequest) -> Result<Presented, OAuthError> {
    let mut values = request.headers().get_all(header::AUTHORIZATION);
    let Some(value) = values.next() else { return Ok(Presented::Nothing) };
    if values.next().is_some() {
        return Err(
            OAuthError::new(ErrorCode::InvalidRequest).describe("the Authorization header is given twice")
        );
    }
    Ok(value.to_str().ok().and_then(basic).unwrap_or(Presented::Unusable(
        "the Authorization header is not Basic, or its content is not base64 of two form-url-encoded halves",
    )))
}

/// RFC 6749 §2.3.1: "The client identifier is encoded using the "application/x-www-form-urlencoded" encoding algorithm
/// […], and the encoded value is used as the username; the client password is encoded using the same algorithm and used
/// as the password."
fn basic(value: &str) -> Option<Presented> {
    let (scheme, encoded) = value.split_once(' ')?;
    // Three letters of escapes for each, a colon, and four thirds for base64.
    let longest = (MAX_CLIENT_ID_BYTES + MAX_CLIENT_SECRET_BYTES) * 3 * 4 / 3 + 8;
    if !scheme.eq_ignore_ascii_case("basic") || encoded.len() > longest {
        return None;
    }
    let decoded = Zeroizing::new(STANDARD.decode(encoded.trim()).ok()?);
    let (id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    let client_id = forms::decode(id).ok()?;
    let as_it_came = || Zeroizing::new(secret.to_owned());
    // A bad escape is none at all to a client that does not encode: its secret has a percent sign in it.
    let decoded = forms::decode(secret).map_or_else(|_| as_it_came(), Zeroizing::new);
    let sound = client_id.len() <= MAX_CLIENT_ID_BYTES && decoded.len() <= MAX_CLIENT_SECRET_BYTES;
    let verbatim = (*decoded != secret && secret.len() <= MAX_CLIENT_SECRET_BYTES).then(as_it_came);
    sound.then_some(Presented::Basic { client_id, secret: decoded, verbatim })
}
