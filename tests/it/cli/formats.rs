//! What tokens a resource server takes, said on the command line and in the configuration file: the same rules for both.

use serde_json::{Value, json};

use super::API;
use crate::support::http::Client;
use crate::support::jwe::{Kind, Recipient};
use crate::support::program::Home;
use crate::support::raw::Raw;

const ADD: [&str; 5] = ["resource", "add", API, "--scope", "notes:read=Read"];
const EDIT: [&str; 3] = ["resource", "edit", API];

fn with<'a>(command: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [command, more].concat()
}

fn key_file(home: &Home, name: &str, text: &str) {
    std::fs::write(home.path(name), text).unwrap();
}

#[test]
fn a_format_is_set_changed_and_shown_with_the_public_part_of_the_key_only() {
    let home = Home::new("");
    let (rsa, curve) = (Recipient::new(Kind::Rsa), Recipient::new(Kind::P256));
    key_file(&home, "rsa.pem", &rsa.public_pem());
    key_file(&home, "curve.jwk", &Value::Object(curve.public_jwk()).to_string());

    let made = home.json(&ADD);
    assert_eq!((&made["token_format"], &made["encryption"]), (&json!("jwt"), &Value::Null));
    let made = home.json(&with(&EDIT, &["--token-format", "jwe", "--encryption-key", "rsa.pem"]));
    assert_eq!(made["token_format"], "jwe");
    let mut jwk = rsa.public_jwk();
    jwk.insert("use".to_owned(), "enc".into());
    jwk.insert("kid".to_owned(), rsa.thumbprint().into());
    assert_eq!(made["encryption"], json!({ "alg": "RSA-OAEP-256", "enc": "A256GCM", "jwk": jwk }));
    let shown = home.ok(&["resource", "show", API]);
    assert!(shown.contains(&format!("RSA-OAEP-256 A256GCM, to the key {}", rsa.thumbprint())), "{shown}");

    // A new key brings the way that fits it; the rest stays.
    home.ok(&with(&EDIT, &["--encryption-enc", "A128GCM"]));
    let made = home.json(&with(&EDIT, &["--encryption-key", "curve.jwk"]));
    assert_eq!(
        (&made["encryption"]["alg"], &made["encryption"]["enc"]),
        (&json!("ECDH-ES"), &json!("A128GCM"))
    );
    let made = home.json(&with(&EDIT, &["--encryption-alg", "ECDH-ES+A256KW"]));
    assert_eq!(made["encryption"]["alg"], "ECDH-ES+A256KW");
    assert_eq!(made["encryption"]["jwk"]["kid"], curve.thumbprint());
    // Another change leaves all that alone.
    assert_eq!(home.json(&with(&EDIT, &["--name", "Notes"]))["encryption"], made["encryption"]);

    let made = home.json(&with(&EDIT, &["--token-format", "opaque"]));
    assert_eq!((&made["token_format"], &made["encryption"]), (&json!("opaque"), &Value::Null));
    assert!(home.ok(&["resource", "show", API]).contains("token format      opaque"));
}

#[test]
fn what_does_not_fit_is_refused_with_the_reason_and_nothing_is_changed() {
    let home = Home::new("");
    let (rsa, curve) = (Recipient::new(Kind::Rsa), Recipient::new(Kind::P256));
    key_file(&home, "rsa.pem", &rsa.public_pem());
    key_file(&home, "curve.pem", &curve.public_pem());
    key_file(&home, "private.pem", &curve.private_pem());
    home.ok(&ADD);
    let before = home.json(&["resource", "show", API]);
    let jwe = ["--token-format", "jwe"];
    for (more, word) in [
        (&["--token-format", "saml"][..], "known are jwt, opaque and jwe"),
        (&jwe, "name its encryption key"),
        (&["--encryption-key", "rsa.pem"], "format jwt are not encrypted"),
        (&["--token-format", "opaque", "--encryption-enc", "A256GCM"], "format opaque are not encrypted"),
        (&with(&jwe, &["--encryption-key", "none.pem"]), "none.pem"),
        (&with(&jwe, &["--encryption-key", "private.pem"]), "PRIVATE"),
        (&with(&jwe, &["--encryption-key", "countersign.toml"]), "neither a JWK nor a PEM"),
        (&with(&jwe, &["--encryption-key", "rsa.pem", "--encryption-alg", "ECDH-ES"]), "\"RSA\""),
        (&with(&jwe, &["--encryption-key", "curve.pem", "--encryption-alg", "RSA-OAEP-256"]), "\"EC\""),
    ] {
        let told = home.refused(&with(&EDIT, more));
        assert!(told.contains(word), "{more:?}: {told}");
        assert_eq!(home.json(&["resource", "show", API]), before, "{more:?}");
    }
    for (flag, name, word) in [
        ("--encryption-alg", "RSA1_5", "RFC 8725 §3.2"),
        ("--encryption-alg", "PBES2-HS256+A128KW", "RFC 7518 §8.8"),
        ("--encryption-enc", "A192GCM", "A128GCM, A256GCM"),
    ] {
        let run =
            home.run(&with(&EDIT, &["--token-format", "jwe", "--encryption-key", "rsa.pem", flag, name]));
        assert!(run.code != 0 && run.err.contains(word), "{name}: {run:?}");
    }
    assert_eq!(home.json(&["resource", "show", API]), before);
    let told = home.refused(&[
        "resource",
        "add",
        "https://b.example",
        "--token-format",
        "jwe",
        "--encryption-key",
        "private.pem",
    ]);
    assert!(told.contains("PRIVATE"), "{told}");
}

