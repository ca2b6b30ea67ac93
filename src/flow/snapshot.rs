//! Clients, resource servers and keys in memory, so that the common requests read no database. Never changed: a newer
//! revision of the configuration makes a new one.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::base::{HashedToken, Timestamp};
use crate::domain::resource_server::{IDENTITY_SCOPES, TokenFormat};
use crate::domain::{Client, ClientSecret, KeyState, ResourceServer};
use crate::jose::{Content, Encrypter, EncryptionKey, KeyRing, RingError, Sealer};
use crate::oauth::algorithm::SigningAlgorithm;
use crate::oauth::{ClientId, GrantType, Resource};
use crate::store::{
    Conn, Store, StoreError, client_secrets, clients, keys, registrations, resource_servers, revision,
};

use super::mint::Told;

/// What one revision of the configuration says.
pub struct Snapshot {
    /// The revision, to compare with the database's.
    pub revision: i64,
    /// The signing keys.
    pub keys: KeyRing,
    /// The names of the keys that were given up as compromised.
    pub compromised_keys: BTreeSet<String>,
    clients: HashMap<ClientId, Arc<KnownClient>>,
    resource_servers: HashMap<Resource, Arc<ResourceServer>>,
    encrypters: HashMap<Resource, Encrypter>,
    /// Those that registered themselves, and whether an initial access token let them in.
    registered: HashMap<ClientId, bool>,
    origins: HashSet<String>,
    session_origins: HashSet<String>,
    /// Which large tokens were told of; the one thing here that changes.
    pub(super) told: Told,
}

/// A client with its secrets.
pub struct KnownClient {
    /// The client.
    pub client: Arc<Client>,
    /// Its secrets, expired ones too.
    pub secrets: Vec<ClientSecret>,
    /// Whether a token for itself is made without the database and without a slow signature, wherever it is for.
    pub(super) is_light: bool,
}

/// Why no snapshot could be made.
#[derive(Debug)]
pub enum SnapshotError {
    /// The database failed.
    Store(StoreError),
    /// A key cannot be opened.
    Keys(RingError),
}

