//! Authorizations, codes, refresh tokens, and what counts once.

use countersign::domain::RevocationReason;
use countersign::store::{StoreError, authorizations, codes, refresh_tokens, used_jtis, users};

use super::*;
use crate::support::raw::at_once;

#[test]
fn an_authorization_comes_back_as_it_was_stored_revoked_or_not() {
    on_each_store(|store, _, alice| {
        let plain = authorization(alice.id, NOW + Seconds(60));
        let mut bare = authorization(alice.id, NOW + Seconds(60));
        (bare.session_id, bare.nonce, bare.resources) = (None, None, Vec::new());
        bare.asked = Asked::default();
        bare.revoked = Some((NOW, RevocationReason::Logout));
        for given in [plain, bare] {
            let stored = given.clone();
            write(store, move |conn| authorizations::insert(conn, &stored));
            assert_eq!(read(store, |conn| authorizations::find(conn, given.id)).as_ref(), Some(&given));
        }
        assert_eq!(read(store, |conn| authorizations::find(conn, id())), None);
    });
}

#[test]
fn an_authorization_needs_its_user_and_its_client() {
    on_each_store(|store, _, alice| {
        let mut of_no_client = authorization(alice.id, NOW);
        of_no_client.client_id = "none".parse().unwrap();
        for given in [authorization(id(), NOW), of_no_client] {
            let refused = store.write("test", move |conn| authorizations::insert(conn, &given));
            assert!(matches!(refused, Err(StoreError::Reference)), "{refused:?}");
        }
    });
}

#[test]
fn a_family_is_revoked_once_and_the_first_reason_stands() {
    on_each_store(|store, _, alice| {
        let given = authorization(alice.id, NOW + Seconds(60));
        let id = given.id;
        write(store, move |conn| authorizations::insert(conn, &given));
        let revoke = |at, reason| write(store, move |conn| authorizations::revoke(conn, id, at, reason));
        assert!(revoke(NOW, RevocationReason::CodeReplayed));
        assert!(!revoke(NOW + Seconds(5), RevocationReason::Operator));
        let known = read(store, |conn| authorizations::find(conn, id)).unwrap();
        assert_eq!(known.revoked, Some((NOW, RevocationReason::CodeReplayed)));
    });
}

#[test]
fn a_logout_revokes_what_its_session_gave_and_an_operator_all_that_a_user_gave() {
    on_each_store(|store, _, alice| {
        let bob = user("bob");
        let (one, two) = (authorization(alice.id, NOW), authorization(alice.id, NOW));
        let bobs = authorization(bob.id, NOW);
        let (session, user, ids) = (one.session_id.unwrap(), alice.id, [one.id, two.id, bobs.id]);
        write(store, move |conn| {
            users::insert(conn, &bob)?;
            [&one, &two, &bobs].iter().try_for_each(|given| authorizations::insert(conn, given))
        });
        let reasons = || {
            ids.map(|id| {
                read(store, |conn| authorizations::find(conn, id)).unwrap().revoked.map(|(_, reason)| reason)
            })
        };
        let logout = RevocationReason::Logout;
        let given = read(store, |conn| authorizations::in_session(conn, session));
        let given: Vec<_> =
            given.iter().map(|one| (one.id, one.client_id.as_str(), one.is_revoked)).collect();
        assert_eq!(given, [(ids[0], "app", false)]);
        write(store, move |conn| authorizations::revoke_all(conn, &[ids[0]], NOW, logout));
        assert_eq!(reasons(), [Some(logout), None, None]);
        // The first reason stands.
        let changed = RevocationReason::PasswordChanged;
        write(store, move |conn| authorizations::revoke_all(conn, &[ids[0]], NOW, changed));
        assert_eq!(reasons(), [Some(logout), None, None]);
        assert!(read(store, |conn| authorizations::in_session(conn, session))[0].is_revoked);
        let operator = RevocationReason::Operator;
        let count = write(store, move |conn| authorizations::revoke_of_user(conn, user, NOW, operator));
        assert_eq!((count, reasons()), (1, [Some(logout), Some(operator), None]));
    });
}

