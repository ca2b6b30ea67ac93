//! How a refusal looks: JSON (RFC 6749 §5.2), a redirect (made in `flow::authorize::reply`), or a page. The code fixes the
//! status; the endpoint fixes the form.

use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde::Serialize;

use crate::app::App;
use crate::flow::authorize::{TicketError, Unproven};
use crate::oauth::{ErrorCode, OAuthError};

use super::forms::BodyError;
use super::pages::{ErrorKind, ErrorPage, choose};
use super::{headers, request_id};

#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    error_description: &'a str,
}

/// RFC 6749 §5.2: an error of the token endpoint. Logged with the operator's text under the request's id.
pub(super) fn json(request: &HttpRequest, error: &OAuthError) -> HttpResponse {
    log(request, error);
    let mut response = builder(error.code.status());
    if error.code == ErrorCode::InvalidClient {
        // RFC 6749 §5.2: "the authorization server MUST respond with an HTTP 401 (Unauthorized) status code and include
        // the "WWW-Authenticate" response header field matching the authentication scheme used by the client."
        response.insert_header((header::WWW_AUTHENTICATE, "Basic realm=\"countersign\", charset=\"UTF-8\""));
    }
    if let Some(seconds) = error.retry_after_s {
        response.insert_header((header::RETRY_AFTER, seconds.max(1)));
    }
    response.json(Body { error: error.code.as_str(), error_description: &error.description })
}

/// Refusals of HTTP itself, at an endpoint that speaks JSON.
pub(super) fn http_json(status: u16, description: &str) -> HttpResponse {
    builder(status).json(Body { error: ErrorCode::InvalidRequest.as_str(), error_description: description })
}

/// A refusal that says all by its status and headers.
pub(super) fn empty(status: u16) -> HttpResponse {
    builder(status).finish()
}

pub(super) fn method_not_allowed(allow: &'static str) -> HttpResponse {
    let mut response = http_json(405, &format!("this address takes {allow} only"));
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    response
}

fn builder(status: u16) -> HttpResponseBuilder {
    let mut response =
        HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    headers::no_store(&mut response);
    response
}

/// A page on its way.
pub(super) struct Page(HttpResponse);

impl Page {
    pub(super) fn with_allow(mut self, allow: &'static str) -> HttpResponse {
        self.0.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
        self.0
    }
}

impl From<Page> for HttpResponse {
    fn from(page: Page) -> Self {
        page.0
    }
}

/// An error page.
pub(super) fn page(
    request: &HttpRequest,
    app: &App,
    kind: ErrorKind,
    status: u16,
    code: &str,
    detail: &str,
) -> Page {
    let accept = request.headers().get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let id = request_id::of(request);
    let html = ErrorPage {
        lang: choose(None, accept),
        base: &app.site.base,
        service: &app.site.service,
        status,
        kind,
        code,
        detail,
        request_id: &id,
    }
    .render();
    Page(headers::page(app, status, html, None))
}

/// A body that was not read, at an endpoint that speaks JSON.
pub(super) fn body_json(request: &HttpRequest, error: &BodyError) -> HttpResponse {
    match error {
        BodyError::Refused(error) => json(request, error),
        BodyError::TooLarge(limit) => http_json(413, &format!("the body is longer than {limit} bytes")),
        BodyError::TooSlow => closing(http_json(408, TOO_SLOW)),
    }
}

/// A body that was not read, at an endpoint that speaks HTML.
pub(super) fn body_page(request: &HttpRequest, app: &App, error: &BodyError) -> HttpResponse {
    match error {
        BodyError::Refused(error) => oauth_page(request, app, None, error),
        BodyError::TooLarge(limit) => {
            let text = format!("the body is longer than {limit} bytes");
            page(request, app, ErrorKind::TooLarge, 413, "invalid_request", &text).into()
        }
        BodyError::TooSlow => {
            closing(page(request, app, ErrorKind::BadRequest, 408, "invalid_request", TOO_SLOW).into())
        }
    }
}

const TOO_SLOW: &str = "the body did not come in time";

/// RFC 9110 §15.5.9: "If the client has an outstanding request in transit, it MAY repeat that request on a new connection":
/// this one is of no more use.
fn closing(mut response: HttpResponse) -> HttpResponse {
    response.head_mut().set_connection_type(ConnectionType::Close);
    response
}

/// An error of OAuth where there is nobody to redirect to.
pub(super) fn oauth_page(
    request: &HttpRequest,
    app: &App,
    kind: Option<ErrorKind>,
    error: &OAuthError,
) -> HttpResponse {
    log(request, error);
    let kind = kind.unwrap_or(match error.code {
        ErrorCode::TemporarilyUnavailable => ErrorKind::Unavailable,
        ErrorCode::ServerError => ErrorKind::Internal,
        _ => ErrorKind::BadRequest,
    });
    let mut response: HttpResponse =
        page(request, app, kind, error.code.status(), error.code.as_str(), &error.description).into();
    if let Some(seconds) = error.retry_after_s {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    }
    response
}

/// A request that cannot be answered by redirect.
pub(super) fn unproven(request: &HttpRequest, app: &App, refusal: &Unproven) -> HttpResponse {
    let kind = match refusal {
        Unproven::Client(_) => ErrorKind::UnknownClient,
        Unproven::RedirectUri(_) => ErrorKind::RedirectUri,
        Unproven::Malformed(_) => ErrorKind::BadRequest,
    };
    oauth_page(request, app, Some(kind), refusal.error())
}

/// A page's ticket that does not count (any more).
pub(super) fn ticket(request: &HttpRequest, app: &App, error: &TicketError) -> HttpResponse {
    let (kind, text) = match error {
        TicketError::Failed(error) => return oauth_page(request, app, None, error),
        TicketError::Expired => (ErrorKind::Expired, "the page lay open for too long, or the session ended"),
        TicketError::OtherBrowser => (
            ErrorKind::OtherBrowser,
            "the cookie that ties this page to its browser is missing or another one: cookies are off, the address was \
             opened in another browser, or the application began at another host name (localhost and 127.0.0.1 are two)",
        ),
        TicketError::Used => {
            (ErrorKind::AlreadyUsed, "this page was answered before; go back to the application")
        }
        TicketError::Malformed => {
            (ErrorKind::BadRequest, "request is missing or is not one that this server made")
        }
    };
    page(request, app, kind, 400, "invalid_request", text).into()
}

fn log(request: &HttpRequest, error: &OAuthError) {
    let id = request_id::of(request);
    let (code, description, why) = (error.code.as_str(), &error.description, &error.operator);
    if error.code.status() >= 500 {
        tracing::error!(request = %id, path = request.path(), code, %description, %why, "failed");
    } else {
        tracing::info!(request = %id, path = request.path(), code, %description, %why, "refused");
    }
}
