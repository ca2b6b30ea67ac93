//! The members of a registration, taken one by one with their type and their length (RFC 7591 §2). Null and the empty text
//! are as good as nothing: RFC 7592 §2.2 has them so.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{FOR_PEOPLE, MetadataError, is_endpoint, is_public_address};
use crate::base::shown::is_shown;

/// The longest address, in bytes.
const MAX_URI_BYTES: usize = 2048;
/// The longest text that people are shown, in bytes.
const MAX_SHOWN_BYTES: usize = 200;
/// The longest word and the longest value of a list, in bytes.
const MAX_WORD_BYTES: usize = 256;
/// The most translations of one client.
const MAX_TRANSLATIONS: usize = 64;
/// The longest language tag (RFC 5646 §4.4.1 asks for 35 at least).
const MAX_TAG_BYTES: usize = 64;

/// What is left of a registration.
pub struct Members(Map<String, Value>);

impl Members {
    /// All members of a request. Those that nobody takes are ignored: RFC 7591 §2, "The authorization server MUST ignore any
    /// client metadata sent by the client that it does not understand".
    #[must_use]
    pub fn new(all: Map<String, Value>) -> Self {
        Self(all)
    }

    /// Whether a member is there at all.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    /// A text of at most `most` bytes.
    ///
    /// # Errors
    /// When it is something else, too long, or holds control characters.
    pub fn text(&mut self, name: &str, most: usize) -> Result<Option<String>, MetadataError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) if text.len() <= most && !text.chars().any(char::is_control) => {
                Ok(Some(text))
            }
            Some(_) => Err(MetadataError::of(
                name,
                format_args!("a text of at most {most} bytes without control characters"),
            )),
        }
    }

    /// A word.
    ///
    /// # Errors
    /// As [`Members::text`].
    pub fn word(&mut self, name: &str) -> Result<Option<String>, MetadataError> {
        self.text(name, MAX_WORD_BYTES)
    }

    /// A secret that the client has already.
    ///
    /// # Errors
    /// As [`Members::text`].
    pub fn secret(&mut self, name: &str) -> Result<Option<Zeroizing<String>>, MetadataError> {
        Ok(self.text(name, 1024)?.map(Zeroizing::new))
    }

    /// A word that means something.
    ///
    /// # Errors
    /// As [`Members::text`], and what the type says of an unknown word.
    pub fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
        &mut self,
        name: &str,
    ) -> Result<Option<T>, MetadataError> {
        let word = self.word(name)?;
        word.map(|word| word.parse().map_err(|e: T::Err| MetadataError::of(name, e))).transpose()
    }

    /// A list of at most `most` texts.
    ///
    /// # Errors
    /// When it is something else.
    pub fn texts(&mut self, name: &str, most: usize) -> Result<Option<Vec<String>>, MetadataError> {
        self.list(name, most, MAX_WORD_BYTES)
    }

    /// A list of at most `most` addresses, not looked at yet.
    ///
    /// # Errors
    /// When it is something else.
    pub fn uris(&mut self, name: &str, most: usize) -> Result<Option<Vec<String>>, MetadataError> {
        self.list(name, most, MAX_URI_BYTES)
    }

    fn list(&mut self, name: &str, most: usize, bytes: usize) -> Result<Option<Vec<String>>, MetadataError> {
        let refused = || {
            MetadataError::of(
                name,
                format_args!("a list of at most {most} texts, each of at most {bytes} bytes"),
            )
        };
        let values = match self.take(name) {
            None => return Ok(None),
            Some(Value::Array(values)) if values.len() <= most => values,
            Some(_) => return Err(refused()),
        };
        let sound =
            |text: &String| !text.is_empty() && text.len() <= bytes && !text.chars().any(char::is_control);
        let each = values.into_iter().map(|value| match value {
            Value::String(text) if sound(&text) => Ok(text),
            _ => Err(refused()),
        });
        each.collect::<Result<_, _>>().map(Some)
    }

    /// True or false.
    ///
    /// # Errors
    /// When it is something else.
    pub fn flag(&mut self, name: &str) -> Result<bool, MetadataError> {
        match self.take(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => Err(MetadataError::of(name, "true or false")),
        }
    }

    /// A number of seconds.
    ///
    /// # Errors
    /// When it is something else.
    pub fn seconds(&mut self, name: &str) -> Result<Option<i64>, MetadataError> {
        let refused = || MetadataError::of(name, "a whole number of seconds, 0 or more");
        match self.take(name) {
            None => Ok(None),
            Some(value) => value
                .as_i64()
                .filter(|age| (0..=i64::from(u32::MAX)).contains(age))
                .map(Some)
                .ok_or_else(refused),
        }
    }

    /// An object.
    ///
    /// # Errors
    /// When it is something else.
    pub fn object(&mut self, name: &str) -> Result<Option<Map<String, Value>>, MetadataError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(members)),
            Some(_) => Err(MetadataError::of(name, "a JSON object")),
        }
    }

    /// An address that others open or ask.
    ///
    /// # Errors
    /// When it is something else, or on this machine.
    pub fn address(&mut self, name: &str) -> Result<Option<String>, MetadataError> {
        let uri = self.text(name, MAX_URI_BYTES)?;
        check_address(name, uri.as_deref())?;
        Ok(uri)
    }

    /// An address that this server itself asks.
    ///
    /// # Errors
    /// When it is something else.
    pub fn endpoint(&mut self, name: &str) -> Result<Option<String>, MetadataError> {
        let uri = self.text(name, MAX_URI_BYTES)?;
        if uri.as_deref().is_none_or(is_endpoint) {
            return Ok(uri);
        }
        Err(MetadataError::of(name, "an https URL without a fragment and without a user in it"))
    }

    /// A name for people.
    ///
    /// # Errors
    /// When it cannot be shown.
    pub fn name(&mut self, name: &str) -> Result<Option<String>, MetadataError> {
        let text = self.text(name, MAX_URI_BYTES)?;
        check_shown(name, text.as_deref())?;
        Ok(text)
    }

    /// The members of [`FOR_PEOPLE`] in other languages, by name and tag (RFC 7591 §2.2): `client_name#de`.
    ///
    /// # Errors
    /// When one is not what its member must be, or its tag is none.
    pub fn translations(&mut self) -> Result<BTreeMap<String, String>, MetadataError> {
        let is_one = |name: &String| name.split_once('#').is_some_and(|(of, _)| FOR_PEOPLE.contains(&of));
        let names: Vec<String> = self.0.keys().filter(|name| is_one(name)).cloned().collect();
        if names.len() > MAX_TRANSLATIONS {
            return Err(MetadataError::of("client_name", "at most 64 members with a language tag"));
        }
        let mut found = BTreeMap::new();
        for name in names {
            let Some((of, tag)) = name.split_once('#') else { continue };
            if !is_language_tag(tag) {
                return Err(MetadataError::of(of, "what follows the # is no language tag (BCP 47)"));
            }
            let Some(text) = self.text(&name, MAX_URI_BYTES)? else { continue };
            match of {
                "client_name" => check_shown(of, Some(&text))?,
                _ => check_address(of, Some(&text))?,
            }
            found.insert(name, text);
        }
        Ok(found)
    }
}

