//! RFC 7591 §2, `jwks`, and RFC 7591 §3.2.2: keys with which a client could never work are refused when it registers them.

use countersign::base::encoding::base64url;
use serde_json::{Value, json};

use super::support::assertions::ClientKey;
use super::support::http::Answer;
use super::support::jwe::{Kind, Recipient};
use super::support::registration::{least_with, manage, open, register, registered, with};

/// A key that does not say what it is for.
fn plain(kind: Kind) -> Value {
    Recipient::new(kind).public_jwk().into()
}

/// One key, with members put in, or replaced; `null` takes one away.
fn changed(key: &Value, members: &Value) -> Value {
    let mut key = key.clone();
    for (name, value) in members.as_object().unwrap() {
        key[name] = value.clone();
    }
    key.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    key
}

fn keys(keys: &[Value]) -> Value {
    json!({ "jwks": { "keys": keys } })
}

fn and(mut members: Value, more: Value) -> Value {
    members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    members
}

/// What is told of `jwks`.
fn refused(answer: &Answer) -> String {
    assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_client_metadata"), "{}", answer.body);
    let told = answer.text("error_description");
    told.strip_prefix("jwks: ").unwrap_or_else(|| panic!("{told}")).to_owned()
}

/// RFC 7518 §6.2.1, RFC 7518 §6.3.1: the members of a key; RFC 7518 §3.3: "A key of size 2048 bits or larger MUST be used".
#[test]
fn a_key_that_cannot_be_used_is_named_with_the_reason() {
    let server = open();
    let (ec, rsa, ed) = (plain(Kind::P256), plain(Kind::Rsa), ClientKey::ed("c").public());
    let weak = ClientKey::weak_rsa("d").public();
    let short = base64url(&[7; 31]);
    for (key, why) in [
        (json!({ "kty": "EC" }), "'crv' is missing"),
        (json!({ "kty": "RSA" }), "'n' is missing"),
        (json!({ "kty": "OKP", "crv": "Ed25519" }), "'x' is missing"),
        (changed(&ec, &json!({ "y": null })), "'y' is missing"),
        (changed(&ec, &json!({ "x": short })), "'x' is missing or malformed"),
        (changed(&ec, &json!({ "x": 7 })), "'x' is missing or malformed"),
        (changed(&ec, &json!({ "x": ec["y"], "y": ec["x"] })), "not on the curve"),
        (changed(&ec, &json!({ "crv": "P-384" })), "'x' is missing or malformed"),
        (changed(&ec, &json!({ "use": "enc", "y": null })), "'y' is missing"),
        (changed(&plain(Kind::P384), &json!({ "alg": "ES256" })), "not the one of ES256"),
        (changed(&rsa, &json!({ "e": null })), "'e' is missing"),
        (changed(&rsa, &json!({ "n": "AQAB" })), "at least 2048 bits"),
        (weak.clone(), "at least 2048 bits"),
        (changed(&weak, &json!({ "use": "enc", "key_ops": null })), "at least 2048 bits"),
        (changed(&ed, &json!({ "x": short })), "'x' is missing or malformed"),
    ] {
        let told = refused(&register(&server, &least_with(keys(&[ec.clone(), key.clone()]))));
        assert!(told.starts_with("its key number 2 cannot be used: ") && told.contains(why), "{key}: {told}");
    }
}

/// RFC 7517 §5: "Implementations SHOULD ignore JWKs within a JWK Set that use "kty" (key type) values that are not
/// understood by them, that are missing required members, or for which values are out of the supported ranges." What is not
/// for this server does not concern it.
#[test]
fn keys_that_are_not_for_this_server_are_passed_over() {
    let server = open();
    let ec = plain(Kind::P256);
    let others = [
        json!({ "kty": "unheard-of" }),
        json!({ "kty": "OKP", "crv": "Ed448", "x": "AA" }),
        json!({ "kty": "OKP", "crv": "Ed448", "x": "AA", "alg": "EdDSA" }),
        json!({ "kty": "OKP", "crv": "X448", "x": "AA", "alg": "ECDH-ES" }),
        json!({ "kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA", "alg": "ES256K" }),
        json!({ "kty": "EC", "crv": "P-192", "x": "AA", "y": "AA" }),
        json!({ "kty": "EC", "crv": "P-256", "use": "attest" }),
        json!({ "kty": "RSA", "alg": "RS384" }),
        json!({ "kty": "RSA", "alg": "RSA-OAEP", "use": "enc" }),
        changed(&ec, &json!({ "key_ops": ["verify"], "x5c": ["AA"] })),
        changed(&ClientKey::ed("b").public(), &json!({ "use": "sig" })),
        plain(Kind::X25519),
    ];
    let set = keys(&others);
    assert_eq!(registered(&server, &least_with(set.clone()))["jwks"], set["jwks"]);
    assert_eq!(
        registered(&server, &least_with(keys(&[])))["jwks"],
        json!({ "keys": [] }),
        "and none is needed"
    );
}

