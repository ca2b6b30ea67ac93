//! From async to blocking and back: one hop for a whole use case, or none.

use actix_web::web::{self, Data};

use crate::app::App;
use crate::flow::Cx;
use crate::oauth::{ErrorCode, OAuthError};

/// Runs a use case in the pool, where it may wait for the database.
///
/// # Errors
/// Those of the use case; `temporarily_unavailable` when clients and keys cannot be read.
pub(super) async fn blocking<T: Send + 'static, E: From<OAuthError> + Send + 'static>(
    app: &Data<App>,
    use_case: impl FnOnce(&Cx) -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    let app = app.clone();
    let done = web::block(move || use_case(&app.refreshed_cx()?)).await;
    done.unwrap_or_else(|_| {
        Err(OAuthError::new(ErrorCode::ServerError).because("the use case was cut off").into())
    })
}
