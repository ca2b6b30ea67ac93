//! From async to blocking and back: one hop for a whole use case, or none.

use actix_web::HttpRequest;
use actix_web::web::{self, Data};

use crate::app::App;
use crate::flow::Cx;
use crate::oauth::{ErrorCode, OAuthError};

use super::request_id;

/// Runs a use case in the pool, where it may wait for the database. What it logs stands under the request's id.
///
/// # Errors
/// Those of the use case; `temporarily_unavailable` when clients and keys cannot be read.
pub(super) async fn blocking<T: Send + 'static, E: From<OAuthError> + Send + 'static>(
    request: &HttpRequest,
    app: &Data<App>,
    use_case: impl FnOnce(&Cx) -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    let app = app.clone();
    let span = tracing::info_span!("request", id = %request_id::of(request));
    let done = web::block(move || span.in_scope(|| use_case(&app.refreshed_cx()?))).await;
    done.unwrap_or_else(|_| {
        Err(OAuthError::new(ErrorCode::ServerError).because("the use case was cut off").into())
    })
}
