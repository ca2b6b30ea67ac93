//! `POST /revoke` (RFC 7009 §2), for web pages of a client's origins too (§2.3 has JSONP; CORS took its place).

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::app::App;
use crate::flow::client_auth;
use crate::flow::revoke::{self, RevocationRequest};

use super::{client_request, cors, errors, forms, headers, run};

pub(super) async fn post(request: HttpRequest, mut payload: Payload, app: Data<App>) -> HttpResponse {
    let mut asking = None;
    let mut response = match forms::body(&request, &mut payload, &app.site).await {
        Ok(pairs) => match client_request::read(&request, pairs) {
            Ok((params, presented)) => {
                asking = client_auth::asking(&app.known(), &presented, &params);
                let asked = RevocationRequest { params, presented };
                match run::blocking(&request, &app, move |cx| revoke::revoke(cx, &asked)).await {
                    Ok(()) => success(),
                    Err(error) => errors::json(&request, &error),
                }
            }
            Err(error) => errors::json(&request, &error),
        },
        Err(error) => errors::body_json(&request, &error),
    };
    cors::client(&app, &request, asking.as_deref(), &mut response);
    response
}

/// RFC 7009 §2.2: "The content of the response body is ignored by the client as all necessary information is conveyed in
/// the response code."
fn success() -> HttpResponse {
    let mut response = HttpResponse::Ok();
    headers::no_store(&mut response);
    response.finish()
}
