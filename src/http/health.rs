//! For load balancers and container engines.

use actix_web::HttpResponse;
use actix_web::web::{self, Data};
use serde_json::json;

use crate::app::App;

/// The process runs and answers.
pub(super) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "live" }))
}

/// The database answers, so requests can be served.
pub(super) async fn ready(app: Data<App>) -> HttpResponse {
    let checked = web::block(move || app.store.ping()).await;
    match checked {
        Ok(Ok(())) => HttpResponse::Ok().json(json!({ "status": "ready" })),
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready");
            HttpResponse::ServiceUnavailable()
                .json(json!({ "status": "unavailable", "database": "unreachable" }))
        }
        Err(_) => HttpResponse::ServiceUnavailable().json(json!({ "status": "unavailable" })),
    }
}