/// RFC 6749 §4.1.2: a code is used once.
#[test]
fn a_code_is_redeemed_once() {
    on_each_store(|store, _, alice| {
        let given = authorization(alice.id, NOW + Seconds(60));
        let mut plain = code("c2", given.id);
        (plain.challenge, plain.redirect_uri_given) = (None, false);
        let codes = [code("c1", given.id), plain];
        let stored = codes.clone();
        write(store, move |conn| {
            authorizations::insert(conn, &given)?;
            stored.iter().try_for_each(|code| codes::insert(conn, code))
        });
        for code in codes {
            assert_eq!(read(store, |conn| codes::find(conn, &code.hash)).as_ref(), Some(&code));
            let redeem = |at| {
                let hash = code.hash.clone();
                write(store, move |conn| codes::redeem(conn, &hash, at))
            };
            assert!(redeem(NOW));
            assert!(!redeem(NOW + Seconds(1)));
            assert_eq!(read(store, |conn| codes::find(conn, &code.hash)).unwrap().redeemed_at, Some(NOW));
        }
        assert!(!write(store, |conn| codes::redeem(conn, &hash("unknown"), NOW)));
        assert_eq!(read(store, |conn| codes::find(conn, &hash("unknown"))), None);
    });
}

/// RFC 9700 §4.14.2: so is a refresh token.
#[test]
fn a_refresh_token_is_used_up_once() {
    on_each_store(|store, _, alice| {
        let given = authorization(alice.id, NOW + Seconds(60));
        let token = refresh_token("r1", given.id);
        let stored = token.clone();
        write(store, move |conn| {
            authorizations::insert(conn, &given)?;
            refresh_tokens::insert(conn, &stored)
        });
        assert_eq!(read(store, |conn| refresh_tokens::find(conn, &token.hash)).as_ref(), Some(&token));
        let use_up =
            |at, key| write(store, move |conn| refresh_tokens::use_up(conn, &hash("r1"), at, Some(key)));
        assert!(use_up(NOW, "key"));
        assert!(!use_up(NOW + Seconds(1), "another"));
        let used = read(store, |conn| refresh_tokens::find(conn, &token.hash)).unwrap();
        assert_eq!((used.used_at, used.successor_key.as_deref()), (Some(NOW), Some("key")));
        assert_eq!(read(store, |conn| refresh_tokens::find(conn, &hash("unknown"))), None);
    });
}

/// A refresh token does not need it: a row for each refresh, and nothing else to change (the migration says why).
#[test]
fn a_code_needs_its_authorization() {
    on_each_store(|store, _, _| {
        let refused = store.write("test", |conn| codes::insert(conn, &code("c", id())));
        assert!(matches!(refused, Err(StoreError::Reference)), "{refused:?}");
        write(store, |conn| refresh_tokens::insert(conn, &refresh_token("r", id())));
    });
}

#[test]
fn a_jti_counts_once_for_each_purpose_and_the_transaction_goes_on() {
    on_each_store(|store, _, _| {
        let answers = write(store, |conn| {
            let mut answers = Vec::new();
            for (purpose, jti) in [("consent", "1"), ("consent", "1"), ("logout", "1"), ("consent", "2")] {
                answers.push(used_jtis::use_once(conn, purpose, jti, NOW)?);
            }
            Ok(answers)
        });
        assert_eq!(answers, [true, false, true, true]);
        assert!(!write(store, |conn| used_jtis::use_once(conn, "consent", "2", NOW)));
    });
}

#[test]
fn of_fifty_who_use_one_jti_at_once_one_is_first() {
    on_each_store(|store, database, _| {
        let first = at_once(50, |_| write(store, |conn| used_jtis::use_once(conn, "consent", "1", NOW)));
        assert_eq!(first.iter().filter(|first| **first).count(), 1, "{}", database.kind);
    });
}
