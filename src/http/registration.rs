//! Clients that register themselves and manage that: `POST /register` (RFC 7591 §3), and `GET`, `PUT` and `DELETE` of
//! `/register/{client_id}` (RFC 7592 §2). Where nobody may register there is nothing at these addresses.
//!
//! Any web page may ask here: no cookie counts, and whoever has a token may use it from where they like.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{self, Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse, Route};
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::flow::Cx;
use crate::flow::registration::{self, Answer, Asking, Mode, Refusal};
use crate::oauth::registration::MetadataError;
use crate::oauth::{ErrorCode, OAuthError, strict_json};

use super::{cors, errors, forms, headers, peer, routes, run};

/// The longest registration, in bytes, whatever else this server takes.
const MAX_BODY_BYTES: usize = 65_536;

pub(super) async fn post(request: HttpRequest, mut payload: Payload, app: Data<App>) -> HttpResponse {
    if is_off(&app) {
        return routes::nowhere(request, app).await;
    }
    let token = match bearer(&request) {
        Ok(None) if app.policy.registration.mode == Mode::Token => {
            return readable(refused(&request, &Refusal::NoToken));
        }
        Ok(token) => token,
        Err(error) => return readable(errors::json(&request, &error)),
    };
    let read = match body(&request, &mut payload, &app).await {
        Ok(read) => read,
        Err(response) => return readable(response),
    };
    let asking = Asking { token, peer: peer::address(&request, &app) };
    let done = changing(&request, &app, move |cx| registration::register(cx, &asking, read)).await;
    readable(match done {
        Ok(answer) => said(StatusCode::CREATED, &answer),
        Err(refusal) => refused(&request, &refusal),
    })
}

pub(super) async fn get(request: HttpRequest, client: Path<String>, app: Data<App>) -> HttpResponse {
    if is_off(&app) {
        return routes::nowhere(request, app).await;
    }
    let token = match bearer(&request) {
        Ok(token) => token,
        Err(error) => return readable(errors::json(&request, &error)),
    };
    let id = client.into_inner();
    let done = run::blocking(&request, &app, move |cx| registration::read(cx, &id, token.as_deref())).await;
    readable(match done {
        Ok(answer) => said(StatusCode::OK, &answer),
        Err(refusal) => refused(&request, &refusal),
    })
}

pub(super) async fn put(
    request: HttpRequest,
    client: Path<String>,
    mut payload: Payload,
    app: Data<App>,
) -> HttpResponse {
    if is_off(&app) {
        return routes::nowhere(request, app).await;
    }
    let read = match body(&request, &mut payload, &app).await {
        Ok(read) => read,
        Err(response) => return readable(response),
    };
    let token = match bearer(&request) {
        Ok(token) => token,
        Err(error) => return readable(errors::json(&request, &error)),
    };
    let (id, peer) = (client.into_inner(), peer::address(&request, &app));
    let done =
        changing(&request, &app, move |cx| registration::update(cx, &id, token.as_deref(), read, peer)).await;
    readable(match done {
        Ok(answer) => said(StatusCode::OK, &answer),
        Err(refusal) => refused(&request, &refusal),
    })
}

pub(super) async fn delete(request: HttpRequest, client: Path<String>, app: Data<App>) -> HttpResponse {
    if is_off(&app) {
        return routes::nowhere(request, app).await;
    }
    let token = match bearer(&request) {
        Ok(token) => token,
        Err(error) => return readable(errors::json(&request, &error)),
    };
    let id = client.into_inner();
    let done = changing(&request, &app, move |cx| registration::delete(cx, &id, token.as_deref())).await;
    readable(match done {
        Ok(()) => {
            let mut response = HttpResponse::NoContent();
            headers::no_store(&mut response);
            response.finish()
        }
        Err(refusal) => refused(&request, &refusal),
    })
}

/// The question of a browser before any of these.
pub(super) async fn preflight(request: HttpRequest, app: Data<App>) -> HttpResponse {
    if is_off(&app) {
        return routes::nowhere(request, app).await;
    }
    cors::preflight_of_registration()
}

/// Another method than those that there are: RFC 9110 §15.5.6.
pub(super) fn refuse(allow: &'static str) -> Route {
    web::to(move |request: HttpRequest, app: Data<App>| async move {
        if is_off(&app) { routes::nowhere(request, app).await } else { errors::method_not_allowed(allow) }
    })
}

