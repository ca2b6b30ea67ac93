//! Connections to either database, and the pool's manager.

use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection, SqliteConnection};

use super::{DatabaseUrl, StoreError, StoreOptions};

/// A connection to one of the two databases. Opaque outside of `store`.
#[derive(diesel::MultiConnection)]
#[expect(missing_docs, reason = "the derive writes the items")]
pub enum Conn {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

/// A connection and whether it still works.
pub(super) struct Pooled {
    pub(super) conn: Conn,
    broken: bool,
}

impl Pooled {
    /// Uses the connection and remembers whether it is of any more use. One that a panic leaves behind is not: it may be
    /// in the middle of a transaction, which the next one to use it would carry on.
    pub(super) fn run<T>(
        &mut self,
        queries: impl FnOnce(&mut Conn) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.broken = true;
        let result = queries(&mut self.conn);
        self.broken = matches!(result, Err(StoreError::Unavailable { .. }));
        result
    }
}

/// How much of the file is mapped into memory: address space, shared by all connections, of which the system keeps what is
/// used. Beyond it pages are read one by one.
const MAPPED_BYTES: i64 = 8 << 30;

/// Opens connections for r2d2.
pub(super) struct Manager {
    url: DatabaseUrl,
    patience_ms: u128,
    synchronous: &'static str,
    query_only: bool,
    may_create: bool,
}

impl Manager {
    /// Connections of the pool: on SQLite they only read.
    pub(super) fn readers(options: &StoreOptions) -> Self {
        Self { query_only: options.url.is_sqlite(), ..Self::writers(options) }
    }

    /// Connections that write.
    pub(super) fn writers(options: &StoreOptions) -> Self {
        Self {
            url: options.url.clone(),
            patience_ms: options.acquire_timeout.as_millis(),
            synchronous: if options.synchronous_full { "FULL" } else { "NORMAL" },
            query_only: false,
            may_create: false,
        }
    }

    /// A connection that makes the SQLite file when it is missing, and waits for as long as it takes: for migrations only.
    pub(super) fn migrator(options: &StoreOptions) -> Self {
        Self { may_create: true, ..Self::writers(options) }
    }

    pub(super) fn open(&self) -> Result<Conn, StoreError> {
        match &self.url {
            DatabaseUrl::Postgres(uri) => {
                let uri = DatabaseUrl::postgres_uri(uri, self.patience_ms);
                let mut conn =
                    PgConnection::establish(&uri).map_err(|e| StoreError::unavailable("connect", &e))?;
                // One row that somebody holds must not take the whole pool, request by request. A migration may take long.
                if !self.may_create {
                    let patience_ms = self.patience_ms;
                    conn.batch_execute(&format!(
                        "SET lock_timeout = {patience_ms}; SET statement_timeout = {patience_ms}; \
                         SET idle_in_transaction_session_timeout = {}",
                        patience_ms * 2
                    ))?;
                }
                Ok(Conn::Postgres(conn))
            }
            DatabaseUrl::Sqlite(path) => self.open_sqlite(path).map(Conn::Sqlite),
        }
    }

    fn open_sqlite(&self, path: &Path) -> Result<SqliteConnection, StoreError> {
        if self.may_create {
            create_private(path).map_err(|e| StoreError::unavailable("create the database file", &e))?;
        }
        let uri = DatabaseUrl::sqlite_uri(path, self.may_create);
        let mut conn =
            SqliteConnection::establish(&uri).map_err(|e| StoreError::unavailable("connect", &e))?;
        // One statement each: SQLite stops at the first that fails, and says nothing of the rest.
        for pragma in [
            format!("PRAGMA busy_timeout = {}", self.patience_ms),
            "PRAGMA journal_mode = WAL".to_owned(),
            format!("PRAGMA synchronous = {}", self.synchronous),
            "PRAGMA foreign_keys = ON".to_owned(),
            format!("PRAGMA query_only = {}", if self.query_only { "ON" } else { "OFF" }),
            // KiB. Enough for the upper levels of trees of millions of rows, and no more: a page that is split makes SQLite
            // walk through all of its cache at the next commit.
            format!("PRAGMA cache_size = {}", if self.query_only { -2_000 } else { -4_000 }),
            // Pages that are in no connection's cache are read from the system's, without a call and a copy for each.
            format!("PRAGMA mmap_size = {MAPPED_BYTES}"),
        ] {
            conn.batch_execute(&pragma)?;
        }
        Ok(conn)
    }
}

/// The file holds sealed keys and password hashes: nobody but its owner reads it.
fn create_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => Err(e),
        _ => Ok(()),
    }
}

impl r2d2::ManageConnection for Manager {
    type Connection = Pooled;
    type Error = StoreError;

    fn connect(&self) -> Result<Pooled, StoreError> {
        self.open().map(|conn| Pooled { conn, broken: false })
    }

    /// A server that was restarted leaves dead connections behind: ask before use. A file does not go away so.
    fn is_valid(&self, pooled: &mut Pooled) -> Result<(), StoreError> {
        match &mut pooled.conn {
            Conn::Postgres(conn) => Ok(conn.batch_execute("SELECT 1")?),
            Conn::Sqlite(_) => Ok(()),
        }
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        pooled.broken
    }
}

/// r2d2 retries in the background and reports here.
#[derive(Debug)]
pub(super) struct LogErrors;

impl r2d2::HandleError<StoreError> for LogErrors {
    fn handle_error(&self, error: StoreError) {
        tracing::warn!(target: "countersign::store", %error, "no database connection");
    }
}

/// One transaction; a savepoint when one is open already.
pub(super) fn in_transaction<T>(
    conn: &mut Conn,
    queries: impl Fn(&mut Conn) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    conn.transaction(|conn| queries(conn))
}
