//! ID token hints whose signing key has left the key set: RP-Initiated Logout 1.0 §2, OpenID Connect Core 1.0 §3.1.2.1. What is
//! left of such a key verifies hints, for as long as a session can live, and nothing else.

use countersign::base::Timestamp;
use countersign::base::entropy::OsEntropy;
use countersign::domain::{KeyState, SigningKeyRecord};
use countersign::flow::keys::{self, KeyFault, Removed, Step};
use countersign::http::paths;
use countersign::jose::open_key;
use countersign::store;

use super::support::flow::{part, redemption};
use super::support::http::{Answer, Browser, form};
use super::support::pages::{ask, assert_refused, error_of, signed_in};
use super::support::server::{Setup, sealer};
use super::support::{TestServer, on_each_database};

const BYE: &str = "https://app.example/bye";
const BAD_REQUEST: &str = "This request cannot be answered";

fn id_token(server: &TestServer, browser: &mut Browser) -> String {
    let code = ask(browser, "app", &[]).sent("code").unwrap();
    server.public_token("app", &redemption(&code)).text("id_token")
}

fn kid_of(token: &str) -> String {
    part(token, 0)["kid"].as_str().unwrap().to_owned()
}

fn record(server: &TestServer, kid: &str) -> Option<SigningKeyRecord> {
    server.store().read("test", store::keys::all).unwrap().into_iter().find(|key| key.kid == kid)
}

fn published(server: &TestServer) -> String {
    server.client().get(paths::JWKS).body
}

/// Lets another key sign in the place of this one, and waits until it has left the set.
fn rotated_away(server: &TestServer, kid: &str) {
    let (store, rules, now) = (server.store(), &server.app.key_rules, server.app.now());
    let algorithm = record(server, kid).unwrap().algorithm;
    let new = keys::generate(store, &sealer(), &OsEntropy, algorithm, rules.rsa_bits, now).unwrap().kid;
    keys::activate(store, &new, rules, true, now).unwrap();
    server.refresh();
    let KeyState::Retired { remove_at, .. } = record(server, kid).unwrap().state else { panic!("it signs") };
    server.advance((remove_at - now).0);
    let withdrawn = Step::Withdrawn { kid: kid.to_owned() };
    assert_eq!(server.app.rotate_keys().unwrap(), [withdrawn]);
    server.refresh();
    assert!(!published(server).contains(kid) && published(server).contains(&new));
}

fn logout(browser: &mut Browser, params: &[(&str, &str)]) -> Answer {
    browser.get(&format!("/logout?{}", form(params)))
}

fn is_question(answer: &Answer) -> bool {
    answer.status == 200 && answer.body.contains("name=\"decision\" value=\"logout\"")
}

fn quietly(browser: &mut Browser, hint: &str) -> Answer {
    ask(browser, "app", &[("id_token_hint", hint), ("prompt", "none")])
}

/// RP-Initiated Logout §2: hints are accepted "when the RP identified by the ID Token's aud claim and/or sid claim has a
/// current session […] at the OP, even when the exp time has passed."
#[test]
fn a_hint_counts_after_a_rotation_as_long_as_its_session() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let mut browser = signed_in(&server);
        let hint = id_token(&server, &mut browser);
        rotated_away(&server, &kid_of(&hint));
        let answer = quietly(&mut browser, &hint);
        assert!(answer.sent("code").is_some(), "{}: {}", database.kind, answer.location());
        assert_ne!(kid_of(&id_token(&server, &mut browser)), kid_of(&hint));
        // It is of this very session: nobody is asked.
        let params = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BYE)];
        assert_eq!(logout(&mut browser, &params).location(), BYE, "{}", database.kind);
    });
}

#[test]
fn what_is_left_of_the_key_cannot_sign_and_stands_in_nobodys_way() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let hint = id_token(&server, &mut signed_in(&server));
        let kid = kid_of(&hint);
        rotated_away(&server, &kid);
        let (store, rules, now) = (server.store(), &server.app.key_rules, server.app.now());
        let left = record(&server, &kid).unwrap();
        assert_eq!((left.state.name(), left.sealed_private.as_str()), ("retired", ""));
        assert!(open_key(&left, &sealer(), now).is_err());
        assert!(matches!(keys::activate(store, &kid, rules, true, now), Err(KeyFault::Refused(_))));
        // Neither a restart nor a changed master key stumbles over it.
        keys::ensure(store, &sealer(), &OsEntropy, rules, now).unwrap();
        assert_eq!(keys::reseal(store, &sealer(), now).unwrap(), 2, "{}", database.kind);
        assert!(matches!(server.app.rotate_keys().unwrap()[..], []));
        let url = Some(database.url.clone());
        let again = TestServer::with(Setup { database: url, start_at: now, ..Setup::default() });
        assert_eq!(published(&again), published(&server));
    });
}

