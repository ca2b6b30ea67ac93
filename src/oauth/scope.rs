//! `scope` (RFC 6749 §3.3): a list of blank-separated, case-sensitive strings whose order does not matter.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One scope value: `1*( %x21 / %x23-5B / %x5D-7E )`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ScopeToken(String);

/// The longest scope value, in bytes.
pub const MAX_SCOPE_TOKEN_BYTES: usize = 128;

impl ScopeToken {
    /// As it stands on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ScopeToken {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = |b: u8| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        if text.is_empty() || text.len() > MAX_SCOPE_TOKEN_BYTES || !text.bytes().all(allowed) {
            return Err(format!(
                "a scope value has 1 to {MAX_SCOPE_TOKEN_BYTES} visible ASCII characters, no quote and no backslash"
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for ScopeToken {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<ScopeToken> for String {
    fn from(token: ScopeToken) -> String {
        token.0
    }
}

impl fmt::Display for ScopeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A set of scope values that keeps the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scope(Vec<ScopeToken>);

impl Scope {
    /// The values.
    pub fn iter(&self) -> impl Iterator<Item = &ScopeToken> {
        self.0.iter()
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `value` is in the set.
    #[must_use]
    pub fn contains(&self, value: &str) -> bool {
        self.0.iter().any(|token| token.as_str() == value)
    }

    /// Whether every value is in `other` too.
    #[must_use]
    pub fn is_within(&self, other: &Scope) -> bool {
        self.0.iter().all(|token| other.contains(token.as_str()))
    }

    /// The values that `keep` says yes to.
    #[must_use]
    pub fn filter(&self, keep: impl Fn(&str) -> bool) -> Scope {
        Scope(self.0.iter().filter(|token| keep(token.as_str())).cloned().collect())
    }

    /// Both sets together.
    #[must_use]
    pub fn union(&self, other: &Scope) -> Scope {
        self.0.iter().chain(&other.0).cloned().collect()
    }
}

impl FromIterator<ScopeToken> for Scope {
    fn from_iter<I: IntoIterator<Item = ScopeToken>>(values: I) -> Self {
        let mut set: Vec<ScopeToken> = Vec::new();
        for value in values {
            if !set.contains(&value) {
                set.push(value);
            }
        }
        Self(set)
    }
}

impl FromStr for Scope {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        text.split(' ').filter(|part| !part.is_empty()).map(str::parse).collect()
    }
}

impl TryFrom<String> for Scope {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> String {
        scope.to_string()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, token) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            f.write_str(token.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_counts_once_and_keeps_its_place() {
        let scope: Scope = "b a  b".parse().unwrap();
        assert_eq!(scope.to_string(), "b a");
    }

    #[test]
    fn quotes_backslashes_controls_and_other_scripts_are_no_scope() {
        for text in ["a\"b", "a\\b", "a\tb", "naïve", "a\nb"] {
            assert!(text.parse::<Scope>().is_err(), "{text:?}");
        }
    }
}
