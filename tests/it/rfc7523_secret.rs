//! RFC 7523 §2.2, OpenID Connect Core 1.0 §9: clients that authenticate by an assertion under a MAC by their secret
//! (`client_secret_jwt`). RFC 7518 §3.2: a key is as long as the hash at least.

use countersign::flow::keys;
use countersign::jose::{MasterKey, MasterKeys, Sealer};
use serde_json::json;

use super::support::assertions::{ClientKey, TYPE, claims, jwt, mac, service, signed, token};
use super::support::change;
use super::support::http::Answer;
use super::support::on_each_database;
use super::support::raw::Raw;
use super::support::registration;
use super::support::server::{CLIENTS, MASTER_KEY, Setup, TestServer};

/// 48 bytes: long enough for HS384, too short for HS512.
const SHORT: &str = "a-secret-of-48-bytes-0123456789-0123456789-01234";
const LONG: &str = "a-secret-of-64-bytes-0123456789-0123456789-0123456789-0123456789";

fn client(id: &str, file: &std::path::Path, more: &str) -> String {
    format!(
        "\n[[clients]]\nid = \"{id}\"\nprofile = \"service\"\nscopes = [\"notes:read\"]\n\
         resources = [\"https://notes.example\"]\ntoken_endpoint_auth_method = \"client_secret_jwt\"\n\
         secret_file = {file:?}\n{more}\n"
    )
}

fn setup(folder: &std::path::Path) -> Setup {
    let files = [("short", SHORT), ("long", LONG)].map(|(name, text)| {
        let file = folder.join(name);
        std::fs::write(&file, format!("{text}\n")).unwrap();
        file
    });
    let short = client("short", &files[0], "");
    let long = client("long", &files[1], "token_endpoint_auth_signing_alg = \"HS512\"");
    Setup { clients: format!("{CLIENTS}{short}{long}"), ..Setup::default() }
}

fn by_secret(server: &TestServer, client: &str, alg: &str, secret: &str, jti: &str) -> Answer {
    let claims = claims(server, client, jti);
    token(server, &jwt(&json!({ "alg": alg, "typ": "JWT" }), &claims, |text| mac(alg, secret, text)))
}

fn assert_refused(answer: &Answer, name: &str) {
    assert_eq!((answer.error().as_str(), answer.status), ("invalid_client", 401), "{name}: {}", answer.body);
}

#[test]
fn a_client_authenticates_with_a_mac_by_its_secret() {
    on_each_database(|database| {
        let folder = tempfile::tempdir().unwrap();
        let setup = Setup { database: Some(database.url.clone()), ..setup(folder.path()) };
        let server = TestServer::with(setup);
        assert_eq!(by_secret(&server, "short", "HS256", SHORT, "1").status, 200, "{}", database.kind);
        assert_refused(&by_secret(&server, "short", "HS256", SHORT, "1"), "used before");
        assert_eq!(by_secret(&server, "short", "HS384", SHORT, "2").status, 200);
        assert_eq!(by_secret(&server, "long", "HS512", LONG, "3").status, 200);
        assert_refused(&by_secret(&server, "long", "HS256", LONG, "4"), "another algorithm is registered");
        assert_refused(&by_secret(&server, "short", "HS256", LONG, "5"), "another secret");
        assert_refused(&by_secret(&server, "long", "HS512", &format!("{LONG}x"), "6"), "another secret");
        // The secret lies in no column as it is.
        let stored =
            Raw::open(&database.url).texts("SELECT coalesce(sealed, '') || hash AS t FROM client_secrets");
        assert!(stored.iter().all(|text| !text.contains(SHORT) && !text.contains(LONG)), "{stored:?}");
    });
}

#[test]
fn a_secret_that_is_too_short_for_the_hash_authenticates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::with(setup(folder.path()));
    let claims = claims(&server, "short", "1");
    let signature = |text: &str| {
        let key = openssl::pkey::PKey::hmac(SHORT.as_bytes()).unwrap();
        let mut signer = openssl::sign::Signer::new(openssl::hash::MessageDigest::sha512(), &key).unwrap();
        signer.sign_oneshot_to_vec(text.as_bytes()).unwrap()
    };
    assert_refused(&token(&server, &jwt(&json!({ "alg": "HS512" }), &claims, signature)), "HS512");
}

