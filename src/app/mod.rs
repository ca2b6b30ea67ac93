//! The composition root: database, keys, clock, randomness, configuration; and the snapshot that requests read.

mod background;
mod courier;
mod declared;
mod master;
mod pace;
mod settings;
mod start;
mod sweeper;

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;

use crate::base::{Clock, Entropy, Seconds, Timestamp};
use crate::domain::KeyRules;
use crate::fetch::Fetcher;
use crate::flow::api_tokens::LastUses;
use crate::flow::client_keys::ClientKeys;
use crate::flow::keys::{self, KeyFault, Step};
use crate::flow::passwords::Passwords;
use crate::flow::snapshot::SnapshotError;
use crate::flow::{Cx, Denials, Policy, Snapshot};
use crate::jose::Sealer;
use crate::oauth::{ErrorCode, OAuthError};
use crate::store::Store;

pub use background::Background;
pub use declared::declared;
use master::Follower;
pub use master::MasterSource;
pub use settings::{Site, fetching, key_rules, password_cost, policy, session_idle, store_options};
pub use start::{StartError, open_store, sealer};
pub use sweeper::{Swept, sweep};

/// How old the snapshot may be before somebody has to look: each node sees a change within about a second.
const FRESH: Seconds = Seconds(1);

/// What a look at the database found: shared by all who waited for it.
type Looked = Result<(), Arc<SnapshotError>>;

/// Everything that lives as long as the process.
pub struct App {
    /// The database.
    pub store: Arc<Store>,
    /// Seals what travels through browsers, and the keys at rest.
    pub sealer: Arc<Sealer>,
    master: Follower,
    /// What the operator configured about the life of keys.
    pub key_rules: KeyRules,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Argon2.
    pub passwords: Arc<Passwords>,
    /// When API tokens were last used.
    pub last_uses: Arc<LastUses>,
    /// When clients that registered themselves were last used.
    pub client_uses: Arc<LastUses>,
    /// Requests to addresses that a client named.
    pub fetcher: Arc<Fetcher>,
    /// What the operator configured, for the use cases.
    pub policy: Arc<Policy>,
    /// What the operator configured, for HTTP.
    pub site: Site,
    client_keys: Arc<ClientKeys>,
    snapshot: ArcSwap<Snapshot>,
    denials: Arc<Denials>,
    /// When the database last said that snapshot and denials are current.
    confirmed_at: AtomicI64,
    /// What the last look at the database found. Whoever holds it looks.
    refreshing: Mutex<Looked>,
    /// How many looks there were.
    looks: AtomicU64,
    max_stale: Seconds,
}