#[test]
fn when_no_session_can_be_that_old_the_key_is_deleted() {
    let server = TestServer::start();
    let hint = id_token(&server, &mut signed_in(&server));
    let kid = kid_of(&hint);
    rotated_away(&server, &kid);
    let rules = &server.app.key_rules;
    assert_eq!(rules.longest_session.0, 30 * 86_400, "\"stay signed in\"");
    let until = rules.hints_until(record(&server, &kid).unwrap().state).unwrap();
    let remove = |now: Timestamp| keys::remove(server.store(), &kid, rules, false, now);
    let early = remove(server.app.now());
    assert!(matches!(early, Err(KeyFault::KeptForHints(at)) if at == until), "{early:?}");
    server.advance((until - server.app.now()).0 - 1);
    let is_removed = || server.app.rotate_keys().unwrap().contains(&Step::Removed { kid: kid.clone() });
    assert!(!is_removed());
    server.advance(1);
    assert!(is_removed());
    assert!(record(&server, &kid).is_none());
    server.refresh();
    assert_eq!(error_of(&quietly(&mut signed_in(&server), &hint)), "invalid_request");
}

/// Where keys do not rotate by themselves, an operator takes them away, and in the same two steps.
#[test]
fn a_key_that_is_removed_by_hand_verifies_hints_all_the_same() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let hint = id_token(&server, &mut browser);
    let (kid, store, rules) = (kid_of(&hint), server.store(), &server.app.key_rules);
    keys::retire(store, &kid, rules, server.app.now()).unwrap();
    let KeyState::Retired { remove_at, .. } = record(&server, &kid).unwrap().state else { panic!() };
    server.advance((remove_at - server.app.now()).0);
    let removed = keys::remove(store, &kid, rules, false, remove_at).unwrap();
    assert_eq!(removed, Removed::KeptForHints(remove_at + rules.longest_session));
    assert_eq!(record(&server, &kid).unwrap().sealed_private, "");
    server.refresh();
    assert!(quietly(&mut browser, &hint).sent("code").is_some());
    assert_eq!(keys::remove(store, &kid, rules, true, remove_at).unwrap(), Removed::Gone);
    assert!(record(&server, &kid).is_none());
}

/// Whoever has a stolen key can write any hint.
#[test]
fn a_compromised_key_verifies_no_hint_before_or_after_it_left_the_set() {
    for away in [false, true] {
        let server = TestServer::start();
        let mut browser = signed_in(&server);
        let hint = id_token(&server, &mut browser);
        let kid = kid_of(&hint);
        if away {
            rotated_away(&server, &kid);
        }
        let (rules, now) = (&server.app.key_rules, server.app.now());
        keys::compromise(server.store(), &sealer(), &OsEntropy, &kid, rules, now).unwrap();
        server.refresh();
        assert_eq!(error_of(&quietly(&mut browser, &hint)), "invalid_request", "{away}");
        let page = logout(&mut browser, &[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)]);
        assert!(is_question(&page), "{away}: {}", page.body);
        assert!(ask(&mut browser, "app", &[]).sent("code").is_some(), "{away}: nobody is signed out");
        // RP-Initiated Logout §3: without a hint that counts, nothing says that the address is the client's.
        assert!(browser.decide(&page, "logout").header("location").is_none(), "{away}");
    }
}

/// RP-Initiated Logout §2: the OP "MUST ask the End-User this question if an id_token_hint was not provided"; one of a key
/// that nobody knows any more is as good as none.
#[test]
fn a_logout_with_a_hint_of_an_unknown_key_is_a_question() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let hint = id_token(&server, &mut browser);
    let mut header = part(&hint, 0);
    header.insert("kid".to_owned(), "long-gone".into());
    let header = serde_json::to_vec(&header).unwrap();
    let rest = hint.split_once('.').unwrap().1;
    let unknown = format!("{}.{rest}", countersign::base::encoding::base64url(&header));
    for (client, leads_to) in [(None, None), (Some("app"), Some(BYE))] {
        let mut browser = signed_in(&server);
        let mut params = vec![("id_token_hint", unknown.as_str()), ("post_logout_redirect_uri", BYE)];
        params.extend(client.map(|id| ("client_id", id)));
        let page = logout(&mut browser, &params);
        assert!(is_question(&page), "{client:?}: {}", page.body);
        let answer = browser.decide(&page, "logout");
        assert_eq!(answer.header("location"), leads_to, "{client:?}");
    }
    // An address that is not the client's is refused as ever.
    let params =
        [("id_token_hint", unknown.as_str()), ("client_id", "app"), ("post_logout_redirect_uri", "x:y")];
    assert_refused(&logout(&mut browser, &params), 400, BAD_REQUEST);
}

#[test]
fn a_forged_signature_under_the_name_of_a_withdrawn_key_is_refused() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let (hint, other) = (id_token(&server, &mut browser), id_token(&server, &mut signed_in(&server)));
    rotated_away(&server, &kid_of(&hint));
    let forged = format!("{}.{}", hint.rsplit_once('.').unwrap().0, other.rsplit_once('.').unwrap().1);
    assert_refused(&logout(&mut browser, &[("id_token_hint", &forged)]), 400, BAD_REQUEST);
    assert_eq!(error_of(&quietly(&mut browser, &forged)), "invalid_request");
}
