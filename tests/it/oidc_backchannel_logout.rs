//! OpenID Connect Back-Channel Logout 1.0: clients are told by this server itself that a session ended, once, soon, and
//! again when they could not be reached; what they are told, and who is told nothing.

use std::sync::Arc;

use countersign::app::Background;
use countersign::domain::client::openid::SubjectType;
use countersign::domain::session::sid;
use countersign::flow::backchannel::Outcome;
use countersign::flow::{accounts, subject};
use countersign::oauth::algorithm::{ContentEncryption, KeyManagement, SigningAlgorithm};
use serde_json::{Value, json};

use super::support::flow::{claims, part, request};
use super::support::http::{Answer, Browser, form};
use super::support::jwe::{Kind, Recipient};
use super::support::jwt::verified;
use super::support::outside::{Asked, Outside, Says};
use super::support::raw::{Raw, at_once};
use super::support::security_log::SecurityLog;
use super::support::server::{CLIENTS, PASSWORD, Setup, TestServer};
use super::support::{change, on_each_database};

/// A client that wants to know, at this path of `outside`.
fn client(id: &str, outside: &Outside) -> String {
    format!(
        "\n[[clients]]\nid = \"{id}\"\nprofile = \"first-party\"\nredirect_uris = [\"https://app.example/cb\"]\n\
         scopes = [\"notes:read\"]\nresources = [\"https://notes.example\"]\nsecret_hash = \"SECRET_HASH:{id}\"\n\
         backchannel_logout_uri = \"{}\"\n",
        outside.url(&format!("/{id}"))
    )
}

fn setup(outside: &Outside, folder: &tempfile::TempDir) -> Setup {
    let clients = format!("{CLIENTS}{}{}", client("one", outside), client("two", outside));
    Setup { clients, extra: outside.toml(folder.path()), ..Setup::default() }
}

fn start(outside: &Outside) -> TestServer {
    let folder = tempfile::tempdir().unwrap();
    TestServer::with(setup(outside, &folder))
}

fn told() -> Outside {
    Outside::start(|_| Says::status(200))
}

/// Signs in where that is needed, and lets the client have a code.
fn visit(browser: &mut Browser, client: &str, scope: &str) -> Answer {
    let pairs = request(client, &[("scope", scope)]);
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let answer = browser.get(&format!("/authorize?{}", form(&pairs)));
    let mut answer = browser.follow(answer);
    if answer.body.contains("name=\"password\"") {
        answer = browser.log_in(&answer, "alice", PASSWORD);
    }
    if answer.body.contains("value=\"allow\"") {
        answer = browser.decide(&answer, "allow");
    }
    assert!(answer.sent("code").is_some(), "{}", answer.location());
    answer
}

fn leave(browser: &mut Browser) {
    let page = browser.get("/logout");
    let answer = browser.decide(&page, "logout");
    assert!(answer.status < 400, "{}", answer.body);
}

/// Signs in at these clients, and out.
fn in_and_out(server: &TestServer, clients: &[&str]) {
    let mut browser = server.browser();
    for client in clients {
        visit(&mut browser, client, "openid notes:read");
    }
    leave(&mut browser);
}

fn deliver(server: &TestServer) -> Vec<Outcome> {
    server.app.deliver_logouts().unwrap()
}

fn waiting(server: &TestServer) -> i64 {
    Raw::open(server.config.database.url.reveal()).number("SELECT count(*) AS n FROM logout_deliveries")
}

fn token_of(asked: &Asked) -> String {
    asked.form("logout_token").unwrap_or_else(|| panic!("{asked:?}"))
}