#[test]
fn a_mac_is_not_taken_for_a_signature_nor_the_secret_itself_for_an_assertion() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::with(setup(folder.path()));
    let key = ClientKey::p256("k1");
    assert_refused(&token(&server, &signed(&key, "ES256", &claims(&server, "short", "1"))), "a signature");
    let grant = ("grant_type", "client_credentials");
    assert_refused(&server.client().post_as("short", SHORT, "/token", &[grant]), "the secret in the header");
    let form = [grant, ("client_id", "short"), ("client_secret", SHORT)];
    assert_refused(&server.client().post("/token", &form), "the secret in the body");
    // By the hash of the secret, which whoever reads the database has.
    let hash = countersign::base::HashedToken::of(SHORT);
    assert_refused(&by_secret(&server, "short", "HS256", hash.as_str(), "2"), "the hash");
}

#[test]
fn a_secret_that_ended_or_is_there_as_a_hash_only_authenticates_no_assertion() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::with(setup(folder.path()));
    let other = "another-secret-of-the-same-client-0123456789";
    change::add_secret(&server, "short", other, None);
    assert_refused(&by_secret(&server, "short", "HS256", other, "1"), "only a hash");
    let secrets = server.store().read("test", countersign::store::client_secrets::all).unwrap();
    let sealed =
        secrets.iter().find(|secret| secret.sealed.is_some() && secret.client_id.as_str() == "short");
    let (id, now) = (sealed.unwrap().id, server.app.now());
    server
        .store()
        .write("test", move |conn| countersign::store::client_secrets::expire(conn, id, now))
        .unwrap();
    server.refresh();
    assert_refused(&by_secret(&server, "short", "HS256", SHORT, "2"), "it has ended");
}

/// RFC 7591 §3.2.1: the secret that it is given is the one that it makes its MACs by.
#[test]
fn a_client_that_registered_itself_authenticates_so_too() {
    let server = registration::open();
    let body = registration::least_with(json!({ "token_endpoint_auth_method": "client_secret_jwt" }));
    let made = registration::registered(&server, &body);
    let (id, secret) = (made["client_id"].as_str().unwrap(), made["client_secret"].as_str().unwrap());
    server.refresh();
    let revoke = |secret: &str, jti: &str| {
        let claims = claims(&server, id, jti);
        let text = jwt(&json!({ "alg": "HS256" }), &claims, |text| mac("HS256", secret, text));
        let form = [("token", "x"), ("client_assertion_type", TYPE), ("client_assertion", text.as_str())];
        server.client().post("/revoke", &form).status
    };
    assert_eq!((revoke(secret, "1"), revoke(&"x".repeat(64), "2")), (200, 401));
}

/// A sealed secret that someone moves to another row of the database authenticates nobody.
#[test]
fn a_sealed_secret_belongs_to_its_row() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::with(setup(folder.path()));
    let mut raw = Raw::open(server.config.database.url.reveal());
    raw.run(
        "UPDATE client_secrets SET sealed = (SELECT sealed FROM client_secrets WHERE client_id = 'long') \
         WHERE client_id = 'short'",
    );
    raw.run("UPDATE config_revision SET revision = revision + 1 WHERE id = 1");
    server.refresh();
    assert_refused(&by_secret(&server, "short", "HS256", LONG, "1"), "another client's secret");
}

#[test]
fn a_client_that_comes_to_authenticate_by_assertion_keeps_its_declared_secret() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("test.db");
    let on = |clients: &str| Setup {
        database: Some(format!("sqlite:{}", database.display())),
        clients: format!("{CLIENTS}{clients}"),
        ..Setup::default()
    };
    let with_method = setup(folder.path()).clients.strip_prefix(CLIENTS).unwrap().to_owned();
    let without: String =
        with_method.lines().filter(|line| !line.contains("_auth_")).collect::<Vec<_>>().join("\n");
    let before = TestServer::with(on(&without));
    assert_eq!(
        before.client().post_as("short", SHORT, "/token", &[("grant_type", "client_credentials")]).status,
        200
    );
    drop(before);
    for _ in 0..2 {
        let server = TestServer::with(on(&with_method));
        let count = Raw::open(&format!("sqlite:{}", database.display())).number(
            "SELECT count(*) AS n FROM client_secrets WHERE client_id = 'short' AND sealed IS NOT NULL",
        );
        assert_eq!(count, 1);
        let jti = server.issuer.clone();
        assert_eq!(by_secret(&server, "short", "HS256", SHORT, &jti).status, 200);
    }
}

