//! An account that is locked, or given a new password, while something is given on its behalf: what was given from the
//! old state dies with it, on both databases.

use std::sync::atomic::{AtomicBool, Ordering};

use countersign::domain::{User, UserName};
use countersign::flow::accounts;
use countersign::flow::registry;
use countersign::oauth::ClientId;
use countersign::store::users;

use super::support::flow::{authorize, authorize_path, code, redemption};
use super::support::pages::signed_in;
use super::support::raw::{Raw, at_once};
use super::support::server::PASSWORD;
use super::support::{Database, TestServer, change, on_each_database};

const NEW: &str = "another correct horse";

fn password_grant(server: &TestServer, password: &str) -> u16 {
    let form = [("grant_type", "password"), ("username", "alice"), ("password", password)];
    let with = [&form[..], &[("scope", "notes:read offline_access")]].concat();
    server.token("house", &with).status
}

fn change_password(server: &TestServer) {
    let name = UserName::canonical("alice");
    let app = &server.app;
    accounts::set_password(&app.store, &app.passwords, &*app.entropy, &name, NEW, app.now()).unwrap();
}

fn number(database: &Database, sql: &str) -> i64 {
    Raw::open(&database.url).number(sql)
}

/// Logins with the old password go on all the time; after the change none of what they gave is alive.
#[test]
fn a_login_in_flight_does_not_survive_a_change_of_password() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let is_changed = AtomicBool::new(false);
        at_once(4, |at| {
            if at == 0 {
                change_password(&server);
                is_changed.store(true, Ordering::SeqCst);
                return;
            }
            while !is_changed.load(Ordering::SeqCst) {
                if at == 1 {
                    password_grant(&server, PASSWORD);
                } else {
                    authorize(&mut server.browser(), "web", &[]);
                }
            }
        });
        let sessions = "SELECT count(*) AS n FROM sessions WHERE ended_at IS NULL";
        let families = "SELECT count(*) AS n FROM authorizations WHERE revoked_at IS NULL";
        assert_eq!((number(&database, sessions), number(&database, families)), (0, 0), "{}", database.kind);
        assert_eq!(password_grant(&server, PASSWORD), 400);
        assert_eq!(password_grant(&server, NEW), 200);
    });
}

/// The same without chance: the check of the password was before, the session is after.
#[test]
fn a_session_is_not_started_for_an_account_that_changed_since_its_password_was_checked() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let (alice, store) = (server.user("alice"), server.store());
        let holds = |hash: &str| {
            let hash = hash.to_owned();
            store.write("hold", move |conn| users::hold(conn, alice.id, &hash)).unwrap()
        };
        assert!(holds(&alice.password_hash));
        change_password(&server);
        assert!(!holds(&alice.password_hash), "the old password, on {}", database.kind);
        let changed = server.user("alice").password_hash;
        assert!(holds(&changed));
        accounts::lock(store, &UserName::canonical("alice"), server.app.now()).unwrap();
        assert!(!holds(&changed), "a locked account, on {}", database.kind);
    });
}

/// A code that lay unused when its user signed out is worth nothing after it, for a confidential client too.
#[test]
fn a_code_does_not_survive_the_logout_that_came_before_it_was_redeemed() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let code = code(&server, "web", &[("scope", "openid notes:read offline_access")]);
        change::end_sessions(&server, "alice");
        assert_eq!(server.token("web", &redemption(&code)).error(), "invalid_grant", "{}", database.kind);
    });
}

#[test]
fn no_code_comes_from_a_session_that_ended_meanwhile() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let mut browser = signed_in(&server);
        let page = browser.get(&authorize_path("web", &[("prompt", "consent")]));
        let page = browser.follow(page);
        change::end_sessions(&server, "alice");
        let answer = browser.decide(&page, "allow");
        assert_eq!((answer.status, answer.header("location")), (400, None), "{}", database.kind);
    });
}

/// Two operators at once: a new name for a client must not switch it on again, a new address not unlock a user.
#[test]
fn a_change_does_not_undo_another_that_came_between() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let (store, now) = (server.store(), server.app.now());
        let id: ClientId = "made".parse().unwrap();
        let mut draft = registry_draft(&id);
        registry::add_client(store, draft.clone(), &[], None, &*server.app.entropy, now).unwrap();
        let before = registry::own_client(store, &id).unwrap();
        registry::switch_client(store, &id, Some(now)).unwrap();
        draft.name = "Another name".to_owned();
        let refused = registry::change_client(store, &before, draft, &[]).unwrap_err();
        assert!(matches!(refused, registry::RegistryFault::Changed), "{refused}");
        assert_eq!(registry::own_client(store, &id).unwrap().disabled_at, Some(now), "{}", database.kind);

        let name = UserName::canonical("alice");
        at_once(8, |at| {
            if at == 0 {
                accounts::lock(store, &name, now).unwrap();
            } else {
                let email = Some(format!("alice{at}@example.org"));
                let change = move |user: &mut User| {
                    user.set_email(email.clone());
                    Ok(())
                };
                accounts::change(store, &name, now, change).unwrap();
            }
        });
        assert!(!server.user("alice").is_active(), "the lock is gone on {}", database.kind);
    });
}

fn registry_draft(id: &ClientId) -> countersign::domain::client::ClientDraft {
    let profile = countersign::domain::Profile::Service;
    countersign::domain::client::ClientDraft::with_defaults(id.clone(), "Made".to_owned(), profile)
}
