//! What the configuration file declares is applied at every start, and applying it twice is the same as once.
//!
//! The file is the truth for what it declares: a declared client that is gone from it is switched off (and comes back with
//! its authorizations if it is named again), a resource server is removed, a role stays but is no longer the file's.

use std::collections::HashMap;

use crate::base::{HashedToken, Id, Timestamp};
use crate::domain::client::ClientDraft;
use crate::domain::{Client, ClientSecret, Problem, ResourceServer, Role};
use crate::flow::{client_keys, token_format};
use crate::oauth::{AuthMethod, ClientId};
use crate::store::{Conn, Store, StoreError, client_secrets, clients, resource_servers, revision, roles};

/// What a configuration file declares.
#[derive(Clone, Debug, Default)]
pub struct Declared {
    /// Clients, with the hash of their secret where they have one.
    pub clients: Vec<(ClientDraft, Option<HashedToken>)>,
    /// The sealed secrets of those that authenticate assertions with theirs (`client_secret_jwt`).
    pub seals: HashMap<ClientId, String>,
    /// Resource servers.
    pub resource_servers: Vec<ResourceServer>,
    /// Roles.
    pub roles: Vec<Role>,
}

impl Declared {
    /// Whether everything in it keeps the rules.
    ///
    /// # Errors
    /// All problems at once, each with the name of the thing.
    pub fn check(&self, now: Timestamp) -> Result<(), Vec<(String, Problem)>> {
        check(self, now).map(drop)
    }

    /// The clients that this switches off, of those that are there.
    pub fn switches_off<'a>(&self, there: &'a [Client]) -> impl Iterator<Item = &'a Client> {
        gone(there, |known| self.clients.iter().any(|(draft, _)| draft.id == known.id))
    }

    /// The resource servers that this removes, of those that are there.
    pub fn removes<'a>(&self, there: &'a [ResourceServer]) -> impl Iterator<Item = &'a ResourceServer> {
        removed(there, &self.resource_servers)
    }
}

/// Clients that were declared, work, and are declared no more.
fn gone(there: &[Client], is_wanted: impl Fn(&Client) -> bool) -> impl Iterator<Item = &Client> {
    there.iter().filter(move |known| known.declared && known.disabled_at.is_none() && !is_wanted(known))
}

/// Resource servers that were declared and are no more.
fn removed<'a>(
    there: &'a [ResourceServer],
    wanted: &[ResourceServer],
) -> impl Iterator<Item = &'a ResourceServer> {
    there.iter().filter(|known| known.declared && !wanted.iter().any(|server| server.id == known.id))
}

/// Why nothing was applied.
#[derive(Debug)]
pub enum DeclareError {
    /// What is declared breaks the rules; the name of the thing and the problem.
    Problems(Vec<(String, Problem)>),
    /// The database failed.
    Store(StoreError),
}

impl From<StoreError> for DeclareError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What changed at the start, each in words.
pub type Changes = Vec<String>;

/// Checks everything, then writes all of it or nothing, and tells what changed.
///
/// # Errors
/// All problems at once, or the database's failure.
pub fn apply(
    store: &Store,
    declared: &Declared,
    now: Timestamp,
    fresh_ids: Vec<Id>,
) -> Result<Changes, DeclareError> {
    let checked = check(declared, now).map_err(DeclareError::Problems)?;
    store
        .write("apply declarations", move |conn| {
            // Several nodes may start at once.
            revision::lock(conn)?;
            let there = clients::all(conn)?;
            let problems = collisions(&there, &checked.clients);
            // Before anything is written: an `Ok` commits, even one that holds a refusal.
            if !problems.is_empty() {
                return Ok(Err(problems));
            }
            let mut changes = apply_roles(conn, &checked.roles)?;
            changes.extend(apply_resource_servers(conn, &checked.resource_servers)?);
            changes.extend(apply_clients(conn, &there, &checked, now, &fresh_ids)?);
            Ok(Ok(changes))
        })?
        .map_err(DeclareError::Problems)
}

