//! RFC 9207: `iss` in every authorization response, so that a client knows which server it talks to.

use super::support::TestServer;
use super::support::flow::authorize;
use super::support::http::Answer;
use super::support::pages::{ask, error_of};
use super::support::server::{PASSWORD, Setup};

fn assert_names(answer: &Answer, issuer: &str) {
    assert_eq!(answer.sent("iss").as_deref(), Some(issuer), "{}", answer.location());
    // RFC 9207 §2.4 compares it with the metadata's issuer, by simple string comparison; twice would be no value at all.
    assert_eq!(answer.location().matches("iss=").count(), 1, "{}", answer.location());
}

/// RFC 9207 §2: "In authorization responses to the client, including error responses, an authorization server supporting
/// this specification MUST indicate its identity by including the iss parameter in the response."
#[test]
fn every_answer_to_the_client_names_the_issuer() {
    for path in ["", "/auth", "/a/b"] {
        let server = TestServer::with(Setup { path: path.to_owned(), ..Setup::default() });
        assert!(server.issuer.ends_with(path));
        let mut browser = server.browser();
        let code = authorize(&mut browser, "app", &[]);
        assert!(code.sent("code").is_some());
        assert_names(&code, &server.issuer);
        for (name, value, error) in [
            ("response_type", "token", "unsupported_response_type"),
            ("code_challenge", "", "invalid_request"),
            ("scope", "mail:send", "invalid_scope"),
            ("resource", "https://mail.example/api", "invalid_target"),
            ("request", "x", "request_not_supported"),
            ("state", "\0", "invalid_request"),
        ] {
            let refused = ask(&mut browser, "app", &[(name, value)]);
            assert_eq!(error_of(&refused), error);
            assert_names(&refused, &server.issuer);
        }
        let silent = ask(&mut server.browser(), "app", &[("prompt", "none")]);
        assert_eq!(error_of(&silent), "login_required");
        assert_names(&silent, &server.issuer);
        let unseen = ask(&mut browser, "web", &[("prompt", "none")]);
        assert_eq!(error_of(&unseen), "consent_required");
        assert_names(&unseen, &server.issuer);
    }
}

#[test]
fn the_users_no_names_the_issuer_too() {
    let server = TestServer::start();
    let mut browser = server.browser();
    let page = ask(&mut browser, "app", &[]);
    let page = browser.log_in(&page, "alice", PASSWORD);
    let answer = browser.decide(&page, "deny");
    assert_eq!(error_of(&answer), "access_denied");
    assert_names(&answer, &server.issuer);
}

/// RFC 9207 §2.3: the metadata's issuer "MUST be identical to the iss parameter's value"; §3: the metadata says that it is
/// sent.
#[test]
fn the_metadata_says_the_same_and_that_it_is_sent() {
    let server = TestServer::with(Setup { path: "/auth".to_owned(), ..Setup::default() });
    let metadata = server.client().get("/.well-known/openid-configuration").json();
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
    let answer = authorize(&mut server.browser(), "app", &[]);
    assert_eq!(answer.sent("iss").as_deref(), metadata["issuer"].as_str());
}

/// A state that is made to look like parameters of the answer stays a state.
#[test]
fn a_state_cannot_put_another_issuer_in() {
    let server = TestServer::start();
    let state = "x&iss=https://evil.example";
    let answer = authorize(&mut server.browser(), "app", &[("state", state)]);
    assert_names(&answer, &server.issuer);
    assert_eq!(answer.sent("state").as_deref(), Some(state));
}
