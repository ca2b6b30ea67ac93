//! The tables `roles` and `user_roles`.

use diesel::prelude::*;

use crate::base::{Id, Timestamp};
use crate::domain::Role;

use super::schema::{roles, user_roles};
use super::{Conn, StoreError};

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = roles)]
struct Row {
    name: String,
    description: String,
    declared: bool,
    created_at: i64,
}

/// All roles.
///
/// # Errors
/// When the database fails.
pub fn all(conn: &mut Conn) -> Result<Vec<Role>, StoreError> {
    let rows: Vec<Row> = roles::table.order(roles::name).select(roles::all_columns).load(conn)?;
    Ok(rows
        .into_iter()
        .map(|row| Role {
            name: row.name,
            description: row.description,
            declared: row.declared,
            created_at: Timestamp(row.created_at),
        })
        .collect())
}

fn row(role: &Role) -> Row {
    Row {
        name: role.name.clone(),
        description: role.description.clone(),
        declared: role.declared,
        created_at: role.created_at.0,
    }
}

/// Stores a new role.
///
/// # Errors
/// [`StoreError::Conflict`] when the name is taken.
pub fn insert(conn: &mut Conn, role: &Role) -> Result<(), StoreError> {
    diesel::insert_into(roles::table).values(row(role)).execute(conn)?;
    Ok(())
}

/// Stores a changed role; false when there is none of this name.
///
/// # Errors
/// When the database fails.
pub fn update(conn: &mut Conn, role: &Role) -> Result<bool, StoreError> {
    let rows =
        diesel::update(roles::table.filter(roles::name.eq(&role.name))).set(row(role)).execute(conn)?;
    Ok(rows == 1)
}

/// Deletes a role and takes it from everyone; false when there is none of this name.
///
/// # Errors
/// When the database fails.
pub fn delete(conn: &mut Conn, name: &str) -> Result<bool, StoreError> {
    let rows = diesel::delete(roles::table.filter(roles::name.eq(name))).execute(conn)?;
    Ok(rows == 1)
}

/// The names of a user's roles, sorted.
///
/// # Errors
/// When the database fails.
pub fn of_user(conn: &mut Conn, user: Id) -> Result<Vec<String>, StoreError> {
    Ok(user_roles::table
        .filter(user_roles::user_id.eq(user.to_string()))
        .order(user_roles::role)
        .select(user_roles::role)
        .load(conn)?)
}

/// Gives a user a role.
///
/// # Errors
/// [`StoreError::Reference`] when there is no such user or role, [`StoreError::Conflict`] when the user has it.
pub fn give(conn: &mut Conn, user: Id, role: &str) -> Result<(), StoreError> {
    diesel::insert_into(user_roles::table)
        .values((user_roles::user_id.eq(user.to_string()), user_roles::role.eq(role)))
        .execute(conn)?;
    Ok(())
}

/// Takes a role from a user; false when the user did not have it.
///
/// # Errors
/// When the database fails.
pub fn take(conn: &mut Conn, user: Id, role: &str) -> Result<bool, StoreError> {
    let rows = diesel::delete(
        user_roles::table.filter(user_roles::user_id.eq(user.to_string())).filter(user_roles::role.eq(role)),
    )
    .execute(conn)?;
    Ok(rows == 1)
}
