//! The example programs against a running server: each does what its first lines say.

use std::net::SocketAddr;
use std::process::Command;

use countersign::base::clock::{Clock as _, SystemClock};
use countersign::base::entropy::OsEntropy;
use countersign::flow::keys;
use countersign::jose::{PrivateKey, open_key};
use countersign::oauth::algorithm::SigningAlgorithm;
use countersign::store;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Map, Value, json};

use super::support::TestServer;
use super::support::flow::{claims, part};
use super::support::http::{Answer, Client};
use super::support::program::{Home, free_ports};
use super::support::programs::{Running, example, start};
use super::support::server::{NOTES, Setup, sealer};

/// The server, and the resource server beside it, which knows nothing but the issuer and its own name.
struct World {
    server: TestServer,
    api: SocketAddr,
    _program: Running,
}

impl World {
    fn start() -> Self {
        let server = TestServer::with(Setup { start_at: SystemClock.now(), ..Setup::default() });
        let api = SocketAddr::from(([127, 0, 0, 1], free_ports(1)));
        let mut command = Command::new(example("resource-server"));
        command.args(["--listen", &api.to_string(), "--issuer", &server.issuer, "--audience", NOTES]);
        let program = start(command, api);
        Self { server, api, _program: program }
    }

    fn token(&self) -> String {
        let answer = self.server.token("service", &[("grant_type", "client_credentials")]);
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.text("access_token")
    }

    fn notes(&self, token: &str) -> Answer {
        let authorization = format!("Bearer {token}");
        Client::new(&format!("http://{}", self.api)).send(
            "GET",
            "/notes",
            &[("authorization", &authorization)],
            "",
        )
    }

    /// The server's own key: what it signs is as good as what the server signs.
    fn key(&self, algorithm: SigningAlgorithm) -> (String, PrivateKey) {
        let all = self.server.store().read("test keys", store::keys::all).unwrap();
        let record = all.into_iter().find(|record| record.algorithm == algorithm).unwrap();
        let key = open_key(&record, &sealer(), self.server.app.now()).unwrap();
        (record.kid, key)
    }

    fn sign(&self, header: &Header, claims: &Map<String, Value>) -> String {
        let (_, key) = self.key(SigningAlgorithm::Es256);
        let pem = key.to_pem().unwrap();
        jsonwebtoken::encode(header, claims, &EncodingKey::from_ec_pem(pem.as_bytes()).unwrap()).unwrap()
    }
}

/// RFC 9068 §4, one thing changed at a time; all of it is signed with the issuer's real key.
#[test]
fn the_resource_server_takes_what_is_meant_for_it_and_nothing_else() {
    let world = World::start();
    let real = world.token();
    assert_eq!(world.notes(&real).status, 200);
    let (sound, now) = (claims(&real), SystemClock.now().0);
    let mut header = Header::new(Algorithm::ES256);
    header.kid = part(&real, 0)["kid"].as_str().map(str::to_owned);
    header.typ = Some("at+jwt".to_owned());
    assert_eq!(world.notes(&world.sign(&header, &sound)).status, 200, "the same, signed here");

    for (name, value, status) in [
        ("iss", json!("https://evil.example"), 401),
        ("iss", json!(format!("{}/", world.server.issuer)), 401),
        ("aud", json!("https://mail.example/api"), 401),
        ("aud", json!(null), 401),
        ("sub", json!(null), 401),
        // RFC 9068 §4: a leeway of "no more than a few minutes"; here 30 s.
        ("exp", json!(now - 10), 200),
        ("exp", json!(now - 60), 401),
        ("exp", json!(null), 401),
        ("nbf", json!(now + 120), 401),
        ("iat", json!(now + 120), 401),
        ("scope", json!("notes:write"), 403),
    ] {
        let mut changed = sound.clone();
        match value {
            Value::Null => drop(changed.remove(name)),
            ref value => drop(changed.insert(name.to_owned(), value.clone())),
        }
        let answer = world.notes(&world.sign(&header, &changed));
        assert_eq!(answer.status, status, "{name} = {value}: {}", answer.body);
    }

    for typ in [None, Some("JWT"), Some("logout+jwt")] {
        let other = Header { typ: typ.map(str::to_owned), ..header.clone() };
        assert_eq!(world.notes(&world.sign(&other, &sound)).status, 401, "typ = {typ:?}");
    }
    for kid in [None, Some("nobody")] {
        let other = Header { kid: kid.map(str::to_owned), ..header.clone() };
        assert_eq!(world.notes(&world.sign(&other, &sound)).status, 401, "kid = {kid:?}");
    }
}

