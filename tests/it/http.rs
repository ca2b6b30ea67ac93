//! HTTP itself (RFC 9110): methods, missing pages, languages, and what a proxy or an attacker puts into the head.

use countersign::http::paths;

use super::support::TestServer;
use super::support::pages::{ask, assert_refused, assert_safe, is_login};
use super::support::server::Setup;

/// What a page says where there is nothing.
#[test]
fn an_address_without_a_page_says_so() {
    for path in ["", "/auth"] {
        let server = TestServer::with(Setup { path: path.to_owned(), ..Setup::default() });
        for address in
            ["/nowhere", "/login/", "/..%2f..%2fetc%2fpasswd", "/assets/other.css", "/%3Cscript%3E"]
        {
            let answer = server.client().get(address);
            assert_refused(&answer, 404, "There is no page here");
            assert!(!answer.body.contains("<script>"));
        }
        assert_refused(&server.client().post("/nowhere", &[]), 404, "There is no page here");
    }
}

/// RFC 9110 §15.5.6: "The origin server MUST generate an Allow header field in a 405 response".
#[test]
fn a_method_that_an_address_does_not_take_is_refused_with_those_it_takes() {
    let server = TestServer::start();
    for (path, methods, allow) in [
        (paths::AUTHORIZE, &["HEAD", "PUT", "DELETE", "PATCH"][..], "GET, POST"),
        (paths::LOGIN, &["PUT", "DELETE", "PATCH"], "GET, HEAD, POST"),
        (paths::CONSENT, &["PUT", "DELETE"], "GET, HEAD, POST"),
        // A hint signs out without a question, and HEAD is to change nothing.
        (paths::LOGOUT, &["HEAD", "PUT", "DELETE"], "GET, POST"),
        (paths::TOKEN, &["GET", "HEAD", "PUT", "DELETE"], "POST, OPTIONS"),
        (paths::JWKS, &["POST", "PUT"], "GET, HEAD, OPTIONS"),
        (paths::OPENID_CONFIGURATION, &["POST", "PUT"], "GET, HEAD, OPTIONS"),
        (paths::STYLE, &["POST"], "GET, HEAD"),
        (paths::FAVICON, &["POST"], "GET, HEAD"),
        (paths::HOME, &["POST"], "GET, HEAD"),
    ] {
        for method in methods {
            let answer = server.client().send(method, path, &[], "");
            assert_eq!((answer.status, answer.header("allow")), (405, Some(allow)), "{method} {path}");
        }
    }
}

/// RFC 9110 §9.1: "All general-purpose servers MUST support the methods GET and HEAD."
#[test]
fn head_is_get_without_the_body() {
    let server = TestServer::start();
    for path in [
        paths::LOGIN,
        paths::CONSENT,
        paths::JWKS,
        paths::OPENID_CONFIGURATION,
        paths::OAUTH_METADATA,
        paths::LIVE,
        paths::READY,
        paths::STYLE,
        paths::FAVICON,
        paths::HOME,
        "/nowhere",
    ] {
        let get = server.client().get(path);
        let head = server.client().send("HEAD", path, &[], "");
        assert_eq!((head.status, head.body.as_str()), (get.status, ""), "{path}");
        for name in ["content-type", "cache-control", "content-security-policy", "etag"] {
            assert_eq!(head.header(name), get.header(name), "{path} {name}");
        }
    }
}

/// RFC 9110 §12.5.4: the language that weighs most among those there are.
#[test]
fn pages_speak_the_language_that_the_browser_asks_for() {
    let server = TestServer::start();
    for (accept, lang) in [
        ("de", "de"),
        ("de-CH, en;q=0.9", "de"),
        ("fr, de;q=0.5, en;q=0.4", "de"),
        ("en;q=0.4, de;q=0.5", "de"),
        ("fr", "en"),
        ("*", "en"),
        ("de;q=0", "en"),
        ("\u{1}", "en"),
        (";;;,,,q=q", "en"),
    ] {
        for path in [paths::HOME, "/nowhere", "/authorize?client_id=nobody"] {
            let head = format!("GET {path} HTTP/1.1\r\nhost: x\r\naccept-language: {accept}\r\n\r\n");
            let page = server.client().raw(head.as_bytes());
            // A control character is no header value: the request is refused as a whole.
            if accept == "\u{1}" {
                assert_eq!(page.status, 400);
                continue;
            }
            assert!(page.body.contains(&format!("<html lang=\"{lang}\">")), "{accept}: {}", page.body);
        }
    }
}

