//! The one migration tree, on both databases: up, down, up; its columns against those of the queries; several at once.

use countersign::store::{MigrationState, Store};

use super::support::raw::{Raw, at_once, file_of, options};
use super::support::server::{Setup, config};
use super::support::{TestServer, on_each_database};

const ALL: [&str; 10] = [
    "2026-11-23-000001_first",
    "2026-11-27-000001_token_life",
    "2026-11-28-000001_refresh_tokens_alone",
    "2026-11-28-000002_openid_clients",
    "2026-11-28-000012_person",
    "2026-11-28-000013_authorization_request",
    "2026-11-28-000014_sessions",
    "2026-11-28-000015_client_authentication",
    "2026-11-28-000016_registration",
    "2026-11-28-000017_successor_key",
];

fn open(url: &str) -> Store {
    Store::open(options(url)).unwrap()
}

/// SQLite needs a file to look at; a migration makes it.
fn empty(url: &str) -> Store {
    if let Some(file) = file_of(url) {
        std::fs::File::create(file).unwrap();
    }
    open(url)
}

#[test]
fn the_tree_goes_up_down_and_up_again() {
    on_each_database(|database| {
        let store = empty(&database.url);
        let behind = MigrationState::Behind(ALL.map(str::to_owned).to_vec());
        assert_eq!(store.migration_state().unwrap(), behind, "{}", database.kind);
        for _ in 0..2 {
            assert_eq!(store.migrate().unwrap(), ALL);
            assert_eq!(store.migration_state().unwrap(), MigrationState::Current);
            assert_eq!(store.migrate().unwrap(), Vec::<String>::new(), "twice is once");
            store.ping().unwrap();
            store.revert_all().unwrap();
            assert_eq!(store.migration_state().unwrap(), behind);
            assert_eq!(store.described_columns().unwrap(), [], "nothing is left behind");
        }
    });
}

#[test]
fn the_columns_are_those_that_the_queries_expect() {
    on_each_database(|database| {
        let store = open(&database.url);
        store.migrate().unwrap();
        let described = store.described_columns().unwrap();
        assert_eq!(described, Store::expected_columns(), "{}", database.kind);
        assert!(described.len() > 80);
    });
}

#[test]
fn several_migrators_at_once_end_well() {
    on_each_database(|database| {
        let done = at_once(8, |_| open(&database.url).migrate().unwrap());
        let worked = done.iter().filter(|names| !names.is_empty()).count();
        assert_eq!(worked, 1, "{}: {done:?}", database.kind);
        assert_eq!(open(&database.url).migration_state().unwrap(), MigrationState::Current);
    });
}

#[test]
fn a_migrator_takes_nothing_from_a_server_that_runs() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let alice = server.user("alice");
        open(&database.url).migrate().unwrap();
        assert_eq!(server.user("alice"), alice);
    });
}

/// Several nodes start, and one command migrates before them: a node does not do it on its own where it is told not to.
#[test]
fn a_node_that_may_not_migrate_does_not_start_on_old_tables() {
    on_each_database(|database| {
        empty(&database.url);
        let folder = tempfile::tempdir().unwrap();
        let setup = Setup { database: Some(database.url.clone()), ..Setup::default() };
        let mut config = config(&setup, "http://127.0.0.1:9", folder.path());
        config.database.migrate_at_start = Some(false);
        let told = countersign::app::open_store(&config).map(|_| ()).unwrap_err().0;
        assert!(told.contains(ALL[0]) && told.contains("countersign migrate"), "{told}");
        open(&database.url).migrate().unwrap();
        assert!(countersign::app::open_store(&config).is_ok(), "{}", database.kind);
    });
}

/// What the other migrations of this database are called is not ours; the tables of another program are.
#[test]
fn a_migration_that_fails_leaves_nothing_behind() {
    on_each_database(|database| {
        let store = empty(&database.url);
        Raw::open(&database.url).run("CREATE TABLE used_jtis (taken BIGINT)");
        let told = store.migrate().unwrap_err().to_string();
        assert!(told.contains("used_jtis"), "{told}");
        let columns = store.described_columns().unwrap();
        assert_eq!(columns.len(), 1, "{}: {columns:?}", database.kind);
        Raw::open(&database.url).run("DROP TABLE used_jtis");
        store.migrate().unwrap();
    });
}

/// One tree for two databases: what only one of them reads may not stand in it.
#[test]
fn the_sql_is_portable() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut columns = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        for name in ["up.sql", "down.sql"] {
            let path = entry.as_ref().unwrap().path().join(name);
            let sql = std::fs::read_to_string(&path).unwrap();
            for (at, line) in sql.lines().enumerate() {
                let line = line.split("--").next().unwrap();
                let place = format!("{}:{}: {line}", path.display(), at + 1);
                columns += usize::from(is_portable(line, &place));
            }
        }
    }
    assert!(columns > 80, "{columns} columns were read");
}

/// Whether the line is a column; panics where it is not portable.
fn is_portable(line: &str, place: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let upper = line.to_uppercase();
    for word in ["AUTOINCREMENT", "SERIAL", "JSONB", "PRAGMA", "ON CONFLICT", "NOW()", "DATETIME", "::", "`"]
    {
        assert!(!upper.contains(word), "{word} in {place}");
    }
    match words.as_slice() {
        [] | ["PRIMARY" | "UNIQUE" | "FOREIGN" | ");", ..] => false,
        ["CREATE", "TABLE" | "INDEX" | "UNIQUE", ..] | ["DROP", "TABLE" | "INDEX", ..] => false,
        ["ALTER", "TABLE", _, "ADD" | "DROP", "COLUMN", ..] | ["INSERT", "INTO", ..] => false,
        ["ALTER", "TABLE", _, "RENAME", "TO", _]
        | ["ALTER", "TABLE", _, "RENAME", "COLUMN", _, "TO", _]
        | ["SELECT" | "WHERE", ..] => false,
        ["DELETE", "FROM", ..] => false,
        [name, kind, ..] if line.starts_with("    ") => {
            assert!(["TEXT", "BIGINT", "BOOLEAN"].contains(&kind.trim_end_matches(',')), "type in {place}");
            assert_eq!(*name, name.to_lowercase(), "{place}");
            true
        }
        _ => panic!("what is this? {place}"),
    }
}
