//! The table `authorizations`.

use diesel::prelude::*;

use crate::base::{Id, Timestamp};
use crate::domain::{Authorization, ImpossibleRow, Profile, RevocationReason};
use crate::oauth::{Asked, ClientId, Resource, Scope};

use super::clients::{joined, split};
use super::schema::{authorizations as table, clients};
use super::{Conn, StoreError};

#[derive(Queryable, Insertable)]
#[diesel(table_name = table)]
struct Row {
    id: String,
    client_id: String,
    user_id: String,
    session_id: Option<String>,
    scope: String,
    resources: String,
    authenticated_at: i64,
    nonce: Option<String>,
    created_at: i64,
    expires_at: i64,
    revoked_at: Option<i64>,
    revoked_because: Option<String>,
    request: Option<String>,
}

impl TryFrom<Row> for Authorization {
    type Error = ImpossibleRow;
    fn try_from(row: Row) -> Result<Self, ImpossibleRow> {
        let fault = |column, text: String| ImpossibleRow {
            table: "authorizations",
            column,
            id: row.id.clone(),
            text,
        };
        let revoked = match (row.revoked_at, row.revoked_because.as_deref()) {
            (None, None) => None,
            (Some(at), Some(reason)) => {
                Some((Timestamp(at), reason.parse().map_err(|e| fault("revoked_because", e))?))
            }
            _ => {
                return Err(fault(
                    "revoked_at",
                    "a date without a reason, or a reason without a date".to_owned(),
                ));
            }
        };
        let session = row.session_id.as_deref().map(str::parse).transpose();
        let asked = row.request.as_deref().map(serde_json::from_str);
        Ok(Self {
            id: row.id.parse().map_err(|e| fault("id", format!("{e}")))?,
            client_id: row.client_id.parse().map_err(|e| fault("client_id", e))?,
            user_id: row.user_id.parse().map_err(|e| fault("user_id", format!("{e}")))?,
            session_id: session.map_err(|e| fault("session_id", format!("{e}")))?,
            scope: row.scope.parse().map_err(|e| fault("scope", e))?,
            resources: split(&row.resources).map_err(|e| fault("resources", e))?,
            authenticated_at: Timestamp(row.authenticated_at),
            nonce: row.nonce.clone(),
            created_at: Timestamp(row.created_at),
            expires_at: Timestamp(row.expires_at),
            revoked,
            asked: asked.transpose().map_err(|e| fault("request", e.to_string()))?.unwrap_or_default(),
        })
    }
}

/// One authorization.
///
/// # Errors
/// When the database fails or the row is impossible.
pub fn find(conn: &mut Conn, id: Id) -> Result<Option<Authorization>, StoreError> {
    let row: Option<Row> = table::table
        .filter(table::id.eq(id.to_string()))
        .select(table::all_columns)
        .first(conn)
        .optional()?;
    Ok(row.map(Authorization::try_from).transpose()?)
}

/// Stores a new authorization.
///
/// # Errors
/// [`StoreError::Reference`] when the user or the client is gone.
pub fn insert(conn: &mut Conn, authorization: &Authorization) -> Result<(), StoreError> {
    let request = asked(authorization)?;
    let row = Row {
        id: authorization.id.to_string(),
        client_id: authorization.client_id.to_string(),
        user_id: authorization.user_id.to_string(),
        session_id: authorization.session_id.map(|id| id.to_string()),
        scope: authorization.scope.to_string(),
        resources: joined(&authorization.resources),
        authenticated_at: authorization.authenticated_at.0,
        nonce: authorization.nonce.clone(),
        created_at: authorization.created_at.0,
        expires_at: authorization.expires_at.0,
        revoked_at: authorization.revoked.map(|(at, _)| at.0),
        revoked_because: authorization.revoked.map(|(_, reason)| reason.as_str().to_owned()),
        request,
    };
    diesel::insert_into(table::table).values(row).execute(conn)?;
    Ok(())
}

/// Most requests ask for nothing beside their scope: then there is nothing to store.
fn asked(authorization: &Authorization) -> Result<Option<String>, ImpossibleRow> {
    if authorization.asked == Asked::default() {
        return Ok(None);
    }
    serde_json::to_string(&authorization.asked).map(Some).map_err(|e| ImpossibleRow {
        table: "authorizations",
        column: "request",
        id: authorization.id.to_string(),
        text: e.to_string(),
    })
}

/// Revokes the whole family; false when it was revoked before. The first reason stands.
///
/// # Errors
/// When the database fails.
pub fn revoke(conn: &mut Conn, id: Id, now: Timestamp, reason: RevocationReason) -> Result<bool, StoreError> {
    let rows =
        diesel::update(table::table.filter(table::id.eq(id.to_string())).filter(table::revoked_at.is_null()))
            .set((table::revoked_at.eq(now.0), table::revoked_because.eq(reason.as_str())))
            .execute(conn)?;
    Ok(rows == 1)
}

/// What was given in a browser session, as far as its end must know.
#[derive(Clone, Debug)]
pub struct InSession {
    /// The authorization.
    pub id: Id,
    /// Who got it.
    pub client_id: ClientId,
    /// Whether it was revoked before.
    pub is_revoked: bool,
    /// Whether it was given for the time after the session: `offline_access` (OpenID Connect Core §11), to a client that
    /// can keep a secret. What a public client holds ends with the session.
    pub outlives_session: bool,
}

