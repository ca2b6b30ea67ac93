//! `resource` (RFC 8707 §2): the identifier of a resource server, which becomes the audience of the token.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::Url;

/// The longest resource identifier, in bytes.
pub const MAX_RESOURCE_BYTES: usize = 512;

/// RFC 8707 §2: "Its value MUST be an absolute URI, as specified by Section 4.3 of \[RFC3986\]. The URI MUST NOT include a
/// fragment component." Compared as a string, never in a normalised form.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Resource(String);

impl Resource {
    /// As it stands on the wire and in `aud`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Resource {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() > MAX_RESOURCE_BYTES {
            return Err(format!("a resource is at most {MAX_RESOURCE_BYTES} bytes long"));
        }
        if !text.bytes().all(|b| b.is_ascii_graphic()) || text.contains('#') || Url::parse(text).is_err() {
            return Err("a resource is an absolute URI without a fragment".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Resource {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Resource> for String {
    fn from(resource: Resource) -> String {
        resource.0
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_uri_a_fragment_and_a_blank_are_refused() {
        for text in ["/notes", "notes", "https://api.example/#a", "https://api.example/ x", ""] {
            assert!(text.parse::<Resource>().is_err(), "{text:?}");
        }
        assert!("urn:example:notes".parse::<Resource>().is_ok());
    }
}
