//! What counts once counts once however many come at once, on one node and on two, on both databases.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign::app::{App, Background};
use countersign::base::Seconds;
use countersign::base::clock::ManualClock;
use countersign::base::entropy::OsEntropy;
use countersign::store;

use super::support::flow::{authorize_path, code, redemption, tokens};
use super::support::http::Answer;
use super::support::raw::{Raw, at_once};
use super::support::server::{START, Setup, config};
use super::support::{Database, TestServer, change, on_each_database};

const OFFLINE: &[(&str, &str)] = &[("scope", "openid notes:read offline_access")];

/// The one success among the answers; all others must be refusals with `error`.
fn the_only_success<'a>(answers: &'a [Answer], error: &str, kind: &str) -> &'a Answer {
    let (good, bad): (Vec<&Answer>, Vec<&Answer>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!(good.len(), 1, "{} successes on {kind}", good.len());
    for answer in bad {
        assert_eq!((answer.status, answer.error()), (400, error.to_owned()), "{kind}: {}", answer.body);
    }
    good[0]
}

fn revoked_because(database: &Database, reason: &str) -> i64 {
    let sql = format!("SELECT count(*) AS n FROM authorizations WHERE revoked_because = '{reason}'");
    Raw::open(&database.url).number(&sql)
}

fn refreshed(server: &TestServer, token: &str) -> Answer {
    server.token("web", &[("grant_type", "refresh_token"), ("refresh_token", token)])
}

/// RFC 6749 §4.1.2 and RFC 9700 §4.5: one of fifty gets tokens, and since the others are replays, what it got is revoked.
#[test]
fn of_fifty_redemptions_of_one_code_one_succeeds_and_its_family_is_revoked() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let code = code(&server, "web", OFFLINE);
        let answers = at_once(50, |_| server.token("web", &redemption(&code)));
        let winner = the_only_success(&answers, "invalid_grant", database.kind);
        assert_eq!(revoked_because(&database, "code_replayed"), 1);
        let answer = refreshed(&server, &winner.text("refresh_token"));
        assert_eq!(answer.error(), "invalid_grant", "{}", database.kind);
    });
}

/// Fifty tabs wake up at once: none is signed out, and there are not fifty successors.
#[test]
fn fifty_uses_of_one_refresh_token_give_one_successor_and_an_access_token_each() {
    on_each_database(|database| {
        let nodes = [TestServer::on(&database), TestServer::on(&database)];
        let token = tokens(&nodes[0]).text("refresh_token");
        let answers = at_once(50, |at| refreshed(&nodes[at % 2], &token));
        for answer in &answers {
            assert_eq!(answer.status, 200, "{}: {}", database.kind, answer.body);
        }
        let all = |name: &str| answers.iter().map(|answer| answer.text(name)).collect::<BTreeSet<_>>();
        let successors = all("refresh_token");
        assert_eq!((successors.len(), all("access_token").len()), (1, 50), "{}", database.kind);
        let mut raw = Raw::open(&database.url);
        assert_eq!(raw.number("SELECT count(*) AS n FROM refresh_tokens"), 2, "{}", database.kind);
        assert_eq!(raw.number("SELECT count(*) AS n FROM refresh_tokens WHERE used_at IS NULL"), 1);
        assert_eq!(revoked_because(&database, "refresh_token_reused"), 0);
        // All fifty go on from there, once more.
        let next = successors.first().unwrap();
        let answers = at_once(50, |at| refreshed(&nodes[at % 2], next).text("refresh_token"));
        assert_eq!(answers.iter().collect::<BTreeSet<_>>().len(), 1, "{}", database.kind);
    });
}

/// RFC 9700 §4.14.2: a refresh token is exchanged once; without a grace the second use revokes the family.
#[test]
fn of_fifty_uses_of_one_refresh_token_without_a_grace_one_succeeds_and_its_family_is_revoked() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        change::client(&server, "web", |draft| draft.refresh_reuse_grace = Some(Seconds(0)));
        let token = tokens(&server).text("refresh_token");
        let answers = at_once(50, |_| refreshed(&server, &token));
        let winner = the_only_success(&answers, "invalid_grant", database.kind);
        assert_eq!(revoked_because(&database, "refresh_token_reused"), 1);
        assert_eq!(refreshed(&server, &winner.text("refresh_token")).error(), "invalid_grant");
    });
}

/// A double click, fifty times: one code goes out.
#[test]
fn of_fifty_answers_to_one_consent_page_one_gives_a_code() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let mut browser = server.browser();
        let page = browser.get(&authorize_path("app", &[]));
        let page = browser.follow(page);
        let page = browser.log_in(&page, "alice", super::support::server::PASSWORD);
        let answers = at_once(50, |_| browser.clone().decide(&page, "allow"));
        let (codes, pages): (Vec<&Answer>, Vec<&Answer>) =
            answers.iter().partition(|answer| answer.header("location").is_some());
        assert_eq!(codes.len(), 1, "{}", database.kind);
        assert!(codes[0].sent("code").is_some());
        for page in pages {
            assert_eq!(page.status, 400, "{}: {}", database.kind, page.body);
        }
        assert_eq!(Raw::open(&database.url).number("SELECT count(*) AS n FROM codes"), 1);
    });
}

#[test]
fn of_two_nodes_that_race_for_one_code_one_wins() {
    on_each_database(|database| {
        let nodes = [TestServer::on(&database), TestServer::on(&database)];
        for _ in 0..5 {
            let code = code(&nodes[0], "web", OFFLINE);
            let answers = at_once(8, |at| nodes[at % 2].token("web", &redemption(&code)));
            the_only_success(&answers, "invalid_grant", database.kind);
        }
        assert_eq!(revoked_because(&database, "code_replayed"), 5);
    });
}

