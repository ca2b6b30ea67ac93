//! OpenID Connect Core 1.0 §5.5: claims asked for one by one.

use serde_json::{Value, json};

use super::support::flow::{authorize, claims, code, redemption};
use super::support::http::{Answer, Browser};
use super::support::pages::{ask, error_of, is_consent, is_login};
use super::support::server::PASSWORD;
use super::support::tokens::userinfo;
use super::support::{TestServer, change, on_each_database};

/// The claims of the ID token, and what userinfo tells.
fn told(server: &TestServer, scope: &str, claims_parameter: &Value) -> (Value, Value) {
    let text = claims_parameter.to_string();
    let code = code(server, "web", &[("scope", scope), ("claims", &text)]);
    let answer = server.token("web", &redemption(&code));
    assert_eq!(answer.status, 200, "{}", answer.body);
    told_by(server, &answer)
}

fn told_by(server: &TestServer, answer: &Answer) -> (Value, Value) {
    let told = userinfo(server, &answer.text("access_token"));
    assert_eq!(told.status, 200, "{}", told.body);
    (claims(&answer.text("id_token")).into(), told.json())
}

fn browser_of(server: &TestServer, client: &str, name: &str) -> Browser {
    let mut browser = server.browser();
    let page = ask(&mut browser, client, &[]);
    let page = browser.log_in(&page, name, PASSWORD);
    browser.decide(&page, "allow");
    browser
}

/// §5.5: "userinfo: Requests that the listed individual Claims be returned from the UserInfo Endpoint", "id_token: […] in the
/// ID Token". Essential or not, and of each only where it was asked for.
#[test]
fn each_claim_goes_where_it_was_asked_for() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let asked = json!({
            "userinfo": { "name": { "essential": true }, "email_verified": null },
            "id_token": { "email": null, "preferred_username": { "essential": false } },
        });
        let (id_token, userinfo) = told(&server, "openid", &asked);
        assert_eq!(
            (&id_token["email"], &id_token["preferred_username"]),
            (&json!("alice@example.org"), &json!("alice"))
        );
        assert_eq!((id_token.get("name"), id_token.get("email_verified")), (None, None));
        let sub = server.user("alice").id.to_string();
        assert_eq!(userinfo, json!({ "sub": sub, "name": "alice Example", "email_verified": false }));
    });
}

/// §5.5: "any Claims requested using the claims parameter are […] in addition to" those of the scope.
#[test]
fn the_claims_come_beside_those_of_the_scope() {
    let server = TestServer::start();
    let asked = json!({ "userinfo": { "name": null } });
    let (_, userinfo) = told(&server, "openid email", &asked);
    assert_eq!(
        (&userinfo["name"], &userinfo["email"]),
        (&json!("alice Example"), &json!("alice@example.org"))
    );
}

/// §5.5.1: value "Requests that the Claim be returned with a particular value", values with "one of a set of values": another
/// one is not told.
#[test]
fn a_claim_that_has_another_value_than_was_asked_for_is_not_told() {
    let server = TestServer::start();
    let asked = json!({ "id_token": {
        "email": { "value": "alice@example.org" }, "name": { "value": "Bob" },
        "preferred_username": { "essential": true, "values": ["bob", "alice"] },
        "email_verified": { "values": [true, "false"] },
    }});
    let (id_token, _) = told(&server, "openid", &asked);
    assert_eq!(
        (&id_token["email"], &id_token["preferred_username"]),
        (&json!("alice@example.org"), &json!("alice"))
    );
    assert_eq!((id_token.get("name"), id_token.get("email_verified")), (None, None));
}

