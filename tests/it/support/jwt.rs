//! Tokens as a stranger reads them: jsonwebtoken, and nothing but the published keys.

use std::collections::HashSet;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Header, Validation, decode, decode_header};
use serde_json::Value;

use super::server::TestServer;

/// Header and claims of a token whose signature fits the key of its `kid` in the fetched JWKS. Times are left
/// to the test: the server's clock is not this machine's.
pub fn verified(server: &TestServer, token: &str, audience: &str) -> (Header, Value) {
    let set: JwkSet = serde_json::from_str(&server.client().get("/.well-known/jwks.json").body).unwrap();
    let header = decode_header(token).unwrap();
    let key = set.find(header.kid.as_deref().unwrap()).expect("the kid is published");
    // The algorithm is the one that the key says, never the token's own word.
    let algorithm = key.common.key_algorithm.unwrap().to_string().parse().unwrap();
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims = HashSet::from(["exp", "aud", "iss", "sub"].map(str::to_owned));
    validation.validate_exp = false;
    validation.set_audience(&[audience]);
    validation.set_issuer(&[&server.issuer]);
    let data = decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &validation).unwrap();
    (data.header, data.claims)
}

/// A body with its tokens taken out.
pub fn redacted(text: &str) -> String {
    let mut text = text.to_owned();
    for (start, end) in [("\"eyJ", '"'), ("\"csgn_", '"')] {
        while let Some(at) = text.find(start) {
            let until = at + 1 + text[at + 1..].find(end).unwrap();
            text.replace_range(at + 1..until, "…");
        }
    }
    text
}
