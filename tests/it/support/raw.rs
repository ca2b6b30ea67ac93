//! SQL past the store: what no code of ours would write, and what only another process would do.

use std::path::PathBuf;

use countersign::store::{DatabaseUrl, Store, StoreOptions};
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection, RunQueryDsl as _, SqliteConnection};

/// The options of a store of this URL.
pub fn options(url: &str) -> StoreOptions {
    StoreOptions {
        url: url.parse().unwrap(),
        pool_size: 8,
        acquire_timeout: std::time::Duration::from_secs(20),
        synchronous_full: true,
    }
}

/// A store with its tables.
pub fn migrated(url: &str) -> Store {
    let store = Store::open(options(url)).unwrap();
    store.migrate().unwrap();
    store
}

/// The file of a SQLite database.
pub fn file_of(url: &str) -> Option<PathBuf> {
    match url.parse().unwrap() {
        DatabaseUrl::Sqlite(path) => Some(path),
        DatabaseUrl::Postgres(_) => None,
    }
}

/// A connection of the test's own.
pub enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

#[derive(diesel::QueryableByName)]
struct Number {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    n: i64,
}

#[derive(diesel::QueryableByName)]
struct Word {
    #[diesel(sql_type = diesel::sql_types::Text)]
    t: String,
}

impl Raw {
    pub fn open(url: &str) -> Self {
        match url.parse().unwrap() {
            DatabaseUrl::Sqlite(path) => {
                let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
                conn.batch_execute("PRAGMA busy_timeout = 20000").unwrap();
                Self::Sqlite(conn)
            }
            DatabaseUrl::Postgres(url) => Self::Postgres(PgConnection::establish(&url).unwrap()),
        }
    }

    pub fn run(&mut self, sql: &str) {
        match self {
            Self::Sqlite(conn) => conn.batch_execute(sql),
            Self::Postgres(conn) => conn.batch_execute(sql),
        }
        .unwrap_or_else(|e| panic!("{sql}: {e}"));
    }

    /// The value of `SELECT … AS n`.
    pub fn number(&mut self, sql: &str) -> i64 {
        let query = diesel::sql_query(sql);
        match self {
            Self::Sqlite(conn) => query.get_result::<Number>(conn),
            Self::Postgres(conn) => query.get_result::<Number>(conn),
        }
        .unwrap_or_else(|e| panic!("{sql}: {e}"))
        .n
    }

    /// The values of `SELECT … AS t`.
    pub fn texts(&mut self, sql: &str) -> Vec<String> {
        let query = diesel::sql_query(sql);
        let found: Vec<Word> = match self {
            Self::Sqlite(conn) => query.load(conn),
            Self::Postgres(conn) => query.load(conn),
        }
        .unwrap_or_else(|e| panic!("{sql}: {e}"));
        found.into_iter().map(|word| word.t).collect()
    }
}

/// Runs `work` in `count` threads that start together.
pub fn at_once<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let barrier = std::sync::Barrier::new(count);
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..count)
            .map(|at| {
                let (barrier, work) = (&barrier, &work);
                scope.spawn(move || {
                    barrier.wait();
                    work(at)
                })
            })
            .collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).collect()
    })
}