/// §2.4 and §2.5.
#[test]
fn a_client_is_told_by_a_signed_token_whose_session_ended() {
    on_each_database(|database| {
        let outside = told();
        let folder = tempfile::tempdir().unwrap();
        let setup = Setup { database: Some(database.url.clone()), ..setup(&outside, &folder) };
        let server = TestServer::with(setup);
        in_and_out(&server, &["one"]);
        assert_eq!(deliver(&server), [Outcome::Told], "{}", database.kind);
        let asked = outside.asked().remove(0);
        assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/one"));
        assert_eq!(asked.header("content-type"), Some("application/x-www-form-urlencoded"));
        assert!(asked.body.starts_with("logout_token=ey"), "{}", asked.body);
        let token = token_of(&asked);
        let (_, said) = verified(&server, &token, "one");
        let header = Value::Object(part(&token, 0));
        assert_eq!((&header["alg"], &header["typ"]), (&json!("RS256"), &json!("logout+jwt")));
        let now = server.clock_now();
        assert_eq!((&said["iat"], &said["exp"]), (&json!(now), &json!(now + 120)));
        assert_eq!(said["sub"], server.user("alice").id.to_string());
        assert_eq!(said["events"], json!({ "http://schemas.openid.net/event/backchannel-logout": {} }));
        assert!(said["jti"].as_str().unwrap().len() >= 32);
        let session = Raw::open(&database.url).texts("SELECT id AS t FROM sessions").remove(0);
        assert_eq!(said["sid"], sid(session.parse().unwrap(), &"one".parse().unwrap()));
        let mut members: Vec<&String> = said.as_object().unwrap().keys().collect();
        members.sort();
        assert_eq!(
            members,
            ["aud", "events", "exp", "iat", "iss", "jti", "sid", "sub"],
            "no nonce, nothing else"
        );
        assert_eq!((deliver(&server), waiting(&server), outside.asked().len()), (vec![], 0, 1), "once");
    });
}

#[test]
fn each_client_of_the_session_is_told_once_and_nobody_else() {
    let outside = told();
    let server = start(&outside);
    // Somebody else's session, which goes on.
    let mut other = server.browser();
    visit(&mut other, "one", "openid");
    let mut browser = server.browser();
    for client in ["one", "two", "one", "house", "app"] {
        visit(&mut browser, client, "openid notes:read");
    }
    leave(&mut browser);
    assert_eq!(deliver(&server).len(), 2);
    let mut paths: Vec<String> = outside.asked().iter().map(|asked| asked.path.clone()).collect();
    paths.sort();
    assert_eq!(paths, ["/one", "/two"]);
    let sids: Vec<Value> =
        outside.asked().iter().map(|asked| claims(&token_of(asked))["sid"].clone()).collect();
    assert_ne!(sids[0], sids[1], "each knows the session by another name");
}

#[test]
fn a_client_that_was_not_told_who_the_user_is_is_not_told_that_they_left() {
    let outside = told();
    let server = start(&outside);
    let mut browser = server.browser();
    visit(&mut browser, "one", "openid");
    visit(&mut browser, "two", "notes:read");
    leave(&mut browser);
    assert_eq!(deliver(&server), [Outcome::Told]);
    assert_eq!(outside.asked()[0].path, "/one");
}

#[test]
fn whoever_stays_is_not_reported_as_gone() {
    let outside = told();
    let server = start(&outside);
    let mut browser = server.browser();
    visit(&mut browser, "one", "openid");
    let page = browser.get("/logout");
    browser.decide(&page, "stay");
    assert_eq!((waiting(&server), deliver(&server)), (0, vec![]));
}

/// Not only a logout ends a session.
#[test]
fn however_a_session_ends_its_clients_are_told() {
    on_each_database(|database| {
        let outside = told();
        let folder = tempfile::tempdir().unwrap();
        let setup = Setup { database: Some(database.url.clone()), ..setup(&outside, &folder) };
        let server = TestServer::with(setup);
        let (alice, now) = (countersign::domain::UserName::canonical("alice"), server.app.now());
        let ends: [(&str, &dyn Fn()); 2] = [
            ("locked", &|| drop(accounts::lock(server.store(), &alice, now).unwrap())),
            ("deleted", &|| accounts::delete(server.store(), &alice, now).unwrap()),
        ];
        for (n, (name, end)) in ends.into_iter().enumerate() {
            visit(&mut server.browser(), "one", "openid");
            visit(&mut server.browser(), "one", "openid");
            end();
            assert_eq!(deliver(&server), [Outcome::Told, Outcome::Told], "{name} on {}", database.kind);
            assert_eq!(outside.asked().len(), 2 * (n + 1), "{name}");
            if name == "locked" {
                accounts::unlock(server.store(), &alice, now).unwrap();
            }
        }
    });
}

