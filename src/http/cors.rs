//! Which web pages may read an answer (Fetch standard §3.2). No answer here is given by cookie, so nothing is allowed with
//! credentials.

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::app::App;

/// Public documents: everybody may read them.
pub(super) fn anyone(response: &mut HttpResponse) {
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
}

/// The token endpoint: pages of the origins that a client's redirect URIs name.
pub(super) fn clients(app: &App, request: &HttpRequest, response: &mut HttpResponse) {
    let Some(origin) = request.headers().get(header::ORIGIN) else { return };
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Origin"));
    if origin.to_str().is_ok_and(|origin| app.known().is_client_origin(origin)) {
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    }
}

/// The question before a token request with an Authorization header.
pub(super) async fn preflight(request: HttpRequest, app: web::Data<App>) -> HttpResponse {
    let mut response = allowing("POST");
    clients(&app, &request, &mut response);
    response
}

/// The question before a public document, which a page's own headers make a browser ask.
pub(super) async fn preflight_of_anyone() -> HttpResponse {
    let mut response = allowing("GET");
    anyone(&mut response);
    response
}

fn allowing(method: &'static str) -> HttpResponse {
    HttpResponse::NoContent()
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, method))
        .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, cache-control, content-type"))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, 3600))
        .finish()
}
