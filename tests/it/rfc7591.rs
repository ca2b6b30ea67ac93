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

/// RFC 7591 §2: redirect URIs are what a code is worth to a thief.
#[test]
fn redirect_uris_that_no_web_application_has_are_refused() {
    let server = open();
    for uri in [
        "http://app.example/cb",
        "http://localhost/cb",
        "https://localhost/cb",
        "https://127.0.0.1/cb",
        "https://app.example/cb#f",
        "https://*.app.example/cb",
        "https://user:pw@app.example/cb",
        "https://app.example/c b",
        "https://app.example/\u{202e}bc",
        "https://аррӏе.example/cb",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "vbscript:x",
        "com.example.app:/cb",
        "myapp:/cb",
        "//app.example/cb",
        "/cb",
        "",
    ] {
        let answer = register(&server, &json!({ "redirect_uris": [CALLBACK, uri] }));
        assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_redirect_uri"), "{uri}");
    }
    let long = format!("https://app.example/{}", "a".repeat(2048));
    let many: Vec<String> = (0..65).map(|n| format!("https://app.example/{n}")).collect();
    for body in [
        json!({}),
        json!({ "redirect_uris": [] }),
        json!({ "redirect_uris": null }),
        json!({ "redirect_uris": CALLBACK }),
        json!({ "redirect_uris": [1] }),
        json!({ "redirect_uris": [[CALLBACK]] }),
        json!({ "redirect_uris": [long] }),
        json!({ "redirect_uris": many }),
    ] {
        assert_eq!(register(&server, &body).error(), "invalid_redirect_uri", "{body:.80}");
    }
    let few = &many[..64];
    assert_eq!(registered(&server, &json!({ "redirect_uris": few }))["redirect_uris"], json!(few));
}

/// RFC 7591 §2.1: "returning an "invalid_client_metadata" error response to an inconsistent registration request".
#[test]
fn grants_and_response_types_belong_together() {
    let server = with(
        "mode = \"open\"\ngrant_types = [\"authorization_code\", \"refresh_token\", \"client_credentials\"]",
    );
    for (members, code) in [
        (json!({ "response_types": ["token"] }), "invalid_client_metadata"),
        (json!({ "response_types": ["code", "id_token"] }), "invalid_client_metadata"),
        (json!({ "response_types": ["code id_token"] }), "invalid_client_metadata"),
        (json!({ "response_types": [] }), "invalid_client_metadata"),
        (json!({ "response_types": "code" }), "invalid_client_metadata"),
        (json!({ "grant_types": ["implicit"] }), "invalid_client_metadata"),
        (json!({ "grant_types": ["authorization_code", "password"] }), "invalid_client_metadata"),
        (
            json!({ "grant_types": ["urn:countersign:params:oauth:grant-type:session"] }),
            "invalid_redirect_uri",
        ),
        (json!({ "grant_types": [] }), "invalid_redirect_uri"),
        (json!({ "grant_types": ["client_credentials"] }), "invalid_redirect_uri"),
        (
            json!({ "grant_types": ["client_credentials"], "response_types": ["code"] }),
            "invalid_client_metadata",
        ),
        (json!({ "grant_types": ["refresh_token"], "redirect_uris": null }), "invalid_client_metadata"),
        (
            json!({ "grant_types": ["client_credentials"], "redirect_uris": null, "token_endpoint_auth_method": "none" }),
            "invalid_client_metadata",
        ),
    ] {
        assert_eq!(register(&server, &least_with(members.clone())).error(), code, "{members}");
    }
    let machine = json!({ "grant_types": ["client_credentials"], "client_name": "Job" });
    let told = registered(&server, &machine);
    assert_eq!((&told["response_types"], &told["scope"]), (&json!([]), &json!("")));
    let both = least_with(json!({ "grant_types": ["authorization_code", "refresh_token"] }));
    assert_eq!(registered(&server, &both)["grant_types"], both["grant_types"]);
}