/// OpenID Connect Core §8: what it knows the user by elsewhere, it is told here.
#[test]
fn a_client_with_subjects_of_its_own_is_told_its_own() {
    let outside = told();
    let server = start(&outside);
    change::client(&server, "one", |draft| draft.openid.subject_type = SubjectType::Pairwise);
    in_and_out(&server, &["one"]);
    assert_eq!(deliver(&server), [Outcome::Told]);
    let said = claims(&token_of(&outside.asked()[0]));
    let found =
        server.store().read("test", |conn| countersign::store::clients::find(conn, &"one".parse().unwrap()));
    let alice = server.user("alice").id;
    assert_eq!(said["sub"], subject::sub_for(&server.app.policy, &found.unwrap().unwrap(), alice));
    assert_ne!(said["sub"], alice.to_string());
}

/// §2.8: 200, or 204 where a framework makes one of it. §2.5: what was refused is not sent again.
#[test]
fn an_answer_says_whether_it_is_sent_again() {
    let log = SecurityLog::listen();
    for (status, is_final) in [
        (200, true),
        (204, true),
        (400, true),
        (401, true),
        (404, true),
        (302, true),
        (408, false),
        (429, false),
        (500, false),
        (503, false),
    ] {
        let outside = Outside::start(move |_| Says::status(status));
        let server = start(&outside);
        in_and_out(&server, &["one"]);
        let outcome = deliver(&server).remove(0);
        let expected = match outcome {
            Outcome::Told => status < 300,
            Outcome::GivenUp(_) => is_final && status >= 300,
            Outcome::PutOff(_) => !is_final,
            Outcome::Busy | Outcome::Taken => false,
        };
        assert!(expected, "{status}: {outcome:?}");
        assert_eq!(waiting(&server), i64::from(!is_final), "{status}");
        assert_eq!(outside.asked().len(), 1);
        if status >= 300 && is_final {
            let session =
                Raw::open(server.config.database.url.reveal()).texts("SELECT id AS t FROM sessions");
            let events = log.of(&session[0]);
            assert!(events.iter().any(|event| event["event"] == "logout_not_delivered"), "{events:?}");
        }
    }
}

#[test]
fn a_client_that_cannot_be_reached_is_tried_again_ever_more_seldom_and_over_a_restart() {
    on_each_database(|database| {
        let outside = Outside::start(|_| Says::status(503));
        let folder = tempfile::tempdir().unwrap();
        let on = |issuer, start_at| Setup {
            database: Some(database.url.clone()),
            issuer,
            start_at,
            ..setup(&outside, &folder)
        };
        let server = TestServer::with(on(None, super::support::server::START));
        in_and_out(&server, &["one"]);
        assert_eq!(deliver(&server).len(), 1);
        assert_eq!(deliver(&server), [], "not at once again");
        for (n, pause) in [15, 30, 60].into_iter().enumerate() {
            server.advance(pause - 1);
            assert_eq!(deliver(&server), [], "{pause} s are not over");
            // Chance adds up to a quarter.
            server.advance(1 + pause / 4);
            assert_eq!(deliver(&server).len(), 1, "{pause}");
            assert_eq!(outside.asked().len(), n + 2);
        }
        let (issuer, now) = (server.issuer.clone(), server.app.now());
        drop(server);
        outside.says(|_| Says::status(200));
        let server = TestServer::with(on(Some(issuer), now));
        server.advance(150);
        assert_eq!(deliver(&server), [Outcome::Told], "{}", database.kind);
        let tokens: Vec<String> = outside.asked().iter().map(token_of).collect();
        let jtis: std::collections::BTreeSet<String> =
            tokens.iter().map(|token| claims(token)["jti"].to_string()).collect();
        assert_eq!(jtis.len(), tokens.len(), "each try has a token of its own, which has not expired");
        assert_eq!(claims(tokens.last().unwrap())["exp"], server.clock_now() + 120);
        assert_eq!(waiting(&server), 0);
    });
}

