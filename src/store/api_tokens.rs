//! The table `api_tokens`.

use diesel::prelude::*;

use crate::base::{HashedToken, Id, Timestamp};
use crate::domain::api_token::{ApiToken, Owner};
use crate::domain::{ImpossibleRow, RevocationReason};

use super::schema::api_tokens as table;
use super::{Conn, StoreError};

#[derive(Queryable, Insertable)]
#[diesel(table_name = table)]
struct Row {
    id: String,
    hash: String,
    user_id: Option<String>,
    client_id: Option<String>,
    name: String,
    scope: String,
    resources: String,
    created_at: i64,
    expires_at: i64,
    last_used_at: Option<i64>,
    revoked_at: Option<i64>,
    revoked_because: Option<String>,
}

impl From<&ApiToken> for Row {
    fn from(token: &ApiToken) -> Self {
        let (user_id, client_id) = columns(&token.owner);
        Self {
            id: token.id.clone(),
            hash: token.hash.as_str().to_owned(),
            user_id,
            client_id,
            name: token.name.clone(),
            scope: token.scope.to_string(),
            resources: token.resource.to_string(),
            created_at: token.created_at.0,
            expires_at: token.expires_at.0,
            last_used_at: token.last_used_at.map(|at| at.0),
            revoked_at: token.revoked.map(|(at, _)| at.0),
            revoked_because: token.revoked.map(|(_, reason)| reason.as_str().to_owned()),
        }
    }
}

impl TryFrom<Row> for ApiToken {
    type Error = ImpossibleRow;
    fn try_from(row: Row) -> Result<Self, ImpossibleRow> {
        let fault =
            |column, text: String| ImpossibleRow { table: "api_tokens", column, id: row.id.clone(), text };
        let owner = match (&row.user_id, &row.client_id) {
            (Some(user), None) => Owner::User(user.parse().map_err(|e| fault("user_id", format!("{e}")))?),
            (None, Some(client)) => Owner::Service(client.parse().map_err(|e| fault("client_id", e))?),
            _ => return Err(fault("user_id", "a token has one owner, a user or a client".to_owned())),
        };
        let revoked = match (row.revoked_at, row.revoked_because.as_deref()) {
            (None, None) => None,
            (Some(at), Some(reason)) => {
                Some((Timestamp(at), reason.parse().map_err(|e| fault("revoked_because", e))?))
            }
            _ => {
                let text = "a date without a reason, or a reason without a date";
                return Err(fault("revoked_at", text.to_owned()));
            }
        };
        Ok(Self {
            owner,
            revoked,
            hash: HashedToken::from_stored(row.hash.clone()),
            scope: row.scope.parse().map_err(|e| fault("scope", e))?,
            resource: row.resources.parse().map_err(|e| fault("resources", e))?,
            created_at: Timestamp(row.created_at),
            expires_at: Timestamp(row.expires_at),
            last_used_at: row.last_used_at.map(Timestamp),
            name: row.name,
            id: row.id,
        })
    }
}

fn columns(owner: &Owner) -> (Option<String>, Option<String>) {
    match owner {
        Owner::User(id) => (Some(id.to_string()), None),
        Owner::Service(id) => (None, Some(id.to_string())),
    }
}

/// Rows of one owner: exactly one of the two columns is set, and compared.
macro_rules! of_owner {
    ($owner:expr) => {{
        let (user, client) = columns($owner);
        table::user_id.eq(user.unwrap_or_default()).or(table::client_id.eq(client.unwrap_or_default()))
    }};
}

fn several(rows: Vec<Row>) -> Result<Vec<ApiToken>, StoreError> {
    rows.into_iter().map(|row| ApiToken::try_from(row).map_err(StoreError::from)).collect()
}

/// The token of this id, whoever shows it.
///
/// # Errors
/// When the database fails or the row is impossible.
pub fn find(conn: &mut Conn, id: &str) -> Result<Option<ApiToken>, StoreError> {
    let row: Option<Row> =
        table::table.filter(table::id.eq(id)).select(table::all_columns).first(conn).optional()?;
    Ok(row.map(ApiToken::try_from).transpose()?)
}

/// The tokens of one owner, dead ones too, the newest first.
///
/// # Errors
/// When the database fails or a row is impossible.
pub fn of_owner(conn: &mut Conn, owner: &Owner) -> Result<Vec<ApiToken>, StoreError> {
    let newest_first = (table::created_at.desc(), table::id);
    several(table::table.filter(of_owner!(owner)).order(newest_first).select(table::all_columns).load(conn)?)
}

/// Up to `limit` tokens whose id comes after `after`, by id.
///
/// # Errors
/// When the database fails or a row is impossible.
pub fn page(conn: &mut Conn, after: &str, limit: i64) -> Result<Vec<ApiToken>, StoreError> {
    several(
        table::table
            .filter(table::id.gt(after))
            .order(table::id)
            .limit(limit)
            .select(table::all_columns)
            .load(conn)?,
    )
}

/// How many tokens of an owner count at `now`.
///
/// # Errors
/// When the database fails.
pub fn count_alive(conn: &mut Conn, owner: &Owner, now: Timestamp) -> Result<i64, StoreError> {
    Ok(table::table
        .filter(of_owner!(owner))
        .filter(table::revoked_at.is_null())
        .filter(table::expires_at.gt(now.0))
        .count()
        .get_result(conn)?)
}

/// Stores a new token.
///
/// # Errors
/// [`StoreError::Reference`] when its owner is gone.
pub fn insert(conn: &mut Conn, token: &ApiToken) -> Result<(), StoreError> {
    diesel::insert_into(table::table).values(Row::from(token)).execute(conn)?;
    Ok(())
}

/// Revokes a token, of this owner where one is named; false when there is none, or it was revoked before. The first reason
/// stands.
///
/// # Errors
/// When the database fails.
pub fn revoke(
    conn: &mut Conn,
    id: &str,
    owner: Option<&Owner>,
    now: Timestamp,
    reason: RevocationReason,
) -> Result<bool, StoreError> {
    let revoked = (table::revoked_at.eq(now.0), table::revoked_because.eq(reason.as_str()));
    let this = table::table.filter(table::id.eq(id)).filter(table::revoked_at.is_null());
    let rows = match owner {
        Some(owner) => diesel::update(this.filter(of_owner!(owner))).set(revoked).execute(conn)?,
        None => diesel::update(this).set(revoked).execute(conn)?,
    };
    Ok(rows == 1)
}

/// Revokes all tokens of a user.
///
/// # Errors
/// When the database fails.
pub fn revoke_of_user(
    conn: &mut Conn,
    user: Id,
    now: Timestamp,
    reason: RevocationReason,
) -> Result<usize, StoreError> {
    let theirs = table::table.filter(table::user_id.eq(user.to_string())).filter(table::revoked_at.is_null());
    Ok(diesel::update(theirs)
        .set((table::revoked_at.eq(now.0), table::revoked_because.eq(reason.as_str())))
        .execute(conn)?)
}

/// Writes down when a token was used, unless a later use is written down already: another node may have come first.
///
/// # Errors
/// When the database fails.
pub fn note_use(conn: &mut Conn, id: &str, at: Timestamp) -> Result<(), StoreError> {
    let earlier = table::last_used_at.is_null().or(table::last_used_at.lt(at.0));
    diesel::update(table::table.filter(table::id.eq(id)).filter(earlier))
        .set(table::last_used_at.eq(at.0))
        .execute(conn)?;
    Ok(())
}
