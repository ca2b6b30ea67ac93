//! Keys that rotate by themselves: what the plan wants is done once, by one node, in order, and never too early.

use countersign::base::entropy::OsEntropy;
use countersign::base::{Seconds, Timestamp};
use countersign::domain::{KeyPlan, KeyRules, KeyState, SigningKeyRecord};
use countersign::flow::keys::{self, Step};
use countersign::http::paths;
use countersign::oauth::algorithm::SigningAlgorithm;
use countersign::store::{self, Store};

use super::support::change;
use super::support::raw::{Raw, at_once, migrated};
use super::support::server::{CLIENTS, START, Setup, sealer};
use super::support::{TestServer, on_each_database};

const ES256: SigningAlgorithm = SigningAlgorithm::Es256;
const EDDSA: SigningAlgorithm = SigningAlgorithm::EdDsa;
const DAY: Seconds = Seconds(86_400);
const SIGN_FOR: Seconds = Seconds(30 * 86_400);
/// Twice the longest token, as long as a node may sign without the database, and the leeway of verifiers.
const KEPT: Seconds = Seconds(2 * 600 + 10 + 300);

fn rules_of(algorithms: &[SigningAlgorithm]) -> KeyRules {
    let plan = |&algorithm| KeyPlan { algorithm, sign_for: SIGN_FOR, publish_ahead: DAY, keep_retired: None };
    KeyRules {
        rotate: true,
        plans: algorithms.iter().map(plan).collect(),
        jwks_max_age: Seconds(900),
        longest_token: Seconds(600),
        longest_session: Seconds(0),
        max_stale: Seconds(10),
        rsa_bits: 2048,
    }
}

fn rules() -> KeyRules {
    rules_of(&[ES256])
}

/// A database whose first keys signed from `START` on.
fn begun(url: &str, rules: &KeyRules) -> Store {
    let store = migrated(url);
    keys::ensure(&store, &sealer(), &OsEntropy, rules, START).unwrap();
    store
}

fn step(store: &Store, rules: &KeyRules, now: Timestamp) -> Vec<Step> {
    keys::step(store, &sealer(), &OsEntropy, rules, now).unwrap()
}

/// What a step did, without names.
fn done(store: &Store, rules: &KeyRules, now: Timestamp) -> Vec<&'static str> {
    step(store, rules, now).iter().map(word).collect()
}

fn word(step: &Step) -> &'static str {
    match step {
        Step::Published { .. } => "published",
        Step::Activated { .. } => "activated",
        Step::Withdrawn { .. } => "withdrawn",
        Step::Removed { .. } => "removed",
    }
}

fn all(store: &Store) -> Vec<SigningKeyRecord> {
    store.read("test", store::keys::all).unwrap()
}

/// The states by name, oldest key first.
fn states(store: &Store) -> Vec<&'static str> {
    all(store).iter().map(|key| key.state.name()).collect()
}

const NOTHING: [&str; 0] = [];

#[test]
fn each_step_is_taken_in_its_second_and_once() {
    on_each_database(|database| {
        let (rules, kind) = (rules(), database.kind);
        let store = begun(&database.url, &rules);
        let ends = START + SIGN_FOR;
        for (at, does) in [
            (START, NOTHING.as_slice()),
            (ends - DAY - Seconds(1), &NOTHING),
            (ends - DAY, &["published"]),
            (ends - Seconds(1), &NOTHING),
            (ends, &["activated"]),
            (ends + KEPT - Seconds(1), &NOTHING),
            (ends + KEPT, &["removed"]),
            (ends + SIGN_FOR - DAY - Seconds(1), &NOTHING),
            (ends + SIGN_FOR - DAY, &["published"]),
        ] {
            let before = all(&store);
            assert_eq!(done(&store, &rules, at), does, "{kind} {at}");
            assert_eq!(done(&store, &rules, at), NOTHING, "{kind} {at}: twice");
            // A node whose clock is behind.
            assert_eq!(done(&store, &rules, at - Seconds(1)), NOTHING, "{kind} {at}: late clock");
            assert_eq!(all(&store) == before, does.is_empty(), "{kind} {at}");
        }
        assert_eq!(states(&store), ["active", "published"], "{kind}");
    });
}

