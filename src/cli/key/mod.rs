//! `countersign key …`: the signing keys in the database, and the master key that seals them.

mod list;
mod master;

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use serde_json::json;
use zeroize::Zeroizing;

use crate::app::key_rules;
use crate::domain::key::TransitionRefused;
use crate::domain::{KeyState, SigningKeyRecord};
use crate::flow::keys::{self, KeyFault, Removed};
use crate::flow::registration;
use crate::jose::{PrivateKey, open_key};
use crate::oauth::algorithm::SigningAlgorithm;
use crate::store;

use super::output::{Failure, Output, note};
use super::setup::{Setup, entropy, now, sealer};

const MAX_FILE_BYTES: u64 = 64 * 1024;

#[derive(Subcommand)]
pub(super) enum Command {
    /// List all keys, and what the plan will do with them.
    List,
    /// Make a key and publish it; it signs once it is activated.
    Generate {
        /// ES256, RS256, PS256, ES384, ES512 or EdDSA.
        #[arg(long)]
        algorithm: SigningAlgorithm,
    },
    /// Let a published key sign, and retire the one of its algorithm that signed so far.
    Activate {
        /// The `kid`, as `key list` shows it.
        // A thumbprint may begin with a hyphen.
        #[arg(allow_hyphen_values = true)]
        kid: String,
        /// Even though verifiers may hold a key set without it: they fail until they fetch anew.
        #[arg(long)]
        at_once: bool,
    },
    /// Stop a key from signing; it stays published until its last token is dead.
    Retire {
        /// The `kid`, as `key list` shows it.
        #[arg(allow_hyphen_values = true)]
        kid: String,
        /// Even though it is the last of its algorithm that signs.
        #[arg(long)]
        last: bool,
        /// Somebody else may have it: it leaves the key set at once and nothing that it signed counts any more; another
        /// key signs in its place.
        #[arg(long, conflicts_with = "last")]
        compromised: bool,
    },
    /// Take away a key whose tokens are dead: its private part, and all of it once no ID token hint needs it.
    Remove {
        /// The `kid`, as `key list` shows it.
        #[arg(allow_hyphen_values = true)]
        kid: String,
        /// All of it, even though tokens that it signed may live or be hints: they are worth nothing then. Forgets a
        /// compromised key, too.
        #[arg(long)]
        at_once: bool,
    },
    /// Take in a private key from a file (`-`: standard input) as PEM or JWK, and publish it.
    Import {
        /// The file; `-` is standard input.
        file: PathBuf,
        /// What it is to sign with.
        #[arg(long)]
        algorithm: SigningAlgorithm,
    },
    /// Write a key to a file that is readable by you alone.
    Export {
        /// The `kid`, as `key list` shows it.
        #[arg(allow_hyphen_values = true)]
        kid: String,
        /// A file that does not exist yet.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// How it is written.
        #[arg(long, value_enum, default_value = "pem")]
        format: Format,
    },
    /// Seal every key anew under the current master key, after it was changed.
    Reseal,
    /// Change the master key in its file while the server runs: a new one seals from then on, and every key is sealed anew.
    /// The old one stays in the file, and only opens, until `finish`.
    RotateMaster {
        /// One step alone, for several nodes with files of their own.
        #[arg(value_enum)]
        step: Option<master::Step>,
        /// With `finish`: even though pages that were sealed under the old key may still be open.
        #[arg(long)]
        at_once: bool,
    },
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
    let rules = key_rules(&config);
    let said = |done: Result<SigningKeyRecord, KeyFault>| {
        let record = done.map_err(Failure::new)?;
        output.say(&list::lines(&record), &list::as_json(&record, &rules));
        Ok(())
    };
    match command {
        Command::List => {
            list::all(output, &store.read("keys", store::keys::all)?, &rules, now());
            Ok(())
        }
        Command::Generate { algorithm } => {
            let sealer = sealer(&config, &store)?;
            said(keys::generate(&store, &sealer, &*entropy(), algorithm, rules.rsa_bits, now()))
        }
        Command::Activate { kid, at_once } => said(keys::activate(&store, &kid, &rules, at_once, now())),
        Command::Retire { kid, compromised: true, .. } => {
            let sealer = sealer(&config, &store)?;
            let done = keys::compromise(&store, &sealer, &*entropy(), &kid, &rules, now());
            list::replaced(output, &done.map_err(Failure::new)?, &rules);
            Ok(())
        }
        Command::Retire { kid, last, .. } => {
            let all = store.read("keys", store::keys::all)?;
            if !last && is_last(&all, &kid) {
                return Err(Failure::new(
                    "no other key of this algorithm signs: activate one first, or say --last",
                ));
            }
            said(keys::retire(&store, &kid, &rules, now()))
        }
        Command::Remove { kid, at_once } => {
            let removed = keys::remove(&store, &kid, &rules, at_once, now()).map_err(Failure::new)?;
            let (line, hints_until) = match removed {
                Removed::Gone => (format!("key {kid} removed"), None),
                Removed::KeptForHints(until) => {
                    let what = "private part destroyed; the public one verifies ID token hints until";
                    (format!("key {kid} removed: {what} {until}"), Some(until))
                }
            };
            output.say(&[line], &json!({ "removed": kid, "hints_until": hints_until }));
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
            if matches!(record.state, KeyState::Compromised { .. }) {
                return Err(Failure::new(TransitionRefused::Compromised));
            }
            if record.is_public_only() {
                return Err(Failure::new(
                    "the private part of this key is destroyed: it is kept for ID token hints",
                ));
            }
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
            let sealer = sealer(&config, &store)?;
            let count = keys::reseal(&store, &sealer, now()).map_err(Failure::new)?;
            let secrets = registration::reseal(&store, &sealer, now()).map_err(Failure::new)?;
            let lines = [
                format!("{count} key(s) sealed anew"),
                format!("{secrets} secret(s) of registered clients sealed anew"),
            ];
            output.say(&lines, &json!({ "resealed": count, "resealed_secrets": secrets }));
            Ok(())
        }
        Command::RotateMaster { step, at_once } => master::rotate(&config, &store, output, step, at_once),
    }
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
