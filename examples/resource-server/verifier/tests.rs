//! One test for each refusal, each one step away from a token that is taken.
//! The public halves of the keys are written by josekit, as the server writes them, and read by jsonwebtoken: two hands.

use std::sync::LazyLock;
use std::time::Duration;

use josekit::jwk::alg::ec::EcKeyPair;
use josekit::jwk::alg::ed::{EdCurve, EdKeyPair};
use josekit::jwk::{Jwk, KeyPair};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, SignatureAlgorithm};
use serde_json::{Value, json};

use super::{AccessToken, Refusal, Verifier, now_s};
use crate::jwks::{Fetched, KeyStore};

const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "https://notes.example";

/// A private key and the entry that the issuer would publish for it.
struct Signer {
    key: EncodingKey,
    public: Value,
}

fn signer(kid: &str, algorithm: &str, key: EncodingKey, public: Jwk) -> Signer {
    let mut public: Value = serde_json::from_str(&public.to_string()).unwrap();
    public["kid"] = json!(kid);
    public["alg"] = json!(algorithm);
    public["use"] = json!("sig");
    Signer { key, public }
}

/// jsonwebtoken does not read the PKCS#8 form in which josekit writes EC keys, so these are made by rcgen (ring).
fn ec(kid: &str, algorithm: &str, made_for: &'static SignatureAlgorithm) -> Signer {
    let der = rcgen::KeyPair::generate_for(made_for).unwrap().serialize_der();
    let public = EcKeyPair::from_der(&der, None).unwrap().to_jwk_public_key();
    signer(kid, algorithm, EncodingKey::from_ec_der(&der), public)
}

fn rsa(kid: &str, algorithm: &str) -> Signer {
    let pair = josekit::jwk::alg::rsa::RsaKeyPair::generate(2048).unwrap();
    signer(kid, algorithm, EncodingKey::from_rsa_der(&pair.to_raw_private_key()), pair.to_jwk_public_key())
}

fn ed(kid: &str) -> Signer {
    let pair = EdKeyPair::generate(EdCurve::Ed25519).unwrap();
    signer(kid, "EdDSA", EncodingKey::from_ed_der(&pair.to_der_private_key()), pair.to_jwk_public_key())
}

static ES256: LazyLock<Signer> = LazyLock::new(|| ec("es256", "ES256", &PKCS_ECDSA_P256_SHA256));
static RS256: LazyLock<Signer> = LazyLock::new(|| rsa("rs256", "RS256"));

fn verifier_of(published: &[&Signer]) -> Verifier {
    let jwks = json!({"keys": published.iter().map(|signer| &signer.public).collect::<Vec<_>>()});
    let source = move || Ok(Fetched { jwks: jwks.clone(), max_age: Duration::from_secs(300) });
    Verifier::new(ISSUER.to_owned(), AUDIENCE.to_owned(), KeyStore::new(Box::new(source)))
}

fn good_header() -> Header {
    let mut header = Header::new(Algorithm::ES256);
    header.typ = Some("at+jwt".to_owned());
    header.kid = Some("es256".to_owned());
    header
}

fn good_claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "b6d6d1f2-6d57-4d1c-b4ab-4a9ad7f0a001", "aud": AUDIENCE, "exp": now_s() + 300,
        "iat": now_s(), "jti": "1", "client_id": "demo-spa", "scope": "notes:read notes:readonly", "roles": ["editor"]
    })
}

fn token(header: &Header, claims: &Value) -> String {
    encode(header, claims, &ES256.key).unwrap()
}

fn verify(token: &str) -> Result<AccessToken, Refusal> {
    verifier_of(&[&ES256, &RS256]).verify(token)
}

/// The good token, with one claim set to something else; `null` takes it out.
fn refused_with(claim: &str, value: Value) -> Refusal {
    let mut claims = good_claims();
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(claim);
    } else {
        claims[claim] = value;
    }
    verify(&token(&good_header(), &claims)).unwrap_err()
}

#[test]
fn a_good_token_is_taken_and_tells_who_acts() {
    let token = verify(&token(&good_header(), &good_claims())).unwrap();
    assert_eq!(token.sub, "b6d6d1f2-6d57-4d1c-b4ab-4a9ad7f0a001");
    assert_eq!((token.client_id.as_str(), token.roles.as_slice()), ("demo-spa", &["editor".to_owned()][..]));
}

