//! RFC 6749 §2.3, §2.3.1 and §3.2.1, RFC 7617: how a client says who it is at the token endpoint, and what it
//! is told when that is not so.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::support::change;
use super::support::flow::{code, redemption};
use super::support::http::{Answer, basic, form};
use super::support::server::{CLIENTS, START, Setup, TestServer, secret};

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

/// `POST /token` with these Authorization headers.
fn with_headers(server: &TestServer, authorizations: &[&str], pairs: &[(&str, &str)]) -> Answer {
    let body = form(pairs);
    let mut request = format!(
        "POST /token HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n",
        body.len()
    );
    for value in authorizations {
        request.push_str(&format!("Authorization: {value}\r\n"));
    }
    server.client().raw(format!("{request}\r\n{body}").as_bytes())
}

fn encoded(text: &str) -> String {
    format!("Basic {}", STANDARD.encode(text))
}

/// RFC 6749 §5.2: 401 "and include the "WWW-Authenticate" response header field".
fn assert_invalid_client(answer: &Answer, name: &str) {
    assert_eq!(answer.error(), "invalid_client", "{name}");
    assert_eq!(answer.status, 401, "{name}");
    let challenge = answer.header("www-authenticate");
    assert_eq!(challenge, Some("Basic realm=\"countersign\", charset=\"UTF-8\""), "{name}");
}

