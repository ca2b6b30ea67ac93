//! The databases that a test runs on: SQLite in a folder of its own, PostgreSQL in a database of its own.

use std::path::Path;

use super::postgres;

/// Where a test keeps its rows.
pub struct Database {
    pub url: String,
    pub kind: &'static str,
}

impl Database {
    pub fn sqlite(folder: &Path) -> Self {
        Self { url: format!("sqlite:{}", folder.join("test.db").display()), kind: "sqlite" }
    }

    pub fn postgres() -> Option<Self> {
        Some(Self { url: postgres::postgres()?.fresh_database(), kind: "postgres" })
    }
}

/// Runs a test on every database there is; the test is given the URL of an empty one.
pub fn on_each_database(test: impl Fn(Database)) {
    let folder = tempfile::tempdir().unwrap();
    test(Database::sqlite(folder.path()));
    if let Some(database) = Database::postgres() {
        test(database);
    }
}
