//! RFC 6749 §3.1.2: the redirection endpoint. Nobody is sent to an address that was not registered, letter for letter.

use super::support::TestServer;
use super::support::flow::{authorize, authorize_path};
use super::support::pages::{ask, assert_refused, error_of, is_login};

const TITLE: &str = "We stopped here to protect you";

/// RFC 6749 §3.1.2.3: "the authorization server MUST compare the two URIs using simple string comparison" ; RFC 9700
/// §4.1.3: "exact string matching".
#[test]
fn a_redirect_uri_that_differs_in_anything_is_answered_by_a_page() {
    let server = TestServer::start();
    let mut browser = server.browser();
    for (what, uri) in [
        ("scheme", "http://app.example/cb"),
        ("scheme in capitals", "HTTPS://app.example/cb"),
        ("script", "javascript:alert(1)//https://app.example/cb"),
        ("no scheme", "//app.example/cb"),
        ("no host", "/cb"),
        ("host in capitals", "https://APP.example/cb"),
        ("other host", "https://evil.example/cb"),
        ("subdomain", "https://x.app.example/cb"),
        ("host suffix", "https://app.example.evil.example/cb"),
        ("trailing dot", "https://app.example./cb"),
        ("look-alike host", "https://аpp.example/cb"),
        ("default port", "https://app.example:443/cb"),
        ("port", "https://app.example:8443/cb"),
        ("slash", "https://app.example/cb/"),
        ("path in capitals", "https://app.example/CB"),
        ("longer path", "https://app.example/cb/evil"),
        ("dots", "https://app.example/x/../cb"),
        ("encoded dots", "https://app.example/%2e/cb"),
        ("encoding", "https://app.example/%63b"),
        ("backslash", "https://app.example\\@evil.example/cb"),
        ("query", "https://app.example/cb?x=1"),
        ("empty query", "https://app.example/cb?"),
        ("fragment", "https://app.example/cb#x"),
        ("empty fragment", "https://app.example/cb#"),
        ("userinfo", "https://user@app.example/cb"),
        ("host as userinfo", "https://app.example@evil.example/cb"),
        ("blank before", " https://app.example/cb"),
        ("blank after", "https://app.example/cb "),
        ("line break", "https://app.example/cb\r\nX: y"),
        ("wildcard", "https://app.example/*"),
    ] {
        let answer = ask(&mut browser, "app", &[("redirect_uri", uri)]);
        assert_refused(&answer, 400, TITLE);
        // The person who sets the client up sees what came; nobody can click on it.
        assert!(answer.body.contains("redirect_uri "), "{what}: {}", answer.body);
        // The same when the rest of the request would be refused by redirect.
        let broken = [("redirect_uri", uri), ("response_type", "token"), ("request", "x")];
        assert_refused(&ask(&mut browser, "app", &broken), 400, TITLE);
    }
}

/// RFC 8252 §8.3, and a fault of others: a comparison by prefix lets `localhost.attacker.example` through.
#[test]
fn a_host_that_only_begins_like_a_loopback_host_is_refused() {
    let server = TestServer::start();
    for uri in [
        "http://localhost.attacker.example/cb",
        "http://127.0.0.1.attacker.example/cb",
        "http://127.0.0.1:80@attacker.example/cb",
        "http://127.0.0.1:1.attacker.example/cb",
        "http://localhost:3000/cb",
        "http://127.1/cb",
        "http://127.0.0.2/cb",
        "http://0x7f000001/cb",
        "http://[::ffff:127.0.0.1]/cb",
        "https://127.0.0.1/cb",
    ] {
        let answer = ask(&mut server.browser(), "native", &[("redirect_uri", uri), ("scope", "notes:read")]);
        assert_refused(&answer, 400, TITLE);
    }
}

/// RFC 6749 §3.1.2: a query component "MUST be retained when adding additional query parameters".
#[test]
fn a_query_of_the_registered_uri_stays() {
    let server = TestServer::start();
    let with = [("redirect_uri", "https://app.example/cb2?x=1")];
    let answer = authorize(&mut server.browser(), "web", &with);
    assert!(answer.location().starts_with("https://app.example/cb2?x=1&code="), "{}", answer.location());
    let refused = ask(&mut server.browser(), "web", &[with[0], ("response_type", "token")]);
    let location = refused.location();
    assert!(
        location.starts_with("https://app.example/cb2?x=1&error=unsupported_response_type"),
        "{location}"
    );
}

