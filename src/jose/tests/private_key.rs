//! Private keys: made, taken in, given out.

use josekit::jwk::KeyPair as _;
use josekit::jwk::alg::ec::{EcCurve, EcKeyPair};
use josekit::jwk::alg::ed::{EdCurve, EdKeyPair};
use josekit::jwk::alg::rsa::RsaKeyPair;
use serde_json::Value;

use super::{RSA, key};
use crate::base::entropy::{Entropy, EntropyError, OsEntropy};
use crate::jose::{JwkError, KeyError, PrivateKey};
use crate::oauth::algorithm::SigningAlgorithm;

fn text(pem: Vec<u8>) -> String {
    String::from_utf8(pem).unwrap()
}

#[test]
fn every_kind_of_key_leaves_and_comes_back_as_pem_and_as_jwk() {
    for algorithm in SigningAlgorithm::ALL {
        let made = key(algorithm);
        let pem = made.to_pem().unwrap();
        assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"), "{algorithm}");
        assert_eq!(PrivateKey::from_pem(&pem, algorithm).unwrap().public(), made.public(), "{algorithm} PEM");
        let jwk = made.to_jwk().unwrap();
        assert_eq!(PrivateKey::from_jwk(&jwk, algorithm).unwrap().public(), made.public(), "{algorithm} JWK");
    }
}

#[test]
fn the_traditional_pem_forms_are_taken_in() {
    for (curve, algorithm) in [
        (EcCurve::P256, SigningAlgorithm::Es256),
        (EcCurve::P384, SigningAlgorithm::Es384),
        (EcCurve::P521, SigningAlgorithm::Es512),
    ] {
        let pair = EcKeyPair::generate(curve).unwrap();
        let sec1 = text(pair.to_traditional_pem_private_key());
        assert!(sec1.starts_with("-----BEGIN EC PRIVATE KEY-----"));
        // `openssl ecparam -genkey` writes a block with the curve before the key.
        let sec1 =
            format!("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n{sec1}");
        let taken = PrivateKey::from_pem(&sec1, algorithm).unwrap();
        let again = PrivateKey::from_pem(&text(pair.to_pem_private_key()), algorithm).unwrap();
        assert_eq!(taken.public(), again.public());
    }
    let pkcs1 = text(RsaKeyPair::from_der(RSA.pkcs8()).unwrap().to_traditional_pem_private_key());
    assert!(pkcs1.starts_with("-----BEGIN RSA PRIVATE KEY-----"));
    assert_eq!(PrivateKey::from_pem(&pkcs1, SigningAlgorithm::Rs256).unwrap().public(), RSA.public());
}

