//! RFC 9068: access tokens as a resource server reads them, with nothing but the published keys.

use countersign::base::encoding::{base64url, sha256};
use serde_json::{Value, json};

use super::support::change;
use super::support::flow::{code, part, redemption};
use super::support::http::Answer;
use super::support::jwt::verified;
use super::support::server::{CLIENTS, MAIL, NOTES, PASSWORD, START, Setup, TestServer};

const LIFE: i64 = 300;

fn machine(server: &TestServer, client: &str, more: &[(&str, &str)]) -> Answer {
    let mut form = vec![("grant_type", "client_credentials")];
    form.extend_from_slice(more);
    server.token(client, &form)
}

fn names(claims: &Value) -> Vec<String> {
    let mut names: Vec<String> = claims.as_object().unwrap().keys().cloned().collect();
    names.sort();
    names
}

/// RFC 7519 §2: times are numbers of seconds. RFC 9562 §5.4: the subject is a random UUID. RFC 9068 §2.2:
/// iss, exp, aud, sub, client_id, iat and jti are required; RFC 9068 §2.2.1 auth_time, acr and amr, RFC 9068 §2.2.3 scope.
#[test]
fn a_users_token_has_these_claims_and_no_others() {
    let server = TestServer::start();
    server.advance(30);
    let code = code(&server, "web", &[("scope", "openid profile email notes:read")]);
    server.advance(10);
    let answer = server.token("web", &redemption(&code));
    let (header, claims) = verified(&server, &answer.text("access_token"), NOTES);
    // RFC 9068 §2.1: "the "typ" value used SHOULD be "at+jwt"".
    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    let expected = json!({
        "iss": server.issuer,
        "sub": server.user("alice").id.to_string(),
        "aud": NOTES,
        "exp": START.0 + 40 + LIFE,
        "iat": START.0 + 40,
        "jti": claims["jti"],
        "client_id": "web",
        "scope": "openid profile email notes:read",
        "auth_time": START.0 + 30,
        "acr": "urn:countersign:acr:password",
        "amr": ["pwd"],
    });
    assert_eq!(claims, expected);
    assert!(claims["jti"].as_str().unwrap().len() > 36);
    assert_eq!(answer.json()["expires_in"], LIFE);
    let subject = claims["sub"].as_str().unwrap().as_bytes();
    assert_eq!((subject.len(), subject[14]), (36, b'4'));
}

/// RFC 9068 §2.2: "In cases of access tokens obtained through grants where no resource owner is involved, […]
/// the value of "sub" SHOULD correspond to an identifier the authorization server uses to indicate the client
/// application."
#[test]
fn a_machines_token_is_about_the_machine() {
    let server = TestServer::start();
    let answer = machine(&server, "service", &[]);
    let (header, claims) = verified(&server, &answer.text("access_token"), NOTES);
    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    let expected = json!({
        "iss": server.issuer, "sub": "service", "aud": NOTES, "exp": START.0 + LIFE, "iat": START.0,
        "jti": claims["jti"], "client_id": "service", "scope": "notes:read notes:write",
    });
    assert_eq!(claims, expected);
}

/// RFC 7515 §4.1.1, RFC 7515 §4.1.4 and RFC 9068 §2.1: alg, typ and kid, and nothing that a verifier would
/// have to be warned of.
#[test]
fn the_header_names_algorithm_type_and_key() {
    let server = TestServer::start();
    let token = machine(&server, "service", &[]).text("access_token");
    let header = Value::Object(part(&token, 0));
    assert_eq!(names(&header), ["alg", "kid", "typ"]);
    let keys = server.client().get("/.well-known/jwks.json").json();
    let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]).unwrap();
    assert_eq!((&header["alg"], &key["alg"], &key["use"]), (&json!("ES256"), &json!("ES256"), &json!("sig")));
    // RFC 7638 §3.1 and RFC 7638 §3.2: the kid is the thumbprint of the required members, in order.
    let required = format!("{{\"crv\":{},\"kty\":\"EC\",\"x\":{},\"y\":{}}}", key["crv"], key["x"], key["y"]);
    assert_eq!(header["kid"], base64url(&sha256(required.as_bytes())));
}

/// RFC 9068 §4: the resource server says which algorithms it takes; the token for it is signed with that one.
#[test]
fn each_resource_server_may_have_an_algorithm_of_its_own() {
    let clients = CLIENTS.replace("name = \"Mail\"", "name = \"Mail\"\nsigning_algorithm = \"RS256\"");
    let server = TestServer::with(Setup { clients, ..Setup::default() });
    for (resource, algorithm) in [(NOTES, "ES256"), (MAIL, "RS256"), (NOTES, "ES256")] {
        let token = machine(&server, "service2", &[("resource", resource)]).text("access_token");
        let (header, claims) = verified(&server, &token, resource);
        assert_eq!(part(&token, 0)["alg"], algorithm);
        assert_eq!((header.typ.as_deref(), &claims["aud"]), (Some("at+jwt"), &json!(resource)));
    }
}

/// A changed token is no token: the independent verifier says so, and so it did not merely read it above.
#[test]
fn a_token_that_was_changed_does_not_verify() {
    let server = TestServer::start();
    let token = machine(&server, "service", &[]).text("access_token");
    let changed = |at: usize| {
        let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
        let mut claims = part(&token, 1);
        claims["sub"] = json!("web");
        let text = serde_json::to_vec(&claims).unwrap();
        parts[1] = base64url(&text);
        if at == 2 {
            parts = token.split('.').map(str::to_owned).collect();
            let flipped = if parts[2].starts_with('A') { "B" } else { "A" };
            parts[2].replace_range(0..1, flipped);
        }
        parts.join(".")
    };
    for forged in [changed(1), changed(2)] {
        let result =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| verified(&server, &forged, NOTES)));
        assert!(result.is_err());
    }
}

