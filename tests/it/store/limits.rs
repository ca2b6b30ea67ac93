//! The counters of failed logins: exact however many come at once.

use countersign::domain::UserName;
use countersign::domain::throttle::{Limit, ThrottleKey};
use countersign::store::throttles;

use super::*;
use crate::support::raw::{Raw, at_once};

fn limit(name: &str, max_failures: i64) -> Limit {
    Limit { key: ThrottleKey::account(&UserName::canonical(name)), max_failures, window: Seconds(60) }
}

fn reserve(store: &Store, limits: &[Limit], now: Timestamp) -> Option<Seconds> {
    let limits = limits.to_vec();
    write(store, move |conn| throttles::reserve(conn, &limits, now)).map(|full| full.wait)
}

#[test]
fn a_full_window_says_how_long_to_wait_and_then_begins_anew() {
    on_each_store(|store, _, _| {
        let limits = [limit("alice", 2)];
        assert_eq!(reserve(store, &limits, NOW), None);
        assert_eq!(reserve(store, &limits, NOW + Seconds(10)), None);
        assert_eq!(reserve(store, &limits, NOW + Seconds(20)), Some(Seconds(40)), "from the first one on");
        assert_eq!(reserve(store, &[limit("bob", 2)], NOW + Seconds(20)), None, "another key");
        assert_eq!(reserve(store, &limits, NOW + Seconds(59)), Some(Seconds(1)));
        for at in [60, 61] {
            assert_eq!(reserve(store, &limits, NOW + Seconds(at)), None);
        }
        assert_eq!(reserve(store, &limits, NOW + Seconds(62)), Some(Seconds(58)));
    });
}

#[test]
fn an_attempt_that_one_key_refuses_is_counted_on_none() {
    on_each_store(|store, _, _| {
        let (wide, narrow) = (limit("wide", 3), limit("narrow", 1));
        for _ in 0..3 {
            let refused = reserve(store, &[wide.clone(), narrow.clone()], NOW);
            assert_eq!(refused.is_none(), refused != Some(Seconds(60)));
        }
        // One of the three was counted, so that two more have room.
        assert_eq!(reserve(store, std::slice::from_ref(&wide), NOW), None);
        assert_eq!(reserve(store, std::slice::from_ref(&wide), NOW), None);
        assert_eq!(reserve(store, &[wide], NOW), Some(Seconds(60)));
    });
}

#[test]
fn an_attempt_is_taken_back_or_all_are_forgotten() {
    on_each_store(|store, _, _| {
        let one = limit("alice", 1);
        let key = one.key.clone();
        let refund = || {
            let key = key.clone();
            write(store, move |conn| throttles::refund(conn, &key));
        };
        refund();
        assert_eq!(reserve(store, std::slice::from_ref(&one), NOW), None);
        refund();
        refund();
        assert_eq!(reserve(store, std::slice::from_ref(&one), NOW), None, "never below nothing");
        assert!(reserve(store, std::slice::from_ref(&one), NOW).is_some());
        let key = key.clone();
        write(store, move |conn| throttles::reset(conn, &key));
        assert_eq!(reserve(store, &[one], NOW), None);
    });
}

/// Another node's row is in the way while it is being written; it is counted on from, not taken for a full window.
#[test]
fn a_window_that_another_node_begins_at_the_same_moment_refuses_nobody() {
    for old_row in [true, false] {
        on_each_store(|store, database, _| {
            let limits = [limit("alice", 2)];
            if old_row {
                assert_eq!(reserve(store, &limits, NOW), None);
            }
            let now = NOW + Seconds(60);
            let mut other = Raw::open(&database.url);
            other.run(if matches!(other, Raw::Sqlite(_)) { "BEGIN IMMEDIATE" } else { "BEGIN" });
            let (key, end) = (limits[0].key.as_str(), (now + Seconds(60)).0);
            other.run(&if old_row {
                format!("UPDATE throttles SET failures = 1, expires_at = {end}")
            } else {
                format!("INSERT INTO throttles (key, failures, expires_at) VALUES ('{key}', 1, {end})")
            });
            std::thread::scope(|scope| {
                let waiting = scope.spawn(|| reserve(store, &limits, now));
                std::thread::sleep(std::time::Duration::from_millis(300));
                assert!(!waiting.is_finished(), "it did not wait on {}", database.kind);
                other.run("COMMIT");
                assert_eq!(waiting.join().unwrap(), None, "{}, old row: {old_row}", database.kind);
            });
            assert_eq!(reserve(store, &limits, now), Some(Seconds(60)), "both are counted");
        });
    }
}

/// A password guesser who sends everything at once gets no more guesses, and nobody is refused too early: neither at the
/// first attempt of all, nor where an old window ends.
#[test]
fn of_fifty_attempts_at_once_exactly_ten_pass() {
    on_each_store(|store, database, _| {
        for (round, now) in [NOW, NOW + Seconds(60), NOW + Seconds(120)].into_iter().enumerate() {
            let limits = [limit("alice", 10), limit("everyone", 1000)];
            let answers = at_once(50, |_| reserve(store, &limits, now));
            let passed = answers.iter().filter(|wait| wait.is_none()).count();
            assert_eq!(passed, 10, "round {round} on {}", database.kind);
        }
    });
}
