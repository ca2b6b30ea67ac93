//! RFC 7516: access tokens that are signed and then encrypted to their resource server, read with nothing but its private
//! key and the published keys.

use countersign::flow::recognise;
use countersign::oauth::algorithm::{ContentEncryption, KeyManagement};
use serde_json::{Map, Value, json};

use super::support::TestServer;
use super::support::flow::{self, part};
use super::support::jwe::{Kind, Recipient};
use super::support::jwt::verified;
use super::support::server::{CLIENTS, NOTES, Setup, secret};

const ENCRYPTIONS: [&str; 4] = ["A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM"];

/// The default clients, with more said of the resource server `notes`.
fn notes(with: &str) -> String {
    let clients = CLIENTS.replace("name = \"Notes\"\n", &format!("name = \"Notes\"\n{with}\n"));
    assert_ne!(clients, CLIENTS);
    clients
}

fn encrypted_to(recipient: &Recipient) -> TestServer {
    let with = format!("token_format = \"jwe\"\nencryption_key = '''{}'''", recipient.public_pem());
    TestServer::with(Setup { clients: notes(&with), ..Setup::default() })
}

fn machine(server: &TestServer, resource: &str) -> String {
    let form = [("grant_type", "client_credentials"), ("resource", resource)];
    server.token("service", &form).text("access_token")
}

fn names(header: &Map<String, Value>) -> Vec<&str> {
    let mut names: Vec<&str> = header.keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// RFC 7516 §4.1.1 and RFC 7516 §4.1.2 by the names of RFC 7518 §4.1 and RFC 7518 §5.1, but for what is left out.
/// RFC 8725 §3.2: RSA1_5 has been attacked for decades; PBES2 lets a token dictate the work (RFC 7518 §8.8); the symmetric
/// ways share a key.
#[test]
fn what_the_field_has_given_up_has_no_value() {
    for name in ["RSA1_5", "RSA-OAEP", "dir", "A128KW", "A256GCMKW", "PBES2-HS512+A256KW", "none"] {
        let told = name.parse::<KeyManagement>().unwrap_err();
        assert!(told.contains(name) && told.contains("RSA-OAEP-256, ECDH-ES and ECDH-ES+A256KW"), "{told}");
    }
    for name in ["A192CBC-HS384", "A192GCM", "A128CBC", "none", "a256gcm"] {
        assert!(name.parse::<ContentEncryption>().is_err(), "{name}");
    }
}

/// RFC 7518 Appendix C (RFC 7518 §4.6.2): the reader of these tests is right, or it could not show that anything else is.
#[test]
fn the_reader_of_these_tests_agrees_with_the_rfc_s_own_example() {
    let bob = Recipient::from_number(Kind::P256, "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw");
    assert_eq!(bob.public_jwk()["x"], "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ");
    let epk = json!({
        "kty": "EC", "crv": "P-256",
        "x": "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0",
        "y": "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps",
    });
    let key = bob.agreed(epk.as_object().unwrap(), "A128GCM", 16, b"Alice", b"Bob");
    assert_eq!(countersign::base::encoding::base64url(&key), "VqqN6vgjbSBcIijNcacQGg");
}

/// RFC 7519 §11.2, RFC 7519 §5.2, RFC 9068 §4, RFC 8725 §3.11. RFC 7518 §4.3, RFC 7518 §4.6 and RFC 7518 §4.6.1.1,
/// RFC 7516 §5.1 and RFC 7516 §7.1, RFC 8037 §3.2: every way with every key, in one server with a resource server for each.
#[test]
fn every_algorithm_is_opened_by_its_key_and_holds_a_token_that_verifies() {
    let recipients = Kind::ALL.map(Recipient::new);
    let mut ways = Vec::new();
    for recipient in &recipients {
        for alg in recipient.kind.algorithms() {
            ways.extend(ENCRYPTIONS.map(|enc| (recipient, *alg, enc)));
        }
    }
    assert_eq!(ways.len(), 36);
    let id = |at: usize| format!("https://api{at}.example");
    let (mut clients, mut ids) = (String::new(), Vec::new());
    for (at, (recipient, alg, enc)) in ways.iter().enumerate() {
        ids.push(format!("{:?}", id(at)));
        clients += &format!(
            "[[resource_servers]]\nid = {:?}\nscopes = {{ \"s{at}\" = \"\" }}\ntoken_format = \"jwe\"\n\
             encryption_alg = {alg:?}\nencryption_enc = {enc:?}\nencryption_key = '''{}'''\n",
            id(at),
            recipient.public_pem(),
        );
    }
    clients += &format!(
        "[[clients]]\nid = \"service\"\nprofile = \"service\"\nscopes = [\"s0\"]\nresources = [{}]\n\
         secret_hash = \"SECRET_HASH:service\"\n",
        ids.join(", "),
    );
    let server = TestServer::with(Setup { clients, ..Setup::default() });
    for (at, (recipient, alg, enc)) in ways.iter().enumerate() {
        let token = machine(&server, &id(at));
        let (header, inner) = recipient.open(&token, alg, enc);
        let mut expected = vec!["alg", "cty", "enc", "kid", "typ"];
        if *alg != "RSA-OAEP-256" {
            expected.insert(3, "epk");
            expected.sort_unstable();
        }
        assert_eq!(names(&header), expected, "{alg} {enc}");
        assert_eq!((&header["typ"], &header["cty"]), (&json!("at+jwt"), &json!("JWT")));
        assert_eq!(header["kid"], recipient.thumbprint());
        let (inner_header, claims) = verified(&server, &inner, &id(at));
        assert_eq!(inner_header.typ.as_deref(), Some("at+jwt"));
        assert_eq!((&claims["aud"], &claims["sub"]), (&json!(id(at)), &json!("service")));
        if *alg != "RSA-OAEP-256" {
            let (again, _) = recipient.open(&machine(&server, &id(at)), alg, enc);
            assert_ne!(again["epk"], header["epk"], "an ephemeral key is used once");
        }
    }
}

/// The key alone is enough: it says, by what it is, how it is used.
#[test]
fn a_key_without_more_is_used_in_the_way_that_fits_it() {
    for (kind, alg) in [(Kind::Rsa, "RSA-OAEP-256"), (Kind::P384, "ECDH-ES"), (Kind::X25519, "ECDH-ES")] {
        let recipient = Recipient::new(kind);
        let server = encrypted_to(&recipient);
        let (_, inner) = recipient.open(&machine(&server, NOTES), alg, "A256GCM");
        verified(&server, &inner, NOTES);
    }
}

/// RFC 7517 §4.5: the resource server finds its key by the name that it gave it.
#[test]
fn a_kid_of_the_key_s_own_stands_in_the_header() {
    let recipient = Recipient::new(Kind::P256);
    let mut jwk = recipient.public_jwk();
    jwk.insert("kid".to_owned(), "notes \"2026\"".into());
    jwk.insert("alg".to_owned(), "ECDH-ES+A256KW".into());
    jwk.insert("use".to_owned(), "enc".into());
    let with = format!("token_format = \"jwe\"\nencryption_key = '{}'", Value::Object(jwk));
    let server = TestServer::with(Setup { clients: notes(&with), ..Setup::default() });
    let (header, _) = recipient.open(&machine(&server, NOTES), "ECDH-ES+A256KW", "A256GCM");
    assert_eq!(header["kid"], "notes \"2026\"");
}

#[test]
fn users_tokens_are_encrypted_by_code_and_by_refresh_and_id_tokens_are_not() {
    let recipient = Recipient::new(Kind::Rsa);
    let server = encrypted_to(&recipient);
    let answer = flow::tokens(&server);
    let refresh = answer.text("refresh_token");
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    for token in [answer.text("access_token"), server.token("web", &form).text("access_token")] {
        let (_, inner) = recipient.open(&token, "RSA-OAEP-256", "A256GCM");
        assert_eq!(verified(&server, &inner, NOTES).1["sub"], server.user("alice").id.to_string());
    }
    verified(&server, &answer.text("id_token"), "web");
}

/// Without the key nothing but the header can be read, and nothing can be changed (RFC 7516 §5.2).
#[test]
fn what_was_changed_does_not_open() {
    let recipient = Recipient::new(Kind::P256);
    let server = encrypted_to(&recipient);
    let token = machine(&server, NOTES);
    assert!(
        !token.contains(part(&recipient.open(&token, "ECDH-ES", "A256GCM").1, 1)["jti"].as_str().unwrap())
    );
    for at in [0, 2, 3, 4] {
        let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
        if at == 0 {
            let mut header = part(&token, 0);
            header.insert("kid".to_owned(), "another".into());
            parts[0] = countersign::base::encoding::base64url(Value::Object(header).to_string().as_bytes());
        } else {
            let first = if parts[at].starts_with('A') { "B" } else { "A" };
            parts[at].replace_range(0..1, first);
        }
        let forged = parts.join(".");
        let opened = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            recipient.open(&forged, "ECDH-ES", "A256GCM")
        }));
        assert!(opened.is_err(), "part {at}");
    }
}