#[test]
fn what_one_node_gives_the_other_takes() {
    on_each_database(|database| {
        let (one, two) = (TestServer::on(&database), TestServer::on(&database));
        let code = code(&one, "web", OFFLINE);
        let answer = two.token("web", &redemption(&code));
        assert_eq!(answer.status, 200, "{}: {}", database.kind, answer.body);
        let next = refreshed(&one, &answer.text("refresh_token"));
        assert_eq!(next.status, 200, "{}: {}", database.kind, next.body);
        let jwks = |server: &TestServer| server.client().get(countersign::http::paths::JWKS).body;
        assert_eq!(jwks(&one), jwks(&two));
        assert!(jwks(&one).starts_with("{\"keys\":[{"));
    });
}

#[test]
fn nodes_that_start_at_once_on_an_empty_database_share_one_key_per_algorithm() {
    on_each_database(|database| {
        let setup = Setup { database: Some(database.url.clone()), ..Setup::default() };
        let folders: Vec<_> = (0..4).map(|_| tempfile::tempdir().unwrap()).collect();
        let apps = at_once(4, |at| {
            let config = config(&setup, "http://127.0.0.1:9", folders[at].path());
            let issuer = config.server.issuer.clone().unwrap();
            App::start(&config, &issuer, Arc::new(ManualClock::at(START)), Arc::new(OsEntropy)).unwrap()
        });
        let sets: Vec<_> = apps
            .iter()
            .map(|app| {
                app.refresh().unwrap();
                app.known().keys.jwks_json().to_vec()
            })
            .collect();
        assert!(sets.iter().all(|set| *set == sets[0]), "{}", database.kind);
        let mut raw = Raw::open(&database.url);
        assert_eq!(raw.number("SELECT count(*) AS n FROM signing_keys"), 2, "{}", database.kind);
        assert_eq!(raw.number("SELECT count(DISTINCT algorithm) AS n FROM signing_keys"), 2);
        assert_eq!(raw.number("SELECT count(*) AS n FROM clients"), 7, "and each declaration is there once");
    });
}

fn switch_off(server: &TestServer, id: &str) {
    let id = id.parse().unwrap();
    let changed = server.store().write("test", move |conn| {
        let mut client = store::clients::find(conn, &id)?.unwrap();
        client.disabled_at = Some(START);
        store::clients::update(conn, &client)
    });
    assert!(changed.unwrap());
}

const CLIENT_CREDENTIALS: &[(&str, &str)] = &[("grant_type", "client_credentials"), ("scope", "notes:read")];

/// A request that finds its node's memory older than a second looks at the database first.
#[test]
fn a_client_that_one_node_switches_off_is_refused_by_the_other_after_a_second() {
    on_each_database(|database| {
        let (one, two) = (TestServer::on(&database), TestServer::on(&database));
        assert_eq!(two.token("service", CLIENT_CREDENTIALS).status, 200);
        switch_off(&one, "service");
        two.advance(2);
        assert_eq!(two.token("service", CLIENT_CREDENTIALS).error(), "invalid_client", "{}", database.kind);
        let page = two.browser().get(&authorize_path("app", &[]));
        assert_eq!(page.status, 303);
    });
}

/// Without any request too: the background thread looks every `cache.refresh_ms`.
#[test]
fn a_node_that_nobody_asks_anything_sees_a_change_by_itself() {
    on_each_database(|database| {
        let one = TestServer::on(&database);
        let setup = Setup {
            database: Some(database.url.clone()),
            extra: "[cache]\nrefresh_ms = 50".to_owned(),
            ..Setup::default()
        };
        let two = TestServer::with(setup);
        let background = Background::start(&two.app, &two.config).unwrap();
        switch_off(&one, "service");
        let begun = Instant::now();
        while two.app.known().client("service").is_some() {
            assert!(begun.elapsed() < Duration::from_secs(5), "{}", database.kind);
            std::thread::sleep(Duration::from_millis(5));
        }
        // Its clock stands still, so that only the background can have looked.
        assert_eq!(two.token("service", CLIENT_CREDENTIALS).error(), "invalid_client");
        let begun = Instant::now();
        drop(background);
        assert!(begun.elapsed() < Duration::from_secs(1), "its threads end when they are told to");
    });
}

/// The sweeper thread runs by itself, in as many batches as it takes.
#[test]
fn the_sweeper_sweeps_by_itself_and_ends_in_the_middle_of_it_when_it_is_told_to() {
    on_each_database(|database| {
        let extra = "[sweeper]\ninterval_s = 1\nbatch_rows = 3".to_owned();
        let server =
            TestServer::with(Setup { database: Some(database.url.clone()), extra, ..Setup::default() });
        let mut raw = Raw::open(&database.url);
        let mut seed = |count: i64| {
            raw.run(&format!(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
                 INSERT INTO used_jtis SELECT 'consent', 'k' || i, {} FROM n",
                START.0
            ));
        };
        seed(20);
        let mut raw = Raw::open(&database.url);
        let mut left = || raw.number("SELECT count(*) AS n FROM used_jtis");
        let mut until = |few: i64| {
            let begun = Instant::now();
            while left() > few {
                assert!(begun.elapsed() < Duration::from_secs(10), "{}", database.kind);
                std::thread::sleep(Duration::from_millis(20));
            }
        };
        let background = Background::start(&server.app, &server.config).unwrap();
        until(0);
        seed(100_000);
        until(99_999);
        let begun = Instant::now();
        drop(background);
        assert!(begun.elapsed() < Duration::from_secs(1), "{}", database.kind);
        assert!(left() > 50_000, "the rest waits for the next start");
    });
}
