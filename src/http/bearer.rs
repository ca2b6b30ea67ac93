//! Access tokens as they are shown to an endpoint of this server, and how one is refused (RFC 6750 §2, §3).

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};

use crate::oauth::limits::MAX_TOKEN_BYTES;
use crate::oauth::{ErrorCode, OAuthError, Params};

use super::errors;

/// The token of the Authorization header (RFC 6750 §2.1) or of the form (§2.2).
///
/// # Errors
/// `invalid_request` when it is shown in two ways at once, in the URI, or not as a token is. §2: "Clients MUST NOT use more
/// than one method to transmit the token in each request."
pub(super) fn token(request: &HttpRequest, form: &Params) -> Result<Option<String>, OAuthError> {
    let refuse = |text: &'static str| OAuthError::new(ErrorCode::InvalidRequest).describe(text);
    // RFC 9700 §4.3.2: a token in a URI ends up in logs and histories.
    if request
        .query_string()
        .split('&')
        .any(|part| part == "access_token" || part.starts_with("access_token="))
    {
        return Err(refuse("the access token belongs in the Authorization header, not in the URI"));
    }
    let mut values = request.headers().get_all(header::AUTHORIZATION);
    let header = values.next();
    if values.next().is_some() {
        return Err(refuse("the Authorization header is given twice"));
    }
    let in_header = match header.map(|value| value.to_str().ok().and_then(bearer)) {
        None => None,
        Some(None) => return Err(refuse("the Authorization header is not readable")),
        Some(Some(Shown::OtherScheme)) => None,
        Some(Some(Shown::Token(token))) => Some(token),
    };
    match (in_header, form.get("access_token")) {
        (Some(_), Some(_)) => Err(refuse("the access token is shown in two ways at once")),
        (Some(token), None) => Ok(Some(token)),
        (None, token) => Ok(token.map(str::to_owned)),
    }
}

enum Shown {
    Token(String),
    /// Whoever comes with Basic shows no token.
    OtherScheme,
}

/// RFC 6750 §2.1: `credentials = "Bearer" 1*SP b64token`. Nothing for what is neither that nor of another scheme.
fn bearer(value: &str) -> Option<Shown> {
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Some(Shown::OtherScheme);
    }
    let token = rest.trim_start_matches(' ');
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
    let sound = !token.is_empty() && token.len() <= MAX_TOKEN_BYTES && token.bytes().all(is_allowed);
    sound.then(|| Shown::Token(token.to_owned()))
}

/// RFC 6750 §3: "If the request lacks any authentication information (e.g., the client was unaware that authentication is
/// necessary or attempted using an unsupported authentication method), the resource server SHOULD NOT include an error code
/// or other error information."
pub(super) fn none_shown() -> HttpResponse {
    let mut response = errors::empty(401);
    challenge(&mut response, HeaderValue::from_static("Bearer realm=\"countersign\""));
    response
}

/// A refusal, with its challenge where it is about the token. `scope` is the one that is needed (§3: "The "scope" attribute is
/// a space-delimited list of case-sensitive scope values indicating the required scope").
pub(super) fn refused(request: &HttpRequest, error: &OAuthError, scope: &'static str) -> HttpResponse {
    let mut response = errors::json(request, error);
    let (code, description) = (error.code.as_str(), &error.description);
    let needed = match error.code {
        ErrorCode::InsufficientScope => format!(", scope=\"{scope}\""),
        ErrorCode::InvalidToken | ErrorCode::InvalidRequest => String::new(),
        _ => return response,
    };
    // A description has no quotes and no backslashes in it.
    let text = format!(
        "Bearer realm=\"countersign\", error=\"{code}\", error_description=\"{description}\"{needed}"
    );
    if let Ok(value) = HeaderValue::from_str(&text) {
        challenge(&mut response, value);
    }
    response
}

fn challenge(response: &mut HttpResponse, value: HeaderValue) {
    let headers = response.headers_mut();
    headers.insert(header::WWW_AUTHENTICATE, value);
    // Fetch standard §3.2.6: a page may read this header only where it is told so.
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("WWW-Authenticate"));
}
