//! A whole server in this process, on a port of its own, with a clock that stands still until it is moved.

use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, LazyLock, mpsc};
use std::thread::JoinHandle;

use actix_web::dev::ServerHandle;
use countersign::app::App;
use countersign::base::clock::ManualClock;
use countersign::base::entropy::OsEntropy;
use countersign::base::{Id, Seconds, Timestamp};
use countersign::config::Config;
use countersign::domain::{SigningKeyRecord, User, UserName};
use countersign::flow::passwords::{PasswordCost, Passwords};
use countersign::http::Server;
use countersign::jose::{MasterKey, MasterKeys, PrivateKey, Sealer};
use countersign::oauth::algorithm::SigningAlgorithm;
use countersign::store::{self, Store};

use super::db::Database;
use super::http::{Answer, Browser, Client};

/// 2026-11-23T12:00:00Z.
pub const START: Timestamp = Timestamp(1_795_435_200);
pub const MASTER_KEY: [u8; 32] = [42; 32];
pub const PASSWORD: &str = "correct horse battery";
/// The secret of every confidential client of the tests.
pub const SECRET: &str = "test-secret-0123456789-0123456789-0123456789";
pub const CALLBACK: &str = "https://app.example/cb";
pub const NOTES: &str = "https://notes.example";
pub const MAIL: &str = "https://mail.example/api";
pub const OTHER: &str = "https://other.example";

/// RSA keys are slow to make: one pair of keys serves all servers of this process.
pub static KEYS: LazyLock<Vec<SigningKeyRecord>> = LazyLock::new(|| {
    let sealer = sealer();
    [SigningAlgorithm::Es256, SigningAlgorithm::Rs256]
        .map(|algorithm| {
            let mut record =
                PrivateKey::generate(algorithm, &OsEntropy).unwrap().to_record(&sealer, START).unwrap();
            record.state = record.state.activate_first(START).unwrap();
            record
        })
        .into()
});

pub fn sealer() -> Sealer {
    let keys = MasterKeys { current: MasterKey::from_bytes(MASTER_KEY), previous: Vec::new() };
    Sealer::new(&keys, Arc::new(OsEntropy))
}

/// What a test changes before the start.
pub struct Setup {
    pub database: Option<String>,
    /// TOML, put into the section `[database]`.
    pub database_extra: String,
    /// TOML, put behind the default configuration's own sections.
    pub extra: String,
    /// More keys of `[server]`.
    pub server: String,
    /// More keys of `[keys]`.
    pub keys: String,
    /// More keys of `[login.argon2]`.
    pub argon2: String,
    /// In place of the `master_key` of `[keys]`, TOML.
    pub master_key: Option<String>,
    /// The issuer, if it is not where this server listens: several nodes have one.
    pub issuer: Option<String>,
    /// The issuer's path.
    pub path: String,
    /// Says `https` in the issuer, as behind a proxy.
    pub https: bool,
    pub clients: String,
    /// Where the clock stands.
    pub start_at: Timestamp,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            database: None,
            database_extra: String::new(),
            extra: String::new(),
            server: String::new(),
            keys: String::new(),
            argon2: String::new(),
            master_key: None,
            path: String::new(),
            https: false,
            issuer: None,
            clients: CLIENTS.to_owned(),
            start_at: START,
        }
    }
}