/// A host that gives no answer may take a whole time-out for each try: its other logouts wait then, and nobody behind them.
#[test]
fn of_a_client_that_says_nothing_one_logout_is_tried_and_the_others_wait() {
    let nothing = || Says::Bytes(Vec::new());
    let outside =
        Outside::start(move |asked| if asked.path == "/two" { nothing() } else { Says::status(200) });
    let server = start(&outside);
    for _ in 0..3 {
        in_and_out(&server, &["two"]);
    }
    in_and_out(&server, &["one"]);
    let asked_of_two = || outside.asked().iter().filter(|asked| asked.path == "/two").count();
    deliver(&server);
    assert_eq!((asked_of_two(), waiting(&server)), (1, 3), "the one that answers knows");
    // 15 seconds and a quarter at most until the first is tried again, 30 until the others are.
    server.advance(31);
    deliver(&server);
    assert_eq!((asked_of_two(), waiting(&server)), (2, 3));
    outside.says(|_| Says::status(200));
    server.advance(60);
    deliver(&server);
    assert_eq!(waiting(&server), 0);
}

#[test]
fn after_a_day_it_is_given_up_and_told_to_whoever_watches_the_log() {
    let log = SecurityLog::listen();
    let outside = Outside::start(|_| Says::status(500));
    let server = start(&outside);
    in_and_out(&server, &["one"]);
    let session =
        Raw::open(server.config.database.url.reveal()).texts("SELECT id AS t FROM sessions").remove(0);
    let mut tries = 0;
    for _ in 0..60 {
        tries += deliver(&server).len();
        server.advance(1800);
    }
    assert_eq!(waiting(&server), 0);
    assert!((20..=40).contains(&tries), "{tries}");
    assert_eq!(outside.asked().len(), tries);
    let events = log.of(&session);
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!((&events[0]["event"], &events[0]["client"]), (&json!("logout_not_delivered"), &json!("one")));
}

/// Whoever has taken one and dies leaves it: the lease ends.
#[test]
fn a_node_that_dies_over_a_delivery_leaves_it_to_another() {
    let outside = told();
    let server = start(&outside);
    in_and_out(&server, &["one"]);
    let cx = server.app.refreshed_cx().unwrap();
    let due = countersign::flow::backchannel::due(&cx, 10).unwrap().remove(0);
    let lease = countersign::domain::logout_delivery::LEASE;
    let (this, now) = (due.clone(), server.app.now());
    let take = move |conn: &mut countersign::store::Conn| {
        countersign::store::logout_deliveries::take(conn, &this, now, lease)
    };
    assert!(server.store().write("test", take).unwrap());
    assert_eq!(countersign::flow::backchannel::deliver_one(&cx, &due).unwrap(), Outcome::Taken);
    server.advance(lease.0 - 1);
    assert_eq!(deliver(&server), []);
    server.advance(1);
    assert_eq!(deliver(&server), [Outcome::Told]);
}

#[test]
fn two_nodes_deliver_each_logout_once() {
    on_each_database(|database| {
        let outside = told();
        let folder = tempfile::tempdir().unwrap();
        let on = |issuer| Setup { database: Some(database.url.clone()), issuer, ..setup(&outside, &folder) };
        let one = TestServer::with(on(None));
        let two = TestServer::with(on(Some(one.issuer.clone())));
        for _ in 0..4 {
            in_and_out(&one, &["one", "two"]);
        }
        let outcomes = at_once(6, |n| deliver(if n % 2 == 0 { &one } else { &two }));
        // What is too much for the host at once comes a little later.
        let mut told: usize = outcomes.concat().iter().filter(|outcome| **outcome == Outcome::Told).count();
        one.advance(2);
        told += deliver(&one).len();
        assert_eq!((told, outside.asked().len()), (8, 8), "{}: {outcomes:?}", database.kind);
        let sids: std::collections::BTreeSet<String> =
            outside.asked().iter().map(|asked| claims(&token_of(asked))["sid"].to_string()).collect();
        assert_eq!(sids.len(), 8);
    });
}

/// The threads that `serve` starts.
#[test]
fn it_happens_by_itself_and_soon_even_beside_a_client_that_is_slow() {
    let outside =
        Outside::start(|asked| if asked.path == "/two" { Says::Silence } else { Says::status(200) });
    let server = start(&outside);
    let background = Background::start(&Arc::clone(&server.app), &server.config).unwrap();
    in_and_out(&server, &["two", "one"]);
    let asked = outside.wait_for(2);
    assert!(asked.iter().any(|asked| asked.path == "/one"), "{asked:?}");
    drop(background);
}

