//! The table `pairwise_salt`: one row, made once. Whoever loses it loses every pairwise subject.

use diesel::prelude::*;

use super::schema::pairwise_salt as table;
use super::{Conn, StoreError, revision};

const ROW: i64 = 1;

/// The salt; `fresh` is it from now on where there was none.
///
/// # Errors
/// When the database fails.
pub fn get_or_make(conn: &mut Conn, fresh: &str) -> Result<String, StoreError> {
    // Several nodes may start at once.
    revision::lock(conn)?;
    let known: Option<String> =
        table::table.filter(table::id.eq(ROW)).select(table::salt).first(conn).optional()?;
    if let Some(salt) = known {
        return Ok(salt);
    }
    diesel::insert_into(table::table).values((table::id.eq(ROW), table::salt.eq(fresh))).execute(conn)?;
    Ok(fresh.to_owned())
}
