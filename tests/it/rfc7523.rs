//! RFC 7523 §2.2 and §3, RFC 7521 §4.2, OpenID Connect Core 1.0 §9: clients that authenticate by an assertion under a key of
//! their own (`private_key_jwt`). One thing of the good assertion is changed at a time. RFC 7591 §2: the method that a client
//! registered is the only one that it may use.

use josekit::jwk::alg::ec::EcCurve;
use serde_json::{Value, json};

use super::support::assertions::{
    ClientKey, TYPE, assertion, claims, jwt, mac, service, signed, token, token_with, with,
};
use super::support::http::Answer;
use super::support::raw::at_once;
use super::support::server::{CLIENTS, Setup, TestServer, secret};
use super::support::{Database, change, on_each_database};

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

fn setup(key: &ClientKey) -> Setup {
    Setup { clients: format!("{CLIENTS}{}", service("robot", &[key], "")), ..Setup::default() }
}

fn start() -> (TestServer, ClientKey) {
    let key = ClientKey::p256("k1");
    (TestServer::with(setup(&key)), key)
}

fn assert_refused(answer: &Answer, name: &str) {
    assert_eq!(answer.error(), "invalid_client", "{name}: {}", answer.body);
    assert_eq!(answer.status, 401, "{name}");
    assert_eq!(answer.text("error_description"), "client authentication failed", "{name}");
}

#[test]
fn a_client_authenticates_with_its_key_and_needs_no_secret() {
    let (server, key) = start();
    let answer = token(&server, &assertion(&server, "robot", &key, "1"));
    assert_eq!(answer.status, 200, "{}", answer.body);
    // RFC 7521 §4.2: a client_id beside it must be the same.
    let more = [("client_id", "robot")];
    assert_eq!(token_with(&server, &assertion(&server, "robot", &key, "2"), &more).status, 200);
    let more = [("client_id", "service")];
    assert_refused(&token_with(&server, &assertion(&server, "robot", &key, "3"), &more), "another client_id");
}

#[test]
fn every_algorithm_of_a_signature_is_taken_with_its_own_kind_of_key() {
    let keys = [
        ("ES256", ClientKey::p256("es256")),
        ("ES384", ClientKey::ec("es384", EcCurve::P384)),
        ("ES512", ClientKey::ec("es512", EcCurve::P521)),
        ("RS256", ClientKey::rsa("rsa")),
        ("PS256", ClientKey::rsa("rsa")),
        ("EdDSA", ClientKey::ed("ed")),
    ];
    let set: Vec<&ClientKey> = keys.iter().filter(|(alg, _)| *alg != "PS256").map(|(_, key)| key).collect();
    let clients = format!("{CLIENTS}{}", service("robot", &set, ""));
    let server = TestServer::with(Setup { clients, ..Setup::default() });
    for (alg, key) in &keys {
        let answer = token(&server, &signed(key, alg, &claims(&server, "robot", alg)));
        assert_eq!(answer.status, 200, "{alg}: {}", answer.body);
    }
}

/// RFC 7523 §3, in its order.
#[test]
fn an_assertion_says_who_for_whom_and_until_when() {
    let (server, key) = start();
    let now = server.clock_now();
    let long = "j".repeat(257);
    for (name, change) in [
        ("no iss", json!({ "iss": null })),
        ("another iss", json!({ "iss": "service" })),
        ("no sub", json!({ "sub": null })),
        ("another client", json!({ "sub": "service" })),
        ("a client that does not exist", json!({ "iss": "nobody", "sub": "nobody" })),
        ("sub is no text", json!({ "sub": 7 })),
        ("no aud", json!({ "aud": null })),
        ("another server", json!({ "aud": "https://other.example" })),
        ("below the issuer", json!({ "aud": format!("{}/revoke", server.issuer) })),
        ("with a slash", json!({ "aud": format!("{}/", server.issuer) })),
        ("aud is no text", json!({ "aud": { "a": server.issuer } })),
        ("an empty list", json!({ "aud": [] })),
        ("another server too", json!({ "aud": [server.issuer, "https://other.example"] })),
        ("a server that begins alike", json!({ "aud": [server.issuer, format!("{}0", server.issuer)] })),
        ("no exp", json!({ "exp": null })),
        ("expired", json!({ "exp": now })),
        ("far ahead", json!({ "exp": now + 3661 })),
        ("exp is a text", json!({ "exp": "soon" })),
        ("exp is huge", json!({ "exp": 1e300 })),
        ("not yet", json!({ "nbf": now + 61 })),
        ("nbf is no time", json!({ "nbf": "now" })),
        ("made in the future", json!({ "iat": now + 61 })),
        ("no jti", json!({ "jti": null })),
        ("an empty jti", json!({ "jti": "" })),
        ("a long jti", json!({ "jti": long })),
        ("jti is a number", json!({ "jti": 7 })),
    ] {
        let changed = with(claims(&server, "robot", name), &change);
        assert_refused(&token(&server, &signed(&key, "ES256", &changed)), name);
    }
    let token_endpoint = server.client().get("/.well-known/openid-configuration").text("token_endpoint");
    for (name, change) in [
        ("for the token endpoint", json!({ "aud": token_endpoint })),
        ("for both", json!({ "aud": [server.issuer, token_endpoint] })),
        (
            "for this endpoint and another",
            json!({ "aud": [token_endpoint, format!("{}/revoke", server.issuer)] }),
        ),
        ("an hour, by a clock that is ahead", json!({ "exp": now + 3660, "iat": now + 60, "nbf": now + 60 })),
        ("a second is left", json!({ "exp": now + 1 })),
        ("a fraction is left", json!({ "exp": now as f64 + 0.5 })),
        ("no iat", json!({ "iat": null })),
        ("more than that", json!({ "other": [1] })),
        ("a jti of 256 bytes", json!({ "jti": "j".repeat(256) })),
    ] {
        let changed = with(claims(&server, "robot", name), &change);
        let answer = token(&server, &signed(&key, "ES256", &changed));
        assert_eq!(answer.status, 200, "{name}: {}", answer.body);
    }
}