impl App {
    /// The current second.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Clients and keys as they are in memory, for documents that anybody may cache.
    #[must_use]
    pub fn known(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// What a use case needs, if the snapshot is fresh; otherwise call [`App::refreshed_cx`] where blocking is allowed.
    #[must_use]
    pub fn fresh_cx(&self) -> Option<Cx> {
        let now = self.now();
        let snapshot = self.snapshot.load_full();
        self.is_fresh(&snapshot, now).then(|| self.cx(snapshot, now))
    }

    /// What a use case needs, after a look at the database where that is due. Blocks.
    ///
    /// # Errors
    /// `temporarily_unavailable` when the database has not answered for longer than `max_stale_s`: a client that was
    /// switched off must not go on for ever because nobody can say so.
    pub fn refreshed_cx(&self) -> Result<Cx, OAuthError> {
        if !self.is_fresh(&self.snapshot.load(), self.now())
            && let Err(error) = self.refresh()
        {
            tracing::warn!(%error, "the configuration could not be refreshed");
            let age = self.now() - self.confirmed();
            if age > self.max_stale {
                return Err(OAuthError::new(ErrorCode::TemporarilyUnavailable)
                    .because(format!("clients and keys are {} s old: {error}", age.0))
                    .retry_after(1));
            }
        }
        // Not the second in which the wait began: what is written in the past is over too soon, such as the grace of a
        // refresh token.
        Ok(self.cx(self.snapshot.load_full(), self.now()))
    }

    /// Looks whether the configuration changed and reads it anew if so, and reads which tokens were denied since. One thread
    /// at a time; the others go on with what there is, and where that is too old, they wait for what that one finds.
    ///
    /// # Errors
    /// When the database fails or a key cannot be opened.
    pub fn refresh(&self) -> Result<(), Arc<SnapshotError>> {
        let now = self.now();
        let seen = self.looks.load(Ordering::Acquire);
        let last = match self.refreshing.try_lock() {
            Ok(guard) => guard,
            Err(_) if now - self.confirmed() <= self.max_stale => return Ok(()),
            Err(_) => {
                let last = self.refreshing.lock().unwrap_or_else(PoisonError::into_inner);
                // Not one after the other: each look at a database that is away takes its whole time-out.
                if self.looks.load(Ordering::Acquire) != seen {
                    return last.clone();
                }
                last
            }
        };
        self.look(now, last)
    }

    /// Goes on with what this node itself has just changed. Another thread that looks at this moment may have looked too
    /// early: it is waited for.
    pub fn catch_up(&self) {
        let last = self.refreshing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = self.look(self.now(), last) {
            tracing::warn!(%error, "the configuration could not be refreshed");
        }
    }

    fn look(&self, now: Timestamp, mut last: MutexGuard<'_, Looked>) -> Looked {
        *last = self.look_at_database(now).map_err(Arc::new);
        self.looks.fetch_add(1, Ordering::AcqRel);
        last.clone()
    }

    fn look_at_database(&self, now: Timestamp) -> Result<(), SnapshotError> {
        let current = self.snapshot.load_full();
        // First: what a new snapshot has to open may be sealed under a new master key.
        self.master.look(&self.sealer, &self.store, &self.entropy, now).map_err(SnapshotError::Store)?;
        let (revision, denials) =
            self.store.read("revision", crate::store::revision::both).map_err(SnapshotError::Store)?;
        let key_change_due = current.keys.next_change().is_some_and(|at| at.is_past(now));
        if revision != current.revision || key_change_due {
            let newer = Snapshot::load(&self.store, &self.sealer, now)?;
            newer
                .compromised_keys
                .difference(&current.compromised_keys)
                .for_each(|kid| tell_compromised(kid));
            self.snapshot.store(Arc::new(newer));
        }
        self.denials.catch_up(&self.store, denials, now).map_err(SnapshotError::Store)?;
        self.confirmed_at.store(now.0, Ordering::Release);
        Ok(())
    }

    /// Writes down when API tokens and registered clients were last used. What cannot be written is kept.
    pub fn write_last_uses(&self) {
        for uses in [&self.last_uses, &self.client_uses] {
            if let Err(error) = uses.flush(&self.store) {
                tracing::warn!(%error, "the last uses could not be written down");
            }
        }
    }

    /// Does what the plan of the keys wants done by now, and goes on with the keys as they are then.
    ///
    /// # Errors
    /// When the database fails or a key cannot be made.
    pub fn rotate_keys(&self) -> Result<Vec<Step>, KeyFault> {
        let steps = keys::step(&self.store, &self.sealer, &*self.entropy, &self.key_rules, self.now())?;
        if !steps.is_empty()
            && let Err(error) = self.refresh()
        {
            tracing::warn!(%error, "the configuration could not be refreshed");
        }
        Ok(steps)
    }

    /// How long a verifier may cache the JWKS that is in memory. A key that is not in it signs `jwks_max_age` after its
    /// publication at the earliest (and [`NODES_FOLLOW`](crate::domain::key_plan::NODES_FOLLOW) more), so the time counts
    /// from when the database last said that there is none: a node that is cut off from it must not give out an old set
    /// for as long as a new one.
    #[must_use]
    pub fn jwks_max_age(&self) -> Seconds {
        let unconfirmed = (self.now() - self.confirmed()).0 - FRESH.0 - 1;
        Seconds((self.key_rules.jwks_max_age.0 - unconfirmed.max(0)).max(0))
    }

    fn is_fresh(&self, snapshot: &Snapshot, now: Timestamp) -> bool {
        now - self.confirmed() <= FRESH && !snapshot.keys.next_change().is_some_and(|at| at.is_past(now))
    }

    fn confirmed(&self) -> Timestamp {
        Timestamp(self.confirmed_at.load(Ordering::Acquire))
    }

    fn cx(&self, snapshot: Arc<Snapshot>, now: Timestamp) -> Cx {
        Cx {
            now,
            store: Arc::clone(&self.store),
            snapshot,
            denials: Arc::clone(&self.denials),
            entropy: Arc::clone(&self.entropy),
            sealer: Arc::clone(&self.sealer),
            passwords: Arc::clone(&self.passwords),
            last_uses: Arc::clone(&self.last_uses),
            client_uses: Arc::clone(&self.client_uses),
            fetcher: Arc::clone(&self.fetcher),
            client_keys: Arc::clone(&self.client_keys),
            policy: Arc::clone(&self.policy),
        }
    }
}

/// Whoever gave the key up did so by command: the log that is watched is that of the nodes.
fn tell_compromised(kid: &str) {
    tracing::warn!(
        target: "countersign::security",
        event = "key_compromised",
        kid,
        "a signing key was given up as compromised: nothing that it signed counts any more"
    );
}
