//! RFC 8252 §7 and §8: native apps. The port of a loopback literal is free, and an app that nobody can tell from another asks anew.

use super::support::flow::{authorize, redemption};
use super::support::http::Answer;
use super::support::pages::{ask, assert_refused, error_of, is_consent, signed_in};
use super::support::server::{CLIENTS, Setup};
use super::support::{TestServer, change};

const NOT_AGAIN: &str = "you will not be asked for the same permissions again";
const NOT_REGISTERED: &str = "We stopped here to protect you";

fn ask_at(server: &TestServer, client: &str, uri: &str) -> Answer {
    authorize(&mut server.browser(), client, &[("redirect_uri", uri), ("scope", "notes:read")])
}

/// RFC 8252 §7.3: "The authorization server MUST allow any port to be specified at the time of the request for loopback
/// IP redirect URIs, to accommodate clients that obtain an available ephemeral port from the operating system at the time
/// of the request."
#[test]
fn the_port_of_a_loopback_literal_is_free_for_a_native_app() {
    let server = TestServer::start();
    for uri in ["http://127.0.0.1/cb", "http://127.0.0.1:1/cb", "http://127.0.0.1:65535/cb"] {
        let answer = ask_at(&server, "native", uri);
        assert!(answer.location().starts_with(&format!("{uri}?code=")), "{}", answer.location());
    }
}

#[test]
fn nothing_but_the_port_is_free() {
    let server = TestServer::start();
    for uri in [
        "http://127.0.0.1:51004/",
        "http://127.0.0.1:51004/cb/",
        "http://127.0.0.1:51004/cb?x=1",
        "http://127.0.0.1:51004/cb#x",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:+80/cb",
        "http://user@127.0.0.1:51004/cb",
        "http://localhost:51004/cb",
        "http://[::1]:51004/cb",
        "https://127.0.0.1:51004/cb",
    ] {
        let with = [("redirect_uri", uri), ("scope", "notes:read")];
        assert_refused(&ask(&mut server.browser(), "native", &with), 400, NOT_REGISTERED);
    }
}

/// RFC 8252 §7.3 is about native apps. A web client's loopback URI is compared in full.
#[test]
fn the_port_is_free_for_native_apps_only() {
    let clients = CLIENTS.replace("\"https://app.example/cb\"]\npost", "\"http://127.0.0.1/cb\"]\npost");
    assert_ne!(clients, CLIENTS);
    let server = TestServer::with(Setup { clients, ..Setup::default() });
    assert!(ask_at(&server, "app", "http://127.0.0.1/cb").sent("code").is_some());
    let with = [("redirect_uri", "http://127.0.0.1:51004/cb"), ("scope", "notes:read")];
    assert_refused(&ask(&mut server.browser(), "app", &with), 400, NOT_REGISTERED);
}

/// RFC 8252 §7.1: a private-use scheme; §7.2: a claimed https address.
#[test]
fn a_private_scheme_and_a_claimed_address_work() {
    let server = TestServer::start();
    for uri in ["com.example.app:/cb", "https://app.example/cb"] {
        let answer = ask_at(&server, "native", uri);
        assert!(answer.location().starts_with(&format!("{uri}?code=")), "{}", answer.location());
    }
}

/// The consent page's form leads to the app in the end: the page's policy must let the browser go there.
#[test]
fn the_pages_policy_lets_the_browser_go_to_the_app() {
    let server = TestServer::start();
    for (uri, source) in [
        ("http://127.0.0.1:51004/cb", "https: http:"),
        ("com.example.app:/cb", "https: com.example.app:"),
        ("https://app.example/cb", "https:"),
    ] {
        let page = ask(&mut server.browser(), "native", &[("redirect_uri", uri), ("scope", "notes:read")]);
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains(&format!("form-action 'self' {source};")), "{policy}");
    }
}

/// RFC 8252 §8.6: "the authorization server SHOULD NOT process authorization requests automatically without user consent
/// or interaction, except when the identity of the client can be assured": another app may claim the scheme or the port.
#[test]
fn a_native_app_is_asked_about_each_time_unless_its_address_is_claimed() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    for uri in ["http://127.0.0.1:51004/cb", "com.example.app:/cb"] {
        let with = [("redirect_uri", uri), ("scope", "notes:read")];
        for _ in 0..2 {
            let page = ask(&mut browser, "native", &with);
            assert!(is_consent(&page), "{uri}: {}", page.status);
            assert!(!page.body.contains(NOT_AGAIN), "{uri}: it promises what is not kept");
            assert!(browser.decide(&page, "allow").sent("code").is_some());
        }
        let silent = ask(&mut browser, "native", &[with[0], with[1], ("prompt", "none")]);
        assert_eq!(error_of(&silent), "consent_required", "{uri}");
    }
    let claimed = ask(&mut browser, "native", &[("scope", "notes:read"), ("prompt", "consent")]);
    assert!(is_consent(&claimed) && claimed.body.contains(NOT_AGAIN), "{}", claimed.body);
    let claimed = ask(&mut browser, "native", &[("scope", "notes:read")]);
    assert!(claimed.sent("code").is_some(), "{}", claimed.status);

    // Not even the operator's `skip_consent` lets an app in that might be another.
    change::client(&server, "native", |draft| {
        draft.skip_consent = true;
    });
    let with = [("redirect_uri", "http://127.0.0.1:51004/cb"), ("scope", "notes:read")];
    assert!(is_consent(&ask(&mut browser, "native", &with)));
}

/// RFC 8252 §8.1: "Public native app clients MUST implement the Proof Key for Code Exchange".
#[test]
fn a_native_app_needs_pkce() {
    let server = TestServer::start();
    let with = [("code_challenge", ""), ("code_challenge_method", ""), ("scope", "notes:read")];
    assert_eq!(error_of(&ask(&mut server.browser(), "native", &with)), "invalid_request");
}

/// The port that the request named is the one that the token request must name (RFC 6749 §4.1.3).
#[test]
fn the_code_is_bound_to_the_port_that_was_asked_for() {
    let server = TestServer::start();
    for (uri, status) in [("http://127.0.0.1:51005/cb", 400), ("http://127.0.0.1:51004/cb", 200)] {
        let code = ask_at(&server, "native", "http://127.0.0.1:51004/cb").sent("code").unwrap();
        let form = super::support::flow::changed(&redemption(&code), "redirect_uri", uri);
        let answer = server.public_token("native", &form);
        assert_eq!(answer.status, status, "{uri}: {}", answer.body);
    }
}
