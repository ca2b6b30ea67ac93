//! `client_id` (RFC 6749 §2.2): "not a secret", unique to the authorization server.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest client identifier, in bytes.
pub const MAX_CLIENT_ID_BYTES: usize = 128;

/// A client identifier: visible ASCII without blanks, at most [`MAX_CLIENT_ID_BYTES`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientId(String);

impl ClientId {
    /// As it stands on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ClientId {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let sound = !text.is_empty()
            && text.len() <= MAX_CLIENT_ID_BYTES
            && text.bytes().all(|b| b.is_ascii_graphic());
        if sound {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!("a client id has 1 to {MAX_CLIENT_ID_BYTES} visible ASCII characters and no blank"))
        }
    }
}

impl TryFrom<String> for ClientId {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<ClientId> for String {
    fn from(id: ClientId) -> String {
        id.0
    }
}

/// Looked up by what was presented, without making one first.
impl Borrow<str> for ClientId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What somebody gave as a client id, for the log. People swap it for the secret: of what is as long as those are, only the
/// beginning is written down.
#[must_use]
pub fn logged(given: &str) -> String {
    const WHOLE: usize = 24;
    const BEGINNING: usize = 6;
    if given.len() <= WHOLE {
        return format!("{given:?}");
    }
    let beginning: String = given.chars().take(BEGINNING).collect();
    format!("{beginning:?}… ({} bytes)", given.len())
}

#[cfg(test)]
mod tests {
    use super::logged;

    #[test]
    fn a_secret_in_the_place_of_the_id_is_not_logged() {
        assert_eq!(logged("notes-app"), "\"notes-app\"");
        assert_eq!(logged("csgn_cs_0123456789ab_abcdef"), "\"csgn_c\"… (27 bytes)");
        assert_eq!(logged(&"é".repeat(20)), "\"éééééé\"… (40 bytes)");
    }
}
