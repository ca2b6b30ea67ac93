//! The server's own tokens, and the forgeries of this field.

use serde_json::{Value, json};

use super::key;
use crate::base::encoding::{base64url, from_base64url};
use crate::jose::{PrivateKey, Signer, TokenType, VerificationKey, VerifyError, verify};
use crate::oauth::algorithm::SigningAlgorithm;

const CLAIMS: &[u8] = br#"{"sub":"a"}"#;

/// A ring of one ES256 key, and a way to sign any header with it.
struct Case {
    key: PrivateKey,
    keys: Vec<VerificationKey>,
}

impl Case {
    fn new() -> Self {
        let key = key(SigningAlgorithm::Es256);
        let keys = vec![VerificationKey::new(key.public()).unwrap()];
        Self { key, keys }
    }

    fn header(&self) -> Value {
        json!({"alg": "ES256", "typ": "at+jwt", "kid": self.key.public().kid()})
    }

    /// A token with a true signature over this header.
    fn signed(&self, header: &str, claims: &[u8]) -> String {
        let signed = format!("{}.{}", base64url(header.as_bytes()), base64url(claims));
        let signer = josekit::jws::ES256.signer_from_der(self.key.pkcs8()).unwrap();
        let signature = josekit::jws::JwsSigner::sign(&signer, signed.as_bytes()).unwrap();
        format!("{signed}.{}", base64url(&signature))
    }

    fn verify(&self, token: &str) -> Result<(), VerifyError> {
        verify(&self.keys, token, TokenType::AccessToken).map(|_| ())
    }

    fn with(&self, name: &str, value: Value) -> Result<(), VerifyError> {
        let mut header = self.header();
        header[name] = value;
        self.verify(&self.signed(&header.to_string(), CLAIMS))
    }
}

