//! Tokens as others see them: jsonwebtoken is given the token and the public JWK, nothing else.

use std::collections::HashSet;

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};

use super::key;
use crate::base::encoding::from_base64url;
use crate::jose::{PublicJwk, Signer, TokenType};
use crate::oauth::algorithm::SigningAlgorithm;

const CLAIMS: &[u8] = br#"{"iss":"https://id.example","sub":"a","aud":"b"}"#;

fn independently(public: &PublicJwk, token: &str) -> Result<Value, String> {
    let algorithm: Algorithm = public.algorithm().as_str().parse().map_err(|e| format!("{e}"))?;
    let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_str(&public.to_json()).map_err(|e| e.to_string())?;
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims = HashSet::new();
    (validation.validate_exp, validation.validate_aud) = (false, false);
    let decoding = DecodingKey::from_jwk(&jwk).map_err(|e| e.to_string())?;
    jsonwebtoken::decode::<Value>(token, &decoding, &validation)
        .map(|data| data.claims)
        .map_err(|e| e.to_string())
}

/// RFC 7515 §7.1: the compact form, as somebody else reads it.
#[test]
fn an_independent_verifier_accepts_every_algorithm_that_it_has() {
    for algorithm in
        SigningAlgorithm::ALL.into_iter().filter(|algorithm| *algorithm != SigningAlgorithm::Es512)
    {
        let key = key(algorithm);
        let token = Signer::new(&key).unwrap().sign(TokenType::AccessToken, CLAIMS).unwrap();
        let expected: Value = serde_json::from_slice(CLAIMS).unwrap();
        assert_eq!(independently(key.public(), &token), Ok(expected), "{algorithm}");
        let mut forged = token.clone();
        let at = token.len() - 20;
        forged.replace_range(at..=at, if &token[at..=at] == "A" { "B" } else { "A" });
        assert!(independently(key.public(), &forged).is_err(), "{algorithm}");
    }
}

#[test]
fn josekit_accepts_es512() {
    let key = key(SigningAlgorithm::Es512);
    let token = Signer::new(&key).unwrap().sign(TokenType::IdToken, CLAIMS).unwrap();
    let jwk = josekit::jwk::Jwk::from_bytes(key.public().to_json()).unwrap();
    let verifier = josekit::jws::ES512.verifier_from_jwk(&jwk).unwrap();
    let (payload, header) = josekit::jws::deserialize_compact(&token, &verifier).unwrap();
    assert_eq!((payload.as_slice(), header.key_id()), (CLAIMS, Some(key.public().kid())));
}

/// RFC 7515 §4.1.9: "typ" tells what the token is.
#[test]
fn the_header_says_algorithm_type_and_key_and_nothing_else() {
    for algorithm in SigningAlgorithm::ALL {
        let key = key(algorithm);
        let signer = Signer::new(&key).unwrap();
        for (token_type, typ) in [(TokenType::AccessToken, "at+jwt"), (TokenType::IdToken, "JWT")] {
            let token = signer.sign(token_type, CLAIMS).unwrap();
            let parts: Vec<Vec<u8>> = token.split('.').map(|part| from_base64url(part).unwrap()).collect();
            let header: Value = serde_json::from_slice(&parts[0]).unwrap();
            assert_eq!(header, json!({"alg": algorithm, "typ": typ, "kid": key.public().kid()}));
            assert_eq!(parts[1], CLAIMS, "the claims go in as they are");
            assert_eq!(token.capacity(), token.len(), "{algorithm}: one allocation that fits");
        }
    }
}

/// RFC 7518 §3.4: R and S as octet strings of the full length, "not ... shortened to omit any leading zero octets". One
/// signature in 128 has a leading zero in R or S.
#[test]
fn an_ecdsa_signature_always_has_its_full_raw_length() {
    for (algorithm, length) in
        [(SigningAlgorithm::Es256, 64), (SigningAlgorithm::Es384, 96), (SigningAlgorithm::Es512, 132)]
    {
        let key = key(algorithm);
        let signer = Signer::new(&key).unwrap();
        let verifier = key.public().verifier().unwrap();
        let mut leading_zeros = 0;
        let rounds = if algorithm == SigningAlgorithm::Es256 { 1500 } else { 50 };
        for _ in 0..rounds {
            let token = signer.sign(TokenType::AccessToken, CLAIMS).unwrap();
            let (signed, signature) = token.rsplit_once('.').unwrap();
            let signature = from_base64url(signature).unwrap();
            assert_eq!(signature.len(), length);
            if signature[0] == 0 || signature[length / 2] == 0 {
                leading_zeros += 1;
                verifier.verify(signed.as_bytes(), &signature).unwrap();
            }
        }
        assert!(algorithm != SigningAlgorithm::Es256 || leading_zeros > 0);
    }
}

#[test]
fn one_signer_serves_many_threads_at_once() {
    fn shareable<T: Send + Sync>(_: &T) {}
    for algorithm in [SigningAlgorithm::Es256, SigningAlgorithm::Rs256, SigningAlgorithm::EdDsa] {
        let key = key(algorithm);
        let signer = Signer::new(&key).unwrap();
        shareable(&signer);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..5 {
                        let token = signer.sign(TokenType::AccessToken, CLAIMS).unwrap();
                        independently(key.public(), &token).unwrap();
                    }
                });
            }
        });
    }
}

#[test]
fn a_signer_is_never_printed() {
    let key = key(SigningAlgorithm::Es256);
    let shown = format!("{:?}", Signer::new(&key).unwrap());
    assert_eq!(shown, format!("Signer(ES256 {}, …)", key.public().kid()));
}
