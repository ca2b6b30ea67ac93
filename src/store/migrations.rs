//! The migration tree, built into the binary, run under a lock so that several nodes may start at once.

use diesel::connection::SimpleConnection as _;
use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel::result::Error as DieselError;
use diesel::sqlite::Sqlite;
use diesel::{Connection, PgConnection, RunQueryDsl as _};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::conn::{Conn, Manager};
use super::{StoreError, StoreOptions};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");
/// "CSGN" in ASCII: any constant that no other program of this database uses.
const ADVISORY_LOCK: i64 = 0x4353_474e;

/// How the tables stand to this program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MigrationState {
    /// As this program wants them.
    Current,
    /// These migrations are missing.
    Behind(Vec<String>),
    /// A newer program has applied these, and this one knows nothing of them.
    Ahead(Vec<String>),
}

pub(super) fn up(options: &StoreOptions) -> Result<Vec<String>, StoreError> {
    match Manager::migrator(options).open()? {
        Conn::Sqlite(mut conn) => {
            conn.immediate_transaction(run).map_err(|e| StoreError::unavailable("migrate", &e.0))
        }
        Conn::Postgres(mut conn) => locked(&mut conn, run),
    }
}

pub(super) fn down(options: &StoreOptions) -> Result<(), StoreError> {
    match Manager::writers(options).open()? {
        Conn::Sqlite(mut conn) => {
            conn.immediate_transaction(revert).map_err(|e| StoreError::unavailable("revert", &e.0))
        }
        Conn::Postgres(mut conn) => locked(&mut conn, revert),
    }
}

pub(super) fn state(options: &StoreOptions) -> Result<MigrationState, StoreError> {
    match Manager::writers(options).open()? {
        Conn::Sqlite(mut conn) => compared::<_, Sqlite>(&mut conn),
        Conn::Postgres(mut conn) => compared::<_, Pg>(&mut conn),
    }
    .map_err(|e| StoreError::unavailable("look at migrations", &e.0))
}

/// Asking makes the harness's own table where it is missing; whoever only looks takes that back.
fn compared<C, DB>(conn: &mut C) -> Result<MigrationState, Failed>
where
    C: Connection + MigrationHarness<DB>,
    DB: diesel::backend::Backend,
{
    let mut found = Ok(MigrationState::Current);
    let rolled_back = conn.transaction(|conn| {
        found = look(conn);
        Err::<(), _>(DieselError::RollbackTransaction)
    });
    match rolled_back {
        Ok(()) | Err(DieselError::RollbackTransaction) => found,
        Err(error) => found.and(Err(error.into())),
    }
}

fn look<DB: diesel::backend::Backend>(
    conn: &mut impl MigrationHarness<DB>,
) -> Result<MigrationState, Failed> {
    let known: Vec<String> = MigrationSource::<DB>::migrations(&MIGRATIONS)?
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect();
    let applied = conn.applied_migrations()?.into_iter().map(|version| version.to_string());
    let ahead: Vec<String> = applied.filter(|version| !known.contains(version)).collect();
    if !ahead.is_empty() {
        return Ok(MigrationState::Ahead(ahead));
    }
    let missing = pending(conn)?;
    Ok(if missing.is_empty() { MigrationState::Current } else { MigrationState::Behind(missing) })
}

/// diesel_migrations gives boxed errors; a transaction wants one that diesel's own converts into.
struct Failed(String);

impl From<diesel::result::Error> for Failed {
    fn from(error: diesel::result::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<Box<dyn std::error::Error + Send + Sync>> for Failed {
    fn from(error: Box<dyn std::error::Error + Send + Sync>) -> Self {
        Self(error.to_string())
    }
}

fn run<DB: diesel::backend::Backend>(conn: &mut impl MigrationHarness<DB>) -> Result<Vec<String>, Failed> {
    // By name, as `state` tells them; the harness itself gives versions.
    let names = pending(conn)?;
    conn.run_pending_migrations(MIGRATIONS)?;
    Ok(names)
}

fn revert<DB: diesel::backend::Backend>(conn: &mut impl MigrationHarness<DB>) -> Result<(), Failed> {
    conn.revert_all_migrations(MIGRATIONS)?;
    Ok(())
}

fn pending<DB: diesel::backend::Backend>(
    conn: &mut impl MigrationHarness<DB>,
) -> Result<Vec<String>, Failed> {
    let pending = conn.pending_migrations(MIGRATIONS)?;
    Ok(pending.iter().map(|migration| migration.name().to_string()).collect())
}

fn locked<T>(
    conn: &mut PgConnection,
    work: impl Fn(&mut PgConnection) -> Result<T, Failed>,
) -> Result<T, StoreError> {
    diesel::sql_query(format!("SELECT pg_advisory_lock({ADVISORY_LOCK})")).execute(conn)?;
    let result = work(conn).map_err(|e| StoreError::unavailable("migrate", &e.0));
    conn.batch_execute(&format!("SELECT pg_advisory_unlock({ADVISORY_LOCK})"))?;
    result
}
