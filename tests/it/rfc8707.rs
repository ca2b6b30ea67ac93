//! RFC 8707 (resource indicators) at both endpoints, and RFC 9068 §3: one token, one audience.

use super::support::flow::{authorize, claims, code, redemption};
use super::support::http::Answer;
use super::support::server::{MAIL, NOTES, Setup, TestServer};
use super::support::{change, server};

const OTHER: &str = "https://other.example";
const BOTH: &str = "openid notes:read mail:send offline_access";

fn redeem(server: &TestServer, code: &str, resources: &[&str]) -> Answer {
    let mut form = redemption(code);
    form.extend(resources.iter().map(|resource| ("resource", *resource)));
    server.token("web", &form)
}

fn machine(server: &TestServer, more: &[(&str, &str)]) -> Answer {
    let mut form = vec![("grant_type", "client_credentials")];
    form.extend_from_slice(more);
    server.token("service2", &form)
}

fn audience_and_scope(answer: &Answer) -> (String, String) {
    let claims = claims(&answer.text("access_token"));
    assert_eq!(claims["scope"], answer.text("scope"));
    (claims["aud"].as_str().unwrap().to_owned(), answer.text("scope"))
}

/// `authorize` with `resource` several times, which the happy path's helper cannot say.
fn authorize_for(server: &TestServer, scope: &str, resources: &[&str]) -> Answer {
    let mut path = super::support::flow::authorize_path("web", &[("scope", scope)]);
    for resource in resources {
        path.push('&');
        path.push_str(&super::support::http::form(&[("resource", resource)]));
    }
    let mut browser = server.browser();
    let answer = browser.get(&path);
    let mut answer = browser.follow(answer);
    if answer.body.contains("name=\"password\"") {
        answer = browser.log_in(&answer, "alice", server::PASSWORD);
    }
    if answer.body.contains("value=\"allow\"") {
        answer = browser.decide(&answer, "allow");
    }
    answer
}

/// RFC 6749 §1.1: the scope is the resource server's own. RFC 8707 §2.2: the token is for the named resource,
/// and has the part of the scope that belongs there.
#[test]
fn each_token_of_a_grant_for_two_resources_is_for_the_one_that_is_named() {
    let server = TestServer::start();
    for (resource, scope) in
        [(NOTES, "openid notes:read offline_access"), (MAIL, "openid mail:send offline_access")]
    {
        let code = code(&server, "web", &[("scope", BOTH)]);
        let answer = redeem(&server, &code, &[resource]);
        assert_eq!(audience_and_scope(&answer), (resource.to_owned(), scope.to_owned()));
    }
}

#[test]
fn the_authorization_request_may_name_its_resources_too() {
    let server = TestServer::start();
    let code = authorize_for(&server, "notes:read mail:send", &[NOTES, MAIL, NOTES]).sent("code").unwrap();
    let answer = redeem(&server, &code, &[MAIL]);
    assert_eq!(audience_and_scope(&answer), (MAIL.to_owned(), "mail:send".to_owned()));
    // One resource needs no second naming.
    let code = authorize_for(&server, "shared", &[MAIL]).sent("code").unwrap();
    assert_eq!(audience_and_scope(&redeem(&server, &code, &[])), (MAIL.to_owned(), "shared".to_owned()));
}

/// RFC 8707 §2: "invalid_target: The requested resource is invalid, missing, unknown, or malformed."
#[test]
fn a_resource_that_the_client_may_not_have_is_an_invalid_target_at_the_authorization_endpoint() {
    let server = TestServer::start();
    let relative = "/notes";
    let fragment = "https://notes.example#x";
    for resource in [
        OTHER,
        "https://unknown.example",
        relative,
        fragment,
        "https://notes.example/",
        "HTTPS://notes.example",
    ] {
        let answer =
            authorize(&mut server.browser(), "web", &[("resource", resource), ("scope", "notes:read")]);
        assert_eq!(answer.sent("error").as_deref(), Some("invalid_target"), "{resource}");
    }
    // Known and allowed, but not where the scope belongs.
    let answer = authorize_for(&server, "notes:read", &[MAIL]);
    assert_eq!(answer.sent("error").as_deref(), Some("invalid_scope"));
}

