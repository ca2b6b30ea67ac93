//! The table `clients`.

use diesel::prelude::*;

use crate::base::{Seconds, Timestamp};
use crate::domain::client::ClientDraft;
use crate::domain::{Client, ImpossibleRow};
use crate::oauth::ClientId;

use super::schema::clients;
use super::{Conn, StoreError, keys, revision};

#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = clients, treat_none_as_null = true)]
struct Row {
    id: String,
    name: String,
    profile: String,
    grant_types: String,
    redirect_uris: String,
    post_logout_redirect_uris: String,
    scope: String,
    resources: String,
    skip_consent: bool,
    require_pkce: bool,
    access_token_ttl_s: Option<i64>,
    allow_long_access_tokens: bool,
    refresh_token_ttl_s: Option<i64>,
    declared: bool,
    disabled_at: Option<i64>,
    created_at: i64,
    refresh_token_idle_ttl_s: Option<i64>,
    refresh_reuse_grace_s: Option<i64>,
    origins: String,
    introspects: String,
    exchange: String,
    openid: String,
}

impl TryFrom<&Client> for Row {
    type Error = ImpossibleRow;
    fn try_from(client: &Client) -> Result<Self, ImpossibleRow> {
        let fault = |column, e: serde_json::Error| ImpossibleRow {
            table: "clients",
            column,
            id: client.id.to_string(),
            text: e.to_string(),
        };
        Ok(Self {
            id: client.id.to_string(),
            name: client.name.clone(),
            profile: client.profile.to_string(),
            grant_types: joined(&client.grant_types),
            redirect_uris: joined(&client.redirect_uris),
            post_logout_redirect_uris: joined(&client.post_logout_redirect_uris),
            scope: client.scope.to_string(),
            resources: joined(&client.resources),
            skip_consent: client.skip_consent,
            require_pkce: client.require_pkce,
            access_token_ttl_s: client.access_token_ttl.map(|ttl| ttl.0),
            allow_long_access_tokens: client.allow_long_access_tokens,
            refresh_token_ttl_s: client.refresh_token_ttl.map(|ttl| ttl.0),
            declared: client.declared,
            disabled_at: client.disabled_at.map(|at| at.0),
            created_at: client.created_at.0,
            refresh_token_idle_ttl_s: client.refresh_token_idle_ttl.map(|ttl| ttl.0),
            refresh_reuse_grace_s: client.refresh_reuse_grace.map(|span| span.0),
            origins: joined(&client.origins),
            introspects: joined(&client.introspects),
            exchange: serde_json::to_string(&client.exchange).map_err(|e| fault("exchange", e))?,
            openid: serde_json::to_string(&client.openid).map_err(|e| fault("openid", e))?,
        })
    }
}

impl TryFrom<Row> for Client {
    type Error = ImpossibleRow;
    fn try_from(row: Row) -> Result<Self, ImpossibleRow> {
        let fault =
            |column, text: String| ImpossibleRow { table: "clients", column, id: row.id.clone(), text };
        let draft = ClientDraft {
            id: row.id.parse().map_err(|e| fault("id", e))?,
            name: row.name.clone(),
            profile: row.profile.parse().map_err(|e| fault("profile", e))?,
            grant_types: split(&row.grant_types).map_err(|e| fault("grant_types", e))?,
            redirect_uris: split(&row.redirect_uris).map_err(|e| fault("redirect_uris", e))?,
            post_logout_redirect_uris: split(&row.post_logout_redirect_uris)
                .map_err(|e| fault("post_logout_redirect_uris", e))?,
            scope: row.scope.parse().map_err(|e| fault("scope", e))?,
            resources: split(&row.resources).map_err(|e| fault("resources", e))?,
            skip_consent: row.skip_consent,
            require_pkce: row.require_pkce,
            access_token_ttl: row.access_token_ttl_s.map(Seconds),
            allow_long_access_tokens: row.allow_long_access_tokens,
            refresh_token_ttl: row.refresh_token_ttl_s.map(Seconds),
            refresh_token_idle_ttl: row.refresh_token_idle_ttl_s.map(Seconds),
            refresh_reuse_grace: row.refresh_reuse_grace_s.map(Seconds),
            origins: split(&row.origins).map_err(|e| fault("origins", e))?,
            introspects: split(&row.introspects).map_err(|e| fault("introspects", e))?,
            exchange: serde_json::from_str(&row.exchange).map_err(|e| fault("exchange", e.to_string()))?,
            openid: serde_json::from_str(&row.openid).map_err(|e| fault("openid", e.to_string()))?,
        };
        let mut client = Client::stored(draft, Timestamp(row.created_at))
            .map_err(|problems| fault("profile", problems.iter().map(ToString::to_string).collect()))?;
        client.declared = row.declared;
        client.disabled_at = row.disabled_at.map(Timestamp);
        Ok(client)
    }
}