#[test]
fn of_many_nodes_that_act_at_the_same_moment_one_does_it() {
    on_each_database(|database| {
        let rules = rules_of(&[ES256, EDDSA]);
        let store = begun(&database.url, &rules);
        let ends = START + SIGN_FOR;
        let (published, activated, removed) = (ends - DAY, ends, ends + KEPT);
        for (at, does) in [(published, "published"), (activated, "activated"), (removed, "removed")] {
            let steps: Vec<&str> = at_once(8, |_| done(&store, &rules, at)).concat();
            assert_eq!(steps, [does; 2], "{}: once per algorithm", database.kind);
        }
        assert_eq!(states(&store), ["active", "active"]);
    });
}

/// RP-Initiated Logout 1.0 §2: ID tokens are hints for longer than they live.
#[test]
fn a_key_that_left_the_set_is_kept_for_hints_without_its_private_part() {
    on_each_database(|database| {
        let (rules, kind) = (KeyRules { longest_session: DAY, ..rules() }, database.kind);
        let store = begun(&database.url, &rules);
        let never_signed = keys::generate(&store, &sealer(), &OsEntropy, EDDSA, 2048, START).unwrap().kid;
        keys::retire(&store, &never_signed, &rules, START).unwrap();
        assert_eq!(done(&store, &rules, START + KEPT), ["removed"], "{kind}: it has no tokens");
        let ends = START + SIGN_FOR;
        let first = all(&store)[0].clone();
        for (at, does, keys_left) in [
            (ends - DAY, "published", 2),
            (ends, "activated", 2),
            (ends + KEPT, "withdrawn", 2),
            (ends + KEPT + DAY, "removed", 1),
        ] {
            assert_eq!(done(&store, &rules, at - Seconds(1)), NOTHING, "{kind} {at}: too early");
            assert_eq!(done(&store, &rules, at), [does], "{kind} {at}");
            assert_eq!(done(&store, &rules, at), NOTHING, "{kind} {at}: twice");
            let there = all(&store);
            assert_eq!(there.len(), keys_left, "{kind} {at}");
            if let Some(left) = there.iter().find(|key| key.kid == first.kid) {
                assert_eq!(left.public_jwk, first.public_jwk);
                assert_eq!(left.sealed_private.is_empty(), does == "withdrawn", "{kind} {at}");
            }
        }
        // Where no node ran for so long, there is nothing to keep.
        let late = ends + SIGN_FOR;
        assert_eq!(done(&store, &rules, late - DAY), ["published"]);
        assert_eq!(done(&store, &rules, late), ["activated"]);
        assert_eq!(done(&store, &rules, late + KEPT + DAY), ["removed"], "{kind}");
    });
}

/// Nobody knows the next key yet: late is better than a token that nobody can verify.
#[test]
fn after_years_without_any_node_the_next_key_is_published_first_and_signs_a_day_later() {
    on_each_database(|database| {
        let rules = rules();
        let store = begun(&database.url, &rules);
        let late = START + Seconds(3 * 365 * DAY.0);
        assert_eq!(done(&store, &rules, late), ["published"]);
        assert_eq!(done(&store, &rules, late + DAY - Seconds(1)), NOTHING, "{}", database.kind);
        assert_eq!(done(&store, &rules, late + DAY), ["activated"]);
        // The former one is not taken away on account of its age.
        assert_eq!(states(&store), ["retired", "active"]);
        // Published before the nodes went away, and so known to whoever asked since.
        let again = late + DAY + SIGN_FOR - DAY;
        assert_eq!(done(&store, &rules, again), ["published", "removed"]);
        assert_eq!(done(&store, &rules, again + Seconds(365 * DAY.0)), ["activated"]);
    });
}

#[test]
fn what_an_operator_does_by_hand_counts_for_the_plan() {
    on_each_database(|database| {
        let (rules, kind) = (rules(), database.kind);
        let store = begun(&database.url, &rules);
        let generate =
            |at| keys::generate(&store, &sealer(), &OsEntropy, ES256, rules.rsa_bits, at).unwrap().kid;
        // A key that is published by hand is the next one: none is made beside it, and it signs when its time has come.
        let own = generate(START + DAY);
        assert_eq!(done(&store, &rules, START + SIGN_FOR - DAY), NOTHING, "{kind}");
        let activated = step(&store, &rules, START + SIGN_FOR);
        assert!(
            matches!(&activated[..], [Step::Activated { kid, .. }] if *kid == own),
            "{kind}: {activated:?}"
        );
        // One that comes too late waits as long as every other.
        let late = START + SIGN_FOR + SIGN_FOR - Seconds(60);
        generate(late);
        assert_eq!(done(&store, &rules, late + Seconds(60)), ["removed"]);
        assert_eq!(done(&store, &rules, late + DAY - Seconds(1)), NOTHING, "{kind}");
        assert_eq!(done(&store, &rules, late + DAY), ["activated"]);
        // An activation by hand begins a new period.
        let early = late + DAY + DAY;
        let by_hand = generate(early);
        keys::activate(&store, &by_hand, &rules, true, early).unwrap();
        assert_eq!(done(&store, &rules, early + SIGN_FOR - DAY - Seconds(1)), ["removed", "removed"]);
        assert_eq!(done(&store, &rules, early + SIGN_FOR - DAY), ["published"], "{kind}");
    });
}

