//! What a client may exchange for what (RFC 8693): rules, none unless an operator makes them.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::oauth::{GrantType, Resource};

use super::Client;
use super::client::{ClientDraft, MAX_LIST};

/// One line of what a client may exchange (RFC 8693 §2.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeRule {
    /// The audience of the token that it shows.
    pub from: Resource,
    /// The audiences that it may ask for in return.
    pub to: Vec<Resource>,
}

/// `FROM=TO`, as the command line has it.
impl FromStr for ExchangeRule {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        // Either URI may have this sign in its query: the last one that parts two absolute URIs counts.
        let parted = text.rmatch_indices('=').find_map(|(at, _)| {
            Some(Self { from: text[..at].parse().ok()?, to: vec![text[at + 1..].parse().ok()?] })
        });
        parted.ok_or_else(|| "expected FROM=TO, the ids of two resource servers".to_owned())
    }
}

impl Client {
    /// Whether a token for the audience `from` may be exchanged for one for `to`.
    #[must_use]
    pub fn may_exchange(&self, from: &str, to: &Resource) -> bool {
        self.exchange.iter().any(|rule| rule.from.as_str() == from && rule.to.contains(to))
    }
}

pub(super) fn check(draft: &ClientDraft, refuse: &mut impl FnMut(&'static str, &str)) {
    let granted = draft.grant_types.contains(&GrantType::TokenExchange);
    if granted && !draft.profile.is_confidential() {
        // RFC 8693 §2.1: "omitting client authentication allows for a compromised token to be leveraged via an STS into
        // other tokens by anyone possessing the compromised token."
        refuse("grant_types", "token exchange is for confidential clients only");
    }
    if granted == draft.exchange.is_empty() {
        refuse("exchange", "token exchange wants both: its grant, and rules of what is exchanged for what");
    }
    if draft.exchange.len() > MAX_LIST || draft.exchange.iter().any(|rule| rule.to.len() > MAX_LIST) {
        refuse("exchange", "at most 64 rules, each for at most 64 audiences");
    }
    for (at, rule) in draft.exchange.iter().enumerate() {
        if rule.to.is_empty() {
            refuse("exchange", &format!("{} is exchanged for nothing: name an audience", rule.from));
        }
        if draft.exchange[..at].iter().any(|earlier| earlier.from == rule.from) {
            refuse("exchange", &format!("{} is named twice: name all its audiences in one rule", rule.from));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;
    use crate::domain::Profile;

    fn draft(profile: Profile) -> ClientDraft {
        let mut draft = ClientDraft::with_defaults("app".parse().unwrap(), "App".to_owned(), profile);
        if draft.grant_types.contains(&GrantType::AuthorizationCode) {
            draft.redirect_uris = vec!["https://app.example/cb".parse().unwrap()];
        }
        draft
    }

    fn fields(draft: ClientDraft) -> Vec<&'static str> {
        Client::check(draft, Timestamp(0)).err().unwrap_or_default().into_iter().map(|p| p.field).collect()
    }

    /// RFC 8693 §2.1.
    #[test]
    fn token_exchange_wants_a_grant_a_rule_and_a_secret() {
        let rule = "https://a.example/?x=1=https://b.example/?y=2".parse::<ExchangeRule>().unwrap();
        assert_eq!((rule.from.as_str(), rule.to.len()), ("https://a.example/?x=1", 1));
        let exchanging = |profile, rules: &[&ExchangeRule]| {
            let mut draft = draft(profile);
            draft.grant_types.insert(GrantType::TokenExchange);
            draft.exchange = rules.iter().copied().cloned().collect();
            draft
        };
        assert_eq!(fields(exchanging(Profile::ResourceServer, &[&rule])), Vec::<&str>::new());
        assert_eq!(fields(exchanging(Profile::Service, &[])), ["exchange"]);
        assert_eq!(fields(exchanging(Profile::Native, &[&rule])), ["grant_types"]);
        assert_eq!(fields(exchanging(Profile::Web, &[&rule, &rule])), ["exchange"]);
        let to_nothing = ExchangeRule { to: Vec::new(), ..rule.clone() };
        assert_eq!(fields(exchanging(Profile::Web, &[&to_nothing])), ["exchange"]);
        let mut without_the_grant = draft(Profile::Web);
        without_the_grant.exchange = vec![rule];
        assert_eq!(fields(without_the_grant), ["exchange"]);
        for text in ["https://a.example", "a=b", "https://a.example=", "=https://b.example"] {
            assert!(text.parse::<ExchangeRule>().is_err(), "{text}");
        }
    }
}