#[test]
fn a_client_that_fails_is_told_how_to_authenticate_and_not_why_it_failed() {
    let server = TestServer::start();
    let answer = server.client().post_as("service", "wrong", "/token", &[GRANT]);
    let names = ["www-authenticate", "content-type", "cache-control", "pragma"];
    insta::assert_snapshot!(answer.wire(&names), @r#"
    401
    www-authenticate: Basic realm="countersign", charset="UTF-8"
    content-type: application/json
    cache-control: no-store
    pragma: no-cache

    {"error":"invalid_client","error_description":"client authentication failed"}
    "#);
}

/// RFC 6749 §2.3.1: the header by preference, the body where a client cannot do otherwise.
#[test]
fn a_secret_may_come_in_the_header_or_in_the_body() {
    let server = TestServer::start();
    assert_eq!(server.token("service", &[GRANT]).status, 200);
    let secret = secret("service");
    let posted = [GRANT, ("client_id", "service"), ("client_secret", &secret)];
    assert_eq!(server.client().post("/token", &posted).status, 200);
    // The client's name may stand in the body too, as long as it is the same.
    assert_eq!(server.token("service", &[GRANT, ("client_id", "service")]).status, 200);
}

/// RFC 7617 §2: "the scheme […] is matched case-insensitively".
#[test]
fn the_word_basic_may_be_written_in_any_case() {
    let server = TestServer::start();
    let header = basic("service", &secret("service"));
    for scheme in ["basic", "BASIC", "bAsIc"] {
        let answer = with_headers(&server, &[&header.replace("Basic", scheme)], &[GRANT]);
        assert_eq!(answer.status, 200, "{scheme} {}", answer.body);
    }
}

/// RFC 6749 §2.3.1: both halves are form-url-encoded before they are put together.
#[test]
fn a_name_and_a_secret_may_have_any_character() {
    let odd = r"we:b%20+&=/?#é@é";
    let id = "a:b+c%2B&=\\?";
    let clients = format!(
        "{CLIENTS}\n[[clients]]\nid = '{id}'\nprofile = \"service\"\nscopes = [\"notes:read\"]\n\
         resources = [\"https://notes.example\"]\nsecret_hash = \"SECRET_HASH:odd\"\n"
    );
    let server = TestServer::with(Setup { clients, ..Setup::default() });
    let secrets = [odd, "a b", " ", "+", "%", "%41", ":", "::", "päss wörd", "日本", "\"\\\u{7f}"];
    for secret in secrets {
        change::add_secret(&server, id, secret, None);
        let answer = server.client().post_as(id, secret, "/token", &[GRANT]);
        assert_eq!(answer.status, 200, "{secret:?} in the header: {}", answer.body);
        let posted = [GRANT, ("client_id", id), ("client_secret", secret)];
        assert_eq!(server.client().post("/token", &posted).status, 200, "{secret:?} in the body");
    }
}

/// Many clients (curl, authlib) put the halves together as they are: then the secret is what came, to the letter.
#[test]
fn a_secret_that_was_not_encoded_counts_as_it_came_and_no_other_reading_does() {
    let server = TestServer::start();
    let status = |text: &str| with_headers(&server, &[&encoded(text)], &[GRANT]).status;
    for (secret, plain) in [("a+b%41", "service:a+b%41"), ("50%", "service:50%"), ("%zz+", "service:%zz+")] {
        change::add_secret(&server, "service", secret, None);
        assert_eq!(status(plain), 200, "{secret} as it is");
        assert_eq!(server.client().post_as("service", secret, "/token", &[GRANT]).status, 200, "{secret}");
    }
    for other in
        ["service:a b%41", "service:a+bA", "service:a bA", "service:a%2Bb%41", "service:50", "service:50%25%"]
    {
        assert_eq!(status(other), 401, "{other}");
    }
    // The name has no such second reading.
    assert_eq!(status("ser%76ice:50%"), 200);
    assert_eq!(status("service%:50%"), 401);
}

#[test]
fn a_blank_may_be_encoded_as_a_plus_or_as_an_escape() {
    let server = TestServer::start();
    change::add_secret(&server, "service", "two words", None);
    for text in ["service:two+words", "service:two%20words", "service:two words"] {
        assert_eq!(with_headers(&server, &[&encoded(text)], &[GRANT]).status, 200, "{text}");
    }
}

/// RFC 6749 §2.1: a public client has no secret, so it says its name only. RFC 6749 §2.2: "The client
/// identifier is not a secret", so for anybody else that is not enough.
#[test]
fn a_public_client_says_its_name_in_the_body_or_with_an_empty_secret_in_the_header() {
    let server = TestServer::start();
    assert_eq!(server.public_token("app", &redemption(&code(&server, "app", &[]))).status, 200);
    // oidc-agent sends Basic with an empty secret when it has none.
    let answer = server.client().post_as("app", "", "/token", &redemption(&code(&server, "app", &[])));
    assert_eq!(answer.status, 200, "{}", answer.body);
    let code = code(&server, "app", &[]);
    let mut form = redemption(&code);
    form.extend([("client_id", "app"), ("client_secret", "")]);
    assert_eq!(server.client().post("/token", &form).status, 200);
    let named = server.client().post("/token", &[GRANT, ("client_id", "service")]);
    assert_invalid_client(&named, "a confidential client by its name alone");
}

/// RFC 6749 §3.2.1: "Confidential clients […] MUST authenticate". The same answer for every reason.
#[test]
fn whoever_is_not_the_client_is_told_nothing_but_that() {
    let server = TestServer::start();
    change::switch_off(&server, "service2");
    let (own, others) = (secret("service"), secret("web"));
    let longer = format!("{own}x");
    let hash = countersign::base::HashedToken::of(&own).as_str().to_owned();
    let upper = own.to_uppercase();
    let service2 = secret("service2");
    let cases = [
        ("unknown client", "nobody", own.as_str()),
        ("unknown client without a secret", "nobody", ""),
        ("wrong secret", "service", "wrong"),
        ("empty secret", "service", ""),
        ("another client's secret", "service", &others),
        ("the secret and a letter", "service", &longer),
        ("the secret without a letter", "service", &own[..own.len() - 1]),
        ("the secret in capitals", "service", &upper),
        ("the stored hash", "service", &hash),
        ("the name in capitals", "SERVICE", &own),
        ("the name with a blank", "service ", &own),
        ("a client that is switched off", "service2", &service2),
        ("a public client with a secret", "app", "any"),
        ("no name", "", &own),
    ];
    let expected = server.client().post_as("service", "wrong", "/token", &[GRANT]).body;
    for (name, id, shown) in cases {
        let answer = server.client().post_as(id, shown, "/token", &[GRANT]);
        assert_invalid_client(&answer, name);
        assert_eq!(answer.body, expected, "{name}");
        if id.is_empty() {
            continue;
        }
        let posted = [GRANT, ("client_id", id), ("client_secret", shown)];
        let answer = server.client().post("/token", &posted);
        assert_invalid_client(&answer, name);
        assert_eq!(answer.body, expected, "{name}, in the body");
    }
}

#[test]
fn a_request_that_names_no_client_is_told_so() {
    let server = TestServer::start();
    for pairs in [vec![GRANT], vec![GRANT, ("client_id", "")], vec![GRANT, ("client_secret", "x")]] {
        let answer = server.client().post("/token", &pairs);
        assert_invalid_client(&answer, "nobody");
        assert_eq!(answer.text("error_description"), "the request does not say which client it comes from");
    }
}

/// A secret can be changed without a gap: for a while both count.
#[test]
fn two_secrets_may_be_valid_at_once_and_the_old_one_ends_to_the_second() {
    let server = TestServer::start();
    let until = START + countersign::base::Seconds(100);
    let id = change::add_secret(&server, "service", "the-coming-secret", Some(until));
    let ask = |secret: &str| server.client().post_as("service", secret, "/token", &[GRANT]);
    let own = secret("service");
    assert_eq!((ask(&own).status, ask("the-coming-secret").status), (200, 200));
    server.advance(99);
    assert_eq!(ask("the-coming-secret").status, 200);
    server.advance(1);
    assert_invalid_client(&ask("the-coming-secret"), "expired");
    assert_eq!(ask("the-coming-secret").body, ask("wrong").body);
    assert_eq!(ask(&own).status, 200);
    let deleted =
        server.store().write("delete", move |conn| countersign::store::client_secrets::delete(conn, id));
    assert!(deleted.unwrap());
    server.refresh();
    assert_eq!(ask(&own).status, 200);
}

/// RFC 6749 §2.3: "The client MUST NOT use more than one authentication method in each request."
#[test]
fn two_ways_at_once_are_an_invalid_request() {
    let server = TestServer::start();
    let own = secret("service");
    let header = basic("service", &own);
    let twice = server.token("service", &[GRANT, ("client_id", "service"), ("client_secret", &own)]);
    assert_eq!((twice.status, twice.error().as_str()), (400, "invalid_request"));
    let other = server.token("service", &[GRANT, ("client_id", "web")]);
    assert_eq!((other.status, other.error().as_str()), (400, "invalid_request"));
    // oidc-agent's empty secret is no way to hand in another client's name.
    let public = server.client().post_as("app", "", "/token", &[GRANT, ("client_id", "service")]);
    assert_eq!((public.status, public.error().as_str()), (400, "invalid_request"));
    for second in [header.as_str(), "Bearer abc", "Basic !", ""] {
        let answer = with_headers(&server, &[&header, second], &[GRANT]);
        assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_request"), "{second}");
    }
}

/// RFC 7617 §2: two halves around a colon, in base64. Nothing else is guessed from such a header.
#[test]
fn a_header_that_cannot_be_read_is_an_invalid_client() {
    let server = TestServer::start();
    let own = secret("service");
    let good = format!("service:{own}");
    let unpadded = STANDARD.encode(format!("{good}!")).trim_end_matches('=').to_owned();
    let cases = [
        ("Bearer", "Bearer abc.def.ghi".to_owned()),
        ("Digest", "Digest username=\"service\"".to_owned()),
        ("no scheme", STANDARD.encode(&good)),
        ("empty", String::new()),
        ("nothing after Basic", "Basic".to_owned()),
        ("only a blank after Basic", "Basic ".to_owned()),
        ("not base64", "Basic %%%".to_owned()),
        ("unpadded", format!("Basic {unpadded}")),
        ("base64url", "Basic c2VydmljZTr_-w==".to_owned()),
        ("more behind it", format!("{} x", encoded(&good))),
        ("no colon", encoded("service")),
        ("a bad escape in the name", encoded(&format!("ser%zzvice:{own}"))),
        ("a bad escape in the secret", encoded("service:a%4")),
        ("a lone percent sign", encoded("service:%")),
        ("escaped bytes that are not UTF-8", encoded("service:%ff%fe")),
        ("a lone surrogate", encoded("service:%ED%A0%80")),
        ("a NUL in the secret", encoded(&format!("service:{own}%00"))),
        ("a NUL in the name", encoded(&format!("service%00:{own}"))),
        ("a name that is too long", encoded(&format!("{}:{own}", "n".repeat(257)))),
        ("a secret that is too long", encoded(&format!("service:{}", "s".repeat(1025)))),
        ("far too long", format!("Basic {}", "A".repeat(20_000))),
    ];
    for (name, header) in &cases {
        assert_invalid_client(&with_headers(&server, &[header], &[GRANT]), name);
        // A good secret in the body does not make up for it.
        let posted = [GRANT, ("client_id", "service"), ("client_secret", &own)];
        let answer = with_headers(&server, &[header], &posted);
        assert_ne!(answer.status, 200, "{name}");
    }
    let mut bytes =
        format!("POST /token HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n", form(&[GRANT]).len());
    bytes.push_str("Content-Type: application/x-www-form-urlencoded\r\nAuthorization: Basic ");
    let bytes = [bytes.as_bytes(), b"\xff\xfe\r\n\r\n", form(&[GRANT]).as_bytes()].concat();
    assert_invalid_client(&server.client().raw(&bytes), "bytes that are no text");
}

/// RFC 6749 §5.2 asks for the client before anything else: a stranger cannot even ask which grants there are.
#[test]
fn the_client_is_checked_before_the_grant() {
    let server = TestServer::start();
    let code = code(&server, "web", &[]);
    for pairs in [vec![("grant_type", "nonsense")], vec![], redemption(&code)] {
        let answer = server.client().post_as("web", "wrong", "/token", &pairs);
        assert_invalid_client(&answer, "wrong secret");
    }
    assert_eq!(server.token("web", &redemption(&code)).status, 200);
}

/// A client that was switched off is refused within a second on every node, and served again when it is back.
#[test]
fn a_client_that_is_switched_off_is_refused_at_once() {
    let server = TestServer::start();
    assert_eq!(server.token("service", &[GRANT]).status, 200);
    change::switch_off(&server, "service");
    assert_invalid_client(&server.token("service", &[GRANT]), "switched off");
}
