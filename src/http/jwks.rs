//! The public keys (RFC 7517 §5). Bytes made once per change; how long they may be cached is reckoned for each answer.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use crate::app::App;
use crate::flow::Snapshot;

use super::documents::{Cache, Document};

pub(super) async fn get(request: HttpRequest, app: Data<App>, cache: Data<Cache>) -> HttpResponse {
    let jwks = &cache.current(&app).jwks;
    let max_age_s = app.jwks_max_age().0;
    if jwks.is_known_by(&request) {
        return jwks.not_modified(max_age_s);
    }
    jwks.answer(max_age_s)
}

/// `Cache-Control` is what the life of a key is planned by: a new key signs only when every cache that keeps to it has
/// the key.
pub(super) fn document(app: &App, snapshot: &Snapshot) -> Document {
    let keys = &snapshot.keys;
    Document::new(keys.jwks_json().to_vec(), app.site.jwks_max_age.0, Some(keys.etag()))
}
