//! OpenID Connect RP-Initiated Logout 1.0 §2: when the user is asked, and whom the question is about; and the one kind of
//! hint after which nobody is asked.

use countersign::base::HashedToken;
use countersign::domain::session::sid;
use countersign::jose::TokenType;
use countersign::oauth::algorithm::SigningAlgorithm;
use countersign::store::sessions;
use serde_json::{Value, json};

use super::support::http::{Answer, Browser, form};
use super::support::pages::{ask, assert_refused, assert_safe, choose, signed_in};
use super::support::server::PASSWORD;
use super::support::{TestServer, on_each_database};

const BYE: &str = "https://app.example/bye";

/// An ID token of this server with these claims.
fn minted(server: &TestServer, claims: &Value) -> String {
    let cx = server.app.refreshed_cx().unwrap();
    let signer = cx.snapshot.keys.signer(SigningAlgorithm::Rs256).unwrap();
    signer.sign(TokenType::IdToken, claims.to_string().as_bytes()).unwrap()
}

/// What `client` would have been given in the session at this place of the browser's cookie.
fn claims_of(server: &TestServer, browser: &Browser, place: usize, client: &str) -> Value {
    let secret = browser.cookies["csgn_session"].split('.').nth(place).unwrap();
    let hash = HashedToken::of(secret);
    let session = server.store().read("test", |conn| sessions::by_token(conn, &hash)).unwrap().unwrap();
    json!({
        "iss": server.issuer, "aud": client, "sub": session.user_id.to_string(), "iat": 1, "exp": 2,
        "sid": sid(session.id, &client.parse().unwrap()),
    })
}

fn with(claims: &Value, name: &str, value: Value) -> Value {
    let mut claims = claims.clone();
    claims[name] = value;
    claims
}

fn logout(browser: &mut Browser, params: &[(&str, &str)]) -> Answer {
    browser.get(&format!("/logout?{}", form(params)))
}

/// The account that the question is about.
fn asked_about(answer: &Answer) -> String {
    assert!(answer.status == 200 && answer.body.contains("value=\"logout\""), "{}", answer.body);
    let account = answer.body.split_once("Signed in as</span> <strong><bdi>").unwrap().1;
    account.split_once('<').unwrap().0.to_owned()
}

fn is_signed_in(browser: &mut Browser) -> bool {
    ask(browser, "app", &[("prompt", "none")]).sent("code").is_some()
}

/// A browser in which alice and bob are signed in, bob last.
fn alice_and_bob(server: &TestServer) -> Browser {
    server.add_user("bob");
    let mut browser = signed_in(server);
    let page = ask(&mut browser, "app", &[("prompt", "login")]);
    let page = browser.log_in(&page, "bob", PASSWORD);
    assert!(browser.decide(&page, "allow").sent("code").is_some());
    browser
}

/// §2: the question is a SHOULD where the hint belongs to the session; nobody but its client has it.
#[test]
fn an_id_token_of_this_very_session_signs_out_without_a_question() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        for with_uri in [true, false] {
            let mut browser = signed_in(&server);
            let hint = minted(&server, &claims_of(&server, &browser, 0, "app"));
            let mut params = vec![("id_token_hint", hint.as_str()), ("state", "s")];
            if with_uri {
                params.push(("post_logout_redirect_uri", BYE));
            }
            let answer = logout(&mut browser, &params);
            if with_uri {
                assert_eq!(answer.location(), "https://app.example/bye?state=s", "{}", database.kind);
            } else {
                assert!(answer.body.contains("<bdi>alice</bdi>") && answer.body.contains("Notes App"));
                assert_safe(&answer);
            }
            assert!(!browser.cookies.contains_key("csgn_session"));
            assert!(!is_signed_in(&mut browser), "{}", database.kind);
        }
    });
}