/// The file of a home, with a declared resource server.
fn declared(lines: &str) -> String {
    format!("[[resource_servers]]\nid = \"{API}\"\nscopes = {{ \"notes:read\" = \"Read\" }}\n{lines}\n")
}

#[test]
fn a_declared_key_that_is_refused_is_told_by_check_and_stops_the_start() {
    let curve = Recipient::new(Kind::P256);
    let inline = format!("encryption_key = '''{}'''", curve.public_pem());
    for (lines, word) in [
        ("token_format = \"jwe\"".to_owned(), "name its encryption key"),
        (format!("token_format = \"opaque\"\n{inline}"), "format opaque are not encrypted"),
        ("token_format = \"jwe\"\nencryption_key_file = \"none.pem\"".to_owned(), "none.pem"),
        (format!("token_format = \"jwe\"\nencryption_key = '''{}'''", curve.private_pem()), "PRIVATE"),
        (format!("token_format = \"jwe\"\n{inline}\nencryption_alg = \"RSA1_5\""), "RFC 8725 §3.2"),
        (
            format!("token_format = \"jwe\"\n{inline}\nencryption_alg = \"PBES2-HS256+A128KW\""),
            "RFC 7518 §8.8",
        ),
        (format!("token_format = \"jwe\"\n{inline}\nencryption_enc = \"A192GCM\""), "A128GCM, A256GCM"),
        // RFC 8725 §3.6.
        (format!("token_format = \"jwe\"\n{inline}\nencryption_zip = \"DEF\""), "RFC 8725 §3.6"),
        (format!("token_format = \"jwe\"\n{inline}\nencryption_key_file = \"a\""), "keep one"),
        ("token_format = \"jwe\"\nencryption_key_file = \"\"".to_owned(), "name the file"),
        ("token_format = \"JWT\"".to_owned(), "did you mean `jwt`?"),
    ] {
        let home = Home::new(&declared(&lines));
        let run = home.run(&["check"]);
        let found = run.out.lines().any(|line| line.starts_with("PROBLEM") && line.contains(word));
        assert!(run.code == 1 && found, "{lines}: {run:?}");
        assert!(!run.out.contains("BEGIN"), "{run:?}");
        let run = home.run(&["serve"]);
        assert!(run.code != 0 && run.err.contains(word), "{lines}: {run:?}");
    }
}

/// Relative paths count from the folder of the file, as all do.
#[test]
fn a_declared_key_file_encrypts_the_tokens_of_a_running_server() {
    let recipient = Recipient::new(Kind::P521);
    let home = Home::new(&declared("token_format = \"jwe\"\nencryption_key_file = \"key.pem\""));
    key_file(&home, "key.pem", &recipient.public_pem());
    let add =
        ["client", "add", "--profile", "service", "--id", "job", "--resource", API, "--scope", "notes:read"];
    let secret = home.json(&add)["client_secret"].as_str().unwrap().to_owned();
    let served = home.serve();
    let answer =
        Client::new(&home.url()).post_as("job", &secret, "/token", &[("grant_type", "client_credentials")]);
    recipient.open(&answer.text("access_token"), "ECDH-ES", "A256GCM");
    drop(served);
    assert_eq!(home.run(&["check"]).code, 0);
}

#[test]
fn check_reports_a_stored_key_that_is_of_no_use() {
    let home = Home::new("");
    key_file(&home, "rsa.pem", &Recipient::new(Kind::Rsa).public_pem());
    home.ok(&with(&ADD, &["--token-format", "jwe", "--encryption-key", "rsa.pem"]));
    assert_eq!(home.run(&["check"]).code, 0);
    let mut raw = Raw::open(&format!("sqlite:{}", home.path("countersign.db").display()));
    for (column, word) in [
        ("encryption = replace(encryption, '\"AQAB\"', '\"AQ\"')", "exponent"),
        ("encryption = '{\"alg\":\"RSA1_5\"}'", "resource_servers.encryption"),
    ] {
        raw.run(&format!("UPDATE resource_servers SET {column}"));
        let run = home.run(&["check"]);
        let found = run
            .out
            .lines()
            .any(|line| line.starts_with("PROBLEM") && line.contains(API) && line.contains(word));
        assert!(run.code == 1 && found, "{column}: {run:?}");
    }
}
