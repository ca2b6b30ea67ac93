//! The key ring: which keys sign, which are shown, and what stops it.

use serde_json::Value;

use super::{NOW, key, sealer};
use crate::base::{Seconds, Timestamp};
use crate::domain::key::{RETIREMENT_LEEWAY, SigningKeyRecord};
use crate::jose::{KeyRing, MasterKey, OpenError, RingError, TokenType, VerifyError};
use crate::oauth::algorithm::SigningAlgorithm;

fn record(algorithm: SigningAlgorithm, created_at: Timestamp) -> SigningKeyRecord {
    key(algorithm).to_record(&sealer(1, &[]), created_at).unwrap()
}

fn active(algorithm: SigningAlgorithm, at: Timestamp) -> SigningKeyRecord {
    let mut record = record(algorithm, at);
    record.state = record.state.activate_first(at).unwrap();
    record
}

fn open(records: &[SigningKeyRecord], now: Timestamp) -> Result<KeyRing, RingError> {
    KeyRing::open(records.to_vec(), &sealer(1, &[]), now)
}

fn kids(ring: &KeyRing) -> Vec<String> {
    let set: Value = serde_json::from_slice(ring.jwks_json()).unwrap();
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_newest_active_key_of_an_algorithm_signs() {
    let old = active(SigningAlgorithm::Es256, NOW);
    let new = active(SigningAlgorithm::Es256, NOW + Seconds(1));
    let waiting = record(SigningAlgorithm::Es256, NOW + Seconds(2));
    let ring = open(&[new.clone(), waiting.clone(), old.clone()], NOW + Seconds(3)).unwrap();
    assert_eq!(ring.signer(SigningAlgorithm::Es256).unwrap().kid(), new.kid);
    assert_eq!(kids(&ring), [old.kid, new.kid, waiting.kid]);
    assert!(ring.signer(SigningAlgorithm::Rs256).is_none());
}

#[test]
fn a_key_that_is_only_published_does_not_sign() {
    let ring = open(&[record(SigningAlgorithm::EdDsa, NOW)], NOW).unwrap();
    assert!(ring.signer(SigningAlgorithm::EdDsa).is_none() && ring.default_signer().is_none());
    assert_eq!((ring.algorithms().count(), kids(&ring).len()), (0, 1));
}

#[test]
fn the_preferred_algorithm_comes_first() {
    let all =
        [SigningAlgorithm::EdDsa, SigningAlgorithm::Rs256, SigningAlgorithm::Es256].map(|a| active(a, NOW));
    let ring = open(&all, NOW).unwrap();
    let expected = [SigningAlgorithm::Es256, SigningAlgorithm::Rs256, SigningAlgorithm::EdDsa];
    assert_eq!(ring.algorithms().collect::<Vec<_>>(), expected);
    assert_eq!(ring.default_signer().unwrap().algorithm(), SigningAlgorithm::Es256);
}

#[test]
fn a_retired_key_verifies_until_it_is_removed() {
    let before = active(SigningAlgorithm::Es256, NOW);
    let token = open(std::slice::from_ref(&before), NOW).unwrap();
    let token = token.default_signer().unwrap().sign(TokenType::IdToken, b"{}").unwrap();
    let mut retired = before;
    retired.state = retired.state.retire(NOW, Seconds(300)).unwrap();
    let removal = NOW + Seconds(300) + RETIREMENT_LEEWAY;

    let ring = open(&[retired.clone()], removal - Seconds(1)).unwrap();
    assert!(ring.signer(SigningAlgorithm::Es256).is_none());
    assert!(ring.verify(&token, TokenType::IdToken).is_ok());
    assert_eq!(ring.next_change(), Some(removal));

    let ring = open(&[retired], removal).unwrap();
    assert_eq!(ring.verify(&token, TokenType::IdToken), Err(VerifyError::UnknownKey));
    assert_eq!((ring.next_change(), ring.jwks_json()), (None, &br#"{"keys":[]}"#[..]));
}

/// RP-Initiated Logout 1.0 §2: hints are accepted "even when the exp time has passed".
#[test]
fn a_withdrawn_key_verifies_id_token_hints_and_nothing_else() {
    let before = active(SigningAlgorithm::Es256, NOW);
    let ring = open(std::slice::from_ref(&before), NOW).unwrap();
    let [hint, access] = [TokenType::IdToken, TokenType::AccessToken]
        .map(|kind| ring.default_signer().unwrap().sign(kind, b"{}").unwrap());
    assert!(ring.verify_hint(&hint).is_ok());
    let mut retired = before.clone();
    retired.state = retired.state.retire(NOW, Seconds(300)).unwrap();
    let removal = NOW + Seconds(300) + RETIREMENT_LEEWAY;
    assert!(open(&[retired.clone()], removal - Seconds(1)).unwrap().verify_hint(&hint).is_ok());

    retired.sealed_private = String::new();
    // The node's clock may be behind that of the node that withdrew it.
    assert!(open(&[retired.clone()], NOW).unwrap().verify_hint(&hint).is_ok());
    let ring = open(&[retired.clone()], removal).unwrap();
    assert!(ring.verify_hint(&hint).is_ok());
    assert_eq!(ring.verify(&hint, TokenType::IdToken), Err(VerifyError::UnknownKey));
    assert_eq!(ring.verify(&access, TokenType::AccessToken), Err(VerifyError::UnknownKey));
    assert_eq!(ring.verify_hint(&access), Err(VerifyError::WrongType));
    assert_eq!(ring.jwks_json(), br#"{"keys":[]}"#);
    let (front, _) = hint.rsplit_once('.').unwrap();
    let forged = format!("{front}.{}", access.rsplit_once('.').unwrap().1);
    assert_eq!(ring.verify_hint(&forged), Err(VerifyError::BadSignature));

    // Nobody writes another key under its name.
    let other = record(SigningAlgorithm::Es256, NOW).public_jwk;
    let damaged = open(&[SigningKeyRecord { public_jwk: other, ..retired.clone() }], removal).unwrap_err();
    assert!(matches!(damaged, RingError::Damaged { column: "public_jwk", .. }), "{damaged}");
    retired.state = retired.state.compromise(removal).unwrap();
    assert_eq!(open(&[retired], removal).unwrap().verify_hint(&hint), Err(VerifyError::UnknownKey));
}

#[test]
fn the_key_set_and_its_tag_change_with_its_keys_only() {
    let (a, b) = (active(SigningAlgorithm::Es256, NOW), active(SigningAlgorithm::Es384, NOW));
    let one = open(&[a.clone(), b.clone()], NOW).unwrap();
    let same = open(&[b, a.clone()], NOW + Seconds(1000)).unwrap();
    let other = open(&[a], NOW).unwrap();
    assert_eq!((one.jwks_json(), one.etag()), (same.jwks_json(), same.etag()));
    assert_ne!(one.etag(), other.etag());
    assert!(one.etag().len() == 24 && one.etag().starts_with('"') && one.etag().ends_with('"'));
}

#[test]
fn the_key_set_shows_no_private_member_of_any_type() {
    let all = SigningAlgorithm::ALL.map(|algorithm| active(algorithm, NOW));
    let ring = open(&all, NOW).unwrap();
    let set: Value = serde_json::from_slice(ring.jwks_json()).unwrap();
    for key in set["keys"].as_array().unwrap() {
        for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(key.get(name).is_none(), "{key}: {name}");
        }
    }
}

#[test]
fn a_key_under_an_unknown_master_key_stops_the_start_and_is_named() {
    let (mine, foreign) = (active(SigningAlgorithm::Es256, NOW), active(SigningAlgorithm::Es384, NOW));
    let error = KeyRing::open(vec![mine, foreign], &sealer(2, &[]), NOW).unwrap_err();
    let RingError::Sealed { why: OpenError::UnknownKey(sealed_under), .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(sealed_under, MasterKey::from_bytes([1; 32]).id());
    let text = error.to_string();
    assert!(text.contains(MasterKey::from_bytes([2; 32]).id()) && text.contains(sealed_under), "{text}");
}

#[test]
fn a_previous_master_key_opens_the_ring() {
    let ring = KeyRing::open(vec![active(SigningAlgorithm::Es256, NOW)], &sealer(2, &[1]), NOW).unwrap();
    assert!(ring.default_signer().is_some());
}

#[test]
fn columns_that_were_swapped_between_rows_are_noticed() {
    let (a, b) = (active(SigningAlgorithm::Es256, NOW), active(SigningAlgorithm::Es256, NOW));
    let damaged = |record: SigningKeyRecord| match open(&[record], NOW).unwrap_err() {
        RingError::Damaged { column, .. } => column,
        other => panic!("{other}"),
    };
    assert_eq!(damaged(SigningKeyRecord { sealed_private: b.sealed_private.clone(), ..a.clone() }), "kid");
    assert_eq!(damaged(SigningKeyRecord { public_jwk: b.public_jwk, ..a.clone() }), "public_jwk");
    let wrong =
        open(&[SigningKeyRecord { algorithm: SigningAlgorithm::Es384, ..a.clone() }], NOW).unwrap_err();
    assert!(matches!(wrong, RingError::Unusable { .. }), "{wrong}");
    let garbled = open(&[SigningKeyRecord { sealed_private: "x".into(), ..a }], NOW).unwrap_err();
    assert!(matches!(garbled, RingError::Sealed { why: OpenError::Malformed, .. }), "{garbled}");
}

#[test]
fn an_empty_ring_is_a_ring() {
    let ring = open(&[], NOW).unwrap();
    assert_eq!(ring.jwks_json(), br#"{"keys":[]}"#);
}
