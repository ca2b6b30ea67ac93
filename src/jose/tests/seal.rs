//! Seals: what opens, and everything that does not.

use josekit::jwe::JweContentEncryption as _;
use josekit::jwe::enc::A256GCM;
use serde_json::{Value, json};

use super::{NOW, sealer};
use crate::base::encoding::{base64url, from_base64url};
use crate::base::{Seconds, Timestamp};
use crate::jose::{MasterKey, OpenError, Purpose, SealError};

const AGE: Option<Seconds> = Some(Seconds(600));

fn sealed() -> String {
    sealer(1, &[]).seal(Purpose::ConsentTicket, b"what was asked", NOW).unwrap()
}

fn open(text: &str) -> Result<Vec<u8>, OpenError> {
    sealer(1, &[]).open(Purpose::ConsentTicket, text, AGE, NOW).map(|plaintext| plaintext.to_vec())
}

/// The text with another header.
fn with_header(change: impl FnOnce(&mut Value)) -> String {
    let text = sealed();
    let (header, rest) = text.split_once('.').unwrap();
    let mut header: Value = serde_json::from_slice(&from_base64url(header).unwrap()).unwrap();
    change(&mut header);
    format!("{}.{rest}", base64url(header.to_string().as_bytes()))
}

/// RFC 7516 §3.1 and §7.1: five parts, of which the second, the encrypted key, is empty for "dir".
#[test]
fn a_seal_opens_and_shows_its_header_only() {
    let text = sealed();
    assert_eq!(open(&text).unwrap(), b"what was asked");
    let parts: Vec<&str> = text.split('.').collect();
    let header: Value = serde_json::from_slice(&from_base64url(parts[0]).unwrap()).unwrap();
    let kid = MasterKey::from_bytes([1; 32]).id().to_owned();
    let expected =
        json!({"alg": "dir", "enc": "A256GCM", "kid": kid, "purpose": "consent-ticket", "iat": NOW.0});
    assert_eq!(header, expected);
    assert_eq!((parts.len(), parts[1]), (5, ""));
}

#[test]
fn two_seals_of_one_text_differ() {
    assert_ne!(sealed(), sealed());
}

#[test]
fn nothing_opens_for_another_purpose() {
    let all = Purpose::ALL;
    for made_for in all {
        let text = sealer(1, &[]).seal(made_for, b"x", NOW).unwrap();
        for opened_as in all {
            let result = sealer(1, &[]).open(opened_as, &text, AGE, NOW).map(|_| ());
            let expected = if made_for == opened_as { Ok(()) } else { Err(OpenError::WrongPurpose) };
            assert_eq!(result, expected, "{made_for:?} as {opened_as:?}");
        }
    }
}

#[test]
fn a_rewritten_purpose_does_not_help() {
    let text = with_header(|header| header["purpose"] = "csrf".into());
    let result = sealer(1, &[]).open(Purpose::Csrf, &text, AGE, NOW).map(|_| ());
    assert_eq!(result, Err(OpenError::Tampered));
}

#[test]
fn a_seal_is_dead_in_the_second_in_which_it_reaches_its_age() {
    let sealer = sealer(1, &[]);
    let text = sealed();
    let at = |now: Timestamp| sealer.open(Purpose::ConsentTicket, &text, AGE, now).map(|_| ());
    assert_eq!(at(NOW + Seconds(599)), Ok(()));
    assert_eq!(at(NOW + Seconds(600)), Err(OpenError::Expired));
    let unbounded = sealer.open(Purpose::ConsentTicket, &text, None, NOW + Seconds(999_999_999));
    assert!(unbounded.is_ok());
}

#[test]
fn a_seal_from_the_future_is_refused_beyond_thirty_seconds() {
    let sealer = sealer(1, &[]);
    let text = sealed();
    let at = |now: Timestamp| sealer.open(Purpose::ConsentTicket, &text, AGE, now).map(|_| ());
    assert_eq!(at(NOW - Seconds(30)), Ok(()));
    assert_eq!(at(NOW - Seconds(31)), Err(OpenError::FromTheFuture));
}

#[test]
fn a_younger_date_in_the_header_does_not_help() {
    for later in [1, 300, 86_400] {
        let text = with_header(|header| header["iat"] = (NOW.0 + later).into());
        let now = NOW + Seconds(later);
        let result = sealer(1, &[]).open(Purpose::ConsentTicket, &text, AGE, now).map(|_| ());
        assert_eq!(result, Err(OpenError::Tampered), "{later}");
    }
}

#[test]
fn a_previous_master_key_opens_and_an_unknown_one_does_not() {
    let text = sealed();
    let rotated = sealer(2, &[3, 1]);
    assert!(rotated.open(Purpose::ConsentTicket, &text, AGE, NOW).is_ok());
    assert!(!rotated.is_current(&text));
    let resealed = rotated.seal(Purpose::ConsentTicket, b"x", NOW).unwrap();
    assert!(rotated.is_current(&resealed));
    let id = MasterKey::from_bytes([1; 32]).id().to_owned();
    let unknown = sealer(2, &[3]).open(Purpose::ConsentTicket, &text, AGE, NOW).map(|_| ());
    assert_eq!(unknown, Err(OpenError::UnknownKey(id)));
}

