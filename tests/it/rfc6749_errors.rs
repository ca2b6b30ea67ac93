//! RFC 6749 §3.2, §5.2 and Appendix B: what the token endpoint makes of requests that are wrong. Each gets
//! the RFC's answer, and none changes what it should not: the code of every test here is good until the right
//! request comes.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use countersign::oauth::limits::{MAX_PARAMETERS, MAX_RESOURCES, max_length};

use super::support::flow::{changed, code, redemption};
use super::support::http::{Answer, basic, form};
use super::support::server::{PASSWORD, Setup, TestServer, secret};

const FORM: &str = "application/x-www-form-urlencoded";

/// A code that must outlive everything that is tried.
struct Victim<'s> {
    server: &'s TestServer,
    code: String,
}

impl<'s> Victim<'s> {
    fn of(server: &'s TestServer) -> Self {
        Self { server, code: code(server, "web", &[]) }
    }

    fn good(&self) -> Vec<(&str, &str)> {
        redemption(&self.code)
    }

    fn head(&self, content_type: &str) -> String {
        let authorization = basic("web", &secret("web"));
        format!(
            "POST /token HTTP/1.1\r\nHost: h\r\nAuthorization: {authorization}\r\n\
             Content-Type: {content_type}\r\n"
        )
    }

    /// Sends a body as it is.
    fn send(&self, content_type: &str, body: &[u8]) -> Answer {
        let head = format!("{}Content-Length: {}\r\n\r\n", self.head(content_type), body.len());
        self.server.client().raw(&[head.as_bytes(), body].concat())
    }

    fn refuses(&self, name: &str, content_type: &str, body: &[u8], error: &str) {
        assert_refused(&self.send(content_type, body), name, error);
    }

    fn still_redeems(&self) {
        let answer = self.server.token("web", &self.good());
        assert_eq!(answer.status, 200, "a refused request burnt the code: {}", answer.body);
    }
}

/// RFC 6749 §5.2: the status, JSON, `no-store`, and the characters that `error` and `error_description` may
/// have.
fn assert_refused(answer: &Answer, name: &str, error: &str) {
    assert_eq!((answer.error().as_str(), answer.status), (error, 400), "{name}: {}", answer.body);
    assert_eq!(answer.header("pragma"), Some("no-cache"), "{name}");
    let body = answer.json();
    assert_eq!(body.as_object().unwrap().len(), 2, "{name}: {body}");
    for member in ["error", "error_description"] {
        let text = body[member].as_str().unwrap();
        let allowed = |c: char| matches!(c, '\x20'..='\x21' | '\x23'..='\x5b' | '\x5d'..='\x7e');
        assert!(!text.is_empty() && text.chars().all(allowed), "{name}: {text:?}");
    }
}

