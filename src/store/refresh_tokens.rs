//! The table `refresh_tokens`.

use diesel::prelude::*;

use crate::base::{HashedToken, Timestamp};
use crate::domain::{ImpossibleRow, RefreshToken};

use super::schema::refresh_tokens as table;
use super::{Conn, StoreError};

#[derive(Queryable, Insertable)]
#[diesel(table_name = table)]
struct Row {
    hash: String,
    authorization_id: String,
    created_at: i64,
    expires_at: i64,
    used_at: Option<i64>,
    successor_key: Option<String>,
}

impl TryFrom<Row> for RefreshToken {
    type Error = ImpossibleRow;
    fn try_from(row: Row) -> Result<Self, ImpossibleRow> {
        let id = row.authorization_id.parse().map_err(|e: uuid::Error| ImpossibleRow {
            table: "refresh_tokens",
            column: "authorization_id",
            id: row.authorization_id.clone(),
            text: e.to_string(),
        })?;
        Ok(Self {
            hash: HashedToken::from_stored(row.hash),
            authorization_id: id,
            created_at: Timestamp(row.created_at),
            expires_at: Timestamp(row.expires_at),
            used_at: row.used_at.map(Timestamp),
            successor_key: row.successor_key,
        })
    }
}

/// The refresh token of this hash; one of before the ids had a date too.
///
/// # Errors
/// When the database fails or the row is impossible.
pub fn find(conn: &mut Conn, hash: &HashedToken) -> Result<Option<RefreshToken>, StoreError> {
    let mut by = |key: &str| {
        let row = table::table.filter(table::hash.eq(key)).select(table::all_columns);
        row.first::<Row>(conn).optional()
    };
    let row = match by(hash.as_str())? {
        None => by(hash.without_id())?,
        found => found,
    };
    Ok(row.map(RefreshToken::try_from).transpose()?)
}

/// Stores a new refresh token.
///
/// # Errors
/// When the database fails. Whether its authorization is there is not asked here: nothing cascades to this table.
pub fn insert(conn: &mut Conn, token: &RefreshToken) -> Result<(), StoreError> {
    let row = Row {
        hash: token.hash.as_str().to_owned(),
        authorization_id: token.authorization_id.to_string(),
        created_at: token.created_at.0,
        expires_at: token.expires_at.0,
        used_at: token.used_at.map(|at| at.0),
        successor_key: token.successor_key.clone(),
    };
    diesel::insert_into(table::table).values(row).execute(conn)?;
    Ok(())
}

/// Takes a token out of use, and notes the master key that its successor is derived with; true for the one request that found it unused,
/// however many come at once. Who is told false on PostgreSQL has waited for the winner's commit and reads what it wrote.
///
/// # Errors
/// When the database fails.
pub fn use_up(
    conn: &mut Conn,
    hash: &HashedToken,
    now: Timestamp,
    successor_key: Option<&str>,
) -> Result<bool, StoreError> {
    let rows =
        diesel::update(table::table.filter(table::hash.eq(hash.as_str())).filter(table::used_at.is_null()))
            .set((table::used_at.eq(now.0), table::successor_key.eq(successor_key)))
            .execute(conn)?;
    Ok(rows == 1)
}
