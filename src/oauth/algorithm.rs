//! placeholder
use std::{fmt, str::FromStr};
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SigningAlgorithm {
    Es256,
}
impl FromStr for SigningAlgorithm {
    type Err = String;
    fn from_str(_: &str) -> Result<Self, String> {
        Ok(Self::Es256)
    }
}
impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ES256")
    }
}