/// All that was given in a browser session, revoked or not.
///
/// # Errors
/// When the database fails or a row is impossible.
pub fn in_session(conn: &mut Conn, session: Id) -> Result<Vec<InSession>, StoreError> {
    let rows: Vec<(String, String, String, Option<i64>, String)> = table::table
        .inner_join(clients::table.on(clients::id.eq(table::client_id)))
        .filter(table::session_id.eq(session.to_string()))
        .select((table::id, table::client_id, table::scope, table::revoked_at, clients::profile))
        .load(conn)?;
    rows.into_iter()
        .map(|(id, client_id, scope, revoked_at, profile)| {
            let fault = |column, text: String| {
                StoreError::from(ImpossibleRow { table: "authorizations", column, id: id.clone(), text })
            };
            let scope: Scope = scope.parse().map_err(|e| fault("scope", e))?;
            let profile: Profile = profile.parse().map_err(|e| fault("client_id", e))?;
            Ok(InSession {
                id: id.parse().map_err(|e| fault("id", format!("{e}")))?,
                client_id: client_id.parse().map_err(|e| fault("client_id", e))?,
                is_revoked: revoked_at.is_some(),
                outlives_session: scope.contains("offline_access") && profile.is_confidential(),
            })
        })
        .collect()
}

/// Revokes these families, as far as they were not revoked before: the first reason stands.
///
/// # Errors
/// When the database fails.
pub fn revoke_all(
    conn: &mut Conn,
    ids: &[Id],
    now: Timestamp,
    reason: RevocationReason,
) -> Result<(), StoreError> {
    // Far below what either database takes as parameters of one statement.
    for some in ids.chunks(500) {
        let some: Vec<String> = some.iter().map(ToString::to_string).collect();
        diesel::update(table::table.filter(table::id.eq_any(some)).filter(table::revoked_at.is_null()))
            .set((table::revoked_at.eq(now.0), table::revoked_because.eq(reason.as_str())))
            .execute(conn)?;
    }
    Ok(())
}

/// The four columns that are alike, and the first date.
type GivenRow = (String, Option<String>, String, String, Option<i64>);

/// What a user gave a client and nobody took back, as far as a list must know: all that is alike is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Who got it.
    pub client_id: ClientId,
    /// The browser session in which it was given.
    pub session_id: Option<Id>,
    /// What was allowed.
    pub scope: Scope,
    /// For which resource servers.
    pub resources: Vec<Resource>,
    /// When it was given first.
    pub since: Timestamp,
}

/// All that a user gave that was neither revoked nor has expired. Whether its session goes on is not looked at.
///
/// # Errors
/// When the database fails or a row is impossible.
pub fn given_by_user(conn: &mut Conn, user: Id, now: Timestamp) -> Result<Vec<Given>, StoreError> {
    let alike = (table::client_id, table::session_id, table::scope, table::resources);
    let rows: Vec<GivenRow> = table::table
        .filter(table::user_id.eq(user.to_string()))
        .filter(table::revoked_at.is_null())
        .filter(table::expires_at.gt(now.0))
        .group_by(alike)
        .select((
            table::client_id,
            table::session_id,
            table::scope,
            table::resources,
            diesel::dsl::min(table::created_at),
        ))
        .load(conn)?;
    rows.into_iter()
        .map(|(client_id, session_id, scope, resources, since)| {
            let fault = |column, text: String| {
                let id = format!("of {user} and {client_id}");
                StoreError::from(ImpossibleRow { table: "authorizations", column, id, text })
            };
            let session = session_id.as_deref().map(str::parse).transpose();
            Ok(Given {
                session_id: session.map_err(|e| fault("session_id", format!("{e}")))?,
                scope: scope.parse().map_err(|e| fault("scope", e))?,
                resources: split(&resources).map_err(|e| fault("resources", e))?,
                since: Timestamp(since.unwrap_or_default()),
                client_id: client_id.parse().map_err(|e| fault("client_id", e))?,
            })
        })
        .collect()
}

/// Revokes all that a user gave a client; how many families that were.
///
/// # Errors
/// When the database fails.
pub fn revoke_of_user_and_client(
    conn: &mut Conn,
    user: Id,
    client: &ClientId,
    now: Timestamp,
    reason: RevocationReason,
) -> Result<usize, StoreError> {
    let these = table::table
        .filter(table::user_id.eq(user.to_string()))
        .filter(table::client_id.eq(client.as_str()))
        .filter(table::revoked_at.is_null());
    Ok(diesel::update(these)
        .set((table::revoked_at.eq(now.0), table::revoked_because.eq(reason.as_str())))
        .execute(conn)?)
}

/// Revokes all that a user gave, but in one session.
///
/// # Errors
/// When the database fails.
pub fn revoke_of_user_elsewhere(
    conn: &mut Conn,
    user: Id,
    session: Id,
    now: Timestamp,
    reason: RevocationReason,
) -> Result<usize, StoreError> {
    let elsewhere = table::session_id.is_null().or(table::session_id.ne(session.to_string()));
    let these = table::table
        .filter(table::user_id.eq(user.to_string()))
        .filter(table::revoked_at.is_null())
        .filter(elsewhere);
    Ok(diesel::update(these)
        .set((table::revoked_at.eq(now.0), table::revoked_because.eq(reason.as_str())))
        .execute(conn)?)
}

/// Revokes all that a user gave.
///
/// # Errors
/// When the database fails.
pub fn revoke_of_user(
    conn: &mut Conn,
    user: Id,
    now: Timestamp,
    reason: RevocationReason,
) -> Result<usize, StoreError> {
    Ok(diesel::update(
        table::table.filter(table::user_id.eq(user.to_string())).filter(table::revoked_at.is_null()),
    )
    .set((table::revoked_at.eq(now.0), table::revoked_because.eq(reason.as_str())))
    .execute(conn)?)
}
