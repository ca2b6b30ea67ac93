//! The keys of a client by reference (OpenID Connect Core 1.0 §10.1.1, RFC 7517 §5): fetched when they are needed, kept for
//! as long as is right, asked for again when a name is unknown, but not for everybody who makes names up.

use serde_json::json;

use super::support::assertions::{ClientKey, assertion, claims, jwt, service_at, signed, token};
use super::support::outside::{Outside, Says};
use super::support::raw::at_once;
use super::support::server::{CLIENTS, Setup, TestServer};

fn set(keys: &[&ClientKey]) -> String {
    json!({ "keys": keys.iter().map(|key| key.public()).collect::<Vec<_>>() }).to_string()
}

/// A server with the client `robot`, whose keys are at `outside`.
fn start(outside: &Outside) -> TestServer {
    let folder = tempfile::tempdir().unwrap();
    let clients = format!("{CLIENTS}{}", service_at("robot", &outside.url("/keys")));
    TestServer::with(Setup { clients, extra: outside.toml(folder.path()), ..Setup::default() })
}

fn outside(keys: &[&ClientKey]) -> Outside {
    let set = set(keys);
    Outside::start(move |_| Says::json(&set))
}

#[test]
fn keys_are_fetched_once_and_kept() {
    let key = ClientKey::p256("k1");
    let outside = outside(&[&key]);
    let server = start(&outside);
    assert_eq!(outside.asked().len(), 0, "not before they are needed");
    for n in 0..5 {
        let answer = token(&server, &assertion(&server, "robot", &key, &n.to_string()));
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    assert_eq!(outside.asked().len(), 1);
}

/// Many workers of a client begin at once after a restart of this server.
#[test]
fn those_who_come_at_once_are_answered_by_one_request() {
    let key = ClientKey::p256("k1");
    let outside = outside(&[&key]);
    let server = start(&outside);
    let texts: Vec<String> = (0..6).map(|n| assertion(&server, "robot", &key, &n.to_string())).collect();
    let answers = at_once(6, |n| token(&server, &texts[n]).status);
    assert_eq!(answers, [200; 6]);
    assert_eq!(outside.asked().len(), 1);
}

#[test]
fn a_new_key_is_found_by_its_name_and_made_up_names_make_no_hose() {
    let (old, new) = (ClientKey::p256("old"), ClientKey::p256("new"));
    let outside = outside(&[&old]);
    let server = start(&outside);
    assert_eq!(token(&server, &assertion(&server, "robot", &old, "1")).status, 200);
    let both = set(&[&old, &new]);
    outside.says(move |_| Says::json(&both));
    // The keys were fetched a moment ago: within a minute nobody asks again.
    assert_eq!(token(&server, &assertion(&server, "robot", &new, "2")).status, 401);
    server.advance(60);
    assert_eq!(token(&server, &assertion(&server, "robot", &new, "3")).status, 200);
    assert_eq!(outside.asked().len(), 2);
    for n in 0..20 {
        let stranger = ClientKey::p256(&format!("made-up-{n}"));
        assert_eq!(token(&server, &assertion(&server, "robot", &stranger, &n.to_string())).status, 401);
    }
    assert_eq!(outside.asked().len(), 2);
    server.advance(60);
    let stranger = ClientKey::p256("made-up");
    for n in 20..25 {
        assert_eq!(token(&server, &assertion(&server, "robot", &stranger, &n.to_string())).status, 401);
    }
    assert_eq!(outside.asked().len(), 3);
}

#[test]
fn keys_are_asked_for_again_after_the_time_that_the_client_gave_them_within_bounds() {
    for (max_age_s, expected) in
        [(None, 3600), (Some(600), 600), (Some(0), 300), (Some(10), 300), (Some(999_999), 86_400)]
    {
        let (old, new) = (ClientKey::p256("k"), ClientKey::p256("k"));
        let outside = outside(&[&old]);
        let (first, second) = (set(&[&old]), set(&[&new]));
        outside.says(move |_| Says::json_for(&first, max_age_s));
        let server = start(&outside);
        assert_eq!(token(&server, &assertion(&server, "robot", &old, "1")).status, 200);
        outside.says(move |_| Says::json_for(&second, max_age_s));
        server.advance(expected - 1);
        assert_eq!(token(&server, &assertion(&server, "robot", &old, "2")).status, 200, "{max_age_s:?}");
        assert_eq!(outside.asked().len(), 1);
        server.advance(1);
        assert_eq!(token(&server, &assertion(&server, "robot", &old, "3")).status, 401, "{max_age_s:?}");
        assert_eq!(token(&server, &assertion(&server, "robot", &new, "4")).status, 200, "{max_age_s:?}");
        assert_eq!(outside.asked().len(), 2);
    }
}

#[test]
fn keys_from_before_count_on_while_the_client_cannot_be_asked_for_a_day() {
    let key = ClientKey::p256("k1");
    let outside = outside(&[&key]);
    let server = start(&outside);
    assert_eq!(token(&server, &assertion(&server, "robot", &key, "1")).status, 200);
    for (n, says) in [
        Says::status(500),
        Says::status(404),
        Says::json("{\"keys\":"),
        Says::json("[]"),
        Says::json("{}"),
        Says::Answer {
            status: 200,
            headers: vec![("content-type".to_owned(), "text/html".to_owned())],
            body: set(&[&key]),
        },
        Says::Bytes(Vec::new()),
    ]
    .into_iter()
    .enumerate()
    {
        let what = format!("{says:?}");
        outside.says(move |_| says.clone());
        server.advance(3600);
        let answer = token(&server, &assertion(&server, "robot", &key, &format!("stale {n}")));
        assert_eq!(answer.status, 200, "{what}: {}", answer.body);
        assert_eq!(outside.asked().len(), n + 2);
    }
    server.advance(86_400);
    assert_eq!(token(&server, &assertion(&server, "robot", &key, "too old")).status, 503);
    let set = set(&[&key]);
    outside.says(move |_| Says::json(&set));
    server.advance(60);
    assert_eq!(token(&server, &assertion(&server, "robot", &key, "back")).status, 200);
}

#[test]
fn a_client_whose_keys_cannot_be_fetched_is_asked_once_a_minute() {
    let key = ClientKey::p256("k1");
    let outside = Outside::start(|_| Says::status(503));
    let server = start(&outside);
    for n in 0..5 {
        let answer = token(&server, &assertion(&server, "robot", &key, &n.to_string()));
        assert_eq!((answer.error().as_str(), answer.status), ("temporarily_unavailable", 503));
        assert_eq!(answer.header("retry-after"), Some("2"));
    }
    assert_eq!(outside.asked().len(), 1);
    // What will not be another answer in a moment is the client's own fault.
    for status in [404, 302] {
        outside.says(move |_| Says::status(status));
        server.advance(60);
        let answer = token(&server, &assertion(&server, "robot", &key, &status.to_string()));
        assert_eq!((answer.error().as_str(), answer.status), ("invalid_client", 401), "{status}");
    }
    let set = set(&[&key]);
    outside.says(move |_| Says::json(&set));
    server.advance(60);
    assert_eq!(token(&server, &assertion(&server, "robot", &key, "at last")).status, 200);
}

/// A client chooses its address, and this server stands where others cannot reach.
#[test]
fn keys_at_an_address_of_the_network_inside_are_not_fetched() {
    let key = ClientKey::p256("k1");
    let outside = outside(&[&key]);
    let folder = tempfile::tempdir().unwrap();
    let ca_file = outside.write_certificate(folder.path());
    let clients = format!("{CLIENTS}{}", service_at("robot", &outside.url("/keys")));
    let extra = format!("[outbound]\nca_file = {ca_file:?}\n");
    let server = TestServer::with(Setup { clients, extra, ..Setup::default() });
    let answer = token(&server, &assertion(&server, "robot", &key, "1"));
    assert_eq!((answer.error().as_str(), answer.status), ("invalid_client", 401));
    assert!(!answer.body.contains("127.0.0.1"), "{}", answer.body);
    assert_eq!(outside.asked().len(), 0);
}

/// A set that was put on a web server with its private parts is no secret any more.
#[test]
fn a_private_key_that_is_published_verifies_nothing() {
    let key = ClientKey::p256("k1");
    let set = json!({ "keys": [key.private()] }).to_string();
    let outside = Outside::start(move |_| Says::json(&set));
    let server = start(&outside);
    assert_eq!(token(&server, &assertion(&server, "robot", &key, "1")).status, 401);
    assert_eq!(outside.asked().len(), 1);
}

/// What is wrong with the claims is seen before anybody is asked.
#[test]
fn nobody_is_asked_for_the_keys_of_an_assertion_that_is_refused_anyway() {
    let key = ClientKey::p256("k1");
    let outside = outside(&[&key]);
    let server = start(&outside);
    let mut wrong = claims(&server, "robot", "1");
    wrong["aud"] = "https://other.example".into();
    assert_eq!(token(&server, &signed(&key, "ES256", &wrong)).status, 401);
    let none = jwt(&json!({ "alg": "none" }), &claims(&server, "robot", "1"), |_| Vec::new());
    assert_eq!(token(&server, &none).status, 401);
    assert_eq!(outside.asked().len(), 0);
}
