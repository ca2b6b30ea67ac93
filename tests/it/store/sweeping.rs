//! The sweeper deletes what is dead, and only that, a bounded batch at a time.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use countersign::app;
use countersign::domain::throttle::{Limit, ThrottleKey};
use countersign::store::{authorizations, codes, throttles, used_jtis};

use super::*;
use crate::support::raw::{Raw, at_once, file_of};

const DAY: Seconds = Seconds(86_400);
/// What nobody may be kept waiting for, and how much longer it may take here, in a debug build beside other tests.
const HOLD: Duration = Duration::from_millis(50);
const LOADED: u32 = 6;
/// So few rows that a batch of them is never made smaller, however long it takes.
const FEW: u32 = 5;

/// A round without pauses; the number of rows deleted.
fn sweep(store: &Store, now: Timestamp, most_rows: u32) -> usize {
    app::sweep(store, now, most_rows, &mut |_| true).unwrap().rows
}

/// So many rows, numbered `i` from 1 on.
fn fill(raw: &mut Raw, count: i64, insert: &str) {
    let numbers = format!(
        "WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {count})"
    );
    raw.run(&format!("{numbers} {insert} FROM numbers"));
}

fn count(raw: &mut Raw, table: &str) -> i64 {
    raw.number(&format!("SELECT count(*) AS n FROM {table}"))
}

/// One row of each table for each of the seconds around that in which the sweeper begins to take it.
#[test]
fn of_rows_of_every_age_exactly_the_dead_go() {
    on_each_store(|store, database, alice| {
        let mut raw = Raw::open(&database.url);
        let (alice, now) = (alice.id, NOW.0);
        // Two whose families live, so that what hangs on them may.
        for family in ["lives", "revoked"] {
            let revoked =
                if family == "revoked" { format!("{now}, 'operator'") } else { "NULL, NULL".to_owned() };
            raw.run(&format!(
                "INSERT INTO authorizations VALUES ('{family}', 'app', '{alice}', NULL, '', '', 0, NULL, 0, \
                 {now} + 9, {revoked}, NULL)"
            ));
        }
        let dates = |keep: i64| format!("{now} - {keep} + i - 20");
        let seeded = [
            ("throttles", "key", 0, "SELECT 'k' || i, 1, {date}"),
            ("used_jtis", "jti", 0, "SELECT 'consent', 'k' || i, {date}"),
            ("denied_tokens", "jti", 0, "SELECT 'k' || i, i, {date}"),
            ("logout_deliveries", "id", 3600, "SELECT 'k' || i, 'app', '', '', 0, 0, 0, {date}"),
            ("sessions", "id", 0, "SELECT 'k' || i, 'h' || i, '{alice}', 0, 0, {date}, NULL, 0, FALSE, NULL"),
            ("opaque_tokens", "id", 0, "SELECT 'k' || i, '', 'app', 'lives', '', {date}, NULL"),
            ("codes", "hash", 0, "SELECT 'k' || i, 'lives', 'app', '', false, NULL, {date}, NULL"),
            ("refresh_tokens", "hash", 300, "SELECT 'k' || i, 'revoked', 0, {date}, NULL, NULL"),
            (
                "authorizations",
                "id",
                DAY.0,
                "SELECT 'k' || i, 'app', '{alice}', NULL, '', '', 0, NULL, 0, {date}, NULL, NULL, NULL",
            ),
            (
                "api_tokens",
                "id",
                30 * DAY.0,
                "SELECT 'k' || i, '', '{alice}', NULL, '', '', '', 0, {date}, NULL, NULL, NULL",
            ),
        ];
        for (table, _, keep, select) in seeded {
            let select = select.replace("{date}", &dates(keep)).replace("{alice}", &alice.to_string());
            fill(&mut raw, 40, &format!("INSERT INTO {table} {select}"));
        }
        // The other way for each that has one: used, ended, revoked, and long before its end.
        let revoked_at = dates(30 * DAY.0);
        for insert in [
            format!("INSERT INTO refresh_tokens SELECT 'u' || i, 'lives', 0, {}, 1, 's'", dates(300)),
            format!("INSERT INTO codes SELECT 'u' || i, 'lives', 'app', '', false, NULL, {}, 1", dates(0)),
            format!(
                "INSERT INTO api_tokens SELECT 'u' || i, '', '{alice}', NULL, '', '', '', 0, {now} + i, NULL, \
                 {revoked_at}, 'leaked'"
            ),
        ] {
            fill(&mut raw, 40, &insert);
        }
        let keys = |raw: &mut Raw, table: &str, key: &str| -> BTreeSet<String> {
            let alive = |of: &str, at: i64| {
                raw.number(&format!("SELECT count(*) AS n FROM {table} WHERE {key} = '{of}{at}'")) == 1
            };
            let of = |of: &'static str| (1..=40).map(move |at| (of, at));
            let mut alive = alive;
            of("k")
                .chain(of("u"))
                .filter(|(of, at)| alive(of, *at))
                .map(|(of, at)| format!("{of}{at}"))
                .collect()
        };
        let numbered = |of: &'static str, from: i64| (from..=40).map(move |at| format!("{of}{at}"));

        let deleted = sweep(store, NOW, 7);

        // Number 20 dies in this very second.
        for (table, key, _, _) in seeded {
            let mut expected: BTreeSet<String> = numbered("k", 21).collect();
            match table {
                // A redeemed code stays as long as its family.
                "codes" => expected.extend(numbered("u", 1)),
                "refresh_tokens" | "api_tokens" => expected.extend(numbered("u", 21)),
                _ => {}
            }
            assert_eq!(keys(&mut raw, table, key), expected, "{table} on {}", database.kind);
        }
        assert_eq!(deleted, 20 * (seeded.len() + 2));
        assert_eq!(count(&mut raw, "authorizations"), 22, "the families that live are there");
        assert_eq!(sweep(store, NOW, 7), 0, "once is enough");
    });
}

