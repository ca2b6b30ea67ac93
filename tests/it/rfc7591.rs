//! RFC 7591: clients register themselves. What OpenID Connect adds is in `oidc_registration`, the management in `rfc7592`.

use countersign::base::Seconds;
use countersign::http::paths::{OPENID_CONFIGURATION, REGISTER};
use serde_json::{Value, json};

use super::support::flow::{authorize, redemption};
use super::support::raw::{Raw, at_once};
use super::support::registration::{
    initial_token, least, least_with, manage, open, post, register, register_by, registered, setup, with,
};
use super::support::server::{CALLBACK, NOTES, Setup};
use super::support::{TestServer, on_each_database};

const DAY: Seconds = Seconds(86_400);

fn text<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer[name].as_str().unwrap_or_else(|| panic!("no {name} in {answer}"))
}

/// RFC 7591 §3.2.1: "the authorization server MUST return all registered metadata about this client, including any fields
/// provisioned by the authorization server itself". RFC 7591 §2 has the defaults.
#[test]
fn a_client_is_told_all_that_was_registered() {
    let server = open();
    let answer = register(&server, &least());
    assert_eq!((answer.status, answer.header("content-type")), (201, Some("application/json")));
    assert_eq!(
        (answer.header("cache-control"), answer.header("pragma")),
        (Some("no-store"), Some("no-cache"))
    );
    let mut told = answer.json();
    let id = text(&told, "client_id").to_owned();
    assert!(text(&told, "client_secret").starts_with("csgn_cs_"), "{told}");
    assert!(text(&told, "registration_access_token").starts_with("csgn_ra_"), "{told}");
    assert_eq!(text(&told, "registration_client_uri"), format!("{}/register/{id}", server.issuer));
    for name in ["client_id", "client_secret", "registration_access_token", "registration_client_uri"] {
        told.as_object_mut().unwrap().remove(name);
    }
    assert_eq!(
        told,
        json!({
            "client_id_issued_at": server.app.now(),
            "client_secret_expires_at": 0,
            "client_name": "app.example",
            "application_type": "web",
            "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "client_secret_basic",
            "scope": told["scope"],
            "subject_type": "public",
            "id_token_signed_response_alg": "RS256",
        })
    );
    assert!(text(&told, "scope").starts_with("openid profile email"), "{told}");
}

/// RFC 7591 §3.2.1, and RFC 9068 §5: the id is the server's to choose, and none that a client asks for.
#[test]
fn a_client_is_of_use_at_once() {
    on_each_database(|database| {
        let server = TestServer::with(Setup {
            database: Some(database.url.clone()),
            ..setup("mode = \"open\"\nrequire_pkce = false")
        });
        let told = registered(&server, &least_with(json!({ "client_id": "app", "client_secret": "mine" })));
        let (id, secret) = (text(&told, "client_id"), text(&told, "client_secret"));
        assert_ne!(id, "app");
        assert_ne!(secret, "mine");
        let asked = [("scope", "openid"), ("code_challenge", ""), ("code_challenge_method", "")];
        let back = authorize(&mut server.browser(), id, &asked);
        let code = back.sent("code").unwrap_or_else(|| panic!("{back:?}"));
        let form = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", CALLBACK)];
        let tokens = server.client().post_as(id, secret, "/token", &form);
        assert_eq!(tokens.status, 200, "{}", tokens.body);
        assert!(!tokens.text("id_token").is_empty());
    });
}

/// The policy of the operator: by default a client that registers itself uses PKCE.
#[test]
fn pkce_is_required_unless_the_operator_says_otherwise() {
    let server = open();
    let told = registered(&server, &least());
    let (id, secret) = (text(&told, "client_id"), text(&told, "client_secret"));
    let without = [("scope", "openid"), ("code_challenge", ""), ("code_challenge_method", "")];
    let back = authorize(&mut server.browser(), id, &without);
    assert_eq!(back.sent("error").as_deref(), Some("invalid_request"), "{back:?}");
    let code = authorize(&mut server.browser(), id, &[("scope", "openid")]).sent("code").unwrap();
    assert_eq!(server.client().post_as(id, secret, "/token", &redemption(&code)).status, 200);
}

/// Another node sees a client within a second.
#[test]
fn another_node_knows_a_client_within_a_second() {
    on_each_database(|database| {
        let on = || {
            TestServer::with(Setup {
                database: Some(database.url.clone()),
                issuer: Some("http://127.0.0.1:9".to_owned()),
                ..setup(
                    "mode = \"open\"\nauth_methods = [\"client_secret_basic\"]\ngrant_types = [\"client_credentials\"]",
                )
            })
        };
        let (one, other) = (on(), on());
        let body = json!({ "grant_types": ["client_credentials"] });
        let told = registered(&one, &body);
        other.advance(2);
        let form = [("grant_type", "client_credentials")];
        let (id, secret) = (text(&told, "client_id"), text(&told, "client_secret"));
        for node in [&one, &other] {
            // It has no resource server, so there is nothing to give; but it is known, and itself.
            let answer = node.client().post_as(id, secret, "/token", &form);
            assert_eq!(answer.error(), "invalid_scope", "{}", answer.body);
        }
    });
}

