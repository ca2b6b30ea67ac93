//! SQL past the store, to fill a database fast and to look into it.

use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection, RunQueryDsl as _, SqliteConnection};

pub enum Sql {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

#[derive(diesel::QueryableByName)]
struct Number {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    n: i64,
}

impl Sql {
    pub fn open(url: &str) -> Self {
        match url.strip_prefix("sqlite:") {
            Some(path) => {
                let mut conn = SqliteConnection::establish(path).unwrap();
                conn.batch_execute("PRAGMA busy_timeout = 60000").unwrap();
                Self::Sqlite(conn)
            }
            None => Self::Postgres(PgConnection::establish(url).unwrap()),
        }
    }

    pub fn run(&mut self, sql: &str) {
        match self {
            Self::Sqlite(conn) => conn.batch_execute(sql),
            Self::Postgres(conn) => conn.batch_execute(sql),
        }
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// What `SELECT … AS n` finds.
    pub fn numbers(&mut self, sql: &str) -> Vec<i64> {
        let query = diesel::sql_query(sql);
        let found: Vec<Number> = match self {
            Self::Sqlite(conn) => query.load(conn),
            Self::Postgres(conn) => query.load(conn),
        }
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
        found.into_iter().map(|number| number.n).collect()
    }

    pub fn number(&mut self, sql: &str) -> i64 {
        self.numbers(sql)[0]
    }

    /// The numbers from 1 to `count`, as a table with the column `i`.
    pub fn series(&self, count: i64) -> String {
        match self {
            Self::Sqlite(_) => format!(
                "(WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
                 SELECT i FROM n) AS series"
            ),
            Self::Postgres(_) => format!("generate_series(1, {count}) AS series (i)"),
        }
    }

    /// An expression for a random UUID.
    pub fn uuid(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => {
                "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || \
                 '-8' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))"
            }
            Self::Postgres(_) => "gen_random_uuid()::text",
        }
    }

    /// An expression for a random text of the length of a hash.
    pub fn hash(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "substr(hex(randomblob(22)), 1, 43)",
            Self::Postgres(_) => "substr(md5(random()::text) || md5(random()::text), 1, 43)",
        }
    }

    /// An expression for what is stored of a refresh token that was made in the second `at`.
    pub fn refresh_token(&self, at: &str) -> String {
        let second = match self {
            Self::Sqlite(_) => format!("printf('%08x', {at})"),
            Self::Postgres(_) => format!("lpad(to_hex({at}), 8, '0')"),
        };
        format!("{second} || substr({0}, 1, 4) || '.' || {0}", self.hash())
    }

    /// Before a great many rows are written, which nobody would miss.
    pub fn hurry(&mut self) {
        match self {
            Self::Sqlite(_) => {
                for pragma in
                    ["journal_mode = OFF", "synchronous = OFF", "cache_size = -3000000", "foreign_keys = OFF"]
                {
                    self.run(&format!("PRAGMA {pragma}"));
                }
            }
            Self::Postgres(_) => self.run("SET synchronous_commit = off; SET work_mem = '512MB'"),
        }
    }

    /// As a database is that has been there for a while: its pages on the disk, its statistics known.
    pub fn settle(&mut self) {
        match self {
            Self::Sqlite(_) => self.run("PRAGMA journal_mode = WAL"),
            Self::Postgres(_) => {
                self.run("VACUUM ANALYZE");
                self.run("CHECKPOINT");
            }
        }
        assert!(std::process::Command::new("sync").status().unwrap().success());
    }

    /// The file that a SQLite database is in.
    pub fn size_mb(&mut self, url: &str) -> f64 {
        let bytes = match url.strip_prefix("sqlite:") {
            Some(path) => std::fs::metadata(Path::new(path)).unwrap().len() as f64,
            None => self.number("SELECT pg_database_size(current_database()) AS n") as f64,
        };
        bytes / 1e6
    }
}