#[test]
fn every_allowed_algorithm_verifies() {
    for (signer, algorithm, kid) in [
        (ec("es384", "ES384", &PKCS_ECDSA_P384_SHA384), Algorithm::ES384, "es384"),
        (rsa("ps256", "PS256"), Algorithm::PS256, "ps256"),
        (ed("eddsa"), Algorithm::EdDSA, "eddsa"),
    ] {
        let header = Header { alg: algorithm, kid: Some(kid.to_owned()), ..good_header() };
        let token = encode(&header, &good_claims(), &signer.key).unwrap();
        assert!(verifier_of(&[&signer]).verify(&token).is_ok(), "{algorithm:?}");
    }
    let header = Header { alg: Algorithm::RS256, kid: Some("rs256".to_owned()), ..good_header() };
    assert!(verify(&encode(&header, &good_claims(), &RS256.key).unwrap()).is_ok());
}

#[test]
fn the_type_may_be_written_in_full_and_in_any_case() {
    for typ in ["AT+JWT", "application/at+jwt", "Application/AT+jwt"] {
        let header = Header { typ: Some(typ.to_owned()), ..good_header() };
        assert!(verify(&token(&header, &good_claims())).is_ok(), "{typ}");
    }
}

#[test]
fn an_audience_among_several_is_enough() {
    let mut claims = good_claims();
    claims["aud"] = json!(["https://other.example", AUDIENCE]);
    assert!(verify(&token(&good_header(), &claims)).is_ok());
}

#[test]
fn what_is_no_jwt_is_refused() {
    for garbage in ["", "opaque-token", "a.b", "a.b.c", "..", "a.b.c.d.e"] {
        assert_eq!(verify(garbage).unwrap_err(), Refusal::Header, "{garbage:?}");
    }
}

// The oldest attack on JWT: a token that says that it needs no signature.
#[test]
fn a_token_with_algorithm_none_is_refused() {
    let good = token(&good_header(), &good_claims());
    let claims = good.split('.').nth(1).unwrap();
    // {"alg":"none","typ":"at+jwt","kid":"es256"}
    let forged = format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0Iiwia2lkIjoiZXMyNTYifQ.{claims}.");
    assert_eq!(verify(&forged).unwrap_err(), Refusal::Header);
}

// Key confusion: the public key, which everybody has, used as the secret of an HMAC.
#[test]
fn a_token_signed_by_hmac_with_the_public_key_is_refused() {
    let header = Header { alg: Algorithm::HS256, ..good_header() };
    let key = EncodingKey::from_secret(ES256.public.to_string().as_bytes());
    assert_eq!(verify(&encode(&header, &good_claims(), &key).unwrap()).unwrap_err(), Refusal::Algorithm);
}

#[test]
fn a_known_algorithm_that_is_not_on_the_list_is_refused() {
    let header = Header { alg: Algorithm::RS512, kid: Some("rs256".to_owned()), ..good_header() };
    let token = encode(&header, &good_claims(), &RS256.key).unwrap();
    assert_eq!(verify(&token).unwrap_err(), Refusal::Algorithm);
}

#[test]
fn a_key_that_is_published_for_another_algorithm_is_not_used() {
    let header = Header { alg: Algorithm::PS256, kid: Some("rs256".to_owned()), ..good_header() };
    let token = encode(&header, &good_claims(), &RS256.key).unwrap();
    assert_eq!(verify(&token).unwrap_err(), Refusal::UnknownKey);
}

#[test]
fn critical_extensions_are_refused() {
    let header = Header { crit: Some(vec!["b64".to_owned()]), ..good_header() };
    assert_eq!(verify(&token(&header, &good_claims())).unwrap_err(), Refusal::Critical);
}

// An ID token says who somebody is; it is no permission. The same keys sign it.
#[test]
fn an_id_token_is_not_an_access_token() {
    for typ in [Some("JWT".to_owned()), None] {
        let header = Header { typ, ..good_header() };
        assert_eq!(verify(&token(&header, &good_claims())).unwrap_err(), Refusal::Type);
    }
}

