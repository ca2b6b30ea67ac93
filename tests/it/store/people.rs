//! Users, roles, sessions and consents.

use countersign::domain::consent::Consent;
use countersign::domain::{Attributes, Person, RevocationReason, User};
use countersign::store::{StoreError, authorizations, clients, consents, roles, sessions, users};

use serde_json::json;

use super::*;

#[test]
fn a_user_is_found_by_name_and_by_subject_and_comes_back_as_stored() {
    on_each_store(|store, _, alice| {
        assert_eq!(read(store, |conn| users::by_name(conn, &alice.username)).as_ref(), Some(alice));
        assert_eq!(read(store, |conn| users::find(conn, alice.id)).as_ref(), Some(alice));
        assert_eq!(read(store, |conn| users::find(conn, id())), None);
        let (mut person, mut attributes) = (Person::default(), Attributes::default());
        person.set("address.formatted", "1 Way\n12345 Town").unwrap();
        attributes.set("teams", Some(json!(["röt", 7]))).unwrap();
        let changed = User {
            person,
            attributes,
            updated_at: NOW + Seconds(9),
            display_name: Some("Alice Ångström 🦀".to_owned()),
            email: None,
            locked_at: Some(NOW),
            ..alice.clone()
        };
        let stored = changed.clone();
        assert!(write(store, move |conn| users::update(conn, &stored)));
        assert_eq!(read(store, |conn| users::find(conn, alice.id)), Some(changed));
        assert!(!write(store, |conn| users::update(conn, &user("nobody"))));
    });
}

#[test]
fn a_taken_name_is_a_conflict_for_a_new_user_and_for_a_changed_one() {
    on_each_store(|store, _, _| {
        let refused = store.write("test", |conn| users::insert(conn, &user("Alice")));
        assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
        let bob = user("bob");
        let stored = bob.clone();
        write(store, move |conn| users::insert(conn, &stored));
        let renamed = User { username: UserName::parse("alice").unwrap(), ..bob };
        let refused = store.write("test", move |conn| users::update(conn, &renamed));
        assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    });
}

#[test]
fn users_are_listed_page_by_page() {
    on_each_store(|store, _, _| {
        write(store, |conn| ["dora", "carl", "bob"].iter().try_for_each(|n| users::insert(conn, &user(n))));
        let names = |after: &str| -> Vec<String> {
            read(store, |conn| users::page(conn, after, 2)).iter().map(|u| u.username.to_string()).collect()
        };
        assert_eq!(names(""), ["alice", "bob"]);
        assert_eq!(names("bob"), ["carl", "dora"]);
        assert!(names("dora").is_empty());
    });
}

#[test]
fn a_newer_hash_does_not_undo_a_change_of_password_that_came_in_between() {
    on_each_store(|store, _, alice| {
        let (id, read_before) = (alice.id, alice.password_hash.clone());
        write(store, move |conn| users::rehash(conn, id, &read_before, "changed"));
        let read_before = alice.password_hash.clone();
        assert!(!write(store, move |conn| users::rehash(conn, id, &read_before, "the old one anew")));
        assert_eq!(read(store, |conn| users::find(conn, id)).unwrap().password_hash, "changed");
    });
}

#[test]
fn roles_are_given_once_taken_once_and_go_from_everyone_with_the_role() {
    on_each_store(|store, _, alice| {
        let user = alice.id;
        write(store, |conn| ["b", "a", "c"].iter().try_for_each(|name| roles::insert(conn, &role(name))));
        let refused = store.write("test", |conn| roles::insert(conn, &role("a")));
        assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
        write(store, move |conn| ["b", "a"].iter().try_for_each(|name| roles::give(conn, user, name)));
        assert_eq!(read(store, |conn| roles::of_user(conn, user)), ["a", "b"]);
        let refused = store.write("test", move |conn| roles::give(conn, user, "a"));
        assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
        for (user, name) in [(user, "none"), (id(), "c")] {
            let refused = store.write("test", move |conn| roles::give(conn, user, name));
            assert!(matches!(refused, Err(StoreError::Reference)), "{refused:?}");
        }
        assert!(write(store, move |conn| roles::take(conn, user, "a")));
        assert!(!write(store, move |conn| roles::take(conn, user, "a")));
        assert!(write(store, |conn| roles::delete(conn, "b")));
        assert!(!write(store, |conn| roles::delete(conn, "b")));
        assert!(read(store, |conn| roles::of_user(conn, user)).is_empty());
        let told = Role { description: "Edits".to_owned(), declared: true, ..role("a") };
        let stored = told.clone();
        assert!(write(store, move |conn| roles::update(conn, &stored)));
        assert!(!write(store, |conn| roles::update(conn, &role("none"))));
        assert_eq!(read(store, roles::all), [told, role("c")]);
    });
}

