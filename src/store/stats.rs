//! How much there is: rows of each table, those among them that wait for the sweeper, and the room that all takes.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::base::Timestamp;

use super::columns::each_table;
use super::schema;
use super::sweep::DEAD;
use super::{Conn, StoreError};

/// Beyond this nothing is counted one by one where that takes long.
const MOST_COUNTED: i64 = 1_000_000;

/// One table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableStats {
    /// Its name.
    pub table: &'static str,
    /// Its rows.
    pub rows: i64,
    /// Whether that is PostgreSQL's own estimate: counting millions takes it seconds.
    pub rows_estimated: bool,
    /// What the sweeper would delete now; nothing for tables that it leaves alone.
    pub dead: Option<DeadRows>,
}

/// How many rows are dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadRows {
    /// So many.
    Exactly(i64),
    /// More than that.
    MoreThan(i64),
}

/// The whole database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// What it takes on disk, without the log of recent writes (SQLite's `-wal` file, PostgreSQL's WAL).
    pub bytes: i64,
    /// How much of it is free for new rows, as far as the database says (SQLite).
    pub free_bytes: Option<i64>,
}

#[derive(diesel::QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

type CountRows = fn(&mut Conn) -> Result<i64, StoreError>;

/// All tables, as `schema.rs` has them.
pub(super) fn tables() -> Vec<(&'static str, CountRows)> {
    macro_rules! counts {
        ($($table:ident)+) => {
            vec![$((stringify!($table), |conn| Ok(schema::$table::table.count().get_result(conn)?))),+]
        };
    }
    each_table!(counts)
}

/// One of [`tables`].
pub(super) fn of_table(
    conn: &mut Conn,
    (table, count): (&'static str, CountRows),
    now: Timestamp,
) -> Result<TableStats, StoreError> {
    let (rows, rows_estimated) = match estimated(conn, table)? {
        Some(rows) if rows > MOST_COUNTED => (rows, true),
        _ => (count(conn)?, false),
    };
    Ok(TableStats { table, rows, rows_estimated, dead: dead(conn, table, now)? })
}

/// What PostgreSQL remembers of its last look at a table; nothing where there was none, and on SQLite, which counts as
/// fast as it reads.
fn estimated(conn: &mut Conn, table: &str) -> Result<Option<i64>, StoreError> {
    let Conn::Postgres(conn) = conn else { return Ok(None) };
    let said = diesel::sql_query("SELECT reltuples::bigint AS n FROM pg_class WHERE oid = to_regclass($1)")
        .bind::<diesel::sql_types::Text, _>(table)
        .get_result::<Number>(conn)
        .optional()?;
    Ok(said.map(|number| number.n))
}

fn dead(conn: &mut Conn, table: &str, now: Timestamp) -> Result<Option<DeadRows>, StoreError> {
    let mut total = None;
    for way in DEAD.iter().filter(|way| way.table == table) {
        match way.count(conn, now, MOST_COUNTED)? {
            Some(count) => total = Some(total.unwrap_or(0) + count),
            None => return Ok(Some(DeadRows::MoreThan(MOST_COUNTED))),
        }
    }
    Ok(total.map(DeadRows::Exactly))
}

pub(super) fn size(conn: &mut Conn) -> Result<Size, StoreError> {
    match conn {
        Conn::Sqlite(conn) => {
            let mut pages = |what: &str| -> Result<i64, StoreError> {
                let sql = format!("SELECT {what} * page_size AS n FROM pragma_{what}, pragma_page_size");
                Ok(diesel::sql_query(sql).get_result::<Number>(conn)?.n)
            };
            Ok(Size { bytes: pages("page_count")?, free_bytes: Some(pages("freelist_count")?) })
        }
        Conn::Postgres(conn) => {
            let size = diesel::sql_query("SELECT pg_database_size(current_database()) AS n");
            Ok(Size { bytes: size.get_result::<Number>(conn)?.n, free_bytes: None })
        }
    }
}
