//! `countersign key …`: the signing keys in the database, and the master key that seals them.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::base::Seconds;
use crate::config::Config;
use crate::domain::client::LONGEST_ACCESS_TOKEN;
use crate::domain::{KeyState, SigningKeyRecord};
use crate::flow::keys::{self, KeyFault};
use crate::jose::{PrivateKey, open_key};
use crate::oauth::algorithm::SigningAlgorithm;
use crate::store;

use super::output::{Failure, Output, note};
use super::setup::{Setup, entropy, now, sealer};

const MAX_FILE_BYTES: u64 = 64 * 1024;

#[derive(Subcommand)]
pub(super) enum Command {
    /// List all keys.
    List,
    /// Make a key and publish it; it signs once it is activated.
    Generate {
        /// ES256, RS256, PS256, ES384, ES512 or EdDSA.
        #[arg(long)]
        algorithm: SigningAlgorithm,
    },
    /// Let a published key sign, and retire the one of its algorithm that signed so far.
    Activate {
        // A thumbprint may begin with a hyphen.
        #[arg(allow_hyphen_values = true)]
        kid: String,
        /// Even though verifiers may hold a key set without it: they fail until they fetch anew.
        #[arg(long)]
        at_once: bool,
    },
    /// Stop a key from signing; it stays published until its last token is dead.
    Retire {
        #[arg(allow_hyphen_values = true)]
        kid: String,
        /// Even though it is the last of its algorithm that signs.
        #[arg(long)]
        last: bool,
    },
    /// Delete a key that nothing needs any more.
    Remove {
        #[arg(allow_hyphen_values = true)]
        kid: String,
        /// Even though tokens that it signed may live: they are worth nothing then.
        #[arg(long)]
        at_once: bool,
    },
    /// Take in a private key from a file (`-`: standard input) as PEM or JWK, and publish it.
    Import {
        file: PathBuf,
        /// What it is to sign with.
        #[arg(long)]
        algorithm: SigningAlgorithm,
    },
    /// Write a key to a file that is readable by you alone.
    Export {
        #[arg(allow_hyphen_values = true)]
        kid: String,
        /// A file that does not exist yet.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[arg(long, value_enum, default_value = "pem")]
        format: Format,
    },
    /// Seal every key anew under the current master key, after it was changed.
    Reseal,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Format {
    /// PKCS#8.
    Pem,
    /// RFC 7517.
    Jwk,
}

pub(super) fn run(setup: &Setup, output: &Output, command: Command) -> Result<(), Failure> {
    let (config, store) = setup.store()?;
    let said = |done: Result<SigningKeyRecord, KeyFault>| {
        let record = done.map_err(Failure::new)?;
        output.say(&lines(&record), &as_json(&record));
        Ok(())
    };
    match command {
        Command::List => {
            let all = store.read("keys", store::keys::all)?;
            let rows: Vec<Vec<String>> = all.iter().map(row).collect();
            let json: Vec<Value> = all.iter().map(as_json).collect();
            output.table(&["kid", "algorithm", "state", "since", "until"], &rows, &json!(json));
            Ok(())
        }
        Command::Generate { algorithm } => {
            let sealer = sealer(&config, &store)?;
            let bits = config.keys.rsa_bits;
            said(keys::generate(&store, &sealer, &*entropy(), algorithm, bits, now()))
        }
        Command::Activate { kid, at_once } => {
            let max_age = Seconds(i64::from(config.keys.jwks_max_age_s));
            said(keys::activate(&store, &kid, max_age, longest_token(&config), at_once, now()))
        }
        Command::Retire { kid, last } => {
            let all = store.read("keys", store::keys::all)?;
            if !last && is_last(&all, &kid) {
                return Err(Failure::new(
                    "no other key of this algorithm signs: activate one first, or say --last",
                ));
            }
            said(keys::retire(&store, &kid, longest_token(&config), now()))
        }
        Command::Remove { kid, at_once } => {
            keys::remove(&store, &kid, at_once, now()).map_err(Failure::new)?;
            output.say(&[format!("key {kid} removed")], &json!({ "removed": kid }));
            Ok(())
        }
        Command::Import { file, algorithm } => {
            let text = read(&file)?;
            let key = if text.trim_start().starts_with('{') {
                PrivateKey::from_jwk(text.trim(), algorithm)
            } else {
                PrivateKey::from_pem(&text, algorithm)
            };
            let key = key.map_err(Failure::new)?;
            let record = key.to_record(&sealer(&config, &store)?, now()).map_err(Failure::new)?;
            said(keys::import(&store, record))
        }
        Command::Export { kid, out, format } => {
            let all = store.read("keys", store::keys::all)?;
            let found = all.into_iter().find(|record| record.kid == kid);
            let record = found.ok_or_else(|| Failure::new(KeyFault::Unknown))?;
            let key = open_key(&record, &sealer(&config, &store)?, now()).map_err(Failure::new)?;
            let text = match format {
                Format::Pem => key.to_pem(),
                Format::Jwk => key.to_jwk(),
            };
            write_private(&out, &text.map_err(Failure::new)?)?;
            note("Whoever has this file can sign tokens in your name.");
            output.say(&[format!("key {kid} written to {}", out.display())], &json!({ "written": out }));
            Ok(())
        }
        Command::Reseal => {
            let count = keys::reseal(&store, &sealer(&config, &store)?, now()).map_err(Failure::new)?;
            output.say(&[format!("{count} key(s) sealed anew")], &json!({ "resealed": count }));
            Ok(())
        }
    }
}

/// The longest life that the configuration gives any token; clients and resource servers are looked at beside it. An hour
/// at least, which is the longest without an override: a life that was shortened since still has tokens of the longer one.
fn longest_token(config: &Config) -> Seconds {
    let configured = config.tokens.access_token_ttl_s.max(config.tokens.id_token_ttl_s);
    Seconds(i64::from(configured)).max(LONGEST_ACCESS_TOKEN)
}

/// Whether nothing would sign with its algorithm without this key.
fn is_last(all: &[SigningKeyRecord], kid: &str) -> bool {
    let active = |record: &&SigningKeyRecord| matches!(record.state, KeyState::Active { .. });
    all.iter().filter(active).find(|record| record.kid == kid).is_some_and(|this| {
        !all.iter().filter(active).any(|other| other.algorithm == this.algorithm && other.kid != kid)
    })
}

fn read(file: &PathBuf) -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(String::new());
    if file.as_os_str() == "-" {
        std::io::stdin().take(MAX_FILE_BYTES).read_to_string(&mut text)?;
    } else {
        let named = |error: std::io::Error| Failure::new(format!("{}: {error}", file.display()));
        fs::File::open(file).map_err(named)?.take(MAX_FILE_BYTES).read_to_string(&mut text).map_err(named)?;
    }
    Ok(text)
}

