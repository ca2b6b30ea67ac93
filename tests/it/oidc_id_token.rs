//! OpenID Connect Core 1.0 §2 and §3.1.3.6: the ID token, as a relying party reads it.

use serde_json::{Value, json};

use super::support::flow::{authorize, code, part, redemption};
use super::support::jwt::verified;
use super::support::server::{PASSWORD, START, Setup, TestServer};

fn id_token(server: &TestServer, with: &[(&str, &str)]) -> Value {
    let answer = server.token("web", &redemption(&code(server, "web", with)));
    assert_eq!(answer.status, 200, "{}", answer.body);
    verified(server, &answer.text("id_token"), "web").1
}

/// OpenID Connect Core §2: iss, sub, aud, exp and iat are required; auth_time and amr say how the user came
/// in.
#[test]
fn an_id_token_has_these_claims_and_no_others() {
    let server = TestServer::start();
    server.advance(30);
    let code = code(&server, "web", &[("scope", "openid notes:read"), ("nonce", "n-0S6_WzA2Mj")]);
    server.advance(10);
    let token = server.token("web", &redemption(&code)).text("id_token");
    let (header, claims) = verified(&server, &token, "web");
    // OpenID Connect Core §15.1: RS256 is what every relying party has.
    assert_eq!(part(&token, 0)["alg"], "RS256");
    assert_eq!(header.typ.as_deref(), Some("JWT"));
    let expected = json!({
        "iss": server.issuer,
        "sub": server.user("alice").id.to_string(),
        "aud": "web",
        "exp": START.0 + 40 + 300,
        "iat": START.0 + 40,
        "auth_time": START.0 + 30,
        "amr": ["pwd"],
        "nonce": "n-0S6_WzA2Mj",
    });
    assert_eq!(claims, expected);
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

/// OpenID Connect Core §5.4: `profile` and `email` each bring their claims, and nothing else does.
#[test]
fn profile_and_email_bring_their_claims() {
    let server = TestServer::start();
    let claims = ["name", "preferred_username", "email", "email_verified"];
    let seen = |scope: &str| {
        let token = id_token(&server, &[("scope", scope)]);
        claims.map(|name| token.get(name).cloned())
    };
    let (name, username) = (Some(json!("alice Example")), Some(json!("alice")));
    let (email, unverified) = (Some(json!("alice@example.org")), Some(json!(false)));
    assert_eq!(seen("openid"), [None, None, None, None]);
    assert_eq!(seen("openid profile"), [name.clone(), username.clone(), None, None]);
    assert_eq!(seen("openid email"), [None, None, email.clone(), unverified.clone()]);
    assert_eq!(seen("openid profile email"), [name, username, email, unverified]);
}

#[test]
fn a_user_without_a_display_name_or_an_address_has_no_such_claims() {
    let server = TestServer::start();
    let mut user = server.user("alice");
    (user.display_name, user.email) = (None, None);
    let stored = server.store().write("bare", move |conn| countersign::store::users::update(conn, &user));
    assert!(stored.unwrap());
    let token = id_token(&server, &[("scope", "openid profile email")]);
    for name in ["name", "email", "email_verified"] {
        assert_eq!(token.get(name), None, "{name}");
    }
    assert_eq!(token["preferred_username"], "alice");
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
        let code = authorize(&mut browser, "web", &[("prompt", prompt)]).sent("code").unwrap();
        let token = server.token("web", &redemption(&code)).text("id_token");
        seen.push(verified(&server, &token, "web").1["auth_time"].as_i64().unwrap() - START.0);
    }
    assert_eq!(seen, [0, 0, 200]);
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
/// browser.
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
    assert_eq!((&claims["name"], claims.get("nonce")), (&json!("alice Example"), None));
}
