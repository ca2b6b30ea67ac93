//! `sub`: by which name a client knows a user (OpenID Connect Core 1.0 §8).

use crate::base::Id;
use crate::base::encoding::{base64url, sha256};
use crate::domain::Client;
use crate::domain::client::openid::SubjectType;

use super::Policy;

/// The user's `sub` for this client.
///
/// Every client knows the user by the same one; where it is pairwise, all clients of one sector do, and nobody else can tell
/// that it is the same user (§8.1: "The Sector Identifier can be concatenated with a local account ID and a salt value that
/// is kept secret by the Provider. The concatenated string is then hashed").
#[must_use]
pub fn sub_for(policy: &Policy, client: &Client, user: Id) -> String {
    match (client.openid.subject_type, client.sector()) {
        (SubjectType::Pairwise, Some(sector)) => {
            base64url(&sha256(format!("{sector}\0{user}\0{}", policy.pairwise_salt).as_bytes()))
        }
        _ => user.to_string(),
    }
}