#[test]
fn a_client_that_is_gone_or_wants_nothing_any_more_is_told_nothing() {
    let outside = told();
    let server = start(&outside);
    in_and_out(&server, &["one", "two"]);
    change::switch_off(&server, "one");
    change::client(&server, "two", |draft| draft.openid.backchannel_logout_uri = None);
    let outcomes = deliver(&server);
    assert!(matches!(outcomes[..], [Outcome::GivenUp(_), Outcome::GivenUp(_)]), "{outcomes:?}");
    assert_eq!((outside.asked().len(), waiting(&server)), (0, 0));
}

/// The client chooses the address; this server stands where others cannot reach.
#[test]
fn an_address_of_the_network_inside_is_not_asked() {
    let outside = told();
    let folder = tempfile::tempdir().unwrap();
    let ca_file = outside.write_certificate(folder.path());
    let extra = format!("[outbound]\nca_file = {ca_file:?}\n");
    let server = TestServer::with(Setup { extra, ..setup(&outside, &folder) });
    in_and_out(&server, &["one"]);
    assert!(matches!(&deliver(&server)[..], [Outcome::PutOff(why)] if why.contains("loopback")));
    assert_eq!(outside.asked().len(), 0);
}

/// §2.4: as the client's ID tokens are.
#[test]
fn it_is_signed_with_the_algorithm_that_the_client_registered() {
    let outside = told();
    let server = start(&outside);
    change::client(&server, "one", |draft| draft.openid.id_token.signing = Some(SigningAlgorithm::Es256));
    in_and_out(&server, &["one"]);
    assert_eq!(deliver(&server), [Outcome::Told]);
    let token = token_of(&outside.asked()[0]);
    assert_eq!(part(&token, 0)["alg"], "ES256");
    verified(&server, &token, "one");
}

/// §2.4: "The same keys are used to sign and encrypt Logout Tokens as are used for ID Tokens."
#[test]
fn it_is_encrypted_where_the_client_wants_its_id_tokens_so() {
    let outside = told();
    let server = start(&outside);
    let recipient = Recipient::new(Kind::P256);
    let set = json!({ "keys": [recipient.public_jwk()] }).as_object().unwrap().clone();
    change::client(&server, "one", |draft| {
        draft.openid.jwks = Some(set);
        draft.openid.id_token.encryption = Some((KeyManagement::EcdhEs, ContentEncryption::A256Gcm));
    });
    in_and_out(&server, &["one"]);
    assert_eq!(deliver(&server), [Outcome::Told]);
    let (_, signed) = recipient.open(&token_of(&outside.asked()[0]), "ECDH-ES", "A256GCM");
    assert_eq!(part(&signed, 0)["typ"], "logout+jwt");
    verified(&server, &signed, "one");
}

/// It is not an ID token: neither is one of them taken for the other.
#[test]
fn a_logout_token_is_no_hint_at_the_logout_endpoint() {
    let outside = told();
    let server = start(&outside);
    in_and_out(&server, &["one"]);
    deliver(&server);
    let token = token_of(&outside.asked()[0]);
    let answer = server.browser().get(&format!("/logout?{}", form(&[("id_token_hint", &token)])));
    assert_eq!(answer.status, 400);
}

/// A node's memory may be a second old, and the client newer.
#[test]
fn a_node_that_has_not_heard_of_the_client_tells_it_all_the_same() {
    on_each_database(|database| {
        let (outside, folder) = (told(), tempfile::tempdir().unwrap());
        let node =
            || TestServer::with(Setup { database: Some(database.url.clone()), ..setup(&outside, &folder) });
        let (here, behind) = (node(), node());
        change::client(&here, "web", |draft| {
            draft.openid.backchannel_logout_uri = Some(outside.url("/new"));
        });
        in_and_out(&here, &["web"]);
        assert_eq!(deliver(&behind), [Outcome::Told], "{}", database.kind);
        assert_eq!(outside.asked().len(), 1);
    });
}

/// §2.1.
#[test]
fn the_metadata_tells_of_it() {
    let document = TestServer::start().client().get("/.well-known/openid-configuration").json();
    assert_eq!(document["backchannel_logout_supported"], true);
    assert_eq!(document["backchannel_logout_session_supported"], true);
}