pub struct TestServer {
    pub app: Arc<App>,
    pub clock: Arc<ManualClock>,
    pub issuer: String,
    /// Where it really listens; the issuer may say something else.
    pub base: String,
    pub folder: tempfile::TempDir,
    pub config: Config,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

/// Clients of every profile; the secret of the confidential ones is [`SECRET`].
pub const CLIENTS: &str = r#"
[[resource_servers]]
id = "https://notes.example"
name = "Notes"
include_roles = true
user_api_tokens = true
scopes = { "notes:read" = "Read your notes", "notes:write" = "Write notes for you" }

[[resource_servers]]
id = "https://mail.example/api"
name = "Mail"
user_api_tokens = true
scopes = { "mail:send" = "Send mail in your name", "shared" = "Something that two know" }

[[resource_servers]]
id = "https://other.example"
name = "Other"
user_api_tokens = true
scopes = { "shared" = "Something that two know" }

[[roles]]
name = "editor"

[[clients]]
id = "app"
name = "Notes App"
profile = "spa"
redirect_uris = ["https://app.example/cb"]
post_logout_redirect_uris = ["https://app.example/bye"]
scopes = ["notes:read", "notes:write"]
resources = ["https://notes.example"]

[[clients]]
id = "web"
name = "Web Shop"
profile = "web"
redirect_uris = ["https://app.example/cb", "https://app.example/cb2?x=1"]
scopes = ["notes:read", "notes:write", "mail:send", "shared"]
resources = ["https://notes.example", "https://mail.example/api"]
secret_hash = "SECRET_HASH:web"

[[clients]]
id = "old-web"
name = "Old Web Shop"
profile = "web"
require_pkce = false
redirect_uris = ["https://app.example/cb"]
scopes = ["notes:read"]
resources = ["https://notes.example"]
secret_hash = "SECRET_HASH:old-web"

[[clients]]
id = "native"
name = "Phone App"
profile = "native"
redirect_uris = ["http://127.0.0.1/cb", "com.example.app:/cb", "https://app.example/cb"]
scopes = ["notes:read"]
resources = ["https://notes.example"]

[[clients]]
id = "service"
name = "Nightly Job"
profile = "service"
scopes = ["notes:read", "notes:write"]
resources = ["https://notes.example"]
secret_hash = "SECRET_HASH:service"

[[clients]]
id = "service2"
name = "Job for two"
profile = "service"
scopes = ["notes:read", "mail:send", "shared"]
resources = ["https://notes.example", "https://mail.example/api", "https://other.example"]
secret_hash = "SECRET_HASH:service2"

[[clients]]
id = "house"
name = "House App"
profile = "first-party"
redirect_uris = ["https://app.example/cb"]
scopes = ["notes:read"]
resources = ["https://notes.example"]
allow_password_grant = true
secret_hash = "SECRET_HASH:house"
"#;

/// A client's secret; each client has its own.
pub fn secret(client: &str) -> String {
    format!("{SECRET}-{client}")
}

fn with_secrets(clients: &str) -> String {
    let mut text = clients.to_owned();
    while let Some(at) = text.find("SECRET_HASH:") {
        let end = at + text[at..].find('"').unwrap();
        let client = &text[at + "SECRET_HASH:".len()..end];
        let hash = countersign::base::HashedToken::of(&secret(client)).as_str().to_owned();
        text.replace_range(at..end, &hash);
    }
    text
}

impl TestServer {
    /// On SQLite, with the default clients and the user `alice`.
    pub fn start() -> Self {
        Self::with(Setup::default())
    }

    pub fn on(database: &Database) -> Self {
        Self::with(Setup { database: Some(database.url.clone()), ..Setup::default() })
    }

    pub fn with(setup: Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let scheme = if setup.https { "https" } else { "http" };
        let own = || format!("{scheme}://127.0.0.1:{}{}", address.port(), setup.path);
        let issuer = setup.issuer.clone().unwrap_or_else(own);
        let config = config(&setup, &issuer, folder.path());
        let clock = Arc::new(ManualClock::at(setup.start_at));
        seed_keys(&config);
        let issuer_setting = config.server.issuer.clone().unwrap();
        let app = App::start(&config, &issuer_setting, clock.clone(), Arc::new(OsEntropy)).unwrap();
        let app = Arc::new(app);
        let (handle, thread) = serve(Arc::clone(&app), config.clone(), listener);
        let base = format!("http://{address}{}", setup.path);
        let server = Self { app, clock, issuer, base, folder, config, handle, thread: Some(thread) };
        // A second node on the same database finds her there.
        let alice = UserName::canonical("alice");
        if server.store().read("test user", |conn| store::users::by_name(conn, &alice)).unwrap().is_none() {
            server.add_user("alice");
        }
        server
    }

