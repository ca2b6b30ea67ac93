//! `POST /introspect` (RFC 7662 §2). No CORS: what may ask here keeps a secret, and a web page does not.

use actix_web::http::header::ContentType;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::app::App;
use crate::flow::introspect::{self, IntrospectionAnswer, IntrospectionRequest};
use crate::oauth::OAuthError;
use crate::oauth::introspection::SIGNED;

use super::{accept, client_request, errors, forms, headers, run};

pub(super) async fn post(request: HttpRequest, mut payload: Payload, app: Data<App>) -> HttpResponse {
    match forms::body(&request, &mut payload, &app.site).await {
        Ok(pairs) => match answer(&request, pairs, &app).await {
            Ok(said) => success(said),
            Err(error) => errors::json(&request, &error),
        },
        Err(error) => errors::body_json(&request, &error),
    }
}

async fn answer(
    http: &HttpRequest,
    pairs: Vec<(String, String)>,
    app: &Data<App>,
) -> Result<IntrospectionAnswer, OAuthError> {
    let (params, presented) = client_request::read(http, pairs)?;
    let request = IntrospectionRequest { params, presented, signed: accept::wants(http, SIGNED) };
    run::blocking(http, app, move |cx| introspect::introspect(cx, &request)).await
}

fn success(said: IntrospectionAnswer) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    headers::no_store(&mut response);
    match said {
        IntrospectionAnswer::Plain(said) => response.insert_header(ContentType::json()).json(said),
        IntrospectionAnswer::Signed(jwt) => response.content_type(SIGNED).body(jwt),
    }
}
