//! Clients and resource servers, as an operator registers them. The rules are in `domain`; here is what holds between
//! them, and the life of a client's secrets.

use crate::base::{Entropy, Id, PlainToken, Seconds, Timestamp, TokenKind};
use crate::domain::client::{ClientDraft, MAX_LIST};
use crate::domain::{Client, ClientSecret, Problem, ResourceServer};
use crate::jose::{Purpose, Sealer};
use crate::oauth::{AuthMethod, ClientId, Resource};
use crate::store::{Store, StoreError, client_secrets, clients, resource_servers, revision, users};

use super::client_keys;
use super::target::is_identity;

/// Why nothing was registered or changed.
#[derive(Debug)]
pub enum RegistryFault {
    /// What was given breaks rules.
    Problems(Vec<Problem>),
    /// The id is taken.
    Taken,
    /// There is no such thing.
    Unknown,
    /// It stands in the configuration file, and is to be changed there.
    Declared,
    /// Somebody else changed it between the look and the change.
    Changed,
    /// A secret could not be sealed.
    Seal(String),
    /// The database failed.
    Store(StoreError),
}

impl std::fmt::Display for RegistryFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Problems(problems) => {
                let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
                f.write_str(&texts.join("; "))
            }
            Self::Taken => f.write_str("the id is taken"),
            Self::Unknown => f.write_str("there is none of this id: see `list`"),
            Self::Declared => f.write_str(
                "it is declared in the configuration file: change it there and restart the server",
            ),
            Self::Changed => f.write_str("it was changed in the meantime: look at it, and try again"),
            Self::Seal(why) => write!(f, "the secret could not be sealed under the master key: {why}"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RegistryFault {}

impl From<StoreError> for RegistryFault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => Self::Taken,
            other => Self::Store(other),
        }
    }
}

/// What a client names that does not exist: its requests would be refused with `invalid_target` or `invalid_scope`.
#[must_use]
pub fn dangling(draft: &ClientDraft, servers: &[ResourceServer]) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut must_be_there = |field, ids: &[Resource]| {
        for id in ids.iter().filter(|id| !servers.iter().any(|server| server.id == **id)) {
            found.push(Problem::new(field, format!("there is no resource server {id}")));
        }
    };
    must_be_there("resources", &draft.resources);
    must_be_there("introspects", &draft.introspects);
    for rule in &draft.exchange {
        must_be_there("exchange", std::slice::from_ref(&rule.from));
        must_be_there("exchange", &rule.to);
    }
    let exchanged_for = |id| draft.exchange.iter().any(|rule| rule.to.contains(id));
    let may_use: Vec<&ResourceServer> = servers
        .iter()
        .filter(|server| draft.resources.contains(&server.id) || exchanged_for(&server.id))
        .collect();
    for value in draft.scope.iter().filter(|value| !is_identity(value.as_str())) {
        if may_use.iter().any(|server| server.owns(value.as_str())) {
            continue;
        }
        let text = match servers.iter().find(|server| server.owns(value.as_str())) {
            Some(owner) => {
                format!("{value} belongs to {}: name that among the client's resource servers too", owner.id)
            }
            None => format!("there is no scope {value} at any resource server"),
        };
        found.push(Problem::new("scopes", text));
    }
    found
}

/// A secret that was just made: shown once, stored as a hash.
pub struct NewSecret {
    /// As stored.
    pub stored: ClientSecret,
    /// For the client.
    pub plain: PlainToken,
}