/// RFC 8725 §2.1: "none", and a public key taken for the secret of an HMAC, were accepted by many libraries.
#[test]
fn the_resource_server_lets_no_token_choose_how_it_is_verified() {
    let world = World::start();
    let real = world.token();
    let body = real.split('.').nth(1).unwrap();
    let encode = |value: &Value| countersign::base::encoding::base64url(value.to_string().as_bytes());
    let kid = &part(&real, 0)["kid"];
    let unsigned = format!("{}.{body}.", encode(&json!({"alg": "none", "typ": "at+jwt", "kid": kid})));
    assert_eq!(world.notes(&unsigned).status, 401);

    let jwks = world.server.client().get("/.well-known/jwks.json");
    let key =
        jwks.json()["keys"].as_array().unwrap().iter().find(|key| key["kid"] == *kid).unwrap().to_string();
    let mut header = Header::new(Algorithm::HS256);
    header.kid = kid.as_str().map(str::to_owned);
    header.typ = Some("at+jwt".to_owned());
    let by_public =
        jsonwebtoken::encode(&header, &claims(&real), &EncodingKey::from_secret(key.as_bytes())).unwrap();
    assert_eq!(world.notes(&by_public).status, 401);

    // A key that the token brings along.
    let own = PrivateKey::generate(SigningAlgorithm::Es256, &OsEntropy).unwrap();
    let mut header = Header::new(Algorithm::ES256);
    header.kid = kid.as_str().map(str::to_owned);
    header.typ = Some("at+jwt".to_owned());
    header.jku = Some("https://evil.example/jwks".to_owned());
    let key = EncodingKey::from_ec_pem(own.to_pem().unwrap().as_bytes()).unwrap();
    assert_eq!(world.notes(&jsonwebtoken::encode(&header, &claims(&real), &key).unwrap()).status, 401);

    for junk in ["", "a.b.c", "....", &"a".repeat(20_000)] {
        assert!([400, 401].contains(&world.notes(junk).status), "{junk:.20}");
    }
}

#[test]
fn the_resource_server_fetches_the_keys_once_more_for_a_kid_that_it_does_not_know() {
    let world = World::start();
    let before = world.token();
    assert_eq!(world.notes(&before).status, 200, "now it has the keys, for a quarter of an hour");
    let (store, now) = (world.server.store(), world.server.app.now());
    let new = keys::generate(store, &sealer(), &OsEntropy, SigningAlgorithm::Es256, 2048, now).unwrap();
    keys::activate(store, &new.kid, &world.server.app.key_rules, true, now).unwrap();
    world.server.refresh();
    let after = world.token();
    assert_eq!(part(&after, 0)["kid"], new.kid.as_str());
    assert_eq!(world.notes(&after).status, 200, "the new key was fetched");
    assert_eq!(world.notes(&before).status, 200, "the old one is still published");
}

/// RFC 6750 §3: the challenge, and no error code where no token came.
#[test]
fn the_resource_server_tells_what_is_missing() {
    let world = World::start();
    let answer = Client::new(&format!("http://{}", world.api)).get("/notes");
    assert_eq!(answer.status, 401);
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.starts_with("Bearer") && !challenge.contains("error="), "{challenge}");
    let challenge = world.notes("a.b.c").header("www-authenticate").unwrap().to_owned();
    assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
}

/// RFC 6749 §4.4, as a service does it.
#[test]
fn the_confidential_client_calls_the_api_as_a_service() {
    let home = Home::new("");
    let api = SocketAddr::from(([127, 0, 0, 1], free_ports(1)));
    let url = format!("http://{api}");
    home.ok(&["resource", "add", &url, "--scope", "notes:read=Read"]);
    let add =
        ["client", "add", "--profile", "service", "--id", "job", "--resource", &url, "--scope", "notes:read"];
    let secret = home.json(&add)["client_secret"].as_str().unwrap().to_owned();
    std::fs::write(home.path("secret"), format!("{secret}\n")).unwrap();
    std::fs::write(home.path("wrong"), "a-wrong-secret-0123456789-0123456789").unwrap();
    let _served = home.serve();
    let mut command = Command::new(example("resource-server"));
    command.args(["--listen", &api.to_string(), "--issuer", &home.url(), "--audience", &url]);
    let _api = start(command, api);

    let call = |file: &str| {
        Command::new(example("confidential-client"))
            .args(["--client-credentials", "--issuer", &home.url(), "--client-id", "job", "--api", &url])
            .arg("--client-secret-file")
            .arg(home.path(file))
            .output()
            .unwrap()
    };
    let output = call("secret");
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{out}{}", String::from_utf8_lossy(&output.stderr));
    let answer: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(answer["token"]["client_id"], "job", "{answer}");

    let output = call("wrong");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && told.contains("invalid_client"), "{told}");
    assert!(!told.contains("a-wrong-secret"), "{told}");
    assert!(!call("missing").status.success());
}