#[test]
fn a_session_is_used_renewed_and_ended() {
    on_each_store(|store, _, alice| {
        let one = session(alice.id, "cookie");
        let (stored, id) = (one.clone(), one.id);
        write(store, move |conn| sessions::insert(conn, &stored));
        assert_eq!(read(store, |conn| sessions::by_token(conn, &hash("cookie"))).as_ref(), Some(&one));
        assert_eq!(read(store, |conn| sessions::find(conn, id)).as_ref(), Some(&one));

        let (later, until) = (NOW + Seconds(100), NOW + Seconds(9_000));
        write(store, move |conn| sessions::touch(conn, id, later));
        assert_eq!(read(store, |conn| sessions::find(conn, id)).unwrap().last_seen_at, later);
        let again = Session {
            token_hash: hash("new cookie"),
            authenticated_at: later,
            last_seen_at: later,
            expires_at: until,
            remembered: true,
            browser: None,
            ..one.clone()
        };
        let stored = again.clone();
        assert!(write(store, move |conn| sessions::renew(conn, &stored)));
        assert_eq!(
            read(store, |conn| sessions::by_token(conn, &hash("cookie"))),
            None,
            "the old one is dead"
        );
        let renewed = read(store, |conn| sessions::by_token(conn, &hash("new cookie"))).unwrap();
        assert_eq!(renewed, again);

        assert!(write(store, move |conn| sessions::end(conn, id, later)));
        assert!(!write(store, move |conn| sessions::end(conn, id, later + Seconds(1))));
        assert!(!write(store, move |conn| sessions::renew(
            conn,
            &Session { token_hash: hash("third"), ..again.clone() }
        )));
        write(store, move |conn| sessions::touch(conn, id, until));
        let ended = read(store, |conn| sessions::find(conn, id)).unwrap();
        assert_eq!((ended.ended_at, ended.last_seen_at), (Some(later), later), "nothing moves it any more");
    });
}

#[test]
fn a_session_needs_its_user_and_a_cookie_of_its_own() {
    on_each_store(|store, _, alice| {
        let refused = store.write("test", |conn| sessions::insert(conn, &session(id(), "cookie")));
        assert!(matches!(refused, Err(StoreError::Reference)), "{refused:?}");
        let user = alice.id;
        write(store, move |conn| sessions::insert(conn, &session(user, "cookie")));
        let refused = store.write("test", move |conn| sessions::insert(conn, &session(user, "cookie")));
        assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    });
}

/// The page of a user lists those that count, the one used last first; how long each may lie idle is judged elsewhere.
#[test]
fn the_sessions_of_a_user_are_those_that_neither_ended_nor_ran_out() {
    on_each_store(|store, _, alice| {
        let bob = user("bob");
        let of =
            |name: &str, seen: i64| Session { last_seen_at: NOW + Seconds(seen), ..session(alice.id, name) };
        let (older, newer, ended, over) = (of("a", 1), of("b", 2), of("c", 3), of("d", 4));
        let over = Session { expires_at: NOW, ..over };
        let (ids, gone, user) = ([newer.id, older.id], ended.id, alice.id);
        let bobs = session(bob.id, "e");
        write(store, move |conn| {
            users::insert(conn, &bob)?;
            [&older, &newer, &ended, &over, &bobs].iter().try_for_each(|one| sessions::insert(conn, one))?;
            sessions::end(conn, gone, NOW)
        });
        let listed: Vec<_> =
            read(store, |conn| sessions::of_user(conn, user, NOW)).into_iter().map(|s| s.id).collect();
        assert_eq!(listed, ids);
    });
}

fn consent(user: Id, resource: &str, scope: &str) -> Consent {
    Consent {
        user_id: user,
        client_id: "app".parse().unwrap(),
        resource: resource.to_owned(),
        scope: scope.parse().unwrap(),
        granted_at: NOW,
    }
}

#[test]
fn a_consent_takes_the_place_of_the_former_one_for_the_same_resource_server() {
    on_each_store(|store, _, alice| {
        let user = alice.id;
        for (resource, scope) in
            [("", "openid"), ("https://notes.example", "notes:read"), ("", "openid email")]
        {
            write(store, move |conn| consents::put(conn, &consent(user, resource, scope)));
        }
        let app = "app".parse().unwrap();
        let mut known = read(store, |conn| consents::of(conn, user, &app));
        known.sort_by(|a, b| a.resource.cmp(&b.resource));
        let notes = consent(user, "https://notes.example", "notes:read");
        assert_eq!(known, [consent(user, "", "openid email"), notes]);
        assert!(read(store, |conn| consents::of(conn, user, &"other".parse().unwrap())).is_empty());
        let refused = store.write("test", |conn| consents::put(conn, &consent(id(), "", "openid")));
        assert!(matches!(refused, Err(StoreError::Reference)), "{refused:?}");
    });
}

#[test]
fn with_a_user_goes_everything_of_theirs() {
    on_each_store(|store, _, alice| {
        let (user, given) = (alice.id, authorization(alice.id, NOW + Seconds(60)));
        let (one, family) = (session(user, "cookie"), given.id);
        let session_id = one.id;
        write(store, move |conn| {
            roles::insert(conn, &role("a"))?;
            roles::give(conn, user, "a")?;
            sessions::insert(conn, &one)?;
            consents::put(conn, &consent(user, "", "openid"))?;
            authorizations::insert(conn, &given)
        });
        assert!(write(store, move |conn| users::delete(conn, user)));
        assert!(!write(store, move |conn| users::delete(conn, user)));
        assert_eq!(read(store, |conn| sessions::find(conn, session_id)), None);
        assert_eq!(read(store, |conn| authorizations::find(conn, family)), None);
        assert!(read(store, |conn| consents::of(conn, user, &"app".parse().unwrap())).is_empty());
        assert!(read(store, |conn| roles::of_user(conn, user)).is_empty());
    });
}

#[test]
fn with_a_client_go_its_consents_and_authorizations() {
    on_each_store(|store, _, alice| {
        let (user, given) = (alice.id, authorization(alice.id, NOW + Seconds(60)));
        let family = given.id;
        write(store, move |conn| {
            consents::put(conn, &consent(user, "", "openid"))?;
            authorizations::insert(conn, &given)?;
            authorizations::revoke(conn, given.id, NOW, RevocationReason::Operator)
        });
        write(store, |conn| clients::delete(conn, &"app".parse().unwrap()));
        assert_eq!(read(store, |conn| authorizations::find(conn, family)), None);
        assert!(read(store, |conn| consents::of(conn, user, &"app".parse().unwrap())).is_empty());
    });
}
