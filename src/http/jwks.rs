//! The public keys (RFC 7517 §5). Bytes made once per change.

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use crate::app::App;

use super::cors;

/// `Cache-Control` is what the life of a key is planned by: a new key signs only when every cache that keeps to it has
/// the key.
pub(super) async fn get(request: HttpRequest, app: Data<App>) -> HttpResponse {
    let snapshot = app.known();
    let etag = snapshot.keys.etag();
    let known = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let unchanged = known.is_some_and(|tags| tags.split(',').any(|tag| tag.trim() == etag));
    let mut response = if unchanged { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((header::CACHE_CONTROL, format!("public, max-age={}", app.site.jwks_max_age.0)))
        .insert_header((header::ETAG, etag))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
    let mut response = if unchanged {
        response.finish()
    } else {
        response.content_type(header::ContentType::json()).body(snapshot.keys.jwks_json().to_vec())
    };
    cors::anyone(&mut response);
    response
}
