//! Custom claims without code: what a resource server's access tokens say beyond the standard, from a table.

use serde_json::{Value, json};

use super::support::TestServer;
use super::support::change;
use super::support::flow::{claims, code, redemption, tokens};
use super::support::server::{NOTES, Setup};
use super::support::tokens::{clients_token, introspect, setup, userinfo, users_token};

const TABLE: &str =
    r#"claims = { team = "attribute:team", "https://example.org/groups" = "roles", tier = "value:gold" }"#;

fn with_table() -> TestServer {
    let setup = setup();
    let clients = setup.clients.replacen("include_roles = true", TABLE, 1);
    let server = TestServer::with(Setup { clients, ..setup });
    change::give_role(&server, "alice", "editor");
    person(&server, "red");
    server
}

fn person(server: &TestServer, team: &str) {
    let (mut user, team) = (server.user("alice"), team.to_owned());
    user.attributes.set("team", Some(json!([team]))).unwrap();
    let stored = server.store().write("test", move |conn| countersign::store::users::update(conn, &user));
    assert!(stored.unwrap());
}

fn custom(token: &str) -> Value {
    let mut claims = claims(token);
    claims.retain(|name, _| ["team", "https://example.org/groups", "tier", "roles"].contains(&name.as_str()));
    Value::Object(claims)
}

#[test]
fn an_access_token_says_what_the_table_says_of_its_user_today() {
    let server = with_table();
    let answer = tokens(&server);
    let all = json!({ "team": ["red"], "https://example.org/groups": ["editor"], "tier": "gold" });
    assert_eq!(custom(&answer.text("access_token")), all);
    person(&server, "blue");
    let form = [("grant_type", "refresh_token"), ("refresh_token", &*answer.text("refresh_token"))];
    assert_eq!(custom(&server.token("web", &form).text("access_token"))["team"], json!(["blue"]));
}

#[test]
fn a_token_for_another_resource_server_says_nothing_of_it() {
    let server = with_table();
    assert_eq!(custom(&users_token(&server, "mail:send")), json!({}));
}

#[test]
fn a_client_that_acts_for_itself_has_the_constants_only() {
    let server = with_table();
    assert_eq!(custom(&clients_token(&server, "service", "notes:read")), json!({ "tier": "gold" }));
}

/// RFC 7662 §2.2: "Specific implementations MAY extend this structure with their own service-specific response names".
#[test]
fn introspection_says_the_same_of_a_jwt_and_of_an_opaque_token() {
    let server = with_table();
    for opaque in [false, true] {
        if opaque {
            change::resource_server(&server, NOTES, |server| {
                server.token_format = countersign::domain::resource_server::TokenFormat::Opaque;
            });
        }
        let token = users_token(&server, "notes:read");
        let said = introspect(&server, "notes-api", &token).json();
        assert_eq!(said["team"], json!(["red"]), "{said}");
        assert_eq!(
            (&said["https://example.org/groups"], &said["tier"]),
            (&json!(["editor"]), &json!("gold"))
        );
        assert_eq!(said.get("roles"), None, "{said}");
    }
}

/// RFC 8693 §2.1: the new token is for another resource server, and says what that one wants told.
#[test]
fn an_exchanged_token_says_what_the_table_of_its_own_resource_server_says() {
    let server = with_table();
    change::resource_server(&server, "https://mail.example/api", |server| {
        server.claims = serde_json::from_str(r#"{"squad":"attribute:team"}"#).unwrap();
    });
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", &*users_token(&server, "notes:read")),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("audience", "https://mail.example/api"),
    ];
    let exchanged = server.token("gateway", &form).text("access_token");
    assert_eq!(claims(&exchanged)["squad"], json!(["red"]));
    assert_eq!(custom(&exchanged), json!({}));
}

/// RFC 7519 §4.1, RFC 8693 §4: names that have a meaning are not an operator's to give another.
#[test]
fn a_table_that_would_change_what_a_token_is_stops_the_start() {
    for (table, says) in [
        (r#"claims = { sub = "value:root" }"#, "sub has a meaning of its own"),
        (r#"claims = { scope = "attribute:scope" }"#, "scope has a meaning of its own"),
        (r#"claims = { roles = "roles" }"#, "include_roles"),
        (r#"claims = { team = "user.team" }"#, "expected attribute:NAME"),
        (r#"claims = { team = "json:{" }"#, "no JSON"),
    ] {
        let setup = setup();
        let clients = setup.clients.replacen("include_roles = true", table, 1);
        let folder = tempfile::tempdir().unwrap();
        let config =
            super::support::server::config(&Setup { clients, ..setup }, "http://127.0.0.1:9", folder.path());
        let told = countersign::app::declared(&config, super::support::server::START)
            .map_err(|found| format!("{found:?}"))
            .and_then(|declared| {
                declared.check(super::support::server::START).map_err(|found| format!("{found:?}"))
            })
            .unwrap_err();
        assert!(told.contains(says), "{table}: {told}");
    }
}

/// OpenID Connect Core 1.0 §5.1.2: "Other Claims MAY be used".
#[test]
fn a_clients_table_is_for_its_id_tokens_and_its_userinfo_answers_alone() {
    let server = with_table();
    change::client(&server, "web", |draft| {
        draft.openid.claims = serde_json::from_str(r#"{"crew":"attribute:team","rights":"roles"}"#).unwrap();
    });
    let answer = tokens(&server);
    let told = json!({ "crew": ["red"], "rights": ["editor"] });
    let of = |claims: &Value| json!({ "crew": claims["crew"], "rights": claims["rights"] });
    assert_eq!(of(&claims(&answer.text("id_token")).into()), told);
    assert_eq!(of(&userinfo(&server, &answer.text("access_token")).json()), told);
    assert_eq!(claims(&answer.text("access_token")).get("crew"), None);
    let others = server.public_token("app", &redemption(&code(&server, "app", &[])));
    assert_eq!(claims(&others.text("id_token")).get("crew"), None);
}
