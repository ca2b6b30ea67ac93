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

/// Counts one change; part of the transaction that makes it.
pub(super) fn bump(conn: &mut Conn) -> Result<(), StoreError> {
    diesel::update(dsl::config_revision.filter(dsl::id.eq(1)))
        .set(dsl::revision.eq(dsl::revision + 1))
        .execute(conn)?;
    Ok(())
}
