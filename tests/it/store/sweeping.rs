//! The sweeper deletes what is dead, and only that, a bounded batch at a time.

use countersign::domain::throttle::{Limit, ThrottleKey};
use countersign::store::{authorizations, codes, refresh_tokens, sessions, sweep, throttles, used_jtis};

use super::*;
use crate::support::raw::Raw;

const DAY: Seconds = Seconds(86_400);

fn sweep(store: &Store, now: Timestamp, batch_rows: i64) -> usize {
    write(store, move |conn| sweep::batch(conn, now, batch_rows))
}

#[test]
fn what_lives_stays_and_goes_in_the_second_in_which_it_dies() {
    on_each_store(|store, database, alice| {
        let end = NOW + Seconds(600);
        let (mut one, mut given) = (session(alice.id, "cookie"), authorization(alice.id, end + DAY));
        (one.expires_at, given.expires_at) = (end, end + DAY);
        let family = given.id;
        write(store, move |conn| {
            sessions::insert(conn, &one)?;
            authorizations::insert(conn, &given)?;
            let mut unredeemed = code("c", given.id);
            unredeemed.expires_at = end;
            codes::insert(conn, &unredeemed)?;
            refresh_tokens::insert(conn, &refresh_token("r", given.id))?;
            used_jtis::use_once(conn, "consent", "1", end)?;
            let limit = Limit { key: ThrottleKey::overall(), max_failures: 5, window: Seconds(600) };
            throttles::reserve(conn, &[limit], NOW)
        });
        let mut raw = Raw::open(&database.url);
        let mut count = |table: &str| raw.number(&format!("SELECT count(*) AS n FROM {table}"));
        let swept = ["throttles", "used_jtis", "sessions", "refresh_tokens", "codes"];
        assert_eq!(sweep(store, end - Seconds(1), 500), 0);
        assert_eq!(swept.map(&mut count), [1; 5]);
        assert_eq!(sweep(store, end, 500), 5);
        assert_eq!(swept.map(&mut count), [0; 5]);
        assert!(read(store, |conn| authorizations::find(conn, family)).is_some());
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
        assert_eq!(sweep(store, end + DAY, 500), 1);
        assert_eq!(read(store, |conn| codes::find(conn, &hash("c"))), None, "it goes with its authorization");
    });
}

#[test]
fn a_batch_is_bounded_and_takes_the_oldest_first() {
    on_each_store(|store, database, _| {
        write(store, |conn| {
            (0..25).try_for_each(|at| {
                used_jtis::use_once(conn, "consent", &at.to_string(), NOW + Seconds(at)).map(|_| ())
            })
        });
        let mut raw = Raw::open(&database.url);
        let later = NOW + Seconds(1_000);
        for (deleted, left) in [(10, 15), (10, 5), (5, 0), (0, 0)] {
            assert_eq!(sweep(store, later, 10), deleted);
            let remaining = "SELECT count(*) AS n FROM used_jtis";
            assert_eq!(raw.number(remaining), left);
            let oldest = raw.number("SELECT coalesce(min(expires_at), 0) AS n FROM used_jtis");
            assert!(left == 0 || oldest == NOW.0 + 25 - left, "{oldest}");
        }
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
