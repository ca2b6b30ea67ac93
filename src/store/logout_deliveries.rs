//! The table `logout_deliveries`.

use diesel::prelude::*;

use crate::base::{Id, Seconds, Timestamp};
use crate::domain::{ImpossibleRow, LogoutDelivery};
use crate::oauth::ClientId;

use super::schema::{clients, logout_deliveries as table, session_clients};
use super::{Conn, StoreError, conn::in_transaction};

#[derive(Queryable, Insertable)]
#[diesel(table_name = table)]
struct Row {
    id: String,
    client_id: String,
    session_id: String,
    user_id: String,
    attempts: i64,
    next_attempt_at: i64,
    created_at: i64,
    expires_at: i64,
}

impl TryFrom<Row> for LogoutDelivery {
    type Error = ImpossibleRow;
    fn try_from(row: Row) -> Result<Self, ImpossibleRow> {
        let fault = |column, text: String| ImpossibleRow {
            table: "logout_deliveries",
            column,
            id: row.id.clone(),
            text,
        };
        Ok(Self {
            id: row.id.parse().map_err(|e| fault("id", format!("{e}")))?,
            client_id: row.client_id.parse().map_err(|e| fault("client_id", e))?,
            session_id: row.session_id.parse().map_err(|e| fault("session_id", format!("{e}")))?,
            user_id: row.user_id.parse().map_err(|e| fault("user_id", format!("{e}")))?,
            attempts: row.attempts,
            next_attempt_at: Timestamp(row.next_attempt_at),
            created_at: Timestamp(row.created_at),
            expires_at: Timestamp(row.expires_at),
        })
    }
}

/// The clients that were told who the user is in this session, and want to know of its end.
///
/// # Errors
/// When the database fails or a row is impossible.
pub fn clients_to_tell(conn: &mut Conn, session: Id) -> Result<Vec<ClientId>, StoreError> {
    // The column holds a member only where it is set.
    let ids: Vec<String> = session_clients::table
        .inner_join(clients::table.on(clients::id.eq(session_clients::client_id)))
        .filter(session_clients::session_id.eq(session.to_string()))
        .filter(session_clients::knows_user.eq(true))
        .filter(clients::openid.like("%\"backchannel_logout_uri\":%"))
        .order(clients::id)
        .select(clients::id)
        .load(conn)?;
    let fault = |id: &str, text| ImpossibleRow { table: "clients", column: "id", id: id.to_owned(), text };
    Ok(ids.iter().map(|id| id.parse().map_err(|e| fault(id, e))).collect::<Result<_, _>>()?)
}

/// Stores one, unless it is there.
///
/// # Errors
/// When the database fails.
pub fn insert(conn: &mut Conn, delivery: &LogoutDelivery) -> Result<(), StoreError> {
    let row = Row {
        id: delivery.id.to_string(),
        client_id: delivery.client_id.to_string(),
        session_id: delivery.session_id.to_string(),
        user_id: delivery.user_id.to_string(),
        attempts: delivery.attempts,
        next_attempt_at: delivery.next_attempt_at.0,
        created_at: delivery.created_at.0,
        expires_at: delivery.expires_at.0,
    };
    let inserted = in_transaction(conn, |conn| {
        diesel::insert_into(table::table).values(&row).execute(conn)?;
        Ok(())
    });
    match inserted {
        Ok(()) | Err(StoreError::Conflict) => Ok(()),
        Err(other) => Err(other),
    }
}

/// At most `most` of those that are due, the longest due first.
///
/// # Errors
/// When the database fails or a row is impossible.
pub fn due(conn: &mut Conn, now: Timestamp, most: i64) -> Result<Vec<LogoutDelivery>, StoreError> {
    let rows: Vec<Row> = table::table
        .filter(table::next_attempt_at.le(now.0))
        .order((table::next_attempt_at, table::id))
        .limit(most)
        .select(table::all_columns)
        .load(conn)?;
    rows.into_iter().map(|row| LogoutDelivery::try_from(row).map_err(StoreError::from)).collect()
}

/// Takes one for `lease`; false when another node has taken it.
///
/// # Errors
/// When the database fails.
pub fn take(
    conn: &mut Conn,
    delivery: &LogoutDelivery,
    now: Timestamp,
    lease: Seconds,
) -> Result<bool, StoreError> {
    let this = table::table
        .filter(table::id.eq(delivery.id.to_string()))
        .filter(table::next_attempt_at.eq(delivery.next_attempt_at.0))
        .filter(table::attempts.eq(delivery.attempts));
    let rows = diesel::update(this).set(table::next_attempt_at.eq((now + lease).0)).execute(conn)?;
    Ok(rows == 1)
}

/// Puts one off.
///
/// # Errors
/// When the database fails.
pub fn put_off(conn: &mut Conn, id: Id, attempts: i64, at: Timestamp) -> Result<(), StoreError> {
    diesel::update(table::table.filter(table::id.eq(id.to_string())))
        .set((table::attempts.eq(attempts), table::next_attempt_at.eq(at.0)))
        .execute(conn)?;
    Ok(())
}

/// Puts all off that are due for a client before `until`.
///
/// # Errors
/// When the database fails.
pub fn put_off_all(conn: &mut Conn, client: &ClientId, until: Timestamp) -> Result<(), StoreError> {
    let due =
        table::table.filter(table::client_id.eq(client.as_str())).filter(table::next_attempt_at.lt(until.0));
    diesel::update(due).set(table::next_attempt_at.eq(until.0)).execute(conn)?;
    Ok(())
}

/// Deletes one that is done, or given up.
///
/// # Errors
/// When the database fails.
pub fn delete(conn: &mut Conn, id: Id) -> Result<(), StoreError> {
    diesel::delete(table::table.filter(table::id.eq(id.to_string()))).execute(conn)?;
    Ok(())
}
