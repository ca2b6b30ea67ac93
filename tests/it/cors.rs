//! The Fetch standard §3.2 (CORS): which web pages may read the answers of the token endpoint and of the
//! public documents. With credentials (the session cookie) only pages of a client of the session grant may.

use super::support::TestServer;
use super::support::change;
use super::support::flow::{code, redemption};
use super::support::http::{Answer, basic, form};
use super::support::server::{CLIENTS, Setup, secret};

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

/// The origin that may read an answer, without credentials.
fn allowed(answer: &Answer) -> Option<&str> {
    assert_eq!(answer.header("access-control-allow-credentials"), None, "{answer:?}");
    answer.header("access-control-allow-origin")
}

/// The clients of the tests, a shop with a page of its own beside its redirect URI, and pages with the session grant.
const MORE: &str = r#"
[[clients]]
id = "shop"
name = "Shop"
profile = "spa"
redirect_uris = ["https://shop.example/cb"]
origins = ["https://pay.example:8443", "http://localhost:3000"]

[[clients]]
id = "pages"
name = "House Pages"
profile = "spa"
first_party = true
grant_types = ["urn:countersign:params:oauth:grant-type:session"]
origins = ["https://house.example"]
"#;

fn with_more() -> TestServer {
    TestServer::with(Setup { clients: format!("{CLIENTS}{MORE}"), ..Setup::default() })
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
        (vec![("scope", "1"), ("scope", "2")], 400),
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

/// RFC 6454 §6.2: an origin is compared as browsers write it. An answer is for the pages of the client that asked, and of no other client.
#[test]
fn one_clients_page_reads_no_other_clients_answer() {
    let server = with_more();
    for (client, own, others) in [
        (
            "app",
            vec![ORIGIN],
            vec!["https://shop.example", "https://pay.example:8443", "https://house.example"],
        ),
        (
            "shop",
            vec!["https://shop.example", "https://pay.example:8443", "http://localhost:3000"],
            vec![ORIGIN, "https://house.example", "https://pay.example", "http://localhost"],
        ),
    ] {
        for grant in ["authorization_code", "client_credentials", "nothing"] {
            let pairs = [("client_id", client), ("grant_type", grant)];
            for origin in &own {
                assert_eq!(allowed(&post(&server, origin, &pairs)), Some(*origin), "{client} {grant}");
            }
            for origin in &others {
                let answer = post(&server, origin, &pairs);
                assert_eq!(allowed(&answer), None, "{client} {grant} {origin}");
                assert_eq!(answer.header("vary"), Some("Origin"));
            }
        }
    }
}

/// RFC 6749 §2.3.1: the client may stand in the Authorization header too.
#[test]
fn the_client_of_the_authorization_header_is_the_one_that_asks() {
    let server = with_more();
    let authorization = basic("web", &secret("web"));
    let ask = |origin: &str| {
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("authorization", authorization.as_str()),
            ("origin", origin),
        ];
        server.client().send("POST", "/token", &headers, "grant_type=refresh_token&refresh_token=x")
    };
    assert_eq!(allowed(&ask(ORIGIN)), Some(ORIGIN));
    assert_eq!(allowed(&ask("https://shop.example")), None);
}

/// Whoever sets a client up must be able to read what is wrong, so long as nobody can say whose page it is.
#[test]
fn an_error_without_a_client_is_read_by_the_pages_of_all_clients() {
    let server = with_more();
    let long = "x".repeat(300);
    for pairs in [vec![], vec![("client_id", "nobody")], vec![("client_id", long.as_str())]] {
        for origin in [ORIGIN, "https://pay.example:8443"] {
            assert_eq!(allowed(&post(&server, origin, &pairs)), Some(origin), "{pairs:?}");
        }
        assert_eq!(allowed(&post(&server, "https://evil.example", &pairs)), None, "{pairs:?}");
    }
}

/// Fetch standard §3.2.3: with credentials only the exact origin, never `*`, and only where a client is marked for it.
#[test]
fn only_pages_with_the_session_grant_may_send_the_cookie() {
    let server = with_more();
    let house = "https://house.example";
    let names = [
        "access-control-allow-origin",
        "access-control-allow-credentials",
        "access-control-allow-headers",
        "vary",
    ];
    insta::assert_snapshot!(preflight(&server, "/token", house).wire(&names), @r"
    204
    access-control-allow-origin: https://house.example
    access-control-allow-credentials: true
    access-control-allow-headers: authorization, cache-control, content-type, countersign-session
    vary: Origin
    ");
    for origin in [ORIGIN, "https://shop.example", "https://pay.example:8443"] {
        let answer = preflight(&server, "/token", origin);
        assert_eq!(allowed(&answer), Some(origin));
        assert!(!answer.header("access-control-allow-headers").unwrap().contains("session"), "{origin}");
    }
    // The cookie is for the token endpoint alone.
    let revocation = preflight(&server, "/revoke", house);
    assert_eq!(allowed(&revocation), Some(house));
    assert_eq!(revocation.header("access-control-allow-credentials"), None);
    assert!(!revocation.header("access-control-allow-headers").unwrap().contains("session"));
    for origin in ["https://evil.example", "https://house.example:8443", "https://a.house.example", "null"] {
        assert_eq!(allowed(&preflight(&server, "/token", origin)), None, "{origin}");
    }
    // What it asks in the name of another client comes without.
    assert_eq!(allowed(&post(&server, house, &[("client_id", "shop")])), None);
    let credentials = |pairs: &[(&str, &str)]| {
        let answer = post(&server, house, pairs);
        assert_eq!(answer.header("access-control-allow-origin"), Some(house), "{pairs:?}");
        answer.header("access-control-allow-credentials").map(str::to_owned)
    };
    // An error before the client is known is read too, the cookie sent along or not.
    for pairs in [vec![("client_id", "pages")], vec![("client_id", "nobody")], vec![]] {
        assert_eq!(credentials(&pairs).as_deref(), Some("true"), "{pairs:?}");
    }
    change::switch_off(&server, "pages");
    assert_eq!(allowed(&preflight(&server, "/token", house)), None);
}
