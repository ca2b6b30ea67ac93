//! The issuer's public keys: which of them are usable, how long they are believed, when they are fetched again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, TryLockError};
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

/// A `kid` that is not known may be a new key, so the keys are fetched once more. But a token costs an attacker nothing,
/// so tokens with invented `kid`s must not turn this server into a hammer on the issuer.
const BETWEEN_FETCHES_FOR_UNKNOWN_KIDS: Duration = Duration::from_secs(10);
/// After a fetch that failed.
const BEFORE_RETRY: Duration = Duration::from_secs(1);

/// One key of the issuer.
pub(crate) struct Key {
    kid: String,
    /// What it may be used with. Decided from the key, not from the token.
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) decoding: DecodingKey,
}

/// A key set as it came over the wire.
pub(crate) struct Fetched {
    pub(crate) jwks: Value,
    /// From `Cache-Control`: how long the issuer says that it may be kept.
    pub(crate) max_age: Duration,
}

/// Where the keys come from: discovery in the program, a closure in the tests. The error is for the log.
pub(crate) type Source = Box<dyn Fn() -> Result<Fetched, String> + Send + Sync>;

/// Why a key was not found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// The issuer was asked, lately enough, and has no such key.
    Unknown,
    /// The issuer could not be asked, ever.
    Unavailable(String),
}

/// The cache.
pub(crate) struct KeyStore {
    source: Source,
    cached: RwLock<Cached>,
    /// Held while fetching, so that a burst of requests makes one fetch.
    fetching: Mutex<Fetching>,
}

#[derive(Default)]
struct Cached {
    keys: Vec<Arc<Key>>,
    /// `None` before the first fetch that succeeded.
    fresh_until: Option<Instant>,
}

#[derive(Default)]
struct Fetching {
    last_for_unknown_kid: Option<Instant>,
    last_failure: Option<(Instant, String)>,
}

impl KeyStore {
    pub(crate) fn new(source: Source) -> Self {
        Self { source, cached: RwLock::default(), fetching: Mutex::default() }
    }

    /// The key of that name. Blocks while the issuer is asked.
    pub(crate) fn find(&self, kid: &str, now: Instant) -> Result<Arc<Key>, Missing> {
        let (known, fresh) = self.look_up(kid, now);
        let gate = match known {
            Some(key) if fresh => return Ok(key),
            // The key was good a moment ago. One request renews the set; the others need not wait for it.
            Some(key) => match self.fetching.try_lock() {
                Err(TryLockError::WouldBlock) => return Ok(key),
                gate => gate.unwrap_or_else(|poisoned| match poisoned {
                    TryLockError::Poisoned(poisoned) => poisoned.into_inner(),
                    TryLockError::WouldBlock => unreachable!("the arm above took it"),
                }),
            },
            None => self.fetching.lock().unwrap_or_else(PoisonError::into_inner),
        };
        self.fetch_if_due(gate, kid, now)
    }

    fn fetch_if_due(
        &self,
        mut gate: MutexGuard<'_, Fetching>,
        kid: &str,
        now: Instant,
    ) -> Result<Arc<Key>, Missing> {
        // Another request may have fetched while this one waited at the gate.
        let (known, fresh) = self.look_up(kid, now);
        let passed =
            |since: Option<Instant>, least| since.is_none_or(|since| now.duration_since(since) >= least);
        let failed_at = gate.last_failure.as_ref().map(|(at, _)| *at);
        let due = passed(failed_at, BEFORE_RETRY)
            && match (&known, fresh) {
                (Some(_), true) => false,
                (_, false) => true,
                (None, true) => passed(gate.last_for_unknown_kid, BETWEEN_FETCHES_FOR_UNKNOWN_KIDS),
            };
        if due {
            if known.is_none() && fresh {
                gate.last_for_unknown_kid = Some(now);
            }
            match (self.source)() {
                Ok(fetched) => {
                    let mut cached = self.cached.write().unwrap_or_else(PoisonError::into_inner);
                    cached.keys = usable_keys(&fetched.jwks);
                    cached.fresh_until = Some(now + fetched.max_age);
                    gate.last_failure = None;
                }
                // What was fetched before stays in use: an issuer that is down for a minute must not stop this API.
                Err(why) => gate.last_failure = Some((now, why)),
            }
        }
        match (self.look_up(kid, now).0, &gate.last_failure) {
            (Some(key), _) => Ok(key),
            (None, Some((_, why))) => Err(Missing::Unavailable(why.clone())),
            (None, None) => Err(Missing::Unknown),
        }
    }

    /// The key, and whether the set that it was sought in is fresh.
    fn look_up(&self, kid: &str, now: Instant) -> (Option<Arc<Key>>, bool) {
        let cached = self.cached.read().unwrap_or_else(PoisonError::into_inner);
        let key = cached.keys.iter().find(|key| key.kid == kid).cloned();
        (key, cached.fresh_until.is_some_and(|until| now < until))
    }
}

/// RFC 7517 §5: "Implementations SHOULD ignore JWKs within a JWK Set that use "kty" (key type) values that are not
/// understood by them, that are missing required members, or for which values are out of the supported ranges."
fn usable_keys(jwks: &Value) -> Vec<Arc<Key>> {
    let keys = jwks.get("keys").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    keys.iter().filter_map(usable_key).map(Arc::new).collect()
}

fn usable_key(jwk: &Value) -> Option<Key> {
    let jwk: Jwk = serde_json::from_value(jwk.clone()).ok()?;
    if jwk.common.public_key_use.as_ref().is_some_and(|purpose| *purpose != PublicKeyUse::Signature) {
        return None;
    }
    let fitting: &[Algorithm] = match &jwk.algorithm {
        // RFC 7518 §3.3: "A key of size 2048 bits or larger MUST be used". 2048 bits are 342 characters.
        AlgorithmParameters::RSA(rsa) if rsa.n.len() >= 342 => &[Algorithm::RS256, Algorithm::PS256],
        AlgorithmParameters::EllipticCurve(ec) => match ec.curve {
            EllipticCurve::P256 => &[Algorithm::ES256],
            EllipticCurve::P384 => &[Algorithm::ES384],
            _ => return None,
        },
        // 32 bytes are 43 characters; jsonwebtoken panics on fewer.
        AlgorithmParameters::OctetKeyPair(okp)
            if okp.curve == EllipticCurve::Ed25519 && okp.x.len() == 43 =>
        {
            &[Algorithm::EdDSA]
        }
        // A symmetric key that is published is no secret, so nothing that it signs means anything.
        _ => return None,
    };
    let declared = jwk.common.key_algorithm;
    let algorithms: Vec<Algorithm> = fitting
        .iter()
        .copied()
        .filter(|&fits| declared.is_none_or(|declared| declared == KeyAlgorithm::from(fits)))
        .collect();
    if algorithms.is_empty() {
        return None;
    }
    let decoding = DecodingKey::from_jwk(&jwk).ok()?;
    Some(Key { kid: jwk.common.key_id?, algorithms, decoding })
}

#[cfg(test)]
mod tests;
