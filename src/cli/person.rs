//! What `countersign user add` and `edit` say of a person beside name and password, and where custom claims come from.

use std::str::FromStr;

use serde_json::Value;

use crate::domain::custom_claims::Source;
use crate::domain::{CustomClaims, Problem, User};

/// What is known of a user.
#[derive(clap::Args, Clone)]
pub(super) struct Known {
    /// The name that people read.
    #[arg(long)]
    pub(super) display_name: Option<String>,
    /// The address for mail.
    #[arg(long)]
    pub(super) email: Option<String>,
    /// A standard claim of OpenID Connect: given_name=Alice, address.locality=Paris, email_verified=true, …; without a value
    /// it is taken away. May be given several times.
    #[arg(long = "claim", value_name = "NAME=VALUE")]
    claims: Vec<Named>,
    /// An attribute of your own, for custom claims; without a value it is taken away. May be given several times.
    #[arg(long = "attribute", value_name = "NAME=VALUE")]
    attributes: Vec<Named>,
    /// The same where the value is more than a text: 'groups=["red","blue"]'. May be given several times.
    #[arg(long = "attribute-json", value_name = "NAME=JSON")]
    json_attributes: Vec<NamedJson>,
}

impl Known {
    /// Writes it all into a user; an empty text takes away what was there.
    pub(super) fn apply(&self, user: &mut User) -> Result<(), Problem> {
        let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        if let Some(name) = &self.display_name {
            user.display_name = given(name);
        }
        if let Some(email) = &self.email {
            user.set_email(given(email));
        }
        for Named { name, value } in &self.claims {
            user.person.set(name, value)?;
        }
        for Named { name, value } in &self.attributes {
            let text = Some(value).filter(|value| !value.is_empty());
            user.attributes.set(name, text.map(|text| Value::String(text.clone())))?;
        }
        for NamedJson { name, value } in &self.json_attributes {
            user.attributes.set(name, Some(value.clone()))?;
        }
        Ok(())
    }
}

/// A custom claim and where it comes from.
#[derive(Clone)]
pub(super) struct ClaimRule(String, Source);

impl ClaimRule {
    /// As a resource server or a client has them.
    pub(super) fn table(rules: Vec<Self>) -> CustomClaims {
        let mut claims = CustomClaims::default();
        rules.into_iter().for_each(|Self(name, source)| claims.set(name, source));
        claims
    }
}

impl FromStr for ClaimRule {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, source) = text.split_once('=').ok_or("expected NAME=SOURCE")?;
        Ok(Self(name.to_owned(), source.parse()?))
    }
}

#[derive(Clone)]
struct Named {
    name: String,
    value: String,
}

impl FromStr for Named {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
        Ok(Self { name: name.to_owned(), value: value.to_owned() })
    }
}

#[derive(Clone)]
struct NamedJson {
    name: String,
    value: Value,
}

impl FromStr for NamedJson {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let Named { name, value } = text.parse().map_err(|_| "expected NAME=JSON")?;
        let value = serde_json::from_str(&value).map_err(|e| format!("the value is no JSON: {e}"))?;
        Ok(Self { name, value })
    }
}
