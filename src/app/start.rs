//! Puts an [`App`] together, in the order in which things can go wrong.

use std::sync::atomic::{AtomicI64, AtomicU64};
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;

use crate::base::encoding::base64url;
use crate::base::{Clock, Entropy, Id, Seconds};
use crate::config::{Config, Issuer};
use crate::domain::Problem;
use crate::fetch::Fetcher;
use crate::flow::api_tokens::LastUses;
use crate::flow::declare::{self, DeclareError, Declared};
use crate::flow::passwords::Passwords;
use crate::flow::{Denials, Snapshot, keys, registry};
use crate::jose::{Purpose, Sealer};
use crate::oauth::AuthMethod;
use crate::store::{MigrationState, Store};

use super::declared::plain_secret;
use super::master::{Follower, MasterSource};
use super::settings::{Site, fetching, key_rules, password_cost, policy, store_options};
use super::{App, declared};

/// Why the server does not start; the text says what to do.
#[derive(Debug)]
pub struct StartError(pub String);

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}

fn failed(what: &str) -> impl Fn(&dyn std::fmt::Display) -> StartError {
    let what = what.to_owned();
    move |cause| StartError(format!("{what}: {cause}"))
}

/// Opens the database and brings it up to date, if this node may.
///
/// # Errors
/// When it is out of reach, or behind and not to be migrated.
pub fn open_store(config: &Config) -> Result<Arc<Store>, StartError> {
    let options = store_options(config).map_err(StartError)?;
    let shown = config.database.url.to_string();
    let store = Store::open(options).map_err(|e| failed(&shown)(&e))?;
    if config.database.migrates_at_start() {
        let done = store.migrate().map_err(|e| failed(&format!("migrating {shown}"))(&e))?;
        for name in done {
            tracing::info!(migration = name, "migrated");
        }
    }
    match store.migration_state().map_err(|e| failed(&format!("database {shown}"))(&e))? {
        MigrationState::Current => Ok(Arc::new(store)),
        MigrationState::Behind(missing) => Err(StartError(format!(
            "the database {shown} lacks {} migration(s) ({}): run `countersign migrate` first",
            missing.len(),
            missing.join(", ")
        ))),
        MigrationState::Ahead(unknown) => Err(StartError(format!(
            "the database {shown} was brought up to date by a newer countersign ({}): use that, or restore the backup \
             from before",
            unknown.join(", ")
        ))),
    }
}

/// The sealer under the configured master key. The key file is made when it is missing and `may_create`.
///
/// # Errors
/// When the file is missing, malformed, or readable by others.
pub fn sealer(config: &Config, may_create: bool, entropy: &Arc<dyn Entropy>) -> Result<Sealer, StartError> {
    sealer_of(&MasterSource::of(config), may_create, entropy)
}

fn sealer_of(
    source: &MasterSource,
    may_create: bool,
    entropy: &Arc<dyn Entropy>,
) -> Result<Sealer, StartError> {
    let keys = source.load(may_create, &**entropy).map_err(|e| failed("master key")(&e))?;
    Ok(Sealer::new(&keys, Arc::clone(entropy)))
}