/// RFC 6749 §4.1.2: the replay of a code must be known for one as long as its authorization can give anything.
#[test]
fn a_redeemed_code_stays_until_a_day_after_its_authorization_ended() {
    on_each_store(|store, _, alice| {
        let end = NOW + Seconds(5_000);
        let given = authorization(alice.id, end);
        write(store, move |conn| {
            authorizations::insert(conn, &given)?;
            codes::insert(conn, &code("c", given.id))?;
            codes::redeem(conn, &hash("c"), NOW)
        });
        for now in [NOW + Seconds(61), end, end + DAY - Seconds(1)] {
            assert_eq!(sweep(store, now, 500), 0, "{now}");
            assert!(read(store, |conn| codes::find(conn, &hash("c"))).is_some(), "{now}");
        }
        assert_eq!(sweep(store, end + DAY, 500), 2);
        assert_eq!(read(store, |conn| codes::find(conn, &hash("c"))), None, "it goes with its authorization");
    });
}

/// A window that began anew and a session that was renewed after they were found are not deleted: see `still` in
/// `store/sweep.rs`.
#[test]
fn what_came_to_life_again_after_it_was_found_stays() {
    on_each_store(|store, database, alice| {
        let limit = || Limit { key: ThrottleKey::overall(), max_failures: 5, window: Seconds(600) };
        let mut one = session(alice.id, "cookie");
        one.expires_at = NOW + Seconds(600);
        let renewed = session(alice.id, "new");
        let renewed = Session { id: one.id, expires_at: NOW + Seconds(1200), ..renewed };
        write(store, move |conn| {
            store::sessions::insert(conn, &one)?;
            throttles::reserve(conn, &[limit()], NOW)
        });
        let later = NOW + Seconds(600);
        let dead = |table: &str| store::sweep::DEAD.iter().find(|dead| dead.table == table).unwrap();
        let (windows, sessions) = (dead("throttles"), dead("sessions"));
        let full = read(store, |conn| windows.find(conn, later, None, 10));
        let expired = read(store, |conn| sessions.find(conn, later, None, 10));
        assert_eq!((full.len(), expired.len()), (1, 1));
        let deleted = write(store, move |conn| {
            throttles::reserve(conn, &[limit()], later)?;
            store::sessions::renew(conn, &renewed)?;
            Ok((windows.delete(conn, &full)?, sessions.delete(conn, &expired)?))
        });
        assert_eq!(deleted, (0, 0), "{}", database.kind);
    });
}

