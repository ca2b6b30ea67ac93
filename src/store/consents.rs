//! The table `consents`.

use diesel::prelude::*;

use crate::base::{Id, Timestamp};
use crate::domain::ImpossibleRow;
use crate::domain::consent::Consent;
use crate::oauth::ClientId;

use super::schema::consents as table;
use super::{Conn, StoreError};

#[derive(Queryable, Insertable)]
#[diesel(table_name = table)]
struct Row {
    user_id: String,
    client_id: String,
    resource: String,
    scope: String,
    granted_at: i64,
}

impl TryFrom<Row> for Consent {
    type Error = ImpossibleRow;
    fn try_from(row: Row) -> Result<Self, ImpossibleRow> {
        let id = format!("{} {} {}", row.user_id, row.client_id, row.resource);
        let fault = |column, text: String| ImpossibleRow { table: "consents", column, id: id.clone(), text };
        Ok(Self {
            user_id: row.user_id.parse().map_err(|e| fault("user_id", format!("{e}")))?,
            client_id: row.client_id.parse().map_err(|e| fault("client_id", e))?,
            scope: row.scope.parse().map_err(|e| fault("scope", e))?,
            resource: row.resource,
            granted_at: Timestamp(row.granted_at),
        })
    }
}

/// What a user allowed a client so far.
///
/// # Errors
/// When the database fails or a row is impossible.
pub fn of(conn: &mut Conn, user: Id, client: &ClientId) -> Result<Vec<Consent>, StoreError> {
    let rows: Vec<Row> = table::table
        .filter(table::user_id.eq(user.to_string()))
        .filter(table::client_id.eq(client.as_str()))
        .select(table::all_columns)
        .load(conn)?;
    rows.into_iter().map(|row| Consent::try_from(row).map_err(StoreError::from)).collect()
}

/// What a user allowed so far, whichever client.
///
/// # Errors
/// When the database fails or a row is impossible.
pub fn of_user(conn: &mut Conn, user: Id) -> Result<Vec<Consent>, StoreError> {
    let rows: Vec<Row> = table::table
        .filter(table::user_id.eq(user.to_string()))
        .order((table::client_id, table::resource))
        .select(table::all_columns)
        .load(conn)?;
    rows.into_iter().map(|row| Consent::try_from(row).map_err(StoreError::from)).collect()
}

/// Forgets all that a user allowed a client; how many rows that were.
///
/// # Errors
/// When the database fails.
pub fn forget(conn: &mut Conn, user: Id, client: &ClientId) -> Result<usize, StoreError> {
    let these =
        table::table.filter(table::user_id.eq(user.to_string())).filter(table::client_id.eq(client.as_str()));
    Ok(diesel::delete(these).execute(conn)?)
}

/// Remembers a consent, in place of the former one for the same resource server.
///
/// # Errors
/// [`StoreError::Reference`] when the user or the client is gone.
pub fn put(conn: &mut Conn, consent: &Consent) -> Result<(), StoreError> {
    let rows = diesel::update(
        table::table
            .filter(table::user_id.eq(consent.user_id.to_string()))
            .filter(table::client_id.eq(consent.client_id.as_str()))
            .filter(table::resource.eq(&consent.resource)),
    )
    .set((table::scope.eq(consent.scope.to_string()), table::granted_at.eq(consent.granted_at.0)))
    .execute(conn)?;
    if rows == 0 {
        let row = Row {
            user_id: consent.user_id.to_string(),
            client_id: consent.client_id.to_string(),
            resource: consent.resource.clone(),
            scope: consent.scope.to_string(),
            granted_at: consent.granted_at.0,
        };
        let inserted = diesel::insert_into(table::table).values(row).execute(conn);
        return match inserted.map_err(StoreError::from) {
            // The same user agreed in another window at the same moment: run again, and replace that row.
            Err(StoreError::Conflict) => Err(StoreError::Serialization),
            other => other.map(|_| ()),
        };
    }
    Ok(())
}