/// Values as the columns hold lists: separated by one blank.
pub(super) fn joined<T: ToString>(values: impl IntoIterator<Item = T>) -> String {
    values.into_iter().map(|value| value.to_string()).collect::<Vec<_>>().join(" ")
}

/// The other way.
pub(super) fn split<T: std::str::FromStr, C: FromIterator<T>>(text: &str) -> Result<C, T::Err> {
    text.split(' ').filter(|part| !part.is_empty()).map(str::parse).collect()
}

/// All clients.
///
/// # Errors
/// When the database fails or a row is impossible.
pub fn all(conn: &mut Conn) -> Result<Vec<Client>, StoreError> {
    let rows: Vec<Row> = clients::table.order(clients::id).select(clients::all_columns).load(conn)?;
    rows.into_iter().map(|row| Client::try_from(row).map_err(StoreError::from)).collect()
}

/// One client.
///
/// # Errors
/// When the database fails or the row is impossible.
pub fn find(conn: &mut Conn, id: &ClientId) -> Result<Option<Client>, StoreError> {
    let row: Option<Row> = clients::table
        .filter(clients::id.eq(id.as_str()))
        .select(clients::all_columns)
        .first(conn)
        .optional()?;
    Ok(row.map(Client::try_from).transpose()?)
}

/// The clients of these ids, as far as they are there.
///
/// # Errors
/// When the database fails or a row is impossible.
pub fn several(conn: &mut Conn, ids: &[ClientId]) -> Result<Vec<Client>, StoreError> {
    let mut found = Vec::new();
    // Far below what either database takes as parameters of one statement.
    for some in ids.chunks(500) {
        let some: Vec<&str> = some.iter().map(ClientId::as_str).collect();
        let rows: Vec<Row> =
            clients::table.filter(clients::id.eq_any(some)).select(clients::all_columns).load(conn)?;
        for row in rows {
            found.push(Client::try_from(row)?);
        }
    }
    Ok(found)
}

/// Stores a new client.
///
/// # Errors
/// [`StoreError::Conflict`] when the id is taken.
pub fn insert(conn: &mut Conn, client: &Client) -> Result<(), StoreError> {
    diesel::insert_into(clients::table).values(Row::try_from(client)?).execute(conn)?;
    changed(conn, client)
}

/// After the change: see [`keys::raise_longest_token`] for the order.
fn changed(conn: &mut Conn, client: &Client) -> Result<(), StoreError> {
    revision::bump(conn)?;
    client.access_token_ttl.map_or(Ok(()), |life| keys::raise_longest_token(conn, life))
}

/// Stores a changed client; false when there is none of this id.
///
/// # Errors
/// When the database fails.
pub fn update(conn: &mut Conn, client: &Client) -> Result<bool, StoreError> {
    let rows = diesel::update(clients::table.filter(clients::id.eq(client.id.as_str())))
        .set(Row::try_from(client)?)
        .execute(conn)?;
    changed(conn, client)?;
    Ok(rows == 1)
}

/// Deletes a client with its secrets, consents and authorizations; false when there is none of this id.
///
/// # Errors
/// When the database fails.
pub fn delete(conn: &mut Conn, id: &ClientId) -> Result<bool, StoreError> {
    let rows = diesel::delete(clients::table.filter(clients::id.eq(id.as_str()))).execute(conn)?;
    revision::bump(conn)?;
    Ok(rows == 1)
}
