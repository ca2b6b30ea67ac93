//! A number that grows with every change of clients, resource servers and keys, so that each node sees that its memory
//! is old with one small query.

use diesel::prelude::*;

use super::schema::config_revision::dsl;
use super::{Conn, StoreError};

/// The current revision.
///
/// # Errors
/// When the database fails.
pub fn current(conn: &mut Conn) -> Result<i64, StoreError> {
    Ok(dsl::config_revision.filter(dsl::id.eq(1)).select(dsl::revision).first(conn)?)
}

/// Makes whoever else is about to change keys or clients wait for the end of this transaction, and what is read from here
/// on current: for changes that depend on what is there.
///
/// # Errors
/// When the database fails.
pub fn lock(conn: &mut Conn) -> Result<(), StoreError> {
    diesel::update(dsl::config_revision.filter(dsl::id.eq(1)))
        .set(dsl::revision.eq(dsl::revision))
        .execute(conn)?;
    Ok(())
}

/// Counts one change; part of the transaction that makes it.
pub(super) fn bump(conn: &mut Conn) -> Result<(), StoreError> {
    diesel::update(dsl::config_revision.filter(dsl::id.eq(1)))
        .set(dsl::revision.eq(dsl::revision + 1))
        .execute(conn)?;
    Ok(())
}
