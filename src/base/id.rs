//! Identifiers of rows and subjects: random UUIDs (RFC 9562 §5.4), or such as follow from what they name (§5.8).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::{Builder, Uuid};

use super::encoding::sha256;
use super::entropy::{self, Entropy, EntropyError};

/// A UUID in its lower-case hyphenated form.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(Uuid);

impl Id {
    /// A new identifier.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn random(source: &dyn Entropy) -> Result<Self, EntropyError> {
        Ok(Self(Builder::from_random_bytes(entropy::bytes(source)?).into_uuid()))
    }

    /// The identifier of whatever these words name: the same words, the same identifier (RFC 9562 §5.8, by SHA-256). It is
    /// as hard to guess as the words are.
    #[must_use]
    pub fn named(words: &[&str]) -> Self {
        // The length before each word: "ab", "c" is not "a", "bc".
        let text: String = words.iter().map(|word| format!("{}:{word}", word.len())).collect();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&sha256(text.as_bytes())[..16]);
        Self(Builder::from_custom_bytes(bytes).into_uuid())
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Id {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        Uuid::try_parse(text).map(Self)
    }
}

impl Serialize for Id {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9562 §5.8: version 8, and 122 bits of one's own.
    #[test]
    fn the_same_words_name_the_same_thing_and_other_words_another() {
        let id = Id::named(&["ab", "c"]);
        assert_eq!(id, Id::named(&["ab", "c"]));
        assert_eq!(id.0.get_version_num(), 8);
        for other in [&["a", "bc"][..], &["abc"], &["c", "ab"], &["ab", "c", ""]] {
            assert_ne!(id, Id::named(other), "{other:?}");
        }
    }
}