struct Checked {
    clients: Vec<(Client, Option<HashedToken>)>,
    seals: HashMap<ClientId, String>,
    resource_servers: Vec<ResourceServer>,
    roles: Vec<Role>,
}

fn check(declared: &Declared, now: Timestamp) -> Result<Checked, Vec<(String, Problem)>> {
    let mut problems = Vec::new();
    let mut note =
        |name: String, found: Vec<Problem>| problems.extend(found.into_iter().map(|p| (name.clone(), p)));
    let seals = declared.seals.clone();
    let mut checked = Checked { clients: Vec::new(), seals, resource_servers: Vec::new(), roles: Vec::new() };
    for role in &declared.roles {
        match role.clone().check() {
            Ok(role) => checked.roles.push(Role { declared: true, ..role }),
            Err(found) => note(format!("role {}", role.name), found),
        }
    }
    for server in &declared.resource_servers {
        match token_format::checked(server.clone()) {
            Ok(server) => checked.resource_servers.push(ResourceServer { declared: true, ..server }),
            Err(found) => note(format!("resource server {}", server.id), found),
        }
    }
    for (draft, secret) in &declared.clients {
        let name = format!("client {}", draft.id);
        match Client::check(draft.clone(), now) {
            Ok(mut client) => {
                client.declared = true;
                if client.is_public() && secret.is_some() {
                    note(name.clone(), vec![Problem::new("secret", "a public client has no secret")]);
                }
                let by_key = client.openid.auth_method == Some(AuthMethod::PrivateKeyJwt);
                if !client.is_public() && !by_key && secret.is_none() {
                    let text = "a confidential client needs a secret";
                    note(name.clone(), vec![Problem::new("secret_hash", text)]);
                }
                note(name, client_keys::problems(&client.openid));
                checked.clients.push((client, secret.clone()));
            }
            Err(found) => note(name, found),
        }
    }
    if problems.is_empty() { Ok(checked) } else { Err(problems) }
}

fn apply_roles(conn: &mut Conn, wanted: &[Role]) -> Result<Changes, StoreError> {
    let mut changes = Changes::new();
    let there = roles::all(conn)?;
    for role in wanted {
        match there.iter().find(|known| known.name == role.name) {
            Some(known) if Role { created_at: known.created_at, ..role.clone() } == *known => {}
            Some(known) => {
                roles::update(conn, &Role { created_at: known.created_at, ..role.clone() })?;
                changes.push(format!("role {} changed", role.name));
            }
            None => {
                roles::insert(conn, role)?;
                changes.push(format!("role {} added", role.name));
            }
        }
    }
    for gone in
        there.iter().filter(|known| known.declared && !wanted.iter().any(|role| role.name == known.name))
    {
        roles::update(conn, &Role { declared: false, ..gone.clone() })?;
        changes.push(format!("role {} declared no more, and kept", gone.name));
    }
    Ok(changes)
}

fn apply_resource_servers(conn: &mut Conn, wanted: &[ResourceServer]) -> Result<Changes, StoreError> {
    let mut changes = Changes::new();
    let there = resource_servers::all(conn)?;
    for server in wanted {
        match there.iter().find(|known| known.id == server.id) {
            Some(known) if ResourceServer { created_at: known.created_at, ..server.clone() } == *known => {}
            Some(known) => {
                resource_servers::update(
                    conn,
                    &ResourceServer { created_at: known.created_at, ..server.clone() },
                )?;
                changes.push(format!("resource server {} changed", server.id));
            }
            None => {
                resource_servers::insert(conn, server)?;
                changes.push(format!("resource server {} added", server.id));
            }
        }
    }
    for server in removed(&there, wanted) {
        resource_servers::delete(conn, &server.id)?;
        changes.push(format!("resource server {} removed", server.id));
    }
    Ok(changes)
}

type Problems = Vec<(String, Problem)>;

