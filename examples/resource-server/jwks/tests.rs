//! When keys are fetched, and which of them are usable. The clock is an argument, so no test waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Fetched, KeyStore, Missing, usable_keys};

/// An Ed25519 key from RFC 8037, appendix A.2.
const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn key(kid: &str) -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "x": X, "kid": kid, "alg": "EdDSA", "use": "sig"})
}

/// A store whose issuer publishes one more key with every fetch: `key-1`, then also `key-2`, … Fetch number `down`
/// fails. The counter counts fetches.
fn store(down: usize) -> (KeyStore, Arc<AtomicUsize>) {
    let fetches = Arc::new(AtomicUsize::new(0));
    let counter = fetches.clone();
    let source = move || {
        let fetch = counter.fetch_add(1, Ordering::SeqCst) + 1;
        if fetch == down {
            return Err("down".to_owned());
        }
        let keys: Vec<Value> = (1..=fetch).map(|n| key(&format!("key-{n}"))).collect();
        Ok(Fetched { jwks: json!({"keys": keys}), max_age: Duration::from_secs(300) })
    };
    (KeyStore::new(Box::new(source)), fetches)
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[test]
fn keys_are_fetched_once_and_kept() {
    let (store, fetches) = store(0);
    let start = Instant::now();
    assert_eq!(fetches.load(Ordering::SeqCst), 0);
    for later in [0, 1, 299] {
        assert!(store.find("key-1", start + seconds(later)).is_ok());
    }
    assert_eq!(fetches.load(Ordering::SeqCst), 1);
}

#[test]
fn keys_are_fetched_again_when_their_time_is_over() {
    let (store, fetches) = store(0);
    let start = Instant::now();
    assert!(store.find("key-1", start).is_ok());
    assert!(store.find("key-1", start + seconds(300)).is_ok());
    assert_eq!(fetches.load(Ordering::SeqCst), 2);
}

#[test]
fn an_unknown_key_id_fetches_at_once_so_that_a_rotation_is_not_noticed() {
    let (store, _) = store(0);
    let start = Instant::now();
    assert!(store.find("key-1", start).is_ok());
    assert!(store.find("key-2", start).is_ok());
}

#[test]
fn invented_key_ids_do_not_hammer_the_issuer() {
    let (store, fetches) = store(0);
    let start = Instant::now();
    assert!(store.find("key-1", start).is_ok());
    for n in 0..100 {
        let found = store.find(&format!("invented-{n}"), start + Duration::from_millis(99 * n));
        assert_eq!(found.err(), Some(Missing::Unknown));
    }
    assert_eq!(fetches.load(Ordering::SeqCst), 2);
    assert!(store.find("invented", start + seconds(10)).is_err());
    assert_eq!(fetches.load(Ordering::SeqCst), 3);
}

#[test]
fn known_keys_outlive_a_failing_issuer() {
    let (store, fetches) = store(2);
    let start = Instant::now();
    assert!(store.find("key-1", start).is_ok());
    assert!(store.find("key-1", start + seconds(301)).is_ok());
    assert_eq!(fetches.load(Ordering::SeqCst), 2);
}

#[test]
fn an_issuer_that_was_down_is_asked_again_after_a_second() {
    let (store, fetches) = store(1);
    let start = Instant::now();
    assert_eq!(store.find("key-1", start).err(), Some(Missing::Unavailable("down".to_owned())));
    assert!(store.find("key-1", start + Duration::from_millis(500)).is_err());
    assert_eq!(fetches.load(Ordering::SeqCst), 1);
    assert!(store.find("key-1", start + seconds(1)).is_ok());
}

#[test]
fn keys_that_must_not_verify_tokens_are_passed_over() {
    let mut encryption = key("a");
    encryption["use"] = json!("enc");
    let mut other_algorithm = key("b");
    other_algorithm["alg"] = json!("ES256");
    let mut short = key("c");
    short["x"] = json!("AAAA");
    let mut nameless = key("d");
    nameless.as_object_mut().unwrap().remove("kid");
    let published = json!({"keys": [
        encryption, other_algorithm, short, nameless,
        {"kty": "oct", "k": "c2VjcmV0", "kid": "e", "alg": "HS256"},
        {"kty": "RSA", "n": "short", "e": "AQAB", "kid": "f", "alg": "RS256"},
        {"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA", "kid": "g", "alg": "ES512"},
        {"kty": "AKP", "kid": "h", "alg": "ML-DSA-44"}, "nonsense", key("good"),
    ]});
    let names: Vec<String> = usable_keys(&published).iter().map(|key| key.kid.clone()).collect();
    assert_eq!(names, ["good"]);
}

#[test]
fn what_is_no_key_set_holds_no_keys() {
    for nonsense in [json!({}), json!([]), json!({"keys": {}}), json!(null)] {
        assert!(usable_keys(&nonsense).is_empty());
    }
}
