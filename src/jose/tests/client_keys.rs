//! Which key of a client is for what, and what its assertions are verified with.

use serde_json::{Map, Value, json};

use super::key;
use crate::base::encoding::base64url;
use crate::jose::{Assertion, AssertionError, ClientKeySet, NoKey, PrivateKey};
use crate::oauth::AssertionAlgorithm;
use crate::oauth::algorithm::{KeyManagement, SigningAlgorithm};
use crate::oauth::assertion_algorithm::MacAlgorithm;

fn jwk(key: &PrivateKey, changes: &Value) -> Value {
    let mut members: Map<String, Value> = key.public().to_value().as_object().unwrap().clone();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            members.remove(name)
        } else {
            members.insert(name.clone(), value.clone())
        };
    }
    Value::Object(members)
}

fn set(keys: &[Value]) -> ClientKeySet {
    ClientKeySet::read(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

#[test]
fn a_key_is_chosen_by_its_name_and_by_what_it_is_for() {
    let (es, rs) = (key(SigningAlgorithm::Es256), key(SigningAlgorithm::Rs256));
    let plain = json!({ "use": null, "alg": null, "kid": null });
    let keys =
        set(&[jwk(&es, &json!({ "kid": "a" })), jwk(&rs, &plain), json!({ "kty": "other" }), json!(7)]);
    let found = |algorithm, kid| keys.signature_key(algorithm, kid).map(|key| key.public().kid().to_owned());
    assert_eq!(found(SigningAlgorithm::Es256, Some("a")).unwrap(), es.public().kid());
    assert_eq!(found(SigningAlgorithm::Es256, None).unwrap(), es.public().kid());
    // A key that says nothing is for every algorithm of its kind.
    assert_eq!(found(SigningAlgorithm::Rs256, None).unwrap(), rs.public().kid());
    assert_eq!(found(SigningAlgorithm::Ps256, None).unwrap(), rs.public().kid());
    for (algorithm, kid) in [
        (SigningAlgorithm::Es256, Some("b")),
        (SigningAlgorithm::Es384, None),
        (SigningAlgorithm::EdDsa, None),
        (SigningAlgorithm::Rs256, Some("a")),
    ] {
        let error = found(algorithm, kid).unwrap_err();
        assert!(error.may_come(), "{algorithm} {kid:?}: {error}");
    }
}

#[test]
fn of_several_keys_none_is_guessed() {
    let keys = [key(SigningAlgorithm::Es256), key(SigningAlgorithm::Es256)];
    let both =
        set(&[jwk(&keys[0], &json!({ "kid": "a" })), jwk(&keys[1], &json!({ "kid": "b", "x": "AAAA" }))]);
    // The second is broken.
    assert!(both.signature_key(SigningAlgorithm::Es256, None).is_ok());
    let error = both.signature_key(SigningAlgorithm::Es256, Some("b")).err().unwrap();
    assert!(matches!(error, NoKey::Unusable(..)) && !error.may_come(), "{error}");
    let twice = set(&[jwk(&keys[0], &json!({ "kid": "a" })), jwk(&keys[1], &json!({ "kid": "a" }))]);
    let error = twice.signature_key(SigningAlgorithm::Es256, Some("a")).err().unwrap();
    assert!(matches!(error, NoKey::Several(_)), "{error}");
}

#[test]
fn a_set_that_is_none_and_keys_that_are_private_give_nothing() {
    for text in ["", "[]", "{}", "{\"keys\":{}}", "{\"keys\":[],\"keys\":[]}"] {
        assert!(ClientKeySet::read(text.as_bytes()).is_err(), "{text}");
    }
    let es = key(SigningAlgorithm::Es256);
    for secret in ["d", "k", "p"] {
        let keys = set(&[jwk(&es, &json!({ secret: "AAAA" }))]);
        assert!(keys.signature_key(SigningAlgorithm::Es256, None).is_err(), "{secret}");
    }
    let keys = set(&[jwk(&es, &json!({ "use": "enc", "alg": null }))]);
    assert!(keys.signature_key(SigningAlgorithm::Es256, None).is_err());
    assert!(keys.encryption_key(KeyManagement::EcdhEs).is_ok());
    assert!(keys.encryption_key(KeyManagement::RsaOaep256).is_err());
    let signs = set(&[jwk(&es, &json!({}))]);
    assert!(signs.encryption_key(KeyManagement::EcdhEs).is_err());
}

#[test]
fn an_assertion_is_verified_by_the_algorithm_that_it_and_the_key_name() {
    let (header, claims) = (json!({ "alg": "HS256", "kid": "k" }), json!({ "sub": "a" }));
    let text = [header, claims].map(|part| base64url(part.to_string().as_bytes())).join(".");
    let token = format!("{text}.{}", base64url(&[0; 32]));
    let assertion = Assertion::read(&token).unwrap();
    assert_eq!(assertion.algorithm(), AssertionAlgorithm::Mac(MacAlgorithm::Hs256));
    assert_eq!((assertion.kid(), &assertion.claims()["sub"]), (Some("k"), &json!("a")));
    assert!(!assertion.is_authenticated_by(&[7; 32]) && !assertion.is_authenticated_by(b""));
    let keys = set(&[jwk(&key(SigningAlgorithm::Es256), &json!({}))]);
    assert!(!assertion.is_signed_by(&keys.signature_key(SigningAlgorithm::Es256, None).unwrap()));
}

#[test]
fn what_is_no_assertion_is_not_read() {
    let token = |header: &str| format!("{}.e30.AAAA", base64url(header.as_bytes()));
    for (text, expected) in [
        (token("{}"), AssertionError::Malformed),
        (token("{\"alg\":7}"), AssertionError::Malformed),
        (token("{\"alg\":\"ES256\",\"crit\":[]}"), AssertionError::Extension),
        (token("{\"alg\":\"ES256\",\"b64\":true}"), AssertionError::Extension),
        (token("{\"alg\":\"ES256\",\"typ\":\"logout+jwt\"}"), AssertionError::WrongType),
        (token(&format!("{{\"alg\":\"ES256\",\"kid\":\"{}\"}}", "k".repeat(257))), AssertionError::Malformed),
        (format!("{}.e30.AA=", base64url(b"{\"alg\":\"ES256\"}")), AssertionError::Malformed),
        ("e30.e30".to_owned(), AssertionError::Malformed),
        (String::new(), AssertionError::Malformed),
        ("a".repeat(16_385), AssertionError::TooLong),
    ] {
        assert_eq!(Assertion::read(&text).err(), Some(expected), "{text}");
    }
    assert!(matches!(Assertion::read(&token("{\"alg\":\"none\"}")), Err(AssertionError::Algorithm(_))));
}
