//! The configuration: one typed struct per section, read once at the start.
//!
//! `load` reads the TOML file and the `COUNTERSIGN_…` environment and refuses what it does not know; `validate` looks at
//! what only several keys together can get wrong. Both report everything at once. `docs/CONFIG.md` is `reference()`.

mod clients;
mod database;
mod error;
mod issuer;
mod keys;
mod lifetimes;
mod load;
mod login;
mod operation;
mod outbound;
mod reference;
mod registration;
mod resources;
mod rules;
mod schema;
mod server;
mod suggest;
mod words;

pub use clients::{Client, ExchangeRule};
pub use database::{Backend, Database, DatabaseUrl};
pub use error::{ConfigError, Fault, Problem};
pub use issuer::{Issuer, MAX_ISSUER_CHARS};
pub use keys::{KeyPlan, Keys, MasterKey, PUBLISH_MARGIN_S};
pub use lifetimes::{MAX_ORDINARY_ACCESS_TOKEN_TTL_S, Session, Tokens};
pub use load::process_environment;
pub use login::{Argon2, Login};
pub use operation::{Cache, Log, Pages, Sweeper};
pub use outbound::{Allowed, Outbound};
pub use reference::reference;
pub use registration::Registration;
pub use resources::{ClaimTable, ResourceServer, Role, Scope, Scopes};
pub use server::{Network, Server, Tls};
pub use words::{
    AlgorithmName, AuthMethodName, ClientProfile, GrantName, LogFormat, LogLevel, RegistrationMode,
    Synchronous, TokenFormatName,
};

schema::section! {
    /// The whole configuration.
    pub struct Config {
        /// Where the server is known, and where it listens.
        server: Server = Server::default();
        /// Where everything that must outlive a restart is kept.
        database: Database = Database::default();
        /// The keys that sign tokens.
        keys: Keys = Keys::default();
        /// How long tokens live.
        tokens: Tokens = Tokens::default();
        /// The browser session.
        session: Session = Session::default();
        /// Limits on wrong passwords, and whether people make their own accounts.
        login: Login = Login::default();
        /// Requests that this server makes itself.
        outbound: Outbound = Outbound::default();
        /// What people see.
        pages: Pages = Pages::default();
        /// The operator's log.
        log: Log = Log::default();
        /// Clients that register themselves.
        registration: Registration = Registration::default();
        /// Deletes what has expired.
        sweeper: Sweeper = Sweeper::default();
        /// Memory in front of the database.
        cache: Cache = Cache::default();
        /// Declared clients.
        clients: Vec<Client> = Vec::new();
        /// Declared resource servers.
        resource_servers: Vec<ResourceServer> = Vec::new();
        /// Declared roles.
        roles: Vec<Role> = Vec::new();
    }
}
