//! `client_secret_basic` and `client_secret_post` (RFC 6749 §2.3.1). Secrets are machine-made and carry 256 bits, so one
//! SHA-256 is the right hash.

use crate::base::{HashedToken, Timestamp};
use crate::domain::ClientSecret;

/// Whether `shown` is one of the client's secrets that still count.
pub(super) fn check(secrets: &[ClientSecret], shown: &str, now: Timestamp) -> Result<(), &'static str> {
    if secrets.iter().any(|secret| secret.accepts(shown, now)) {
        return Ok(());
    }
    if secrets.iter().any(|secret| secret.hash.matches(shown)) {
        return Err("the secret has expired");
    }
    Err("the secret is wrong")
}

/// Hashes what was shown for a client that does not exist, so that the answer takes the same time.
pub(super) fn waste_time(shown: Option<&str>) {
    std::hint::black_box(HashedToken::of(shown.unwrap_or_default()));
}