/// OpenID Connect Core 1.0 §9 and §10.2: for what the client registers, one of its keys must fit.
#[test]
fn what_a_client_registers_needs_a_key_that_fits() {
    let server = open();
    let (ec, rsa) = (plain(Kind::P256), plain(Kind::Rsa));
    let by_key = |alg: Value| json!({ "token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": alg });
    let (for_enc, for_sig) = (json!({ "use": "enc" }), json!({ "use": "sig" }));
    let id_token = |alg: &str| json!({ "id_token_encrypted_response_alg": alg });
    let userinfo = |alg: &str| json!({ "userinfo_encrypted_response_alg": alg });
    for (set, members, named) in [
        (vec![], by_key(Value::Null), "private_key_jwt"),
        (vec![changed(&ec, &for_enc)], by_key(Value::Null), "private_key_jwt"),
        (vec![], by_key(json!("ES256")), "token_endpoint_auth_signing_alg"),
        (vec![ec.clone()], by_key(json!("RS256")), "RS256, its token_endpoint_auth_signing_alg"),
        (vec![changed(&rsa, &json!({ "alg": "PS256" }))], by_key(json!("RS256")), "RS256, its token_"),
        (vec![ec.clone()], by_key(json!("ES384")), "ES384"),
        (vec![ec.clone()], id_token("RSA-OAEP-256"), "RSA-OAEP-256, its id_token_encrypted_response_alg"),
        (vec![ec.clone()], userinfo("RSA-OAEP-256"), "RSA-OAEP-256, its userinfo_encrypted_response_alg"),
        (vec![ec.clone(), plain(Kind::P256)], by_key(json!("ES256")), "of several, each needs a kid"),
        (vec![ec.clone(), plain(Kind::P256)], by_key(Value::Null), "of several, each needs a kid"),
        (
            vec![ClientKey::p256("same").public(), ClientKey::p256("same").public()],
            by_key(json!("ES256")),
            "of several, each needs a kid",
        ),
        (vec![changed(&ec, &for_sig)], id_token("ECDH-ES"), "ECDH-ES, its id_token_encrypted_response_alg"),
        (vec![changed(&rsa, &json!({ "alg": "RS256" }))], id_token("RSA-OAEP-256"), "RSA-OAEP-256"),
    ] {
        let told = refused(&register(&server, &least_with(and(keys(&set), members.clone()))));
        assert!(told.starts_with("none of its keys is for ") && told.contains(named), "{members}: {told}");
    }
    let two = [changed(&ec, &for_sig), changed(&ec, &for_enc), rsa.clone()];
    for members in [
        by_key(Value::Null),
        by_key(json!("ES256")),
        by_key(json!("RS256")),
        id_token("ECDH-ES+A256KW"),
        userinfo("RSA-OAEP-256"),
    ] {
        registered(&server, &least_with(and(keys(&two), members)));
    }
    // Which of several it is, a kid says when the time comes.
    let several = [ClientKey::p256("a").public(), ClientKey::p256("b").public()];
    registered(&server, &least_with(and(keys(&several), by_key(json!("ES256")))));
}

/// RFC 7592 §2.2: an update is held to the same.
#[test]
fn an_update_cannot_take_the_fitting_key_away() {
    let server = open();
    let (ec, rsa) = (plain(Kind::P256), plain(Kind::Rsa));
    let with = |key: &Value| {
        least_with(and(
            keys(std::slice::from_ref(key)),
            json!({ "id_token_encrypted_response_alg": "RSA-OAEP-256" }),
        ))
    };
    let told = registered(&server, &with(&rsa));
    let text = |name: &str| told[name].as_str().unwrap();
    let path = text("registration_client_uri").strip_prefix(&server.issuer).unwrap();
    let put = |body: Value| {
        let body = and(body, json!({ "client_id": told["client_id"] }));
        manage(&server, "PUT", path, Some(text("registration_access_token")), &body.to_string())
    };
    assert!(refused(&put(with(&ec))).contains("RSA-OAEP-256"));
    assert!(refused(&put(with(&json!({ "kty": "RSA" })))).contains("'n' is missing"));
    assert_eq!(put(with(&rsa)).status, 200);
}

/// RFC 7591 §3.2.2: the description names the member that was sent.
#[test]
fn a_refusal_names_the_member_that_was_sent() {
    let server = with("mode = \"open\"\ngrant_types = [\"authorization_code\", \"client_credentials\"]");
    for (members, start) in [
        (
            json!({ "id_token_encrypted_response_alg": "ECDH-ES" }),
            "id_token_encrypted_response_alg: needs the client's public keys",
        ),
        (
            json!({ "userinfo_encrypted_response_alg": "ECDH-ES" }),
            "userinfo_encrypted_response_alg: needs the client's public keys",
        ),
        (
            json!({ "userinfo_encrypted_response_enc": "A128GCM" }),
            "userinfo_encrypted_response_enc: needs userinfo_encrypted_response_alg",
        ),
        (
            json!({ "token_endpoint_auth_method": "none", "grant_types": ["authorization_code", "client_credentials"] }),
            "grant_types: client_credentials needs another token_endpoint_auth_method",
        ),
    ] {
        let answer = register(&server, &least_with(members));
        let told = answer.text("error_description");
        assert!(answer.error() == "invalid_client_metadata" && told.starts_with(start), "{told}");
    }
}