/// RFC 9068 §2.2.3.1: roles go to the resource servers that ask for them, and to no other.
#[test]
fn roles_stand_in_tokens_for_those_who_ask_for_them() {
    let server = TestServer::start();
    change::give_role(&server, "alice", "editor");
    let with = [("scope", "openid notes:read mail:send offline_access")];
    let redeem = |resource: &str| {
        let code = code(&server, "web", &with);
        let mut form = redemption(&code);
        form.push(("resource", resource));
        server.token("web", &form)
    };
    let (notes, mail) = (redeem(NOTES), redeem(MAIL));
    assert_eq!(verified(&server, &notes.text("access_token"), NOTES).1["roles"], json!(["editor"]));
    assert_eq!(verified(&server, &mail.text("access_token"), MAIL).1.get("roles"), None);

    // A refresh takes the roles of today.
    let token = notes.text("refresh_token");
    let user = server.user("alice").id;
    let taken =
        server.store().write("take", move |conn| countersign::store::roles::take(conn, user, "editor"));
    assert!(taken.unwrap());
    let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str()), ("resource", NOTES)];
    let renewed = server.token("web", &form).text("access_token");
    assert_eq!(verified(&server, &renewed, NOTES).1.get("roles"), None);
    // A machine has none.
    let machine = machine(&server, "service", &[]).text("access_token");
    assert_eq!(verified(&server, &machine, NOTES).1.get("roles"), None);
}

/// RFC 9068 §6 on privacy: a resource server learns who the user is by a number, not by name.
#[test]
fn no_name_no_address_and_no_password_stands_in_an_access_token() {
    let server = TestServer::start();
    let everything = "openid profile email notes:read";
    let code = code(&server, "house", &[("scope", everything)]);
    let by_code = server.token("house", &redemption(&code)).text("access_token");
    let form =
        [("grant_type", "password"), ("username", "alice"), ("password", PASSWORD), ("scope", everything)];
    let by_password = server.token("house", &form).text("access_token");
    for token in [by_code, by_password] {
        let claims = verified(&server, &token, NOTES).1.to_string();
        for secret in ["alice", "Alice", "example.org", PASSWORD, "argon2"] {
            assert!(!claims.contains(secret), "{secret} in {claims}");
        }
    }
}

/// Five minutes by default; a client and a resource server may say otherwise, and the shorter life wins.
#[test]
fn the_shorter_life_wins() {
    let life = |client: &str, server: &str, tokens: &str| {
        let clients = CLIENTS
            .replace("name = \"Nightly Job\"", &format!("name = \"Nightly Job\"\n{client}"))
            .replace("name = \"Notes\"", &format!("name = \"Notes\"\n{server}"));
        let extra = format!("[tokens]\n{tokens}");
        let server = TestServer::with(Setup { clients, extra, ..Setup::default() });
        let answer = machine(&server, "service", &[]);
        let claims = verified(&server, &answer.text("access_token"), NOTES).1;
        let life = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert_eq!(answer.json()["expires_in"], life);
        life
    };
    let ttl = |seconds: i64| format!("access_token_ttl_s = {seconds}");
    assert_eq!(life("", "", ""), 300);
    assert_eq!(life("", "", &ttl(120)), 120);
    assert_eq!(life(&ttl(60), "", ""), 60);
    assert_eq!(life("", &ttl(90), ""), 90);
    assert_eq!(life(&ttl(60), &ttl(90), ""), 60);
    assert_eq!(life(&ttl(900), &ttl(90), &ttl(30)), 90);
    let long = format!("allow_long_access_tokens = true\n{}", ttl(7200));
    assert_eq!(life(&long, "", ""), 7200);
    assert_eq!(life(&long, &ttl(600), ""), 600);
}

/// RFC 9068 §2.2 and RFC 7519 §4.1.7: a jti is used once.
#[test]
fn every_token_has_a_name_of_its_own() {
    let server = TestServer::start();
    let answer = super::support::flow::tokens(&server);
    let form = [("grant_type", "refresh_token"), ("refresh_token", &answer.text("refresh_token"))];
    let renewed = server.token("web", &form);
    let jti = |answer: &Answer| {
        let claims = verified(&server, &answer.text("access_token"), NOTES).1;
        claims["jti"].as_str().unwrap().to_owned()
    };
    let (first, second) = (jti(&answer), jti(&renewed));
    assert_ne!(first, second);
    // The family leads both, so that an operator finds the login behind a token in the log.
    assert_eq!(first.split('.').next(), second.split('.').next());
}

/// An access token is no ID token and the other way round (RFC 8725 §3.11): `typ` and `aud` tell them apart.
#[test]
fn an_access_token_cannot_be_taken_for_an_id_token() {
    let server = TestServer::start();
    let answer = super::support::flow::tokens(&server);
    let access = verified(&server, &answer.text("access_token"), NOTES);
    let id = verified(&server, &answer.text("id_token"), "web");
    assert_ne!(access.0.typ, id.0.typ);
    assert_ne!(access.1["aud"], id.1["aud"]);
    assert_eq!(access.1["sub"], id.1["sub"]);
}
