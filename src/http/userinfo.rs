//! `GET /userinfo` and `POST /userinfo` (OpenID Connect Core 1.0 §5.3), for web pages of the client that holds the token too.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::app::App;
use crate::flow::userinfo::{self, Userinfo, UserinfoAnswer};
use crate::oauth::Params;

use super::{bearer, cors, errors, forms, headers, run};

/// The scope without which nothing is told here.
const NEEDED: &str = "openid";

pub(super) async fn get(request: HttpRequest, app: Data<App>) -> HttpResponse {
    answer(request, app, &Params::default()).await
}

/// RFC 6750 §2.2: the token may stand in the body where "the HTTP request entity-header includes the "Content-Type" header
/// field set to "application/x-www-form-urlencoded""; another body is not looked at.
pub(super) async fn post(request: HttpRequest, mut payload: Payload, app: Data<App>) -> HttpResponse {
    if !forms::is_form(&request) {
        return answer(request, app, &Params::default()).await;
    }
    let mut response = match forms::body(&request, &mut payload, &app.site).await.map(Params::collect) {
        Ok(Ok(params)) => return answer(request, app, &params).await,
        Ok(Err(error)) => bearer::refused(&request, &error, NEEDED),
        Err(error) => errors::body_json(&request, &error),
    };
    cors::clients(&app, &request, &mut response);
    response
}

async fn answer(request: HttpRequest, app: Data<App>, form: &Params) -> HttpResponse {
    let token = match bearer::token(&request, form) {
        Ok(Some(token)) => token,
        Ok(None) => return readable(&app, &request, None, bearer::none_shown()),
        Err(error) => {
            let response = bearer::refused(&request, &error, NEEDED);
            return readable(&app, &request, None, response);
        }
    };
    match run::blocking(&request, &app, move |cx| userinfo::userinfo(cx, &token)).await {
        Ok(told) => {
            let client = told.client_id.clone();
            readable(&app, &request, Some(&client), success(told))
        }
        Err(error) => {
            let response = bearer::refused(&request, &error, NEEDED);
            readable(&app, &request, None, response)
        }
    }
}

/// Lets the pages of the client read the answer, those of any client where nobody can say which one asks.
fn readable(
    app: &App,
    request: &HttpRequest,
    client: Option<&str>,
    mut response: HttpResponse,
) -> HttpResponse {
    let snapshot = app.known();
    let known = client.and_then(|id| snapshot.client(id));
    cors::client(app, request, known.map(|known| &*known.client), &mut response);
    response
}

/// OpenID Connect Core §5.3.2: "the content type of the HTTP response MUST be application/json if the response body is a text
/// JSON object" and application/jwt otherwise.
fn success(told: Userinfo) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    headers::no_store(&mut response);
    match told.answer {
        UserinfoAnswer::Json(claims) => response.json(claims),
        UserinfoAnswer::Jwt(jwt) => response.content_type("application/jwt").body(jwt),
    }
}
