//! What an operator changes while the server runs.

use countersign::base::entropy::OsEntropy;
use countersign::base::{HashedToken, Id, Timestamp};
use countersign::domain::client::ClientDraft;
use countersign::domain::{Client, ClientSecret, ResourceServer};
use countersign::store;

use super::server::{START, TestServer};

/// One more secret for a client, until `expires_at`.
pub fn add_secret(server: &TestServer, client: &str, plain: &str, expires_at: Option<Timestamp>) -> Id {
    let id = Id::random(&OsEntropy).unwrap();
    let secret = ClientSecret {
        id,
        client_id: client.parse().unwrap(),
        hash: HashedToken::of(plain),
        sealed: None,
        created_at: START,
        expires_at,
        leaked: false,
    };
    server.store().write("test secret", move |conn| store::client_secrets::insert(conn, &secret)).unwrap();
    server.refresh();
    id
}

fn edit(server: &TestServer, client: &str, edit: impl FnOnce(Client) -> Client) {
    let id = client.parse().unwrap();
    let found = server.store().read("test client", |conn| store::clients::find(conn, &id)).unwrap();
    let changed = edit(found.unwrap());
    let stored = server.store().write("test client", move |conn| store::clients::update(conn, &changed));
    assert!(stored.unwrap());
    server.refresh();
}

/// Changes fields of a client, by the rules that hold for every change.
pub fn client(server: &TestServer, id: &str, change: impl FnOnce(&mut ClientDraft)) {
    edit(server, id, |client| {
        let mut draft = client.to_draft();
        change(&mut draft);
        Client::check(draft, client.created_at).unwrap()
    });
}

pub fn switch_off(server: &TestServer, id: &str) {
    edit(server, id, |mut client| {
        client.disabled_at = Some(START);
        client
    });
}

pub fn lock(server: &TestServer, name: &str) {
    let mut user = server.user(name);
    user.locked_at = Some(START);
    assert!(server.store().write("lock", move |conn| store::users::update(conn, &user)).unwrap());
}

/// Ends the sessions of a user, and leaves what was given in them as it is.
pub fn end_sessions(server: &TestServer, name: &str) {
    let (user, now) = (server.user(name).id, server.app.now());
    let ended = server.store().write("end sessions", move |conn| {
        let all = store::sessions::of_user(conn, user, now)?;
        all.iter().map(|session| store::sessions::end(conn, session.id, now)).collect::<Result<Vec<_>, _>>()
    });
    assert!(ended.unwrap().into_iter().all(|ended| ended));
}

pub fn give_role(server: &TestServer, name: &str, role: &'static str) {
    let id = server.user(name).id;
    server.store().write("give a role", move |conn| store::roles::give(conn, id, role)).unwrap();
}

/// Changes a resource server past all rules, as a damaged row would.
pub fn resource_server(server: &TestServer, id: &str, change: impl FnOnce(&mut ResourceServer)) {
    let all = server.store().read("test resource server", store::resource_servers::all).unwrap();
    let mut changed = all.into_iter().find(|known| known.id.as_str() == id).unwrap();
    change(&mut changed);
    let stored = server
        .store()
        .write("test resource server", move |conn| store::resource_servers::update(conn, &changed));
    assert!(stored.unwrap());
    server.refresh();
}
