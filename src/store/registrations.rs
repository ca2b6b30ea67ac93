//! The table `registrations`: what is kept of clients that registered themselves.

use diesel::prelude::*;

use crate::base::{HashedToken, Timestamp};
use crate::domain::{ImpossibleRow, Registration};
use crate::oauth::ClientId;

use super::schema::registrations as table;
use super::{Conn, StoreError};

#[derive(Queryable, Insertable)]
#[diesel(table_name = table)]
struct Row {
    client_id: String,
    token_hash: String,
    sealed_secret: Option<String>,
    metadata: String,
    initial_token: Option<String>,
    created_at: i64,
    last_used_at: Option<i64>,
    unused_until: Option<i64>,
    token_revoked_at: Option<i64>,
}

fn fault(id: &str, column: &'static str, text: String) -> ImpossibleRow {
    ImpossibleRow { table: "registrations", column, id: id.to_owned(), text }
}

impl TryFrom<&Registration> for Row {
    type Error = ImpossibleRow;
    fn try_from(known: &Registration) -> Result<Self, ImpossibleRow> {
        let id = known.client_id.as_str();
        Ok(Self {
            client_id: id.to_owned(),
            token_hash: known.token_hash.as_str().to_owned(),
            sealed_secret: known.sealed_secret.clone(),
            metadata: serde_json::to_string(&known.metadata)
                .map_err(|e| fault(id, "metadata", e.to_string()))?,
            initial_token: known.initial_token.clone(),
            created_at: known.created_at.0,
            last_used_at: known.last_used_at.map(|at| at.0),
            unused_until: known.unused_until.map(|at| at.0),
            token_revoked_at: known.token_revoked_at.map(|at| at.0),
        })
    }
}

impl TryFrom<Row> for Registration {
    type Error = ImpossibleRow;
    fn try_from(row: Row) -> Result<Self, ImpossibleRow> {
        let id = &row.client_id;
        Ok(Self {
            client_id: id.parse().map_err(|e| fault(id, "client_id", e))?,
            metadata: serde_json::from_str(&row.metadata)
                .map_err(|e| fault(id, "metadata", e.to_string()))?,
            token_hash: HashedToken::from_stored(row.token_hash),
            sealed_secret: row.sealed_secret,
            initial_token: row.initial_token,
            created_at: Timestamp(row.created_at),
            last_used_at: row.last_used_at.map(Timestamp),
            unused_until: row.unused_until.map(Timestamp),
            token_revoked_at: row.token_revoked_at.map(Timestamp),
        })
    }
}

/// Every client that registered itself, and whether an initial access token let it in.
///
/// # Errors
/// When the database fails or a row is impossible.
pub fn all_ids(conn: &mut Conn) -> Result<Vec<(ClientId, bool)>, StoreError> {
    let rows: Vec<(String, Option<String>)> =
        table::table.select((table::client_id, table::initial_token)).load(conn)?;
    let each = rows.into_iter().map(|(id, by)| {
        let known = id.parse().map_err(|e| fault(&id, "client_id", e))?;
        Ok((known, by.is_some()))
    });
    each.collect()
}

/// How many clients registered themselves.
///
/// # Errors
/// When the database fails.
pub fn count(conn: &mut Conn) -> Result<i64, StoreError> {
    Ok(table::table.count().get_result(conn)?)
}

/// The registration of one client.
///
/// # Errors
/// When the database fails or the row is impossible.
pub fn find(conn: &mut Conn, client: &ClientId) -> Result<Option<Registration>, StoreError> {
    let row: Option<Row> = table::table
        .filter(table::client_id.eq(client.as_str()))
        .select(table::all_columns)
        .first(conn)
        .optional()?;
    Ok(row.map(Registration::try_from).transpose()?)
}

/// The registration that this registration access token manages, or managed.
///
/// # Errors
/// When the database fails or the row is impossible.
pub fn by_token(conn: &mut Conn, hash: &HashedToken) -> Result<Option<Registration>, StoreError> {
    let row: Option<Row> = table::table
        .filter(table::token_hash.eq(hash.as_str()))
        .select(table::all_columns)
        .first(conn)
        .optional()?;
    Ok(row.map(Registration::try_from).transpose()?)
}

/// Stores a new registration.
///
/// # Errors
/// [`StoreError::Reference`] when there is no such client.
pub fn insert(conn: &mut Conn, known: &Registration) -> Result<(), StoreError> {
    diesel::insert_into(table::table).values(Row::try_from(known)?).execute(conn)?;
    Ok(())
}

/// Stores what a client says of itself now, and its secret; false when it is gone.
///
/// # Errors
/// When the database fails.
pub fn update(conn: &mut Conn, known: &Registration) -> Result<bool, StoreError> {
    let row = Row::try_from(known)?;
    let rows = diesel::update(table::table.filter(table::client_id.eq(known.client_id.as_str())))
        .set((table::metadata.eq(row.metadata), table::sealed_secret.eq(row.sealed_secret)))
        .execute(conn)?;
    Ok(rows == 1)
}

/// Revokes the registration access token of a client; false when there is none, or it was revoked before.
///
/// # Errors
/// When the database fails.
pub fn revoke_token(conn: &mut Conn, client: &ClientId, now: Timestamp) -> Result<bool, StoreError> {
    let this =
        table::table.filter(table::client_id.eq(client.as_str())).filter(table::token_revoked_at.is_null());
    Ok(diesel::update(this).set(table::token_revoked_at.eq(now.0)).execute(conn)? == 1)
}

/// Writes down that a client was used, unless a later use is written down already. It need not go away any more.
///
/// # Errors
/// When the database fails.
pub fn note_use(conn: &mut Conn, client: &str, at: Timestamp) -> Result<(), StoreError> {
    let earlier = table::last_used_at.is_null().or(table::last_used_at.lt(at.0));
    diesel::update(table::table.filter(table::client_id.eq(client)).filter(earlier))
        .set((table::last_used_at.eq(at.0), table::unused_until.eq(None::<i64>)))
        .execute(conn)?;
    Ok(())
}

/// Up to `limit` sealed secrets of clients whose id comes after `after`, by id.
///
/// # Errors
/// When the database fails.
pub fn sealed_page(conn: &mut Conn, after: &str, limit: i64) -> Result<Vec<(String, String)>, StoreError> {
    Ok(table::table
        .filter(table::client_id.gt(after))
        .filter(table::sealed_secret.is_not_null())
        .order(table::client_id)
        .limit(limit)
        .select((table::client_id, table::sealed_secret.assume_not_null()))
        .load(conn)?)
}

/// Replaces a seal by another of the same secret; false when it is not the one that was read.
///
/// # Errors
/// When the database fails.
pub fn reseal(conn: &mut Conn, client: &str, before: &str, after: &str) -> Result<bool, StoreError> {
    let this = table::table.filter(table::client_id.eq(client)).filter(table::sealed_secret.eq(before));
    Ok(diesel::update(this).set(table::sealed_secret.eq(after)).execute(conn)? == 1)
}
