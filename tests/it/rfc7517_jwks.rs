//! RFC 7517 §5: the published keys. Public members only, and always the key of every living token.

use std::collections::BTreeSet;

use countersign::base::encoding::{base64url, from_base64url, sha256};
use countersign::base::entropy::OsEntropy;
use countersign::flow::keys::{self, KeyFault};
use countersign::http::paths;
use countersign::oauth::algorithm::SigningAlgorithm;
use serde_json::Value;

use super::support::TestServer;
use super::support::flow::part;
use super::support::http::Answer;
use super::support::server::{CLIENTS, Setup};

const ALGORITHMS: [&str; 6] = ["ES256", "RS256", "PS256", "ES384", "ES512", "EdDSA"];

/// A server with a key of every algorithm, and for each a resource server whose access tokens it signs.
fn with_every_algorithm() -> TestServer {
    let mut clients = CLIENTS.to_owned();
    let mut resources = String::new();
    for algorithm in ALGORITHMS {
        let id = format!("https://{}.example", algorithm.to_lowercase());
        clients += &format!(
            "[[resource_servers]]\nid = \"{id}\"\nsigning_algorithm = \"{algorithm}\"\nscopes = {{ \"{algorithm}\" = \"\" }}\n"
        );
        resources += &format!("\"{id}\", ");
    }
    clients += &format!(
        "[[clients]]\nid = \"all\"\nname = \"All\"\nprofile = \"service\"\nscopes = {ALGORITHMS:?}\n\
         resources = [{resources}]\nsecret_hash = \"SECRET_HASH:all\"\n"
    );
    let keys = format!("algorithms = {ALGORITHMS:?}");
    TestServer::with(Setup { clients, keys, ..Setup::default() })
}

fn jwks(server: &TestServer) -> Vec<Value> {
    server.client().get(paths::JWKS).json()["keys"].as_array().unwrap().clone()
}

fn kids(server: &TestServer) -> BTreeSet<String> {
    jwks(server).iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

fn token(server: &TestServer) -> String {
    let form = [("grant_type", "client_credentials"), ("scope", "notes:read")];
    server.token("service", &form).text("access_token")
}

fn kid_of(token: &str) -> String {
    part(token, 0)["kid"].as_str().unwrap().to_owned()
}

/// Verifies with the published keys alone, by another library than the server's.
fn verifies(server: &TestServer, token: &str) -> bool {
    let kid = kid_of(token);
    let Some(key) = jwks(server).into_iter().find(|key| key["kid"] == kid) else { return false };
    let algorithm = key["alg"].as_str().unwrap().to_owned();
    assert_eq!(part(token, 0)["alg"], algorithm);
    let (message, signature) = token.rsplit_once('.').unwrap();
    if algorithm == "ES512" {
        return verifies_es512(&key, message, &from_base64url(signature).unwrap());
    }
    let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(key).unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
    let algorithm = algorithm.parse().unwrap();
    jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key, algorithm).unwrap()
}

/// RFC 7518 §3.4, by OpenSSL itself: jsonwebtoken knows no P-521.
fn verifies_es512(key: &Value, message: &str, signature: &[u8]) -> bool {
    use openssl::bn::BigNum;
    let number = |bytes: &[u8]| BigNum::from_slice(bytes).unwrap();
    let member = |name: &str| number(&from_base64url(key[name].as_str().unwrap()).unwrap());
    let curve = openssl::ec::EcGroup::from_curve_name(openssl::nid::Nid::SECP521R1).unwrap();
    let key = openssl::ec::EcKey::from_public_key_affine_coordinates(&curve, &member("x"), &member("y"));
    let (r, s) = signature.split_at(66);
    let signature = openssl::ecdsa::EcdsaSig::from_private_components(number(r), number(s)).unwrap();
    let digest = openssl::sha::sha512(message.as_bytes());
    signature.verify(&digest, &key.unwrap()).unwrap()
}

