//! What commands start from: the configuration, the log, the database, the master key.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Registry, fmt};

use crate::app;
use crate::base::clock::{Clock as _, SystemClock};
use crate::base::entropy::OsEntropy;
use crate::base::{Entropy, Timestamp};
use crate::config::{Config, LogFormat, LogLevel, process_environment};
use crate::jose::Sealer;
use crate::store::{MigrationState, Store};

use super::output::{Failure, note};

const DEFAULT_FILE: &str = "countersign.toml";

/// Where the configuration is.
pub(super) struct Setup {
    pub(super) file: Option<PathBuf>,
    /// Whether a person reads along.
    talks: bool,
}

impl Setup {
    pub(super) fn new(named: Option<PathBuf>, talks: bool) -> Self {
        let by_environment = || std::env::var_os("COUNTERSIGN_CONFIG").map(PathBuf::from);
        let by_default = || Some(PathBuf::from(DEFAULT_FILE)).filter(|path| path.exists());
        Self { file: named.or_else(by_environment).or_else(by_default), talks }
    }

    pub(super) fn at(file: &Path) -> Self {
        Self { file: Some(file.to_owned()), talks: false }
    }

    /// The configuration, with everything that is wrong with it at once.
    pub(super) fn config(&self) -> Result<Config, Failure> {
        let config = Config::load(self.file.as_deref(), process_environment())
            .map_err(|error| Failure(error.faults.iter().map(ToString::to_string).collect()))?;
        let problems = config.validate();
        if problems.is_empty() {
            return Ok(config);
        }
        Err(Failure(problems.iter().map(ToString::to_string).collect()))
    }

    /// Where the configuration was looked for, when there is no file.
    pub(super) fn without_file(&self) -> Option<String> {
        let here = std::env::current_dir().unwrap_or_default().join(DEFAULT_FILE);
        self.file.is_none().then(|| {
            format!("there is no configuration file: looked for {}; --config names another", here.display())
        })
    }

    /// The database, up to date. On SQLite it is made when it is missing, as `serve` would.
    pub(super) fn store(&self) -> Result<(Config, Arc<Store>), Failure> {
        let config = self.config()?;
        let missing = config.database.url.sqlite_file().filter(|file| !Path::new(file).exists());
        // In a wrong folder everything would seem to go well, in a database that no server ever reads.
        let is_default = config.database.url.sqlite_file() == Config::default().database.url.sqlite_file();
        if let (Some(_), true, Some(text)) = (missing, is_default, self.without_file()) {
            return Err(Failure(vec![text, "run this where the server is started".to_owned()]));
        }
        let store = app::open_store(&config).map_err(Failure::new)?;
        if self.talks
            && let Some(path) = missing.and_then(|file| Path::new(file).canonicalize().ok())
        {
            note(format!("A new database was made: {}", path.display()));
        }
        Ok((config, store))
    }
}

/// Only the database's state, without changing it.
pub(super) fn migration_state(config: &Config) -> Result<MigrationState, Failure> {
    let options = app::store_options(config).map_err(Failure::new)?;
    Ok(Store::open(options)?.migration_state()?)
}

/// The sealer; the master key is made only where no key has been sealed yet.
pub(super) fn sealer(config: &Config, store: &Store) -> Result<Sealer, Failure> {
    let is_first = store.read("keys", crate::store::keys::all)?.is_empty();
    app::sealer(config, is_first, &entropy()).map_err(Failure::new)
}

pub(super) fn entropy() -> Arc<dyn Entropy> {
    Arc::new(OsEntropy)
}

pub(super) fn now() -> Timestamp {
    SystemClock.now()
}

/// Sends the log to standard error.
pub(super) fn log(config: &Config) {
    let level = match config.log.level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    // Libraries speak only when something is wrong: at lower levels they may tell what is in a request.
    let targets = Targets::new().with_default(level.min(LevelFilter::WARN)).with_target("countersign", level);
    let registry = Registry::default().with(targets);
    // Whoever set a log before us keeps it.
    let _ = match config.log.format {
        LogFormat::Text => {
            registry.with(fmt::layer().with_writer(std::io::stderr).with_ansi(false)).try_init()
        }
        LogFormat::Json => registry.with(fmt::layer().json().with_writer(std::io::stderr)).try_init(),
    };
}
