//! Encryption to a resource server's key: what keys are taken, and josekit's key agreement by the RFC's own example. That
//! tokens can be read by others is shown in `tests/it/rfc7516.rs`, without josekit.

use josekit::jwe::enc::A128GCM;
use josekit::jwe::{ECDH_ES, JweDecrypter as _, JweHeader};
use josekit::jwk::Jwk;
use serde_json::{Map, Value, json};

use super::key;
use crate::base::encoding::{base64url, from_base64url};
use crate::base::entropy::{Entropy, EntropyError, OsEntropy};
use crate::jose::encryption_key::EncryptionKeyError;
use crate::jose::{Content, EncryptError, Encrypter, EncryptionKey, JwkError};
use crate::oauth::algorithm::{ContentEncryption, KeyManagement, SigningAlgorithm};

fn members(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn read(value: &Value) -> Result<EncryptionKey, EncryptionKeyError> {
    EncryptionKey::read(&value.to_string(), None)
}

/// The public part of a signing key as a key without `use`, `alg` and `kid`.
fn plain(algorithm: SigningAlgorithm) -> Map<String, Value> {
    let mut jwk = members(key(algorithm).public().to_value());
    for name in ["use", "alg", "kid"] {
        jwk.remove(name);
    }
    jwk
}

fn with(algorithm: SigningAlgorithm, name: &str, value: Value) -> Result<EncryptionKey, EncryptionKeyError> {
    let mut jwk = plain(algorithm);
    jwk.insert(name.to_owned(), value);
    read(&jwk.into())
}

/// RFC 7518 Appendix C: what Bob derives from Alice's ephemeral key (RFC 7518 §4.6.2).
#[test]
fn the_key_agreement_is_that_of_the_rfc_s_own_example() {
    let header = json!({
        "alg": "ECDH-ES", "enc": "A128GCM", "apu": "QWxpY2U", "apv": "Qm9i",
        "epk": {
            "kty": "EC", "crv": "P-256",
            "x": "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0",
            "y": "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps"
        }
    });
    let bob = json!({
        "kty": "EC", "crv": "P-256",
        "x": "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
        "y": "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck",
        "d": "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw"
    });
    let decrypter = ECDH_ES.decrypter_from_jwk(&Jwk::from_map(members(bob)).unwrap()).unwrap();
    let header = JweHeader::from_map(members(header)).unwrap();
    let derived = decrypter.decrypt(None, &A128GCM, &header).unwrap();
    assert_eq!(base64url(&derived), "VqqN6vgjbSBcIijNcacQGg");
}

/// RFC 7638 §3: without a `kid` of its own the thumbprint names it, in PEM as in a JWK.
#[test]
fn a_key_is_the_same_in_both_forms_and_comes_out_by_the_allow_list() {
    for (signing, algorithm, pem) in [
        (SigningAlgorithm::Rs256, KeyManagement::RsaOaep256, josekit_pem(SigningAlgorithm::Rs256)),
        (SigningAlgorithm::Es256, KeyManagement::EcdhEs, None),
    ] {
        let mut jwk = plain(signing);
        jwk.insert("x5c".to_owned(), json!(["MIIB"]));
        jwk.insert("ext".to_owned(), true.into());
        let read_key = read(&jwk.clone().into()).unwrap();
        assert_eq!(read_key.algorithm(), algorithm);
        let out = read_key.to_members();
        assert_eq!((&out["use"], &out["kid"]), (&json!("enc"), &json!(read_key.kid())));
        let known = ["kty", "use", "kid", "crv", "x", "y", "n", "e"];
        assert!(out.keys().all(|name| known.contains(&name.as_str())), "{out:?}");
        // What comes out goes in again and is the same.
        assert_eq!(EncryptionKey::from_members(&out, None).unwrap().to_members(), out);
        if let Some(pem) = pem {
            assert_eq!(EncryptionKey::read(&pem, None).unwrap(), read_key);
        }
    }
    let named = with(SigningAlgorithm::Es256, "kid", "notes-1".into()).unwrap();
    assert_eq!((named.kid(), &named.to_members()["kid"]), ("notes-1", &json!("notes-1")));
}

fn josekit_pem(algorithm: SigningAlgorithm) -> Option<String> {
    let pair = crate::jose::backend::key_pair(algorithm, key(algorithm).pkcs8()).unwrap();
    String::from_utf8(pair.to_pem_public_key()).ok()
}

/// RFC 7518 §6.2.2, §6.3.2: whatever makes a key private is noticed, and none of it stands in the message.
#[test]
fn a_private_key_is_refused_loudly_in_every_form() {
    for algorithm in [SigningAlgorithm::Es256, SigningAlgorithm::Rs256, SigningAlgorithm::Es384] {
        let (jwk, pem) = (key(algorithm).to_jwk().unwrap(), key(algorithm).to_pem().unwrap());
        for text in [jwk.as_str(), pem.as_str()] {
            let refused = EncryptionKey::read(text, None).unwrap_err();
            assert_eq!(refused, EncryptionKeyError::Private);
            assert!(refused.to_string().contains("PRIVATE"), "{refused}");
        }
    }
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth"] {
        let refused = with(SigningAlgorithm::Rs256, name, "AQAB".into()).unwrap_err();
        assert_eq!(refused, EncryptionKeyError::Private, "{name}");
    }
}