/// RFC 6749 §3.1.2.3: the URI may be left out where one is registered in full.
#[test]
fn the_redirect_uri_may_be_left_out_where_one_is_registered() {
    let server = TestServer::start();
    let answer = authorize(&mut server.browser(), "app", &[("redirect_uri", ""), ("scope", "notes:read")]);
    assert!(answer.location().starts_with("https://app.example/cb?code="), "{}", answer.location());
}

/// OpenID Connect Core 1.0 §3.1.2.1: "redirect_uri REQUIRED."
#[test]
fn openid_wants_the_redirect_uri() {
    let server = TestServer::start();
    assert_refused(&ask(&mut server.browser(), "app", &[("redirect_uri", "")]), 400, TITLE);
}

/// RFC 6749 §3.1.2.3: "If multiple redirection URIs have been registered […] the client MUST include a redirection URI".
#[test]
fn of_several_registered_uris_none_is_chosen_for_the_client() {
    let server = TestServer::start();
    let with = [("redirect_uri", ""), ("scope", "notes:read")];
    assert_refused(&ask(&mut server.browser(), "web", &with), 400, TITLE);
}

/// The redirect URI of one client is worth nothing to another.
#[test]
fn a_uri_that_another_client_registered_is_refused() {
    let server = TestServer::start();
    let with = [("redirect_uri", "https://app.example/cb2?x=1")];
    assert!(is_login(&ask(&mut server.browser(), "web", &with)));
    assert_refused(&ask(&mut server.browser(), "app", &with), 400, TITLE);
}

#[test]
fn a_client_without_redirect_uris_can_be_sent_nowhere() {
    let server = TestServer::start();
    for uri in ["https://app.example/cb", ""] {
        let with = [("redirect_uri", uri), ("scope", "notes:read")];
        assert_refused(&ask(&mut server.browser(), "service", &with), 400, TITLE);
    }
}

/// RFC 6749 Appendix B: what two readers may decode differently is not decoded at all. Where a name cannot be read, nobody can
/// say that it is none of those on which the address hangs; of values see `rfc6749_authorize`.
#[test]
fn a_name_that_cannot_be_read_gets_a_page() {
    let server = TestServer::start();
    for bad in ["%zz=1", "%=1", "%ff", "redirect_ur%C3=1", "%ED%A0%80=a"] {
        let answer = server.browser().get(&format!("{}&{bad}", authorize_path("app", &[])));
        assert_refused(&answer, 400, "This request cannot be answered");
    }
}

/// Lessons: NUL bytes that turn into a 500 at the database.
#[test]
fn a_nul_byte_is_told_by_redirect_or_page() {
    let server = TestServer::start();
    let mut browser = server.browser();
    for name in ["state", "nonce", "scope", "login_hint", "display"] {
        let answer = browser.get(&format!("{}&{name}=a%00b", authorize_path("app", &[(name, "")])));
        assert_eq!(error_of(&answer), "invalid_request", "{name}");
        assert_eq!(answer.sent("error_description").unwrap(), format!("{name} contains a NUL byte"));
    }
    for name in ["client_id", "redirect_uri"] {
        let answer = browser.get(&format!("{}&{name}=a%00b", authorize_path("app", &[(name, "")])));
        assert_refused(&answer, 400, "This request cannot be answered");
    }
}

#[test]
fn an_address_of_100_kb_is_refused_and_the_server_goes_on() {
    let server = TestServer::start();
    let path = authorize_path("app", &[]) + "&state=" + &"x".repeat(100_000);
    let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let answer = server.client().raw(head.as_bytes());
    assert!((400..500).contains(&answer.status), "{answer:?}");
    assert!(is_login(&ask(&mut server.browser(), "app", &[])));
}

#[test]
fn raw_bytes_that_are_no_ascii_are_refused() {
    let server = TestServer::start();
    let mut head = format!("GET {}&x=", authorize_path("app", &[])).into_bytes();
    head.extend_from_slice(b"\xff\xfe HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let answer = server.client().raw(&head);
    assert_eq!(answer.status, 400, "{answer:?}");
    assert_eq!(answer.header("location"), None);
}

/// RFC 9110 §15.5.6: "The origin server MUST generate an Allow header field".
#[test]
fn other_methods_are_refused_with_what_is_allowed() {
    let server = TestServer::start();
    let path = authorize_path("app", &[]);
    // RFC 9110 §9.2.1 has HEAD safe, and an authorization request may issue a code.
    let head = server.client().send("HEAD", &path, &[], "");
    assert_eq!((head.status, head.header("allow"), head.header("location")), (405, Some("GET, POST"), None));
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
        let answer = server.client().send(method, &path, &[], "");
        assert_refused(&answer, 405, "This address is used in another way");
        assert_eq!(answer.header("allow"), Some("GET, POST"), "{method}");
    }
}
