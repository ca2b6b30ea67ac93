//! Which browser apps may call this API (CORS). It guards the user's browser, not the API: the token does that.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, web};

/// Origins, compared as a whole. No `*`, no suffix: `https://app.example.attacker.example` is another site.
pub(crate) struct AllowedOrigins(pub(crate) Vec<String>);

/// Answers preflights and marks the answers that an allowed origin may read.
pub(crate) async fn answer(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let allowed = allowed_origin(&request);
    let is_preflight = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if is_preflight {
        request.into_response(HttpResponse::NoContent())
    } else {
        next.call(request).await?.map_into_boxed_body()
    };

    let headers = response.headers_mut();
    // The answer differs by origin, so a cache must keep them apart.
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        allow(headers, is_preflight);
    }
    Ok(response)
}

/// No `Access-Control-Allow-Credentials`: this API knows tokens, not cookies.
fn allow(headers: &mut HeaderMap, is_preflight: bool) {
    let set: &[(header::HeaderName, &str)] = if is_preflight {
        &[
            (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type"),
            (header::ACCESS_CONTROL_MAX_AGE, "600"),
        ]
    } else {
        &[(header::ACCESS_CONTROL_EXPOSE_HEADERS, "www-authenticate")]
    };
    for (name, value) in set {
        headers.insert(name.clone(), HeaderValue::from_static(value));
    }
}

fn allowed_origin(request: &ServiceRequest) -> Option<HeaderValue> {
    let origin = request.headers().get(header::ORIGIN)?;
    let allowed = &request.app_data::<web::Data<AllowedOrigins>>()?.0;
    allowed.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()).then(|| origin.clone())
}