/// FAPI 2.0 wants the issuer as the one audience, as a text.
#[test]
fn a_client_may_be_held_to_the_issuer_as_the_audience() {
    let key = ClientKey::p256("k1");
    let strict = service("robot", &[&key], "assertion_for_issuer_only = true");
    let server = TestServer::with(Setup { clients: format!("{CLIENTS}{strict}"), ..Setup::default() });
    assert_eq!(token(&server, &assertion(&server, "robot", &key, "1")).status, 200);
    for (name, aud) in [
        ("the token endpoint", json!(format!("{}/token", server.issuer))),
        ("a list", json!([server.issuer])),
    ] {
        let changed = with(claims(&server, "robot", name), &json!({ "aud": aud }));
        assert_refused(&token(&server, &signed(&key, "ES256", &changed)), name);
    }
}

/// RFC 8725 §3.1 and §3.11: the forgeries of this field.
#[test]
fn a_header_does_not_choose_what_is_believed() {
    let (server, key) = start();
    let (stranger, claims) = (ClientKey::p256("k1"), claims(&server, "robot", "1"));
    let by = |key: &ClientKey, header: Value| jwt(&header, &claims, |text| key.sign("ES256", text));
    let public = key.public().to_string();
    let own_key = stranger.public();
    for (name, assertion) in [
        ("another key of the same name", by(&stranger, json!({ "alg": "ES256", "kid": "k1" }))),
        ("a key that nobody has", by(&key, json!({ "alg": "ES256", "kid": "k2" }))),
        ("its own key", by(&stranger, json!({ "alg": "ES256", "jwk": own_key }))),
        ("its own key by address", by(&stranger, json!({ "alg": "ES256", "jku": "https://evil.example/" }))),
        ("another algorithm", by(&key, json!({ "alg": "ES384", "kid": "k1" }))),
        ("none", jwt(&json!({ "alg": "none" }), &claims, |_| Vec::new())),
        (
            "the public key as a secret",
            jwt(&json!({ "alg": "HS256" }), &claims, |t| mac("HS256", &public, t)),
        ),
        ("no algorithm", by(&key, json!({ "kid": "k1" }))),
        ("crit", by(&key, json!({ "alg": "ES256", "kid": "k1", "crit": ["b64"], "b64": false }))),
        ("b64", by(&key, json!({ "alg": "ES256", "kid": "k1", "b64": false }))),
        ("an access token", by(&key, json!({ "alg": "ES256", "kid": "k1", "typ": "at+jwt" }))),
        ("kid is a number", by(&key, json!({ "alg": "ES256", "kid": 1 }))),
        ("no signature", jwt(&json!({ "alg": "ES256", "kid": "k1" }), &claims, |_| Vec::new())),
        ("no JWT", "a.b.c".to_owned()),
        ("a JWE", "eyJ.a.b.c.d".to_owned()),
        ("two parts", "e30.e30".to_owned()),
    ] {
        assert_refused(&token(&server, &assertion), name);
    }
    let twice = format!("{{\"alg\":\"ES256\",\"kid\":\"k1\",\"alg\":\"{}\"}}", "none");
    let text = [twice.as_str(), &claims.to_string()]
        .map(|part| countersign::base::encoding::base64url(part.as_bytes()));
    let signature = countersign::base::encoding::base64url(&key.sign("ES256", &text.join(".")));
    assert_refused(&token(&server, &format!("{}.{signature}", text.join("."))), "alg twice");
    for typ in ["JWT", "jwt", "application/jwt", "client-authentication+jwt"] {
        let claims = with(claims.clone(), &json!({ "jti": typ }));
        let header = json!({ "alg": "ES256", "kid": "k1", "typ": typ });
        let answer = token(&server, &jwt(&header, &claims, |text| key.sign("ES256", text)));
        assert_eq!(answer.status, 200, "{typ}: {}", answer.body);
    }
}

