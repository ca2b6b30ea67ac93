//! The table `client_secrets`.

use diesel::prelude::*;

use crate::base::{HashedToken, Id, Timestamp};
use crate::domain::{ClientSecret, ImpossibleRow};

use super::schema::client_secrets as table;
use super::{Conn, StoreError, revision};

#[derive(Queryable, Insertable)]
#[diesel(table_name = table)]
struct Row {
    id: String,
    client_id: String,
    hash: String,
    created_at: i64,
    expires_at: Option<i64>,
    leaked: bool,
    sealed: Option<String>,
}

impl TryFrom<Row> for ClientSecret {
    type Error = ImpossibleRow;
    fn try_from(row: Row) -> Result<Self, ImpossibleRow> {
        let fault = |column, text: String| ImpossibleRow {
            table: "client_secrets",
            column,
            id: row.id.clone(),
            text,
        };
        Ok(Self {
            id: row.id.parse().map_err(|e| fault("id", format!("{e}")))?,
            client_id: row.client_id.parse().map_err(|e| fault("client_id", e))?,
            hash: HashedToken::from_stored(row.hash.clone()),
            created_at: Timestamp(row.created_at),
            expires_at: row.expires_at.map(Timestamp),
            leaked: row.leaked,
            sealed: row.sealed.clone(),
        })
    }
}

/// All secrets of all clients.
///
/// # Errors
/// When the database fails or a row is impossible.
pub fn all(conn: &mut Conn) -> Result<Vec<ClientSecret>, StoreError> {
    let rows: Vec<Row> =
        table::table.order((table::created_at, table::id)).select(table::all_columns).load(conn)?;
    rows.into_iter().map(|row| ClientSecret::try_from(row).map_err(StoreError::from)).collect()
}

/// Stores a new secret.
///
/// # Errors
/// [`StoreError::Reference`] when there is no such client, [`StoreError::Conflict`] when the secret exists.
pub fn insert(conn: &mut Conn, secret: &ClientSecret) -> Result<(), StoreError> {
    let row = Row {
        id: secret.id.to_string(),
        client_id: secret.client_id.to_string(),
        hash: secret.hash.as_str().to_owned(),
        created_at: secret.created_at.0,
        expires_at: secret.expires_at.map(|at| at.0),
        leaked: secret.leaked,
        sealed: secret.sealed.clone(),
    };
    diesel::insert_into(table::table).values(row).execute(conn)?;
    revision::bump(conn)
}

/// Lets a secret expire at `at`, unless it expires earlier; false when there is none of this id.
///
/// # Errors
/// When the database fails.
pub fn expire(conn: &mut Conn, id: Id, at: Timestamp) -> Result<bool, StoreError> {
    let rows = diesel::update(
        table::table
            .filter(table::id.eq(id.to_string()))
            .filter(table::expires_at.is_null().or(table::expires_at.gt(at.0))),
    )
    .set(table::expires_at.eq(at.0))
    .execute(conn)?;
    revision::bump(conn)?;
    Ok(rows == 1)
}

/// Ends a secret that others have, for good; false when it had ended before.
///
/// # Errors
/// When the database fails.
pub fn leak(conn: &mut Conn, id: Id, now: Timestamp) -> Result<bool, StoreError> {
    let ended = expire(conn, id, now)?;
    diesel::update(table::table.filter(table::id.eq(id.to_string())))
        .set(table::leaked.eq(true))
        .execute(conn)?;
    Ok(ended)
}

/// Replaces the sealed form of a secret.
///
/// # Errors
/// When the database fails.
pub fn seal(conn: &mut Conn, id: Id, sealed: &str) -> Result<(), StoreError> {
    diesel::update(table::table.filter(table::id.eq(id.to_string())))
        .set(table::sealed.eq(sealed))
        .execute(conn)?;
    revision::bump(conn)
}

/// Deletes a secret; false when there is none of this id.
///
/// # Errors
/// When the database fails.
pub fn delete(conn: &mut Conn, id: Id) -> Result<bool, StoreError> {
    let rows = diesel::delete(table::table.filter(table::id.eq(id.to_string()))).execute(conn)?;
    revision::bump(conn)?;
    Ok(rows == 1)
}
