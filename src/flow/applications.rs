//! The applications of a user: clients that were allowed something (OpenID Connect Core 1.0 §3.1.2.4), or hold something
//! that lives (for as long as §11 says), and the end of both.
//!
//! ```text
//! consents (until they are withdrawn) ──┐
//! authorizations (while they live) ─────┴─► one entry per client ─► withdraw: both go, in one transaction
//! ```

use std::collections::{HashMap, HashSet};

use crate::base::{Id, Timestamp};
use crate::domain::authorization::{Access, outlives_session};
use crate::domain::consent::Consent;
use crate::domain::session::IdleTtls;
use crate::domain::{Client, ResourceServer, RevocationReason, UserName};
use crate::oauth::{ClientId, Scope};
use crate::store::authorizations::{self, Given};
use crate::store::{Conn, Store, StoreError, clients, consents, sessions, users};

use super::accounts::AccountFault;
use super::target::is_identity;

/// What a client may do in a user's name.
#[derive(Clone, Debug)]
pub struct Application {
    /// The client.
    pub client: Client,
    /// How far its access reaches.
    pub access: Access,
    /// When the user first allowed what is left of it.
    pub since: Timestamp,
    consents: Vec<Consent>,
    given: Vec<Given>,
}

impl Application {
    /// What it may learn of the user at this server itself.
    #[must_use]
    pub fn identity_scope(&self) -> Scope {
        let agreed = self.consents.iter().filter(|consent| consent.resource.is_empty());
        let given = self.given.iter().map(|given| given.scope.filter(is_identity));
        union(agreed.map(|consent| consent.scope.clone()).chain(given))
    }

    /// What it may do at a resource server. Values that another one owns may be among them.
    #[must_use]
    pub fn scope_at(&self, server: &ResourceServer) -> Scope {
        let agreed = self.consents.iter().filter(|consent| consent.resource == server.id.as_str());
        let given = self.given.iter().filter(|given| given.resources.contains(&server.id));
        union(agreed.map(|consent| consent.scope.clone()).chain(given.map(|given| given.scope.clone())))
    }

    /// All of it.
    #[must_use]
    pub fn scope(&self) -> Scope {
        let agreed = self.consents.iter().map(|consent| consent.scope.clone());
        union(agreed.chain(self.given.iter().map(|given| given.scope.clone())))
    }
}

fn union(scopes: impl Iterator<Item = Scope>) -> Scope {
    scopes.fold(Scope::default(), |all, scope| all.union(&scope))
}

/// The applications of a user: those that have the most first, then by name.
///
/// # Errors
/// When the database fails or a row is impossible.
pub(in crate::flow) fn of_user(
    conn: &mut Conn,
    user: Id,
    idle: IdleTtls,
    now: Timestamp,
) -> Result<Vec<Application>, StoreError> {
    let mut all: HashMap<ClientId, (Vec<Consent>, Vec<Given>)> = HashMap::new();
    for consent in consents::of_user(conn, user)? {
        all.entry(consent.client_id.clone()).or_default().0.push(consent);
    }
    for given in authorizations::given_by_user(conn, user, now)? {
        all.entry(given.client_id.clone()).or_default().1.push(given);
    }
    let mut alive = sessions::of_user(conn, user, now)?;
    alive.retain(|session| session.is_alive(now, idle));
    let alive: HashSet<Id> = alive.into_iter().map(|session| session.id).collect();
    let ids: Vec<ClientId> = all.keys().cloned().collect();
    let clients = clients::several(conn, &ids)?.into_iter();
    let mut found: Vec<Application> = clients
        .filter_map(|client| {
            let (consents, given) = all.remove(&client.id)?;
            judge(client, consents, given, &alive)
        })
        .collect();
    found.sort_by(|one, other| order(one).cmp(&order(other)));
    Ok(found)
}

fn order(application: &Application) -> (Access, &str, &str) {
    (application.access, &application.client.name, application.client.id.as_str())
}

/// What is left of it for a client; nothing when nothing is.
fn judge(
    client: Client,
    consents: Vec<Consent>,
    mut given: Vec<Given>,
    alive: &HashSet<Id>,
) -> Option<Application> {
    let lasts = |given: &Given| given.session_id.is_none() || outlives_session(&client, &given.scope);
    // What hangs on a session that ended cannot be renewed.
    given.retain(|given| lasts(given) || given.session_id.is_some_and(|id| alive.contains(&id)));
    let times = consents.iter().map(|consent| consent.granted_at);
    let since = times.chain(given.iter().map(|given| given.since)).min()?;
    let access = match () {
        // One that is switched off gets nothing, whatever it holds.
        () if client.disabled_at.is_some() || given.is_empty() => Access::Remembered,
        () if given.iter().any(lasts) => Access::Lasting,
        () => Access::WhileSignedIn,
    };
    Some(Application { client, access, since, consents, given })
}

/// Takes back all that a user allowed a client: it is asked for anew, and what was given dies with all that came from it.
/// The user's sessions go on. False when there was nothing.
///
/// # Errors
/// When the database fails.
pub(in crate::flow) fn withdraw(
    store: &Store,
    user: Id,
    client: &ClientId,
    reason: RevocationReason,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let from = client.clone();
    let (forgotten, revoked) = store.write("withdraw access", move |conn| {
        let forgotten = consents::forget(conn, user, &from)?;
        Ok((forgotten, authorizations::revoke_of_user_and_client(conn, user, &from, now, reason)?))
    })?;
    if forgotten + revoked == 0 {
        return Ok(false);
    }
    tracing::info!(
        target: "countersign::security", event = "access_withdrawn",
        %user, %client, reason = reason.as_str(), "what a user allowed a client was withdrawn"
    );
    Ok(true)
}

/// The applications of an account, for an operator.
///
/// # Errors
/// See [`AccountFault`].
pub fn of_account(
    store: &Store,
    name: &UserName,
    idle: IdleTtls,
    now: Timestamp,
) -> Result<Vec<Application>, AccountFault> {
    let name = name.clone();
    store.read("list applications", move |conn| match users::by_name(conn, &name)? {
        Some(user) => of_user(conn, user.id, idle, now).map(Ok),
        None => Ok(Err(AccountFault::Unknown)),
    })?
}

/// An operator withdraws what an account allowed a client; false when there was nothing.
///
/// # Errors
/// See [`AccountFault`].
pub fn withdraw_of_account(
    store: &Store,
    name: &UserName,
    client: &ClientId,
    now: Timestamp,
) -> Result<bool, AccountFault> {
    let name = name.clone();
    let user = store.read("find a user", move |conn| users::by_name(conn, &name))?;
    let user = user.ok_or(AccountFault::Unknown)?;
    Ok(withdraw(store, user.id, client, RevocationReason::Operator, now)?)
}
