//! Looking up, revoking and exchanging tokens; the clients that do so; and a way to see that nothing was written.

use countersign::oauth::AccessTokenClaims;
use countersign::store::Store;

use super::db::Database;
use super::flow::{code, redemption};
use super::http::Answer;
use super::raw::Raw;
use super::server::{CLIENTS, Setup, TestServer, secret};

/// The APIs of the tests as clients, and two that exchange tokens.
pub const APIS: &str = r#"
[[clients]]
id = "notes-api"
profile = "resource-server"
introspects = ["https://notes.example"]
secret_hash = "SECRET_HASH:notes-api"

[[clients]]
id = "mail-api"
profile = "resource-server"
introspects = ["https://mail.example/api", "https://other.example"]
secret_hash = "SECRET_HASH:mail-api"

[[clients]]
id = "gateway"
profile = "resource-server"
introspects = ["https://notes.example"]
grant_types = ["urn:ietf:params:oauth:grant-type:token-exchange"]
scopes = ["notes:read", "mail:send"]
exchange = [{ from = "https://notes.example", to = ["https://mail.example/api", "https://notes.example"] }]
secret_hash = "SECRET_HASH:gateway"

[[clients]]
id = "relay"
profile = "service"
grant_types = ["client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange"]
scopes = ["mail:send", "shared"]
resources = ["https://mail.example/api"]
secret_hash = "SECRET_HASH:relay"

[[clients.exchange]]
from = "https://notes.example"
to = ["https://mail.example/api"]

[[clients.exchange]]
from = "https://mail.example/api"
to = ["https://mail.example/api", "https://other.example"]
"#;

pub fn setup() -> Setup {
    Setup { clients: format!("{CLIENTS}{APIS}"), ..Setup::default() }
}

pub fn on(database: &Database) -> TestServer {
    TestServer::with(Setup { database: Some(database.url.clone()), ..setup() })
}

/// Two nodes of one issuer.
pub fn two_nodes(database: &Database) -> (TestServer, TestServer) {
    let one = on(database);
    let (database, issuer) = (Some(database.url.clone()), Some(one.issuer.clone()));
    let two = TestServer::with(Setup { database, issuer, ..setup() });
    (one, two)
}

pub fn introspect(server: &TestServer, client: &str, token: &str) -> Answer {
    introspect_with(server, client, &[("token", token)])
}

pub fn introspect_with(server: &TestServer, client: &str, form: &[(&str, &str)]) -> Answer {
    server.client().post_as(client, &secret(client), "/introspect", form)
}

/// Whether `client` is told that the token is active; where it is not, it is told nothing else.
pub fn is_active(server: &TestServer, client: &str, token: &str) -> bool {
    let answer = introspect(server, client, token);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let active = answer.json()["active"].as_bool().unwrap();
    assert!(active || answer.body == "{\"active\":false}", "{}", answer.body);
    active
}

/// What is told of the user to whoever shows this token in the Authorization header.
pub fn userinfo(server: &TestServer, token: &str) -> Answer {
    let header = format!("Bearer {token}");
    server.client().send("GET", "/userinfo", &[("authorization", &header)], "")
}

pub fn revoke(server: &TestServer, client: &str, token: &str) -> Answer {
    server.client().post_as(client, &secret(client), "/revoke", &[("token", token)])
}

/// RFC 7009 §2.2: the status says it all.
pub fn assert_revoked(answer: &Answer) {
    assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{answer:?}");
    assert_eq!(answer.header("content-type"), None, "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{answer:?}");
}

/// An access token of a user, for the notes, held by the confidential client `web`.
pub fn users_token(server: &TestServer, scope: &str) -> String {
    let answer = server.token("web", &redemption(&code(server, "web", &[("scope", scope)])));
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.text("access_token")
}

/// An access token of a client's own.
pub fn clients_token(server: &TestServer, client: &str, scope: &str) -> String {
    let answer = server.token(client, &[("grant_type", "client_credentials"), ("scope", scope)]);
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.text("access_token")
}

/// Two that verify and yet say another thing: a payload and a signature that were each changed by one bit.
pub fn forged(token: &str) -> [String; 2] {
    [1, 2].map(|part| {
        let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
        let middle = parts[part].len() / 2;
        let other = if parts[part].as_bytes()[middle] == b'A' { "B" } else { "A" };
        parts[part].replace_range(middle..=middle, other);
        parts.join(".")
    })
}

/// The same but for its last character, whichever that was.
pub fn misspelt(token: &str) -> String {
    let last = if token.ends_with('a') { "b" } else { "a" };
    format!("{}{last}", &token[..token.len() - 1])
}

/// The claims as the server itself reads them.
pub fn claims(token: &str) -> AccessTokenClaims<'static> {
    serde_json::from_value(super::flow::claims(token).into()).unwrap()
}

/// Runs `work`, and sees that nobody has changed a row meanwhile.
pub fn writes_nothing<T>(database: &Database, work: impl FnOnce() -> T) -> T {
    let mut raw = Raw::open(&database.url);
    let before = version(&mut raw);
    let done = work();
    assert_eq!(version(&mut raw), before, "something was written on {}", database.kind);
    done
}

/// What another connection's change changes: SQLite counts them; in PostgreSQL each row names the transaction that wrote it.
fn version(raw: &mut Raw) -> Vec<i64> {
    if matches!(raw, Raw::Sqlite(_)) {
        return vec![raw.number("SELECT data_version AS n FROM pragma_data_version")];
    }
    let mut tables: Vec<String> = Store::expected_columns().into_iter().map(|(table, ..)| table).collect();
    tables.dedup();
    let of = |table| {
        let sums = "(count(*) + coalesce(sum(xmin::text::bigint), 0))::bigint";
        raw.number(&format!("SELECT {sums} AS n FROM {table}"))
    };
    tables.into_iter().map(of).collect()
}