#[test]
fn an_error_is_json_that_says_what_is_wrong() {
    let server = TestServer::start();
    let answer = server.token("web", &[("grant_type", "authorization_code")]);
    insta::assert_snapshot!(answer.wire(&["content-type", "cache-control", "pragma"]), @r#"
    400
    content-type: application/json
    cache-control: no-store
    pragma: no-cache

    {"error":"invalid_request","error_description":"code is missing"}
    "#);
}

/// RFC 6749 §3.2: "Parameters sent without a value MUST be treated as if they were omitted", so empty is
/// missing.
#[test]
fn what_is_missing_is_named() {
    let server = TestServer::start();
    for (client, pairs, missing) in [
        ("web", vec![], "grant_type"),
        ("web", vec![("grant_type", "")], "grant_type"),
        ("web", vec![("grant_type", "authorization_code")], "code"),
        ("web", vec![("grant_type", "authorization_code"), ("code", "")], "code"),
        ("web", vec![("grant_type", "refresh_token")], "refresh_token"),
        ("house", vec![("grant_type", "password"), ("password", PASSWORD)], "username"),
        ("house", vec![("grant_type", "password"), ("username", "alice")], "password"),
    ] {
        let answer = server.token(client, &pairs);
        assert_refused(&answer, missing, "invalid_request");
        assert_eq!(answer.text("error_description"), format!("{missing} is missing"));
    }
}

/// RFC 6749 §5.2: `unsupported_grant_type`; the values are compared letter by letter.
#[test]
fn an_unknown_grant_type_is_unsupported() {
    let server = TestServer::start();
    let victim = Victim::of(&server);
    for grant in [
        "implicit",
        "Authorization_Code",
        "authorization_code ",
        "authorization_code\n",
        "code",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:device_code",
        "token-exchange",
        "\"<script>\\",
    ] {
        let answer = server.token("web", &changed(&victim.good(), "grant_type", grant));
        assert_refused(&answer, grant, "unsupported_grant_type");
        assert!(!answer.body.contains("<script>"), "{}", answer.body);
    }
    victim.still_redeems();
}

/// RFC 6749 §3.2: "Request and response parameters MUST NOT be included more than once."
#[test]
fn a_repeated_parameter_is_refused_even_where_both_say_the_same() {
    let server = TestServer::start();
    let victim = Victim::of(&server);
    for name in ["grant_type", "code", "redirect_uri", "code_verifier", "scope", "client_id"] {
        let mut pairs = victim.good();
        pairs.retain(|(known, _)| *known != name);
        let value = victim.good().iter().find(|(known, _)| *known == name).map_or("web", |(_, value)| *value);
        pairs.extend([(name, value), (name, value)]);
        assert_refused(&server.token("web", &pairs), name, "invalid_request");
        // An escape in the name makes it no other name.
        let mut body = form(&pairs[..pairs.len() - 1]);
        body.push_str(&format!("&%{:02x}{}={}", name.as_bytes()[0], &name[1..], "x"));
        victim.refuses(name, FORM, body.as_bytes(), "invalid_request");
    }
    victim.still_redeems();
}

/// RFC 6749 §3.2: "The authorization server MUST ignore unrecognized request parameters."
#[test]
fn an_unknown_parameter_is_ignored() {
    let server = TestServer::start();
    let victim = Victim::of(&server);
    let mut pairs = victim.good();
    let long = "n".repeat(1000);
    pairs.extend([
        ("audience", "x"),
        ("nonce", "y"),
        ("", "z"),
        ("état", "é"),
        (&long, &long),
        ("nul", "a\0b"),
    ]);
    // Not even their names are looked at.
    pairs.extend([("unheard_of", "1"), ("unheard_of", "2"), ("\"quoted\"", "x"), ("line\r\nbreak", "x")]);
    assert_eq!(server.token("web", &pairs).status, 200);
}

#[test]
fn every_parameter_has_its_longest_value_and_not_a_byte_more() {
    let server = TestServer::start();
    let victim = Victim::of(&server);
    for name in [
        "grant_type",
        "client_id",
        "client_secret",
        "code",
        "redirect_uri",
        "code_verifier",
        "refresh_token",
        "scope",
        "resource",
        "username",
        "password",
        "state",
    ] {
        let limit = max_length(name).unwrap();
        let too_long = "x".repeat(limit + 1);
        let answer = server.token("web", &changed(&victim.good(), name, &too_long));
        assert_refused(&answer, name, "invalid_request");
        assert_eq!(answer.text("error_description"), format!("{name} is longer than {limit} bytes"));
        // The limit counts bytes of the decoded value.
        let wide = "é".repeat(limit / 2 + 1);
        let answer = server.token("web", &changed(&victim.good(), name, &wide));
        assert_eq!(answer.text("error_description"), format!("{name} is longer than {limit} bytes"));
        // With its longest value it is judged by what it says.
        let fits = "x".repeat(limit);
        let answer = server.token("web", &changed(&changed(&victim.good(), "code", "x"), name, &fits));
        let text = answer.text("error_description");
        assert!(!text.contains("longer"), "{name}: {text}");
    }
    victim.still_redeems();
}

#[test]
fn there_is_a_limit_to_parameters_and_resources() {
    let server = TestServer::start();
    let victim = Victim::of(&server);
    let names: Vec<String> = (0..=MAX_PARAMETERS).map(|at| format!("p{at}")).collect();
    let fill = |count: usize| {
        let mut pairs = victim.good();
        let more = count - pairs.len();
        pairs.extend(names[..more].iter().map(|name| (name.as_str(), "x")));
        pairs
    };
    let answer = server.token("web", &fill(MAX_PARAMETERS + 1));
    assert_refused(&answer, "65 parameters", "invalid_request");

    let mut pairs = victim.good();
    pairs.extend(vec![("resource", "https://notes.example"); MAX_RESOURCES + 1]);
    assert_refused(&server.token("web", &pairs), "9 resources", "invalid_request");
    assert_eq!(server.token("web", &fill(MAX_PARAMETERS)).status, 200);
}

/// RFC 6749 §4.1.3: "using the "application/x-www-form-urlencoded" format […] with a character encoding of
/// UTF-8".
#[test]
fn a_body_of_another_type_is_refused() {
    let server = TestServer::start();
    let victim = Victim::of(&server);
    let good = form(&victim.good());
    let json = serde_json::json!({ "grant_type": "authorization_code", "code": victim.code }).to_string();
    for content_type in [
        "application/json",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencodedx",
        "application/x-www-form-urlencoded, application/json",
        "application/x-www-form-urlencoded; charset=iso-8859-1",
        "application/x-www-form-urlencoded; charset=utf-16",
        "*/*",
        "",
    ] {
        victim.refuses(content_type, content_type, good.as_bytes(), "invalid_request");
        victim.refuses(content_type, content_type, json.as_bytes(), "invalid_request");
    }
    let head = victim.head("x").replace("Content-Type: x\r\n", "");
    let request = format!("{head}Content-Length: {}\r\n\r\n{good}", good.len());
    assert_refused(&server.client().raw(request.as_bytes()), "no content type", "invalid_request");
    let accepted = "APPLICATION/x-www-form-urlencoded ; Charset=\"UTF-8\"";
    assert_eq!(victim.send(accepted, good.as_bytes()).status, 200);
}

/// RFC 6749 Appendix B. What two parties read differently, one of them can be fooled with.
#[test]
fn a_body_that_is_no_form_in_utf_8_is_refused() {
    let server = TestServer::start();
    let victim = Victim::of(&server);
    let good = form(&victim.good()).into_bytes();
    let with = |more: &[u8]| [good.as_slice(), more].concat();
    for (name, body) in [
        ("a byte that is not UTF-8", with(b"&a=\xff")),
        ("a cut sequence", with(b"&a=\xc3")),
        ("an overlong sequence", with(b"&a=\xc0\xaf")),
        ("an escaped byte that is not UTF-8", with(b"&a=%ff")),
        ("an escaped overlong sequence", with(b"&a=%c0%af")),
        ("an escaped lone surrogate", with(b"&a=%ed%a0%80")),
        ("the same in a name", with(b"&%ff=a")),
        ("an escape of no digits", with(b"&a=%zz")),
        ("an escape of one digit", with(b"&a=%4")),
        ("a lone percent sign", with(b"&a=%")),
        ("an escape with a sign", with(b"&a=%+1")),
        ("a bad escape in a name", with(b"&%=a")),
        ("a NUL byte", with(b"&scope=notes:read\0")),
        ("an escaped NUL", with(b"&scope=notes:read%00")),
        ("UTF-16", good.iter().flat_map(|byte| [*byte, 0]).collect()),
    ] {
        victim.refuses(name, FORM, &body, "invalid_request");
    }
    victim.still_redeems();
}

/// RFC 6749 §2.3.1: parameters "MUST NOT be included in the request URI": it ends up in logs.
#[test]
fn parameters_in_the_uri_are_refused() {
    let server = TestServer::start();
    let victim = Victim::of(&server);
    let authorization = basic("web", &secret("web"));
    let headers = [("content-type", FORM), ("authorization", authorization.as_str())];
    let all = format!("/token?{}", form(&victim.good()));
    for (path, body) in [
        (all.as_str(), String::new()),
        (all.as_str(), form(&victim.good())),
        ("/token?client_id=web", form(&victim.good())),
        ("/token?x", form(&victim.good())),
    ] {
        let answer = server.client().send("POST", path, &headers, &body);
        assert_refused(&answer, path, "invalid_request");
    }
    victim.still_redeems();
}

/// RFC 6749 §3.2: "The client MUST use the HTTP "POST" method". RFC 9110 §15.5.6: 405 names what is allowed;
/// RFC 9110 §9.1 makes no exception for GET and HEAD where they have no meaning.
#[test]
fn another_method_is_not_allowed() {
    let server = TestServer::start();
    let victim = Victim::of(&server);
    let path = format!("/token?{}", form(&victim.good()));
    for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "TRACE", "QUERY"] {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\
             Authorization: {}\r\nContent-Length: 0\r\n\r\n",
            basic("web", &secret("web"))
        );
        let answer = server.client().raw(request.as_bytes());
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), Some("POST, OPTIONS"), "{method}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{method}");
        if method != "HEAD" {
            assert_eq!(answer.error(), "invalid_request", "{method}");
        }
    }
    victim.still_redeems();
}

