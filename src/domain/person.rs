//! What is known of a user beside the name to sign in with: the standard claims of OpenID Connect Core 1.0 §5.1, and
//! attributes of the operator's own for custom claims.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use super::Problem;

const MAX_TEXT_BYTES: usize = 200;
const MAX_FORMATTED_BYTES: usize = 1000;
const MAX_URL_BYTES: usize = 2048;
/// The most attributes of one user, and the bytes that all of them take as JSON.
const MAX_ATTRIBUTES: usize = 64;
const MAX_ATTRIBUTES_BYTES: usize = 16_384;
const MAX_ATTRIBUTE_NAME_BYTES: usize = 64;
/// Where the members of `address` (§5.1.1) are named by themselves.
const ADDRESS: &str = "address.";

/// What a claim holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    /// Several lines.
    Formatted,
    Url,
    /// `YYYY-MM-DD`, `0000-MM-DD` or `YYYY`.
    Birthdate,
    /// A name of the time zone database.
    Zone,
    /// A language tag (RFC 5646).
    Locale,
    /// E.164, as §5.1 recommends, with an extension as RFC 3966 has it.
    Phone,
    Flag,
}

/// The claims of OpenID Connect Core 1.0 §5.1 that an operator sets by name; `name` and `email` stand in the user itself,
/// and `sub` and `updated_at` are nobody's to set.
const CLAIMS: [(&str, Kind); 21] = [
    ("given_name", Kind::Text),
    ("family_name", Kind::Text),
    ("middle_name", Kind::Text),
    ("nickname", Kind::Text),
    ("preferred_username", Kind::Text),
    ("profile", Kind::Url),
    ("picture", Kind::Url),
    ("website", Kind::Url),
    ("gender", Kind::Text),
    ("birthdate", Kind::Birthdate),
    ("zoneinfo", Kind::Zone),
    ("locale", Kind::Locale),
    ("email_verified", Kind::Flag),
    ("phone_number", Kind::Phone),
    ("phone_number_verified", Kind::Flag),
    ("address.formatted", Kind::Formatted),
    ("address.street_address", Kind::Formatted),
    ("address.locality", Kind::Text),
    ("address.region", Kind::Text),
    ("address.postal_code", Kind::Text),
    ("address.country", Kind::Text),
];

/// Whether a user has a claim of this name, as tokens show it (OpenID Connect Core 1.0 §5.1).
pub(super) fn is_standard(name: &str) -> bool {
    let known = |(known, _): &(&str, Kind)| *known == name && !name.starts_with(ADDRESS);
    ["name", "email", "address", "updated_at"].contains(&name) || CLAIMS.iter().any(known)
}

/// The standard claims of a user, by name; those of the address as `address.locality` and so on. Only names and values that
/// keep the rules are in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Person(BTreeMap<String, Value>);

impl Person {
    /// Sets a claim, or takes it away where the text is empty.
    ///
    /// # Errors
    /// An unknown name, or a value that is not of the claim's kind.
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), Problem> {
        let refuse = |why: &str| Err(Problem::new("claim", format!("{name}: {why}")));
        let Some((_, kind)) = CLAIMS.iter().find(|(known, _)| *known == name) else {
            let names: Vec<&str> = CLAIMS.iter().map(|(name, _)| *name).collect();
            return refuse(&format!("no claim that can be set; those are {}", names.join(", ")));
        };
        if text.is_empty() {
            self.0.remove(name);
            return Ok(());
        }
        match kind.read(text) {
            Ok(value) => {
                // Whoever changes the number has not proved that it is theirs.
                if name == "phone_number" && self.0.get(name) != Some(&value) {
                    self.0.remove("phone_number_verified");
                }
                self.0.insert(name.to_owned(), value);
                Ok(())
            }
            Err(why) => refuse(why),
        }
    }

    /// A claim by its name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Forgets that the e-mail address was verified.
    pub fn forget_verified_email(&mut self) {
        self.0.remove("email_verified");
    }

    /// The claims as they stand on the wire: the address is one object (§5.1.1).
    #[must_use]
    pub fn to_claims(&self) -> Map<String, Value> {
        let (mut claims, mut address) = (Map::new(), Map::new());
        for (name, value) in &self.0 {
            match name.strip_prefix(ADDRESS) {
                Some(member) => address.insert(member.to_owned(), value.clone()),
                None => claims.insert(name.clone(), value.clone()),
            };
        }
        if !address.is_empty() {
            claims.insert("address".to_owned(), Value::Object(address));
        }
        claims
    }

    /// By name, as they are set.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl Kind {
    fn read(self, text: &str) -> Result<Value, &'static str> {
        let plain = |most: usize| {
            text.len() <= most && !text.trim().is_empty() && !text.chars().any(char::is_control)
        };
        let (sound, why) = match self {
            Self::Text => (plain(MAX_TEXT_BYTES), "1 to 200 bytes and no control characters"),
            Self::Formatted => {
                let lines = text.lines().all(|line| !line.chars().any(char::is_control));
                let sound = lines && text.len() <= MAX_FORMATTED_BYTES && !text.trim().is_empty();
                (sound, "1 to 1000 bytes, in lines without control characters")
            }
            Self::Url => (is_web_address(text), "an http or https URL of at most 2048 bytes"),
            Self::Birthdate => {
                (is_birthdate(text), "YYYY-MM-DD, 0000-MM-DD where the year is nobody's business, or YYYY")
            }
            Self::Zone => (is_zone(text), "a name of the time zone database, such as Europe/Paris"),
            Self::Locale => (is_locale(text), "a language tag, such as de or fr-CA"),
            Self::Phone => (
                is_phone(text),
                "a number with its country, such as +49 30 1234567 or +1 604 555 1234;ext=5678",
            ),
            Self::Flag => {
                return match text {
                    "true" => Ok(Value::Bool(true)),
                    "false" => Ok(Value::Bool(false)),
                    _ => Err("true or false"),
                };
            }
        };
        if sound { Ok(Value::String(text.to_owned())) } else { Err(why) }
    }
}

