//! The table `opaque_tokens`. The claims are a JSON column; `expires_at` is their `exp`, for the sweeper's index.

use diesel::prelude::*;

use crate::base::{HashedToken, Timestamp};
use crate::domain::{ImpossibleRow, OpaqueToken};

use super::schema::opaque_tokens as table;
use super::{Conn, StoreError};

#[derive(Queryable, Insertable)]
#[diesel(table_name = table)]
struct Row {
    id: String,
    hash: String,
    client_id: String,
    authorization_id: Option<String>,
    claims: String,
    expires_at: i64,
    revoked_at: Option<i64>,
}

fn impossible(id: &str, column: &'static str, text: String) -> ImpossibleRow {
    ImpossibleRow { table: "opaque_tokens", column, id: id.to_owned(), text }
}

impl TryFrom<&OpaqueToken> for Row {
    type Error = ImpossibleRow;
    fn try_from(token: &OpaqueToken) -> Result<Self, ImpossibleRow> {
        let claims = serde_json::to_string(&token.claims);
        Ok(Self {
            id: token.id.clone(),
            hash: token.hash.as_str().to_owned(),
            client_id: token.client_id.to_string(),
            authorization_id: token.authorization_id.map(|id| id.to_string()),
            claims: claims.map_err(|e| impossible(&token.id, "claims", e.to_string()))?,
            expires_at: token.claims.exp,
            revoked_at: token.revoked_at.map(|at| at.0),
        })
    }
}

impl TryFrom<Row> for OpaqueToken {
    type Error = ImpossibleRow;
    fn try_from(row: Row) -> Result<Self, ImpossibleRow> {
        let fault = |column, text| impossible(&row.id, column, text);
        let authorization_id = row.authorization_id.as_deref().map(str::parse).transpose();
        Ok(Self {
            client_id: row.client_id.parse().map_err(|e| fault("client_id", e))?,
            authorization_id: authorization_id
                .map_err(|e: uuid::Error| fault("authorization_id", e.to_string()))?,
            claims: serde_json::from_str(&row.claims).map_err(|e| fault("claims", e.to_string()))?,
            revoked_at: row.revoked_at.map(Timestamp),
            hash: HashedToken::from_stored(row.hash),
            id: row.id,
        })
    }
}

/// The token of this id.
///
/// # Errors
/// When the database fails or the row is impossible.
pub fn find(conn: &mut Conn, id: &str) -> Result<Option<OpaqueToken>, StoreError> {
    let row: Option<Row> =
        table::table.filter(table::id.eq(id)).select(table::all_columns).first(conn).optional()?;
    Ok(row.map(OpaqueToken::try_from).transpose()?)
}

/// Stores a new token.
///
/// # Errors
/// [`StoreError::Reference`] when its client or its authorization is gone.
pub fn insert(conn: &mut Conn, token: &OpaqueToken) -> Result<(), StoreError> {
    diesel::insert_into(table::table).values(Row::try_from(token)?).execute(conn)?;
    Ok(())
}

/// Revokes a token by itself; true for the one request that found it unrevoked.
///
/// # Errors
/// When the database fails.
pub fn revoke(conn: &mut Conn, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    let rows = diesel::update(table::table.filter(table::id.eq(id)).filter(table::revoked_at.is_null()))
        .set(table::revoked_at.eq(now.0))
        .execute(conn)?;
    Ok(rows == 1)
}
