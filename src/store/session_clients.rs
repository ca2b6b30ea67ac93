//! The table `session_clients`: which clients got something in a session. Its rows go with the session's, by the foreign
//! key: they are few for each.

use diesel::prelude::*;

use crate::base::Id;
use crate::domain::ImpossibleRow;
use crate::oauth::ClientId;

use super::schema::session_clients as table;
use super::{Conn, StoreError};

/// Writes down that a client gets something in a session, and whether that tells it who the user is. The session's row is
/// held by the caller ([`super::sessions::hold`]): two at once would write the same row.
///
/// # Errors
/// [`StoreError::Reference`] when the client is gone.
pub fn add(conn: &mut Conn, session: Id, client: &ClientId, knows_user: bool) -> Result<(), StoreError> {
    let (session, client) = (session.to_string(), client.as_str());
    let this = table::table.filter(table::session_id.eq(&session)).filter(table::client_id.eq(client));
    match this.select(table::knows_user).first(conn).optional()? {
        Some(known) if known || !knows_user => {}
        Some(_) => {
            diesel::update(this).set(table::knows_user.eq(true)).execute(conn)?;
        }
        None => {
            let row = (
                table::session_id.eq(&session),
                table::client_id.eq(client),
                table::knows_user.eq(knows_user),
            );
            diesel::insert_into(table::table).values(row).execute(conn)?;
        }
    }
    Ok(())
}

/// The clients that got something in a session.
///
/// # Errors
/// When the database fails or a row is impossible.
pub fn of(conn: &mut Conn, session: Id) -> Result<Vec<ClientId>, StoreError> {
    let ids: Vec<String> = table::table
        .filter(table::session_id.eq(session.to_string()))
        .order(table::client_id)
        .select(table::client_id)
        .load(conn)?;
    let fault = |text| {
        let id = session.to_string();
        StoreError::from(ImpossibleRow { table: "session_clients", column: "client_id", id, text })
    };
    ids.into_iter().map(|id| id.parse().map_err(fault)).collect()
}
