//! `countersign client`: clients that authenticate by assertion (RFC 7523 §2.2), at a running server.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::{API, with_api};
use crate::support::assertions::{ClientKey, TYPE, jwt, mac};
use crate::support::program::{Home, Served, until};

const JOB: [&str; 10] =
    ["client", "add", "--profile", "service", "--id", "job", "--resource", API, "--scope", "notes:read"];

fn job(home: &Home, more: &[&str]) -> Value {
    home.json(&[&JOB[..], more].concat())
}

/// What a client of this second says.
fn claims(home: &Home, client: &str) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    json!({
        "iss": client, "sub": client, "aud": home.url(), "jti": now.as_nanos().to_string(),
        "exp": now.as_secs() + 60,
    })
}

fn status(served: &Served, assertion: &str) -> u16 {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", TYPE),
        ("client_assertion", assertion),
    ];
    served.client().post("/token", &form).status
}

fn write_keys(home: &Home, name: &str, keys: &[&ClientKey]) {
    let set = json!({ "keys": keys.iter().map(|key| key.public()).collect::<Vec<_>>() });
    std::fs::write(home.path(name), set.to_string()).unwrap();
}

#[test]
fn a_client_with_keys_is_given_no_secret_and_works_until_its_keys_are_others() {
    let home = with_api();
    let (old, new) = (ClientKey::p256("old"), ClientKey::p256("new"));
    write_keys(&home, "old.json", &[&old]);
    write_keys(&home, "new.json", &[&new]);
    let made = job(&home, &["--auth-method", "private_key_jwt", "--jwks", "old.json"]);
    assert_eq!(made["client_secret"], Value::Null);
    assert_eq!(made["openid"]["auth_method"], "private_key_jwt");
    let shown = home.ok(&["client", "show", "job"]);
    assert!(shown.contains("authenticates by  private_key_jwt"), "{shown}");
    let served = home.serve();
    let by = |key: &ClientKey| {
        let header = json!({ "alg": "ES256", "kid": key.kid });
        status(&served, &jwt(&header, &claims(&home, "job"), |text| key.sign("ES256", text)))
    };
    assert_eq!((by(&old), by(&new)), (200, 401));
    home.ok(&["client", "edit", "job", "--jwks", "new.json"]);
    until("the new key does not count", || by(&new) == 200);
    assert_eq!(by(&old), 401);
}

#[test]
fn a_secret_that_authenticates_assertions_is_kept_and_outlives_the_master_key() {
    let home = with_api();
    let made = job(&home, &["--auth-method", "client_secret_jwt"]);
    let first = made["client_secret"].as_str().unwrap().to_owned();
    let second = home.json(&["client", "secret", "add", "job"])["client_secret"].as_str().unwrap().to_owned();
    let served = home.serve();
    let by = |secret: &str| {
        status(
            &served,
            &jwt(&json!({ "alg": "HS512" }), &claims(&home, "job"), |text| mac("HS512", secret, text)),
        )
    };
    assert_eq!((by(&first), by(&second), by("x".repeat(64).as_str())), (200, 200, 401));
    home.ok(&["key", "rotate-master"]);
    home.ok(&["key", "rotate-master", "finish", "--at-once"]);
    until("the secret does not open any more", || by(&first) == 200);
    assert_eq!(by(&second), 200);
}

#[test]
fn an_old_key_that_a_kept_secret_still_needs_is_not_taken_away() {
    let home = with_api();
    job(&home, &["--auth-method", "client_secret_jwt"]);
    drop(home.serve());
    home.ok(&["key", "rotate-master", "prepare"]);
    home.ok(&["key", "rotate-master", "switch"]);
    let early = home.run(&["key", "rotate-master", "finish", "--at-once"]);
    assert!(early.code != 0 && early.err.contains("reseal first"), "{early:?}");
    home.ok(&["key", "reseal"]);
    home.ok(&["key", "rotate-master", "finish", "--at-once"]);
}

#[test]
fn a_client_that_changes_its_way_is_told_what_is_missing_and_an_empty_word_takes_it_back() {
    let home = with_api();
    job(&home, &[]);
    let run = home.run(&["client", "edit", "job", "--auth-method", "client_secret_jwt"]);
    assert!(run.code == 0 && run.err.contains("client secret add"), "{run:?}");
    let run = home.run(&["client", "edit", "job", "--auth-method", "private_key_jwt"]);
    assert!(run.code != 0 && run.err.contains("jwks"), "{run:?}");
    let keys = ["--jwks-uri", "https://keys.example/set", "--auth-signing-alg", "ES256"];
    let run = [&["client", "edit", "job", "--auth-method", "private_key_jwt"][..], &keys].concat();
    let changed = home.json(&run)["openid"].clone();
    assert_eq!(changed["jwks_uri"], "https://keys.example/set");
    assert_eq!(changed["auth_signing_alg"], "ES256");
    let uris = ["--backchannel-logout-uri", "https://app.example/bye", "--assertion-for-issuer-only", "true"];
    let told = home.json(&[&["client", "edit", "job"][..], &uris].concat())["openid"].clone();
    assert_eq!(
        (&told["backchannel_logout_uri"], &told["assertion_for_issuer_only"]),
        (&json!("https://app.example/bye"), &json!(true))
    );
    let back = [
        "client",
        "edit",
        "job",
        "--auth-method",
        "",
        "--auth-signing-alg",
        "",
        "--jwks-uri",
        "",
        "--backchannel-logout-uri",
        "",
        "--assertion-for-issuer-only",
        "false",
    ];
    assert_eq!(home.json(&back)["openid"], json!({}));
}

#[test]
fn what_is_no_method_no_algorithm_and_no_key_set_is_refused_with_the_reason() {
    let home = with_api();
    std::fs::write(home.path("bad.json"), "keys").unwrap();
    std::fs::write(home.path("half.json"), "{\"keys\":[{\"kty\":\"EC\"}]}").unwrap();
    std::fs::write(home.path("key.pem"), "-----BEGIN PUBLIC KEY-----\n").unwrap();
    for (more, word) in [
        (&["--auth-method", "tls_client_auth"][..], "client_secret_jwt"),
        (&["--jwks", "key.pem"], "key.pem: is PEM; wanted is a JWK Set"),
        (&["--auth-signing-alg", "none"], "HS256"),
        (&["--jwks", "missing.json"], "missing.json"),
        (&["--jwks", "bad.json"], "JWK Set"),
        (&["--jwks", "half.json"], "key number 1"),
        (&["--jwks-uri", "http://127.0.0.1/"], "https"),
        (&["--backchannel-logout-uri", "http://localhost/"], "https"),
        (&["--auth-method", "none"], "public"),
    ] {
        let run = home.run(&[&JOB[..], more].concat());
        assert!(run.code != 0 && run.err.contains(word), "{more:?}: {run:?}");
    }
    assert_eq!(home.json(&["client", "list"]), json!([]));
}
