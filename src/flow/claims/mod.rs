//! What is told of a user: the claims that a scope bears, and those that were asked for by name (OpenID Connect Core 1.0 §5.1,
//! §5.4, §5.5). What the user does not have is left out, as §5.3.2 wants it: "it SHOULD NOT be present with a null or empty
//! string value."

use serde_json::{Map, Value};

use crate::domain::custom_claims::About;
use crate::domain::{Client, User};
use crate::oauth::Scope;
use crate::oauth::claims::bearer;
use crate::oauth::claims_request::Wishes;

/// The claims that this scope bears.
#[must_use]
pub fn by_scope(user: &User, scope: &Scope) -> Map<String, Value> {
    let is_borne = |name: &str| bearer(name).is_some_and(|value| scope.contains(value));
    user.claims().into_iter().filter(|(name, _)| is_borne(name)).collect()
}

/// The claims that were asked for by name. Where a value was asked for, another one is not told; and what the client may not
/// ask for any more, it is not told either.
#[must_use]
pub fn by_name(user: &User, client: &Client, wishes: &Wishes) -> Map<String, Value> {
    if wishes.is_empty() {
        return Map::new();
    }
    let is_wished = |name: &str, value: &Value| {
        wishes.get(name).is_some_and(|wish| wish.accepts(value)) && may_ask(client, name)
    };
    user.claims().into_iter().filter(|(name, value)| is_wished(name, value)).collect()
}

/// What an operator wants told to this client beyond the standard claims.
#[must_use]
pub fn custom(user: &User, client: &Client, roles: &[String]) -> Map<String, Value> {
    client.openid.claims.about(About { user: Some(user), roles })
}

/// Whether a client may ask for a claim by name: it may ask for the scope value that bears it.
#[must_use]
pub fn may_ask(client: &Client, claim: &str) -> bool {
    bearer(claim).is_some_and(|value| client.scope.contains(value))
}
