//! How an authorization response reaches the client: OAuth 2.0 Multiple Response Type Encoding Practices §2.1 (query,
//! fragment), OAuth 2.0 Form Post Response Mode, and web messages (draft-sakimura-oauth-wmrm-01).

use std::collections::BTreeMap;

use countersign::base::encoding::{from_base64url, sha256};
use serde_json::{Value, json};

use super::support::TestServer;
use super::support::flow::{authorize, redemption};
use super::support::http::{Answer, query_of};
use super::support::pages::{ask, error_of, is_consent, is_login, signed_in};
use super::support::server::{CALLBACK, PASSWORD};

const MODES: [&str; 4] = ["query", "fragment", "form_post", "web_message"];
/// What a state may be, and what it must not become on a page.
const HOSTILE: &str = r#"'"></script><script>alert(1)</script>&amp;<!--"#;

/// What the client is told, whatever the mode; and that it is told once, to the right place.
fn told(answer: &Answer, mode: &str) -> BTreeMap<String, String> {
    match mode {
        "query" => query_of(answer.location()),
        "fragment" => {
            let (uri, fragment) = answer.location().split_once('#').unwrap();
            assert_eq!(uri, CALLBACK);
            query_of(&format!("https://x.example/?{fragment}"))
        }
        "form_post" => posted(answer, CALLBACK),
        "web_message" => {
            let (origin, message) = message(answer);
            assert_eq!(origin, "https://app.example");
            assert_eq!(message["type"], "authorization_response");
            serde_json::from_value(message["response"].clone()).unwrap()
        }
        other => panic!("{other}"),
    }
}

/// The fields of the form of a `form_post` page that goes to `uri`.
fn posted(page: &Answer, uri: &str) -> BTreeMap<String, String> {
    assert_eq!((page.status, page.header("location")), (200, None), "{}", page.body);
    let form = format!("<form method=\"post\" action=\"{uri}\">");
    let (_, rest) = page.body.split_once(&form).unwrap_or_else(|| panic!("no {form}: {}", page.body));
    let (fields, _) = rest.split_once("</form>").unwrap();
    let inputs = fields.split("<input type=\"hidden\" name=\"").skip(1);
    let pair = |input: &str| {
        let (name, rest) = input.split_once("\" value=\"").unwrap();
        (name.to_owned(), unescaped(rest.split_once("\">").unwrap().0))
    };
    inputs.map(pair).collect()
}

/// The origin and the content of the message of a `web_message` page.
fn message(page: &Answer) -> (String, Value) {
    assert_eq!((page.status, page.header("location")), (200, None), "{}", page.body);
    let attribute = |name: &str| {
        let (_, rest) =
            page.body.split_once(&format!(" {name}=\"")).unwrap_or_else(|| panic!("{}", page.body));
        unescaped(rest.split_once('"').unwrap().0)
    };
    (attribute("data-origin"), serde_json::from_str(&attribute("data-message")).unwrap())
}

