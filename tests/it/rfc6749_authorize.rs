//! RFC 6749 §3.1, §4.1, §4.1.1 and §4.1.2: the authorization endpoint. What comes back, and what is refused by
//! redirect.

use super::support::TestServer;
use super::support::flow::{authorize, authorize_path, request};
use super::support::http::form;
use super::support::pages::{ask, assert_refused, error_of, is_login, signed_in};
use super::support::server::CALLBACK;

const BAD_REQUEST: &str = "This request cannot be answered";
const UNKNOWN_CLIENT: &str = "This application is not known here";

/// RFC 6749 §4.1.2: "code REQUIRED", "state REQUIRED if the "state" parameter was present in the client authorization
/// request. The exact value received from the client."
#[test]
fn a_yes_comes_back_with_code_state_and_issuer() {
    let server = TestServer::start();
    let answer = authorize(&mut server.browser(), "app", &[]);
    let code = answer.sent("code").unwrap();
    let issuer = form(&[("", &server.issuer)]).replace("%2E", ".");
    let wire = answer.wire(&["location", "cache-control", "referrer-policy"]);
    insta::assert_snapshot!(wire.replace(&code, "[code]").replace(issuer.trim_start_matches('='), "[issuer]"), @"
    303
    location: https://app.example/cb?code=[code]&state=a%20state&iss=[issuer]
    cache-control: no-store
    referrer-policy: no-referrer
    ");
}

/// RFC 6749 §3.1: the server "MUST support the use of the HTTP "GET" method […] and MAY support the use of the "POST"
/// method as well".
#[test]
fn a_post_is_sent_on_to_the_same_request_by_get() {
    let server = TestServer::start();
    let pairs = request("app", &[("state", "a&b=c")]);
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let mut browser = server.browser();
    let answer = browser.post("/authorize", &pairs);
    assert_eq!(answer.status, 303);
    assert_eq!(answer.headers_of("set-cookie"), Vec::<&str>::new());
    let unescaped = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    assert_eq!(unescaped(answer.location()), unescaped(&authorize_path("app", &[("state", "a&b=c")])));
    assert!(is_login(&browser.follow(answer)));
}

/// What is refused anyway is refused at once: the browser is sent round no corner with it.
#[test]
fn a_post_with_a_repeated_parameter_is_refused_at_once() {
    let server = TestServer::start();
    let pairs = request("app", &[]);
    let mut pairs: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    pairs.extend([("nonce", "a"), ("nonce", "b")]);
    let answer = server.browser().post("/authorize", &pairs);
    assert_eq!(error_of(&answer), "invalid_request");
    assert!(answer.location().starts_with(CALLBACK), "{}", answer.location());
    pairs.push(("redirect_uri", CALLBACK));
    assert_refused(&server.browser().post("/authorize", &pairs), 400, BAD_REQUEST);
}

/// RFC 6749 §4.1.2.1: "If the resource owner denies the access request or if the request fails for reasons other than a
/// missing or invalid redirection URI, the authorization server informs the client by adding the following parameters to the
/// query component of the redirection URI". Appendix B: values are UTF-8.
#[test]
fn a_malformed_value_is_told_to_the_client_where_its_address_is_proven() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let type_of_form = [("content-type", "application/x-www-form-urlencoded")];
    for name in ["prompt", "nonce", "state", "scope", "max_age", "login_hint"] {
        let pairs = request("app", &[(name, "")]);
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        for value in ["%ff", "a%C3", "%ED%A0%80", "%zz", "%"] {
            let form = format!("{}&{name}={value}", form(&pairs));
            let posted = server.client().send("POST", "/authorize", &type_of_form, &form);
            for answer in [browser.get(&format!("/authorize?{form}")), posted] {
                assert_eq!(error_of(&answer), "invalid_request", "{name}={value}");
                assert!(answer.location().starts_with(CALLBACK), "{}", answer.location());
                let state = (name != "state").then_some("a state");
                assert_eq!(answer.sent("state").as_deref(), state, "{name}={value}");
            }
        }
    }
    let raw = [form(&[("client_id", "app"), ("redirect_uri", CALLBACK)]).as_bytes(), b"&nonce=\xff"].concat();
    let head = format!(
        "POST /authorize HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\ncontent-type: \
         application/x-www-form-urlencoded\r\n\r\n",
        raw.len()
    );
    let answer = server.client().raw(&[head.as_bytes(), &raw].concat());
    assert_eq!(error_of(&answer), "invalid_request");
}

/// RFC 6749 §4.1.2.1: "MUST NOT automatically redirect the user-agent to the invalid redirection URI."
#[test]
fn a_malformed_client_or_address_is_a_page() {
    let server = TestServer::start();
    let whole = authorize_path("app", &[]);
    for name in ["client_id", "redirect_uri"] {
        let pairs = request("app", &[(name, "")]);
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        for path in [
            format!("/authorize?{}&{name}=%ff", form(&pairs)),
            format!("{whole}&{name}=%ff"),
            format!("{whole}&%ff=a"),
        ] {
            assert_refused(&server.browser().get(&path), 400, BAD_REQUEST);
        }
    }
}

