//! A server where clients register themselves, and the client that most tests register.

use countersign::base::Seconds;
use countersign::base::entropy::OsEntropy;
use countersign::domain::registration::InitialWish;
use countersign::flow::registration;
use countersign::http::paths::REGISTER;
use serde_json::{Value, json};

use super::TestServer;
use super::http::Answer;
use super::server::{CALLBACK, Setup};

/// A server with these lines in `[registration]`.
pub fn with(lines: &str) -> TestServer {
    TestServer::with(setup(lines))
}

pub fn setup(lines: &str) -> Setup {
    Setup { extra: format!("[registration]\n{lines}"), ..Setup::default() }
}

/// A server where everybody may register.
pub fn open() -> TestServer {
    with("mode = \"open\"")
}

/// The least that a client says.
pub fn least() -> Value {
    json!({ "redirect_uris": [CALLBACK] })
}

/// The same with members put in, or replaced; `null` takes one away.
pub fn least_with(members: Value) -> Value {
    let mut body = least();
    for (name, value) in members.as_object().unwrap() {
        body[name] = value.clone();
    }
    body.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    body
}

pub fn register(server: &TestServer, body: &Value) -> Answer {
    post(server, &body.to_string(), None)
}

pub fn register_by(server: &TestServer, token: &str, body: &Value) -> Answer {
    post(server, &body.to_string(), Some(token))
}

pub fn post(server: &TestServer, body: &str, token: Option<&str>) -> Answer {
    manage(server, "POST", REGISTER, token, body)
}

/// A request with a bearer token.
pub fn manage(server: &TestServer, method: &str, path: &str, token: Option<&str>, body: &str) -> Answer {
    let authorization = token.map(|token| format!("Bearer {token}"));
    let mut headers = vec![("content-type", "application/json")];
    if let Some(value) = &authorization {
        headers.push(("authorization", value));
    }
    server.client().send(method, path, &headers, body)
}

/// An initial access token that an operator made.
pub fn initial_token(server: &TestServer, max_uses: Option<i64>, lives_for: Seconds) -> (String, String) {
    let wish = InitialWish { name: "test".to_owned(), max_uses, lives_for };
    let now = server.app.now();
    let (token, plain) = registration::make_initial_token(server.store(), wish, &OsEntropy, now).unwrap();
    (token.id, plain.reveal().to_owned())
}

/// A registration that went well.
pub fn registered(server: &TestServer, body: &Value) -> Value {
    let answer = register(server, body);
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()
}