#[test]
fn a_kept_secret_is_sealed_anew_with_the_master_key() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::with(setup(folder.path()));
    let (old, new) = (MasterKey::from_bytes(MASTER_KEY), MasterKey::from_bytes([7; 32]));
    let both = MasterKeys { current: new.clone(), previous: vec![old] };
    let entropy = server.app.entropy.clone();
    keys::reseal(server.store(), &Sealer::new(&both, entropy.clone()), server.app.now()).unwrap();
    let alone = MasterKeys { current: new, previous: Vec::new() };
    server.app.sealer.replace(&alone);
    server.refresh();
    assert_eq!(by_secret(&server, "short", "HS256", SHORT, "1").status, 200);
    let kept = server.store().read("test", keys::kept_secrets).unwrap();
    assert_eq!(kept.len(), 2);
    assert!(kept.iter().all(|secret| server.app.sealer.is_current(secret.sealed.as_deref().unwrap())));
}

#[test]
fn what_a_declaration_lacks_for_its_method_is_told_at_the_start() {
    let key = ClientKey::p256("k1");
    let told = |client: &str| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("countersign.toml");
        std::fs::write(&path, client).unwrap();
        let config = countersign::config::Config::load(Some(&path), std::iter::empty()).unwrap();
        let problems: Vec<String> = config.validate().iter().map(ToString::to_string).collect();
        let declared = countersign::app::declared(&config, super::support::server::START);
        let declared = declared.and_then(|declared| declared.check(super::support::server::START));
        let found = declared.err().unwrap_or_default();
        problems.into_iter().chain(found.iter().map(|(_, problem)| problem.to_string())).collect::<Vec<_>>()
    };
    let of = |method: &str, more: &str| {
        format!(
            "[[clients]]\nid = \"a\"\nprofile = \"service\"\ntoken_endpoint_auth_method = \"{method}\"\n{more}\n"
        )
    };
    let hash = format!("secret_hash = {:?}", countersign::base::HashedToken::of(LONG).as_str());
    for (name, client, expected) in [
        ("a hash for a MAC", of("client_secret_jwt", &hash), "secret_file"),
        ("no secret for a MAC", of("client_secret_jwt", ""), "secret_file"),
        ("no keys", of("private_key_jwt", ""), "jwks"),
        (
            "a secret beside keys",
            of("private_key_jwt", &format!("{hash}\njwks_uri = \"https://a.example/\"")),
            "secret",
        ),
        ("keys twice", of("private_key_jwt", "jwks = '{}'\njwks_uri = \"https://a.example/\""), "jwks"),
        ("keys that are no JSON", of("private_key_jwt", "jwks = 'keys'"), "JSON"),
        ("no key among them", of("private_key_jwt", "jwks = '{\"keys\":[]}'"), "none of its keys"),
        ("half a key", of("private_key_jwt", "jwks = '{\"keys\":[{\"kty\":\"EC\"}]}'"), "key number 1"),
        ("keys by http", of("private_key_jwt", "jwks_uri = \"http://127.0.0.1/\""), "https"),
        ("a file that is not there", of("private_key_jwt", "jwks_file = \"/nowhere.json\""), "/nowhere.json"),
        (
            "an algorithm of another method",
            of("client_secret_basic", &format!("{hash}\ntoken_endpoint_auth_signing_alg = \"ES256\"")),
            "private_key_jwt",
        ),
        ("an unknown algorithm", of("private_key_jwt", "token_endpoint_auth_signing_alg = \"none\""), "none"),
        ("none", of("none", &hash), "public"),
    ] {
        let problems = told(&client);
        assert!(problems.iter().any(|text| text.contains(expected)), "{name}: {problems:?}");
    }
    assert_eq!(
        told(
            &service("a", &[&key], "")
                .replace("scopes = [\"notes:read\"]\n", "")
                .replace("resources = [\"https://notes.example\"]\n", "")
        ),
        Vec::<String>::new()
    );
}
