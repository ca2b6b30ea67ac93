//! Transactions: a refusal commits, a failure rolls back, and SQLite's one writer answers after the commit.

use std::time::{Duration, Instant};

use countersign::store::{StoreError, StoreOptions, revision, roles, users};
use diesel::connection::SimpleConnection as _;

use super::*;
use crate::support::raw::{Raw, at_once, file_of, options};

fn names(store: &Store) -> Vec<String> {
    read(store, roles::all).into_iter().map(|role| role.name).collect()
}

fn broken() -> StoreError {
    StoreError::Unavailable { name: "test", text: "on purpose".to_owned() }
}

#[test]
fn a_refusal_that_changes_state_commits_and_a_failure_rolls_back() {
    on_each_store(|store, _, _| {
        let refused: Result<(), &str> = write(store, |conn| {
            roles::insert(conn, &role("refused"))?;
            Ok(Err("no"))
        });
        assert_eq!(refused, Err("no"));
        let failed: Result<(), StoreError> = store.write("test", |conn| {
            roles::insert(conn, &role("failed"))?;
            Err(broken())
        });
        assert!(matches!(failed, Err(StoreError::Unavailable { .. })), "{failed:?}");
        assert_eq!(names(store), ["refused"]);
    });
}

/// What is answered is committed: another connection sees it at once.
#[test]
fn every_one_of_many_writes_at_once_is_there_when_it_is_answered() {
    on_each_store(|store, database, _| {
        at_once(100, |at| {
            write(store, move |conn| roles::insert(conn, &role(&format!("r{at}"))));
            let sql = format!("SELECT count(*) AS n FROM roles WHERE name = 'r{at}'");
            if at % 10 == 0 {
                assert_eq!(Raw::open(&database.url).number(&sql), 1, "{}", database.kind);
            }
        });
        assert_eq!(names(store).len(), 100);
    });
}

/// A sweep shares its transaction with nobody.
#[test]
fn a_write_that_wants_to_be_alone_is_answered_among_the_others() {
    on_each_store(|store, _, _| {
        let answers = at_once(60, |at| {
            let insert = move |conn: &mut Conn| roles::insert(conn, &role(&format!("r{at}")));
            match at % 3 {
                0 => store.write_alone("test", insert).map(|((), held)| Some(held)),
                _ => store.write("test", insert).map(|()| None),
            }
        });
        assert_eq!(names(store).len(), 60);
        let holds: Vec<Duration> = answers.into_iter().filter_map(Result::unwrap).collect();
        assert!(holds.len() == 20 && holds.iter().all(|held| !held.is_zero()), "{holds:?}");
    });
}

#[test]
fn a_write_that_fails_undoes_none_of_its_neighbours() {
    on_each_store(|store, _, _| {
        let answers = at_once(60, |at| {
            store.write("test", move |conn| {
                roles::insert(conn, &role(&format!("r{at}")))?;
                match at % 3 {
                    0 => Ok(()),
                    1 => Err(broken()),
                    _ => users::insert(conn, &user("alice")),
                }
            })
        });
        for (at, answer) in answers.iter().enumerate() {
            let fits = match at % 3 {
                0 => answer.is_ok(),
                1 => matches!(answer, Err(StoreError::Unavailable { .. })),
                _ => matches!(answer, Err(StoreError::Conflict)),
            };
            assert!(fits, "{at}: {answer:?}");
        }
        assert_eq!(names(store).len(), 20);
    });
}

#[test]
fn a_write_that_panics_is_answered_and_the_next_one_runs() {
    on_each_database(|database| {
        if file_of(&database.url).is_none() {
            // On PostgreSQL it runs in the caller's thread and panics there.
            return;
        }
        let store = migrated(&database.url);
        let answer: Result<(), StoreError> = store.write("test", |conn| {
            roles::insert(conn, &role("lost"))?;
            panic!("on purpose")
        });
        assert!(matches!(answer, Err(StoreError::Unavailable { .. })), "{answer:?}");
        write(&store, |conn| roles::insert(conn, &role("kept")));
        assert_eq!(names(&store), ["kept"]);
    });
}

#[test]
fn a_write_that_panics_on_postgresql_leaves_the_pool_usable() {
    on_each_database(|database| {
        if file_of(&database.url).is_some() {
            return;
        }
        let options = StoreOptions { pool_size: 1, ..options(&database.url) };
        let store = Store::open(options).unwrap();
        store.migrate().unwrap();
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _ = store.write("test", |conn| -> Result<(), StoreError> {
                roles::insert(conn, &role("lost"))?;
                panic!("on purpose")
            });
        }));
        assert!(caught.is_err());
        write(&store, |conn| roles::insert(conn, &role("kept")));
        assert_eq!(names(&store), ["kept"], "nothing of the open transaction was left behind");
    });
}

