//! What is remembered: states as enums that carry their dates, transitions that can refuse.

pub mod key;

pub use key::{KeyState, SigningKeyRecord};

/// A column holds what the code that wrote it could not have written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImpossibleRow {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The row's key; never a secret.
    pub id: String,
    /// What is wrong with it.
    pub text: String,
}