impl std::fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Keys(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SnapshotError {}

impl Snapshot {
    /// Reads everything in one read transaction's worth of queries. The revision is read first: a change in between makes
    /// the next look find a newer one.
    ///
    /// # Errors
    /// When the database fails or a key cannot be opened.
    pub fn load(store: &Store, sealer: &Sealer, now: Timestamp) -> Result<Self, SnapshotError> {
        let rows = store
            .read("snapshot", |conn: &mut Conn| {
                Ok((
                    revision::current(conn)?,
                    keys::all(conn)?,
                    clients::all(conn)?,
                    client_secrets::all(conn)?,
                    resource_servers::all(conn)?,
                    registrations::all_ids(conn)?,
                ))
            })
            .map_err(SnapshotError::Store)?;
        let (revision, key_records, clients, secrets, servers, registered) = rows;
        let compromised_keys = key_records
            .iter()
            .filter(|record| matches!(record.state, KeyState::Compromised { .. }))
            .map(|record| record.kid.clone())
            .collect();
        let keys = KeyRing::open(key_records, sealer, now).map_err(SnapshotError::Keys)?;

        let mut secrets_of: HashMap<ClientId, Vec<ClientSecret>> = HashMap::new();
        for secret in secrets {
            secrets_of.entry(secret.client_id.clone()).or_default().push(secret);
        }
        let on = || clients.iter().filter(|client| client.disabled_at.is_none());
        let origins = on().flat_map(Client::web_origins).collect();
        let by_session = on().filter(|client| client.may(GrantType::Session));
        let session_origins = by_session.flat_map(Client::web_origins).collect();
        let encrypters = servers.iter().filter_map(encrypter).collect();
        let resource_servers: HashMap<Resource, Arc<ResourceServer>> =
            servers.into_iter().map(|server| (server.id.clone(), Arc::new(server))).collect();
        let clients = clients
            .into_iter()
            .map(|client| {
                let secrets = secrets_of.remove(&client.id).unwrap_or_default();
                let is_light =
                    client.resources.iter().all(|id| resource_servers.get(id).is_none_or(|s| is_light(s)));
                (client.id.clone(), Arc::new(KnownClient { client: Arc::new(client), secrets, is_light }))
            })
            .collect();
        let told = Told::default();
        Ok(Self {
            revision,
            keys,
            compromised_keys,
            clients,
            resource_servers,
            encrypters,
            registered: registered.into_iter().collect(),
            origins,
            session_origins,
            told,
        })
    }

    /// A client that is switched on.
    #[must_use]
    pub fn client(&self, id: &str) -> Option<&Arc<KnownClient>> {
        self.clients.get(id).filter(|known| known.client.disabled_at.is_none())
    }

    /// Whether a client registered itself; and if so, whether an initial access token let it in.
    #[must_use]
    pub fn registered(&self, id: &ClientId) -> Option<bool> {
        self.registered.get(id).copied()
    }

    /// The client secret of this hash, whosever it is.
    #[must_use]
    pub fn client_secret(&self, hash: &HashedToken) -> Option<&ClientSecret> {
        self.clients.values().flat_map(|known| &known.secrets).find(|secret| secret.hash == *hash)
    }

    /// Whether any client that is switched on may use this grant.
    #[must_use]
    pub fn any_client_may(&self, grant: GrantType) -> bool {
        self.clients.values().any(|known| known.client.disabled_at.is_none() && known.client.may(grant))
    }

    /// A resource server.
    #[must_use]
    pub fn resource_server(&self, id: &Resource) -> Option<&Arc<ResourceServer>> {
        self.resource_servers.get(id)
    }

    /// What encrypts the tokens of a resource server, where they are encrypted.
    #[must_use]
    pub fn encrypter(&self, id: &Resource) -> Option<&Encrypter> {
        self.encrypters.get(id)
    }

    /// All resource servers, by name.
    pub fn resource_servers(&self) -> impl Iterator<Item = &Arc<ResourceServer>> {
        let mut servers: Vec<_> = self.resource_servers.values().collect();
        servers.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
        servers.into_iter()
    }

    /// Whether a web page of this origin belongs to a client (for CORS).
    #[must_use]
    pub fn is_client_origin(&self, origin: &str) -> bool {
        self.origins.contains(origin)
    }

    /// Whether a web page of this origin belongs to a client that may use the session grant (for CORS with credentials).
    #[must_use]
    pub fn is_session_origin(&self, origin: &str) -> bool {
        self.session_origins.contains(origin)
    }

    /// Whether any scope of this name exists.
    #[must_use]
    pub fn knows_scope(&self, scope: &str) -> bool {
        IDENTITY_SCOPES.contains(&scope) || self.resource_servers.values().any(|server| server.owns(scope))
    }

    /// Every scope value, sorted: for discovery.
    #[must_use]
    pub fn scopes(&self) -> BTreeSet<String> {
        let owned = self.resource_servers.values().flat_map(|s| s.scopes.iter().map(|d| d.name.to_string()));
        IDENTITY_SCOPES.into_iter().map(str::to_owned).chain(owned).collect()
    }
}

/// Whether a worker can make tokens for it without holding other requests up: nothing is stored, nothing is slow. Encryption
/// to RSA costs as much as an ES256 signature, to P-256 and X25519 three times that, to P-384 and P-521 thirty and seventy.
fn is_light(server: &ResourceServer) -> bool {
    let encrypts_fast = match &server.token_format {
        TokenFormat::Jwt => true,
        TokenFormat::Opaque => false,
        TokenFormat::Jwe(encryption) => {
            encryption.jwk.get("crv").is_none_or(|crv| crv == "P-256" || crv == "X25519")
        }
    };
    encrypts_fast && server.signing_algorithm.is_none_or(SigningAlgorithm::is_fast)
}

/// One key that is of no use takes its own resource server's tokens away, not everybody's.
fn encrypter(server: &ResourceServer) -> Option<(Resource, Encrypter)> {
    let encryption = server.token_format.encryption()?;
    let made = EncryptionKey::from_members(&encryption.jwk, Some(encryption.alg))
        .and_then(|key| Encrypter::new(&key, encryption.enc, Content::AccessToken));
    match made {
        Ok(encrypter) => Some((server.id.clone(), encrypter)),
        Err(error) => {
            tracing::error!(resource_server = %server.id.as_str(), %error, "no tokens can be encrypted");
            None
        }
    }
}