#[test]
fn a_body_that_is_too_large_is_refused_before_it_is_read() {
    let server = TestServer::start();
    let victim = Victim::of(&server);
    let large = 10 * 1024 * 1024;
    // Only announced: the answer comes although nothing follows.
    let head = format!("{}Content-Length: {large}\r\n\r\n", victim.head(FORM));
    let announced = server.client().raw(head.as_bytes());
    assert_eq!((announced.status, announced.error().as_str()), (413, "invalid_request"));

    let mut body = form(&victim.good());
    body.push_str("&padding=");
    body.push_str(&"x".repeat(large));
    assert_eq!(victim.send(FORM, body.as_bytes()).status, 413);

    let mut chunked = format!("{}Transfer-Encoding: chunked\r\n\r\n", victim.head(FORM)).into_bytes();
    for chunk in body.as_bytes().chunks(8192) {
        chunked.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        chunked.extend_from_slice(chunk);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    let answer = server.client().raw(&chunked);
    assert_eq!((answer.status, answer.error().as_str()), (413, "invalid_request"));

    // One byte more than the limit, and the limit itself.
    let limit = server.config.server.max_body_bytes;
    let padded = |bytes: usize| {
        let mut body = form(&victim.good());
        while body.len() < bytes {
            body.push('&');
        }
        body
    };
    assert_eq!(victim.send(FORM, padded(limit + 1).as_bytes()).status, 413);
    assert_eq!(victim.send(FORM, padded(limit).as_bytes()).status, 200);
}

/// A value of 100 KB is judged by what it says; what the parser will not hold at all is 431 (RFC 6585 §5).
#[test]
fn a_huge_header_is_refused() {
    let server = TestServer::start();
    let victim = Victim::of(&server);
    let good = form(&victim.good());
    let (huge, larger) = ("x".repeat(100 * 1024), "x".repeat(140 * 1024));
    let many: String = (0..100).map(|at| format!("x-{at}: x\r\n")).collect();
    for (name, header, status) in [
        ("Authorization", format!("Authorization: Basic {huge}\r\n"), 401),
        ("Cookie", format!("Cookie: csgn_session={huge}\r\n"), 401),
        ("Origin", format!("Origin: https://{huge}\r\n"), 401),
        ("Content-Type", format!("Content-Type: {huge}\r\n"), 400),
        ("140 KB", format!("Cookie: {larger}\r\n"), 431),
        ("a hundred", many, 431),
    ] {
        let request = format!(
            "POST /token HTTP/1.1\r\nHost: h\r\n{header}Content-Type: {FORM}\r\n\
             Content-Length: {}\r\n\r\n{good}",
            good.len()
        );
        let answer = server.client().raw(request.as_bytes());
        assert_eq!(answer.status, status, "{name}: {}", answer.body);
    }
    victim.still_redeems();
}

/// actix-http 3.20 panics at a header *name* above 64 KB. That costs its sender the connection, and nobody
/// else anything: more such requests than there are workers leave all of them at work.
#[test]
fn a_header_name_of_100_kb_hurts_its_sender_only() {
    let server = TestServer::start();
    let victim = Victim::of(&server);
    let request = format!("POST /token HTTP/1.1\r\nHost: h\r\n{}: x\r\n\r\n", "x".repeat(100 * 1024));
    for _ in 0..8 {
        let answer = server.client().raw(request.as_bytes());
        assert!(answer.status == 0 || answer.status == 400 || answer.status == 431, "{answer:?}");
    }
    for _ in 0..8 {
        assert_eq!(server.client().get("/health/live").status, 200);
    }
    victim.still_redeems();
}

/// Each open body costs memory: whoever does not send is not waited for.
#[test]
fn a_body_that_does_not_come_is_given_up() {
    let server =
        TestServer::with(Setup { server: "client_timeout_ms = 1000".to_owned(), ..Setup::default() });
    let victim = Victim::of(&server);
    let good = form(&victim.good());
    let head = format!("{}Content-Length: {}\r\n\r\n{good}", victim.head(FORM), good.len() + 1);
    let answer = server.client().raw(head.as_bytes());
    assert_eq!((answer.status, answer.error().as_str()), (408, "invalid_request"));
    victim.still_redeems();
}

/// A request that breaks off is no request.
#[test]
fn a_body_that_ends_early_changes_nothing() {
    let server = TestServer::start();
    let victim = Victim::of(&server);
    let good = form(&victim.good());
    let address = server.base.strip_prefix("http://").unwrap();
    let mut socket = TcpStream::connect(address).unwrap();
    let head = format!("{}Content-Length: {}\r\n\r\n", victim.head(FORM), good.len() + 1);
    socket.write_all(format!("{head}{good}").as_bytes()).unwrap();
    socket.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    let _ = socket.read_to_string(&mut answer);
    assert!(!answer.contains(" 200 "), "{answer}");
    victim.still_redeems();
}
