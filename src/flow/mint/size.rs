//! Tells the operator of tokens that are too large for comfort. They travel in a header (RFC 6750 §2.1), and servers and
//! proxies commonly take 8 KB of headers in all.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value;

use crate::base::{Seconds, Timestamp};
use crate::domain::Client;
use crate::flow::Cx;

const LARGE_BYTES: usize = 4096;
/// How many claims are named: what makes a token large is one or two of them.
const NAMED: usize = 3;
/// How long nothing more is said of the same client and audience.
const QUIET: Seconds = Seconds(3600);

/// When it was last told, by client and audience. Grows no further than there are pairs of them in one hour.
#[derive(Default)]
pub(in crate::flow) struct Told(Mutex<HashMap<(String, String), Timestamp>>);

impl Told {
    /// Whether it is time to tell, which is noted.
    fn is_due(&self, client: &str, audience: &str, now: Timestamp) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|_, at| now - *at < QUIET);
        let key = (client.to_owned(), audience.to_owned());
        let is_due = !told.contains_key(&key);
        told.entry(key).or_insert(now);
        is_due
    }
}

/// Names the largest claims of a token above 4 KB with their sizes, never their values.
pub(super) fn warn_if_large(cx: &Cx, client: &Client, audience: &str, token: &str, claims: &impl Serialize) {
    if token.len() > LARGE_BYTES && cx.snapshot.told.is_due(client.id.as_str(), audience, cx.now) {
        tracing::warn!(
            client = %client.id,
            audience,
            token_bytes = token.len(),
            largest_claims = largest(claims),
            "a token is larger than {LARGE_BYTES} bytes: it may not fit into the headers that servers and proxies take"
        );
    }
}

fn largest(claims: &impl Serialize) -> String {
    let Ok(Value::Object(claims)) = serde_json::to_value(claims) else { return String::new() };
    let mut sizes: Vec<(usize, String)> =
        claims.into_iter().map(|(name, value)| (value.to_string().len(), name)).collect();
    sizes.sort_by(|a, b| b.cmp(a));
    let named: Vec<String> =
        sizes.into_iter().take(NAMED).map(|(bytes, name)| format!("{name} ({bytes} bytes)")).collect();
    named.join(", ")
}