#[test]
fn a_token_without_a_key_id_is_refused() {
    let header = Header { kid: None, ..good_header() };
    assert_eq!(verify(&token(&header, &good_claims())).unwrap_err(), Refusal::NoKeyId);
}

#[test]
fn a_key_that_the_issuer_does_not_publish_is_refused() {
    let header = Header { kid: Some("mine".to_owned()), ..good_header() };
    assert_eq!(verify(&token(&header, &good_claims())).unwrap_err(), Refusal::UnknownKey);
}

// RFC 7515 §4.1.3 lets a token bring its own key. Whoever believes it believes everybody.
#[test]
fn a_key_in_the_tokens_own_header_is_not_used() {
    let mine = ec("es256", "ES256", &PKCS_ECDSA_P256_SHA256);
    let header = Header { jwk: serde_json::from_value(mine.public.clone()).ok(), ..good_header() };
    assert!(header.jwk.is_some());
    assert_eq!(verify(&encode(&header, &good_claims(), &mine.key).unwrap()).unwrap_err(), Refusal::Signature);
}

#[test]
fn a_changed_token_is_refused() {
    let good = token(&good_header(), &good_claims());
    let mut other = good_claims();
    other["sub"] = json!("somebody-else");
    let other = token(&good_header(), &other);
    let parts: Vec<&str> = good.split('.').collect();
    let forged = format!("{}.{}.{}", parts[0], other.split('.').nth(1).unwrap(), parts[2]);
    assert_eq!(verify(&forged).unwrap_err(), Refusal::Signature);
}

#[test]
fn another_issuer_is_refused() {
    for issuer in ["https://other.example", "https://issuer.example/", "https://ISSUER.example"] {
        assert_eq!(refused_with("iss", json!(issuer)), Refusal::Issuer, "{issuer}");
    }
}

#[test]
fn a_list_of_issuers_is_refused() {
    assert_eq!(refused_with("iss", json!([ISSUER])), Refusal::Claims);
}

#[test]
fn another_audience_is_refused() {
    for audience in [json!("https://other.example"), json!(["https://other.example"]), json!([])] {
        assert_eq!(refused_with("aud", audience.clone()), Refusal::Audience, "{audience}");
    }
}

#[test]
fn an_expired_token_is_refused_once_the_leeway_is_over() {
    assert_eq!(refused_with("exp", json!(now_s() - 40)), Refusal::Expired);
    let mut claims = good_claims();
    claims["exp"] = json!(now_s() - 20);
    assert!(verify(&token(&good_header(), &claims)).is_ok());
}

#[test]
fn a_token_that_is_not_valid_yet_is_refused() {
    assert_eq!(refused_with("nbf", json!(now_s() + 60)), Refusal::NotYetValid);
}

#[test]
fn a_token_issued_in_the_future_is_refused() {
    assert_eq!(refused_with("iat", json!(now_s() + 60)), Refusal::NotYetValid);
}

#[test]
fn every_claim_that_rfc_9068_demands_must_be_there() {
    for claim in ["iss", "sub", "aud", "exp", "iat", "jti", "client_id"] {
        assert_eq!(refused_with(claim, Value::Null), Refusal::Claims, "{claim}");
    }
}

#[test]
fn an_expiry_that_is_no_number_is_refused() {
    assert_eq!(refused_with("exp", json!("never")), Refusal::Claims);
}

#[test]
fn an_issuer_that_cannot_be_asked_is_not_the_tokens_fault() {
    let keys = KeyStore::new(Box::new(|| Err("connection refused".to_owned())));
    let verifier = Verifier::new(ISSUER.to_owned(), AUDIENCE.to_owned(), keys);
    let refusal = verifier.verify(&token(&good_header(), &good_claims())).unwrap_err();
    assert_eq!(refusal, Refusal::KeysUnavailable("connection refused".to_owned()));
}

#[test]
fn a_scope_is_found_as_a_whole_word_only() {
    let token = verify(&token(&good_header(), &good_claims())).unwrap();
    assert!(token.has_scope("notes:read") && token.has_scope("notes:readonly"));
    assert!(!token.has_scope("notes:") && !token.has_scope("notes:write") && !token.has_scope(""));
}
