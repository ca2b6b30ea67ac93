//! RFC 9470, and OpenID Connect Core 1.0 §5.5.1.1 with Unmet Authentication Requirements 1.0: how sure a login is, asked for and
//! told.

use serde_json::{Value, json};

use super::support::TestServer;
use super::support::flow::{authorize, claims, code, redemption};
use super::support::pages::{ask, error_of, is_login, signed_in};
use super::support::server::{PASSWORD, START, Setup};
use super::support::tokens::{introspect, setup};
use super::support::{change, on_each_database};

const PASSWORD_ACR: &str = "urn:countersign:acr:password";

fn id_token(server: &TestServer, with: &[(&str, &str)]) -> Value {
    let answer = server.token("web", &redemption(&code(server, "web", with)));
    assert_eq!(answer.status, 200, "{}", answer.body);
    claims(&answer.text("id_token")).into()
}

/// OpenID Connect Core §2: acr and amr (RFC 8176 §1, RFC 8176 §2) are told where the request asks how sure the login is: by
/// acr_values (§3.1.2.1), by the claims parameter, or by default_acr_values (OpenID Connect Dynamic Client Registration 1.0
/// §2).
#[test]
fn the_reached_acr_and_amr_are_told_to_whoever_asks() {
    let server = TestServer::start();
    let told = |with: &[(&str, &str)]| {
        let token = id_token(&server, with);
        (token.get("acr").cloned(), token.get("amr").cloned())
    };
    let both = (Some(json!(PASSWORD_ACR)), Some(json!(["pwd"])));
    assert_eq!(told(&[]), (None, None));
    assert_eq!(told(&[("acr_values", PASSWORD_ACR)]), both);
    assert_eq!(told(&[("acr_values", "urn:x urn:y")]), both, "a preference, and no more");
    assert_eq!(told(&[("claims", r#"{"id_token":{"acr":null}}"#)]), both);
    assert_eq!(told(&[("claims", r#"{"id_token":{"acr":{"essential":true}}}"#)]), both);
    assert_eq!(told(&[("claims", r#"{"id_token":{"acr":{"values":["urn:x"]}}}"#)]), both);
    assert_eq!(told(&[("claims", r#"{"id_token":{"amr":null}}"#)]), (None, both.1.clone()));
    assert_eq!(told(&[("claims", r#"{"userinfo":{"acr":null}}"#)]), (None, None));
    change::client(&server, "web", |draft| draft.openid.default_acr_values = vec!["urn:x".to_owned()]);
    assert_eq!(told(&[]), both);
}

/// OpenID Connect Core §5.5.1.1: "the Authorization Server MUST return an acr Claim Value that matches one of the requested
/// values" where it is essential; what no login here can reach is told at once, whoever is there.
#[test]
fn an_essential_acr_that_no_login_reaches_is_an_error_of_its_own() {
    let server = TestServer::start();
    let essential =
        |values: Value| json!({ "id_token": { "acr": { "essential": true, "values": values } } }).to_string();
    let one = json!({ "id_token": { "acr": { "essential": true, "value": "urn:x" } } }).to_string();
    for browser in [&mut server.browser(), &mut signed_in(&server)] {
        for text in [&essential(json!(["urn:x", "urn:y"])), &one] {
            for prompt in ["", "none", "login"] {
                let answer = ask(browser, "app", &[("claims", text), ("prompt", prompt)]);
                assert_eq!(error_of(&answer), "unmet_authentication_requirements");
                assert_eq!(answer.sent("state").as_deref(), Some("a state"));
            }
        }
    }
    let reached = essential(json!(["urn:x", PASSWORD_ACR]));
    assert_eq!(id_token(&server, &[("claims", &reached)])["acr"], PASSWORD_ACR);
}

/// RFC 9470 §6.1 and RFC 9068 §2.2.1: an access token says when and how its user proved who they are; RFC 9470 §6 and
/// RFC 9470 §6.2: introspection says the same.
#[test]
fn access_tokens_and_introspection_tell_of_the_login() {
    on_each_database(|database| {
        let server = TestServer::with(Setup { database: Some(database.url.clone()), ..setup() });
        let code = code(&server, "web", &[("scope", "notes:read offline_access")]);
        server.advance(40);
        let answer = server.token("web", &redemption(&code));
        let token = answer.text("access_token");
        let said = introspect(&server, "notes-api", &token).json();
        let refresh = introspect(&server, "web", &answer.text("refresh_token")).json();
        for told in [Value::from(claims(&token)), said, refresh] {
            assert_eq!(told["auth_time"], START.0, "{told}");
            assert_eq!((&told["acr"], &told["amr"]), (&json!(PASSWORD_ACR), &json!(["pwd"])), "{told}");
        }
        let own = server.token("service", &[("grant_type", "client_credentials")]).text("access_token");
        let (own, said) = (claims(&own), introspect(&server, "notes-api", &own).json());
        for name in ["auth_time", "acr", "amr"] {
            assert_eq!((own.get(name), said.get(name)), (None, None), "{name}");
        }
    });
}

/// RFC 9470 §4: the client comes back with acr_values and max_age of the challenge, and what it gets then satisfies the
/// resource server.
#[test]
fn a_step_up_leads_to_a_token_of_a_fresh_login() {
    let server = TestServer::start();
    let mut browser = server.browser();
    let first = authorize(&mut browser, "web", &[]).sent("code").unwrap();
    let first = claims(&server.token("web", &redemption(&first)).text("access_token"));
    server.advance(600);
    let challenge = [("acr_values", PASSWORD_ACR), ("max_age", "60")];
    let page = ask(&mut browser, "web", &challenge);
    assert!(is_login(&page), "{page:?}");
    let code = browser.log_in(&page, "alice", PASSWORD).sent("code").unwrap();
    let second = claims(&server.token("web", &redemption(&code)).text("access_token"));
    assert_eq!((&first["auth_time"], &second["auth_time"]), (&json!(START.0), &json!(START.0 + 600)));
    assert_eq!(second["acr"], PASSWORD_ACR);
}

/// OpenID Connect Dynamic Client Registration 1.0 §2, default_max_age: it counts where the request has none, and "The max_age
/// request parameter overrides this default value."
#[test]
fn the_clients_max_age_counts_where_the_request_names_none() {
    let server = TestServer::start();
    change::client(&server, "app", |draft| draft.openid.default_max_age_s = Some(60));
    let mut browser = signed_in(&server);
    server.advance(61);
    assert!(is_login(&ask(&mut browser, "app", &[])));
    assert_eq!(error_of(&ask(&mut browser, "app", &[("prompt", "none")])), "login_required");
    assert!(ask(&mut browser, "app", &[("max_age", "120")]).sent("code").is_some());
}