/// RFC 7517 §4.2, §4.3, §4.4: a key that says what it is for is used for that alone.
#[test]
fn use_operations_and_alg_bind_where_they_are_there() {
    let es256 = SigningAlgorithm::Es256;
    for (name, value, word) in [
        ("use", json!("sig"), "use"),
        ("key_ops", json!(["verify"]), "key_ops"),
        ("alg", json!("ES256"), "alg"),
        ("alg", json!("RSA-OAEP-256"), "EC"),
        ("alg", json!(7), "alg"),
        ("kid", json!(7), "kid"),
        ("kid", json!(""), "kid"),
        ("kid", json!("k".repeat(129)), "kid"),
        ("kid", json!("a\nb"), "kid"),
    ] {
        let told = with(es256, name, value.clone()).unwrap_err().to_string();
        assert!(told.contains(word), "{name} {value}: {told}");
    }
    for (name, value) in [
        ("use", json!("enc")),
        ("alg", json!("ECDH-ES+A256KW")),
        ("key_ops", json!([])),
        ("key_ops", json!(["deriveKey", "deriveBits"])),
    ] {
        assert!(with(es256, name, value).is_ok(), "{name}");
    }
    let bound = with(es256, "alg", "ECDH-ES+A256KW".into()).unwrap();
    assert_eq!(bound.algorithm(), KeyManagement::EcdhEsA256Kw);
    // What it said stays with it, so that it binds at a later change too.
    let told = EncryptionKey::from_members(&bound.to_members(), Some(KeyManagement::EcdhEs)).unwrap_err();
    assert!(told.to_string().contains("ECDH-ES+A256KW"), "{told}");
}

/// RFC 8725 §3.2 and RFC 7518 §8.8: what the field has given up is refused with the reason, in the key too.
#[test]
fn an_algorithm_that_is_given_up_is_refused_with_the_reason() {
    for (name, why) in
        [("RSA1_5", "padding"), ("RSA-OAEP", "SHA-1"), ("PBES2-HS256+A128KW", "password"), ("dir", "shared")]
    {
        let told = with(SigningAlgorithm::Rs256, "alg", name.into()).unwrap_err().to_string();
        assert!(told.contains(name) && told.contains(why), "{told}");
    }
}

/// RFC 7518 §6.2 and §6.3: the curves and the strength that are taken.
#[test]
fn weak_broken_and_foreign_keys_are_refused() {
    let refused = |value: Value, word: &str| {
        let told = read(&value).unwrap_err().to_string();
        assert!(told.contains(word), "{value}: {told}");
    };
    let n = base64url(&[0xC5; 128]);
    refused(json!({"kty": "RSA", "n": n, "e": "AQAB"}), "2048");
    refused(json!({"kty": "oct", "k": "c2VjcmV0"}), "kty");
    refused(json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(&[1; 32])}), "crv");
    refused(json!({"kty": "OKP", "crv": "X448", "x": base64url(&[1; 56])}), "crv");
    refused(json!({"kty": "EC", "crv": "secp256k1", "x": "AQ", "y": "AQ"}), "crv");
    refused(json!({"keys": [plain(SigningAlgorithm::Es256)]}), "JWK Set");
    // RFC 7748 §6.1: a point of small order makes every shared secret zero.
    refused(json!({"kty": "OKP", "crv": "X25519", "x": base64url(&[0; 32])}), "refused");
    refused(json!({"kty": "OKP", "crv": "X25519", "x": base64url(&[9; 31])}), "\"x\"");
    for (algorithm, bytes) in
        [(SigningAlgorithm::Es256, 32), (SigningAlgorithm::Es384, 48), (SigningAlgorithm::Es512, 66)]
    {
        let mut off = plain(algorithm);
        let mut y = from_base64url(off["y"].as_str().unwrap()).unwrap();
        *y.last_mut().unwrap() ^= 1;
        assert_eq!(y.len(), bytes);
        off.insert("y".to_owned(), base64url(&y).into());
        refused(off.into(), "refused");
    }
    for (text, word) in [
        ("", "neither a JWK nor a PEM"),
        ("{\"kty\":\"EC\",\"kty\":\"RSA\"}", "unique"),
        ("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "openssl x509"),
        ("-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----", "no public key could be read"),
        (&" ".repeat(17_000), "longer than"),
    ] {
        let told = EncryptionKey::read(text, None).unwrap_err().to_string();
        assert!(told.contains(word), "{text}: {told}");
    }
    let rsa = Value::from(plain(SigningAlgorithm::Rs256)).to_string();
    let told = EncryptionKey::read(&rsa, Some(KeyManagement::EcdhEs)).unwrap_err();
    assert!(matches!(told, EncryptionKeyError::Jwk(JwkError::WrongKind("ECDH-ES", _))), "{told}");
}

struct Dry;
impl Entropy for Dry {
    fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
        Err(EntropyError)
    }
}

#[test]
fn nothing_is_encrypted_without_randomness_and_nothing_twice_alike() {
    let key = read(&plain(SigningAlgorithm::Rs256).into()).unwrap();
    let encrypter = Encrypter::new(&key, ContentEncryption::A256Gcm, Content::AccessToken).unwrap();
    assert!(matches!(encrypter.encrypt("a.b.c", &Dry), Err(EncryptError::Entropy(_))));
    let tokens = [(); 2].map(|()| encrypter.encrypt("a.b.c", &OsEntropy).unwrap());
    let [one, other] = tokens.each_ref().map(|token| token.split('.').collect::<Vec<_>>());
    assert_eq!(one[0], other[0], "the header of RSA is the same each time");
    for at in 1..5 {
        assert_ne!(one[at], other[at], "part {at}");
    }
    assert_eq!(format!("{encrypter:?}"), format!("Encrypter({}, A256GCM)", key.kid()));
}
