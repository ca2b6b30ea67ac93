//! The table `users`.

use diesel::prelude::*;

use crate::base::{Id, Timestamp};
use crate::domain::{ImpossibleRow, User, UserName};

use super::schema::users as table;
use super::{Conn, StoreError};

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = table, treat_none_as_null = true)]
struct Row {
    id: String,
    username: String,
    display_name: Option<String>,
    email: Option<String>,
    password_hash: String,
    locked_at: Option<i64>,
    created_at: i64,
    person: String,
    attributes: String,
    updated_at: i64,
}

impl TryFrom<&User> for Row {
    type Error = ImpossibleRow;
    fn try_from(user: &User) -> Result<Self, ImpossibleRow> {
        let fault = |column, e: serde_json::Error| ImpossibleRow {
            table: "users",
            column,
            id: user.id.to_string(),
            text: e.to_string(),
        };
        Ok(Self {
            id: user.id.to_string(),
            username: user.username.to_string(),
            display_name: user.display_name.clone(),
            email: user.email.clone(),
            password_hash: user.password_hash.clone(),
            locked_at: user.locked_at.map(|at| at.0),
            created_at: user.created_at.0,
            person: serde_json::to_string(&user.person).map_err(|e| fault("person", e))?,
            attributes: serde_json::to_string(&user.attributes).map_err(|e| fault("attributes", e))?,
            updated_at: user.updated_at.0,
        })
    }
}

impl TryFrom<Row> for User {
    type Error = ImpossibleRow;
    fn try_from(row: Row) -> Result<Self, ImpossibleRow> {
        let fault = |column, text: String| ImpossibleRow { table: "users", column, id: row.id.clone(), text };
        Ok(Self {
            id: row.id.parse().map_err(|e| fault("id", format!("{e}")))?,
            username: UserName::parse(&row.username).map_err(|e| fault("username", e.text))?,
            display_name: row.display_name.clone(),
            email: row.email.clone(),
            password_hash: row.password_hash.clone(),
            locked_at: row.locked_at.map(Timestamp),
            created_at: Timestamp(row.created_at),
            person: serde_json::from_str(&row.person).map_err(|e| fault("person", e.to_string()))?,
            attributes: serde_json::from_str(&row.attributes)
                .map_err(|e| fault("attributes", e.to_string()))?,
            updated_at: Timestamp(row.updated_at),
        })
    }
}

fn one(row: Option<Row>) -> Result<Option<User>, StoreError> {
    Ok(row.map(User::try_from).transpose()?)
}

/// The user of this canonical name.
///
/// # Errors
/// When the database fails or the row is impossible.
pub fn by_name(conn: &mut Conn, name: &UserName) -> Result<Option<User>, StoreError> {
    one(table::table
        .filter(table::username.eq(name.as_str()))
        .select(table::all_columns)
        .first(conn)
        .optional()?)
}

/// The user of this subject.
///
/// # Errors
/// When the database fails or the row is impossible.
pub fn find(conn: &mut Conn, id: Id) -> Result<Option<User>, StoreError> {
    one(table::table
        .filter(table::id.eq(id.to_string()))
        .select(table::all_columns)
        .first(conn)
        .optional()?)
}

/// Up to `limit` users whose name comes after `after`, by name.
///
/// # Errors
/// When the database fails or a row is impossible.
pub fn page(conn: &mut Conn, after: &str, limit: i64) -> Result<Vec<User>, StoreError> {
    let rows: Vec<Row> = table::table
        .filter(table::username.gt(after))
        .order(table::username)
        .limit(limit)
        .select(table::all_columns)
        .load(conn)?;
    rows.into_iter().map(|row| User::try_from(row).map_err(StoreError::from)).collect()
}

/// Stores a new user.
///
/// # Errors
/// [`StoreError::Conflict`] when the name is taken.
pub fn insert(conn: &mut Conn, user: &User) -> Result<(), StoreError> {
    diesel::insert_into(table::table).values(Row::try_from(user)?).execute(conn)?;
    Ok(())
}

/// Stores a changed user; false when there is none of this id.
///
/// # Errors
/// [`StoreError::Conflict`] when the new name is taken.
pub fn update(conn: &mut Conn, user: &User) -> Result<bool, StoreError> {
    let rows = diesel::update(table::table.filter(table::id.eq(user.id.to_string())))
        .set(Row::try_from(user)?)
        .execute(conn)?;
    Ok(rows == 1)
}

/// Holds the user's row until the end of the transaction, if the user is active and still has this password: whoever locks
/// the account or changes the password at the same moment waits, and then ends what was given here; or came first, and
/// then this is false.
///
/// # Errors
/// When the database fails.
pub fn hold(conn: &mut Conn, id: Id, password_hash: &str) -> Result<bool, StoreError> {
    let this = table::table
        .filter(table::id.eq(id.to_string()))
        .filter(table::password_hash.eq(password_hash))
        .filter(table::locked_at.is_null());
    let rows = diesel::update(this).set(table::created_at.eq(table::created_at)).execute(conn)?;
    Ok(rows == 1)
}

/// The user of this canonical name, its row held until the end of the transaction: for a change of what is read.
///
/// # Errors
/// When the database fails or the row is impossible.
pub fn by_name_to_change(conn: &mut Conn, name: &UserName) -> Result<Option<User>, StoreError> {
    diesel::update(table::table.filter(table::username.eq(name.as_str())))
        .set(table::created_at.eq(table::created_at))
        .execute(conn)?;
    by_name(conn, name)
}

/// Replaces a password hash, if it is still the one that was read: a hash with newer parameters must not undo a change of
/// password that came in between.
///
/// # Errors
/// When the database fails.
pub fn rehash(conn: &mut Conn, id: Id, old: &str, new: &str) -> Result<bool, StoreError> {
    let rows = diesel::update(
        table::table.filter(table::id.eq(id.to_string())).filter(table::password_hash.eq(old)),
    )
    .set(table::password_hash.eq(new))
    .execute(conn)?;
    Ok(rows == 1)
}

/// Deletes a user with everything of theirs; false when there is none of this id.
///
/// # Errors
/// When the database fails.
pub fn delete(conn: &mut Conn, id: Id) -> Result<bool, StoreError> {
    let rows = diesel::delete(table::table.filter(table::id.eq(id.to_string()))).execute(conn)?;
    Ok(rows == 1)
}
