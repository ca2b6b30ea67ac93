//! A name for each request, on error pages and in the log.

use std::sync::atomic::{AtomicU32, Ordering};

use actix_web::{HttpMessage as _, HttpRequest};

static COUNT: AtomicU32 = AtomicU32::new(0);

#[derive(Clone)]
struct RequestId(String);

/// The id of a request; given when first asked for, since most requests never need one.
pub(super) fn of(request: &HttpRequest) -> String {
    if let Some(known) = request.extensions().get::<RequestId>() {
        return known.0.clone();
    }
    let id = format!("{:x}-{:x}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    request.extensions_mut().insert(RequestId(id.clone()));
    id
}
