//! What is wrong with a configuration, in words that lead to the place.

use std::fmt;

/// Why a configuration could not be read: everything that was found, not only the first.
#[derive(Clone, Debug)]
pub struct ConfigError {
    /// Never empty.
    pub faults: Vec<Fault>,
}

/// One thing that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file, or the environment variable.
    pub origin: String,
    /// The key with its section, such as `tokens.code_ttl_s`; empty where it is about the whole file.
    pub key: String,
    /// What was expected and what was found.
    pub text: String,
}

/// A rule that a readable configuration breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key with its section, such as `server.issuer` or `clients["notes"].redirect_uris`.
    pub key: String,
    /// What is wrong and what helps.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.text)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.origin)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.text)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, fault) in self.faults.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