impl App {
    /// Opens everything: database, master key, signing keys (made at the first start), declarations, snapshot.
    ///
    /// # Errors
    /// The first thing that does not work, with what to do about it.
    pub fn start(
        config: &Config,
        issuer: &Issuer,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, StartError> {
        let ca_file = || failed("outbound.ca_file");
        let fetcher =
            Fetcher::new(fetching(config).map_err(|e| ca_file()(&e))?).map_err(|e| ca_file()(&e))?;
        let now = clock.now();
        // Whatever can be refused without the database is refused before anything in it changes.
        let declared = declared(config, now).map_err(|problems| told(&problems))?;
        declared.check(now).map_err(|problems| told(&problems))?;
        let store = open_store(config)?;
        // A master key is made for a database that has no sealed keys yet, never beside one that has.
        let has_keys = store.read("keys", crate::store::keys::all).map_err(|e| failed("database")(&e))?.len();
        let source = MasterSource::of(config);
        let master = Follower::new(source.clone());
        let sealer = sealer_of(&source, has_keys == 0, &entropy)?;
        let key_rules = key_rules(config);
        keys::ensure(&store, &sealer, &*entropy, &key_rules, now).map_err(|e| failed("signing keys")(&e))?;
        apply_declarations(config, declared, &store, &sealer, &*entropy, now)?;
        let snapshot = Snapshot::load(&store, &sealer, now).map_err(|e| failed("signing keys")(&e))?;
        let denials = Denials::default();
        store
            .read("revision", crate::store::revision::both)
            .and_then(|(_, revision)| denials.catch_up(&store, revision, now))
            .map_err(|e| failed("denied tokens")(&e))?;
        let mut policy = policy(config, issuer.as_str());
        policy.pairwise_salt = pairwise_salt(&store, &*entropy)?;
        let passwords =
            Passwords::new(password_cost(config), &*entropy).map_err(|e| failed("login.argon2")(&e))?;
        Ok(Self {
            store,
            sealer: Arc::new(sealer),
            master,
            key_rules,
            clock,
            entropy,
            passwords: Arc::new(passwords),
            last_uses: Arc::new(LastUses::of_api_tokens()),
            client_uses: Arc::new(LastUses::of_clients()),
            fetcher: Arc::new(fetcher),
            policy: Arc::new(policy),
            site: Site::of(config, issuer),
            client_keys: Arc::default(),
            snapshot: ArcSwap::from_pointee(snapshot),
            denials: Arc::new(denials),
            confirmed_at: AtomicI64::new(now.0),
            refreshing: Mutex::new(Ok(())),
            looks: AtomicU64::new(0),
            max_stale: Seconds(i64::from(config.cache.max_stale_s)),
        })
    }
}

fn pairwise_salt(store: &Store, entropy: &dyn Entropy) -> Result<String, StartError> {
    let fresh: [u8; 32] = crate::base::entropy::bytes(entropy).map_err(|e| failed("pairwise salt")(&e))?;
    let fresh = base64url(&fresh);
    store
        .write("pairwise salt", move |conn| crate::store::pairwise_salt::get_or_make(conn, &fresh))
        .map_err(|e| failed("pairwise salt")(&e))
}

fn apply_declarations(
    config: &Config,
    mut declared: Declared,
    store: &Store,
    sealer: &Sealer,
    entropy: &dyn Entropy,
    now: crate::base::Timestamp,
) -> Result<(), StartError> {
    for (draft, _) in &declared.clients {
        let Some(client) = config.clients.iter().find(|client| client.id == draft.id.as_str()) else {
            continue;
        };
        if draft.openid.auth_method == Some(AuthMethod::ClientSecretJwt)
            && let Some(plain) = plain_secret(client).map_err(|e| failed("declarations")(&e))?
        {
            let sealed = sealer.seal(Purpose::ClientSecret, plain.as_bytes(), now);
            declared.seals.insert(draft.id.clone(), sealed.map_err(|e| failed("declarations")(&e))?);
        }
    }
    let ids: Result<Vec<Id>, _> = declared.clients.iter().map(|_| Id::random(entropy)).collect();
    let ids = ids.map_err(|e| failed("declarations")(&e))?;
    for (draft, _) in &declared.clients {
        for problem in registry::dangling(draft, &declared.resource_servers) {
            tracing::warn!(client = %draft.id, %problem, "declared client");
        }
    }
    match declare::apply(store, &declared, now, ids) {
        Ok(changes) => {
            changes.iter().for_each(|change| tracing::info!("declarations: {change}"));
            Ok(())
        }
        Err(DeclareError::Problems(problems)) => Err(told(&problems)),
        Err(DeclareError::Store(error)) => Err(failed("applying declarations")(&error)),
    }
}

fn told(problems: &[(String, Problem)]) -> StartError {
    let lines: Vec<String> = problems.iter().map(|(name, problem)| format!("{name}: {problem}")).collect();
    StartError(format!("the configuration declares what cannot be:\n  {}", lines.join("\n  ")))
}
