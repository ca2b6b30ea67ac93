//! How a token comes in and how a refusal is told: RFC 6750 §2.1 and §3.

use std::fmt;

use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::http::{StatusCode, header::HeaderMap};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use serde_json::json;

use crate::verifier::Refusal;

/// Longer than any token of this issuer. Checked before anything is parsed.
const TOKEN_LIMIT_BYTES: usize = 8 * 1024;

/// Why a request is not served.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// There is no token. RFC 6750 §3.1: then the answer "SHOULD NOT include an error code".
    NoToken,
    /// `invalid_request`: the token does not come as it must.
    InvalidRequest(&'static str),
    /// `invalid_token`, or 503 when the issuer's keys cannot be had.
    Refused(Refusal),
    /// `insufficient_scope`: a good token that does not reach this far.
    InsufficientScope(&'static str),
}

/// The token of a request.
pub(crate) fn token<'a>(headers: &'a HeaderMap, query: &str) -> Result<&'a str, Challenge> {
    let mut given = headers.get_all(AUTHORIZATION);
    let first = given.next();
    // RFC 6750 §2: "Clients MUST NOT use more than one method to transmit the token in each request."
    if given.next().is_some() {
        return Err(Challenge::InvalidRequest("there are two Authorization headers"));
    }
    // RFC 9700 §4.3.2: tokens in a URL end up in logs and in Referer headers. Refused aloud, so that nobody relies on it.
    if query.split('&').any(|pair| pair.split('=').next() == Some("access_token")) {
        return Err(Challenge::InvalidRequest(
            "a token belongs into the Authorization header, and only there",
        ));
    }
    let Some(first) = first else {
        return Err(Challenge::NoToken);
    };
    let text =
        first.to_str().map_err(|_| Challenge::InvalidRequest("the Authorization header is not ASCII"))?;
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return Err(Challenge::NoToken);
    }
    let token = token.trim_matches(' ');
    let is_b64token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if token.is_empty() || token.len() > TOKEN_LIMIT_BYTES || !token.bytes().all(is_b64token) {
        return Err(Challenge::InvalidRequest("the Authorization header holds no bearer token"));
    }
    Ok(token)
}

impl Challenge {
    /// The error code of RFC 6750 §3.1.
    fn code(&self) -> Option<&'static str> {
        match self {
            Self::NoToken => None,
            Self::InvalidRequest(_) => Some("invalid_request"),
            Self::Refused(Refusal::KeysUnavailable(_)) => Some("temporarily_unavailable"),
            Self::Refused(_) => Some("invalid_token"),
            Self::InsufficientScope(_) => Some("insufficient_scope"),
        }
    }

    /// The value of `WWW-Authenticate`. The descriptions are ours and hold no quotation marks.
    fn header(&self) -> String {
        let mut header = String::from(r#"Bearer realm="notes""#);
        if let Some(code) = self.code() {
            header += &format!(r#", error="{code}", error_description="{self}""#);
        }
        if let Self::InsufficientScope(scope) = self {
            header += &format!(r#", scope="{scope}""#);
        }
        header
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoToken => out.write_str("an access token is needed"),
            Self::InvalidRequest(why) => out.write_str(why),
            Self::Refused(refusal) => refusal.fmt(out),
            Self::InsufficientScope(scope) => write!(out, "the token lacks the scope {scope}"),
        }
    }
}

impl ResponseError for Challenge {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::InvalidRequest(_) => StatusCode::BAD_REQUEST,
            Self::Refused(Refusal::KeysUnavailable(_)) => StatusCode::SERVICE_UNAVAILABLE,
            Self::NoToken | Self::Refused(_) => StatusCode::UNAUTHORIZED,
            Self::InsufficientScope(_) => StatusCode::FORBIDDEN,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response: HttpResponseBuilder = HttpResponse::build(self.status_code());
        response.insert_header((CACHE_CONTROL, "no-store"));
        if self.status_code() == StatusCode::SERVICE_UNAVAILABLE {
            response.insert_header((RETRY_AFTER, "2"));
        } else {
            response.insert_header((WWW_AUTHENTICATE, self.header()));
        }
        // The body repeats the header for people and for browser apps, which cannot read it from another origin.
        match self.code() {
            Some(code) => response.json(json!({"error": code, "error_description": self.to_string()})),
            None => response.json(json!({"error_description": self.to_string()})),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Challenge, token};
    use crate::verifier::Refusal;
    use actix_web::ResponseError;
    use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderValue, WWW_AUTHENTICATE};

    fn headers(values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn the_scheme_is_read_in_any_case() {
        assert_eq!(token(&headers(&["bEARER a.b.c"]), ""), Ok("a.b.c"));
    }

    #[test]
    fn a_request_without_a_bearer_token_is_only_asked_for_one() {
        for given in [&[][..], &["Basic YTpi"]] {
            let refused = token(&headers(given), "").unwrap_err();
            assert_eq!(refused, Challenge::NoToken);
            let response = refused.error_response();
            assert_eq!(response.status(), 401);
            assert_eq!(response.headers().get(WWW_AUTHENTICATE).unwrap(), r#"Bearer realm="notes""#);
        }
    }

    #[test]
    fn a_token_sent_twice_or_in_the_url_is_a_bad_request() {
        for (given, query) in [
            (&["Bearer a.b.c", "Bearer a.b.c"][..], ""),
            (&["Bearer a.b.c"], "access_token=a.b.c"),
            (&[], "x=1&access_token=a.b.c"),
        ] {
            let refused = token(&headers(given), query).unwrap_err();
            assert!(matches!(refused, Challenge::InvalidRequest(_)), "{given:?} {query}");
            assert_eq!(refused.error_response().status(), 400);
        }
    }

    #[test]
    fn a_token_that_no_token_could_look_like_is_a_bad_request() {
        for given in ["Bearer", "Bearer ", "Bearer a b", "Bearer \"a\""] {
            assert!(matches!(token(&headers(&[given]), ""), Err(Challenge::InvalidRequest(_))), "{given}");
        }
    }

    #[test]
    fn a_refused_token_is_told_why() {
        let response = Challenge::Refused(Refusal::Expired).error_response();
        assert_eq!(response.status(), 401);
        let wanted =
            r#"Bearer realm="notes", error="invalid_token", error_description="the token has expired""#;
        assert_eq!(response.headers().get(WWW_AUTHENTICATE).unwrap(), wanted);
    }

    #[test]
    fn a_lacking_scope_is_named() {
        let response = Challenge::InsufficientScope("notes:write").error_response();
        assert_eq!(response.status(), 403);
        let header = response.headers().get(WWW_AUTHENTICATE).unwrap().to_str().unwrap();
        assert!(
            header.contains(r#"error="insufficient_scope""#) && header.ends_with(r#"scope="notes:write""#)
        );
    }

    #[test]
    fn an_issuer_that_is_down_is_not_the_tokens_fault() {
        let response = Challenge::Refused(Refusal::KeysUnavailable("refused".to_owned())).error_response();
        assert_eq!(response.status(), 503);
        assert!(response.headers().get(WWW_AUTHENTICATE).is_none());
    }
}