/// §5.5: "It is not an error to not return a requested Claim": those that the user has not, that nobody knows, that the client
/// may not ask for, and those that are not about a person.
#[test]
fn a_claim_that_cannot_be_told_is_left_out_essential_or_not() {
    let server = TestServer::start();
    change::client(&server, "web", |draft| {
        draft.scope = draft.scope.filter(|value| value != "email");
    });
    let members = json!({
        "email": { "essential": true }, "birthdate": { "essential": true }, "http://example.info/claims/groups": null,
        "name#de": null, "password_hash": null, "iss": { "value": "https://evil.example" }, "aud": null, "exp": null,
    });
    let (id_token, userinfo) =
        told(&server, "openid", &json!({ "id_token": members, "userinfo": members, "x": 1 }));
    let names: Vec<&String> = id_token.as_object().unwrap().keys().collect();
    assert_eq!(names, ["iss", "sub", "aud", "azp", "exp", "iat", "at_hash", "sid"]);
    assert_eq!((&id_token["iss"], &id_token["aud"]), (&json!(server.issuer), &json!("web")));
    assert_eq!(userinfo.as_object().unwrap().len(), 1);
}

/// What may be asked for today counts, not what could be when the user agreed.
#[test]
fn a_claim_that_was_taken_from_the_client_since_is_not_told_any_more() {
    let server = TestServer::start();
    let asked = json!({ "userinfo": { "email": null }, "id_token": { "email": null } }).to_string();
    let code = code(&server, "web", &[("scope", "openid notes:read"), ("claims", &asked)]);
    change::client(&server, "web", |draft| draft.scope = "openid notes:read".parse().unwrap());
    let (id_token, userinfo) = told_by(&server, &server.token("web", &redemption(&code)));
    assert_eq!((id_token.get("email"), userinfo.get("email")), (None, None));
}

/// §12.2: the ID token of a refresh tells what that of the login did.
#[test]
fn a_refresh_tells_the_same() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let asked = json!({
            "id_token": { "name": null, "auth_time": null, "acr": null }, "userinfo": { "email": null },
        });
        let text = asked.to_string();
        let with = [("scope", "openid offline_access"), ("claims", text.as_str())];
        let first = server.token("web", &redemption(&code(&server, "web", &with)));
        server.advance(60);
        let refresh = first.text("refresh_token");
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        let (before, _) = told_by(&server, &first);
        let (after, userinfo) = told_by(&server, &server.token("web", &form));
        for name in ["name", "auth_time", "acr", "amr", "sid", "sub"] {
            assert!(before[name] == after[name] && !after[name].is_null(), "{name}: {after}");
        }
        assert_eq!(userinfo["email"], "alice@example.org");
    });
}

/// §5.5: "If the claims parameter […] is not a valid JSON object" it is a bad request like any other; it goes back to the
/// client.
#[test]
fn claims_that_cannot_be_read_are_an_invalid_request() {
    let server = TestServer::start();
    let mut browser = server.browser();
    let long = json!({ "id_token": { "a".repeat(4096): null } }).to_string();
    for text in [
        "x",
        "[]",
        "null",
        "\"{}\"",
        "{",
        "{}x",
        r#"{"id_token":[]}"#,
        r#"{"userinfo":"name"}"#,
        r#"{"userinfo":{"name":true}}"#,
        r#"{"userinfo":{"name":{"essential":"yes"}}}"#,
        r#"{"userinfo":{"name":{"values":"a"}}}"#,
        r#"{"userinfo":{"name":{"value":"a","values":["b"]}}}"#,
        r#"{"userinfo":{"name":null,"name":null}}"#,
        r#"{"id_token":{"acr":{"values":[1]}}}"#,
        r#"{"id_token":{"sub":{"value":{"a":1}}}}"#,
        &long,
        &format!("{}{}", "{\"a\":".repeat(200), "}".repeat(200)),
    ] {
        let answer = ask(&mut browser, "web", &[("claims", text)]);
        assert_eq!(error_of(&answer), "invalid_request", "{text}");
        assert!(answer.sent("error_description").unwrap().starts_with("claims"), "{}", answer.location());
    }
    let none = [("scope", "openid"), ("claims", "{}")];
    assert!(is_login(&ask(&mut browser, "web", &none)));
}