fn is_web_address(text: &str) -> bool {
    let url = Url::parse(text).ok().filter(|_| text.len() <= MAX_URL_BYTES);
    url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn is_birthdate(text: &str) -> bool {
    let digits =
        |part: &str, count: usize| part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = text.split('-');
    let year = parts.next().is_some_and(|year| digits(year, 4));
    let rest: Vec<&str> = parts.collect();
    match rest.as_slice() {
        [] => year && text != "0000",
        [month, day] => {
            let number = |part: &str| if digits(part, 2) { part.parse().unwrap_or(0) } else { 0_u8 };
            let most = match number(month) {
                2 => 29,
                4 | 6 | 9 | 11 => 30,
                1..=12 => 31,
                _ => 0,
            };
            year && (1..=most).contains(&number(day))
        }
        _ => false,
    }
}

fn is_zone(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte))
    };
    text.len() <= 64
        && text.split('/').all(part)
        && text.starts_with(|first: char| first.is_ascii_uppercase())
}

/// OpenID Connect Core §5.1: implementations "MAY choose to accept" an underscore in place of the dash; people type both.
fn is_locale(text: &str) -> bool {
    let part =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let language = text.split(['-', '_']).next().unwrap_or_default();
    text.len() <= 35 && text.split(['-', '_']).all(part) && (2..=3).contains(&language.len())
}

