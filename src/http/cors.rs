//! Which web pages may read an answer (Fetch standard §3.2): public documents all, answers to a client the pages of its
//! registered origins. Credentials (the session cookie) go along for the token endpoint alone, and for pages of clients
//! that are marked for the session grant.

use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::app::App;
use crate::domain::Client;
use crate::oauth::GrantType;

/// The header that marks a request of the session grant: no page can set it without a preflight, not even by a form.
pub(super) const SESSION_HEADER: HeaderName = HeaderName::from_static("countersign-session");

/// Public documents: everybody may read them.
pub(super) fn anyone(response: &mut HttpResponse) {
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
}

/// Pages of any client: where nobody can say (yet) which one asks.
pub(super) fn clients(app: &App, request: &HttpRequest, response: &mut HttpResponse) {
    allow(request, response, |origin| app.known().is_client_origin(origin));
}

/// Pages of the client that asks; of any client where the request does not say which, so that its developer can read why.
pub(super) fn client(app: &App, request: &HttpRequest, client: Option<&Client>, response: &mut HttpResponse) {
    match client {
        Some(client) => allow(request, response, |origin| client.has_origin(origin)),
        None => clients(app, request, response),
    }
}

/// The token endpoint: as [`client`], and with the session cookie for clients of the session grant.
pub(super) fn token(app: &App, request: &HttpRequest, asking: Option<&Client>, response: &mut HttpResponse) {
    client(app, request, asking, response);
    with_credentials(response, |origin| match asking {
        Some(client) => client.may(GrantType::Session),
        None => app.known().is_session_origin(origin),
    });
}

/// The question before a request of a client. It does not say of which one.
pub(super) async fn preflight(request: HttpRequest, app: web::Data<App>) -> HttpResponse {
    let mut response = allowing("POST");
    clients(&app, &request, &mut response);
    response
}

/// The same before a token request.
pub(super) async fn preflight_of_token(request: HttpRequest, app: web::Data<App>) -> HttpResponse {
    let mut response = allowing("POST");
    clients(&app, &request, &mut response);
    if with_credentials(&mut response, |origin| app.known().is_session_origin(origin)) {
        let names =
            HeaderValue::from_static("authorization, cache-control, content-type, countersign-session");
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names);
    }
    response
}

/// The question before a userinfo request.
pub(super) async fn preflight_of_userinfo(request: HttpRequest, app: web::Data<App>) -> HttpResponse {
    let mut response = allowing("GET, POST");
    clients(&app, &request, &mut response);
    response
}

/// The question before a public document, which a page's own headers make a browser ask.
pub(super) async fn preflight_of_anyone() -> HttpResponse {
    let mut response = allowing("GET");
    anyone(&mut response);
    response
}

/// The question before a registration, or a change of one.
pub(super) fn preflight_of_registration() -> HttpResponse {
    let mut response = allowing("GET, POST, PUT, DELETE");
    anyone(&mut response);
    response
}

fn allow(request: &HttpRequest, response: &mut HttpResponse, is_allowed: impl FnOnce(&str) -> bool) {
    let Some(origin) = request.headers().get(header::ORIGIN) else { return };
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Origin"));
    if origin.to_str().is_ok_and(is_allowed) {
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    }
}

/// Lets the cookie go along where the origin that may read the answer may do that too. Tells whether it may.
fn with_credentials(response: &mut HttpResponse, is_allowed: impl FnOnce(&str) -> bool) -> bool {
    let origin = response.headers().get(header::ACCESS_CONTROL_ALLOW_ORIGIN);
    let is_allowed = origin.and_then(|origin| origin.to_str().ok()).is_some_and(is_allowed);
    if is_allowed {
        let yes = HeaderValue::from_static("true");
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
    }
    is_allowed
}

fn allowing(method: &'static str) -> HttpResponse {
    HttpResponse::NoContent()
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, method))
        .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, cache-control, content-type"))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, 3600))
        .finish()
}
