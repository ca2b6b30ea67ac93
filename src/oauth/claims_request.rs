//! The `claims` parameter (OpenID Connect Core 1.0 §5.5): claims asked for one by one, for the ID token and for userinfo.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::base::strict;

use super::claims::bearer;
use super::{Scope, ScopeToken};

/// Claims by name, with how each is wished for.
pub type Wishes = BTreeMap<String, Wish>;

/// How one claim is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// §5.5.1: "Indicates whether the Claim being requested is an Essential Claim."
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub essential: bool,
    /// The values that are good, the best first; any where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
}

impl Wish {
    /// Whether a value is one of those that were asked for.
    #[must_use]
    pub fn accepts(&self, value: &Value) -> bool {
        self.values.is_empty() || self.values.contains(value)
    }

    /// The values, where they are the texts that they must be.
    ///
    /// # Errors
    /// When one is not.
    pub fn texts(&self, claim: &str) -> Result<Vec<String>, String> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let texts: Option<Vec<String>> = self.values.iter().map(text).collect();
        texts.ok_or_else(|| format!("claims: the values of {claim} are texts"))
    }
}

/// What a `claims` parameter asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimsRequest {
    /// For the userinfo answer.
    #[serde(default, skip_serializing_if = "Wishes::is_empty")]
    pub userinfo: Wishes,
    /// For the ID token.
    #[serde(default, skip_serializing_if = "Wishes::is_empty")]
    pub id_token: Wishes,
}

/// What an authentication request asks to be told beyond what its scope says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Claims about the user.
    #[serde(default)]
    pub claims: ClaimsRequest,
    /// When the user proved who they are.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub auth_time: bool,
    /// What kind of proof it was, and by which means.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub acr: bool,
    /// By which means alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub amr: bool,
}

impl ClaimsRequest {
    /// Reads the parameter. §5.5: "Other members MAY be present. Any members used that are not understood MUST be ignored."
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let members = strict::object(text.as_bytes())
            .ok_or("claims is not a JSON object, or names a member of an object twice")?;
        Ok(Self { userinfo: wishes(&members, "userinfo")?, id_token: wishes(&members, "id_token")? })
    }

    /// Leaves out the claims that `keep` says no to.
    #[must_use]
    pub fn filter(mut self, keep: impl Fn(&str) -> bool) -> Self {
        self.userinfo.retain(|name, _| keep(name));
        self.id_token.retain(|name, _| keep(name));
        self
    }

    /// The scope values that bear what is asked for: whoever allows the one allows the other.
    #[must_use]
    pub fn bearers(&self) -> Scope {
        let names = self.userinfo.keys().chain(self.id_token.keys());
        names.filter_map(|name| bearer(name)?.parse::<ScopeToken>().ok()).collect()
    }
}

fn wishes(members: &Map<String, Value>, name: &str) -> Result<Wishes, String> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(Wishes::new()),
        Some(Value::Object(claims)) => {
            claims.iter().map(|(claim, value)| Ok((claim.clone(), wish(claim, value)?))).collect()
        }
        Some(_) => Err(format!("claims: {name} is not an object")),
    }
}

/// §5.5.1: null "Indicates that this Claim is being requested in the default manner", or an object.
fn wish(claim: &str, value: &Value) -> Result<Wish, String> {
    let wrong = |what: &str| format!("claims: {claim}: {what}");
    let members = match value {
        Value::Null => return Ok(Wish::default()),
        Value::Object(members) => members,
        _ => return Err(wrong("neither null nor an object")),
    };
    let essential = match members.get("essential") {
        None => false,
        Some(Value::Bool(essential)) => *essential,
        Some(_) => return Err(wrong("essential is true or false")),
    };
    let values = match (members.get("value"), members.get("values")) {
        (None, None) => Vec::new(),
        (Some(value), None) => vec![value.clone()],
        (None, Some(Value::Array(values))) if !values.is_empty() => values.clone(),
        (None, Some(_)) => return Err(wrong("values is a list with something in it")),
        (Some(_), Some(_)) => return Err(wrong("value and values at once")),
    };
    Ok(Wish { essential, values })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_example_of_the_spec_is_read() {
        let text = r#"{
            "userinfo": {
                "given_name": {"essential": true}, "nickname": null, "email": {"essential": true},
                "email_verified": {"essential": true}, "picture": null, "http://example.info/claims/groups": null
            },
            "id_token": {
                "auth_time": {"essential": true}, "acr": {"values": ["urn:mace:incommon:iap:silver"]}
            }
        }"#;
        let read = ClaimsRequest::parse(text).unwrap();
        assert_eq!(read.userinfo.len(), 6);
        assert!(read.userinfo["given_name"].essential && !read.userinfo["nickname"].essential);
        assert_eq!(read.id_token["acr"].values, [json!("urn:mace:incommon:iap:silver")]);
        assert_eq!(read.bearers().to_string(), "email profile");
    }

    #[test]
    fn what_is_not_understood_is_ignored_and_what_is_wrong_is_refused() {
        for text in ["{}", r#"{"x":1,"userinfo":null}"#, r#"{"id_token":{"name":{"x":1}}}"#] {
            assert!(ClaimsRequest::parse(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "null",
            "[]",
            "\"{}\"",
            "{}{}",
            "{",
            r#"{"userinfo":[]}"#,
            r#"{"userinfo":"name"}"#,
            r#"{"userinfo":{"name":true}}"#,
            r#"{"userinfo":{"name":[true]}}"#,
            r#"{"userinfo":{"name":{"essential":"true"}}}"#,
            r#"{"userinfo":{"name":{"essential":null}}}"#,
            r#"{"userinfo":{"name":{"values":"a"}}}"#,
            r#"{"userinfo":{"name":{"values":[]}}}"#,
            r#"{"userinfo":{"name":{"value":"a","values":["a"]}}}"#,
            r#"{"userinfo":{"name":null,"name":null}}"#,
            r#"{"userinfo":{},"userinfo":{}}"#,
            r#"{"userinfo":{"name":{"value":"a","value":"b"}}}"#,
        ] {
            assert!(ClaimsRequest::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_wish_for_a_value_accepts_no_other() {
        let wish = |text| wish("name", &serde_json::from_str(text).unwrap()).unwrap();
        assert!(wish("null").accepts(&json!("a")) && wish(r#"{"value":"a"}"#).accepts(&json!("a")));
        assert!(!wish(r#"{"values":["a","b"]}"#).accepts(&json!("c")));
        assert!(wish(r#"{"value":1}"#).texts("acr").is_err());
    }
}