/// RFC 7517 §4, RFC 7518 §6.2.1 and §6.3.1, RFC 8037 §2: the public members of each key type; a private one is never there.
#[test]
fn every_key_type_shows_its_public_members_and_no_others() {
    let server = with_every_algorithm();
    let keys = jwks(&server);
    let algorithms: BTreeSet<&str> = keys.iter().map(|key| key["alg"].as_str().unwrap()).collect();
    assert_eq!(algorithms, ALGORITHMS.into());
    assert_eq!(keys.len(), ALGORITHMS.len());
    for key in &keys {
        let (kty, own): (_, &[&str]) = match key["alg"].as_str().unwrap() {
            "RS256" | "PS256" => ("RSA", &["n", "e"]),
            "EdDSA" => ("OKP", &["crv", "x"]),
            _ => ("EC", &["crv", "x", "y"]),
        };
        assert_eq!(key["kty"], kty);
        assert_eq!(key["use"], "sig");
        let members: BTreeSet<&str> = key.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["kty", "use", "alg", "kid"].iter().chain(own).copied().collect(), "{key}");
    }
    let curve = |algorithm| keys.iter().find(|key| key["alg"] == algorithm).unwrap()["crv"].clone();
    assert_eq!(
        ["ES256", "ES384", "ES512", "EdDSA"].map(curve),
        ["P-256", "P-384", "P-521", "Ed25519"].map(Value::from)
    );
}

/// RFC 7517 §4.2 and §4.4 bind a key to one use and one algorithm. RFC 7518 §6.2.1.2: "The length of this octet string MUST
/// be the full size of a coordinate for the curve specified in the "crv" parameter." RFC 7518 §6.3.1.1: the modulus "MUST
/// utilize the minimum number of octets to represent the value." RFC 7518 §3.3: "A key of size 2048 bits or larger MUST be
/// used".
#[test]
fn the_numbers_of_a_key_have_the_length_that_they_must_have() {
    let server = with_every_algorithm();
    for key in jwks(&server) {
        let octets = |name: &str| from_base64url(key[name].as_str().unwrap()).unwrap();
        match key["alg"].as_str().unwrap() {
            "RS256" | "PS256" => {
                assert_eq!(octets("n").len(), 256, "{key}");
                assert!(octets("n")[0] >= 0x80, "{key}");
                assert_eq!(octets("e"), [1, 0, 1], "{key}");
            }
            "EdDSA" => assert_eq!(octets("x").len(), 32, "{key}"),
            algorithm => {
                let size = [("ES256", 32), ("ES384", 48), ("ES512", 66)];
                let size = size.iter().find(|(known, _)| *known == algorithm).unwrap().1;
                assert_eq!((octets("x").len(), octets("y").len()), (size, size), "{key}");
            }
        }
    }
}

/// RFC 7638 §3.1 and §3.2: the SHA-256 of the required members in lexicographic order, without blanks.
#[test]
fn the_kid_is_the_thumbprint_of_the_key() {
    let server = with_every_algorithm();
    for key in jwks(&server) {
        let required: &[&str] = match key["kty"].as_str().unwrap() {
            "RSA" => &["e", "kty", "n"],
            "EC" => &["crv", "kty", "x", "y"],
            _ => &["crv", "kty", "x"],
        };
        let members: Vec<String> = required.iter().map(|name| format!("\"{name}\":{}", key[*name])).collect();
        let thumbprint = base64url(&sha256(format!("{{{}}}", members.join(",")).as_bytes()));
        assert_eq!(key["kid"], thumbprint, "{key}");
    }
}

/// RFC 7518 §3.1, RFC 8037 §3.1: what each algorithm signs, the published keys verify.
#[test]
fn a_token_of_every_algorithm_verifies_with_the_published_keys() {
    let server = with_every_algorithm();
    for algorithm in ALGORITHMS {
        let form = [("grant_type", "client_credentials"), ("scope", algorithm)];
        let token = server.token("all", &form).text("access_token");
        assert_eq!(part(&token, 0)["alg"], algorithm);
        assert!(verifies(&server, &token), "{algorithm}");
        let (head, signature) = token.rsplit_once('.').unwrap();
        let (header, claims) = head.split_once('.').unwrap();
        let changed = if claims.ends_with('A') { "B" } else { "A" };
        let forged = format!("{header}.{}{changed}.{signature}", &claims[..claims.len() - 1]);
        assert!(!verifies(&server, &forged), "{algorithm}");
    }
}