#[test]
fn a_client_that_registered_one_algorithm_uses_no_other() {
    let keys = [ClientKey::p256("ec"), ClientKey::rsa("rsa")];
    let one = service("robot", &[&keys[0], &keys[1]], "token_endpoint_auth_signing_alg = \"PS256\"");
    let server = TestServer::with(Setup { clients: format!("{CLIENTS}{one}"), ..Setup::default() });
    let by = |key, alg| token(&server, &signed(key, alg, &claims(&server, "robot", alg)));
    assert_eq!(by(&keys[1], "PS256").status, 200);
    assert_refused(&by(&keys[1], "RS256"), "RS256");
    assert_refused(&by(&keys[0], "ES256"), "ES256");
}

/// OpenID Connect Core 1.0 §10.1: with several keys "a kid value MUST be provided".
#[test]
fn the_one_key_of_its_kind_needs_no_name_and_one_of_several_does() {
    let keys = [ClientKey::p256("a"), ClientKey::p256("b"), ClientKey::rsa("c")];
    let clients = format!("{CLIENTS}{}", service("robot", &[&keys[0], &keys[1], &keys[2]], ""));
    let server = TestServer::with(Setup { clients, ..Setup::default() });
    let nameless = |key: &ClientKey, alg: &str| {
        let claims = claims(&server, "robot", alg);
        token(&server, &jwt(&json!({ "alg": alg }), &claims, |text| key.sign(alg, text)))
    };
    assert_eq!(nameless(&keys[2], "RS256").status, 200);
    assert_refused(&nameless(&keys[0], "ES256"), "one of two");
    assert_eq!(token(&server, &assertion(&server, "robot", &keys[1], "b")).status, 200);
}

/// RFC 7517 §4.2, §4.3 and §4.4: what a key says that it is for, it is for.
#[test]
fn a_key_that_is_for_something_else_or_is_too_weak_verifies_nothing() {
    let (server, key) = start();
    let weak = ClientKey::weak_rsa("k1");
    for (name, key, alg, change) in [
        ("for encryption", &key, "ES256", json!({ "use": "enc" })),
        ("for another algorithm", &key, "ES256", json!({ "alg": "ES384" })),
        ("to sign", &key, "ES256", json!({ "key_ops": ["sign"] })),
        ("off its curve", &key, "ES256", json!({ "x": key.public()["y"], "y": key.public()["x"] })),
        ("without y", &key, "ES256", json!({ "y": null })),
        ("RSA of 1024 bits", &weak, "RS256", json!({})),
        ("RSA with the exponent 3", &weak, "RS256", json!({ "e": "Aw" })),
    ] {
        let jwk = with(key.public(), &change);
        let set = json!({ "keys": [jwk] }).as_object().unwrap().clone();
        change::client(&server, "robot", |draft| draft.openid.jwks = Some(set));
        assert_refused(&token(&server, &signed(key, alg, &claims(&server, "robot", name))), name);
    }
    let fine = with(key.public(), &json!({ "use": "sig", "alg": "ES256", "key_ops": ["verify"] }));
    let set = json!({ "keys": [{ "kty": "unheard-of" }, fine] }).as_object().unwrap().clone();
    change::client(&server, "robot", |draft| draft.openid.jwks = Some(set));
    assert_eq!(token(&server, &assertion(&server, "robot", &key, "fine")).status, 200);
}

