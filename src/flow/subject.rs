//! `sub`: by which name a client knows a user (OpenID Connect Core 1.0 §8).

use crate::base::Id;
use crate::domain::Client;

use super::Policy;

/// The user's `sub` for this client. Every client knows the user by the same one.
#[must_use]
pub fn sub_for(_policy: &Policy, _client: &Client, user: Id) -> String {
    user.to_string()
}
