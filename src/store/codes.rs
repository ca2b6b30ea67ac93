//! The table `codes`.

use diesel::prelude::*;

use crate::base::{HashedToken, Timestamp};
use crate::domain::{Code, ImpossibleRow};

use super::schema::codes as table;
use super::{Conn, StoreError};

#[derive(Queryable, Insertable)]
#[diesel(table_name = table)]
struct Row {
    hash: String,
    authorization_id: String,
    client_id: String,
    redirect_uri: String,
    redirect_uri_given: bool,
    challenge: Option<String>,
    expires_at: i64,
    redeemed_at: Option<i64>,
}

impl TryFrom<Row> for Code {
    type Error = ImpossibleRow;
    fn try_from(row: Row) -> Result<Self, ImpossibleRow> {
        let id = row.authorization_id.clone();
        let fault = |column, text: String| ImpossibleRow { table: "codes", column, id: id.clone(), text };
        Ok(Self {
            hash: HashedToken::from_stored(row.hash),
            authorization_id: row
                .authorization_id
                .parse()
                .map_err(|e| fault("authorization_id", format!("{e}")))?,
            client_id: row.client_id.parse().map_err(|e| fault("client_id", e))?,
            redirect_uri: row.redirect_uri,
            redirect_uri_given: row.redirect_uri_given,
            challenge: row.challenge.map(|c| c.parse()).transpose().map_err(|e| fault("challenge", e))?,
            expires_at: Timestamp(row.expires_at),
            redeemed_at: row.redeemed_at.map(Timestamp),
        })
    }
}

/// The code of this hash.
///
/// # Errors
/// When the database fails or the row is impossible.
pub fn find(conn: &mut Conn, hash: &HashedToken) -> Result<Option<Code>, StoreError> {
    let row: Option<Row> = table::table
        .filter(table::hash.eq(hash.as_str()))
        .select(table::all_columns)
        .first(conn)
        .optional()?;
    Ok(row.map(Code::try_from).transpose()?)
}

/// Stores a new code.
///
/// # Errors
/// [`StoreError::Reference`] when its authorization is gone.
pub fn insert(conn: &mut Conn, code: &Code) -> Result<(), StoreError> {
    let row = Row {
        hash: code.hash.as_str().to_owned(),
        authorization_id: code.authorization_id.to_string(),
        client_id: code.client_id.to_string(),
        redirect_uri: code.redirect_uri.clone(),
        redirect_uri_given: code.redirect_uri_given,
        challenge: code.challenge.as_ref().map(|c| c.as_str().to_owned()),
        expires_at: code.expires_at.0,
        redeemed_at: code.redeemed_at.map(|at| at.0),
    };
    diesel::insert_into(table::table).values(row).execute(conn)?;
    Ok(())
}

/// RFC 6749 §4.1.2: "The client MUST NOT use the authorization code more than once." One statement decides: true for the
/// one request that found it unused, however many come at once.
///
/// # Errors
/// When the database fails.
pub fn redeem(conn: &mut Conn, hash: &HashedToken, now: Timestamp) -> Result<bool, StoreError> {
    let rows = diesel::update(
        table::table.filter(table::hash.eq(hash.as_str())).filter(table::redeemed_at.is_null()),
    )
    .set(table::redeemed_at.eq(now.0))
    .execute(conn)?;
    Ok(rows == 1)
}