    pub fn client(&self) -> Client {
        Client::new(&self.base)
    }

    pub fn browser(&self) -> Browser {
        Browser::new(&self.base)
    }

    pub fn store(&self) -> &Store {
        &self.app.store
    }

    pub fn advance(&self, seconds: i64) {
        self.clock.advance(Seconds(seconds));
    }

    /// Lets the server see what a test changed behind its back.
    pub fn refresh(&self) {
        self.app.refresh().unwrap();
    }

    pub fn add_user(&self, name: &str) -> Id {
        let id = Id::random(&OsEntropy).unwrap();
        let mut user = User::new(id, UserName::parse(name).unwrap(), password_hash(), START);
        user.display_name = Some(format!("{name} Example"));
        user.email = Some(format!("{name}@example.org"));
        self.app.store.write("test user", move |conn| store::users::insert(conn, &user)).unwrap();
        id
    }

    pub fn user(&self, name: &str) -> User {
        let name = UserName::canonical(name);
        self.app.store.read("test user", |conn| store::users::by_name(conn, &name)).unwrap().unwrap()
    }

    /// `POST /token` with HTTP Basic for a confidential client of the tests.
    pub fn token(&self, client: &str, form: &[(&str, &str)]) -> Answer {
        self.client().post_as(client, &secret(client), "/token", form)
    }

    /// `POST /token` of a public client.
    pub fn public_token(&self, client: &str, form: &[(&str, &str)]) -> Answer {
        let mut form = form.to_vec();
        form.push(("client_id", client));
        self.client().post("/token", &form)
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(app: Arc<App>, config: Config, listener: TcpListener) -> (ServerHandle, JoinHandle<()>) {
    let (tell, told) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server = Server::on(app, &config, vec![listener]).unwrap();
            tell.send(server.handle()).unwrap();
            server.run().await.unwrap();
        });
    });
    (told.recv().unwrap(), thread)
}

/// Reads the TOML of a setup, as the program itself would.
pub fn config(setup: &Setup, issuer: &str, folder: &Path) -> Config {
    let url = setup.database.clone().unwrap_or_else(|| Database::sqlite(folder).url);
    let own = || format!("master_key = \"{}\"", countersign::base::encoding::base64url(&MASTER_KEY));
    let master_key = setup.master_key.clone().unwrap_or_else(own);
    let toml = format!(
        r#"
[server]
issuer = "{issuer}"
workers = 2
{}
[database]
url = "{url}"
migrate_at_start = true
{}
[keys]
{master_key}
{}
[login.argon2]
memory_kib = 7168
iterations = 5
{}
{}
{}
"#,
        setup.server,
        setup.database_extra,
        setup.keys,
        setup.argon2,
        setup.extra,
        with_secrets(&setup.clients),
    );
    let path = folder.join("countersign.toml");
    std::fs::write(&path, toml).unwrap();
    let config = Config::load(Some(&path), std::iter::empty()).unwrap_or_else(|e| panic!("{e}"));
    let problems = config.validate();
    assert!(problems.is_empty(), "{problems:?}");
    config
}

fn seed_keys(config: &Config) {
    let store = Store::open(countersign::app::store_options(config).unwrap()).unwrap();
    store.migrate().unwrap();
    store
        .write("seed keys", |conn| {
            if store::keys::all(conn)?.is_empty() {
                for record in KEYS.iter() {
                    store::keys::insert(conn, record)?;
                }
            }
            Ok(())
        })
        .unwrap();
}

/// The hash of [`PASSWORD`], at the cost of the tests' configuration.
fn password_hash() -> String {
    static HASH: LazyLock<String> = LazyLock::new(|| {
        let cost =
            PasswordCost { memory_kib: 7168, iterations: 5, parallelism: 1, max_parallel: 2, max_waiting: 8 };
        Passwords::new(cost, &OsEntropy).unwrap().hash(PASSWORD, &OsEntropy).unwrap()
    });
    HASH.clone()
}
