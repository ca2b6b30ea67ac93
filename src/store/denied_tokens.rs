//! The table `denied_tokens`: access tokens that verify but do not count any more.
//!
//! Each row carries the revision of the list that it made (row 2 of `config_revision`). Whoever inserts holds that row
//! until its commit, so revisions become visible in order: who knows the list up to one reads only what came after it.

use diesel::prelude::*;

use crate::base::Timestamp;

use super::schema::denied_tokens as table;
use super::{Conn, StoreError, revision};

/// A token that does not count.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Insertable)]
#[diesel(table_name = table)]
pub struct Denied {
    /// The token's `jti`.
    pub jti: String,
    /// The revision of the list that it came with.
    pub revision: i64,
    /// When the token dies by itself.
    pub expires_at: i64,
}

/// Whether this token is on the list.
///
/// # Errors
/// When the database fails.
pub fn contains(conn: &mut Conn, jti: &str) -> Result<bool, StoreError> {
    let found: Option<i64> =
        table::table.filter(table::jti.eq(jti)).select(table::expires_at).first(conn).optional()?;
    Ok(found.is_some())
}

/// Puts a token on the list until it dies; false when it is there.
///
/// # Errors
/// When the database fails.
pub fn insert(conn: &mut Conn, jti: &str, expires_at: Timestamp) -> Result<bool, StoreError> {
    // First, so that whoever denies the same token at this moment has committed before the look.
    let revision = revision::bump_denials(conn)?;
    if contains(conn, jti)? {
        return Ok(false);
    }
    let row = Denied { jti: jti.to_owned(), revision, expires_at: expires_at.0 };
    diesel::insert_into(table::table).values(row).execute(conn)?;
    Ok(true)
}

/// What came on the list after `revision`.
///
/// # Errors
/// When the database fails.
pub fn since(conn: &mut Conn, revision: i64) -> Result<Vec<Denied>, StoreError> {
    Ok(table::table
        .filter(table::revision.gt(revision))
        .order(table::revision)
        .select(table::all_columns)
        .load(conn)?)
}
