//! The happy path of the code flow, for tests that change one thing of it.

use countersign::base::encoding::{base64url, sha256};
use serde_json::{Map, Value};

use super::http::{Answer, Browser, form};
use super::server::{CALLBACK, PASSWORD, TestServer};

pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

pub fn challenge() -> String {
    base64url(&sha256(VERIFIER.as_bytes()))
}

/// The parameters of an authorization request; `with` replaces, and an empty value leaves out.
pub fn request(client: &str, with: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = [
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", CALLBACK),
        ("scope", "openid notes:read"),
        ("state", "a state"),
        ("code_challenge", &challenge()),
        ("code_challenge_method", "S256"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    for (name, value) in with {
        pairs.retain(|(known, _)| known != name);
        if !value.is_empty() {
            pairs.push(((*name).to_owned(), (*value).to_owned()));
        }
    }
    pairs
}

pub fn authorize_path(client: &str, with: &[(&str, &str)]) -> String {
    let pairs = request(client, with);
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    format!("/authorize?{}", form(&pairs))
}

/// From the application to the redirect back, signing in and agreeing where asked.
pub fn authorize(browser: &mut Browser, client: &str, with: &[(&str, &str)]) -> Answer {
    let answer = browser.get(&authorize_path(client, with));
    let mut answer = browser.follow(answer);
    if answer.body.contains("name=\"password\"") {
        answer = browser.log_in(&answer, "alice", PASSWORD);
    }
    if answer.body.contains("value=\"allow\"") {
        answer = browser.decide(&answer, "allow");
    }
    answer
}

/// A fresh code of `client`.
pub fn code(server: &TestServer, client: &str, with: &[(&str, &str)]) -> String {
    let answer = authorize(&mut server.browser(), client, with);
    answer.sent("code").unwrap_or_else(|| panic!("no code: {}", answer.location()))
}

/// The form that redeems a code.
pub fn redemption(code: &str) -> Vec<(&str, &str)> {
    vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ]
}

/// The same with one thing changed; an empty value leaves out.
pub fn changed<'a>(form: &[(&'a str, &'a str)], name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut form: Vec<_> = form.iter().copied().filter(|(known, _)| *known != name).collect();
    if !value.is_empty() {
        form.push((name, value));
    }
    form
}

/// The tokens of the confidential client `web`, with a refresh token.
pub fn tokens(server: &TestServer) -> Answer {
    let code = code(server, "web", &[("scope", "openid notes:read notes:write offline_access")]);
    let answer = server.token("web", &redemption(&code));
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer
}

/// A part of a JWT, unverified: 0 the header, 1 the claims.
pub fn part(token: &str, at: usize) -> Map<String, Value> {
    let part = token.split('.').nth(at).unwrap();
    let bytes = countersign::base::encoding::from_base64url(part).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

pub fn claims(token: &str) -> Map<String, Value> {
    part(token, 1)
}
