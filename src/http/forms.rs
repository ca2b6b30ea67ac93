//! `application/x-www-form-urlencoded`, read strictly: no bad escape, no broken UTF-8, no body too long.
//!
//! RFC 6749 §3.2 and Appendix B. Lenient decoders turn `%zz` into something; what two parties read differently, one of
//! them can be fooled with.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::Poll;

use actix_web::HttpRequest;
use actix_web::http::header;
use actix_web::rt::time::timeout;
use actix_web::web::Payload;
use futures_util::StreamExt as _;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::app::Site;
use crate::oauth::{ErrorCode, OAuthError};

const FORM: &str = "application/x-www-form-urlencoded";
const NO_FORM: &str = "the body must be application/x-www-form-urlencoded";

/// A name, and its value where that can be read.
pub(super) type ReadPair = (String, Result<String, OAuthError>);

/// Why a body was not read.
pub(super) enum BodyError {
    /// It is longer than the limit, in bytes.
    TooLarge(usize),
    /// It did not come in time.
    TooSlow,
    /// It is not of the kind that is read here.
    Refused(OAuthError),
}

/// The decoded pairs of a posted form. Whoever sends it drop by drop is not waited for: each open body costs memory.
pub(super) async fn body(
    request: &HttpRequest,
    payload: &mut Payload,
    site: &Site,
) -> Result<Vec<(String, String)>, BodyError> {
    if !is_form(request) {
        return Err(BodyError::Refused(refused(NO_FORM)));
    }
    let bytes = in_time(request, payload, site).await?;
    let text =
        std::str::from_utf8(&bytes).map_err(|_| BodyError::Refused(refused("the body is not UTF-8")))?;
    pairs(text).map_err(BodyError::Refused)
}

/// The pairs of a posted form, the malformed values among them too: see [`read_pairs`].
pub(super) async fn read_body(
    request: &HttpRequest,
    payload: &mut Payload,
    site: &Site,
) -> Result<Vec<ReadPair>, BodyError> {
    if !is_form(request) {
        return Err(BodyError::Refused(refused(NO_FORM)));
    }
    read_pairs(&in_time(request, payload, site).await?).map_err(BodyError::Refused)
}

/// A body that says it is JSON, within the same limits.
pub(super) async fn json(
    request: &HttpRequest,
    payload: &mut Payload,
    site: &Site,
) -> Result<Zeroizing<Vec<u8>>, BodyError> {
    if !is_of_type(request, "application/json") {
        return Err(BodyError::Refused(refused("the body must be application/json")));
    }
    in_time(request, payload, site).await
}

async fn in_time(
    request: &HttpRequest,
    payload: &mut Payload,
    site: &Site,
) -> Result<Zeroizing<Vec<u8>>, BodyError> {
    let mut read = pin!(read(request, payload, site.max_body_bytes));
    // Nearly every body came with its head: no timer for those.
    match poll_fn(|cx| Poll::Ready(read.as_mut().poll(cx))).await {
        Poll::Ready(bytes) => bytes,
        Poll::Pending => timeout(site.body_timeout, read).await.unwrap_or(Err(BodyError::TooSlow)),
    }
}

async fn read(
    request: &HttpRequest,
    payload: &mut Payload,
    max_bytes: usize,
) -> Result<Zeroizing<Vec<u8>>, BodyError> {
    let announced =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > max_bytes as u64) {
        return Err(BodyError::TooLarge(max_bytes));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| BodyError::Refused(refused("the body ended too early")))?;
        if bytes.len() + chunk.len() > max_bytes {
            return Err(BodyError::TooLarge(max_bytes));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Whether the body says that it is a form.
pub(super) fn is_form(request: &HttpRequest) -> bool {
    is_of_type(request, FORM)
}

fn is_of_type(request: &HttpRequest, wanted: &str) -> bool {
    let Some(value) = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok())
    else {
        return false;
    };
    let mut parts = value.split(';').map(str::trim);
    let is_wanted = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case(wanted));
    // RFC 6749 Appendix B: the only charset is UTF-8; and so it is with JSON.
    is_wanted
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
                value.trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            _ => true,
        })
}

/// The decoded pairs of a query or a form.
pub(super) fn pairs(text: &str) -> Result<Vec<(String, String)>, OAuthError> {
    read_pairs(text.as_bytes())?.into_iter().map(|(name, value)| Ok((name, value?))).collect()
}

/// The decoded pairs of a query or a form in which a malformed value is one parameter's fault. The authorization endpoint
/// needs them: RFC 6749 §4.1.2.1 has the client told, where `client_id` and `redirect_uri` are sound.
pub(super) fn read_pairs(text: &[u8]) -> Result<Vec<ReadPair>, OAuthError> {
    text.split(|byte| *byte == b'&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let mut halves = part.splitn(2, |byte| *byte == b'=');
            let name = decode_bytes(halves.next().unwrap_or_default())?;
            Ok((name, decode_bytes(halves.next().unwrap_or_default())))
        })
        .collect()
}

/// The address of one of our own paths with these parameters: a posted form as a GET.
pub(super) fn address(site: &Site, path: &str, pairs: &[(String, String)]) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let query: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{}{path}{mark}{}", site.base, query.join("&"))
}

/// One name or value: `+` is a blank, `%` must lead two hexadecimal digits, and the whole must be UTF-8.
pub(super) fn decode(text: &str) -> Result<String, OAuthError> {
    decode_bytes(text.as_bytes())
}

fn decode_bytes(text: &[u8]) -> Result<String, OAuthError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter().copied();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = (rest.next().and_then(hex), rest.next().and_then(hex));
                let (Some(high), Some(low)) = digits else {
                    return Err(refused("a percent sign is not followed by two hexadecimal digits"));
                };
                bytes.push(high << 4 | low);
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).map_err(|_| refused("a parameter is not UTF-8"))
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

fn refused(text: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest).describe(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read_to_the_letter() {
        assert_eq!(decode("a+b%20c%2B").unwrap(), "a b c+");
        assert_eq!(decode("%C3%A9").unwrap(), "é");
        for text in ["%", "%2", "%zz", "%C3", "%ED%A0%80", "%+1"] {
            assert!(decode(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_name_without_a_value_is_an_empty_value() {
        assert_eq!(
            pairs("a&b=&&c=1=2").unwrap(),
            [("a", ""), ("b", ""), ("c", "1=2")].map(|(n, v)| (n.into(), v.into()))
        );
    }
}