#[test]
fn a_token_of_every_algorithm_is_accepted_among_the_keys_of_all() {
    let keys: Vec<PrivateKey> =
        SigningAlgorithm::ALL.into_iter().filter(|a| *a != SigningAlgorithm::Ps256).map(key).collect();
    let public: Vec<VerificationKey> =
        keys.iter().map(|key| VerificationKey::new(key.public()).unwrap()).collect();
    for key in &keys {
        let signer = Signer::new(key).unwrap();
        let token = signer.sign(TokenType::IdToken, br#"{"sub":"a","exp":1}"#).unwrap();
        let claims = verify(&public, &token, TokenType::IdToken).unwrap();
        assert_eq!(claims["sub"], "a", "exp is the caller's business");
        assert_eq!(verify(&public, &token, TokenType::AccessToken), Err(VerifyError::WrongType));
    }
}

/// CVE-2015-9235 and its kin: a token that names its own algorithm, `none` or HMAC with the public key as the secret.
#[test]
fn none_and_symmetric_algorithms_are_refused() {
    let case = Case::new();
    for alg in ["none", "None", "NONE", "HS256", "HS384", "HS512", "ES256K", "RS1", ""] {
        assert_eq!(case.with("alg", alg.into()), Err(VerifyError::ForbiddenAlgorithm), "{alg}");
    }
    let header = json!({"alg": "none", "typ": "at+jwt", "kid": case.key.public().kid()}).to_string();
    let unsigned = format!("{}.{}.", base64url(header.as_bytes()), base64url(CLAIMS));
    assert_eq!(case.verify(&unsigned), Err(VerifyError::ForbiddenAlgorithm));
    assert_eq!(case.with("alg", json!(["ES256"])), Err(VerifyError::Malformed));
}

/// RFC 8725 §3.1: "Each key MUST be used with exactly one algorithm".
#[test]
fn the_algorithm_is_the_key_s_own() {
    let case = Case::new();
    assert_eq!(case.verify(&case.signed(&case.header().to_string(), CLAIMS)), Ok(()));
    for alg in ["RS256", "PS256", "ES384", "ES512", "EdDSA"] {
        assert_eq!(case.with("alg", alg.into()), Err(VerifyError::WrongAlgorithm), "{alg}");
    }
}

#[test]
fn an_unknown_or_missing_kid_is_refused() {
    let case = Case::new();
    assert_eq!(case.with("kid", "another".into()), Err(VerifyError::UnknownKey));
    assert_eq!(case.with("kid", Value::Null), Err(VerifyError::UnknownKey));
    assert_eq!(
        verify(&[], &case.signed(&case.header().to_string(), CLAIMS), TokenType::AccessToken),
        Err(VerifyError::UnknownKey)
    );
}

/// RFC 7515 §4.1.11: "If any of the listed extension Header Parameters are not understood and supported by the recipient, then
/// the JWS is invalid."
#[test]
fn extensions_are_refused_even_with_a_true_signature() {
    let case = Case::new();
    assert_eq!(case.with("crit", json!(["b64"])), Err(VerifyError::Extension));
    assert_eq!(case.with("crit", json!([])), Err(VerifyError::Extension));
    assert_eq!(case.with("b64", false.into()), Err(VerifyError::Extension));
}

/// CVE-2018-0114: the attacker's key travels in the token that it signed.
#[test]
fn a_key_in_the_token_s_own_header_is_never_used() {
    let (case, attacker) = (Case::new(), Case::new());
    let key = attacker.key.public();
    for name in ["jwk", "jku", "x5u", "x5c"] {
        for kid in [case.key.public().kid(), key.kid()] {
            let mut header = case.header();
            header["kid"] = kid.into();
            header[name] = match name {
                "jwk" => key.to_value(),
                "x5c" => json!(["MIIB"]),
                _ => "https://attacker.example/jwks.json".into(),
            };
            let refused = case.verify(&attacker.signed(&header.to_string(), CLAIMS));
            assert!(
                matches!(refused, Err(VerifyError::UnknownKey | VerifyError::BadSignature)),
                "{name}: {refused:?}"
            );
        }
    }
    assert_eq!(case.with("jwk", key.to_value()), Ok(()), "ignored, not obeyed");
}

/// RFC 7515 §4: "The Header Parameter names within the JOSE Header MUST be unique".
#[test]
fn a_member_named_twice_is_refused() {
    let case = Case::new();
    let header = case.header().to_string().replacen('{', r#"{"alg":"none","#, 1);
    assert_eq!(case.verify(&case.signed(&header, CLAIMS)), Err(VerifyError::Malformed));
    let header = case.header().to_string().replacen('{', r#"{"x":1,"x":2,"#, 1);
    assert_eq!(case.verify(&case.signed(&header, CLAIMS)), Err(VerifyError::Malformed));
    let claims = br#"{"sub":"a","sub":"b"}"#;
    assert_eq!(case.verify(&case.signed(&case.header().to_string(), claims)), Err(VerifyError::Malformed));
}

/// RFC 7515 §2: base64url "with all trailing '=' characters omitted […] and without the inclusion of any line breaks,
/// whitespace, or other additional characters".
#[test]
fn other_shapes_are_refused() {
    let case = Case::new();
    let token = case.signed(&case.header().to_string(), CLAIMS);
    let (front, signature) = token.rsplit_once('.').unwrap();
    for (name, bad) in [
        ("empty", String::new()),
        ("two parts", front.to_owned()),
        ("four parts", format!("{token}.AAAA")),
        ("five parts", format!("{front}..{signature}.AAAA")),
        ("padding", format!("{token}==")),
        ("a line break", format!("{token}\n")),
        ("a blank before", format!(" {token}")),
    ] {
        assert_eq!(case.verify(&bad), Err(VerifyError::Malformed), "{name}");
    }
    assert_eq!(case.verify(&format!("{token}{}", "A".repeat(16_384))), Err(VerifyError::TooLong));
    assert_eq!(case.verify(&case.signed(&case.header().to_string(), b"[1]")), Err(VerifyError::Malformed));
}

/// CVE-2022-21449 ("psychic signatures"): R and S of zero once verified everything.
#[test]
fn a_signature_of_zeros_or_of_another_length_is_refused() {
    let case = Case::new();
    let token = case.signed(&case.header().to_string(), CLAIMS);
    let (front, signature) = token.rsplit_once('.').unwrap();
    let signature = from_base64url(signature).unwrap();
    for bad in [
        vec![0; 64],
        vec![],
        vec![0; 63],
        signature[..63].to_vec(),
        [&signature[..], &[0]].concat(),
        vec![0xff; 64],
    ] {
        assert_eq!(
            case.verify(&format!("{front}.{}", base64url(&bad))),
            Err(VerifyError::BadSignature),
            "{bad:?}"
        );
    }
}

#[test]
fn a_changed_character_anywhere_is_noticed() {
    let case = Case::new();
    let token = case.signed(&case.header().to_string(), CLAIMS);
    for at in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        assert!(case.verify(std::str::from_utf8(&changed).unwrap()).is_err(), "{at}");
    }
}
