//! Custom claims without code: a table from a claim's name to where its value comes from, for the access tokens of a resource
//! server or for the ID tokens and userinfo of a client.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{User, person};

/// The most custom claims of one resource server or client.
pub const MAX_CUSTOM_CLAIMS: usize = 64;
const MAX_NAME_BYTES: usize = 200;
const MAX_VALUE_BYTES: usize = 2048;

/// Names that this server gives a meaning of their own (RFC 7519 §4.1, RFC 9068 §2.2, RFC 8693 §4, OpenID Connect Core §2 and
/// §5.1, OpenID Connect Back-Channel Logout §2.4).
const RESERVED: [&str; 27] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "client_id",
    "scope",
    "auth_time",
    "acr",
    "amr",
    "azp",
    "nonce",
    "at_hash",
    "c_hash",
    "s_hash",
    "sid",
    "act",
    "may_act",
    "cnf",
    "events",
    "active",
    "username",
    "token_type",
    "updated_at",
    "token_introspection",
];

/// Where the value of a claim comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// An attribute of the user.
    Attribute(String),
    /// A standard claim of the user, also where it was not asked for.
    Claim(String),
    /// The user's roles.
    Roles,
    /// Those of the user's roles that begin so, without that beginning.
    RolesBelow(String),
    /// Always the same.
    Constant(Value),
}

/// `attribute:NAME`, `claim:NAME`, `roles`, `roles:PREFIX`, `value:TEXT` or `json:JSON`, in the configuration and on the command line.
impl FromStr for Source {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let sort = || {
            "expected attribute:NAME, claim:NAME, roles, roles:PREFIX, value:TEXT or json:JSON: where the claim's value \
             comes from"
                .to_owned()
        };
        if text.len() > MAX_VALUE_BYTES {
            return Err("where a claim's value comes from has at most 2048 bytes".to_owned());
        }
        match text.split_once(':').unwrap_or((text, "")) {
            ("attribute", name) if !name.is_empty() => Ok(Self::Attribute(name.to_owned())),
            ("claim", name) if person::is_standard(name) => Ok(Self::Claim(name.to_owned())),
            ("claim", name) => {
                Err(format!("{name:?} is no standard claim of a user: name, email, given_name, …"))
            }
            ("roles", "") if !text.contains(':') => Ok(Self::Roles),
            ("roles", prefix) if !prefix.is_empty() => Ok(Self::RolesBelow(prefix.to_owned())),
            ("value", text) if !text.is_empty() => Ok(Self::Constant(Value::String(text.to_owned()))),
            ("json", json) => {
                let value =
                    serde_json::from_str(json).map_err(|e| format!("after json: stands no JSON: {e}"))?;
                Ok(Self::Constant(value))
            }
            _ => Err(sort()),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attribute(name) => write!(f, "attribute:{name}"),
            Self::Claim(name) => write!(f, "claim:{name}"),
            Self::Roles => f.write_str("roles"),
            Self::RolesBelow(prefix) => write!(f, "roles:{prefix}"),
            Self::Constant(Value::String(text)) => write!(f, "value:{text}"),
            Self::Constant(value) => write!(f, "json:{value}"),
        }
    }
}

impl Serialize for Source {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Whom the claims are about.
#[derive(Clone, Copy, Debug, Default)]
pub struct About<'a> {
    /// The user; none where a client acts for itself.
    pub user: Option<&'a User>,
    /// The user's roles.
    pub roles: &'a [String],
}

/// From each claim's name to where its value comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CustomClaims(BTreeMap<String, Source>);

impl CustomClaims {
    /// Sets where a claim comes from.
    pub fn set(&mut self, name: String, source: Source) {
        self.0.insert(name, source);
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// By name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Source)> {
        self.0.iter().map(|(name, source)| (name.as_str(), source))
    }

    /// Whether the user's roles are needed.
    #[must_use]
    pub fn want_roles(&self) -> bool {
        self.0.values().any(|source| matches!(source, Source::Roles | Source::RolesBelow(_)))
    }

    /// The claims and their values. What the user does not have is left out.
    #[must_use]
    pub fn about(&self, about: About<'_>) -> Map<String, Value> {
        let list = |roles: Vec<String>| (!roles.is_empty()).then(|| Value::from(roles));
        let value = |source: &Source| match source {
            Source::Constant(value) => Some(value.clone()),
            Source::Attribute(name) => about.user?.attributes.get(name).cloned(),
            Source::Claim(name) => about.user?.claims().remove(name),
            Source::Roles => list(about.roles.to_vec()),
            Source::RolesBelow(prefix) => {
                let below = about.roles.iter().filter_map(|role| role.strip_prefix(prefix.as_str()));
                list(below.filter(|rest| !rest.is_empty()).map(str::to_owned).collect())
            }
        };
        self.0.iter().filter_map(|(name, source)| Some((name.clone(), value(source)?))).collect()
    }