fn check_address(name: &str, uri: Option<&str>) -> Result<(), MetadataError> {
    if uri.is_none_or(is_public_address) {
        return Ok(());
    }
    Err(MetadataError::of(
        name,
        "an https URL on another machine than this one, without a fragment and without a user in it",
    ))
}

fn check_shown(name: &str, text: Option<&str>) -> Result<(), MetadataError> {
    if text.is_none_or(|text| text.len() <= MAX_SHOWN_BYTES && is_shown(text)) {
        return Ok(());
    }
    Err(MetadataError::of(
        name,
        "1 to 200 bytes to be read by people: no line breaks, no invisible characters, none that turn text around",
    ))
}

/// The shape of a language tag (RFC 5646 §2.1): words of one to eight letters and digits, the first one of letters.
fn is_language_tag(tag: &str) -> bool {
    let word = |word: &str| (1..=8).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_alphanumeric());
    let first = tag.split('-').next().unwrap_or_default();
    tag.len() <= MAX_TAG_BYTES && first.bytes().all(|b| b.is_ascii_alphabetic()) && tag.split('-').all(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5646 §2.1 and §4.4.1.
    #[test]
    fn a_language_tag_has_the_shape_of_one() {
        for tag in ["de", "ja-Hani-JP", "zh-cmn-Hans-CN", "de-1996", "x-house"] {
            assert!(is_language_tag(tag), "{tag}");
        }
        for tag in ["", "-", "de-", "de_DE", "1996-de", "languages9", "d\u{e9}", &"de-".repeat(30)] {
            assert!(!is_language_tag(tag), "{tag}");
        }
    }
}
