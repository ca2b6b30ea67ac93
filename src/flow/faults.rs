//! Failures that are not the client's, as errors of the wire.

use crate::base::entropy::EntropyError;
use crate::oauth::{ErrorCode, OAuthError};
use crate::store::StoreError;

/// A database that is down is `temporarily_unavailable`, never "not found".
impl From<StoreError> for OAuthError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable { .. } | StoreError::Serialization => {
                OAuthError::new(ErrorCode::TemporarilyUnavailable).because(error.to_string()).retry_after(1)
            }
            StoreError::Conflict
            | StoreError::Reference
            | StoreError::Impossible(_)
            | StoreError::Entropy => OAuthError::new(ErrorCode::ServerError).because(error.to_string()),
        }
    }
}

impl From<EntropyError> for OAuthError {
    fn from(error: EntropyError) -> Self {
        OAuthError::new(ErrorCode::ServerError).because(error.to_string())
    }
}
