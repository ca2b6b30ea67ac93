//! Where the master keys of this node come from, and the look at their files while it runs.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::{Entropy, Timestamp};
use crate::config::Config;
use crate::jose::{MasterKey, MasterKeyError, MasterKeyFile, MasterKeys, Sealer, open_key};
use crate::store::{Store, StoreError, keys};

/// The places that the configuration names.
#[derive(Clone, Debug)]
pub struct MasterSource {
    given: Option<MasterKey>,
    given_previous: Vec<MasterKey>,
    file: PathBuf,
    previous_files: Vec<PathBuf>,
}

impl MasterSource {
    /// What the configuration says.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let key = |key: &crate::config::MasterKey| MasterKey::from_bytes(*key.reveal());
        Self {
            given: config.keys.master_key.as_ref().map(key),
            given_previous: config.keys.previous_master_keys.iter().map(key).collect(),
            file: config.keys.master_key_file.clone(),
            previous_files: config.keys.previous_master_key_files.clone(),
        }
    }

    /// Reads all of them. The file of the master key is made when it is missing and `may_create`.
    ///
    /// # Errors
    /// When a file is missing, malformed, or readable by others.
    pub fn load(&self, may_create: bool, entropy: &dyn Entropy) -> Result<MasterKeys, MasterKeyError> {
        let mut previous = Vec::new();
        let current = match &self.given {
            Some(key) => key.clone(),
            None => {
                let (file, made) = MasterKeyFile::load_or_create(&self.file, may_create, entropy)?;
                if made {
                    let path = self.file.display();
                    tracing::info!(%path, "master key made: back it up apart from the database");
                }
                previous.extend(file.opening().cloned());
                file.current
            }
        };
        previous.extend(self.given_previous.iter().cloned());
        for path in &self.previous_files {
            let file = MasterKeyFile::load(path)?;
            previous.extend(file.opening().cloned());
            previous.push(file.current);
        }
        Ok(MasterKeys { current, previous })
    }

    fn files(&self) -> impl Iterator<Item = &Path> {
        let own = self.given.is_none().then_some(&self.file);
        own.into_iter().chain(&self.previous_files).map(PathBuf::as_path)
    }

    fn stamps(&self) -> Vec<Option<Stamp>> {
        self.files().map(Stamp::of).collect()
    }
}

/// What changes with a file: replaced, written to, or made readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    changed_at: (i64, i64),
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let data = path.metadata().ok()?;
        let changed_at = (data.ctime(), data.ctime_nsec());
        Some(Self { device: data.dev(), inode: data.ino(), changed_at })
    }
}

/// Keeps a sealer's keys those of the files.
pub(super) struct Follower {
    source: MasterSource,
    state: Mutex<State>,
}

struct State {
    seen: Vec<Option<Stamp>>,
    /// What was last said about files that cannot be used: it is not said again and again.
    told: String,
}

impl Follower {
    /// Begins to look; the sealer is made after that, so that no change is missed.
    pub(super) fn new(source: MasterSource) -> Self {
        let state = Mutex::new(State { seen: source.stamps(), told: String::new() });
        Self { source, state }
    }

    /// Takes over what changed since the last look. Keys with which a published signing key would not open any more are not
    /// taken: the node goes on with those that it has, and looks again.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) fn look(
        &self,
        sealer: &Sealer,
        store: &Store,
        entropy: &Arc<dyn Entropy>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps = self.source.stamps();
        if stamps == state.seen {
            return Ok(());
        }
        let records = store.read("keys", keys::all)?;
        let usable = self.source.load(false, &**entropy).map_err(|e| e.to_string()).and_then(|keys| {
            let candidate = Sealer::new(&keys, Arc::clone(entropy));
            let mut published = records.iter().filter(|record| record.is_published(now));
            published
                .try_for_each(|record| open_key(record, &candidate, now).map(drop))
                .map_err(|e| e.to_string())?;
            Ok(keys)
        });
        match usable {
            Ok(keys) => {
                sealer.replace(&keys);
                let opening: Vec<&str> = keys.previous.iter().map(MasterKey::id).collect();
                tracing::info!(sealing = keys.current.id(), ?opening, "master keys read anew");
                *state = State { seen: stamps, told: String::new() };
            }
            Err(why) if why != state.told => {
                tracing::warn!(why, "the changed master key files cannot be used; the keys from before stay");
                state.told = why;
            }
            Err(_) => {}
        }
        Ok(())
    }
}