/// RFC 7516 §9: five parts are a JWE. This server cannot open what it encrypted; the resource server shows what is inside.
#[test]
fn the_token_inside_is_recognised_and_the_encrypted_one_is_not() {
    let recipient = Recipient::new(Kind::P256);
    let server = encrypted_to(&recipient);
    let token = machine(&server, NOTES);
    let cx = server.app.refreshed_cx().unwrap();
    let dead = recognise::access_token(&cx, &token).unwrap().unwrap_err();
    assert!(dead.0.contains("encrypted"), "{dead:?}");
    let (_, inner) = recipient.open(&token, "ECDH-ES", "A256GCM");
    let recognised = recognise::access_token(&cx, &inner).unwrap().unwrap();
    assert_eq!((&*recognised.claims.sub, recognised.form), ("service", recognise::Form::Jwt));
}

/// A key in the database that is of no use stops the tokens of its own resource server and nothing else.
#[test]
fn a_stored_key_that_is_of_no_use_takes_one_resource_server_s_tokens_away() {
    let server = encrypted_to(&Recipient::new(Kind::P256));
    super::support::change::resource_server(&server, NOTES, |notes| {
        let countersign::domain::resource_server::TokenFormat::Jwe(encryption) = &mut notes.token_format
        else {
            panic!("{notes:?}");
        };
        encryption.jwk.insert("y".to_owned(), "AAAA".into());
    });
    let form = [("grant_type", "client_credentials"), ("resource", NOTES)];
    let answer = server.client().post_as("service2", &secret("service2"), "/token", &form);
    assert_eq!((answer.status, answer.error()), (500, "server_error".to_owned()));
    let mail = [("grant_type", "client_credentials"), ("resource", super::support::server::MAIL)];
    assert_eq!(server.token("service2", &mail).status, 200);
}
