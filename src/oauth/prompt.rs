//! `prompt` (OpenID Connect Core 1.0 §3.1.2.1; Initiating User Registration via OpenID Connect 1.0 §4.1).

use serde::{Deserialize, Serialize};

/// What the client wants the user to be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// "MUST NOT display any authentication or consent user interface pages."
    pub none: bool,
    /// "SHOULD prompt the End-User for reauthentication."
    pub login: bool,
    /// "SHOULD prompt the End-User for consent."
    pub consent: bool,
    /// "SHOULD prompt the End-User to select a user account."
    pub select_account: bool,
    /// "the client desires that the user be shown the account creation UX rather than the login flow."
    #[serde(default)]
    pub create: bool,
}

impl Prompt {
    /// The values that are supported; `create` where users may make accounts.
    #[must_use]
    pub fn supported(create: bool) -> Vec<&'static str> {
        let mut values = vec!["none", "login", "consent", "select_account"];
        if create {
            values.push("create");
        }
        values
    }

    /// Reads the list.
    ///
    /// # Errors
    /// A value that is not supported, or values that exclude each other.
    pub fn parse(text: &str, create: bool) -> Result<Self, String> {
        let supported = Self::supported(create);
        let mut prompt = Self::default();
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            // Initiating User Registration via OpenID Connect 1.0 §4.1: a value that is not supported is `invalid_request`,
            // and the description names it.
            if !supported.contains(&word) {
                return Err(format!("prompt {word} is not supported: it knows {}", supported.join(", ")));
            }
            match word {
                "none" => prompt.none = true,
                "login" => prompt.login = true,
                "consent" => prompt.consent = true,
                "select_account" => prompt.select_account = true,
                _ => prompt.create = true,
            }
        }
        // "If this parameter contains none with any other value, an error is returned."
        if prompt.none && (prompt.login || prompt.consent || prompt.select_account || prompt.create) {
            return Err("prompt=none cannot stand with another value".to_owned());
        }
        Ok(prompt)
    }
}
