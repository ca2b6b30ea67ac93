//! How many rows there are, and how many of them are dead.

use std::collections::BTreeSet;

use countersign::store::stats::{DeadRows, TableStats};
use countersign::store::{sweep, used_jtis};

use super::*;
use crate::support::raw::Raw;

fn stats(store: &Store, now: Timestamp, table: &str) -> TableStats {
    store.table_stats(now).unwrap().into_iter().find(|stats| stats.table == table).unwrap()
}

fn five_jtis(store: &Store) {
    write(store, |conn| {
        (0..5).try_for_each(|at| {
            used_jtis::use_once(conn, "consent", &at.to_string(), NOW + Seconds(at)).map(|_| ())
        })
    });
}

#[test]
fn no_table_of_the_database_is_forgotten() {
    on_each_store(|store, database, _| {
        let counted = store.table_stats(NOW).unwrap();
        let counted: BTreeSet<String> = counted.into_iter().map(|stats| stats.table.to_owned()).collect();
        let there = store.described_columns().unwrap().into_iter().map(|(table, _, _)| table).collect();
        assert_eq!(counted, there, "{}", database.kind);
    });
}

/// What expires can be dead: a table with an end that nobody sweeps would grow for ever.
#[test]
fn every_table_with_an_end_is_swept() {
    let ends = Store::expected_columns().into_iter().filter(|(_, column, _)| column == "expires_at");
    let with_an_end: BTreeSet<String> = ends.map(|(table, _, _)| table).collect();
    let mut swept: BTreeSet<String> = sweep::DEAD.iter().map(|dead| dead.table.to_owned()).collect();
    // A client's secret that has ended stays to be seen; there are two of a client at most.
    swept.insert("client_secrets".to_owned());
    // The end of a client that registered itself is called another: it is put off by each use.
    assert!(swept.remove("registrations"));
    assert_eq!(with_an_end, swept);
}

#[test]
fn rows_are_counted_and_the_dead_among_them() {
    on_each_store(|store, _, _| {
        five_jtis(store);
        let jtis = stats(store, NOW + Seconds(2), "used_jtis");
        assert_eq!((jtis.rows, jtis.rows_estimated), (5, false));
        assert_eq!(jtis.dead, Some(DeadRows::Exactly(3)));
        let users = stats(store, NOW, "users");
        assert_eq!((users.rows, users.dead), (1, None), "users do not die of age");
    });
}

/// An API token dies by its age or by being revoked, and once.
#[test]
fn the_dead_of_a_table_are_counted_together_whatever_they_died_of() {
    on_each_store(|store, database, alice| {
        let mut raw = Raw::open(&database.url);
        for (id, end, revoked) in
            [("old", 1, "NULL"), ("revoked", i64::MAX, "1"), ("both", 1, "1"), ("alive", i64::MAX, "NULL")]
        {
            raw.run(&format!(
                "INSERT INTO api_tokens VALUES ('{id}', '', '{}', NULL, '', '', '', 0, {end}, NULL, {revoked}, NULL)",
                alice.id
            ));
        }
        let tokens = stats(store, NOW, "api_tokens");
        assert_eq!((tokens.rows, tokens.dead), (4, Some(DeadRows::Exactly(3))));
    });
}

#[test]
fn more_dead_rows_than_anybody_wants_counted_are_not_counted() {
    on_each_store(|store, _, _| {
        five_jtis(store);
        let jtis = sweep::DEAD.iter().find(|dead| dead.table == "used_jtis").unwrap();
        let count = |most| read(store, |conn| jtis.count(conn, NOW + Seconds(10), most));
        assert_eq!([4, 5, 6].map(count), [None, Some(5), Some(5)]);
    });
}

/// PostgreSQL takes seconds to count millions of rows, and it knows about how many there are.
#[test]
fn on_postgresql_the_rows_of_a_huge_table_are_estimated() {
    on_each_store(|store, database, _| {
        five_jtis(store);
        let mut raw = Raw::open(&database.url);
        if database.kind != "postgres" {
            return;
        }
        raw.run("UPDATE pg_class SET reltuples = 7000000 WHERE oid = to_regclass('used_jtis')");
        let jtis = stats(store, NOW, "used_jtis");
        assert_eq!((jtis.rows, jtis.rows_estimated), (7_000_000, true));
    });
}

#[test]
fn the_size_of_the_database_is_told() {
    on_each_store(|store, database, _| {
        let size = store.size().unwrap();
        assert!(size.bytes > 100_000, "{size:?}");
        assert_eq!(size.free_bytes.is_some(), database.kind == "sqlite");
    });
}
