//! The database: SQLite or PostgreSQL behind one set of queries. The only room that knows diesel.
//!
//! `conn` opens connections, `writer` is SQLite's one writer with group commit, and each table has its file. Functions of
//! the table files take a [`Conn`]; only [`Store::read`] and [`Store::write`] hand one out.

pub mod api_tokens;
pub mod authorizations;
pub mod client_secrets;
pub mod clients;
pub mod codes;
mod columns;
mod conn;
pub mod consents;
pub mod denied_tokens;
mod error;
pub mod initial_access_tokens;
pub mod keys;
pub mod logout_deliveries;
mod migrations;
pub mod opaque_tokens;
pub mod pairwise_salt;
pub mod refresh_tokens;
pub mod registrations;
pub mod resource_servers;
pub mod revision;
pub mod roles;
mod schema;
pub mod session_clients;
pub mod sessions;
pub mod stats;
pub mod sweep;
pub mod throttles;
mod url;
pub mod used_jtis;
pub mod users;
mod writer;

use std::time::Duration;

pub use conn::Conn;
pub use error::StoreError;
pub use migrations::MigrationState;
pub use url::DatabaseUrl;

use crate::base::Timestamp;
use crate::base::clock::Stopwatch;

use conn::{Manager, in_transaction};
use writer::Writer;

const ACQUIRE_STEP: Duration = Duration::from_millis(50);

/// How the database is reached.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// Where it is.
    pub url: DatabaseUrl,
    /// The most connections (readers, on SQLite).
    pub pool_size: u32,
    /// How long a request waits for a connection or for the writer.
    pub acquire_timeout: Duration,
    /// SQLite's `synchronous`: `FULL` keeps every acknowledged write over a power cut.
    pub synchronous_full: bool,
}

/// A handle on the database; shared by all threads.
pub struct Store {
    options: StoreOptions,
    pool: r2d2::Pool<Manager>,
    writer: Option<Writer>,
}

impl Store {
    /// Prepares pools; connects when first asked.
    ///
    /// # Errors
    /// When the options are not usable.
    pub fn open(options: StoreOptions) -> Result<Self, StoreError> {
        let manager = Manager::readers(&options);
        let pool = r2d2::Pool::builder()
            .max_size(options.pool_size.max(1))
            .min_idle(Some(0))
            .connection_timeout(options.acquire_timeout)
            .error_handler(Box::new(conn::LogErrors))
            .build_unchecked(manager);
        let writer = options.url.is_sqlite().then(|| Writer::start(&options)).transpose()?;
        Ok(Self { options, pool, writer })
    }

    /// Runs queries that change nothing.
    ///
    /// # Errors
    /// What `queries` says, or [`StoreError::Unavailable`].
    pub fn read<T>(
        &self,
        name: &'static str,
        queries: impl Fn(&mut Conn) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.connection(name)?.run(queries).map_err(|e| e.within(name))
    }