#[test]
fn a_batch_is_bounded_and_takes_the_oldest_first() {
    on_each_store(|store, database, _| {
        write(store, |conn| {
            (0..12).try_for_each(|at| {
                used_jtis::use_once(conn, "consent", &at.to_string(), NOW + Seconds(at)).map(|_| ())
            })
        });
        let mut raw = Raw::open(&database.url);
        let mut seen = Vec::new();
        let swept = app::sweep(store, NOW + Seconds(1_000), FEW, &mut |_| {
            let oldest = raw.number("SELECT coalesce(min(expires_at), 0) AS n FROM used_jtis");
            seen.push((count(&mut raw, "used_jtis"), oldest));
            true
        });
        assert_eq!(swept.unwrap().rows, 12);
        assert_eq!(seen, [(7, NOW.0 + 5), (2, NOW.0 + 10), (0, 0)], "{}", database.kind);
    });
}

/// Two kinds of sealed things may carry the same jti.
#[test]
fn a_dead_jti_takes_no_living_one_of_another_purpose_with_it() {
    on_each_store(|store, _, _| {
        write(store, |conn| {
            used_jtis::use_once(conn, "consent", "1", NOW)?;
            used_jtis::use_once(conn, "logout", "1", NOW + Seconds(60))
        });
        assert_eq!(sweep(store, NOW, 500), 1);
        let again = |purpose| write(store, move |conn| used_jtis::use_once(conn, purpose, "1", NOW));
        assert!(!again("logout"), "the living one still counts");
        assert!(again("consent"));
    });
}

/// One row of `authorizations` may have thousands hang on it, which a cascade would take in one go.
#[test]
fn a_family_of_thousands_goes_in_batches_too() {
    on_each_store(|store, database, alice| {
        let ended = authorization(alice.id, NOW - DAY);
        let family = ended.id;
        write(store, move |conn| authorizations::insert(conn, &ended));
        let mut raw = Raw::open(&database.url);
        for (insert, rest) in [
            ("codes SELECT 'c' || i,", "'app', '', false, NULL, 0, 1".to_owned()),
            ("opaque_tokens SELECT 'o' || i, '', 'app',", format!("'', {} + 1, NULL", NOW.0)),
        ] {
            fill(&mut raw, 500, &format!("INSERT INTO {insert} '{family}', {rest}"));
        }
        let tables = ["authorizations", "codes", "opaque_tokens"];
        let mut left = vec![1_001];
        let swept = app::sweep(store, NOW, 100, &mut |_| {
            left.push(tables.iter().map(|table| count(&mut raw, table)).sum());
            true
        });
        assert_eq!(swept.unwrap().rows, 1_001, "{}", database.kind);
        assert!(left.windows(2).all(|two| (1..=100).contains(&(two[0] - two[1]))), "{left:?}");
        assert_eq!(left.last(), Some(&0));
    });
}

#[test]
fn a_round_ends_as_soon_as_it_is_told_to() {
    on_each_store(|store, database, _| {
        let mut raw = Raw::open(&database.url);
        for table in ["used_jtis SELECT 'consent', 'k' || i,", "denied_tokens SELECT 'k' || i, 1,"] {
            fill(&mut raw, 100, &format!("INSERT INTO {table} {} + i", NOW.0));
        }
        let mut pauses = 0;
        let swept = app::sweep(store, NOW + DAY, FEW, &mut |_| {
            pauses += 1;
            pauses < 3
        });
        assert_eq!((swept.unwrap().rows, pauses), (15, 3));
        assert_eq!(count(&mut raw, "denied_tokens"), 100, "the next table is not begun");
    });
}

/// Dead refresh tokens of one living family, whose keys lie anywhere in the index, as hashes do.
fn fill_with_dead(store: &Store, raw: &mut Raw, user: Id, count: i64) {
    let family = authorization(user, NOW + DAY);
    let id = family.id;
    write(store, move |conn| authorizations::insert(conn, &family));
    let key = "(i * 7919) % 100003 || '-' || i || 'abcdefghijklmnopqrstuvwxyz0123456789'";
    let end = NOW.0 - 1_000_000;
    fill(raw, count, &format!("INSERT INTO refresh_tokens SELECT {key}, '{id}', 0, {end} + i, 1, NULL"));
}