/// Every token that is asked for fails then: it is mended as soon as verifiers can know the new key.
#[test]
fn an_algorithm_whose_last_key_was_retired_gets_another_one() {
    on_each_database(|database| {
        let rules = rules();
        let store = begun(&database.url, &rules);
        let kid = all(&store)[0].kid.clone();
        keys::retire(&store, &kid, &rules, START + DAY).unwrap();
        assert_eq!(done(&store, &rules, START + DAY), ["published"], "{}", database.kind);
        assert_eq!(done(&store, &rules, START + DAY + Seconds(929)), NOTHING);
        assert_eq!(done(&store, &rules, START + DAY + Seconds(930)), ["activated"]);
    });
}

#[test]
fn without_rotation_nothing_changes_by_itself() {
    on_each_database(|database| {
        let rules = KeyRules { rotate: false, ..rules() };
        let store = begun(&database.url, &rules);
        let retired = keys::generate(&store, &sealer(), &OsEntropy, ES256, 2048, START).unwrap().kid;
        keys::retire(&store, &retired, &rules, START).unwrap();
        let before = all(&store);
        assert_eq!(done(&store, &rules, START + Seconds(400 * DAY.0)), NOTHING);
        assert_eq!(all(&store), before, "{}", database.kind);
    });
}

#[test]
fn each_algorithm_goes_by_its_own_plan() {
    on_each_database(|database| {
        let mut rules = rules_of(&[ES256, EDDSA]);
        rules.plans[1].sign_for = Seconds(7 * DAY.0);
        rules.plans[1].publish_ahead = Seconds(2 * DAY.0);
        rules.plans[1].keep_retired = Some(Seconds(5 * DAY.0));
        let store = begun(&database.url, &rules);
        let week = START + Seconds(7 * DAY.0);
        let published = step(&store, &rules, week - Seconds(2 * DAY.0));
        let is_eddsa = matches!(published[..], [Step::Published { algorithm: EDDSA, .. }]);
        assert!(is_eddsa, "{}: {published:?}", database.kind);
        assert_eq!(done(&store, &rules, week), ["activated"]);
        let until = week + Seconds(5 * DAY.0 + 10 + 300);
        assert_eq!(done(&store, &rules, until - Seconds(1)), ["published"], "of the next week");
        assert_eq!(done(&store, &rules, until), ["removed"], "{}", database.kind);
    });
}

/// Nothing is lost by it: what was due is due still.
#[test]
fn a_step_that_fails_is_taken_at_the_next_look() {
    on_each_database(|database| {
        let rules = rules();
        let store = begun(&database.url, &rules);
        let due = START + SIGN_FOR - DAY;
        let mut raw = Raw::open(&database.url);
        raw.run("ALTER TABLE signing_keys RENAME TO gone");
        assert!(keys::step(&store, &sealer(), &OsEntropy, &rules, due).is_err(), "{}", database.kind);
        raw.run("ALTER TABLE gone RENAME TO signing_keys");
        assert_eq!(done(&store, &rules, due), ["published"], "{}", database.kind);
    });
}

fn remove_at(server: &TestServer) -> Timestamp {
    let all = all(server.store());
    let of = |key: &SigningKeyRecord| match key.state {
        KeyState::Retired { remove_at, .. } if key.algorithm == ES256 => Some(remove_at),
        _ => None,
    };
    all.iter().find_map(of).unwrap_or_else(|| panic!("none is retired: {all:?}"))
}

