//! OpenID Connect Core 1.0 §10.2 and OpenID Connect Dynamic Client Registration 1.0 §2: ID tokens that are signed and then
//! encrypted to a key of the client, read with nothing but its private key and the published keys.

use countersign::oauth::algorithm::{ContentEncryption, KeyManagement};
use serde_json::{Map, Value, json};

use super::support::flow::{code, redemption};
use super::support::http::Answer;
use super::support::jwe::{Kind, Recipient};
use super::support::jwt::verified;
use super::support::{TestServer, change};

fn encrypted_to(server: &TestServer, keys: &Value, alg: KeyManagement, enc: ContentEncryption) {
    let set: Map<String, Value> = json!({ "keys": keys }).as_object().unwrap().clone();
    change::client(server, "web", |draft| {
        draft.openid.jwks = Some(set);
        draft.openid.id_token.encryption = Some((alg, enc));
    });
}

fn redeemed(server: &TestServer) -> Answer {
    server.token("web", &redemption(&code(server, "web", &[("nonce", "n")])))
}

fn with(key: Map<String, Value>, more: &Value) -> Value {
    let mut key = key;
    key.extend(more.as_object().unwrap().clone());
    key.into()
}

/// RFC 7519 §5.2: `cty` is "JWT"; RFC 7519 §11.2: signed first. RFC 7518 §4.3, RFC 7518 §4.6: each way to convey the key.
#[test]
fn an_id_token_is_opened_by_the_clients_key_and_verifies() {
    let server = TestServer::start();
    for kind in [Kind::Rsa, Kind::P256, Kind::X25519] {
        let recipient = Recipient::new(kind);
        for alg in kind.algorithms() {
            for enc in ContentEncryption::ALL {
                encrypted_to(&server, &json!([recipient.public_jwk()]), alg.parse().unwrap(), enc);
                let token = redeemed(&server).text("id_token");
                let (header, signed) = recipient.open(&token, alg, enc.as_str());
                assert_eq!((&header["cty"], &header["typ"]), (&json!("JWT"), &json!("JWT")));
                assert_eq!(header["kid"], recipient.thumbprint());
                assert_eq!(verified(&server, &signed, "web").1["nonce"], "n");
            }
        }
    }
}

/// OpenID Connect Core §10.2.1: the kid of the client's own key stands in the header, so that it finds it.
#[test]
fn the_kid_is_that_of_the_clients_key_set() {
    let server = TestServer::start();
    let recipient = Recipient::new(Kind::P256);
    let key = with(recipient.public_jwk(), &json!({ "kid": "mine", "use": "enc" }));
    encrypted_to(&server, &json!([key]), KeyManagement::EcdhEs, ContentEncryption::A128Gcm);
    let (header, _) = recipient.open(&redeemed(&server).text("id_token"), "ECDH-ES", "A128GCM");
    assert_eq!(header["kid"], "mine");
}

/// RFC 7517 §4.2 and RFC 7517 §4.4: a key that says what it is for is used for nothing else, whatever stands before it.
#[test]
fn the_key_that_is_meant_for_it_is_chosen() {
    let server = TestServer::start();
    let [signs, says_nothing, wraps, meant] = [(); 4].map(|()| Recipient::new(Kind::P256));
    let keys = json!([
        with(signs.public_jwk(), &json!({ "use": "sig" })),
        with(Recipient::new(Kind::Rsa).public_jwk(), &json!({ "use": "enc" })),
        says_nothing.public_jwk(),
        with(wraps.public_jwk(), &json!({ "alg": "ECDH-ES+A256KW" })),
        with(meant.public_jwk(), &json!({ "use": "enc" })),
    ]);
    encrypted_to(&server, &keys, KeyManagement::EcdhEs, ContentEncryption::A256Gcm);
    meant.open(&redeemed(&server).text("id_token"), "ECDH-ES", "A256GCM");
    let keys = json!([says_nothing.public_jwk()]);
    encrypted_to(&server, &keys, KeyManagement::EcdhEs, ContentEncryption::A256Gcm);
    says_nothing.open(&redeemed(&server).text("id_token"), "ECDH-ES", "A256GCM");
}

/// Nothing goes out unencrypted that was to be encrypted.
#[test]
fn a_client_without_a_fitting_key_gets_nothing() {
    let server = TestServer::start();
    let [rsa, curve] = [Kind::Rsa, Kind::P256].map(Recipient::new);
    let signs = with(curve.public_jwk(), &json!({ "use": "sig" }));
    // One with private parts is not even registered: rfc7523.rs.
    for keys in [json!([]), json!([rsa.public_jwk()]), json!([signs]), json!([{}])] {
        encrypted_to(&server, &keys, KeyManagement::EcdhEs, ContentEncryption::A256Gcm);
        let answer = redeemed(&server);
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (400, "invalid_request"),
            "{keys}: {}",
            answer.body
        );
        assert!(answer.text("error_description").contains("none of the client's keys"), "{}", answer.body);
    }
}

/// A code or a refresh token that went for an answer that cannot be given would be lost, and look stolen when it comes again.
#[test]
fn what_cannot_be_answered_uses_nothing_up() {
    let server = TestServer::start();
    let recipient = Recipient::new(Kind::P256);
    let encrypted_to = |keys: Value| {
        encrypted_to(&server, &keys, KeyManagement::EcdhEs, ContentEncryption::A256Gcm);
    };
    let good = json!([recipient.public_jwk()]);
    let code = code(&server, "web", &[("scope", "openid offline_access")]);
    encrypted_to(json!([]));
    assert_eq!(server.token("web", &redemption(&code)).status, 400);
    encrypted_to(good.clone());
    let given = server.token("web", &redemption(&code));
    assert_eq!(given.status, 200, "{}", given.body);
    let token = given.text("refresh_token");
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
    encrypted_to(json!([]));
    assert_eq!(server.token("web", &refresh).status, 400);
    server.advance(3600);
    encrypted_to(good);
    assert_eq!(server.token("web", &refresh).status, 200);
}
