//! The store, table by table and as a whole, on both databases.

mod config;
mod denials;
mod grants;
mod group_commit;
mod limits;
mod people;
mod rows;
mod stats;
mod sweeping;

use countersign::base::entropy::OsEntropy;
use countersign::base::{HashedToken, Id, Seconds, Timestamp};
use countersign::domain::client::ClientDraft;
use countersign::domain::resource_server::TokenFormat;
use countersign::domain::{
    Authorization, Client, Code, Profile, RefreshToken, ResourceServer, Role, ScopeDefinition, Session, User,
    UserName,
};
use countersign::oauth::Asked;
use countersign::store::{self, Conn, Store, StoreError};

use crate::support::raw::migrated;
use crate::support::server::START as NOW;
use crate::support::{Database, on_each_database};

fn id() -> Id {
    Id::random(&OsEntropy).unwrap()
}

fn hash(text: &str) -> HashedToken {
    HashedToken::of(text)
}

/// A store on every database, with the user `alice` and the client `app`.
fn on_each_store(test: impl Fn(&Store, &Database, &User)) {
    on_each_database(|database| {
        let store = migrated(&database.url);
        let alice = user("alice");
        let stored = alice.clone();
        write(&store, move |conn| {
            store::users::insert(conn, &stored)?;
            store::clients::insert(conn, &client("app"))
        });
        test(&store, &database, &alice);
    });
}

/// A write that must succeed.
fn write<T: Send + 'static>(
    store: &Store,
    queries: impl Fn(&mut Conn) -> Result<T, StoreError> + Send + 'static,
) -> T {
    store.write("test", queries).unwrap()
}

/// A read that must succeed.
fn read<T>(store: &Store, queries: impl Fn(&mut Conn) -> Result<T, StoreError>) -> T {
    store.read("test", queries).unwrap()
}

fn user(name: &str) -> User {
    let email = Some(format!("{name}@example.org"));
    User { email, ..User::new(id(), UserName::parse(name).unwrap(), "$argon2id$".to_owned(), NOW) }
}

fn client(name: &str) -> Client {
    let mut draft = ClientDraft::with_defaults(name.parse().unwrap(), name.to_owned(), Profile::Web);
    draft.redirect_uris =
        ["https://app.example/cb", "http://127.0.0.1/cb"].map(|uri| uri.parse().unwrap()).into();
    draft.scope = "openid notes:read".parse().unwrap();
    draft.resources = vec!["https://notes.example".parse().unwrap()];
    draft.access_token_ttl = Some(Seconds(60));
    Client::check(draft, NOW).unwrap()
}

fn resource_server(id: &str) -> ResourceServer {
    let scope =
        |name: &str| ScopeDefinition { name: name.parse().unwrap(), description: "Läuft".to_owned() };
    ResourceServer {
        id: id.parse().unwrap(),
        name: "Notes".to_owned(),
        scopes: vec![scope("notes:read"), scope("notes:write")],
        access_token_ttl: Some(Seconds(120)),
        allow_long_access_tokens: false,
        signing_algorithm: Some("RS256".parse().unwrap()),
        include_roles: true,
        claims: serde_json::from_str(r#"{"team":"attribute:team"}"#).unwrap(),
        user_api_tokens: true,
        declared: false,
        created_at: NOW,
        token_format: TokenFormat::Opaque,
    }
}

fn role(name: &str) -> Role {
    Role { name: name.to_owned(), description: String::new(), declared: false, created_at: NOW }
}

fn session(user: Id, token: &str) -> Session {
    Session {
        id: id(),
        token_hash: hash(token),
        user_id: user,
        authenticated_at: NOW,
        last_seen_at: NOW,
        expires_at: NOW + Seconds(3600),
        ended_at: None,
        started_at: NOW,
        remembered: false,
        browser: Some("Firefox, Linux".to_owned()),
    }
}

fn authorization(user: Id, expires_at: Timestamp) -> Authorization {
    Authorization {
        id: id(),
        client_id: "app".parse().unwrap(),
        user_id: user,
        session_id: Some(id()),
        scope: "openid notes:read".parse().unwrap(),
        resources: vec!["https://notes.example".parse().unwrap()],
        authenticated_at: NOW,
        nonce: Some("n".to_owned()),
        asked: Asked { auth_time: true, ..Asked::default() },
        created_at: NOW,
        expires_at,
        revoked: None,
    }
}

fn code(text: &str, authorization: Id) -> Code {
    Code {
        hash: hash(text),
        authorization_id: authorization,
        client_id: "app".parse().unwrap(),
        redirect_uri: "https://app.example/cb".to_owned(),
        redirect_uri_given: true,
        challenge: Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".parse().unwrap()),
        expires_at: NOW + Seconds(60),
        redeemed_at: None,
    }
}

fn refresh_token(text: &str, authorization: Id) -> RefreshToken {
    RefreshToken {
        hash: hash(text),
        authorization_id: authorization,
        created_at: NOW,
        expires_at: NOW + Seconds(600),
        used_at: None,
        successor_key: None,
    }
}
