//! Clients that authenticate by assertion: their keys, what they sign, and the requests they send.

use std::sync::LazyLock;

use countersign::base::encoding::base64url;
use josekit::jwk::alg::ec::{EcCurve, EcKeyPair};
use josekit::jwk::alg::ed::{EdCurve, EdKeyPair};
use josekit::jwk::alg::rsa::RsaKeyPair;
use josekit::jwk::{Jwk, KeyPair};
use josekit::jws::{ES256, ES384, ES512, EdDSA, HS256, HS384, HS512, JwsSigner, PS256};
use serde_json::{Map, Value, json};

use super::http::Answer;
use super::server::{START, TestServer};

pub const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A client's key pair.
pub struct ClientKey {
    pair: Box<dyn KeyPair + Send + Sync>,
    pub kid: String,
}

/// RSA keys are slow to make.
static RSA: LazyLock<Vec<u8>> = LazyLock::new(|| RsaKeyPair::generate(2048).unwrap().to_der_private_key());

impl ClientKey {
    pub fn ec(kid: &str, curve: EcCurve) -> Self {
        Self { pair: Box::new(EcKeyPair::generate(curve).unwrap()), kid: kid.to_owned() }
    }

    pub fn p256(kid: &str) -> Self {
        Self::ec(kid, EcCurve::P256)
    }

    pub fn ed(kid: &str) -> Self {
        Self { pair: Box::new(EdKeyPair::generate(EdCurve::Ed25519).unwrap()), kid: kid.to_owned() }
    }

    /// The same for all tests.
    pub fn rsa(kid: &str) -> Self {
        Self { pair: Box::new(RsaKeyPair::from_der(&*RSA).unwrap()), kid: kid.to_owned() }
    }

    pub fn weak_rsa(kid: &str) -> Self {
        Self { pair: Box::new(RsaKeyPair::generate(1024).unwrap()), kid: kid.to_owned() }
    }

    /// The public JWK, with its `kid`.
    pub fn public(&self) -> Value {
        self.value(&self.pair.to_jwk_public_key())
    }

    pub fn private(&self) -> Value {
        self.value(&self.pair.to_jwk_private_key())
    }

    fn value(&self, jwk: &Jwk) -> Value {
        let mut value = Value::Object(jwk.as_ref().clone());
        value["kid"] = self.kid.clone().into();
        value
    }

    pub fn sign(&self, alg: &str, text: &str) -> Vec<u8> {
        let der = self.pair.to_der_private_key();
        let signer: Box<dyn JwsSigner> = match alg {
            "ES256" => Box::new(ES256.signer_from_der(&der).unwrap()),
            "ES384" => Box::new(ES384.signer_from_der(&der).unwrap()),
            "ES512" => Box::new(ES512.signer_from_der(&der).unwrap()),
            // josekit signs with no key as weak as some of these.
            "RS256" => return rs256(&der, text),
            "PS256" => Box::new(PS256.signer_from_der(&der).unwrap()),
            "EdDSA" => Box::new(EdDSA.signer_from_der(&der).unwrap()),
            other => panic!("{other}"),
        };
        signer.sign(text.as_bytes()).unwrap()
    }
}

fn rs256(der: &[u8], text: &str) -> Vec<u8> {
    let key = openssl::pkey::PKey::private_key_from_der(der).unwrap();
    let mut signer = openssl::sign::Signer::new(openssl::hash::MessageDigest::sha256(), &key).unwrap();
    signer.sign_oneshot_to_vec(text.as_bytes()).unwrap()
}

pub fn mac(alg: &str, secret: &str, text: &str) -> Vec<u8> {
    let signer: Box<dyn JwsSigner> = match alg {
        "HS256" => Box::new(HS256.signer_from_bytes(secret).unwrap()),
        "HS384" => Box::new(HS384.signer_from_bytes(secret).unwrap()),
        "HS512" => Box::new(HS512.signer_from_bytes(secret).unwrap()),
        other => panic!("{other}"),
    };
    signer.sign(text.as_bytes()).unwrap()
}

/// A JWT whose every part is the test's own.
pub fn jwt(header: &Value, claims: &Value, sign: impl FnOnce(&str) -> Vec<u8>) -> String {
    let text =
        format!("{}.{}", base64url(header.to_string().as_bytes()), base64url(claims.to_string().as_bytes()));
    let signature = sign(&text);
    format!("{text}.{}", base64url(&signature))
}

/// The claims of a good assertion.
pub fn claims(server: &TestServer, client: &str, jti: &str) -> Value {
    let now = server.clock_now();
    json!({
        "iss": client, "sub": client, "aud": server.issuer, "jti": jti, "iat": now, "exp": now + 60,
    })
}

/// The same with some changed; `null` leaves out.
pub fn with(mut claims: Value, changes: &Value) -> Value {
    let members: &mut Map<String, Value> = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    claims
}

/// A good assertion.
pub fn assertion(server: &TestServer, client: &str, key: &ClientKey, jti: &str) -> String {
    signed(key, "ES256", &claims(server, client, jti))
}

pub fn signed(key: &ClientKey, alg: &str, claims: &Value) -> String {
    jwt(&json!({ "alg": alg, "kid": key.kid }), claims, |text| key.sign(alg, text))
}

/// `POST /token` for client credentials.
pub fn token(server: &TestServer, assertion: &str) -> Answer {
    token_with(server, assertion, &[])
}

pub fn token_with(server: &TestServer, assertion: &str, more: &[(&str, &str)]) -> Answer {
    let mut form = vec![
        ("grant_type", "client_credentials"),
        ("client_assertion_type", TYPE),
        ("client_assertion", assertion),
    ];
    form.extend_from_slice(more);
    server.client().post("/token", &form)
}

/// TOML of a service that has these keys by value.
pub fn service(id: &str, keys: &[&ClientKey], more: &str) -> String {
    let set = json!({ "keys": keys.iter().map(|key| key.public()).collect::<Vec<_>>() });
    format!(
        "\n[[clients]]\nid = \"{id}\"\nprofile = \"service\"\nscopes = [\"notes:read\"]\n\
         resources = [\"https://notes.example\"]\ntoken_endpoint_auth_method = \"private_key_jwt\"\n\
         jwks = '{set}'\n{more}\n"
    )
}

/// TOML of a service whose keys are at this address.
pub fn service_at(id: &str, jwks_uri: &str) -> String {
    format!(
        "\n[[clients]]\nid = \"{id}\"\nprofile = \"service\"\nscopes = [\"notes:read\"]\n\
         resources = [\"https://notes.example\"]\ntoken_endpoint_auth_method = \"private_key_jwt\"\n\
         jwks_uri = \"{jwks_uri}\"\n"
    )
}

impl TestServer {
    /// The second at which its clock stands.
    pub fn clock_now(&self) -> i64 {
        let now = self.app.now().0;
        assert!(now >= START.0 - 1_000_000_000);
        now
    }
}
