//! What can go wrong with the database, sorted by what follows from it.

use std::fmt;

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::base::entropy::EntropyError;
use crate::domain::ImpossibleRow;

/// A failure of the store. Never "not found": that is an `Ok(None)`.
#[derive(Debug)]
pub enum StoreError {
    /// The database cannot be reached or cannot work; trying again later may help.
    Unavailable {
        /// Which use case.
        name: &'static str,
        /// For the log.
        text: String,
    },
    /// A row with this key is there already.
    Conflict,
    /// A row that this one needs is not there (any more).
    Reference,
    /// PostgreSQL asks to run the transaction again.
    Serialization,
    /// A row that no code of ours could have written.
    Impossible(ImpossibleRow),
    /// No randomness for a new identifier.
    Entropy,
}

impl StoreError {
    pub(super) fn unavailable(name: &'static str, cause: &dyn fmt::Display) -> Self {
        // libpq's words have several lines; a log's entry has one.
        let text = cause.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        Self::Unavailable { name, text }
    }

    pub(super) fn within(self, use_case: &'static str) -> Self {
        match self {
            Self::Unavailable { text, .. } => Self::Unavailable { name: use_case, text },
            other => other,
        }
    }
}

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => Self::Conflict,
            DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _) => Self::Reference,
            DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => Self::Serialization,
            // PostgreSQL reports a deadlock under `Unknown`, by text only.
            DieselError::DatabaseError(_, info) if info.message().contains("deadlock detected") => {
                Self::Serialization
            }
            other => Self::unavailable("", &other),
        }
    }
}

impl From<ImpossibleRow> for StoreError {
    fn from(row: ImpossibleRow) -> Self {
        Self::Impossible(row)
    }
}

impl From<EntropyError> for StoreError {
    fn from(_: EntropyError) -> Self {
        Self::Entropy
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable { name: "", text } => write!(f, "database unavailable: {text}"),
            Self::Unavailable { name, text } => write!(f, "database unavailable ({name}): {text}"),
            Self::Conflict => f.write_str("a row with this key exists already"),
            Self::Reference => f.write_str("a row that this one needs does not exist"),
            Self::Serialization => f.write_str("the database kept asking for a retry"),
            Self::Impossible(row) => row.fmt(f),
            Self::Entropy => EntropyError.fmt(f),
        }
    }
}

impl std::error::Error for StoreError {}