#[test]
fn readers_of_sqlite_cannot_write() {
    on_each_database(|database| {
        if file_of(&database.url).is_none() {
            return;
        }
        let store = migrated(&database.url);
        let answer = store.read("test", |conn| roles::insert(conn, &role("sneaked in")));
        let Err(StoreError::Unavailable { name, text }) = answer else { panic!("{answer:?}") };
        assert_eq!(name, "test");
        assert!(text.contains("readonly"), "{text}");
        assert!(names(&store).is_empty());
    });
}

/// Another process that writes holds a write up; it does not make it fail.
#[test]
fn a_second_writer_only_delays() {
    on_each_database(|database| {
        let store = migrated(&database.url);
        let mut other = Raw::open(&database.url);
        let begin = if file_of(&database.url).is_some() { "BEGIN IMMEDIATE" } else { "BEGIN" };
        other.run(begin);
        other.run("UPDATE config_revision SET revision = 77");
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                write(&store, |conn| revision::lock(conn).and_then(|()| roles::insert(conn, &role("a"))));
            });
            std::thread::sleep(Duration::from_millis(300));
            assert!(!waiting.is_finished(), "it did not wait on {}", database.kind);
            other.run("COMMIT");
            waiting.join().unwrap();
        });
        assert_eq!(read(&store, revision::current), 77);
    });
}

fn impatient(url: &str, pool_size: u32) -> Store {
    migrated(url);
    let timeout = Duration::from_millis(300);
    Store::open(StoreOptions { acquire_timeout: timeout, pool_size, ..options(url) }).unwrap()
}

#[test]
fn where_no_connection_is_free_the_answer_is_unavailable_within_the_timeout() {
    on_each_database(|database| {
        let store = impatient(&database.url, 1);
        std::thread::scope(|scope| {
            let (entered, inside) = std::sync::mpsc::channel();
            let (leave, left) = std::sync::mpsc::channel::<()>();
            let left = std::sync::Mutex::new(left);
            let store = &store;
            scope.spawn(move || {
                read(store, |_| {
                    entered.send(()).unwrap();
                    left.lock().unwrap().recv().unwrap();
                    Ok(())
                });
            });
            inside.recv().unwrap();
            let begun = Instant::now();
            let answer = store.ping();
            assert!(matches!(answer, Err(StoreError::Unavailable { .. })), "{answer:?}");
            assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
            leave.send(()).unwrap();
        });
        store.ping().unwrap();
    });
}

/// Everybody who waits behind a locked database is told so in time, not one batch after the other.
#[test]
fn writes_to_a_locked_sqlite_file_are_answered_in_time_and_run_again_once_it_is_free() {
    on_each_database(|database| {
        if file_of(&database.url).is_none() {
            return;
        }
        let store = impatient(&database.url, 4);
        let mut other = Raw::open(&database.url);
        other.run("BEGIN IMMEDIATE");
        let begun = Instant::now();
        let answers = at_once(200, |_| store.write("test", |conn| roles::insert(conn, &role("a"))));
        assert!(answers.iter().all(|a| matches!(a, Err(StoreError::Unavailable { .. }))), "{answers:?}");
        assert!(begun.elapsed() < Duration::from_millis(1_500), "{:?}", begun.elapsed());
        read(&store, |conn| Ok(conn.batch_execute("SELECT 1")?));
        other.run("ROLLBACK");
        write(&store, |conn| roles::insert(conn, &role("a")));
    });
}

#[test]
fn the_database_file_is_its_owners_alone_and_is_only_made_by_migrations() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data/test.db");
    let url = format!("sqlite:{}", path.display());
    let store = Store::open(options(&url)).unwrap();
    assert!(store.migration_state().is_err());
    let told = write_fails(&store);
    assert!(told.contains("unable to open"), "{told}");
    assert!(!path.exists(), "only a migration makes a database");
    store.migrate().unwrap();
    write(&store, |conn| roles::insert(conn, &role("a")));
    let mut seen = 0;
    for entry in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.file_name());
        seen += 1;
    }
    assert!(seen >= 2, "the write-ahead log lies beside the file");
}

fn write_fails(store: &Store) -> String {
    store.write("test", |conn| roles::insert(conn, &role("a"))).unwrap_err().to_string()
}