fn collisions(there: &[Client], wanted: &[(Client, Option<HashedToken>)]) -> Problems {
    let foreign = |client: &Client| there.iter().any(|known| known.id == client.id && !known.declared);
    wanted
        .iter()
        .filter(|(client, _)| foreign(client))
        .map(|(client, _)| {
            let text = "exists already and was made on the command line; delete it there or use another id";
            (format!("client {}", client.id), Problem::new("id", text))
        })
        .collect()
}

fn apply_clients(
    conn: &mut Conn,
    there: &[Client],
    Checked { clients: wanted, seals, .. }: &Checked,
    now: Timestamp,
    fresh_ids: &[Id],
) -> Result<Changes, StoreError> {
    let mut changes = Changes::new();
    for ((client, secret), fresh_id) in wanted.iter().zip(fresh_ids) {
        match there.iter().find(|known| known.id == client.id) {
            Some(known) => {
                let mut wanted = client.clone();
                wanted.created_at = known.created_at;
                if wanted != *known {
                    clients::update(conn, &wanted)?;
                    let what = if known.disabled_at.is_some() { "switched on" } else { "changed" };
                    changes.push(format!("client {} {what}", client.id));
                }
            }
            None => {
                clients::insert(conn, client)?;
                changes.push(format!("client {} added", client.id));
            }
        }
        let sealed = seals.get(&client.id);
        changes.extend(apply_secret(conn, client, (secret.as_ref(), sealed), now, *fresh_id)?);
    }
    for known in gone(there, |known| wanted.iter().any(|(client, _)| client.id == known.id)) {
        let mut off = known.clone();
        off.disabled_at = Some(now);
        clients::update(conn, &off)?;
        changes.push(format!("client {} switched off: it is declared no more", known.id));
    }
    Ok(changes)
}

/// The declared secret is added; others of this client (made on the command line while a secret is being changed) stay
/// until they expire, but a secret that was declared before and is no longer ends now.
fn apply_secret(
    conn: &mut Conn,
    client: &Client,
    (secret, sealed): (Option<&HashedToken>, Option<&String>),
    now: Timestamp,
    fresh_id: Id,
) -> Result<Changes, StoreError> {
    let all: Vec<ClientSecret> =
        client_secrets::all(conn)?.into_iter().filter(|known| known.client_id == client.id).collect();
    let (lasting, ending): (Vec<_>, Vec<_>) = all.into_iter().partition(|known| known.expires_at.is_none());
    let mut changes = Changes::new();
    for old in lasting.iter().filter(|known| secret != Some(&known.hash)) {
        client_secrets::expire(conn, old.id, now)?;
        changes.push(format!("a secret of client {} ended", client.id));
    }
    // A client that has come to authenticate by assertion keeps its secret: now it is sealed beside its hash.
    if let Some(sealed) = sealed
        && let Some(kept) = lasting.iter().find(|known| secret == Some(&known.hash) && known.sealed.is_none())
    {
        client_secrets::seal(conn, kept.id, sealed)?;
        changes.push(format!("the secret of client {} sealed", client.id));
    }
    match secret {
        Some(hash) if !lasting.iter().any(|known| known.hash == *hash) => {
            if ending.iter().any(|known| known.hash == *hash && known.leaked) {
                tracing::warn!(
                    target: "countersign::security", event = "leaked_secret_declared", client = %client.id,
                    "the secret that the configuration declares was leaked and does not count: make another"
                );
                return Ok(changes);
            }
            // A secret that ended, or is about to, may be declared again.
            if let Some(old) = ending.iter().find(|known| known.hash == *hash) {
                client_secrets::delete(conn, old.id)?;
            }
            let new = ClientSecret {
                id: fresh_id,
                client_id: client.id.clone(),
                hash: hash.clone(),
                sealed: sealed.cloned(),
                created_at: now,
                expires_at: None,
                leaked: false,
            };
            client_secrets::insert(conn, &new)?;
            changes.push(format!("a secret of client {} added", client.id));
            Ok(changes)
        }
        _ => Ok(changes),
    }
}
