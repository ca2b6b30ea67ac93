//! The table `sessions`.

use diesel::prelude::*;

use crate::base::{HashedToken, Id, Timestamp};
use crate::domain::{ImpossibleRow, Session};

use super::schema::sessions as table;
use super::{Conn, StoreError};

#[derive(Queryable, Insertable)]
#[diesel(table_name = table)]
struct Row {
    id: String,
    token_hash: String,
    user_id: String,
    authenticated_at: i64,
    last_seen_at: i64,
    expires_at: i64,
    ended_at: Option<i64>,
    started_at: Option<i64>,
    remembered: bool,
    browser: Option<String>,
}

impl TryFrom<Row> for Session {
    type Error = ImpossibleRow;
    fn try_from(row: Row) -> Result<Self, ImpossibleRow> {
        let fault = |column, e: uuid::Error| ImpossibleRow {
            table: "sessions",
            column,
            id: row.id.clone(),
            text: e.to_string(),
        };
        Ok(Self {
            id: row.id.parse().map_err(|e| fault("id", e))?,
            token_hash: HashedToken::from_stored(row.token_hash.clone()),
            user_id: row.user_id.parse().map_err(|e| fault("user_id", e))?,
            authenticated_at: Timestamp(row.authenticated_at),
            last_seen_at: Timestamp(row.last_seen_at),
            expires_at: Timestamp(row.expires_at),
            ended_at: row.ended_at.map(Timestamp),
            started_at: Timestamp(row.started_at.unwrap_or(row.authenticated_at)),
            remembered: row.remembered,
            browser: row.browser.clone(),
        })
    }
}

/// The session of this cookie.
///
/// # Errors
/// When the database fails or the row is impossible.
pub fn by_token(conn: &mut Conn, hash: &HashedToken) -> Result<Option<Session>, StoreError> {
    let row: Option<Row> = table::table
        .filter(table::token_hash.eq(hash.as_str()))
        .select(table::all_columns)
        .first(conn)
        .optional()?;
    Ok(row.map(Session::try_from).transpose()?)
}

/// The session of this id.
///
/// # Errors
/// When the database fails or the row is impossible.
pub fn find(conn: &mut Conn, id: Id) -> Result<Option<Session>, StoreError> {
    let row: Option<Row> = table::table
        .filter(table::id.eq(id.to_string()))
        .select(table::all_columns)
        .first(conn)
        .optional()?;
    Ok(row.map(Session::try_from).transpose()?)
}

/// Stores a new session.
///
/// # Errors
/// [`StoreError::Reference`] when the user is gone.
pub fn insert(conn: &mut Conn, session: &Session) -> Result<(), StoreError> {
    let row = Row {
        id: session.id.to_string(),
        token_hash: session.token_hash.as_str().to_owned(),
        user_id: session.user_id.to_string(),
        authenticated_at: session.authenticated_at.0,
        last_seen_at: session.last_seen_at.0,
        expires_at: session.expires_at.0,
        ended_at: session.ended_at.map(|at| at.0),
        started_at: Some(session.started_at.0),
        remembered: session.remembered,
        browser: session.browser.clone(),
    };
    diesel::insert_into(table::table).values(row).execute(conn)?;
    Ok(())
}

/// Writes down that a living session was used.
///
/// # Errors
/// When the database fails.
pub fn touch(conn: &mut Conn, id: Id, now: Timestamp) -> Result<(), StoreError> {
    diesel::update(table::table.filter(table::id.eq(id.to_string())).filter(table::ended_at.is_null()))
        .set(table::last_seen_at.eq(now.0))
        .execute(conn)?;
    Ok(())
}

/// Holds a session's row until the end of the transaction, if it has not ended: whoever ends it at the same moment waits,
/// or came first, and then this is false.
///
/// # Errors
/// When the database fails.
pub fn hold(conn: &mut Conn, id: Id) -> Result<bool, StoreError> {
    let this = table::table.filter(table::id.eq(id.to_string())).filter(table::ended_at.is_null());
    let rows = diesel::update(this).set(table::expires_at.eq(table::expires_at)).execute(conn)?;
    Ok(rows == 1)
}

/// The same person proved again who they are: what `session` says of the cookie, the times and the browser holds from now
/// on for the row of its id. False when it ended in the meantime.
///
/// # Errors
/// When the database fails.
pub fn renew(conn: &mut Conn, session: &Session) -> Result<bool, StoreError> {
    let this = table::table.filter(table::id.eq(session.id.to_string())).filter(table::ended_at.is_null());
    let rows = diesel::update(this)
        .set((
            table::token_hash.eq(session.token_hash.as_str()),
            table::authenticated_at.eq(session.authenticated_at.0),
            table::last_seen_at.eq(session.last_seen_at.0),
            table::expires_at.eq(session.expires_at.0),
            table::started_at.eq(session.started_at.0),
            table::remembered.eq(session.remembered),
            table::browser.eq(session.browser.as_deref()),
        ))
        .execute(conn)?;
    Ok(rows == 1)
}

/// Ends a session; false when it had ended.
///
/// # Errors
/// When the database fails.
pub fn end(conn: &mut Conn, id: Id, now: Timestamp) -> Result<bool, StoreError> {
    let rows =
        diesel::update(table::table.filter(table::id.eq(id.to_string())).filter(table::ended_at.is_null()))
            .set(table::ended_at.eq(now.0))
            .execute(conn)?;
    Ok(rows == 1)
}

/// The sessions of a user that neither ended nor ran out, the newest first. How long each may lie idle is not looked at.
///
/// # Errors
/// When the database fails or a row is impossible.
pub fn of_user(conn: &mut Conn, user: Id, now: Timestamp) -> Result<Vec<Session>, StoreError> {
    let rows: Vec<Row> = table::table
        .filter(table::user_id.eq(user.to_string()))
        .filter(table::ended_at.is_null())
        .filter(table::expires_at.gt(now.0))
        .order((table::last_seen_at.desc(), table::id))
        .select(table::all_columns)
        .load(conn)?;
    rows.into_iter().map(|row| Session::try_from(row).map_err(StoreError::from)).collect()
}
