//! RFC 6749 §4.4: a machine gets tokens for itself.

use serde_json::Value;

use super::support::TestServer;
use super::support::http::Answer;
use super::support::jwt::redacted;
use super::support::server::{CLIENTS, NOTES, Setup};

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

fn ask(server: &TestServer, client: &str, more: &[(&str, &str)]) -> Answer {
    let mut form = vec![GRANT];
    form.extend_from_slice(more);
    server.token(client, &form)
}

/// RFC 6749 §4.4.3: "A refresh token SHOULD NOT be included." Nor is there anybody an ID token could be about.
/// RFC 6749 §4.4.2: grant_type and scope; "The client MUST authenticate with the authorization server".
#[test]
fn a_machine_gets_an_access_token_and_nothing_else() {
    let server = TestServer::start();
    let answer = ask(&server, "service", &[("scope", "notes:read")]);
    let wire = answer.wire(&["content-type", "cache-control", "pragma"]);
    insta::assert_snapshot!(redacted(&wire), @r#"
    200
    content-type: application/json
    cache-control: no-store
    pragma: no-cache

    {"access_token":"…","token_type":"Bearer","expires_in":300,"scope":"notes:read"}
    "#);
}

/// RFC 6749 §3.3: without `scope` the server takes its default, and says what that was.
#[test]
fn without_a_scope_the_machine_gets_all_that_it_may_have() {
    let server = TestServer::start();
    assert_eq!(ask(&server, "service", &[]).text("scope"), "notes:read notes:write");
    assert_eq!(ask(&server, "service", &[("scope", "")]).text("scope"), "notes:read notes:write");
    // OpenID Connect Core §3.1.2.1: values that nobody knows are ignored.
    let some = ask(&server, "service", &[("scope", "notes:write nobody:knows notes:write")]);
    assert_eq!(some.text("scope"), "notes:write");
}

/// RFC 6749 §3.3, §5.2: what is known and not allowed, or no scope at all by its syntax, is `invalid_scope`.
#[test]
fn a_scope_that_the_machine_may_not_have_is_refused() {
    let server = TestServer::start();
    for scope in [
        "mail:send",
        "notes:read mail:send",
        "nobody:knows",
        "openid",
        "notes:read offline_access",
        "profile",
        "NOTES:READ",
        "notes:read,notes:write",
        "notes:\"read\"",
        "notes:read\nnotes:write",
        " ",
    ] {
        assert_eq!(ask(&server, "service", &[("scope", scope)]).error(), "invalid_scope", "{scope:?}");
    }
}

/// A scope needs a value on the wire (RFC 6749 §3.3), so a token without one says nothing of it.
#[test]
fn a_machine_without_scopes_gets_a_token_without_a_scope() {
    let clients = CLIENTS.replace(
        "id = \"service\"\nname = \"Nightly Job\"\nprofile = \"service\"\nscopes = [\"notes:read\", \"notes:write\"]",
        "id = \"service\"\nname = \"Nightly Job\"\nprofile = \"service\"\nscopes = []",
    );
    assert_ne!(clients, CLIENTS);
    let server = TestServer::with(Setup { clients, ..Setup::default() });
    let answer = ask(&server, "service", &[]);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json().get("scope"), None);
    let claims = super::support::flow::claims(&answer.text("access_token"));
    assert_eq!((claims["aud"].as_str(), claims.get("scope")), (Some(NOTES), None));
}

/// RFC 6749 §4.4: "The client credentials grant type MUST only be used by confidential clients."
#[test]
fn a_public_client_cannot_act_for_itself() {
    let server = TestServer::start();
    for client in ["app", "native"] {
        assert_eq!(server.public_token(client, &[GRANT]).error(), "unauthorized_client", "{client}");
    }
}

/// RFC 6749 §5.2: "The authenticated client is not authorized to use this authorization grant type."
#[test]
fn a_client_uses_the_grants_that_it_has_and_no_other() {
    let server = TestServer::start();
    assert_eq!(ask(&server, "web", &[]).error(), "unauthorized_client");
    for grant in ["authorization_code", "refresh_token", "password"] {
        let answer = server.token("service", &[("grant_type", grant)]);
        assert_eq!(answer.error(), "unauthorized_client", "{grant}");
    }
}

/// DESIGN §8: nothing is written and nothing read, so two tokens of one second differ by their `jti` alone.
#[test]
fn two_tokens_of_one_second_are_two_tokens() {
    let server = TestServer::start();
    let claims = || super::support::flow::claims(&ask(&server, "service", &[]).text("access_token"));
    let (mut one, mut other) = (claims(), claims());
    assert_ne!(one["jti"], other["jti"]);
    (one["jti"], other["jti"]) = (Value::Null, Value::Null);
    assert_eq!(one, other);
}

/// A machine that works for two resource servers says for which one (RFC 8707 §2): a token has one audience.
#[test]
fn a_machine_with_several_resource_servers_names_one() {
    let server = TestServer::start();
    assert_eq!(ask(&server, "service2", &[]).error(), "invalid_scope");
    let answer = ask(&server, "service2", &[("resource", NOTES)]);
    assert_eq!(answer.text("scope"), "notes:read");
    // The scope alone tells too, where it belongs to one of them.
    assert_eq!(ask(&server, "service2", &[("scope", "mail:send")]).text("scope"), "mail:send");
    assert_eq!(ask(&server, "service2", &[("scope", "shared")]).error(), "invalid_scope");
    let both = ask(&server, "service2", &[("scope", "notes:read mail:send")]);
    assert_eq!(both.error(), "invalid_target");
}