/// RFC 9110 §8.8.3 and §13.1.2: an unchanged set costs no bytes, whatever form a proxy gave to its tag.
#[test]
fn the_answer_may_be_cached_and_is_not_sent_twice() {
    let server = TestServer::start();
    let client = server.client();
    let first = client.get(paths::JWKS);
    let tag = first.header("etag").unwrap().to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");
    let wire = first.wire(&[
        "cache-control",
        "content-type",
        "access-control-allow-origin",
        "x-content-type-options",
    ]);
    insta::assert_snapshot!(wire.split("\n\n").next().unwrap(), @"
    200
    cache-control: public, max-age=900
    content-type: application/json
    access-control-allow-origin: *
    x-content-type-options: nosniff
    ");
    let ask = |tags: &str| -> Answer { client.send("GET", paths::JWKS, &[("if-none-match", tags)], "") };
    for tags in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
        let answer = ask(&tags);
        assert_eq!((answer.status, answer.body.as_str()), (304, ""), "{tags}");
        assert_eq!(answer.header("etag"), Some(tag.as_str()));
        assert_eq!(answer.header("cache-control"), Some("public, max-age=900"));
    }
    for tags in ["\"x\"", "", "W/\"x\"", tag.trim_matches('"')] {
        assert_eq!(ask(tags).body, first.body, "{tags}");
    }
    let head = client.send("HEAD", paths::JWKS, &[], "");
    assert_eq!((head.status, head.body.as_str(), head.header("etag")), (200, "", Some(tag.as_str())));
    let post = client.post(paths::JWKS, &[]);
    assert_eq!((post.status, post.header("allow")), (405, Some("GET, HEAD, OPTIONS")));
}

/// The life of a key: published, active, retired, removed. A verifier that caches by the rules never fails.
#[test]
fn a_rotation_keeps_every_living_token_verifiable() {
    let server = TestServer::start();
    let (store, now) = (server.store(), || server.app.now());
    let old_token = token(&server);
    let old = kid_of(&old_token);
    let tag = server.client().get(paths::JWKS).header("etag").unwrap().to_owned();
    let made = keys::generate(store, &server.app.sealer, &OsEntropy, SigningAlgorithm::Es256, 2048, now());
    let new = made.unwrap().kid;
    server.refresh();

    // Published: every cache gets to know it, and it signs nothing.
    assert!(kids(&server).is_superset(&[old.clone(), new.clone()].into()));
    assert_ne!(server.client().get(paths::JWKS).header("etag"), Some(tag.as_str()));
    assert_eq!(kid_of(&token(&server)), old);
    let activate = || keys::activate(store, &new, &server.app.key_rules, false, now());
    server.advance(899);
    assert!(matches!(activate(), Err(KeyFault::Refused(_))), "a cache may still lack it");
    server.refresh();
    let last_old_token = token(&server);
    assert_eq!(kid_of(&last_old_token), old);

    // Active: it signs, and the old one's tokens still verify. A node may show a new key half a minute late.
    server.advance(30);
    assert!(matches!(activate(), Err(KeyFault::Refused(_))), "a node may show it late");
    server.advance(1);
    activate().unwrap();
    server.refresh();
    let new_token = token(&server);
    assert_eq!(kid_of(&new_token), new);
    assert!(verifies(&server, &new_token) && verifies(&server, &last_old_token));

    // Retired: shown until the last token that it signed is dead, and the leeway of verifiers is over.
    let Err(KeyFault::StillNeeded(until)) = keys::remove(store, &old, &server.app.key_rules, false, now())
    else {
        panic!("removed")
    };
    let dead_at = part(&last_old_token, 1)["exp"].as_i64().unwrap();
    assert!(dead_at + 300 < until.0, "{until} {dead_at}");
    server.advance(until.0 - now().0 - 1);
    server.refresh();
    assert!(verifies(&server, &last_old_token));
    server.advance(1);
    server.refresh();
    assert!(!kids(&server).contains(&old) && kids(&server).contains(&new));
    keys::remove(store, &old, &server.app.key_rules, false, now()).unwrap();
    assert!(matches!(keys::remove(store, &new, &server.app.key_rules, false, now()), Err(KeyFault::Signs)));
}

/// A client whose tokens live longer than the others' keeps the old key published for as long.
#[test]
fn the_longest_token_of_any_client_decides_how_long_a_key_is_shown() {
    let clients =
        CLIENTS.replace("profile = \"service\"", "profile = \"service\"\naccess_token_ttl_s = 3600");
    let server = TestServer::with(Setup { clients, ..Setup::default() });
    let old_token = token(&server);
    let store = server.store();
    let made = keys::generate(
        store,
        &server.app.sealer,
        &OsEntropy,
        SigningAlgorithm::Es256,
        2048,
        server.app.now(),
    );
    keys::activate(store, &made.unwrap().kid, &server.app.key_rules, true, server.app.now()).unwrap();
    server.advance(2 * 3600);
    server.refresh();
    assert!(verifies(&server, &old_token));
    server.advance(311);
    server.refresh();
    assert!(!verifies(&server, &old_token));
}
