//! Public keys: what comes out, and what does not come in.

use serde_json::{Value, json};

use super::key;
use crate::base::encoding::{base64url, from_base64url};
use crate::jose::{JwkError, PublicJwk};
use crate::oauth::algorithm::SigningAlgorithm;

/// RFC 7638 §3.1.
const RFC_7638_N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

#[test]
fn the_thumbprint_is_that_of_the_rfc_s_own_example() {
    let jwk = json!({"kty": "RSA", "n": RFC_7638_N, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"});
    let jwk = PublicJwk::from_json(&jwk.to_string(), SigningAlgorithm::Rs256).unwrap();
    assert_eq!(jwk.kid(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

#[test]
fn the_thumbprint_of_an_ed25519_key_is_that_of_rfc_8037_appendix_a_3() {
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let jwk = PublicJwk::from_json(&jwk.to_string(), SigningAlgorithm::EdDsa).unwrap();
    assert_eq!(jwk.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

/// RFC 7518 §6.3.1.1: "Note that implementers have found that some cryptographic libraries prefix an extra zero-valued
/// octet to the modulus representations they return".
#[test]
fn leading_zeros_of_a_modulus_make_no_other_key() {
    let n = [&[0, 0], from_base64url(RFC_7638_N).unwrap().as_slice()].concat();
    let jwk = json!({"kty": "RSA", "n": base64url(&n), "e": "AAEAAQ"});
    let jwk = PublicJwk::from_json(&jwk.to_string(), SigningAlgorithm::Rs256).unwrap();
    assert_eq!(jwk.kid(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

/// The private JWK of each type goes in whole, with a symmetric `k` and `oth` besides; only public members come out.
#[test]
fn private_members_never_come_out_of_any_key_type() {
    for algorithm in SigningAlgorithm::ALL {
        let private = key(algorithm).to_jwk().unwrap();
        let mut members: serde_json::Map<String, Value> = serde_json::from_str(&private).unwrap();
        assert!(members.contains_key("d"), "{algorithm}: the test must start from a private key");
        members.insert("k".into(), "c2VjcmV0".into());
        members.insert("oth".into(), json!([{"r": "AQ", "d": "AQ", "t": "AQ"}]));
        let public = PublicJwk::from_json(&Value::Object(members.clone()).to_string(), algorithm).unwrap();
        let out = public.to_value();
        let names: Vec<&str> = out.as_object().unwrap().keys().map(String::as_str).collect();
        let allowed = ["kty", "use", "alg", "kid", "crv", "x", "y", "n", "e"];
        assert!(names.iter().all(|name| allowed.contains(name)), "{algorithm}: {names:?}");
        for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(out.get(name).is_none(), "{algorithm}: {name}");
            if let Some(secret) = members.get(name).and_then(Value::as_str) {
                assert!(!public.to_json().contains(secret), "{algorithm}: the value of {name}");
                assert!(!format!("{public:?}").contains(secret), "{algorithm}: the value of {name}");
            }
        }
    }
}

#[test]
fn a_public_key_reads_back_what_it_writes() {
    for algorithm in SigningAlgorithm::ALL {
        let public = key(algorithm).public().clone();
        assert_eq!(PublicJwk::from_json(&public.to_json(), algorithm), Ok(public));
    }
}

#[test]
fn a_point_beside_its_curve_is_refused() {
    for algorithm in [SigningAlgorithm::Es256, SigningAlgorithm::Es384, SigningAlgorithm::Es512] {
        let mut jwk = key(algorithm).public().to_value();
        let mut y = from_base64url(jwk["y"].as_str().unwrap()).unwrap();
        *y.last_mut().unwrap() ^= 1;
        jwk["y"] = base64url(&y).into();
        let refused = PublicJwk::from_json(&jwk.to_string(), algorithm);
        assert!(matches!(refused, Err(JwkError::Refused(_))), "{algorithm}: {refused:?}");
    }
}

/// RFC 7518 §3.3: "A key of size 2048 bits or larger MUST be used with these algorithms."
#[test]
fn weak_rsa_keys_are_refused() {
    let refused = |n: &str, e: &str| {
        let jwk = json!({"kty": "RSA", "n": n, "e": e}).to_string();
        matches!(PublicJwk::from_json(&jwk, SigningAlgorithm::Rs256), Err(JwkError::Refused(_)))
    };
    let mut short = vec![0xff; 255];
    short[254] |= 1;
    assert!(refused(&base64url(&short), "AQAB"), "2040 bits");
    assert!(refused(RFC_7638_N, "Aw"), "e = 3");
    assert!(refused(RFC_7638_N, "AQAC"), "an even e");
    assert!(refused(RFC_7638_N, "AQ"), "e = 1");
    let mut even = from_base64url(RFC_7638_N).unwrap();
    *even.last_mut().unwrap() &= 0xfe;
    assert!(refused(&base64url(&even), "AQAB"), "an even n");
    assert!(!refused(RFC_7638_N, "AQAB"));
}

/// RFC 7517 §4.4: "alg" is the algorithm that the key is intended for.
#[test]
fn a_key_is_taken_for_its_own_algorithm_only() {
    for algorithm in SigningAlgorithm::ALL {
        let jwk = key(algorithm).public().to_json();
        for other in SigningAlgorithm::ALL.into_iter().filter(|other| *other != algorithm) {
            assert!(PublicJwk::from_json(&jwk, other).is_err(), "{algorithm} as {other}");
        }
    }
}

/// RFC 7517 §4.2: a key whose "use" is "enc" verifies nothing. RFC 7518 §6.2.1.2: a coordinate has its full length.
#[test]
fn other_uses_curves_and_shapes_are_refused() {
    let good = key(SigningAlgorithm::Es256).public().to_value();
    let with = |name: &str, value: Value| {
        let mut jwk = good.clone();
        jwk[name] = value;
        PublicJwk::from_json(&jwk.to_string(), SigningAlgorithm::Es256)
    };
    assert!(with("kid", "another".into()).is_ok_and(|jwk| good["kid"] == jwk.kid()));
    assert!(matches!(with("use", "enc".into()), Err(JwkError::WrongKind(..))));
    assert!(matches!(with("crv", "secp256k1".into()), Err(JwkError::WrongKind(..))));
    assert!(matches!(with("kty", "oct".into()), Err(JwkError::WrongKind(..))));
    assert!(matches!(with("x", "AQ".into()), Err(JwkError::Member("x"))));
    assert!(matches!(with("y", Value::Null), Err(JwkError::Member("y"))));
    let twice = good.to_string().replacen('{', r#"{"crv":"P-384","#, 1);
    assert_eq!(PublicJwk::from_json(&twice, SigningAlgorithm::Es256), Err(JwkError::NotAnObject));
    let long = format!("{}{}", good, " ".repeat(20_000));
    assert_eq!(PublicJwk::from_json(&long, SigningAlgorithm::Es256), Err(JwkError::NotAnObject));
}
