//! JSON as a stranger sends it: each member once, and not deeper than anybody has need of.
//!
//! RFC 8259 §4: "The names within an object SHOULD be unique"; a parser that takes the last of two lets one reader see
//! another document than the next.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// How deep lists and objects may stand in one another. A JWK Set with certificates needs five.
const MAX_DEPTH: u8 = 8;

/// The members of a JSON object; the error is for whoever sent it.
///
/// # Errors
/// When it is no JSON, no object, too deep, or a member stands twice, at any depth.
pub fn object(bytes: &[u8]) -> Result<Map<String, Value>, &'static str> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict(MAX_DEPTH).deserialize(&mut deserializer).map_err(|error| {
        if error.to_string().starts_with(TWICE) {
            "the JSON names a member twice"
        } else if error.to_string().starts_with(DEEP) {
            "the JSON is nested too deeply"
        } else {
            "the body is not JSON"
        }
    })?;
    deserializer.end().map_err(|_| "something follows the JSON")?;
    match value {
        Value::Object(members) => Ok(members),
        _ => Err("the body is not a JSON object"),
    }
}

const TWICE: &str = "duplicate member";
const DEEP: &str = "too deep";

/// How many levels are left.
#[derive(Clone, Copy)]
struct Strict(u8);

impl Strict {
    fn below<E: Error>(self) -> Result<Self, E> {
        self.0.checked_sub(1).map(Self).ok_or_else(|| E::custom(DEEP))
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON with unique member names")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut values = Vec::new();
        while let Some(value) = access.next_element_seed(below)? {
            values.push(value);
        }
        Ok(values.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut members = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            if members.contains_key(&name) {
                return Err(A::Error::custom(TWICE));
            }
            let value = access.next_value_seed(below)?;
            members.insert(name, value);
        }
        Ok(members.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8259 §4.
    #[test]
    fn a_member_stands_once_at_every_depth() {
        assert_eq!(object(br#"{"a":[1,-1,1.5,null,true,"x"],"b":{"a":{}}}"#).unwrap().len(), 2);
        for twice in [r#"{"a":1,"a":2}"#, r#"{"a":1,"\u0061":2}"#, r#"{"b":[{"a":1,"a":1}]}"#] {
            assert_eq!(object(twice.as_bytes()), Err("the JSON names a member twice"), "{twice}");
        }
    }

    #[test]
    fn what_is_no_object_or_too_deep_is_refused() {
        let nested = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        assert!(object(nested(7).as_bytes()).is_ok());
        assert_eq!(object(nested(8).as_bytes()), Err("the JSON is nested too deeply"));
        assert_eq!(object(nested(10_000).as_bytes()), Err("the JSON is nested too deeply"));
        for text in ["", "[]", "null", "{} x", "{\"a\":\"\\ud800\"}", "{'a':1}", "{\"a\":1,}", "\u{feff}{}"] {
            assert!(object(text.as_bytes()).is_err(), "{text}");
        }
        assert!(object(b"{\"a\":\"\xff\"}").is_err());
    }
}
