//! A row that no code of ours could have written is a fault that names table, column and row; it is never "not found".

use countersign::store::{
    StoreError, authorizations, client_secrets, clients, codes, consents, keys, refresh_tokens,
    resource_servers, sessions, users,
};

use super::*;
use crate::support::raw::Raw;

/// What breaks the row, the reading that must notice, and the column it must name.
type Case = (&'static str, &'static str, &'static str);

const CASES: &[Case] = &[
    ("clients", "profile", "'robot'"),
    ("clients", "grant_types", "'implicit'"),
    ("clients", "redirect_uris", "'https://a.example/#x'"),
    ("clients", "post_logout_redirect_uris", "'javascript:alert(1)'"),
    ("clients", "scope", "'a\"b'"),
    ("clients", "resources", "'not-a-uri'"),
    ("clients", "id", "''"),
    ("client_secrets", "id", "'no uuid'"),
    ("resource_servers", "id", "'no uri'"),
    ("resource_servers", "scopes", "'[1]'"),
    ("resource_servers", "signing_algorithm", "'HS256'"),
    ("signing_keys", "algorithm", "'none'"),
    ("signing_keys", "remove_at", "NULL"),
    ("users", "id", "'no uuid'"),
    ("users", "username", "' '"),
    ("sessions", "id", "'no uuid'"),
    ("consents", "scope", "'a\"b'"),
    ("authorizations", "session_id", "'no uuid'"),
    ("authorizations", "scope", "'a\"b'"),
    ("authorizations", "resources", "'not-a-uri'"),
    ("authorizations", "revoked_because", "'boredom'"),
    ("authorizations", "request", "'{'"),
    ("codes", "client_id", "''"),
    ("codes", "challenge", "'short'"),
    ("refresh_tokens", "authorization_id", "'no uuid'"),
];

/// One row in each table, and the ids to read them by.
fn fill(store: &Store, alice: &User) -> Id {
    let one = session(alice.id, "cookie");
    let mut given = authorization(alice.id, NOW);
    given.revoked = Some((NOW, countersign::domain::RevocationReason::Operator));
    let (user, family) = (alice.id, given.id);
    let secret = countersign::domain::ClientSecret {
        id: id(),
        client_id: "app".parse().unwrap(),
        hash: hash("s"),
        sealed: None,
        created_at: NOW,
        expires_at: None,
        leaked: false,
    };
    let mut key = crate::support::server::KEYS[0].clone();
    key.state = key.state.retire(NOW, Seconds(60)).unwrap();
    write(store, move |conn| {
        client_secrets::insert(conn, &secret)?;
        resource_servers::insert(conn, &resource_server("https://notes.example"))?;
        keys::insert(conn, &key)?;
        sessions::insert(conn, &one)?;
        authorizations::insert(conn, &given)?;
        codes::insert(conn, &code("c", given.id))?;
        refresh_tokens::insert(conn, &refresh_token("r", given.id))?;
        let scope = "openid".parse().unwrap();
        let (client_id, resource) = ("app".parse().unwrap(), String::new());
        let consent = countersign::domain::consent::Consent {
            user_id: user,
            client_id,
            resource,
            scope,
            granted_at: NOW,
        };
        consents::put(conn, &consent)
    });
    family
}

fn reading(conn: &mut Conn, table: &str, alice: &User, family: Id) -> Result<bool, StoreError> {
    Ok(match table {
        "clients" => !clients::all(conn)?.is_empty(),
        "client_secrets" => !client_secrets::all(conn)?.is_empty(),
        "resource_servers" => !resource_servers::all(conn)?.is_empty(),
        "signing_keys" => !keys::all(conn)?.is_empty(),
        "users" => !users::page(conn, "", 10)?.is_empty(),
        "sessions" => sessions::by_token(conn, &hash("cookie"))?.is_some(),
        "consents" => !consents::of(conn, alice.id, &"app".parse().unwrap())?.is_empty(),
        "authorizations" => authorizations::find(conn, family)?.is_some(),
        "codes" => codes::find(conn, &hash("c"))?.is_some(),
        "refresh_tokens" => refresh_tokens::find(conn, &hash("r"))?.is_some(),
        _ => panic!("{table}"),
    })
}

#[test]
fn an_impossible_row_is_named() {
    on_each_store(|store, database, alice| {
        let family = fill(store, alice);
        let mut raw = Raw::open(&database.url);
        // Keys are broken too, and what hangs on them is not to be in the way.
        match &raw {
            Raw::Sqlite(_) => raw.run("PRAGMA foreign_keys = OFF"),
            Raw::Postgres(_) => raw.run("SET session_replication_role = replica"),
        }
        for &(table, column, value) in CASES {
            let case = format!("{table}.{column} = {value} on {}", database.kind);
            assert!(read(store, |conn| reading(conn, table, alice, family)), "{case}: no row before");
            raw.run(&format!("CREATE TABLE kept AS SELECT * FROM {table}"));
            raw.run(&format!("UPDATE {table} SET {column} = {value}"));
            let seen = store.read("test", |conn| reading(conn, table, alice, family));
            let Err(StoreError::Impossible(row)) = seen else { panic!("{case}: {seen:?}") };
            assert_eq!((row.table, row.column), (table, column), "{case}");
            let told = row.to_string();
            assert!(told.contains(&format!("{table}.{column} of row")), "{told}");
            raw.run(&format!("DELETE FROM {table}"));
            raw.run(&format!("INSERT INTO {table} SELECT * FROM kept"));
            raw.run("DROP TABLE kept");
        }
    });
}

#[test]
fn half_a_revocation_is_impossible() {
    on_each_store(|store, database, alice| {
        let given = authorization(alice.id, NOW);
        let family = given.id;
        write(store, move |conn| authorizations::insert(conn, &given));
        Raw::open(&database.url).run("UPDATE authorizations SET revoked_at = 1");
        let seen = store.read("test", |conn| authorizations::find(conn, family));
        let Err(StoreError::Impossible(row)) = seen else { panic!("{seen:?}") };
        assert_eq!((row.table, row.column, row.id), ("authorizations", "revoked_at", family.to_string()));
    });
}

#[test]
fn a_client_row_that_breaks_todays_rules_is_impossible_and_says_which() {
    on_each_store(|store, database, _| {
        Raw::open(&database.url)
            .run("UPDATE clients SET profile = 'spa', grant_types = 'client_credentials'");
        let seen = store.read("test", clients::all);
        let Err(StoreError::Impossible(row)) = seen else { panic!("{seen:?}") };
        assert_eq!((row.table, row.id.as_str()), ("clients", "app"));
        assert!(row.text.contains("grant_types"), "{row}");
    });
}

/// Codes and refresh tokens are keyed by the hash of a secret; even that is not for the log.
#[test]
fn the_fault_of_a_code_names_its_authorization_and_not_its_hash() {
    on_each_store(|store, database, alice| {
        let given = authorization(alice.id, NOW);
        let family = given.id;
        write(store, move |conn| {
            authorizations::insert(conn, &given)?;
            codes::insert(conn, &code("c", given.id))
        });
        Raw::open(&database.url).run("UPDATE codes SET challenge = 'short'");
        let seen = store.read("test", |conn| codes::find(conn, &hash("c")));
        let Err(StoreError::Impossible(row)) = seen else { panic!("{seen:?}") };
        assert_eq!(row.id, family.to_string());
        assert!(!row.to_string().contains(hash("c").as_str()));
    });
}
