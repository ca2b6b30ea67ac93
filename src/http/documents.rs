//! The public documents, made once per snapshot: they are asked for most, so an answer copies nothing and formats nothing.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use arc_swap::ArcSwapOption;

use crate::app::App;
use crate::flow::Snapshot;

use super::{cors, discovery, jwks};

/// A public JSON document with its headers.
pub(super) struct Document {
    body: Bytes,
    max_age_s: i64,
    cache_control: HeaderValue,
    etag: Option<HeaderValue>,
}

impl Document {
    /// `max_age_s` is how long anybody may cache it.
    pub(super) fn new(body: Vec<u8>, max_age_s: i64, etag: Option<&str>) -> Self {
        Self {
            body: body.into(),
            max_age_s,
            cache_control: public(max_age_s),
            etag: etag.and_then(|etag| etag.parse().ok()),
        }
    }

    /// RFC 9110 §13.1.2: "A recipient MUST use the weak comparison function when comparing entity tags for
    /// If-None-Match": a proxy that compresses makes `W/"…"` of our tag. And `*` is any.
    pub(super) fn is_known_by(&self, request: &HttpRequest) -> bool {
        let Some(etag) = self.etag.as_ref().and_then(|etag| etag.to_str().ok()) else { return false };
        let is_same = |tag: &str| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag;
        let given = request.headers().get_all(header::IF_NONE_MATCH).filter_map(|value| value.to_str().ok());
        given.flat_map(|tags| tags.split(',')).any(|tag| is_same(tag.trim()))
    }

    /// `max_age_s` is how long this answer may be cached: usually what the document was made with.
    pub(super) fn answer(&self, max_age_s: i64) -> HttpResponse {
        let mut response = self.head(StatusCode::OK, self.body.clone(), max_age_s);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }

    pub(super) fn not_modified(&self, max_age_s: i64) -> HttpResponse {
        self.head(StatusCode::NOT_MODIFIED, Bytes::new(), max_age_s)
    }

    fn head(&self, status: StatusCode, body: Bytes, max_age_s: i64) -> HttpResponse {
        let as_made = max_age_s == self.max_age_s;
        let cache_control = if as_made { self.cache_control.clone() } else { public(max_age_s) };
        let mut response = HttpResponse::with_body(status, body).map_into_boxed_body();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, cache_control);
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Some(etag) = &self.etag {
            headers.insert(header::ETAG, etag.clone());
        }
        cors::anyone(&mut response);
        response
    }
}

fn public(max_age_s: i64) -> HeaderValue {
    let no_cache = HeaderValue::from_static("no-cache");
    format!("public, max-age={max_age_s}").try_into().unwrap_or(no_cache)
}

/// Both documents of one snapshot.
pub(super) struct Documents {
    of: Arc<Snapshot>,
    pub(super) metadata: Document,
    pub(super) jwks: Document,
}

/// Keeps the documents until the snapshot changes.
#[derive(Default)]
pub(super) struct Cache(ArcSwapOption<Documents>);

impl Cache {
    pub(super) fn current(&self, app: &App) -> Arc<Documents> {
        let snapshot = app.known();
        if let Some(made) = self.0.load_full()
            && Arc::ptr_eq(&made.of, &snapshot)
        {
            return made;
        }
        let made = Arc::new(Documents {
            metadata: discovery::document(app, &snapshot),
            jwks: jwks::document(app, &snapshot),
            of: snapshot,
        });
        self.0.store(Some(Arc::clone(&made)));
        made
    }
}