/// §5.5: who allows a claim allows what its scope bears: the page says so in the scope's words, and prompt=none without that
/// is consent_required.
#[test]
fn a_claim_needs_the_consent_of_the_scope_that_bears_it() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let mut browser = browser_of(&server, "web", "alice");
        let with_email = r#"{"id_token":{"email":null}}"#;
        let asked = [("claims", with_email)];
        let silent = [("claims", with_email), ("prompt", "none")];
        assert!(ask(&mut browser, "web", &[("prompt", "none")]).sent("code").is_some());
        assert_eq!(error_of(&ask(&mut browser, "web", &silent)), "consent_required");
        let page = ask(&mut browser, "web", &asked);
        assert!(is_consent(&page), "{page:?}");
        assert!(page.body.contains("See your e-mail address"), "{}", page.body);
        let code = browser.decide(&page, "allow").sent("code").unwrap();
        let (id_token, userinfo) = told_by(&server, &server.token("web", &redemption(&code)));
        assert_eq!((&id_token["email"], userinfo.get("email")), (&json!("alice@example.org"), None));
        assert!(ask(&mut browser, "web", &silent).sent("code").is_some(), "it is remembered");
        // What cannot be told needs no consent.
        let unknown = [("claims", r#"{"id_token":{"x":null,"phone_number":null}}"#), ("prompt", "none")];
        assert!(ask(&mut browser, "web", &unknown).sent("code").is_some());
    });
}

/// Without openid it is no authentication request: nobody would be told, so nobody is asked.
#[test]
fn without_openid_the_parameter_asks_for_nothing() {
    let server = TestServer::start();
    let with = [("scope", "notes:read"), ("claims", r#"{"userinfo":{"email":null}}"#)];
    let mut browser = server.browser();
    let page = ask(&mut browser, "web", &with);
    let page = browser.log_in(&page, "alice", PASSWORD);
    assert!(is_consent(&page) && !page.body.contains("e-mail"), "{}", page.body);
}

/// §5.5.1: sub with a value is as id_token_hint: this user, or an error; signing in as another does not do.
#[test]
fn a_sub_that_is_not_the_users_needs_the_login_of_that_user() {
    let server = TestServer::start();
    server.add_user("bob");
    let alice = server.user("alice").id.to_string();
    let mut browser = browser_of(&server, "web", "bob");
    for member in ["id_token", "userinfo"] {
        for members in [json!({ "value": alice }), json!({ "values": [alice, "x"] })] {
            let text = json!({ member: { "sub": members } }).to_string();
            let silent = [("claims", text.as_str()), ("prompt", "none")];
            assert_eq!(error_of(&ask(&mut browser, "web", &silent)), "login_required");
            let page = ask(&mut browser.clone(), "web", &silent[..1]);
            assert!(is_login(&page));
        }
    }
    let text = json!({ "id_token": { "sub": { "value": alice } } }).to_string();
    let page = ask(&mut browser, "web", &[("claims", &text)]);
    assert_eq!(error_of(&browser.log_in(&page, "bob", PASSWORD)), "login_required");
    let page = ask(&mut browser, "web", &[("claims", &text)]);
    let page = browser.log_in(&page, "alice", PASSWORD);
    let code = browser.decide(&page, "allow").sent("code").unwrap();
    let token = server.token("web", &redemption(&code)).text("id_token");
    assert_eq!(claims(&token)["sub"], alice);
    let own = [("claims", text.as_str()), ("prompt", "none")];
    assert!(ask(&mut browser, "web", &own).sent("code").is_some());
    assert!(
        ask(&mut browser, "web", &[("claims", r#"{"id_token":{"sub":null}}"#), ("prompt", "none")])
            .sent("code")
            .is_some()
    );
}

#[test]
fn a_sub_and_a_hint_of_different_users_contradict_each_other() {
    let server = TestServer::start();
    let mut browser = server.browser();
    let code = authorize(&mut browser, "web", &[]).sent("code").unwrap();
    let hint = server.token("web", &redemption(&code)).text("id_token");
    let text = json!({ "id_token": { "sub": { "value": server.add_user("bob").to_string() } } }).to_string();
    let with = [("id_token_hint", hint.as_str()), ("claims", &text)];
    assert_eq!(error_of(&ask(&mut browser, "web", &with)), "invalid_request");
}
