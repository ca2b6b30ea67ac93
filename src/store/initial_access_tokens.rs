//! The table `initial_access_tokens`.

use diesel::prelude::*;

use crate::base::{HashedToken, Timestamp};
use crate::domain::InitialAccessToken;

use super::schema::initial_access_tokens as table;
use super::{Conn, StoreError};

#[derive(Queryable, Insertable)]
#[diesel(table_name = table)]
struct Row {
    id: String,
    hash: String,
    name: String,
    max_uses: Option<i64>,
    uses: i64,
    created_at: i64,
    expires_at: i64,
    revoked_at: Option<i64>,
}

impl From<&InitialAccessToken> for Row {
    fn from(token: &InitialAccessToken) -> Self {
        Self {
            id: token.id.clone(),
            hash: token.hash.as_str().to_owned(),
            name: token.name.clone(),
            max_uses: token.max_uses,
            uses: token.uses,
            created_at: token.created_at.0,
            expires_at: token.expires_at.0,
            revoked_at: token.revoked_at.map(|at| at.0),
        }
    }
}

impl From<Row> for InitialAccessToken {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            hash: HashedToken::from_stored(row.hash),
            name: row.name,
            max_uses: row.max_uses,
            uses: row.uses,
            created_at: Timestamp(row.created_at),
            expires_at: Timestamp(row.expires_at),
            revoked_at: row.revoked_at.map(Timestamp),
        }
    }
}

/// All tokens, dead ones too, the newest first.
///
/// # Errors
/// When the database fails.
pub fn all(conn: &mut Conn) -> Result<Vec<InitialAccessToken>, StoreError> {
    let newest_first = (table::created_at.desc(), table::id);
    let rows: Vec<Row> = table::table.order(newest_first).select(table::all_columns).load(conn)?;
    Ok(rows.into_iter().map(InitialAccessToken::from).collect())
}

/// The token of this id.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut Conn, id: &str) -> Result<Option<InitialAccessToken>, StoreError> {
    let row: Option<Row> =
        table::table.filter(table::id.eq(id)).select(table::all_columns).first(conn).optional()?;
    Ok(row.map(InitialAccessToken::from))
}

/// Stores a new token.
///
/// # Errors
/// When the database fails.
pub fn insert(conn: &mut Conn, token: &InitialAccessToken) -> Result<(), StoreError> {
    diesel::insert_into(table::table).values(Row::from(token)).execute(conn)?;
    Ok(())
}

/// Takes one use of the token; false when it has none left, or does not count any more.
///
/// # Errors
/// When the database fails.
pub fn take_use(conn: &mut Conn, id: &str, hash: &HashedToken, now: Timestamp) -> Result<bool, StoreError> {
    let this = table::table
        .filter(table::id.eq(id))
        .filter(table::hash.eq(hash.as_str()))
        .filter(table::revoked_at.is_null())
        .filter(table::expires_at.gt(now.0));
    // Two statements, each of them whole: a token either has a number of uses or it has not.
    let counted = diesel::update(this.filter(table::max_uses.gt(table::uses.nullable())))
        .set(table::uses.eq(table::uses + 1))
        .execute(conn)?;
    if counted == 1 {
        return Ok(true);
    }
    let uncounted = diesel::update(this.filter(table::max_uses.is_null()))
        .set(table::uses.eq(table::uses + 1))
        .execute(conn)?;
    Ok(uncounted == 1)
}

/// Revokes a token; false when there is none of this id, or it was revoked before.
///
/// # Errors
/// When the database fails.
pub fn revoke(conn: &mut Conn, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    let this = table::table.filter(table::id.eq(id)).filter(table::revoked_at.is_null());
    Ok(diesel::update(this).set(table::revoked_at.eq(now.0)).execute(conn)? == 1)
}
