//! The table `used_jtis`: sealed things that count once.

use diesel::prelude::*;

use crate::base::Timestamp;

use super::schema::used_jtis as table;
use super::{Conn, StoreError, conn::in_transaction};

/// Marks a jti as used; true for the one request that was first. The row is kept until `expires_at`, when the sealed
/// thing itself is refused for its age.
///
/// # Errors
/// When the database fails.
pub fn use_once(
    conn: &mut Conn,
    purpose: &str,
    jti: &str,
    expires_at: Timestamp,
) -> Result<bool, StoreError> {
    // In a savepoint: PostgreSQL refuses everything else of a transaction in which a statement failed.
    let inserted = in_transaction(conn, |conn| {
        diesel::insert_into(table::table)
            .values((table::purpose.eq(purpose), table::jti.eq(jti), table::expires_at.eq(expires_at.0)))
            .execute(conn)?;
        Ok(())
    });
    match inserted {
        Ok(()) => Ok(true),
        Err(StoreError::Conflict) => Ok(false),
        Err(other) => Err(other),
    }
}