fn unescaped(text: &str) -> String {
    [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}

/// A page with one script, which is the one that its policy lets run; nothing else of the policy is looser than it is on
/// other pages but what `allows` says.
#[track_caller]
fn assert_guarded(page: &Answer, allows: &[&str]) {
    assert_eq!(page.header("cache-control"), Some("no-store"), "{page:?}");
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"), "{page:?}");
    assert_eq!(page.body.matches("<script").count(), 1, "{}", page.body);
    let (_, script) = page.body.split_once("<script").unwrap();
    let (_, script) = script.split_once('>').unwrap();
    let script = script.split_once("</script>").unwrap().0;
    let policy = page.header("content-security-policy").unwrap();
    let mut rules: Vec<&str> = policy.split("; ").collect();
    let at = rules.iter().position(|rule| rule.starts_with("script-src ")).unwrap();
    let hash = rules.remove(at).strip_prefix("script-src 'sha256-").unwrap().strip_suffix("='").unwrap();
    let hash = from_base64url(&hash.replace('+', "-").replace('/', "_")).unwrap();
    assert_eq!(hash, sha256(script.as_bytes()), "the policy names another script than {script}");
    let mut wanted =
        vec!["default-src 'none'", "style-src 'self'", "img-src 'self' data:", "base-uri 'none'"];
    wanted.extend(allows);
    rules.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(rules, wanted);
}

/// RFC 9207 §2: `iss` "in authorization responses to the client, including error responses", in each of the modes.
#[test]
fn a_code_and_an_error_reach_the_client_in_every_mode_with_state_and_issuer() {
    let server = TestServer::start();
    for mode in MODES {
        let mut browser = server.browser();
        for state in ["a state", HOSTILE] {
            let with = [("response_mode", mode), ("state", state)];
            let mut told_by = told(&authorize(&mut browser, "app", &with), mode);
            let code = told_by.remove("code").unwrap_or_else(|| panic!("{mode}: {told_by:?}"));
            let rest = json!({ "state": state, "iss": server.issuer });
            assert_eq!(json!(told_by), rest, "{mode}");
            assert_eq!(server.public_token("app", &redemption(&code)).status, 200, "{mode}");

            for (name, value, error) in [
                ("response_type", "token", "unsupported_response_type"),
                ("scope", "mail:send", "invalid_scope"),
                ("request", "x", "request_not_supported"),
                ("code_challenge", "", "invalid_request"),
                ("nonce", "\0", "invalid_request"),
            ] {
                let refused = ask(&mut browser, "app", &[with[0], with[1], (name, value)]);
                let mut told_by = told(&refused, mode);
                assert_eq!(told_by.remove("error").as_deref(), Some(error), "{mode}");
                assert!(told_by.remove("error_description").is_some(), "{mode}");
                assert_eq!(json!(told_by), rest, "{mode}");
            }
        }
    }
}

/// OpenID Connect Core §3.1.2.6, as a single-page app meets it in a hidden frame.
#[test]
fn what_prompt_none_cannot_do_is_told_in_every_mode() {
    let server = TestServer::start();
    let mut known = signed_in(&server);
    for mode in MODES {
        let silent = [("response_mode", mode), ("prompt", "none")];
        let told_by = told(&ask(&mut server.browser(), "app", &silent), mode);
        assert_eq!(told_by["error"], "login_required", "{mode}");
        assert!(told(&ask(&mut known, "app", &silent), mode).contains_key("code"), "{mode}");
        let told_by = told(&ask(&mut known, "web", &silent), mode);
        assert_eq!(told_by["error"], "consent_required", "{mode}");
    }
}

#[test]
fn the_users_no_is_told_in_every_mode() {
    let server = TestServer::start();
    for mode in MODES {
        let mut browser = server.browser();
        let page = ask(&mut browser, "app", &[("response_mode", mode)]);
        let page = browser.log_in(&page, "alice", PASSWORD);
        let told_by = told(&browser.decide(&page, "deny"), mode);
        assert_eq!(
            (told_by["error"].as_str(), told_by["state"].as_str()),
            ("access_denied", "a state"),
            "{mode}"
        );
    }
}

/// The login sets its cookie on the very answer that carries the code.
#[test]
fn a_login_that_ends_in_a_page_has_signed_in() {
    let server = TestServer::start();
    for mode in ["form_post", "web_message"] {
        let mut browser = server.browser();
        let page = ask(&mut browser, "house", &[("response_mode", mode)]);
        let page = browser.log_in(&page, "alice", PASSWORD);
        assert!(told(&page, mode).contains_key("code"), "{mode}");
        let again = ask(&mut browser, "house", &[("response_mode", mode), ("prompt", "none")]);
        assert!(told(&again, mode).contains_key("code"), "{mode}");
    }
}

/// OAuth 2.0 Multiple Response Type Encoding Practices §2.1: the default of `code` is query, and what is no mode is told
/// by it.
#[test]
fn an_unknown_mode_is_refused_by_the_default_mode() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let long = "x".repeat(65);
    for mode in ["jwt", "query.jwt", "Query", "query fragment", "form-post", "web_message ", long.as_str()] {
        let refused = ask(&mut browser, "app", &[("response_mode", mode)]);
        assert_eq!(error_of(&refused), "invalid_request", "{mode}");
        assert_eq!(refused.sent("iss").as_ref(), Some(&server.issuer), "{mode}");
    }
    let plain = ask(&mut browser, "app", &[]);
    assert!(plain.sent("code").is_some() && !plain.location().contains('#'), "{}", plain.location());
    // Given twice, none of the values counts.
    let path = super::support::flow::authorize_path("app", &[("response_mode", "fragment")]);
    let refused = browser.get(&format!("{path}&response_mode=form_post"));
    assert_eq!(error_of(&refused), "invalid_request");
}

/// Without a proven redirect URI there is nobody to tell, in no mode.
#[test]
fn no_mode_reaches_an_address_that_is_not_registered() {
    let server = TestServer::start();
    for mode in MODES {
        let evil = [("response_mode", mode), ("redirect_uri", "https://evil.example/cb")];
        let page = ask(&mut server.browser(), "app", &evil);
        super::support::pages::assert_refused(&page, 400, "We stopped here to protect you");
    }
}