/// RFC 8037 appendix A.1: the private key leads to the public key that stands beside it.
/// RFC 7518 §6.3.2: the primes of an RSA key may be missing.
#[test]
fn a_jwk_may_leave_out_its_public_part() {
    let jwk = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}"#;
    let key = PrivateKey::from_jwk(jwk, SigningAlgorithm::EdDsa).unwrap();
    assert_eq!(key.public().to_value()["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    let mut rsa: Value = serde_json::from_str(&RSA.to_jwk().unwrap()).unwrap();
    for name in ["p", "q", "dp", "dq", "qi"] {
        rsa.as_object_mut().unwrap().remove(name);
    }
    let found = PrivateKey::from_jwk(&rsa.to_string(), SigningAlgorithm::Rs256).unwrap();
    assert_eq!(found.public(), RSA.public());
}

#[test]
fn parts_that_do_not_belong_together_are_refused() {
    for algorithm in
        [SigningAlgorithm::Es256, SigningAlgorithm::Es384, SigningAlgorithm::Es512, SigningAlgorithm::EdDsa]
    {
        let mut jwk: Value = serde_json::from_str(&key(algorithm).to_jwk().unwrap()).unwrap();
        let other = key(algorithm).public().to_value();
        for name in ["x", "y"].into_iter().filter(|name| other.get(name).is_some()) {
            jwk[name] = other[name].clone();
        }
        let refused = PrivateKey::from_jwk(&jwk.to_string(), algorithm);
        assert!(matches!(refused, Err(KeyError::Mismatch)), "{algorithm}: {refused:?}");
    }
    let mut rsa: Value = serde_json::from_str(&RSA.to_jwk().unwrap()).unwrap();
    rsa["d"] = rsa["n"].clone();
    assert!(PrivateKey::from_jwk(&rsa.to_string(), SigningAlgorithm::Rs256).is_err());
    rsa["oth"] = Value::Array(Vec::new());
    let refused = PrivateKey::from_jwk(&rsa.to_string(), SigningAlgorithm::Rs256);
    assert!(matches!(refused, Err(KeyError::Jwk(JwkError::Refused(_)))), "{refused:?}");
}

#[test]
fn a_pem_with_a_foreign_public_part_is_refused() {
    let (mine, other) = (key(SigningAlgorithm::Es384), key(SigningAlgorithm::Es384));
    let mut der = mine.pkcs8().to_vec();
    let point = der.len() - 96;
    der[point..].copy_from_slice(&other.pkcs8()[other.pkcs8().len() - 96..]);
    let forged = PrivateKey::from_pkcs8(der.into(), SigningAlgorithm::Es384).unwrap().to_pem().unwrap();
    let refused = PrivateKey::from_pem(&forged, SigningAlgorithm::Es384);
    assert!(matches!(refused, Err(KeyError::Mismatch)), "{refused:?}");
}

#[test]
fn weak_foreign_and_locked_keys_are_refused() {
    let weak = text(RsaKeyPair::generate(1024).unwrap().to_pem_private_key());
    assert!(PrivateKey::from_pem(&weak, SigningAlgorithm::Rs256).is_err(), "1024 bits");
    let koblitz = text(EcKeyPair::generate(EcCurve::Secp256k1).unwrap().to_pem_private_key());
    let ed448 = text(EdKeyPair::generate(EdCurve::Ed448).unwrap().to_pem_private_key());
    for algorithm in SigningAlgorithm::ALL {
        for (name, pem) in [("secp256k1", &koblitz), ("Ed448", &ed448)] {
            assert!(PrivateKey::from_pem(pem, algorithm).is_err(), "{name} as {algorithm}");
        }
    }
    let locked = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let error = PrivateKey::from_pem(locked, SigningAlgorithm::Es256).unwrap_err();
    assert!(error.to_string().contains("without a passphrase"), "{error}");
    for junk in [
        "",
        "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    ] {
        for algorithm in SigningAlgorithm::ALL {
            assert!(PrivateKey::from_pem(junk, algorithm).is_err());
            assert!(PrivateKey::from_jwk(junk, algorithm).is_err());
        }
    }
}

#[test]
fn a_key_is_never_printed() {
    for algorithm in SigningAlgorithm::ALL {
        let key = key(algorithm);
        let jwk: Value = serde_json::from_str(&key.to_jwk().unwrap()).unwrap();
        let shown = format!("{key:?}");
        assert_eq!(shown, format!("PrivateKey({algorithm} {}, …)", key.public().kid()));
        assert!(!shown.contains(jwk["d"].as_str().unwrap()));
    }
}

#[test]
fn without_randomness_there_is_no_key() {
    struct Dry;
    impl Entropy for Dry {
        fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
            Err(EntropyError)
        }
    }
    for algorithm in [SigningAlgorithm::Es256, SigningAlgorithm::Rs256] {
        assert!(matches!(PrivateKey::generate(algorithm, &Dry), Err(KeyError::Entropy(_))), "{algorithm}");
    }
}

#[test]
fn odd_sizes_of_rsa_keys_are_not_made() {
    for bits in [0, 1024, 2047, 2049, 16_384] {
        let refused = PrivateKey::generate_rsa(SigningAlgorithm::Ps256, bits, &OsEntropy);
        assert!(matches!(refused, Err(KeyError::RsaSize(found)) if found == bits));
    }
}

#[test]
fn a_key_of_3072_bits_can_be_made() {
    let key = PrivateKey::generate_rsa(SigningAlgorithm::Ps256, 3072, &OsEntropy).unwrap();
    assert_eq!(key.public().signature_length(), 384);
}