/// RFC 8707 §2.2: a token request narrows what was granted, it never widens it.
#[test]
fn a_resource_that_was_not_granted_is_an_invalid_target_and_does_not_burn_the_code() {
    let server = TestServer::start();
    let code = code(&server, "web", &[("scope", "notes:read")]);
    for resource in [MAIL, OTHER, "https://notes.example/", "https://notes.example#x", "notes", " "] {
        assert_eq!(redeem(&server, &code, &[resource]).error(), "invalid_target", "{resource}");
    }
    for several in [[NOTES, MAIL], [NOTES, NOTES]] {
        assert_eq!(redeem(&server, &code, &several).error(), "invalid_target", "{several:?}");
    }
    assert_eq!(redeem(&server, &code, &[NOTES]).status, 200);
}

#[test]
fn a_grant_for_two_resources_gives_no_token_for_both() {
    let server = TestServer::start();
    let code = code(&server, "web", &[("scope", BOTH)]);
    assert_eq!(redeem(&server, &code, &[]).error(), "invalid_target");
    assert_eq!(redeem(&server, &code, &[NOTES, MAIL]).error(), "invalid_target");
    assert_eq!(redeem(&server, &code, &[NOTES]).status, 200);
}

/// RFC 9068 §3: "If a scope parameter is present in the request, the authorization server SHOULD use it to
/// infer the value of the default resource indicator".
#[test]
fn the_scope_tells_the_audience_where_it_belongs_to_one() {
    let server = TestServer::start();
    let answer = machine(&server, &[("scope", "mail:send")]);
    assert_eq!(audience_and_scope(&answer), (MAIL.to_owned(), "mail:send".to_owned()));
    // RFC 9068 §5: a scope that two know would let one use the other's token, so it must be said whose it is.
    assert_eq!(machine(&server, &[("scope", "shared")]).error(), "invalid_scope");
    for resource in [MAIL, OTHER] {
        let answer = machine(&server, &[("scope", "shared"), ("resource", resource)]);
        assert_eq!(audience_and_scope(&answer), (resource.to_owned(), "shared".to_owned()));
    }
    let elsewhere = machine(&server, &[("scope", "shared"), ("resource", NOTES)]);
    assert_eq!(elsewhere.error(), "invalid_scope");
}

#[test]
fn a_machine_is_refused_what_it_may_not_have() {
    let server = TestServer::start();
    for resource in ["https://unknown.example", "nonsense", "https://notes.example?", "javascript:alert(1)#"]
    {
        assert_eq!(machine(&server, &[("resource", resource)]).error(), "invalid_target", "{resource}");
    }
    let form = [("grant_type", "client_credentials"), ("resource", MAIL)];
    assert_eq!(server.token("service", &form).error(), "invalid_target");
    let two = [("scope", "notes:read mail:send"), ("resource", NOTES), ("resource", MAIL)];
    assert_eq!(machine(&server, &two).error(), "invalid_target");
}

/// Without a resource the token is about the user alone, and its audience is this server.
#[test]
fn a_token_for_no_resource_is_for_the_issuer() {
    let server = TestServer::start();
    let code = code(&server, "web", &[("scope", "openid profile")]);
    let (audience, scope) = audience_and_scope(&redeem(&server, &code, &[]));
    assert_eq!((audience, scope.as_str()), (server.issuer.clone(), "openid profile"));
}

/// What the client may have today counts.
#[test]
fn a_resource_that_was_taken_from_the_client_since_is_refused() {
    let server = TestServer::start();
    let code = code(&server, "web", &[("scope", "notes:read")]);
    change::client(&server, "web", |draft| draft.resources = vec![MAIL.parse().unwrap()]);
    assert_eq!(redeem(&server, &code, &[]).error(), "invalid_target");
    assert_eq!(redeem(&server, &code, &[NOTES]).error(), "invalid_target");
}

#[test]
fn an_issuer_that_is_named_as_a_resource_is_no_way_to_a_token_for_it() {
    let server = TestServer::with(Setup::default());
    let code = code(&server, "web", &[("scope", "openid profile")]);
    assert_eq!(redeem(&server, &code, &[&server.issuer]).error(), "invalid_target");
    assert_eq!(redeem(&server, &code, &[]).status, 200);
}
