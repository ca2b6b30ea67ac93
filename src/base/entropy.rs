//! The only place that draws randomness.

use std::fmt;

/// Where random bytes come from: the operating system, or a test.
pub trait Entropy: Send + Sync {
    /// Fills `buffer` with bytes that nobody can predict.
    ///
    /// # Errors
    /// When the operating system has none; the request then fails, it never goes on with weak bytes.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError>;
}

/// The operating system could give no randomness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntropyError;

impl fmt::Display for EntropyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the operating system gave no randomness")
    }
}

impl std::error::Error for EntropyError {}

/// `getrandom(2)` or its like.
#[derive(Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that the rule leads to")]
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        getrandom::fill(buffer).map_err(|_| EntropyError)
    }
}

/// An array of random bytes.
///
/// # Errors
/// When the source has none.
pub fn bytes<const N: usize>(source: &dyn Entropy) -> Result<[u8; N], EntropyError> {
    let mut buffer = [0; N];
    source.fill(&mut buffer)?;
    Ok(buffer)
}
