//! A configuration in a folder of its own, and as many codes and refresh tokens as a round needs.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign::base::clock::{Clock as _, SystemClock};
use countersign::base::encoding::{base64url, sha256};
use countersign::base::entropy::OsEntropy;
use countersign::base::{HashedToken, Id, PlainToken, Seconds, Timestamp, TokenKind};
use countersign::domain::{Authorization, Code, RefreshToken, User, UserName};
use countersign::store::{self, Conn, Store, StoreError, StoreOptions};

use crate::load::Request;

const SECRET: &str = "bench-secret-0123456789-0123456789-0123456789";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CALLBACK: &str = "https://app.example/cb";

pub struct Fixture {
    _folder: tempfile::TempDir,
    pub database: String,
    pub config: PathBuf,
    pub address: SocketAddr,
}

impl Fixture {
    /// On a SQLite database in the folder, where none is named.
    pub fn make(database: Option<String>) -> Self {
        let folder = tempfile::tempdir_in("target").unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let hash = HashedToken::of(SECRET).as_str().to_owned();
        let at = folder.path().display();
        let database = database.unwrap_or_else(|| format!("sqlite:{at}/bench.db"));
        let config = folder.path().join("countersign.toml");
        let toml = format!(
            r#"
[server]
issuer = "http://{address}"
listen = ["{address}"]
[database]
url = "{database}"
migrate_at_start = true
[keys]
master_key_file = "{at}/master.key"
# What lies unused for a month lives: all those of a million are to be shown.
[tokens]
refresh_token_ttl_s = 2678400
refresh_token_idle_ttl_s = 2678400
[log]
level = "error"
[[resource_servers]]
id = "https://notes.example"
scopes = {{ "notes:read" = "Read", "notes:write" = "Write" }}
[[clients]]
id = "service"
profile = "service"
scopes = ["notes:read", "notes:write"]
resources = ["https://notes.example"]
secret_hash = "{hash}"
[[clients]]
id = "web"
profile = "web"
redirect_uris = ["{CALLBACK}"]
scopes = ["notes:read", "notes:write"]
resources = ["https://notes.example"]
secret_hash = "{web}"
[[clients]]
id = "form"
profile = "first-party"
grant_types = ["password"]
allow_password_grant = true
scopes = ["notes:read"]
resources = ["https://notes.example"]
secret_hash = "{form}"
"#,
            web = HashedToken::of(&format!("{SECRET}-web")).as_str(),
            form = HashedToken::of(&format!("{SECRET}-form")).as_str()
        );
        std::fs::write(&config, toml).unwrap();
        Self { _folder: folder, database, config, address }
    }

    pub fn client_credentials(&self) -> Request {
        Request::post(
            "/token",
            Some(&basic("service", SECRET)),
            "grant_type=client_credentials&scope=notes:read",
        )
    }

    /// Costs one Argon2 hash, and is refused.
    pub fn wrong_password(&self, username: &str) -> Request {
        let body = format!("grant_type=password&username={username}&password=wrong");
        Request::post("/token", Some(&basic("form", &format!("{SECRET}-form"))), &body)
    }

    pub fn refreshes(&self, count: usize) -> Vec<Request> {
        let tokens = self.store_many(count, |conn, authorization, now| {
            let plain = PlainToken::refresh(now, &OsEntropy)?;
            let token = RefreshToken {
                hash: plain.hash(),
                authorization_id: authorization,
                created_at: now,
                expires_at: now + Seconds(86_400),
                used_at: None,
                successor_key: None,
            };
            store::refresh_tokens::insert(conn, &token)?;
            Ok(plain.reveal().to_owned())
        });
        tokens.iter().map(|token| refresh(token)).collect()
    }

    pub fn codes(&self, count: usize) -> Vec<Request> {
        let challenge = base64url(&sha256(VERIFIER.as_bytes()));
        let codes = self.store_many(count, move |conn, authorization, now| {
            let plain = PlainToken::random(TokenKind::Code, &OsEntropy)?;
            let code = Code {
                hash: plain.hash(),
                authorization_id: authorization,
                client_id: "web".parse().unwrap(),
                redirect_uri: CALLBACK.to_owned(),
                redirect_uri_given: true,
                challenge: Some(challenge.parse().unwrap()),
                expires_at: now + Seconds(600),
                redeemed_at: None,
            };
            store::codes::insert(conn, &code)?;
            Ok(plain.reveal().to_owned())
        });
        let request = |code: String| {
            let body = format!(
                "grant_type=authorization_code&code={code}&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&code_verifier={VERIFIER}"
            );
            Request::post("/token", Some(&basic("web", &format!("{SECRET}-web"))), &body)
        };
        codes.into_iter().map(request).collect()
    }

    /// So many authorizations of one new user, each with what `make` adds.
    fn store_many(
        &self,
        count: usize,
        make: impl Fn(&mut Conn, Id, Timestamp) -> Result<String, StoreError> + Send + 'static,
    ) -> Vec<String> {
        let store = Store::open(StoreOptions {
            url: self.database.parse().unwrap(),
            pool_size: 1,
            acquire_timeout: Duration::from_secs(30),
            synchronous_full: true,
        })
        .unwrap();
        let now = SystemClock.now();
        store
            .write("bench", move |conn| {
                let user = Id::random(&OsEntropy)?;
                let name = UserName::parse(&user.to_string()).unwrap();
                store::users::insert(conn, &User::new(user, name, String::new(), now))?;
                let mut made = Vec::with_capacity(count);
                for _ in 0..count {
                    let authorization = Authorization {
                        id: Id::random(&OsEntropy)?,
                        client_id: "web".parse().unwrap(),
                        user_id: user,
                        session_id: None,
                        scope: "notes:read offline_access".parse().unwrap(),
                        resources: vec!["https://notes.example".parse().unwrap()],
                        authenticated_at: now,
                        nonce: None,
                        asked: countersign::oauth::Asked::default(),
                        created_at: now,
                        expires_at: now + Seconds(86_400),
                        revoked: None,
                    };
                    store::authorizations::insert(conn, &authorization)?;
                    made.push(make(conn, authorization.id, now)?);
                }
                Ok(made)
            })
            .unwrap()
    }
}

/// Shows a refresh token of the client `web`.
pub fn refresh(token: &str) -> Request {
    let body = format!("grant_type=refresh_token&refresh_token={token}");
    Request::post("/token", Some(&basic("web", &format!("{SECRET}-web"))), &body)
}

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}
