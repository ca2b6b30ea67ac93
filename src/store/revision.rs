//! Two numbers that grow, one with every change of clients, resource servers and keys, one with every access token that is
//! denied: each node sees with one small query whether its memory is old.

use diesel::prelude::*;

use super::schema::config_revision::dsl;
use super::{Conn, StoreError};

/// The row of clients, resource servers and keys.
const CONFIGURATION: i64 = 1;
/// The row of denied tokens.
const DENIALS: i64 = 2;

/// The current revision of clients, resource servers and keys.
///
/// # Errors
/// When the database fails.
pub fn current(conn: &mut Conn) -> Result<i64, StoreError> {
    Ok(dsl::config_revision.filter(dsl::id.eq(CONFIGURATION)).select(dsl::revision).first(conn)?)
}

/// That, and the current revision of the denied tokens.
///
/// # Errors
/// When the database fails.
pub fn both(conn: &mut Conn) -> Result<(i64, i64), StoreError> {
    let rows: Vec<i64> = dsl::config_revision
        .filter(dsl::id.eq_any([CONFIGURATION, DENIALS]))
        .order(dsl::id)
        .select(dsl::revision)
        .load(conn)?;
    match rows.as_slice() {
        [configuration, denials] => Ok((*configuration, *denials)),
        _ => Err(diesel::result::Error::NotFound.into()),
    }
}

/// Makes whoever else is about to change keys or clients wait for the end of this transaction, and what is read from here
/// on current: for changes that depend on what is there.
///
/// # Errors
/// When the database fails.
pub fn lock(conn: &mut Conn) -> Result<(), StoreError> {
    diesel::update(dsl::config_revision.filter(dsl::id.eq(CONFIGURATION)))
        .set(dsl::revision.eq(dsl::revision))
        .execute(conn)?;
    Ok(())
}

/// Counts one change; part of the transaction that makes it.
pub(super) fn bump(conn: &mut Conn) -> Result<(), StoreError> {
    diesel::update(dsl::config_revision.filter(dsl::id.eq(CONFIGURATION)))
        .set(dsl::revision.eq(dsl::revision + 1))
        .execute(conn)?;
    Ok(())
}

/// Counts one denied token, and says what it comes to. Whoever else counts one waits for the end of this transaction.
pub(super) fn bump_denials(conn: &mut Conn) -> Result<i64, StoreError> {
    Ok(diesel::update(dsl::config_revision.filter(dsl::id.eq(DENIALS)))
        .set(dsl::revision.eq(dsl::revision + 1))
        .returning(dsl::revision)
        .get_result(conn)?)
}
