//! What the server remembers of a browser, under a random name that only the browser's cookie holds.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::oauth::{Client, Tokens, Trouble, random_text};

/// Anybody can begin a login, so there must be an end to what is remembered.
const CAPACITY: usize = 10_000;
/// An access token that dies on its way to the API is of no use.
const RENEW_BEFORE: Duration = Duration::from_secs(10);

/// Things by random name, each for a while. In memory: a restart signs everybody out of this app (not of the issuer).
pub(crate) struct Store<T> {
    life: Duration,
    by_name: Mutex<HashMap<String, (Instant, T)>>,
}

impl<T> Store<T> {
    pub(crate) fn new(life: Duration) -> Self {
        Self { life, by_name: Mutex::default() }
    }

    /// Keeps `thing` and gives its name.
    pub(crate) fn keep(&self, thing: T, now: Instant) -> Result<String, Trouble> {
        let name = random_text()?;
        let mut by_name = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        if by_name.len() >= CAPACITY {
            by_name.retain(|_, (until, _)| now < *until);
        }
        if by_name.len() >= CAPACITY {
            return Err(Trouble::Other("too many people are signing in at this moment".to_owned()));
        }
        by_name.insert(name.clone(), (now + self.life, thing));
        Ok(name)
    }

    /// Gives the thing away: nobody gets it twice.
    pub(crate) fn take(&self, name: &str, now: Instant) -> Option<T> {
        let mut by_name = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        by_name.remove(name).filter(|(until, _)| now < *until).map(|(_, thing)| thing)
    }
}

impl<T: Clone> Store<T> {
    pub(crate) fn get(&self, name: &str, now: Instant) -> Option<T> {
        let by_name = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        by_name.get(name).filter(|(until, _)| now < *until).map(|(_, thing)| thing.clone())
    }
}

/// Somebody who is signed in.
pub(crate) struct SignedIn {
    /// The claims of the ID token, verified.
    pub(crate) claims: Value,
    /// What the userinfo endpoint tells of the same user.
    pub(crate) person: Value,
    /// For the sign-out at the issuer.
    pub(crate) id_token: String,
    /// One lock around the whole refresh: a refresh token is used once. Countersign forgives two requests at the same
    /// time that both use it; later, and with other issuers at once, that looks like a thief, and ends the session.
    tokens: Mutex<Tokens>,
}

impl SignedIn {
    pub(crate) fn new(claims: Value, person: Value, id_token: String, tokens: Tokens) -> Self {
        Self { claims, person, id_token, tokens: Mutex::new(tokens) }
    }

    /// The API's answer, with a new access token where the old one is dead or refused. Blocks.
    pub(crate) fn call_api(&self, client: &Client) -> Result<Value, Trouble> {
        let (token, was_renewed) = self.access_token(client, None)?;
        match client.call_api(&token) {
            Err(Trouble::Refused { code, .. }) if code == "invalid_token" && !was_renewed => {
                client.call_api(&self.access_token(client, Some(&token))?.0)
            }
            answer => answer,
        }
    }

    /// An access token other than `refused`, and whether it was got just now.
    fn access_token(&self, client: &Client, refused: Option<&str>) -> Result<(String, bool), Trouble> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let is_alive = Instant::now() + RENEW_BEFORE < tokens.expires_at;
        if is_alive && refused != Some(&tokens.access_token) {
            return Ok((tokens.access_token.clone(), false));
        }
        let refresh_token = tokens.refresh_token.as_deref().ok_or_else(|| Trouble::Refused {
            code: "invalid_grant".to_owned(),
            description: "the access token has expired, and there is no refresh token".to_owned(),
        })?;
        let mut next = client.refresh(refresh_token)?;
        // RFC 6749 §6: the issuer may send a new refresh token, and then the old one is to be discarded. Where it sends
        // none the old one stays. The ID token of the login stays in any case: who signed in does not change.
        next.refresh_token = next.refresh_token.or_else(|| tokens.refresh_token.take());
        *tokens = next;
        Ok((tokens.access_token.clone(), true))
    }
}

#[cfg(test)]
mod tests {
    use super::{CAPACITY, Store};
    use std::time::{Duration, Instant};

    #[test]
    fn a_thing_is_found_by_its_name_until_its_time_is_over() {
        let (store, start) = (Store::new(Duration::from_secs(60)), Instant::now());
        let name = store.keep("thing", start).unwrap();
        assert_eq!(store.get(&name, start + Duration::from_secs(59)), Some("thing"));
        assert_eq!(store.get(&name, start + Duration::from_secs(60)), None);
        assert_eq!(store.get("other", start), None);
    }

    #[test]
    fn a_login_is_taken_once() {
        let (store, start) = (Store::new(Duration::from_secs(60)), Instant::now());
        let name = store.keep("login", start).unwrap();
        assert_eq!(store.take(&name, start), Some("login"));
        assert_eq!(store.take(&name, start), None);
    }

    #[test]
    fn a_full_store_refuses_until_something_is_over() {
        let (store, start) = (Store::new(Duration::from_secs(60)), Instant::now());
        for n in 0..CAPACITY {
            store.keep(n, start).unwrap();
        }
        assert!(store.keep(0, start).is_err());
        assert!(store.keep(0, start + Duration::from_secs(60)).is_ok());
    }
}
