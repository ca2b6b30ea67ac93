//! The table `resource_servers`.

use diesel::prelude::*;

use crate::base::{Seconds, Timestamp};
use crate::domain::resource_server::TokenFormat;
use crate::domain::{ImpossibleRow, ResourceServer};
use crate::oauth::Resource;

use super::schema::resource_servers as table;
use super::{Conn, StoreError, keys, revision};

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = table, treat_none_as_null = true)]
struct Row {
    id: String,
    name: String,
    scopes: String,
    access_token_ttl_s: Option<i64>,
    allow_long_access_tokens: bool,
    signing_algorithm: Option<String>,
    include_roles: bool,
    declared: bool,
    created_at: i64,
    user_api_tokens: bool,
    token_format: String,
    encryption: Option<String>,
    claims: String,
}

impl TryFrom<&ResourceServer> for Row {
    type Error = ImpossibleRow;
    fn try_from(server: &ResourceServer) -> Result<Self, ImpossibleRow> {
        let fault = |column| {
            move |e: serde_json::Error| ImpossibleRow {
                table: "resource_servers",
                column,
                id: server.id.to_string(),
                text: e.to_string(),
            }
        };
        let scopes = serde_json::to_string(&server.scopes).map_err(fault("scopes"))?;
        let encryption = server.token_format.encryption().map(serde_json::to_string).transpose();
        Ok(Self {
            id: server.id.to_string(),
            name: server.name.clone(),
            scopes,
            access_token_ttl_s: server.access_token_ttl.map(|ttl| ttl.0),
            allow_long_access_tokens: server.allow_long_access_tokens,
            signing_algorithm: server.signing_algorithm.map(|algorithm| algorithm.to_string()),
            include_roles: server.include_roles,
            declared: server.declared,
            created_at: server.created_at.0,
            user_api_tokens: server.user_api_tokens,
            token_format: server.token_format.as_str().to_owned(),
            encryption: encryption.map_err(fault("encryption"))?,
            claims: serde_json::to_string(&server.claims).map_err(fault("claims"))?,
        })
    }
}

impl TryFrom<Row> for ResourceServer {
    type Error = ImpossibleRow;
    fn try_from(row: Row) -> Result<Self, ImpossibleRow> {
        let fault = |column, text: String| ImpossibleRow {
            table: "resource_servers",
            column,
            id: row.id.clone(),
            text,
        };
        let algorithm = row.signing_algorithm.as_deref().map(str::parse).transpose();
        let encryption = row.encryption.as_deref().map(serde_json::from_str).transpose();
        let encryption = encryption.map_err(|e| fault("encryption", e.to_string()))?;
        Ok(Self {
            id: row.id.parse().map_err(|e| fault("id", e))?,
            name: row.name.clone(),
            scopes: serde_json::from_str(&row.scopes).map_err(|e| fault("scopes", e.to_string()))?,
            access_token_ttl: row.access_token_ttl_s.map(Seconds),
            allow_long_access_tokens: row.allow_long_access_tokens,
            signing_algorithm: algorithm.map_err(|e| fault("signing_algorithm", format!("{e}")))?,
            include_roles: row.include_roles,
            declared: row.declared,
            created_at: Timestamp(row.created_at),
            user_api_tokens: row.user_api_tokens,
            token_format: TokenFormat::from_columns(&row.token_format, encryption)
                .map_err(|e| fault("token_format", e))?,
            claims: serde_json::from_str(&row.claims).map_err(|e| fault("claims", e.to_string()))?,
        })
    }
}

/// All resource servers.
///
/// # Errors
/// When the database fails or a row is impossible.
pub fn all(conn: &mut Conn) -> Result<Vec<ResourceServer>, StoreError> {
    let rows: Vec<Row> = table::table.order(table::id).select(table::all_columns).load(conn)?;
    rows.into_iter().map(|row| ResourceServer::try_from(row).map_err(StoreError::from)).collect()
}

/// Stores a new resource server.
///
/// # Errors
/// [`StoreError::Conflict`] when the id is taken.
pub fn insert(conn: &mut Conn, server: &ResourceServer) -> Result<(), StoreError> {
    diesel::insert_into(table::table).values(Row::try_from(server)?).execute(conn)?;
    changed(conn, server)
}

/// After the change: see [`keys::raise_longest_token`] for the order.
fn changed(conn: &mut Conn, server: &ResourceServer) -> Result<(), StoreError> {
    revision::bump(conn)?;
    server.access_token_ttl.map_or(Ok(()), |life| keys::raise_longest_token(conn, life))
}

/// Stores a changed resource server; false when there is none of this id.
///
/// # Errors
/// When the database fails.
pub fn update(conn: &mut Conn, server: &ResourceServer) -> Result<bool, StoreError> {
    let rows = diesel::update(table::table.filter(table::id.eq(server.id.as_str())))
        .set(Row::try_from(server)?)
        .execute(conn)?;
    changed(conn, server)?;
    Ok(rows == 1)
}

/// Deletes a resource server; false when there is none of this id.
///
/// # Errors
/// When the database fails.
pub fn delete(conn: &mut Conn, id: &Resource) -> Result<bool, StoreError> {
    let rows = diesel::delete(table::table.filter(table::id.eq(id.as_str()))).execute(conn)?;
    revision::bump(conn)?;
    Ok(rows == 1)
}