/// The writer is shared: what a sweep takes, a login waits for.
#[test]
fn others_write_while_a_great_many_rows_are_swept() {
    on_each_store(|store, database, alice| {
        let mut raw = Raw::open(&database.url);
        fill_with_dead(store, &mut raw, alice.id, 6_000);
        let done = AtomicBool::new(false);
        let mut waits = Vec::new();
        let (swept, mut holds) = std::thread::scope(|scope| {
            let sweeper = scope.spawn(|| {
                let mut holds = Vec::new();
                let swept = app::sweep(store, NOW, 10_000, &mut |pause| {
                    holds.push(pause / 9);
                    true
                });
                done.store(true, Ordering::SeqCst);
                (swept.unwrap(), holds)
            });
            while !done.load(Ordering::SeqCst) {
                let begun = Instant::now();
                let limit =
                    Limit { key: ThrottleKey::overall(), max_failures: 1 << 40, window: Seconds(600) };
                write(store, move |conn| throttles::reserve(conn, std::slice::from_ref(&limit), NOW));
                waits.push(begun.elapsed());
            }
            sweeper.join().unwrap()
        });
        holds.sort();
        waits.sort();
        assert_eq!(swept.rows, 6_000);
        assert_eq!(Some(&swept.longest), holds.last());
        let told = format!("{}: batches {holds:?}, writes {waits:?}", database.kind);
        // A disk that stands still for a second is not the sweeper's fault: once in a while is allowed.
        assert!(holds[holds.len() / 2] < HOLD, "{told}");
        assert!(holds[holds.len() * 9 / 10] < HOLD * LOADED, "{told}");
        assert!(waits[waits.len() * 9 / 10] < HOLD * LOADED, "{told}");
        assert!(holds.len() > 5 && waits.len() > holds.len() / 2, "they take turns: {told}");
    });
}

/// SQLite's log grows with each deletion until its pages are back in the file, which readers can delay.
#[test]
fn the_log_of_a_long_sweep_stays_small_while_others_read_without_a_pause() {
    on_each_store(|store, database, alice| {
        let Some(file) = file_of(&database.url) else { return };
        fill_with_dead(store, &mut Raw::open(&database.url), alice.id, 10_000);
        let mut log = file.into_os_string();
        log.push("-wal");
        let (done, user, mut largest) = (AtomicBool::new(false), alice.id, 0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !done.load(Ordering::SeqCst) {
                        read(store, |conn| store::users::find(conn, user));
                    }
                });
            }
            let swept = app::sweep(store, NOW, 200, &mut |_| {
                largest = largest.max(fs::metadata(&log).unwrap().len());
                true
            });
            done.store(true, Ordering::SeqCst);
            assert_eq!(swept.unwrap().rows, 10_000);
        });
        assert!(largest < 32 << 20, "{largest} bytes");
    });
}

/// Nodes may sweep at the same time while others revoke what is about to go, in any order: nobody waits for a sweep that
/// waits for them.
#[test]
fn several_nodes_sweep_at_once_without_a_deadlock() {
    on_each_store(|store, database, alice| {
        let mut raw = Raw::open(&database.url);
        let user = alice.id;
        let (ended, dead) = (NOW.0 - DAY.0, NOW.0 - 400);
        fill(
            &mut raw,
            600,
            &format!(
                "INSERT INTO authorizations SELECT 'a' || i, 'app', '{user}', NULL, '', '', 0, NULL, 0, \
                 {ended} - (i * 31) % 1000, NULL, NULL, NULL"
            ),
        );
        for insert in [
            format!(
                "INSERT INTO refresh_tokens SELECT 'r' || i, 'a' || i, 0, {dead} - (i * 17) % 1000, 1, NULL"
            ),
            "INSERT INTO codes SELECT 'c' || i, 'a' || i, 'app', '', false, NULL, 0, 1".to_owned(),
        ] {
            fill(&mut raw, 600, &insert);
        }
        let nodes: Vec<Store> = (0..4).map(|_| migrated(&database.url)).collect();
        at_once(5, |at| match nodes.get(at) {
            Some(node) => drop(app::sweep(node, NOW, 200, &mut |_| true).unwrap()),
            None => {
                let mut raw = Raw::open(&database.url);
                (0..50).for_each(|_| raw.run("UPDATE authorizations SET nonce = 'n'"));
            }
        });
        // Whoever found that another node was quicker left the rest to it.
        sweep(store, NOW, 200);
        for table in ["authorizations", "refresh_tokens", "codes"] {
            assert_eq!(count(&mut raw, table), 0, "{table} on {}", database.kind);
        }
    });
}
