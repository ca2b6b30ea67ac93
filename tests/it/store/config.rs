//! Clients, their secrets, resource servers, keys, and the revision that every change of them moves.

use countersign::domain::{ClientSecret, SigningKeyRecord};
use countersign::jose::PrivateKey;
use countersign::oauth::algorithm::SigningAlgorithm;
use countersign::store::{StoreError, client_secrets, clients, keys, resource_servers, revision};

use super::*;
use crate::support::server::sealer;

/// The number by which `change` moves the revision.
fn moved<T: Send + 'static>(
    store: &Store,
    change: impl Fn(&mut Conn) -> Result<T, StoreError> + Send + 'static,
) -> (T, i64) {
    let before = read(store, revision::current);
    let value = write(store, change);
    (value, read(store, revision::current) - before)
}

#[test]
fn a_client_comes_back_as_it_was_stored_and_every_change_moves_the_revision() {
    on_each_store(|store, _, _| {
        let one = client("one");
        let stored = one.clone();
        assert_eq!(moved(store, move |conn| clients::insert(conn, &stored)).1, 1);
        assert_eq!(read(store, |conn| clients::find(conn, &one.id)).unwrap(), one);
        assert_eq!(
            read(store, clients::all).iter().map(|c| c.id.to_string()).collect::<Vec<_>>(),
            ["app", "one"]
        );

        let mut draft = one.to_draft();
        // Nothing in place of something must reach the row, too.
        draft.access_token_ttl = None;
        draft.redirect_uris.truncate(1);
        let mut changed = Client::check(draft, NOW).unwrap();
        changed.disabled_at = Some(NOW);
        let stored = changed.clone();
        assert_eq!(moved(store, move |conn| clients::update(conn, &stored)), (true, 1));
        assert_eq!(read(store, |conn| clients::find(conn, &one.id)).unwrap(), changed);

        let gone = one.id.clone();
        assert_eq!(moved(store, move |conn| clients::delete(conn, &gone)), (true, 1));
        assert_eq!(read(store, |conn| clients::find(conn, &one.id)), None);
        let gone = one.id.clone();
        assert!(!write(store, move |conn| clients::delete(conn, &gone)));
        assert!(!write(store, move |conn| clients::update(conn, &changed)));
    });
}

#[test]
fn a_taken_client_id_is_a_conflict() {
    on_each_store(|store, _, _| {
        let refused = store.write("test", |conn| clients::insert(conn, &client("app")));
        assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    });
}

fn secret(client: &str, text: &str) -> ClientSecret {
    ClientSecret {
        id: id(),
        client_id: client.parse().unwrap(),
        hash: hash(text),
        sealed: None,
        created_at: NOW,
        expires_at: None,
        leaked: false,
    }
}

#[test]
fn a_secret_expires_once_and_never_later_than_it_was_told() {
    on_each_store(|store, _, _| {
        let one = secret("app", "s1");
        let (stored, id) = (one.clone(), one.id);
        assert_eq!(moved(store, move |conn| client_secrets::insert(conn, &stored)).1, 1);
        assert_eq!(read(store, client_secrets::all), [one]);
        let expire = |at| moved(store, move |conn| client_secrets::expire(conn, id, at));
        assert_eq!(expire(NOW + Seconds(60)), (true, 1));
        assert!(!expire(NOW + Seconds(90)).0, "it expires earlier");
        assert!(expire(NOW).0);
        assert_eq!(read(store, client_secrets::all)[0].expires_at, Some(NOW));
        assert_eq!(moved(store, move |conn| client_secrets::delete(conn, id)), (true, 1));
        assert!(!write(store, move |conn| client_secrets::delete(conn, id)));
        assert_eq!(read(store, client_secrets::all), []);
    });
}

#[test]
fn a_secret_needs_its_client_and_is_nobody_elses() {
    on_each_store(|store, _, _| {
        let refused = store.write("test", |conn| client_secrets::insert(conn, &secret("nobody", "s1")));
        assert!(matches!(refused, Err(StoreError::Reference)), "{refused:?}");
        write(store, |conn| client_secrets::insert(conn, &secret("app", "s1")));
        let refused = store.write("test", |conn| client_secrets::insert(conn, &secret("app", "s1")));
        assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
        write(store, |conn| clients::delete(conn, &"app".parse().unwrap()));
        assert_eq!(read(store, client_secrets::all), [], "they go with their client");
    });
}

#[test]
fn a_resource_server_comes_back_as_it_was_stored() {
    on_each_store(|store, _, _| {
        let one = resource_server("https://notes.example");
        let stored = one.clone();
        assert_eq!(moved(store, move |conn| resource_servers::insert(conn, &stored)).1, 1);
        assert_eq!(read(store, resource_servers::all), std::slice::from_ref(&one));
        let stored = one.clone();
        let refused = store.write("test", move |conn| resource_servers::insert(conn, &stored));
        assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");

        let changed = ResourceServer { access_token_ttl: None, signing_algorithm: None, ..one.clone() };
        let stored = changed.clone();
        assert_eq!(moved(store, move |conn| resource_servers::update(conn, &stored)), (true, 1));
        assert_eq!(read(store, resource_servers::all), std::slice::from_ref(&changed));
        let gone = one.id.clone();
        assert_eq!(moved(store, move |conn| resource_servers::delete(conn, &gone)), (true, 1));
        let gone = one.id.clone();
        assert!(!write(store, move |conn| resource_servers::delete(conn, &gone)));
        assert!(!write(store, move |conn| resource_servers::update(conn, &changed)));
    });
}

fn key(at: Timestamp) -> SigningKeyRecord {
    let key = PrivateKey::generate(SigningAlgorithm::Es256, &OsEntropy).unwrap();
    key.to_record(&sealer(), at).unwrap()
}

#[test]
fn keys_come_back_oldest_first_in_each_of_their_states() {
    on_each_store(|store, _, _| {
        let (young, old) = (key(NOW + Seconds(5)), key(NOW));
        let kid = old.kid.clone();
        for record in [young.clone(), old.clone()] {
            assert_eq!(moved(store, move |conn| keys::insert(conn, &record)).1, 1);
        }
        assert_eq!(read(store, keys::all), [old.clone(), young.clone()]);
        let again = old.clone();
        let refused = store.write("test", move |conn| keys::insert(conn, &again));
        assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");

        let active = SigningKeyRecord { state: old.state.activate_first(NOW).unwrap(), ..old };
        let retired =
            SigningKeyRecord { state: active.state.retire(NOW, Seconds(60)).unwrap(), ..active.clone() };
        for record in [active, retired] {
            let stored = record.clone();
            assert_eq!(moved(store, move |conn| keys::update(conn, &stored)), (true, 1));
            assert_eq!(read(store, keys::all), [record, young.clone()]);
        }
        assert_eq!(moved(store, move |conn| keys::delete(conn, &kid)), (true, 1));
        assert!(!write(store, |conn| keys::delete(conn, "none")));
        assert_eq!(read(store, keys::all), [young]);
    });
}