/// RFC 6749 §4.1.2: the state is "the exact value received from the client".
#[test]
fn the_state_comes_back_byte_for_byte() {
    let server = TestServer::start();
    let mut browser = server.browser();
    authorize(&mut browser, "app", &[]);
    let long = "x".repeat(2048);
    for state in
        ["a b", "a+b", "&iss=https://evil.example", "#frag", "%41", "ü→𝄞", "\"'<>\\", "\r\nX: y", &long]
    {
        let answer = ask(&mut browser, "app", &[("state", state)]);
        assert!(answer.sent("code").is_some(), "{state:?}");
        assert_eq!(answer.sent("state").as_deref(), Some(state));
        assert_eq!(answer.sent("iss").as_deref(), Some(server.issuer.as_str()), "{state:?}");
        assert_eq!(answer.header("x"), None);
        let refused = ask(&mut browser, "app", &[("state", state), ("response_type", "token")]);
        assert_eq!(error_of(&refused), "unsupported_response_type");
        assert_eq!(refused.sent("state").as_deref(), Some(state));
    }
}

/// RFC 6749 §3.1: "Parameters sent without a value MUST be treated as if they were omitted from the request. The
/// authorization server MUST ignore unrecognized request parameters."
#[test]
fn empty_parameters_are_left_out_and_unknown_ones_ignored() {
    let server = TestServer::start();
    let path = format!("{}&state=&nonce=&response_mode=&colour=blue&colour=", authorize_path("app", &[]));
    let answer = server.browser().get(&path);
    assert!(answer.location().starts_with("/login?"), "{}", answer.location());
}

/// RFC 6749 §4.1.2.1: what is wrong with a request of a known client to a registered URI, the client is told.
#[test]
fn what_the_client_got_wrong_it_is_told_by_redirect() {
    let server = TestServer::start();
    let mut browser = server.browser();
    for (name, value, error) in [
        ("response_type", "", "invalid_request"),
        ("response_type", "token", "unsupported_response_type"),
        ("response_type", "id_token", "unsupported_response_type"),
        ("response_type", "code token", "unsupported_response_type"),
        ("response_type", "Code", "unsupported_response_type"),
        ("response_mode", "post", "invalid_request"),
        ("response_mode", "query.jwt", "invalid_request"),
        ("request", "eyJhbGciOiJub25lIn0.e30.", "request_not_supported"),
        ("request_uri", "https://app.example/request.jwt", "request_uri_not_supported"),
        ("registration", "{}", "registration_not_supported"),
        ("scope", "notes:read \"", "invalid_scope"),
        ("scope", "mail:send", "invalid_scope"),
        ("scope", "offline_access", "invalid_scope"),
        ("resource", "https://mail.example/api", "invalid_target"),
        ("resource", "https://notes.example#x", "invalid_target"),
        ("resource", "notes", "invalid_target"),
        ("prompt", "whatever", "invalid_request"),
        ("max_age", "-1", "invalid_request"),
        ("max_age", "+1", "invalid_request"),
        ("max_age", "soon", "invalid_request"),
        ("id_token_hint", "x.y.z", "invalid_request"),
    ] {
        let answer = ask(&mut browser, "app", &[(name, value)]);
        assert_eq!(error_of(&answer), error, "{name}={value}");
        assert!(answer.location().starts_with(&format!("{CALLBACK}?error=")), "{}", answer.location());
        assert_eq!(answer.sent("state").as_deref(), Some("a state"), "{name}={value}");
        assert_eq!(answer.sent("iss").as_deref(), Some(server.issuer.as_str()), "{name}={value}");
        assert!(answer.sent("error_description").is_some(), "{name}={value}");
    }
}

/// RFC 6749 §4.1.2.1: access_denied, "The resource owner or authorization server denied the request."
#[test]
fn a_no_comes_back_as_access_denied_and_is_not_remembered() {
    let server = TestServer::start();
    let mut browser = server.browser();
    let page = ask(&mut browser, "app", &[]);
    let page = browser.log_in(&page, "alice", super::support::server::PASSWORD);
    let answer = browser.decide(&page, "deny");
    assert_eq!(error_of(&answer), "access_denied");
    assert_eq!(answer.sent("state").as_deref(), Some("a state"));
    assert!(super::support::pages::is_consent(&ask(&mut browser, "app", &[])));
}

/// RFC 6749 §3.1: "Request and response parameters MUST NOT be included more than once."
#[test]
fn a_repeated_parameter_is_refused_and_none_of_its_values_counts() {
    let server = TestServer::start();
    let mut browser = server.browser();
    for name in ["response_type", "scope", "code_challenge", "nonce", "prompt", "request_uri"] {
        let path = format!("{}&{name}=code&{name}=code", authorize_path("app", &[]));
        let answer = browser.get(&path);
        assert_eq!(error_of(&answer), "invalid_request", "{name}");
        assert_eq!(answer.sent("error_description").unwrap(), format!("{name} is given more than once"));
        assert_eq!(answer.sent("state").as_deref(), Some("a state"), "{name}");
    }
    for times in 1..4 {
        let path = authorize_path("app", &[]) + &"&state=other".repeat(times);
        let answer = browser.get(&path);
        assert_eq!(error_of(&answer), "invalid_request");
        assert_eq!(answer.sent("state"), None, "{times} more");
    }
}

