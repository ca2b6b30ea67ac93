//! `POST /token` (RFC 6749 §3.2).

use actix_web::http::header::ContentType;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::app::App;
use crate::flow::client_auth;
use crate::flow::token::{self, FromPage, TokenRequest};
use crate::oauth::token_response::TokenResponse;
use crate::oauth::{GrantType, OAuthError};

use super::{browser, client_request, cors, errors, forms, headers, peer, run};

pub(super) async fn post(request: HttpRequest, mut payload: Payload, app: Data<App>) -> HttpResponse {
    let mut asking = None;
    let mut response = match forms::body(&request, &mut payload, &app.site).await {
        Ok(pairs) => match read(&request, pairs, &app) {
            Ok(asked) => {
                asking = client_auth::asking(&app.known(), &asked.presented, &asked.params);
                match answer(&request, asked, &app).await {
                    Ok(tokens) => success(&tokens),
                    Err(error) => errors::json(&request, &error),
                }
            }
            Err(error) => errors::json(&request, &error),
        },
        Err(error) => errors::body_json(&request, &error),
    };
    cors::token(&app, &request, asking.as_deref(), &mut response);
    response
}

fn read(
    http: &HttpRequest,
    pairs: Vec<(String, String)>,
    app: &Data<App>,
) -> Result<TokenRequest, OAuthError> {
    let (params, presented) = client_request::read(http, pairs)?;
    // No other grant counts on a cookie.
    let page = match params.get("grant_type") {
        Some(grant) if grant == GrantType::Session.as_str() => browser::from_page(http, app),
        _ => FromPage::default(),
    };
    Ok(TokenRequest { params, presented, peer: peer::address(http, app), page })
}

async fn answer(
    http: &HttpRequest,
    request: TokenRequest,
    app: &Data<App>,
) -> Result<TokenResponse, OAuthError> {
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
