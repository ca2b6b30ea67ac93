//! RFC 9701: the answer of the introspection endpoint as a JWT, for whoever must be able to show it later.

use std::collections::{BTreeSet, HashSet};

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};

use super::support::flow::{claims, part};
use super::support::http::{Answer, basic, form};
use super::support::server::{START, secret};
use super::support::tokens::{clients_token, introspect, is_active, on, setup, users_token, writes_nothing};
use super::support::{TestServer, on_each_database};

const SIGNED: &str = "application/token-introspection+jwt";

fn asked(server: &TestServer, client: &str, token: &str, accept: &str) -> Answer {
    let authorization = basic(client, &secret(client));
    let headers = [
        ("authorization", authorization.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
        ("accept", accept),
    ];
    server.client().send("POST", "/introspect", &headers, &form(&[("token", token)]))
}

/// The claims as a stranger reads them who has nothing but the published keys.
fn verified(server: &TestServer, jwt: &str, audience: &str) -> Value {
    let set: JwkSet = serde_json::from_str(&server.client().get("/.well-known/jwks.json").body).unwrap();
    let header = decode_header(jwt).unwrap();
    let key = set.find(header.kid.as_deref().unwrap()).expect("the kid is published");
    let mut validation = Validation::new(key.common.key_algorithm.unwrap().to_string().parse().unwrap());
    validation.required_spec_claims = HashSet::from(["aud", "iss"].map(str::to_owned));
    validation.validate_exp = false;
    validation.set_audience(&[audience]);
    validation.set_issuer(&[&server.issuer]);
    decode::<Value>(jwt, &DecodingKey::from_jwk(key).unwrap(), &validation).unwrap().claims
}

/// RFC 9701 §4, §5: media type, `typ`, `iss`, `aud`, `iat`, and the answer of RFC 7662 §2.2 in `token_introspection`.
#[test]
fn whoever_accepts_it_is_answered_by_a_signed_jwt() {
    on_each_database(|database| {
        let server = on(&database);
        let token = users_token(&server, "openid notes:read");
        server.advance(7);
        let plain = introspect(&server, "notes-api", &token).json();
        let answer = writes_nothing(&database, || asked(&server, "notes-api", &token, SIGNED));
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(SIGNED)));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let header = part(&answer.body, 0);
        assert_eq!(header["typ"], "token-introspection+jwt");
        assert_eq!(header.keys().map(String::as_str).collect::<BTreeSet<_>>(), ["alg", "kid", "typ"].into());
        let expected = json!({
            "iss": server.issuer,
            "aud": "notes-api",
            "iat": START.0 + 7,
            "token_introspection": plain,
        });
        assert_eq!(verified(&server, &answer.body, "notes-api"), expected);
    });
}

/// RFC 9701 §5: "If the access token is invalid, expired, revoked, or is not intended for the calling resource server (audience),
/// the authorization server MUST set the value of the active member in the token_introspection claim to false. Other claims MUST
/// NOT be included."
#[test]
fn of_a_token_that_is_not_for_the_caller_the_jwt_says_nothing_but_that() {
    let server = TestServer::with(setup());
    let token = users_token(&server, "openid notes:read");
    for (client, token) in [("mail-api", token.as_str()), ("notes-api", "x")] {
        let answer = asked(&server, client, token, SIGNED);
        let claims = verified(&server, &answer.body, client);
        assert_eq!(claims["token_introspection"], json!({ "active": false }));
    }
}

/// RFC 9701 §5: "SHOULD NOT include the "sub" and "exp" claims as an additional measure to prevent misuse of the JWT as an access
/// token", and RFC 8725 §3.11: `typ` says what it is.
#[test]
fn the_jwt_cannot_be_taken_for_an_access_token() {
    let server = TestServer::with(setup());
    let token = clients_token(&server, "service", "notes:read");
    let jwt = asked(&server, "notes-api", &token, SIGNED).body;
    let names: BTreeSet<String> = claims(&jwt).keys().cloned().collect();
    assert_eq!(names, ["aud", "iat", "iss", "token_introspection"].map(str::to_owned).into());
    assert!(!is_active(&server, "notes-api", &jwt));
}

/// RFC 9701 §6: the algorithm, where a client has named none, "is RS256"; discovery says so (§7).
#[test]
fn it_is_signed_with_the_algorithm_that_discovery_names() {
    let server = TestServer::with(setup());
    let token = clients_token(&server, "service", "notes:read");
    let jwt = asked(&server, "notes-api", &token, SIGNED).body;
    let metadata = server.client().get(countersign::http::paths::OPENID_CONFIGURATION).json();
    assert_eq!(metadata["introspection_signing_alg_values_supported"], json!(["RS256"]));
    assert_eq!(part(&jwt, 0)["alg"], "RS256");
}

/// RFC 9110 §12.5.1: what is accepted, with its weights; JSON where nothing else is wanted more.
#[test]
fn whoever_would_rather_have_json_is_answered_in_json() {
    let server = TestServer::with(setup());
    let token = clients_token(&server, "service", "notes:read");
    for (accept, kind) in [
        ("application/token-introspection+jwt;q=0.9, application/json;q=0.5", SIGNED),
        ("application/token-introspection+jwt;q=0.4, application/json", "application/json"),
        ("application/token-introspection+jwt;q=0", "application/json"),
        ("application/*", "application/json"),
        ("*/*", "application/json"),
        ("text/html", "application/json"),
        ("nonsense;;q=,", "application/json"),
    ] {
        let answer = asked(&server, "notes-api", &token, accept);
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(kind)), "{accept}");
    }
}

/// A refusal is JSON as everywhere (RFC 7662 §2.3).
#[test]
fn a_refusal_is_no_jwt() {
    let server = TestServer::with(setup());
    let token = clients_token(&server, "service", "notes:read");
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("accept", SIGNED)];
    let body = form(&[("token", &token), ("client_id", "app")]);
    let answer = server.client().send("POST", "/introspect", &headers, &body);
    assert_eq!((answer.status, answer.error()), (401, "invalid_client".to_owned()));
}
