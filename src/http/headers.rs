//! The headers that answers carry.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder};

use crate::app::App;

/// RFC 6749 §5.1: "The authorization server MUST include the HTTP "Cache-Control" response header field with a value of
/// "no-store" in any response containing tokens, credentials, or other sensitive information, as well as the "Pragma"
/// response header field with a value of "no-cache"."
pub(super) fn no_store(response: &mut HttpResponseBuilder) {
    response
        .insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .insert_header((header::PRAGMA, HeaderValue::from_static("no-cache")))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")));
}

/// What a page may do beyond showing itself.
#[derive(Clone, Copy, Default)]
pub(super) struct Allowed<'a> {
    /// Where a form on it may lead besides this server: see [`sources_of`].
    pub(super) form_to: Option<&'a str>,
    /// The one other origin that it has an image from.
    pub(super) images: Option<&'a str>,
    /// Its one script, by its hash.
    pub(super) script: Option<&'a str>,
    /// The one origin that may frame it. Only for a page on which nothing can be clicked.
    pub(super) framed_by: Option<&'a str>,
}

/// A page without a script that nobody may frame. `form_to` is that of [`Allowed`].
pub(super) fn page(app: &App, status: u16, html: String, form_to: Option<&str>) -> HttpResponse {
    page_that(app, status, html, Allowed { form_to, ..Allowed::default() })
}

/// A page.
///
/// There is no Cross-Origin-Opener-Policy: it would cut the page off from the application that opened it in a popup, which
/// then takes the popup for closed.
pub(super) fn page_that(app: &App, status: u16, html: String, allowed: Allowed<'_>) -> HttpResponse {
    let mut response =
        HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    no_store(&mut response);
    secure(app, &mut response);
    let policy = format!(
        "default-src 'none'; {}style-src 'self'; img-src 'self' data:{}{}; form-action 'self'{}{}; frame-ancestors {}; \
         base-uri 'none'",
        allowed.script.map(|hash| format!("script-src {hash}; ")).unwrap_or_default(),
        if allowed.images.is_some() { " " } else { "" },
        allowed.images.unwrap_or_default(),
        if allowed.form_to.is_some() { " " } else { "" },
        allowed.form_to.unwrap_or_default(),
        allowed.framed_by.unwrap_or("'none'"),
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.insert_header((header::CONTENT_SECURITY_POLICY, policy));
    }
    if allowed.framed_by.is_none() {
        // It knows no single origin: the policy's frame-ancestors is all there is for a page that may be framed.
        response.insert_header((header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")));
    }
    response
        .insert_header((
            HeaderName::from_static("permissions-policy"),
            HeaderValue::from_static("camera=(), geolocation=(), microphone=()"),
        ))
        .content_type("text/html; charset=utf-8")
        .body(html)
}

/// RFC 9700 §4.2.4 and §4.12: nothing in Referer, and 303 so that no browser posts a password on.
pub(super) fn redirect(app: &App, to: &str) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(StatusCode::SEE_OTHER);
    no_store(&mut response);
    secure(app, &mut response);
    response.insert_header((header::LOCATION, to));
    response
}

fn secure(app: &App, response: &mut HttpResponseBuilder) {
    response.insert_header((header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")));
    if app.site.secure {
        response
            .insert_header((header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000")));
    }
}

/// Where a form may lead whose answer is a redirect to `uri`: the schemes of a content security policy.
///
/// Chromium holds every redirect after a POST to `form-action`, also those that the application makes on its own (a broker
/// that goes on to another origin), and a policy cannot name an IPv6 address. So it is the schemes that are named: anywhere
/// by https, and by http or an app's own scheme only where the redirect URI has it.
pub(super) fn sources_of(uri: &str) -> Option<String> {
    let url = url::Url::parse(uri).ok()?;
    match url.scheme() {
        "https" => Some("https:".to_owned()),
        scheme => Some(format!("https: {scheme}:")),
    }
}