fn is_off(app: &App) -> bool {
    app.policy.registration.mode == Mode::Off
}

/// A use case that changes clients: this node goes on with the change at once, as the next request may be for it.
async fn changing<T: Send + 'static>(
    request: &HttpRequest,
    app: &Data<App>,
    use_case: impl FnOnce(&Cx) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let node = app.clone();
    run::blocking(request, app, move |cx| {
        let done = use_case(cx)?;
        node.catch_up();
        Ok(done)
    })
    .await
}

async fn body(
    request: &HttpRequest,
    payload: &mut Payload,
    app: &App,
) -> Result<Map<String, Value>, HttpResponse> {
    let bytes =
        forms::json(request, payload, &app.site).await.map_err(|error| errors::body_json(request, &error))?;
    if bytes.len() > MAX_BODY_BYTES {
        return Err(errors::body_json(request, &forms::BodyError::TooLarge(MAX_BODY_BYTES)));
    }
    strict_json::object(&bytes).map_err(|why| {
        // RFC 7591 has no code for what is no metadata at all.
        errors::json(request, &OAuthError::new(ErrorCode::InvalidRequest).describe(why))
    })
}

/// RFC 6750 §2.1. Another scheme than Bearer is no token.
///
/// # Errors
/// `invalid_request` for two headers.
fn bearer(request: &HttpRequest) -> Result<Option<String>, OAuthError> {
    let mut values = request.headers().get_all(header::AUTHORIZATION);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(
            OAuthError::new(ErrorCode::InvalidRequest).describe("the Authorization header is given twice")
        );
    }
    let value = value.to_str().unwrap_or_default();
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    Ok(scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned()))
}

fn said(status: StatusCode, answer: &Answer) -> HttpResponse {
    let mut response = HttpResponse::build(status);
    headers::no_store(&mut response);
    response.json(answer)
}

fn refused(request: &HttpRequest, refusal: &Refusal) -> HttpResponse {
    match refusal {
        Refusal::Metadata(error) => metadata(error),
        Refusal::NoToken => challenge(401, "Bearer realm=\"countersign\"", None),
        Refusal::WrongToken(why) => {
            tracing::info!(path = request.path(), why, "a registration was refused");
            let error = OAuthError::new(ErrorCode::InvalidToken);
            let header = "Bearer realm=\"countersign\", error=\"invalid_token\"";
            challenge(401, header, Some((error.code.as_str(), &error.description)))
        }
        Refusal::SwitchedOff => {
            let header = "Bearer realm=\"countersign\", error=\"insufficient_scope\"";
            challenge(403, header, Some(("insufficient_scope", "the operator has switched this client off")))
        }
        Refusal::Throttled(wait) => {
            let mut response =
                errors::http_json(429, "too many clients were registered from this network, try again later");
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.0.max(1)));
            response
        }
        Refusal::Full => {
            tracing::warn!("no more clients can register: registration.max_clients is reached");
            let error = OAuthError::new(ErrorCode::TemporarilyUnavailable)
                .describe("no more clients can be registered here")
                .because("registration.max_clients is reached");
            errors::json(request, &error)
        }
        Refusal::Failed(error) => errors::json(request, error),
    }
}

/// RFC 7591 §3.2.2: "the authorization server returns an HTTP 400 status code (unless otherwise specified) with content type
/// "application/json"".
fn metadata(error: &MetadataError) -> HttpResponse {
    let mut response = HttpResponse::BadRequest();
    headers::no_store(&mut response);
    response.json(json!({ "error": error.code.as_str(), "error_description": error.description }))
}

/// RFC 6750 §3.
fn challenge(status: u16, header: &'static str, error: Option<(&str, &str)>) -> HttpResponse {
    let mut response = HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::UNAUTHORIZED));
    headers::no_store(&mut response);
    response.insert_header((header::WWW_AUTHENTICATE, header));
    match error {
        Some((code, text)) => response.json(json!({ "error": code, "error_description": text })),
        None => response.finish(),
    }
}

fn readable(mut response: HttpResponse) -> HttpResponse {
    cors::anyone(&mut response);
    response
}
