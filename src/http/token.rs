//! `POST /token` (RFC 6749 §3.2).

use actix_web::http::header::ContentType;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::app::App;
use crate::flow::token::{self, TokenRequest};
use crate::oauth::token_response::TokenResponse;
use crate::oauth::{ErrorCode, OAuthError, Params};

use super::{cors, credentials, errors, forms, headers, peer, run};

pub(super) async fn post(request: HttpRequest, mut payload: Payload, app: Data<App>) -> HttpResponse {
    let mut response = match forms::body(&request, &mut payload, &app.site).await {
        Ok(pairs) => match answer(&request, pairs, &app).await {
            Ok(tokens) => success(&tokens),
            Err(error) => errors::json(&request, &error),
        },
        Err(error) => errors::body_json(&request, &error),
    };
    cors::clients(&app, &request, &mut response);
    response
}

async fn answer(
    http: &HttpRequest,
    pairs: Vec<(String, String)>,
    app: &Data<App>,
) -> Result<TokenResponse, OAuthError> {
    // RFC 6749 §2.3.1: "The parameters can only be transmitted in the request-body and MUST NOT be included in the
    // request URI."
    if !http.query_string().is_empty() {
        return Err(OAuthError::new(ErrorCode::InvalidRequest)
            .describe("parameters belong in the body, not in the URI"));
    }
    let request = TokenRequest {
        params: Params::collect(pairs)?,
        presented: credentials::presented(http)?,
        peer: peer::address(http, app),
    };
    if let Some(cx) = app.fresh_cx()
        && token::is_light(&cx.snapshot, &cx.policy, &request)
    {
        return token::token(&cx, &request);
    }
    run::blocking(http, app, move |cx| token::token(cx, &request)).await
}

fn success(tokens: &TokenResponse) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    headers::no_store(&mut response);
    // Most answers fit without growing.
    let mut body = Vec::with_capacity(2048);
    match serde_json::to_writer(&mut body, tokens) {
        Ok(()) => response.content_type(ContentType::json()).body(body),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}
