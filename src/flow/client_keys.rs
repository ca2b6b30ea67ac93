//! The keys that a client registered (RFC 7517 §5; OpenID Connect Core 1.0 §10.2.1).

use serde_json::{Map, Value};

use crate::domain::Client;
use crate::jose::EncryptionKey;
use crate::oauth::algorithm::KeyManagement;
use crate::oauth::{ErrorCode, OAuthError};

use super::Cx;

/// The key of the client to which something is encrypted with `alg`: the first that fits, one that says that it is for
/// encryption before one that says nothing. A key that says that it is for something else is never taken (RFC 7517 §4.2,
/// §4.4).
///
/// # Errors
/// `invalid_request` when the client has no such key.
pub fn encryption_key(_cx: &Cx, client: &Client, alg: KeyManagement) -> Result<EncryptionKey, OAuthError> {
    let set = client.openid.jwks.as_ref();
    let keys = set.and_then(|set| set.get("keys")).and_then(Value::as_array).map(Vec::as_slice);
    let members: Vec<&Map<String, Value>> =
        keys.unwrap_or_default().iter().filter_map(Value::as_object).collect();
    let says = |members: &&&Map<String, Value>| members.contains_key("use") || members.contains_key("alg");
    let (first, then): (Vec<_>, Vec<_>) = members.iter().partition(says);
    first.into_iter().chain(then).find_map(|key| EncryptionKey::from_members(key, Some(alg)).ok()).ok_or_else(
        || {
            OAuthError::new(ErrorCode::InvalidRequest)
                .describe(format!("none of the client's keys is for encryption with {alg}"))
                .because(format!("client {}: see its jwks", client.id))
        },
    )
}