/// RFC 6749 §4.1.2.1: "MUST NOT automatically redirect the user-agent to the invalid redirection URI".
#[test]
fn a_repeated_client_id_or_redirect_uri_is_answered_by_a_page_however_often_it_comes() {
    let server = TestServer::start();
    for times in 1..4 {
        let twice = authorize_path("app", &[]) + &"&client_id=app".repeat(times);
        assert_refused(&server.browser().get(&twice), 400, BAD_REQUEST);
        let twice =
            authorize_path("app", &[]) + &"&redirect_uri=https%3A%2F%2Fapp.example%2Fcb".repeat(times);
        assert_refused(&server.browser().get(&twice), 400, BAD_REQUEST);
    }
}

#[test]
fn each_parameter_has_its_limit() {
    let server = TestServer::start();
    let mut browser = server.browser();
    for (name, limit) in [
        ("response_type", 64),
        ("response_mode", 64),
        ("prompt", 64),
        ("display", 64),
        ("code_challenge_method", 64),
        ("code_challenge", 128),
        ("ui_locales", 4096),
        ("acr_values", 1024),
        ("login_hint", 256),
        ("nonce", 512),
        ("resource", 512),
        ("state", 2048),
        ("scope", 2048),
        ("max_age", 10),
        ("id_token_hint", 16_384),
        ("claims", 4096),
    ] {
        let answer = ask(&mut browser, "app", &[(name, &"1".repeat(limit + 1))]);
        assert_eq!(error_of(&answer), "invalid_request", "{name}");
        assert_eq!(answer.sent("error_description").unwrap(), format!("{name} is longer than {limit} bytes"));
    }
    // The two that say whom to tell are answered by a page.
    for (name, limit) in [("client_id", 256), ("redirect_uri", 2048)] {
        let answer = ask(&mut browser, "app", &[(name, &"1".repeat(limit + 1))]);
        assert_refused(&answer, 400, BAD_REQUEST);
        assert!(answer.body.contains(&format!("{name} is longer than {limit} bytes")), "{}", answer.body);
    }
    let many: String = (0..70).map(|n| format!("&p{n}=1")).collect();
    assert_eq!(error_of(&browser.get(&(authorize_path("app", &[]) + &many))), "invalid_request");
}

/// RFC 6749 §3.1: "The authorization server MUST ignore unrecognized request parameters."
#[test]
fn what_nobody_knows_is_ignored_whatever_it_looks_like() {
    let server = TestServer::start();
    let mut browser = server.browser();
    let long = "n".repeat(1000);
    for more in ["foo=1&foo=2", &format!("foo={long}"), &format!("{long}=1"), "foo=a%00b", "=x", "foo=%ff"] {
        let answer = browser.get(&format!("{}&{more}", authorize_path("app", &[])));
        assert!(is_login(&browser.follow(answer)), "{more}");
    }
    // What other endpoints and pages know is not known here.
    for name in ["id", "name", "token", "code", "end", "account", "days", "username", "grant_type", "csrf"] {
        for more in
            [format!("{name}=1&{name}=2"), format!("{name}={}", "n".repeat(20_000)), format!("{name}=%ff")]
        {
            let answer = browser.get(&format!("{}&{more}", authorize_path("app", &[])));
            assert!(is_login(&browser.follow(answer)), "{name}");
        }
    }
}

/// RFC 6749 §4.1.2.1: "if the client identifier is missing or invalid, the authorization server SHOULD inform the
/// resource owner of the error".
#[test]
fn a_client_that_is_not_known_gets_a_page() {
    let server = TestServer::start();
    for client in ["", "nobody", "APP", "app ", "<b>app</b>", "ápp", "app\t"] {
        let answer = ask(&mut server.browser(), client, &[("client_id", client)]);
        assert_refused(&answer, 400, UNKNOWN_CLIENT);
        assert!(!answer.body.contains("<b>"), "{}", answer.body);
    }
}

#[test]
fn a_client_that_is_switched_off_is_not_known() {
    let server = TestServer::start();
    assert!(is_login(&ask(&mut server.browser(), "app", &[])));
    super::support::change::switch_off(&server, "app");
    assert_refused(&ask(&mut server.browser(), "app", &[]), 400, UNKNOWN_CLIENT);
}

#[test]
fn what_the_address_says_is_never_markup_on_the_page() {
    let server = TestServer::start();
    let evil = "%3Cscript%3Ealert(1)%3C%2Fscript%3E%22'";
    for query in [
        format!("client_id={evil}"),
        format!("client_id=app&redirect_uri={evil}"),
        format!("{evil}=1&{evil}=1"),
        format!("client_id=app&client_id={evil}"),
    ] {
        let answer = server.browser().get(&format!("/authorize?{query}"));
        assert_eq!(answer.status, 400, "{query}");
        assert!(!answer.body.contains("<script"), "{query}: {}", answer.body);
        super::support::pages::assert_safe(&answer);
    }
}