/// RFC 6749 §2.3: "The client MUST NOT use more than one authentication method in each request."
#[test]
fn an_assertion_stands_alone_and_with_its_type() {
    let (server, key) = start();
    let (text, own) = (assertion(&server, "robot", &key, "1"), secret("service"));
    let posted = token_with(&server, &text, &[("client_secret", &own)]);
    assert_eq!((posted.error().as_str(), posted.status), ("invalid_request", 400));
    let form = [GRANT, ("client_assertion_type", TYPE), ("client_assertion", &text)];
    let both = server.client().post_as("service", &own, "/token", &form);
    assert_eq!(both.error(), "invalid_request");
    assert_eq!(server.client().post("/token", &form[..2]).error(), "invalid_request");
    let without_type = server.client().post("/token", &[GRANT, ("client_assertion", &text)]);
    assert_eq!(without_type.error(), "invalid_request");
    let saml = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer";
    let form = [GRANT, ("client_assertion_type", saml), ("client_assertion", &text)];
    let answer = server.client().post("/token", &form);
    assert_eq!(answer.error(), "invalid_client");
    assert!(answer.text("error_description").contains(TYPE));
    let long = "a".repeat(16_385);
    assert_eq!(token(&server, &long).error(), "invalid_request");
    assert_eq!(token(&server, &text).status, 200, "none of these has used it up");
}

#[test]
fn a_client_authenticates_in_the_way_that_it_registered() {
    let key = ClientKey::p256("k1");
    let registered = |id: &str, method: &str| {
        format!(
            "\n[[clients]]\nid = \"{id}\"\nprofile = \"service\"\nscopes = [\"notes:read\"]\n\
             resources = [\"https://notes.example\"]\ntoken_endpoint_auth_method = \"{method}\"\n\
             secret_hash = \"SECRET_HASH:{id}\"\n"
        )
    };
    let clients = format!(
        "{CLIENTS}{}{}{}",
        service("robot", &[&key], ""),
        registered("header", "client_secret_basic"),
        registered("body", "client_secret_post")
    );
    let server = TestServer::with(Setup { clients, ..Setup::default() });
    let posted = |id: &str| {
        server.client().post("/token", &[GRANT, ("client_id", id), ("client_secret", &secret(id))])
    };
    assert_eq!(server.token("header", &[GRANT]).status, 200);
    assert_refused(&posted("header"), "a header is registered");
    assert_eq!(posted("body").status, 200);
    assert_refused(&server.token("body", &[GRANT]), "the body is registered");
    // Whoever registered nothing may do as before, and has no key.
    assert_eq!((posted("service").status, server.token("service", &[GRANT]).status), (200, 200));
    assert_refused(&token(&server, &assertion(&server, "service", &key, "1")), "no key is registered");
    assert_refused(&token(&server, &assertion(&server, "header", &key, "1")), "a secret is registered");
    // And whoever registered keys has no secret, not even one that was made before.
    change::add_secret(&server, "robot", &secret("robot"), None);
    assert_refused(&server.token("robot", &[GRANT]), "a key is registered");
    assert_refused(&posted("robot"), "a key is registered");
    assert_refused(&server.client().post("/token", &[GRANT, ("client_id", "robot")]), "nothing shown");
    let public = with(claims(&server, "app", "1"), &json!({}));
    assert_refused(&token(&server, &signed(&key, "ES256", &public)), "a public client");
}

#[test]
fn a_client_that_is_switched_off_has_no_key_that_counts() {
    let (server, key) = start();
    change::switch_off(&server, "robot");
    assert_refused(&token(&server, &assertion(&server, "robot", &key, "1")), "switched off");
}

/// The same at every endpoint that asks who is there.
#[test]
fn introspection_and_revocation_take_assertions_too() {
    let key = ClientKey::p256("k1");
    let api = service("robot", &[&key], "introspects = [\"https://notes.example\"]");
    let server = TestServer::with(Setup { clients: format!("{CLIENTS}{api}"), ..Setup::default() });
    let own = token(&server, &assertion(&server, "robot", &key, "1")).text("access_token");
    let ask = |path: &str, jti: &str| {
        let text = assertion(&server, "robot", &key, jti);
        let form = [("token", own.as_str()), ("client_assertion_type", TYPE), ("client_assertion", &text)];
        server.client().post(path, &form)
    };
    assert_eq!(ask("/introspect", "2").json()["active"], true);
    assert_refused(&ask("/introspect", "2"), "used before");
    assert_refused(&ask("/revoke", "2"), "used before, at another endpoint");
    assert_eq!(ask("/revoke", "3").status, 200);
    assert_eq!(ask("/introspect", "4").json()["active"], false);
}

fn two_nodes(database: &Database, key: &ClientKey) -> (TestServer, TestServer) {
    let on = |issuer| Setup { database: Some(database.url.clone()), issuer, ..setup(key) };
    let one = TestServer::with(on(None));
    let two = TestServer::with(on(Some(one.issuer.clone())));
    (one, two)
}