/// RFC 7591 §3.2.2.
#[test]
fn what_a_client_may_not_say_of_itself_is_refused_with_the_member_that_is_wrong() {
    let server = open();
    for (name, value) in [
        ("client_name", json!(1)),
        ("client_name", json!(["a"])),
        ("client_name", json!("a".repeat(201))),
        ("client_name", json!("Acme\u{202e}live")),
        ("client_name", json!("Acme\u{2066}")),
        ("client_name", json!("Ac\u{200b}me")),
        ("client_name", json!("Acme\nBank")),
        ("client_name", json!("\u{0}")),
        ("client_name", json!(" \u{3000}")),
        ("client_uri", json!("javascript:alert(1)")),
        ("logo_uri", json!("data:image/svg+xml,<svg/>")),
        ("logo_uri", json!("http://app.example/logo.png")),
        ("policy_uri", json!("https://app.example/#top")),
        ("tos_uri", json!("https://localhost/tos")),
        ("tos_uri", json!("https://user@app.example/")),
        ("contacts", json!("me@app.example")),
        ("contacts", json!([1])),
        ("contacts", json!(["a\nb"])),
        ("contacts", json!(vec!["a"; 17])),
        ("scope", json!(["openid"])),
        ("scope", json!("a\"b")),
        ("scope", json!("unknown:thing")),
        ("token_endpoint_auth_method", json!("tls_client_auth")),
        ("software_id", json!("a".repeat(257))),
        ("software_version", json!({})),
        ("jwks_uri", json!("http://app.example/jwks")),
        ("jwks", json!([])),
        ("jwks", json!({})),
        ("jwks", json!({ "keys": {} })),
        ("jwks", json!({ "keys": [1] })),
        ("jwks", json!({ "keys": [{}] })),
        ("jwks", json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0" }] })),
        ("jwks", json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": "x", "y": "y", "d": "d" }] })),
        ("jwks", json!({ "keys": vec![json!({ "kty": "EC" }); 33] })),
    ] {
        let answer = register(&server, &least_with(json!({ name: value })));
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (400, "invalid_client_metadata"),
            "{name} {value:.60}"
        );
        let told = answer.text("error_description");
        assert!(told.starts_with(&format!("{name}: ")), "{name}: {told}");
    }
    let both = json!({ "jwks": { "keys": [] }, "jwks_uri": "https://app.example/jwks" });
    assert_eq!(register(&server, &least_with(both)).error(), "invalid_client_metadata");
    let keyless = json!({ "token_endpoint_auth_method": "private_key_jwt" });
    assert_eq!(register(&server, &least_with(keyless)).error(), "invalid_client_metadata");
}

/// RFC 7591 §2.3: this server trusts nobody's software statements.
#[test]
fn a_software_statement_is_not_approved() {
    let server = open();
    for statement in [json!("eyJhbGciOiJub25lIn0.e30."), json!({}), json!("")] {
        let answer = register(&server, &least_with(json!({ "software_statement": statement })));
        assert_eq!(answer.error(), "unapproved_software_statement");
    }
}

/// RFC 7591 §2: "The authorization server MUST ignore any client metadata sent by the client that it does not understand".
/// What stands for nothing is as good as left out.
#[test]
fn unknown_members_are_ignored_and_known_ones_told_again() {
    let server = open();
    let told = registered(
        &server,
        &least_with(json!({
            "client_name": "Acme Photos & <b>Söhne</b>",
            "client_name#de": "Acme Fotos",
            "client_name#ja-Hani-JP": "写真",
            "client_uri#de": "https://app.example/de",
            "redirect_uri#de": "x",
            "contacts": ["me@app.example"],
            "software_id": "4NRB1-0XZABZI9E6-5SM3R",
            "software_version": "2.1",
            "client_uri": "",
            "request_uris": ["https://app.example/r"],
            "frontchannel_logout_uri": 7,
            "unheard_of": { "a": [1] },
        })),
    );
    assert_eq!(told["client_name"], "Acme Photos & <b>Söhne</b>");
    assert_eq!(
        (&told["client_name#de"], &told["client_name#ja-Hani-JP"]),
        (&json!("Acme Fotos"), &json!("写真"))
    );
    assert_eq!(told["contacts"], json!(["me@app.example"]));
    assert_eq!(
        (&told["software_id"], &told["software_version"]),
        (&json!("4NRB1-0XZABZI9E6-5SM3R"), &json!("2.1"))
    );
    for name in ["client_uri", "request_uris", "frontchannel_logout_uri", "unheard_of", "redirect_uri#de"] {
        assert_eq!(told[name], Value::Null, "{name}");
    }
    for (name, value) in [
        ("client_name#", "a"),
        ("client_name#de_DE", "a"),
        ("logo_uri#de", "javascript:x"),
        ("client_name#de", "a\u{202e}"),
    ] {
        let answer = register(&server, &least_with(json!({ name: value })));
        assert_eq!(answer.error(), "invalid_client_metadata", "{name}");
    }
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
