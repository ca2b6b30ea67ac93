//! OpenID Connect Core 1.0 §2, §3.1.3.6, §5.4 and §12.2: the ID token, as a relying party reads it.

use countersign::base::encoding::{base64url, sha256};
use countersign::oauth::algorithm::SigningAlgorithm;
use serde_json::{Value, json};

use super::support::flow::{authorize, code, part, redemption};
use super::support::jwt::verified;
use super::support::server::{PASSWORD, START, Setup, TestServer};
use super::support::{change, on_each_database};

fn id_token(server: &TestServer, with: &[(&str, &str)]) -> Value {
    let answer = server.token("web", &redemption(&code(server, "web", with)));
    assert_eq!(answer.status, 200, "{}", answer.body);
    verified(server, &answer.text("id_token"), "web").1
}

/// §2: iss, sub, aud, exp and iat are required; azp is the client; nonce and at_hash bind it; sid says which session it is of.
/// Nothing else was asked for.
#[test]
fn an_id_token_has_these_claims_and_no_others() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        server.advance(30);
        let with = [("scope", "openid profile email notes:read"), ("nonce", "n-0S6_WzA2Mj")];
        let code = code(&server, "web", &with);
        server.advance(10);
        let answer = server.token("web", &redemption(&code));
        let token = answer.text("id_token");
        let (header, claims) = verified(&server, &token, "web");
        // OpenID Connect Core §15.1: RS256 is what every relying party has.
        assert_eq!(part(&token, 0)["alg"], "RS256");
        assert_eq!(header.typ.as_deref(), Some("JWT"));
        let expected = json!({
            "iss": server.issuer,
            "sub": server.user("alice").id.to_string(),
            "aud": "web",
            "azp": "web",
            "exp": START.0 + 40 + 300,
            "iat": START.0 + 40,
            "nonce": "n-0S6_WzA2Mj",
            "at_hash": base64url(&sha256(answer.text("access_token").as_bytes())[..16]),
            "sid": claims["sid"],
        });
        assert_eq!(claims, expected);
    });
}

/// OpenID Connect Core §3.1.2.1: "openid" makes it an authentication request.
#[test]
fn without_openid_there_is_no_id_token() {
    let server = TestServer::start();
    for scope in ["notes:read", "profile email notes:read", "notes:read offline_access"] {
        let code = code(&server, "web", &[("scope", scope), ("nonce", "n")]);
        let answer = server.token("web", &redemption(&code));
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.json().get("id_token"), None, "{scope}");
    }
    let form = [("grant_type", "client_credentials")];
    assert_eq!(server.token("service", &form).json().get("id_token"), None);
}

/// OpenID Connect Core §3.1.2.1: the nonce is "passed through unmodified from the Authentication Request to
/// the ID Token".
#[test]
fn a_nonce_comes_back_as_it_was_and_only_where_it_was_given() {
    let server = TestServer::start();
    let longest = "n".repeat(512);
    for nonce in ["a b+c%20&=\"\\é", longest.as_str()] {
        assert_eq!(id_token(&server, &[("nonce", nonce)])["nonce"], nonce);
    }
    assert_eq!(id_token(&server, &[]).get("nonce"), None);
}

/// OpenID Connect Core §2: auth_time is when the user proved who they are, not when a token was made; a
/// second login in the same browser is a new one.
#[test]
fn auth_time_is_the_time_of_the_login() {
    let server = TestServer::start();
    let mut browser = server.browser();
    let mut seen = Vec::new();
    for (later, prompt) in [(0, ""), (100, ""), (100, "login")] {
        server.advance(later);
        let with = [("prompt", prompt), ("max_age", "900")];
        let code = authorize(&mut browser, "web", &with).sent("code").unwrap();
        let token = server.token("web", &redemption(&code)).text("id_token");
        seen.push(verified(&server, &token, "web").1["auth_time"].as_i64().unwrap() - START.0);
    }
    assert_eq!(seen, [0, 0, 200]);
}