/// RFC 7523 §3: the server "MAY ensure that JWTs are not replayed by maintaining the set of used "jti" values": it does.
#[test]
fn an_assertion_counts_once_on_all_nodes_together() {
    on_each_database(|database| {
        let keys = [ClientKey::p256("k1"), ClientKey::p256("k1")];
        let other = service("other", &[&keys[1]], "");
        let on = |issuer| Setup {
            database: Some(database.url.clone()),
            issuer,
            clients: format!("{CLIENTS}{}{other}", service("robot", &[&keys[0]], "")),
            ..Setup::default()
        };
        let one = TestServer::with(on(None));
        let two = TestServer::with(on(Some(one.issuer.clone())));
        let text = assertion(&one, "robot", &keys[0], "same");
        assert_eq!(token(&one, &text).status, 200, "{}", database.kind);
        for server in [&one, &two] {
            assert_refused(&token(server, &text), "used before");
            assert_refused(&token(server, &assertion(&one, "robot", &keys[0], "same")), "the same jti");
        }
        // Another client may choose the same jti; and what was refused for another reason is not used up.
        assert_eq!(token(&two, &assertion(&two, "other", &keys[1], "same")).status, 200);
        let later = with(claims(&one, "robot", "later"), &json!({ "nbf": one.clock_now() + 100 }));
        let later = signed(&keys[0], "ES256", &with(later, &json!({ "exp": one.clock_now() + 200 })));
        assert_refused(&token(&two, &later), "not yet");
        two.advance(100);
        assert_eq!(token(&two, &later).status, 200);
    });
}

#[test]
fn of_fifty_uses_of_one_assertion_at_once_one_succeeds() {
    on_each_database(|database| {
        let key = ClientKey::p256("k1");
        let (one, two) = two_nodes(&database, &key);
        let text = assertion(&one, "robot", &key, "race");
        let answers = at_once(50, |n| token(if n % 2 == 0 { &one } else { &two }, &text).status);
        let won = answers.iter().filter(|status| **status == 200).count();
        assert_eq!(won, 1, "{}: {answers:?}", database.kind);
        assert!(answers.iter().all(|status| [200, 401].contains(status)), "{answers:?}");
    });
}

/// What was used must be remembered until the assertion is dead, and no longer.
#[test]
fn a_used_assertion_is_remembered_until_its_end() {
    let (server, key) = start();
    let text = signed(
        &key,
        "ES256",
        &with(
            claims(&server, "robot", "1"),
            &json!({
                "exp": server.clock_now() + 600,
            }),
        ),
    );
    assert_eq!(token(&server, &text).status, 200);
    let sweep =
        || countersign::app::sweep(server.store(), server.app.now(), 100, &mut |_| true).unwrap().rows;
    server.advance(599);
    assert_eq!(sweep(), 0);
    assert_refused(&token(&server, &text), "used before");
    server.advance(1);
    assert_eq!(sweep(), 1);
    assert_refused(&token(&server, &text), "expired");
}

/// RFC 8414 §2.
#[test]
fn the_metadata_tells_of_the_methods_and_their_algorithms() {
    let server = TestServer::start();
    let document = server.client().get("/.well-known/openid-configuration").json();
    let methods =
        json!(["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"]);
    let algorithms = json!(["ES256", "RS256", "PS256", "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512"]);
    for endpoint in ["token", "revocation", "introspection"] {
        let told = &document[format!("{endpoint}_endpoint_auth_methods_supported")];
        let mut expected = methods.as_array().unwrap().clone();
        if endpoint == "introspection" {
            expected.pop();
        }
        assert_eq!(told, &json!(expected), "{endpoint}");
        assert_eq!(document[format!("{endpoint}_endpoint_auth_signing_alg_values_supported")], algorithms);
    }
}

/// RFC 7517 §9.2: who gives a private key away has lost it. RFC 7518 §6.4.1: "k" is a symmetric one.
#[test]
fn a_private_key_is_not_taken_for_a_public_one() {
    let (server, key) = start();
    let id = "robot".parse().unwrap();
    let found = server.store().read("test", |conn| countersign::store::clients::find(conn, &id)).unwrap();
    let refused = |set: Value| {
        let mut draft = found.as_ref().unwrap().to_draft();
        draft.openid.jwks = Some(set.as_object().unwrap().clone());
        countersign::domain::Client::check(draft, server.app.now()).is_err()
    };
    assert!(refused(json!({ "keys": [key.private()] })));
    assert!(refused(json!({ "keys": [{ "kty": "oct", "k": "AAAA" }] })));
    assert!(refused(json!({})) && refused(json!({ "keys": "a" })));
    assert!(refused(json!({ "keys": vec![key.public(); 33] })));
    assert!(!refused(json!({ "keys": [key.public()] })));
}