    /// Runs `queries` in one write transaction and answers after the commit. `Err` rolls back; a refusal that must be
    /// remembered is an `Ok` whose value says no. `queries` may run again when PostgreSQL asks for a retry.
    ///
    /// # Errors
    /// What `queries` says, or [`StoreError::Unavailable`]: then nothing was committed, or nobody can say.
    pub fn write<T: Send + 'static>(
        &self,
        name: &'static str,
        queries: impl Fn(&mut Conn) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        match &self.writer {
            Some(writer) => writer.run(name, queries).map_err(|e| e.within(name)),
            None => self.write_pooled(name, &queries).map(|(value, _)| value),
        }
    }

    /// Like [`Store::write`], in a transaction that is shared with no other write; and for how long that kept the others
    /// waiting: SQLite's writer, or whoever wanted the same rows on PostgreSQL.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub fn write_alone<T: Send + 'static>(
        &self,
        name: &'static str,
        queries: impl Fn(&mut Conn) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<(T, Duration), StoreError> {
        match &self.writer {
            Some(writer) => writer.run_alone(name, queries).map_err(|e| e.within(name)),
            None => self.write_pooled(name, &queries),
        }
    }

    fn write_pooled<T>(
        &self,
        name: &'static str,
        queries: &impl Fn(&mut Conn) -> Result<T, StoreError>,
    ) -> Result<(T, Duration), StoreError> {
        let mut tries = 0;
        loop {
            let mut pooled = self.connection(name)?;
            let held = Stopwatch::start();
            let result = pooled.run(|conn| in_transaction(conn, queries));
            tries += 1;
            match result {
                Err(StoreError::Serialization) if tries < 5 => {}
                other => return other.map(|value| (value, held.elapsed())).map_err(|e| e.within(name)),
            }
        }
    }

    /// A connection of the pool. r2d2 wakes nobody when a broken connection is thrown away, so whoever waits asks again in
    /// small steps, and has a new one made.
    fn connection(&self, name: &'static str) -> Result<r2d2::PooledConnection<Manager>, StoreError> {
        let steps = (self.options.acquire_timeout.as_millis() / ACQUIRE_STEP.as_millis()).max(1);
        let mut told = String::new();
        for _ in 0..steps {
            match self.pool.get_timeout(ACQUIRE_STEP) {
                Ok(pooled) => return Ok(pooled),
                // Only the first to ask is told why no connection could be made.
                Err(error) if told.len() < error.to_string().len() => told = error.to_string(),
                Err(_) => {}
            }
        }
        Err(StoreError::unavailable(name, &told))
    }

    /// Brings the tables up to date; safe to call from several nodes at once.
    ///
    /// # Errors
    /// When the database is out of reach or a migration fails.
    pub fn migrate(&self) -> Result<Vec<String>, StoreError> {
        migrations::up(&self.options)
    }

    /// Takes all migrations back, in reverse. Everything stored is lost.
    ///
    /// # Errors
    /// When the database is out of reach or a migration fails.
    pub fn revert_all(&self) -> Result<(), StoreError> {
        migrations::down(&self.options)
    }

    /// Whether the tables are those of this program.
    ///
    /// # Errors
    /// When the database is out of reach.
    pub fn migration_state(&self) -> Result<MigrationState, StoreError> {
        migrations::state(&self.options)
    }

    /// Whether the database answers, on a connection that waits at most `acquire_timeout`.
    ///
    /// # Errors
    /// When it does not.
    pub fn ping(&self) -> Result<(), StoreError> {
        self.read("ping", |conn| revision::current(conn).map(|_| ()))
    }

    /// What is wrong with a SQLite file, if anything: all of it is read.
    ///
    /// # Errors
    /// When the database is out of reach.
    pub fn damage(&self) -> Result<Option<String>, StoreError> {
        self.read("look for damage", columns::damage)
    }

    /// How many rows each table has, in a read of its own each, so that none of them holds up the database's housekeeping
    /// for long.
    ///
    /// # Errors
    /// When the database is out of reach.
    pub fn table_stats(&self, now: Timestamp) -> Result<Vec<stats::TableStats>, StoreError> {
        let each = |table| self.read("count", |conn| stats::of_table(conn, table, now));
        stats::tables().into_iter().map(each).collect()
    }

    /// The room that the database takes.
    ///
    /// # Errors
    /// When the database is out of reach.
    pub fn size(&self) -> Result<stats::Size, StoreError> {
        self.read("size", stats::size)
    }

    /// The columns of every table as the database has them: `(table, column, nullable)`, sorted.
    ///
    /// # Errors
    /// When the database is out of reach.
    pub fn described_columns(&self) -> Result<Vec<(String, String, bool)>, StoreError> {
        self.read("describe", columns::described)
    }

    /// The columns of every table as the queries expect them, sorted likewise.
    #[must_use]
    pub fn expected_columns() -> Vec<(String, String, bool)> {
        columns::expected()
    }

    /// Where the database is, without its password.
    #[must_use]
    pub fn shown_url(&self) -> String {
        self.options.url.shown()
    }
}
