//! JSON objects as JOSE wants them. RFC 7515 §4: "The Header Parameter names within the JOSE Header MUST be unique"; a parser
//! that takes the last of two lets one reader see another text than the next. So it is with what a request says in JSON,
//! however deep.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// A value in which no object names a member twice.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Unique)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON whose objects have unique member names")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Unique(value)) = access.next_element()? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((name, Unique(value))) = access.next_entry::<String, Unique>()? {
            if map.insert(name, value).is_some() {
                return Err(A::Error::custom("duplicate member"));
            }
        }
        Ok(Value::Object(map))
    }
}

/// The members of a JSON object, or nothing when the bytes are no object, or an object in it names a member twice.
#[must_use]
pub fn object(bytes: &[u8]) -> Option<Map<String, Value>> {
    match serde_json::from_slice(bytes) {
        Ok(Unique(Value::Object(members))) => Some(members),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::object;

    #[test]
    fn an_object_names_a_member_once() {
        assert_eq!(object(br#"{"alg":"ES256","kid":"a"}"#).unwrap().len(), 2);
        assert!(object(br#"{"alg":"ES256","alg":"none"}"#).is_none());
        assert!(object(br#"{"alg":"ES256","\u0061lg":"none"}"#).is_none());
        assert!(object(br#"["alg"]"#).is_none());
        assert!(object(br#"{"alg":"ES256"} "#).is_some() && object(br#"{"alg":"ES256"}x"#).is_none());
    }

    #[test]
    fn so_does_every_object_in_it() {
        assert!(object(br#"{"a":[{"b":1,"b":1}]}"#).is_none());
        let read = object(br#"{"a":[null,true,-1,2,0.5,"c",{"d":{}}]}"#).unwrap();
        assert_eq!(serde_json::Value::Object(read).to_string(), r#"{"a":[null,true,-1,2,0.5,"c",{"d":{}}]}"#);
    }
}
