//! JSON objects as JOSE wants them. RFC 7515 §4: "The Header Parameter names within the JOSE Header MUST be unique"; a parser
//! that takes the last of two lets one reader see another header than the next.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

struct Object(Map<String, Value>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Unique;
        impl<'de> Visitor<'de> for Unique {
            type Value = Object;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object with unique member names")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Object, A::Error> {
                let mut map = Map::new();
                while let Some((name, value)) = access.next_entry::<String, Value>()? {
                    if map.insert(name, value).is_some() {
                        return Err(A::Error::custom("duplicate member"));
                    }
                }
                Ok(Object(map))
            }
        }
        deserializer.deserialize_map(Unique)
    }
}

/// The members of a JSON object, or nothing when the bytes are no object or name a member twice.
pub(super) fn object(bytes: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice::<Object>(bytes).ok().map(|object| object.0)
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
}