#[test]
fn where_nobody_may_register_there_is_nothing() {
    let server = TestServer::start();
    let metadata = |server: &TestServer| server.client().get(OPENID_CONFIGURATION).json();
    assert_eq!(metadata(&server)["registration_endpoint"], Value::Null);
    for (method, path) in [
        ("POST", REGISTER),
        ("GET", REGISTER),
        ("OPTIONS", REGISTER),
        ("GET", "/register/app"),
        ("PUT", "/register/app"),
    ] {
        assert_eq!(manage(&server, method, path, None, "{}").status, 404, "{method} {path}");
    }
    let open = open();
    assert_eq!(metadata(&open)["registration_endpoint"], format!("{}{REGISTER}", open.issuer));
}

/// RFC 7591 §3: the registration endpoint "MAY be an OAuth 2.0 protected resource"; RFC 6750 §3, §3.1 and §2.1 say how it
/// asks for a token, and how it refuses one.
#[test]
fn whoever_has_no_token_that_counts_is_turned_away() {
    on_each_database(|database| {
        let server =
            TestServer::with(Setup { database: Some(database.url.clone()), ..setup("mode = \"token\"") });
        let none = register(&server, &least());
        assert_eq!((none.status, none.body.as_str()), (401, ""));
        assert_eq!(none.header("www-authenticate"), Some("Bearer realm=\"countersign\""));
        // Without a token nobody learns what is wrong with the rest.
        assert_eq!(post(&server, "garbage", None).status, 401);

        let refused = |token: &str| {
            let answer = register_by(&server, token, &least());
            assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_token"), "{token}");
            let challenge = answer.header("www-authenticate");
            assert_eq!(challenge, Some("Bearer realm=\"countersign\", error=\"invalid_token\""));
        };
        let (id, token) = initial_token(&server, Some(2), DAY);
        let told = register_by(&server, &token, &least());
        assert_eq!(told.status, 201, "{}", told.body);
        refused(&told.text("registration_access_token"));
        refused(&told.text("client_secret"));
        refused("");
        refused(&token[..token.len() - 1]);
        refused(&token.to_uppercase());
        assert_eq!(register_by(&server, &token, &least()).status, 201);
        refused(&token);

        let (_, short) = initial_token(&server, None, Seconds(10));
        assert_eq!(register_by(&server, &short, &least()).status, 201);
        server.advance(10);
        refused(&short);

        let (revoked_id, revoked) = initial_token(&server, None, DAY);
        let revoke = |id: &str| {
            countersign::flow::registration::revoke_initial_token(server.store(), id, server.app.now())
        };
        revoke(&revoked_id).unwrap();
        assert!(revoke(&revoked_id).is_err());
        assert!(revoke("nothing").is_err());
        refused(&revoked);
        // One that is used up can be revoked all the same.
        revoke(&id).unwrap();

        let two = [
            ("content-type", "application/json"),
            ("authorization", "Bearer x"),
            ("authorization", "Bearer y"),
        ];
        let twice = server.client().send("POST", REGISTER, &two, &least().to_string());
        assert_eq!((twice.status, twice.error().as_str()), (400, "invalid_request"));
        let basic = [("content-type", "application/json"), ("authorization", "Basic eDp5")];
        assert_eq!(server.client().send("POST", REGISTER, &basic, &least().to_string()).status, 401);
    });
}

#[test]
fn a_token_that_is_shown_where_none_is_needed_must_count_all_the_same() {
    let server = open();
    let (_, token) = initial_token(&server, Some(1), DAY);
    assert_eq!(register_by(&server, &token, &least()).status, 201);
    assert_eq!(register_by(&server, &token, &least()).error(), "invalid_token");
    assert_eq!(register_by(&server, "anything", &least()).error(), "invalid_token");
    assert_eq!(register(&server, &least()).status, 201);
}

/// A refusal of what a client says leaves the token its use.
#[test]
fn a_refused_registration_costs_no_use() {
    let server = with("mode = \"token\"");
    let (_, token) = initial_token(&server, Some(1), DAY);
    for _ in 0..3 {
        let answer = register_by(&server, &token, &json!({ "redirect_uris": ["http://app.example/cb"] }));
        assert_eq!(answer.error(), "invalid_redirect_uri");
    }
    assert_eq!(register_by(&server, &token, &least()).status, 201);
}

/// Single use is one statement: fifty at once have one winner.
#[test]
fn of_fifty_that_show_one_token_at_once_one_is_let_in() {
    on_each_database(|database| {
        let server = TestServer::with(Setup {
            database: Some(database.url.clone()),
            ..setup("mode = \"token\"\nmax_per_address = 1000")
        });
        let (_, token) = initial_token(&server, Some(1), DAY);
        let statuses = at_once(50, |_| register_by(&server, &token, &least()).status);
        let count = |status| statuses.iter().filter(|known| **known == status).count();
        assert_eq!((count(201), count(401)), (1, 49), "{}: {statuses:?}", database.kind);
        let mut raw = Raw::open(&database.url);
        assert_eq!(raw.number("SELECT count(*) AS n FROM registrations"), 1);
        assert_eq!(raw.number("SELECT uses AS n FROM initial_access_tokens"), 1);
    });
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