/// A new file with mode 0600; one that exists is never written over.
fn write_private(path: &PathBuf, text: &str) -> Result<(), Failure> {
    let named = |error: std::io::Error| Failure::new(format!("{}: {error}", path.display()));
    let mut file =
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(named)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(named)
}

fn dates(record: &SigningKeyRecord) -> (String, String) {
    match record.state {
        KeyState::Published { published_at } => (published_at.to_string(), String::new()),
        KeyState::Active { activated_at, .. } => (activated_at.to_string(), String::new()),
        KeyState::Retired { retired_at, remove_at, .. } => (retired_at.to_string(), remove_at.to_string()),
    }
}

fn row(record: &SigningKeyRecord) -> Vec<String> {
    let (since, until) = dates(record);
    let state = record.state.name().to_owned();
    vec![record.kid.clone(), record.algorithm.to_string(), state, since, until]
}

fn lines(record: &SigningKeyRecord) -> Vec<String> {
    let (since, until) = dates(record);
    let mut lines = vec![
        format!("kid               {}", record.kid),
        format!("algorithm         {}", record.algorithm),
        format!("state             {} since {since}", record.state.name()),
    ];
    if !until.is_empty() {
        lines.push(format!("published until   {until}"));
    }
    lines
}

fn as_json(record: &SigningKeyRecord) -> Value {
    let columns = record.state.to_columns();
    json!({
        "kid": record.kid,
        "algorithm": record.algorithm,
        "state": record.state.name(),
        "created_at": record.created_at,
        "published_at": columns.published_at,
        "activated_at": columns.activated_at,
        "retired_at": columns.retired_at,
        "remove_at": columns.remove_at,
    })
}
