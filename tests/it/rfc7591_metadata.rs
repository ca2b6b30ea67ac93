//! RFC 7591 §2: what clients say of themselves when they register, and what is refused.

use countersign::http::paths::REGISTER;
use serde_json::{Value, json};

use super::support::TestServer;
use super::support::registration::{
    least, least_with, manage, open, post, register, registered, setup, with,
};
use super::support::server::{CALLBACK, Setup};

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
        "https://app.example/cb?code=1",
        "https://app.example/cb?a=b&%73tate=2",
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

/// RFC 7591 §3.2.2. Of the keys, RFC 7517 §4.1: "This member MUST be present in a JWK."
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