fn is_phone(text: &str) -> bool {
    let (number, extension) = match text.split_once(";ext=") {
        Some((number, extension)) => (number, Some(extension)),
        None => (text, None),
    };
    let Some(rest) = number.strip_prefix('+') else { return false };
    let digits = rest.bytes().filter(u8::is_ascii_digit).count();
    let shaped = rest.bytes().all(|byte| byte.is_ascii_digit() || b" -().".contains(&byte));
    let extended = extension.is_none_or(|digits| {
        (1..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    shaped && extended && (5..=15).contains(&digits) && text.len() <= 64
}

/// What an operator knows of a user under names of their own, for custom claims.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attributes(BTreeMap<String, Value>);

impl Attributes {
    /// Sets an attribute, or takes it away where there is no value.
    ///
    /// # Errors
    /// A name of other characters, or too much of it all: then nothing is changed.
    pub fn set(&mut self, name: &str, value: Option<Value>) -> Result<(), Problem> {
        let refuse = |why: &str| Err(Problem::new("attribute", format!("{name}: {why}")));
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        if name.is_empty() || name.len() > MAX_ATTRIBUTE_NAME_BYTES || !name.bytes().all(letter) {
            return refuse("a name has 1 to 64 letters, digits, dots, hyphens and underscores");
        }
        let mut changed = self.0.clone();
        match value {
            Some(value) => changed.insert(name.to_owned(), value),
            None => changed.remove(name),
        };
        let bytes = serde_json::to_string(&changed).map_or(usize::MAX, |text| text.len());
        if changed.len() > MAX_ATTRIBUTES || bytes > MAX_ATTRIBUTES_BYTES {
            return refuse("at most 64 attributes, and 16384 bytes of JSON in all");
        }
        self.0 = changed;
        Ok(())
    }

    /// An attribute.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(name: &str, text: &str) -> Result<Value, String> {
        let mut person = Person::default();
        person.set(name, text).map_err(|problem| problem.text)?;
        Ok(Value::Object(person.to_claims()))
    }

    #[test]
    fn every_claim_takes_a_value_of_its_kind() {
        for (name, text) in [
            ("given_name", "Zoë"),
            ("profile", "https://example.org/~zoe"),
            ("picture", "https://example.org/zoe.png"),
            ("birthdate", "1990-02-29"),
            ("birthdate", "0000-12-31"),
            ("birthdate", "1990"),
            ("zoneinfo", "America/Argentina/Buenos_Aires"),
            ("zoneinfo", "Etc/GMT+1"),
            ("locale", "zh-Hant-TW"),
            ("locale", "de_AT"),
            ("phone_number", "+49 30 1234567"),
            ("phone_number", "+1 (604) 555-1234;ext=5678"),
        ] {
            assert_eq!(set(name, text), Ok(json!({ name: text })), "{name} {text}");
        }
        assert_eq!(set("email_verified", "true"), Ok(json!({ "email_verified": true })));
        let address = "1 Way\n12345 Town";
        assert_eq!(set("address.formatted", address), Ok(json!({ "address": { "formatted": address } })));
    }

    #[test]
    fn a_value_of_another_kind_is_refused_and_the_text_says_what_is_taken() {
        let long = "a".repeat(201);
        for (name, text, says) in [
            ("given_name", " ", "200 bytes"),
            ("given_name", &*long, "200 bytes"),
            ("nickname", "a\u{7}", "control"),
            ("website", "example.org", "URL"),
            ("picture", "data:image/png;base64,AA==", "URL"),
            ("birthdate", "1990-02-30", "YYYY-MM-DD"),
            ("birthdate", "1990-13-01", "YYYY-MM-DD"),
            ("birthdate", "90-1-1", "YYYY-MM-DD"),
            ("birthdate", "0000", "YYYY-MM-DD"),
            ("zoneinfo", "berlin time", "Europe/Paris"),
            ("locale", "german language", "language tag"),
            ("phone_number", "030 1234567", "+49"),
            ("phone_number", "+49;ext=", "+49"),
            ("phone_number_verified", "yes", "true or false"),
            ("address", "here", "no claim that can be set"),
            ("address.planet", "Earth", "no claim that can be set"),
            ("sub", "1", "no claim that can be set"),
            ("updated_at", "1", "no claim that can be set"),
        ] {
            let told = set(name, text).unwrap_err();
            assert!(told.contains(says) && told.starts_with(name), "{name} {text}: {told}");
        }
    }

    #[test]
    fn an_empty_text_takes_a_claim_away_and_a_new_number_is_not_verified() {
        let mut person = Person::default();
        for (name, text) in
            [("phone_number", "+49 30 1234567"), ("phone_number_verified", "true"), ("gender", "f")]
        {
            person.set(name, text).unwrap();
        }
        person.set("phone_number", "+49 30 1234567").unwrap();
        assert_eq!(person.get("phone_number_verified"), Some(&json!(true)), "the same number again");
        person.set("phone_number", "+49 30 7654321").unwrap();
        person.set("gender", "").unwrap();
        assert_eq!(Value::Object(person.to_claims()), json!({ "phone_number": "+49 30 7654321" }));
    }

    #[test]
    fn attributes_are_bounded_and_nothing_is_lost_by_a_refusal() {
        let mut attributes = Attributes::default();
        attributes.set("team", Some(json!(["red", "blue"]))).unwrap();
        for name in ["", "a b", "ü", &"a".repeat(65)] {
            assert!(attributes.set(name, Some(json!(1))).is_err(), "{name:?}");
        }
        assert!(attributes.set("large", Some(json!("a".repeat(16_384)))).is_err());
        assert_eq!(attributes.iter().collect::<Vec<_>>(), [("team", &json!(["red", "blue"]))]);
        for at in 0..63 {
            attributes.set(&format!("a{at}"), Some(json!(at))).unwrap();
        }
        assert!(attributes.set("one-more", Some(json!(1))).is_err());
        attributes.set("team", None).unwrap();
        attributes.set("one-more", Some(json!(1))).unwrap();
        assert_eq!(attributes.get("team"), None);
    }
}
