//! The table `signing_keys`.

use diesel::prelude::*;

use crate::base::{Seconds, Timestamp};
use crate::domain::key::{KeyState, KeyStateColumns};
use crate::domain::{ImpossibleRow, SigningKeyRecord};

use super::schema::signing_keys as table;
use super::{Conn, StoreError, revision};

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = table, treat_none_as_null = true)]
struct Row {
    kid: String,
    algorithm: String,
    public_jwk: String,
    sealed_private: String,
    created_at: i64,
    published_at: i64,
    activated_at: Option<i64>,
    retired_at: Option<i64>,
    remove_at: Option<i64>,
    longest_token_s: i64,
    compromised_at: Option<i64>,
}

impl From<&SigningKeyRecord> for Row {
    fn from(key: &SigningKeyRecord) -> Self {
        let KeyStateColumns { published_at, activated_at, retired_at, remove_at, compromised_at } =
            key.state.to_columns();
        Self {
            kid: key.kid.clone(),
            algorithm: key.algorithm.to_string(),
            public_jwk: key.public_jwk.clone(),
            sealed_private: key.sealed_private.clone(),
            created_at: key.created_at.0,
            published_at,
            activated_at,
            retired_at,
            remove_at,
            longest_token_s: key.longest_token.0,
            compromised_at,
        }
    }
}

impl TryFrom<Row> for SigningKeyRecord {
    type Error = ImpossibleRow;
    fn try_from(row: Row) -> Result<Self, ImpossibleRow> {
        let columns = KeyStateColumns {
            published_at: row.published_at,
            activated_at: row.activated_at,
            retired_at: row.retired_at,
            remove_at: row.remove_at,
            compromised_at: row.compromised_at,
        };
        let algorithm = row.algorithm.parse().map_err(|e| ImpossibleRow {
            table: "signing_keys",
            column: "algorithm",
            id: row.kid.clone(),
            text: format!("{e}"),
        })?;
        Ok(Self {
            state: KeyState::from_columns(&row.kid, columns)?,
            kid: row.kid,
            algorithm,
            public_jwk: row.public_jwk,
            sealed_private: row.sealed_private,
            created_at: Timestamp(row.created_at),
            longest_token: Seconds(row.longest_token_s),
        })
    }
}

/// All keys, oldest first.
///
/// # Errors
/// When the database fails or a row is impossible.
pub fn all(conn: &mut Conn) -> Result<Vec<SigningKeyRecord>, StoreError> {
    let rows: Vec<Row> =
        table::table.order((table::created_at, table::kid)).select(table::all_columns).load(conn)?;
    rows.into_iter().map(|row| SigningKeyRecord::try_from(row).map_err(StoreError::from)).collect()
}

/// Stores a new key.
///
/// # Errors
/// [`StoreError::Conflict`] when the key is there already.
pub fn insert(conn: &mut Conn, key: &SigningKeyRecord) -> Result<(), StoreError> {
    diesel::insert_into(table::table).values(Row::from(key)).execute(conn)?;
    revision::bump(conn)
}

/// Stores a key's new state or seal; false when there is none of this kid.
///
/// # Errors
/// When the database fails.
pub fn update(conn: &mut Conn, key: &SigningKeyRecord) -> Result<bool, StoreError> {
    let rows =
        diesel::update(table::table.filter(table::kid.eq(&key.kid))).set(Row::from(key)).execute(conn)?;
    revision::bump(conn)?;
    Ok(rows == 1)
}

/// Deletes a key; false when there is none of this kid.
///
/// # Errors
/// When the database fails.
pub fn delete(conn: &mut Conn, kid: &str) -> Result<bool, StoreError> {
    let rows = diesel::delete(table::table.filter(table::kid.eq(kid))).execute(conn)?;
    revision::bump(conn)?;
    Ok(rows == 1)
}

/// Notes that from here on tokens may live for `life`, with every key that signs or will sign. Whoever calls this holds the
/// row of the revision already ([`revision::lock`], or a change that it counted): keys are always changed in that order.
///
/// # Errors
/// When the database fails.
pub fn raise_longest_token(conn: &mut Conn, life: Seconds) -> Result<(), StoreError> {
    let shorter = table::table.filter(table::retired_at.is_null()).filter(table::longest_token_s.lt(life.0));
    diesel::update(shorter).set(table::longest_token_s.eq(life.0)).execute(conn)?;
    Ok(())
}