/// §2: the OP "MUST ask […] if the supplied ID Token does not belong to the current OP session with the RP and/or currently
/// logged in End-User".
#[test]
fn any_other_hint_is_a_question() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let mut elsewhere = signed_in(&server);
    server.add_user("mallory");
    let mut attacker = server.browser();
    let page = ask(&mut attacker, "house", &[]);
    attacker.log_in(&page, "mallory", PASSWORD);
    let own = claims_of(&server, &browser, 0, "app");
    let of_web = claims_of(&server, &browser, 0, "web");
    for claims in [
        with(&own, "sid", Value::Null),
        with(&own, "sid", json!("")),
        with(&own, "sid", of_web["sid"].clone()),
        claims_of(&server, &elsewhere, 0, "app"),
        // A link with the attacker's own token, in the victim's browser.
        claims_of(&server, &attacker, 0, "app"),
        with(&claims_of(&server, &attacker, 0, "app"), "sub", own["sub"].clone()),
    ] {
        let hint = minted(&server, &claims);
        let page = logout(&mut browser, &[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)]);
        assert_eq!(asked_about(&page), "alice", "{claims}");
        assert!(is_signed_in(&mut browser) && is_signed_in(&mut elsewhere), "{claims}");
    }
}

#[test]
fn the_session_that_the_hint_names_ends_and_the_active_one_goes_on() {
    let server = TestServer::start();
    let mut browser = alice_and_bob(&server);
    let hint = minted(&server, &claims_of(&server, &browser, 1, "app"));
    let answer = logout(&mut browser, &[("id_token_hint", &hint)]);
    let (ended, remaining) = answer.body.split_once("Still signed in here").unwrap();
    assert!(ended.contains("<bdi>alice</bdi>") && remaining.contains("<bdi>bob</bdi>"), "{}", answer.body);
    assert!(is_signed_in(&mut browser));
    assert_eq!(browser.cookies["csgn_session"].split('.').count(), 1);
}

/// §2, `logout_hint`: "Hint to the Authorization Server about the End-User that is logging out." It proves nothing.
#[test]
fn a_logout_hint_says_whom_the_question_is_about_and_no_more() {
    let server = TestServer::start();
    let mut browser = alice_and_bob(&server);
    let alices = claims_of(&server, &browser, 1, "app");
    let without_sid = minted(&server, &with(&alices, "sid", Value::Null));
    let sid = alices["sid"].as_str().unwrap();
    for (params, whom) in [
        (vec![], "bob"),
        (vec![("logout_hint", "ALICE ")], "alice"),
        (vec![("logout_hint", "alice@example.org")], "alice"),
        (vec![("logout_hint", sid), ("client_id", "app")], "alice"),
        (vec![("logout_hint", sid), ("client_id", "web")], "bob"),
        (vec![("logout_hint", "nobody")], "bob"),
        (vec![("id_token_hint", without_sid.as_str())], "alice"),
        (vec![("id_token_hint", without_sid.as_str()), ("logout_hint", "bob")], "alice"),
    ] {
        assert_eq!(asked_about(&logout(&mut browser, &params)), whom, "{params:?}");
    }
    let long = "x".repeat(513);
    assert_refused(&logout(&mut browser, &[("logout_hint", &long)]), 400, "This request cannot be answered");
    // What was asked about ends, and nothing else.
    let page = logout(&mut browser, &[("logout_hint", "alice")]);
    browser.decide(&page, "logout");
    let page = ask(&mut browser, "app", &[("prompt", "select_account")]);
    assert!(!page.body.contains("alice") && choose(&mut browser, &page, "bob").sent("code").is_some());
}

/// OpenID Connect Core §3.1.2.1: "the Client MUST decrypt the signed ID Token contained within the encrypted ID Token".
#[test]
fn an_encrypted_hint_is_refused_with_the_way_out() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let answer = logout(&mut browser, &[("id_token_hint", "eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d")]);
    assert_refused(&answer, 400, "This request cannot be answered");
    assert!(answer.body.contains("decrypt it, and send the signed ID token in it"), "{}", answer.body);
}

#[test]
fn an_answer_that_is_none_of_the_three_ends_nothing() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let page = logout(&mut browser, &[]);
    assert_refused(&browser.decide(&page, "maybe"), 400, "This request cannot be answered");
    assert!(is_signed_in(&mut browser));
}

#[test]
fn all_accounts_of_the_browser_are_left_at_once() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let mut browser = alice_and_bob(&server);
        let page = logout(&mut browser, &[]);
        let page = browser.decide(&page, "all");
        assert!(page.body.contains("<bdi>alice</bdi>") && page.body.contains("<bdi>bob</bdi>"));
        assert!(!page.body.contains("Still signed in here"), "{}", page.body);
        assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), ["csgn_browser"], "{}", database.kind);
    });
}
