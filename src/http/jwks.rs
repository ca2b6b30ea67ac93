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
    let unchanged = request
        .headers()
        .get_all(header::IF_NONE_MATCH)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|tags| tags.split(','))
        .any(|tag| is_same(tag.trim(), etag));
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

/// RFC 9110 §13.1.2: "A recipient MUST use the weak comparison function when comparing entity tags for If-None-Match": a
/// proxy that compresses makes `W/"…"` of our tag. And `*` is any.
fn is_same(tag: &str, etag: &str) -> bool {
    tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag
}
