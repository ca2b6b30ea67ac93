//! The Fetch standard §3.2 (CORS): which web pages may read the answers of the token endpoint and of the
//! public documents. Nothing here goes by cookie, so nothing is ever allowed with credentials.

use super::support::TestServer;
use super::support::change;
use super::support::flow::{code, redemption};
use super::support::http::{Answer, form};
use super::support::server::{CLIENTS, Setup};

const ORIGIN: &str = "https://app.example";
const DOCUMENTS: [&str; 3] = [
    "/.well-known/jwks.json",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
];

fn post(server: &TestServer, origin: &str, pairs: &[(&str, &str)]) -> Answer {
    let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
    if !origin.is_empty() {
        headers.push(("origin", origin));
    }
    server.client().send("POST", "/token", &headers, &form(pairs))
}

fn preflight(server: &TestServer, path: &str, origin: &str) -> Answer {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type"),
    ];
    server.client().send("OPTIONS", path, &headers, "")
}

fn allowed(answer: &Answer) -> Option<&str> {
    assert_eq!(answer.header("access-control-allow-credentials"), None, "{answer:?}");
    answer.header("access-control-allow-origin")
}

#[test]
fn the_page_of_a_client_may_read_its_tokens() {
    let server = TestServer::start();
    let code = code(&server, "app", &[]);
    let mut pairs = redemption(&code);
    pairs.push(("client_id", "app"));
    let answer = post(&server, ORIGIN, &pairs);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(allowed(&answer), Some(ORIGIN));
    // One address answers differently by Origin, and says so to caches.
    assert_eq!(answer.header("vary"), Some("Origin"));
}

/// An error that the page cannot read is one that nobody can mend.
#[test]
fn the_page_of_a_client_may_read_its_errors() {
    let server = TestServer::start();
    let large = "x".repeat(70_000);
    for (pairs, status) in [
        (vec![("client_id", "app")], 400),
        (vec![("client_id", "nobody")], 401),
        (vec![("a", "1"), ("a", "2")], 400),
        (vec![("a", large.as_str())], 413),
    ] {
        let answer = post(&server, ORIGIN, &pairs);
        assert_eq!((answer.status, allowed(&answer)), (status, Some(ORIGIN)), "{}", answer.body);
    }
}

#[test]
fn any_other_page_may_not() {
    let server = TestServer::start();
    for origin in [
        "https://evil.example",
        "https://app.example.evil.example",
        "https://evilapp.example",
        "https://app.example:8443",
        "https://app.example/",
        "https://APP.example",
        "http://app.example",
        "https://sub.app.example",
        "null",
        "*",
        "",
        "com.example.app:",
    ] {
        let answer = post(&server, origin, &[("client_id", "app")]);
        assert_eq!((answer.status, allowed(&answer)), (400, None), "{origin}");
        let answer = preflight(&server, "/token", origin);
        assert_eq!(allowed(&answer), None, "{origin}");
    }
}

#[test]
fn a_page_may_ask_before_it_posts() {
    let server = TestServer::start();
    let answer = preflight(&server, "/token", ORIGIN);
    let names = [
        "access-control-allow-origin",
        "access-control-allow-methods",
        "access-control-allow-headers",
        "access-control-allow-credentials",
        "access-control-max-age",
        "vary",
    ];
    insta::assert_snapshot!(answer.wire(&names), @r"
    204
    access-control-allow-origin: https://app.example
    access-control-allow-methods: POST
    access-control-allow-headers: authorization, cache-control, content-type
    access-control-max-age: 3600
    vary: Origin
    ");
}

#[test]
fn a_client_that_is_switched_off_opens_no_door() {
    let only = CLIENTS.replace("https://app.example/cb2?x=1", "https://shop.example/cb");
    let server = TestServer::with(Setup { clients: only, ..Setup::default() });
    let shop = "https://shop.example";
    assert_eq!(allowed(&preflight(&server, "/token", shop)), Some(shop));
    change::switch_off(&server, "web");
    assert_eq!(allowed(&preflight(&server, "/token", shop)), None);
    assert_eq!(allowed(&preflight(&server, "/token", ORIGIN)), Some(ORIGIN));
}

/// Keys and metadata are public: every page may read them, and ask before, with the headers that make a
/// browser ask.
#[test]
fn every_page_may_read_the_public_documents() {
    let server = TestServer::start();
    for path in DOCUMENTS {
        for origin in [ORIGIN, "https://anybody.example", "null"] {
            let answer = server.client().send("GET", path, &[("origin", origin)], "");
            assert_eq!((answer.status, allowed(&answer)), (200, Some("*")), "{path} {origin}");
            let headers = [
                ("origin", origin),
                ("access-control-request-method", "GET"),
                ("access-control-request-headers", "cache-control"),
            ];
            let answer = server.client().send("OPTIONS", path, &headers, "");
            assert_eq!((answer.status, allowed(&answer)), (204, Some("*")), "{path} {origin}");
        }
    }
}

/// Login, consent and logout are pages of this server; nobody else's script reads them.
#[test]
fn no_page_may_read_this_servers_own_pages() {
    let server = TestServer::start();
    for path in ["/", "/authorize", "/login", "/consent", "/logout", "/health/ready"] {
        let answer = server.client().send("GET", path, &[("origin", ORIGIN)], "");
        assert_eq!(allowed(&answer), None, "{path}");
        assert_eq!(allowed(&preflight(&server, path, ORIGIN)), None, "{path}");
    }
}