/// §2 on auth_time: "When a max_age request is made or when auth_time is requested as an Essential Claim, then this Claim is
/// REQUIRED; otherwise, its inclusion is OPTIONAL." OpenID Connect Dynamic Client Registration 1.0 §2: default_max_age and
/// require_auth_time ask once and for all.
#[test]
fn auth_time_is_there_when_it_was_asked_for_and_else_not() {
    let server = TestServer::start();
    let has = |with: &[(&str, &str)]| id_token(&server, with).get("auth_time").is_some();
    assert!(!has(&[]));
    assert!(has(&[("max_age", "900")]));
    assert!(has(&[("claims", r#"{"id_token":{"auth_time":{"essential":true}}}"#)]));
    assert!(has(&[("claims", r#"{"id_token":{"auth_time":null}}"#)]));
    assert!(!has(&[("claims", r#"{"userinfo":{"auth_time":null}}"#)]));
    change::client(&server, "web", |draft| draft.openid.require_auth_time = true);
    assert!(has(&[]));
    change::client(&server, "web", |draft| {
        (draft.openid.require_auth_time, draft.openid.default_max_age_s) = (false, Some(900));
    });
    assert!(has(&[]));
}

/// §2: sid is the session's name for this client: the same for a second login of the same session, another for another
/// client or another browser.
#[test]
fn sid_names_the_session_for_one_client() {
    let server = TestServer::start();
    let mut browser = server.browser();
    let mut sid = |client: &str| {
        let code = authorize(&mut browser, client, &[("scope", "openid")]).sent("code").unwrap();
        let token = server.token(client, &redemption(&code)).text("id_token");
        verified(&server, &token, client).1["sid"].as_str().unwrap().to_owned()
    };
    let first = sid("web");
    assert_eq!(sid("web"), first);
    assert_ne!(sid("house"), first);
    assert_ne!(id_token(&server, &[("scope", "openid")])["sid"], first);
}

/// OpenID Connect Dynamic Client Registration 1.0 §2, id_token_signed_response_alg; RFC 7518 §3.1. What there is no key for
/// is not signed otherwise.
#[test]
fn a_client_chooses_the_algorithm_among_those_that_have_a_key() {
    let server = TestServer::start();
    change::client(&server, "web", |draft| draft.openid.id_token.signing = Some(SigningAlgorithm::Es256));
    let answer = server.token("web", &redemption(&code(&server, "web", &[])));
    assert_eq!(part(&answer.text("id_token"), 0)["alg"], "ES256");
    verified(&server, &answer.text("id_token"), "web");
    change::client(&server, "web", |draft| draft.openid.id_token.signing = Some(SigningAlgorithm::Es512));
    let answer = server.token("web", &redemption(&code(&server, "web", &[])));
    assert_eq!((answer.status, answer.error().as_str()), (500, "server_error"));
}

#[test]
fn the_life_of_an_id_token_can_be_configured() {
    let server =
        TestServer::with(Setup { extra: "[tokens]\nid_token_ttl_s = 60".to_owned(), ..Setup::default() });
    let token = id_token(&server, &[]);
    assert_eq!(token["exp"].as_i64().unwrap() - token["iat"].as_i64().unwrap(), 60);
}

/// OpenID Connect Core §8: `sub` is "never reassigned", and no name.
#[test]
fn the_subject_outlives_the_name_and_is_not_handed_on_with_it() {
    let server = TestServer::start();
    let before = id_token(&server, &[])["sub"].clone();
    let mut user = server.user("alice");
    user.username = countersign::domain::UserName::parse("alicia").unwrap();
    server.store().write("rename", move |conn| countersign::store::users::update(conn, &user)).unwrap();
    server.add_user("alice");
    assert_ne!(id_token(&server, &[])["sub"], before);
    assert_eq!(server.user("alicia").id.to_string(), before.as_str().unwrap());
}

/// The password grant gives one too where it is asked for: about the same user, with no nonce to bind it to a
/// browser and no session.
#[test]
fn the_password_grant_gives_an_id_token_for_openid() {
    let server = TestServer::start();
    let form = [
        ("grant_type", "password"),
        ("username", "alice"),
        ("password", PASSWORD),
        ("scope", "openid profile"),
    ];
    let token = server.token("house", &form).text("id_token");
    let claims = verified(&server, &token, "house").1;
    let names: Vec<&String> = claims.as_object().unwrap().keys().collect();
    assert_eq!(names, ["iss", "sub", "aud", "azp", "exp", "iat", "at_hash"]);
}
