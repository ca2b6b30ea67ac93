//! The list of denied access tokens: one row each, in an order that a reader can rely on, swept when the token is dead.

use std::sync::atomic::{AtomicBool, Ordering};

use countersign::app;
use countersign::flow::Denials;
use countersign::store::{denied_tokens, revision};

use super::*;
use crate::support::raw::{Raw, at_once};

const END: Timestamp = Timestamp(NOW.0 + 300);

fn deny(store: &Store, jti: &str) -> bool {
    let jti = jti.to_owned();
    write(store, move |conn| denied_tokens::insert(conn, &jti, END))
}

fn list_revision(store: &Store) -> i64 {
    read(store, revision::both).1
}

#[test]
fn a_denied_token_is_on_the_list_once_and_swept_in_the_second_in_which_it_dies() {
    on_each_store(|store, database, _| {
        let before = read(store, revision::both);
        assert!(deny(store, "one") && deny(store, "two"));
        assert!(!deny(store, "one"), "it is there already");
        assert!(read(store, |conn| denied_tokens::contains(conn, "one")));
        assert!(!read(store, |conn| denied_tokens::contains(conn, "three")));
        let after = read(store, revision::both);
        assert_eq!(after.0, before.0, "clients and keys are not read anew for it");
        let news: Vec<String> = read(store, |conn| denied_tokens::since(conn, before.1 + 1))
            .into_iter()
            .map(|row| row.jti)
            .collect();
        assert_eq!(news, ["two"], "{}", database.kind);

        let mut raw = Raw::open(&database.url);
        let mut rows = || raw.number("SELECT count(*) AS n FROM denied_tokens");
        assert_eq!(app::sweep(store, END - Seconds(1), 500, &mut |_| true).unwrap().rows, 0);
        assert_eq!(rows(), 2);
        assert_eq!(app::sweep(store, END, 500, &mut |_| true).unwrap().rows, 2);
        assert_eq!(rows(), 0);
    });
}

#[test]
fn of_many_that_deny_one_token_at_once_one_writes_a_row() {
    on_each_store(|store, database, _| {
        let done = at_once(16, |_| deny(store, "one"));
        assert_eq!(done.iter().filter(|first| **first).count(), 1, "{}", database.kind);
    });
}

/// A memory that reads only what is new must never be shown a revision before one that is lower.
#[test]
fn a_memory_that_follows_while_many_deny_misses_none() {
    on_each_store(|store, database, _| {
        let memory = Denials::default();
        let jti = |at: usize, n: usize| format!("{at}/{n}");
        let follow = || memory.catch_up(store, list_revision(store), NOW).unwrap();
        let writing = AtomicBool::new(true);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while writing.load(Ordering::Relaxed) {
                    follow();
                }
            });
            at_once(8, |at| (0..12).for_each(|n| assert!(deny(store, &jti(at, n)))));
            writing.store(false, Ordering::Relaxed);
        });
        follow();
        for (at, n) in (0..8).flat_map(|at| (0..12).map(move |n| (at, n))) {
            assert!(memory.contain(&jti(at, n), END), "{}: {at}/{n}", database.kind);
        }
    });
}

#[test]
fn a_memory_forgets_what_died_by_itself_and_reads_a_list_that_was_put_back_from_its_start() {
    on_each_store(|store, database, _| {
        let memory = Denials::default();
        let follow = |now| memory.catch_up(store, list_revision(store), now).unwrap();
        deny(store, "one");
        follow(END - Seconds(1));
        assert!(memory.contain("one", END) && !memory.contain("two", END));
        follow(END);
        assert!(!memory.contain("one", END));

        // Somebody puts an older copy of the database in its place, in which there was less.
        write(store, |conn| denied_tokens::insert(conn, "three", END));
        follow(NOW);
        app::sweep(store, END, 500, &mut |_| true).unwrap();
        let mut raw = Raw::open(&database.url);
        raw.run("UPDATE config_revision SET revision = 1 WHERE id = 2");
        deny(store, "four");
        follow(NOW);
        assert!(memory.contain("four", END));
    });
}