#[test]
fn a_changed_character_anywhere_is_noticed() {
    let text = sealed();
    for at in 0..text.len() {
        let mut changed = text.clone().into_bytes();
        changed[at] = match changed[at] {
            b'.' => b'A',
            b'A' => b'B',
            _ => b'A',
        };
        assert!(open(std::str::from_utf8(&changed).unwrap()).is_err(), "{at}");
    }
}

/// OpenSSL takes a GCM tag of one byte as willingly as one of sixteen, and josekit hands over what stands there, so that a
/// forgery would need 256 guesses. The first half of this test shows the fault, the second that it is shut off here.
#[test]
fn a_tag_that_was_cut_short_is_refused() {
    let (key, nonce) = ([5; 32], [6; 12]);
    let (ciphertext, tag) = A256GCM.encrypt(&key, Some(&nonce), b"x", b"aad").unwrap();
    let cut = &tag.unwrap()[..1];
    assert!(A256GCM.decrypt(&key, Some(&nonce), &ciphertext, b"aad", Some(cut)).is_ok());

    let text = sealed();
    let (front, tag) = text.rsplit_once('.').unwrap();
    let tag = from_base64url(tag).unwrap();
    for length in 0..16 {
        let cut = format!("{front}.{}", base64url(&tag[..length]));
        assert_eq!(open(&cut), Err(OpenError::Malformed), "{length}");
    }
}

#[test]
fn a_header_that_this_server_does_not_write_is_refused_before_any_cryptography() {
    for (name, value) in [
        ("alg", json!("A256KW")),
        ("alg", json!("PBES2-HS256+A128KW")),
        ("alg", json!("none")),
        ("enc", json!("A128GCM")),
        ("enc", json!("A256CBC-HS512")),
        ("zip", json!("DEF")),
        ("crit", json!(["exp"])),
        ("p2c", json!(2_000_000_000)),
        ("p2s", json!("AAAA")),
        ("jwk", json!({"kty": "oct", "k": "AAAA"})),
        ("iat", json!("yesterday")),
        ("iat", json!(1.5)),
        ("iat", Value::Null),
        ("kid", json!(7)),
        ("purpose", json!("everything")),
    ] {
        let text = with_header(|header| header[name] = value.clone());
        assert_eq!(open(&text), Err(OpenError::Malformed), "{name}: {value}");
    }
}

#[test]
fn other_shapes_are_refused() {
    let text = sealed();
    let parts: Vec<&str> = text.split('.').collect();
    let with_key = format!("{}.AAAA.{}.{}.{}", parts[0], parts[2], parts[3], parts[4]);
    let no_nonce = format!("{}...{}.{}", parts[0], parts[3], parts[4]);
    let double =
        String::from_utf8(from_base64url(parts[0]).unwrap()).unwrap().replacen('{', r#"{"alg":"dir","#, 1);
    let double = format!("{}.{}", base64url(double.as_bytes()), text.split_once('.').unwrap().1);
    for (name, bad) in [
        ("empty", String::new()),
        ("dots", "....".to_owned()),
        ("four parts", text.rsplit_once('.').unwrap().0.to_owned()),
        ("six parts", format!("{text}.AAAA")),
        ("an encrypted key", with_key),
        ("no nonce", no_nonce),
        ("a member twice", double),
        ("padding", format!("{text}=")),
        ("a line break", format!("{text}\n")),
        ("too long", format!("{text}{}", "A".repeat(64 * 1024))),
        ("not ASCII", format!("é{text}")),
    ] {
        assert_eq!(open(&bad), Err(OpenError::Malformed), "{name}");
    }
}

#[test]
fn what_would_be_too_long_to_open_is_not_sealed() {
    let sealer = sealer(1, &[]);
    let (mut fits, mut too_long) = (0, 64 * 1024);
    while too_long - fits > 1 {
        let middle = usize::midpoint(fits, too_long);
        match sealer.seal(Purpose::Csrf, &vec![0; middle], NOW) {
            Ok(text) => {
                assert!(sealer.open(Purpose::Csrf, &text, AGE, NOW).is_ok());
                fits = middle;
            }
            Err(SealError::TooLong) => too_long = middle,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(fits > 48_000, "{fits}");
}

/// The text is a JWE by the book: josekit's own reader opens it with the derived key.
#[test]
fn an_independent_reader_opens_it_with_the_derived_key() {
    let day = NOW.0.div_euclid(86_400).to_be_bytes();
    let mut key = [0; 32];
    let info = [&b"consent-ticket\0"[..], &day].concat();
    hkdf::Hkdf::<sha2::Sha256>::new(Some(b"countersign seal v1"), &[1; 32]).expand(&info, &mut key).unwrap();
    let decrypter = josekit::jwe::Dir.decrypter_from_bytes(key).unwrap();
    let (plaintext, _) = josekit::jwe::deserialize_compact(&sealed(), &decrypter).unwrap();
    assert_eq!(plaintext, b"what was asked");
}