/// Rotates once; for how long the key that signed is kept, beyond what every key is. Leaves none that is retired.
fn kept(server: &TestServer) -> i64 {
    let rotate = || server.app.rotate_keys().unwrap().iter().map(word).collect::<Vec<_>>();
    server.advance(SIGN_FOR.0 - DAY.0);
    assert_eq!(rotate(), ["published"; 2]);
    server.advance(DAY.0);
    let ceased = server.app.now();
    assert_eq!(rotate(), ["activated"; 2]);
    let remove_at = remove_at(server);
    server.advance((remove_at - ceased).0);
    assert_eq!(rotate(), ["withdrawn"; 2]);
    for key in all(server.store()).iter().filter(|key| key.is_public_only()) {
        let rules = &server.app.key_rules;
        keys::remove(server.store(), &key.kid, rules, true, remove_at).unwrap();
    }
    (remove_at - ceased).0 - 10 - 300
}

/// A life that was shortened: the tokens from before live as long as they were promised.
#[test]
fn a_key_is_kept_for_tokens_that_lived_longer_when_it_signed_them() {
    on_each_database(|database| {
        let kind = database.kind;
        let start = |clients: &str, extra: &str, start_at| {
            TestServer::with(Setup {
                database: Some(database.url.clone()),
                clients: clients.to_owned(),
                extra: extra.to_owned(),
                start_at,
                ..Setup::default()
            })
        };
        let of = |id: &str, ttl: u32| {
            let named = format!("id = \"{id}\"\n");
            CLIENTS.replace(&named, &format!("{named}access_token_ttl_s = {ttl}\n"))
        };
        // Declared once, and gone from the file at the next start.
        let mut now = START;
        for (clients, extra, longest) in [
            (of("service", 3600), "", 3600),
            (of("https://mail.example/api", 3000), "", 3000),
            (CLIENTS.to_owned(), "[tokens]\nid_token_ttl_s = 2400\n", 2400),
            (CLIENTS.to_owned(), "", 300),
        ] {
            drop(start(&clients, extra, now));
            let server = start(CLIENTS, "", now);
            assert_eq!(kept(&server), 2 * longest, "{kind}: {longest}");
            now = server.app.now();
        }
        // Changed while it runs, and changed back.
        let server = start(CLIENTS, "", now);
        for ttl in [1800, 30] {
            change::client(&server, "web", |draft| draft.access_token_ttl = Some(Seconds(ttl)));
        }
        assert_eq!(kept(&server), 2 * 1800, "{kind}: by command");
        assert_eq!(kept(&server), 2 * 300, "{kind}: by then it is forgotten");
    });
}

fn max_age(server: &TestServer) -> i64 {
    let answer = server.client().get(paths::JWKS);
    let known = answer.header("etag").unwrap().to_owned();
    let again = server.client().send("GET", paths::JWKS, &[("if-none-match", &known)], "");
    let of = |text: Option<&str>| text.unwrap().strip_prefix("public, max-age=").unwrap().parse().unwrap();
    let found: i64 = of(answer.header("cache-control"));
    assert_eq!((again.status, of(again.header("cache-control"))), (304, found));
    found
}

/// A key signs `publish_ahead_s` after its publication, so the set may be kept for half a minute less than that.
#[test]
fn the_key_set_is_kept_no_longer_than_the_plan_allows() {
    let with = |text: &str| TestServer::with(Setup { keys: text.to_owned(), ..Setup::default() });
    for (text, expected) in [
        ("publish_ahead_s = 631", 601),
        ("[[keys.plans]]\nalgorithm = \"ES256\"\npublish_ahead_s = 331", 301),
        ("rotate = false\npublish_ahead_s = 331", 900),
        ("jwks_max_age_s = 60\npublish_ahead_s = 331", 60),
    ] {
        assert_eq!(max_age(&with(text)), expected, "{text}");
    }
}

/// RFC 9111 §4.2: whoever is given an old set as if it were new would miss a key that signs by then.
#[test]
fn a_node_that_has_not_seen_the_database_gives_its_key_set_out_for_a_shorter_time() {
    let server = TestServer::start();
    assert_eq!(max_age(&server), 900);
    for (after, left) in [(1, 900), (1, 900), (1, 899), (97, 802), (801, 1), (1, 0), (86_400, 0)] {
        server.advance(after);
        assert_eq!(max_age(&server), left, "{after} s later");
    }
    server.refresh();
    assert_eq!(max_age(&server), 900, "the database was asked");
}