/// Makes a secret.
///
/// # Errors
/// When there is no randomness.
pub fn make_secret(
    client: &ClientId,
    expires_at: Option<Timestamp>,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<NewSecret, RegistryFault> {
    let plain = PlainToken::random(TokenKind::ClientSecret, entropy).map_err(StoreError::from)?;
    let stored = ClientSecret {
        id: Id::random(entropy).map_err(StoreError::from)?,
        client_id: client.clone(),
        hash: plain.hash(),
        sealed: None,
        created_at: now,
        expires_at,
        leaked: false,
    };
    Ok(NewSecret { stored, plain })
}

/// Whether the secrets of a client are kept sealed beside their hashes: it authenticates assertions with them.
#[must_use]
pub fn keeps_sealed(draft: &ClientDraft) -> bool {
    draft.openid.auth_method == Some(AuthMethod::ClientSecretJwt)
}

/// Keeps a new secret itself too, under the master key: `client_secret_jwt` needs it, and whoever is to read it back.
///
/// # Errors
/// When it cannot be sealed.
pub fn keep_sealed(secret: &mut NewSecret, sealer: &Sealer, now: Timestamp) -> Result<(), RegistryFault> {
    let sealed = sealer.seal(Purpose::ClientSecret, secret.plain.reveal().as_bytes(), now);
    secret.stored.sealed = Some(sealed.map_err(|e| RegistryFault::Seal(e.to_string()))?);
    Ok(())
}

/// A new secret as this client needs it.
fn secret_for(
    client: &ClientDraft,
    expires_at: Option<Timestamp>,
    sealer: Option<&Sealer>,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<NewSecret, RegistryFault> {
    let mut secret = make_secret(&client.id, expires_at, entropy, now)?;
    if keeps_sealed(client) {
        let sealer = sealer.ok_or_else(|| RegistryFault::Seal("it was not given".to_owned()))?;
        keep_sealed(&mut secret, sealer, now)?;
    }
    Ok(secret)
}

/// Registers a client, a confidential one with its first secret, unless it has keys
/// instead. `sealer` is needed where [`keeps_sealed`] says so. `declared` are the resource servers of the configuration
/// file, which the database knows only once the server has started with them.
///
/// # Errors
/// See [`RegistryFault`].
pub fn add_client(
    store: &Store,
    draft: ClientDraft,
    declared: &[ResourceServer],
    sealer: Option<&Sealer>,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<(Client, Option<PlainToken>), RegistryFault> {
    let client = checked(store, draft, declared, now)?;
    let by_key = client.openid.auth_method == Some(AuthMethod::PrivateKeyJwt);
    let secret = match client.is_public() || by_key {
        true => None,
        false => Some(secret_for(&client, None, sealer, entropy, now)?),
    };
    let (stored, hash) = (client.clone(), secret.as_ref().map(|secret| secret.stored.clone()));
    store.write("add a client", move |conn| {
        clients::insert(conn, &stored)?;
        hash.as_ref().map_or(Ok(()), |hash| client_secrets::insert(conn, hash))
    })?;
    Ok((client, secret.map(|secret| secret.plain)))
}

fn checked(
    store: &Store,
    draft: ClientDraft,
    declared: &[ResourceServer],
    now: Timestamp,
) -> Result<Client, RegistryFault> {
    let mut servers = store.read("resource servers", resource_servers::all)?;
    servers.extend_from_slice(declared);
    let client = Client::check(draft, now).map_err(RegistryFault::Problems)?;
    let problems = client_keys::problems(&client.openid);
    if !problems.is_empty() {
        return Err(RegistryFault::Problems(problems));
    }
    // RFC 9068 §5: a client must not be able to choose an id by which its own tokens pass for those of a user.
    if let Ok(id) = client.id.as_str().parse::<Id>()
        && store.read("a user of this id", move |conn| users::find(conn, id))?.is_some()
    {
        return Err(RegistryFault::Problems(vec![Problem::new("id", "it is the id of a user")]));
    }
    let dangling = dangling(&client, &servers);
    if dangling.is_empty() { Ok(client) } else { Err(RegistryFault::Problems(dangling)) }
}

/// A client that the command line may change.
///
/// # Errors
/// [`RegistryFault::Unknown`] or [`RegistryFault::Declared`].
pub fn own_client(store: &Store, id: &ClientId) -> Result<Client, RegistryFault> {
    let wanted = id.clone();
    match store.read("find a client", move |conn| clients::find(conn, &wanted))? {
        None => Err(RegistryFault::Unknown),
        Some(client) if client.declared => Err(RegistryFault::Declared),
        Some(client) => Ok(client),
    }
}

/// Changes a client. The rules are those of the creation.
///
/// # Errors
/// See [`RegistryFault`].
pub fn change_client(
    store: &Store,
    before: &Client,
    draft: ClientDraft,
    declared: &[ResourceServer],
) -> Result<Client, RegistryFault> {
    let mut client = checked(store, draft, declared, before.created_at)?;
    client.disabled_at = before.disabled_at;
    let (before, stored) = (before.clone(), client.clone());
    let is_done = store.write("change a client", move |conn| {
        revision::lock(conn)?;
        // Somebody else may have switched it off meanwhile: that is not undone by a new name.
        if clients::find(conn, &stored.id)?.as_ref() != Some(&before) {
            return Ok(false);
        }
        clients::update(conn, &stored)
    })?;
    if is_done { Ok(client) } else { Err(RegistryFault::Changed) }
}

/// Switches a client off, or on again.
///
/// # Errors
/// See [`RegistryFault`].
pub fn switch_client(
    store: &Store,
    id: &ClientId,
    disabled_at: Option<Timestamp>,
) -> Result<Client, RegistryFault> {
    let id = id.clone();
    store.write("switch a client", move |conn| {
        revision::lock(conn)?;
        let mut client = match clients::find(conn, &id)? {
            None => return Ok(Err(RegistryFault::Unknown)),
            Some(client) if client.declared => return Ok(Err(RegistryFault::Declared)),
            Some(client) => client,
        };
        client.disabled_at = disabled_at;
        clients::update(conn, &client)?;
        Ok(Ok(client))
    })?
}

/// Deletes a client with its secrets, consents and authorizations. A declared one that is switched off is gone from the
/// configuration file, and may be deleted as well.
///
/// # Errors
/// See [`RegistryFault`].
pub fn delete_client(store: &Store, id: &ClientId) -> Result<(), RegistryFault> {
    let id = id.clone();
    store.write("delete a client", move |conn| match clients::find(conn, &id)? {
        None => Ok(Err(RegistryFault::Unknown)),
        Some(client) if client.declared && client.disabled_at.is_none() => Ok(Err(RegistryFault::Declared)),
        Some(_) => clients::delete(conn, &id).map(|_| Ok(())),
    })?
}

/// Adds a secret beside those that a confidential client has; they may be given an end, so that both count until the
/// client has changed over.
///
/// # Errors
/// See [`RegistryFault`].
pub fn add_secret(
    store: &Store,
    client: &ClientId,
    lives_for: Option<Seconds>,
    others_end_in: Option<Seconds>,
    sealer: Option<&Sealer>,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<NewSecret, RegistryFault> {
    let known = own_client(store, client)?;
    let refuse = |text: &str| RegistryFault::Problems(vec![Problem::new("secret", text)]);
    if known.is_public() {
        return Err(refuse("a public client has no secret"));
    }
    let there = secrets(store, client)?;
    if there.iter().filter(|secret| secret.is_alive(now)).count() >= MAX_LIST {
        return Err(refuse("the client has 64 secrets that count; let some of them end first"));
    }
    let new = secret_for(&known, lives_for.map(|span| now + span), sealer, entropy, now)?;
    let stored = new.stored.clone();
    store.write("add a secret", move |conn| {
        if let Some(span) = others_end_in {
            for old in &there {
                client_secrets::expire(conn, old.id, now + span)?;
            }
        }
        client_secrets::insert(conn, &stored)
    })?;
    Ok(new)
}

/// Lets a secret end.
///
/// # Errors
/// See [`RegistryFault`].
pub fn end_secret(store: &Store, client: &ClientId, secret: Id, at: Timestamp) -> Result<(), RegistryFault> {
    own_client(store, client)?;
    if !secrets(store, client)?.iter().any(|known| known.id == secret) {
        return Err(RegistryFault::Unknown);
    }
    store.write("end a secret", move |conn| client_secrets::expire(conn, secret, at))?;
    Ok(())
}

/// A client's secrets, those that ended too.
///
/// # Errors
/// [`RegistryFault::Unknown`], or when the database fails.
pub fn secrets(store: &Store, client: &ClientId) -> Result<Vec<ClientSecret>, RegistryFault> {
    let wanted = client.clone();
    if store.read("find a client", move |conn| clients::find(conn, &wanted))?.is_none() {
        return Err(RegistryFault::Unknown);
    }
    let all = store.read("secrets", client_secrets::all)?;
    Ok(all.into_iter().filter(|secret| secret.client_id == *client).collect())
}
