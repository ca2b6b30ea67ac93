//! RFC 7591: what a registration may not do to the server, and what the operator allows it.

use countersign::http::paths::REGISTER;
use serde_json::{Value, json};

use super::support::flow::{authorize, redemption};
use super::support::raw::at_once;
use super::support::registration::{
    least, least_with, manage, open, post, register, registered, setup, with,
};
use super::support::server::{NOTES, Setup};
use super::support::{TestServer, on_each_database};

fn text<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer[name].as_str().unwrap_or_else(|| panic!("no {name} in {answer}"))
}

/// RFC 7591 §3.1: "The client sends an HTTP POST […] with a content type of "application/json"". RFC 8259 §4.
#[test]
fn a_body_that_is_no_registration_is_refused_before_it_is_understood() {
    let server = open();
    for body in [
        "",
        "null",
        "[]",
        "\"x\"",
        "{",
        "{} {}",
        "{\"redirect_uris\":[\"https://app.example/cb\"],\"redirect_uris\":[\"https://evil.example/cb\"]}",
        "{\"redirect_uris\":[\"https://app.example/cb\"],\"jwks\":{\"keys\":[],\"keys\":[]}}",
        &format!("{{\"a\":{}{}}}", "[".repeat(20_000), "]".repeat(20_000)),
        "{\"client_name\":\"\\ud800\"}",
    ] {
        let answer = post(&server, body, None);
        assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_request"), "{body:.60}");
    }
    for kind in ["application/x-www-form-urlencoded", "text/plain", "application/json; charset=latin1", ""] {
        let answer = server.client().send("POST", REGISTER, &[("content-type", kind)], &least().to_string());
        assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_request"), "{kind}");
    }
    let large = least_with(json!({ "unheard_of": "a".repeat(1 << 20) }));
    assert_eq!(register(&server, &large).status, 413);
    let uris: Vec<String> = (0..10_000).map(|n| format!("https://app.example/{n}")).collect();
    assert_eq!(register(&server, &json!({ "redirect_uris": uris })).status, 413);
    let roomy =
        TestServer::with(Setup { server: "max_body_bytes = 1048576".to_owned(), ..setup("mode = \"open\"") });
    assert_eq!(
        register(&roomy, &json!({ "redirect_uris": uris })).status,
        413,
        "64 KiB are enough for anybody"
    );
}

/// RFC 9110 §15.5.6.
#[test]
fn other_methods_are_told_which_there_are() {
    let server = open();
    for method in ["GET", "PUT", "DELETE", "PATCH", "HEAD"] {
        let answer = manage(&server, method, REGISTER, None, "{}");
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST, OPTIONS")), "{method}");
    }
}

/// What the operator allows: RFC 7591 §3.2.1, "The authorization server MAY reject or replace any of the client's requested
/// metadata values".
#[test]
fn a_client_gets_no_more_than_the_policy_has_for_it() {
    let server = with(&format!(
        "mode = \"open\"\nscopes = [\"openid\", \"notes:read\", \"gone:read\"]\nresources = [\"{NOTES}\", \
         \"https://gone.example\"]\nauth_methods = [\"client_secret_post\", \"none\"]\ngrant_types = [\"authorization_code\"]"
    ));
    let post_only = json!({ "token_endpoint_auth_method": "client_secret_post" });
    let told = registered(&server, &least_with(post_only.clone()));
    assert_eq!(told["scope"], "openid notes:read", "a scope that no resource server has is left out");
    let with_scope = |scope: &str| {
        register(
            &server,
            &least_with(json!({ "token_endpoint_auth_method": "client_secret_post", "scope": scope })),
        )
    };
    assert_eq!(with_scope("notes:read notes:write openid email").text("scope"), "notes:read openid");
    assert_eq!(with_scope("mail:send").error(), "invalid_client_metadata");
    for members in [
        json!({}),
        json!({ "token_endpoint_auth_method": "client_secret_basic" }),
        json!({ "token_endpoint_auth_method": "client_secret_post", "grant_types": ["authorization_code", "refresh_token"] }),
    ] {
        assert_eq!(
            register(&server, &least_with(members.clone())).error(),
            "invalid_client_metadata",
            "{members}"
        );
    }
    let (id, secret) = (text(&told, "client_id"), text(&told, "client_secret"));
    let asked = [("scope", "openid notes:read")];
    let code = authorize(&mut server.browser(), id, &asked).sent("code").unwrap();
    let mut form = redemption(&code);
    form.extend([("client_id", id), ("client_secret", secret)]);
    assert_eq!(server.client().post("/token", &form).text("scope"), "openid notes:read");
}

/// RFC 6585 §4: "The 429 status code indicates that the user has sent too many requests in a given amount of time".
#[test]
fn a_network_registers_only_so_many_in_a_while() {
    on_each_database(|database| {
        let server = TestServer::with(Setup {
            database: Some(database.url.clone()),
            server: "trusted_proxies = [\"127.0.0.1\"]".to_owned(),
            ..setup("mode = \"open\"\nmax_per_address = 2\nwindow_s = 600")
        });
        let from = |address: &str| {
            let headers = [("content-type", "application/json"), ("x-forwarded-for", address)];
            server.client().send("POST", REGISTER, &headers, &least().to_string())
        };
        assert_eq!((from("192.0.2.1").status, from("192.0.2.1").status), (201, 201));
        server.advance(100);
        let refused = from("192.0.2.1");
        assert_eq!((refused.status, refused.header("retry-after")), (429, Some("500")), "{}", refused.body);
        assert_eq!(from("192.0.2.2").status, 201);
        server.advance(500);
        assert_eq!(from("192.0.2.1").status, 201);
    });
}

#[test]
fn there_are_only_so_many_registered_clients_however_many_ask_at_once() {
    on_each_database(|database| {
        let server = TestServer::with(Setup {
            database: Some(database.url.clone()),
            ..setup("mode = \"open\"\nmax_clients = 3")
        });
        let statuses = at_once(12, |_| register(&server, &least()).status);
        let count = |status| statuses.iter().filter(|known| **known == status).count();
        assert_eq!((count(201), count(503)), (3, 9), "{}: {statuses:?}", database.kind);
        assert_eq!(register(&server, &least()).error(), "temporarily_unavailable");
    });
}

/// A page of any origin may register: no cookie counts there.
#[test]
fn a_web_page_may_register_from_anywhere() {
    let server = open();
    let headers = [("content-type", "application/json"), ("origin", "https://tool.example")];
    let answer = server.client().send("POST", REGISTER, &headers, &least().to_string());
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (201, Some("*")));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    let asked = server.client().send("OPTIONS", REGISTER, &headers, "");
    assert_eq!(asked.header("access-control-allow-methods"), Some("GET, POST, PUT, DELETE"));
    assert_eq!(asked.header("access-control-allow-origin"), Some("*"));
    let refused = server.client().send("POST", REGISTER, &headers, "{}");
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (400, Some("*")));
}