/// A native app's private-use scheme takes no form and has no page to tell; a message to a loopback port would be told to
/// whoever listens there.
#[test]
fn a_native_app_gets_its_answer_by_redirect() {
    let server = TestServer::start();
    let mut browser = server.browser();
    for (uri, mode, fits) in [
        ("com.example.app:/cb", "fragment", true),
        ("com.example.app:/cb", "form_post", false),
        ("com.example.app:/cb", "web_message", false),
        ("http://127.0.0.1:51004/cb", "form_post", true),
        ("http://127.0.0.1:51004/cb", "web_message", false),
    ] {
        let answer = authorize(&mut browser, "native", &[("redirect_uri", uri), ("response_mode", mode)]);
        let shown = format!("{uri} {mode}: {:?} {}", answer.header("location"), answer.body);
        match (mode, fits) {
            ("fragment", _) => assert!(answer.location().starts_with(&format!("{uri}#code=")), "{shown}"),
            (_, true) => assert!(posted(&answer, uri).contains_key("code"), "{shown}"),
            (_, false) => {
                assert!(answer.location().starts_with(&format!("{uri}?error=invalid_request")), "{shown}");
                assert!(answer.sent("error_description").unwrap().contains(mode), "{shown}");
            }
        }
    }
}

/// OAuth 2.0 Form Post Response Mode §2: the form's action is the redirect URI, its method POST, and "the Authorization
/// Server MUST instruct the User Agent (and any intermediaries) not to store or reuse the content of the response."
#[test]
fn the_form_goes_to_the_redirect_uri_and_nobody_frames_or_keeps_its_page() {
    let server = TestServer::start();
    let page = authorize(&mut server.browser(), "app", &[("response_mode", "form_post"), ("state", HOSTILE)]);
    assert_guarded(&page, &["form-action 'self' https:", "frame-ancestors 'none'"]);
    assert_eq!(page.header("pragma"), Some("no-cache"));
    assert_eq!(page.header("x-frame-options"), Some("DENY"));
    // The client's guard against forged requests is to see from where the form came, and no more than that.
    assert_eq!(page.header("referrer-policy"), Some("strict-origin"));
    assert!(page.body.contains("<button class=\"primary\" type=\"submit\">"), "no way on without JavaScript");
    assert!(page.body.contains("<bdi>app.example</bdi>"), "{}", page.body);

    // RFC 6749 §3.1.2: a query of the redirect URI stays where it is.
    let uri = "https://app.example/cb2?x=1";
    let with = [("response_mode", "form_post"), ("redirect_uri", uri)];
    let page = authorize(&mut server.browser(), "web", &with);
    assert!(posted(&page, uri).contains_key("code"));
}

#[test]
fn the_message_page_is_framed_by_the_clients_origin_alone_and_tells_it_alone() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    for with in
        [[("prompt", "none"), ("state", HOSTILE)], [("prompt", "login consent"), ("scope", "mail:send")]]
    {
        let page = ask(&mut browser, "app", &[("response_mode", "web_message"), with[0], with[1]]);
        assert_guarded(&page, &["form-action 'self'", "frame-ancestors https://app.example"]);
        assert_eq!(page.header("x-frame-options"), None, "it would forbid the one origin too");
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(message(&page).0, "https://app.example");
        for mark in ["<form", "<button", "<a ", "<input"] {
            assert!(!page.body.contains(mark), "there is {mark} to click in a frame");
        }
    }
}

/// Clickjacking (RFC 9700 §4.16): where a user decides, nobody frames the page, whatever mode the answer will go by.
#[test]
fn the_pages_on_the_way_to_a_message_are_never_framed() {
    let server = TestServer::start();
    let mut browser = server.browser();
    let login = ask(&mut browser, "app", &[("response_mode", "web_message")]);
    assert!(is_login(&login));
    super::support::pages::assert_safe(&login);
    let consent = browser.log_in(&login, "alice", PASSWORD);
    assert!(is_consent(&consent));
    super::support::pages::assert_safe(&consent);
}

/// The page speaks the language of its reader.
#[test]
fn the_pages_speak_the_readers_language() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    browser.headers = vec![("accept-language".to_owned(), "de".to_owned())];
    for mode in ["form_post", "web_message"] {
        let page = ask(&mut browser, "app", &[("response_mode", mode)]);
        assert!(page.body.contains("<h1>Zurück zur Anwendung</h1>"), "{}", page.body);
    }
}

/// The metadata says what works: each mode that it names was used above.
#[test]
fn discovery_names_the_modes_and_no_other() {
    let server = TestServer::start();
    let metadata = server.client().get("/.well-known/openid-configuration").json();
    assert_eq!(metadata["response_modes_supported"], json!(MODES));
}