#[test]
fn the_front_page_says_whose_server_this_is() {
    for path in ["", "/auth"] {
        let server = TestServer::with(Setup { path: path.to_owned(), ..Setup::default() });
        let page = server.client().get(if path.is_empty() { "/" } else { "" });
        assert_eq!(page.status, 200);
        assert_safe(&page);
        assert!(page.body.contains(&server.issuer), "{}", page.body);
    }
}

#[test]
fn what_a_page_links_to_is_there() {
    for path in ["", "/auth"] {
        let server = TestServer::with(Setup { path: path.to_owned(), ..Setup::default() });
        let root = server.base.strip_suffix(path).unwrap();
        let mut browser = server.browser();
        let page = ask(&mut browser, "app", &[]);
        let links: Vec<&str> =
            page.body.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert_eq!(links.len(), 2, "{links:?}");
        for link in links {
            let answer = server.client().get(&format!("{root}{link}"));
            assert_eq!(answer.status, 200, "{link}");
            assert_eq!(answer.header("cache-control"), Some("public, max-age=86400"), "{link}");
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{link}");
        }
    }
}

/// Lessons: what a proxy or an attacker says of scheme and host changes no address that this server writes.
#[test]
fn forwarding_headers_change_no_address() {
    let trusted = "trusted_proxies = [\"127.0.0.1\"]".to_owned();
    let server = TestServer::with(Setup { server: trusted, ..Setup::default() });
    let mut browser = server.browser();
    for (name, value) in [
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-prefix", "/evil"),
        ("forwarded", "host=evil.example;proto=https"),
    ] {
        browser.headers.push((name.to_owned(), value.to_owned()));
    }
    let first = browser.get(&super::support::flow::authorize_path("app", &[]));
    assert!(first.location().starts_with("/login?request="), "{}", first.location());
    let page = browser.follow(first);
    assert!(is_login(&page) && !page.body.contains("evil"), "{}", page.body);
    assert_safe(&page);
}

#[test]
fn a_head_that_is_too_long_or_no_head_is_refused_and_the_server_goes_on() {
    let server = TestServer::start();
    let client = server.client();
    let long = format!("GET / HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "a".repeat(200_000));
    let many = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "x-many: 1\r\n".repeat(2000));
    for (what, head) in [
        ("long", long.as_str()),
        ("many", &many),
        ("no version", "GET /\r\n\r\n"),
        ("no http", "\u{16}\u{3}\u{1}hello"),
        ("bad method", "G@T / HTTP/1.1\r\nhost: x\r\n\r\n"),
        // Request smuggling: two lengths, of which a proxy may believe the other.
        (
            "two lengths",
            "POST /token HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc",
        ),
        ("bad length", "POST /token HTTP/1.1\r\nhost: x\r\ncontent-length: +3\r\n\r\nabc"),
        (
            "length and chunks",
            "POST /token HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        ("blank in a name", "GET / HTTP/1.1\r\nhost: x\r\nx y: z\r\n\r\n"),
    ] {
        let answer = client.raw(head.as_bytes());
        assert!(answer.status == 0 || (400..500).contains(&answer.status), "{what}: {answer:?}");
        assert_eq!(client.get("/").status, 200, "after {what}");
    }
}

/// RFC 9110 §15.5.9: whoever sends a body drop by drop is told 408, and the connection is closed.
#[test]
fn a_body_that_does_not_come_is_not_waited_for() {
    let server = TestServer::with(Setup { server: "client_timeout_ms = 200".to_owned(), ..Setup::default() });
    for path in [paths::TOKEN, paths::LOGIN, paths::CONSENT, paths::LOGOUT, paths::AUTHORIZE] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             content-length: 100\r\n\r\na=b"
        );
        let answer = server.client().raw(head.as_bytes());
        assert_eq!((answer.status, answer.header("connection")), (408, Some("close")), "{path}: {answer:?}");
    }
}
