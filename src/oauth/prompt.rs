//! `prompt` (OpenID Connect Core 1.0 §3.1.2.1).

use std::str::FromStr;

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
}

impl FromStr for Prompt {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let mut prompt = Self::default();
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            match word {
                "none" => prompt.none = true,
                "login" => prompt.login = true,
                "consent" => prompt.consent = true,
                "select_account" => prompt.select_account = true,
                // Initiating User Registration via OpenID Connect 1.0 §4.1: a value that is not supported is
                // `invalid_request`, and the description names it. Nobody registers here, so `create` is such a value.
                other => {
                    return Err(format!(
                        "prompt {other} is not supported: it knows none, login, consent and select_account"
                    ));
                }
            }
        }
        // "If this parameter contains none with any other value, an error is returned."
        if prompt.none && (prompt.login || prompt.consent || prompt.select_account) {
            return Err("prompt=none cannot stand with another value".to_owned());
        }
        Ok(prompt)
    }
}