    /// What is wrong with them, one line for each.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.0.len() > MAX_CUSTOM_CLAIMS {
            found.push("at most 64".to_owned());
        }
        for name in self.0.keys() {
            if RESERVED.contains(&name.as_str()) {
                found.push(format!("{name} has a meaning of its own in tokens: choose another name"));
            }
            if name.is_empty() || name.len() > MAX_NAME_BYTES || name.chars().any(char::is_control) {
                found.push(format!("{name:?}: a name has 1 to 200 bytes and no control characters"));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(rules: &[(&str, &str)]) -> CustomClaims {
        let mut claims = CustomClaims::default();
        for (name, source) in rules {
            claims.set((*name).to_owned(), source.parse().unwrap());
        }
        claims
    }

    #[test]
    fn values_come_from_attributes_roles_and_constants() {
        let now = crate::base::Timestamp(1_795_000_000);
        let id = "00000000-0000-4000-8000-000000000001".parse().unwrap();
        let mut user = User::new(id, crate::domain::UserName::parse("alice").unwrap(), String::new(), now);
        user.attributes.set("team", Some(json!(["red"]))).unwrap();
        user.person.set("address.locality", "Paris").unwrap();
        let roles = ["admin", "app:writer", "app:", "app:reader"].map(str::to_owned);
        let rules = claims(&[
            ("https://example.org/team", "attribute:team"),
            ("floor", "attribute:floor"),
            ("login", "claim:preferred_username"),
            ("mail", "claim:email"),
            ("address", "claim:address"),
            ("groups", "roles"),
            ("app", "roles:app:"),
            ("none", "roles:other:"),
            ("tier", "value:gold"),
            ("limits", r#"json:{"a": [1, null]}"#),
        ]);
        let about = About { user: Some(&user), roles: &roles };
        assert_eq!(
            Value::Object(rules.about(about)),
            json!({
                "https://example.org/team": ["red"], "groups": roles, "app": ["writer", "reader"], "tier": "gold",
                "limits": { "a": [1, null] }, "login": "alice", "address": { "locality": "Paris" },
            })
        );
        let constants = json!({ "tier": "gold", "limits": { "a": [1, null] } });
        assert_eq!(Value::Object(rules.about(About::default())), constants, "a client for itself");
    }

    #[test]
    fn a_source_goes_out_and_comes_back() {
        for text in [
            "attribute:a",
            "claim:email",
            "claim:address",
            "claim:name",
            "roles",
            "roles:app:",
            "value:a:b",
            "json:7",
            r#"json:{"a":[true]}"#,
        ] {
            assert_eq!(text.parse::<Source>().unwrap().to_string(), text);
        }
        let long = format!("value:{}", "a".repeat(2048));
        for text in ["claim:", "claim:sub", "claim:mail", "claim:address.locality"] {
            assert!(text.parse::<Source>().unwrap_err().contains("no standard claim"), "{text}");
        }
        for text in ["", "attribute:", "attribute", "roles:", "value:", "json:", "json:{", "user:a", &long] {
            assert!(text.parse::<Source>().is_err(), "{text}");
        }
        let rules = claims(&[("a", "value:b"), ("c", "roles")]);
        let stored = serde_json::to_string(&rules).unwrap();
        assert_eq!(stored, r#"{"a":"value:b","c":"roles"}"#);
        assert_eq!(serde_json::from_str::<CustomClaims>(&stored).unwrap(), rules);
    }

    #[test]
    fn no_rule_changes_what_a_token_is() {
        for name in RESERVED {
            assert_eq!(claims(&[(name, "value:x")]).problems().len(), 1, "{name}");
        }
        for name in ["", "a\nb", &"a".repeat(201)] {
            assert_eq!(claims(&[(name, "value:x")]).problems().len(), 1, "{name:?}");
        }
        let names: Vec<String> = (0..65).map(|at| at.to_string()).collect();
        let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "roles")).collect();
        assert_eq!(claims(&many).problems(), ["at most 64"]);
        assert!(claims(&many[..64]).problems().is_empty() && claims(&many).want_roles());
    }
}
