//! `countersign key rotate-master`: another master key under a running server.
//!
//! ```text
//! prepare   a new key is in the file and opens          every node that has the file can read what others seal with it
//! switch    the new key seals, the old one opens        what was sealed before can still be read
//! (reseal)  the signing keys lie under the new key
//! finish    the old key leaves the file
//! ```

use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use clap::ValueEnum;
use serde_json::json;

use super::super::output::{Failure, Output, note};
use super::super::setup::{entropy, now, sealer};
use crate::base::{Seconds, Timestamp};
use crate::config::Config;
use crate::flow::keys::{self, KeyFault};
use crate::flow::registration;
use crate::jose::{MasterKey, MasterKeyError, MasterKeyFile, MasterKeys, Purpose, Sealer, open_key};
use crate::store::{self, Store};

/// Nodes that share the file look at it once a second.
const NODES_LOOK: Duration = Duration::from_secs(3);

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Step {
    /// Put a new key into the file; it only opens. Then bring the file to every node.
    Prepare,
    /// Let the new key seal; the old one only opens from then on.
    Switch,
    /// Take the old key out of the file.
    Finish,
}

impl From<MasterKeyError> for Failure {
    fn from(error: MasterKeyError) -> Self {
        Self::new(error)
    }
}

pub(super) fn rotate(
    config: &Config,
    store: &Store,
    output: &Output,
    step: Option<Step>,
    at_once: bool,
) -> Result<(), Failure> {
    if config.keys.master_key.is_some() {
        return Err(Failure::new(
            "the master key is given by environment or configuration: restart the nodes one after the other, as \
             docs/OPERATIONS.md says (\"The master key\")",
        ));
    }
    let path = &config.keys.master_key_file;
    let (file, resealed) = match step {
        Some(Step::Prepare) => (MasterKeyFile::change(path, prepared)?, None),
        Some(Step::Switch) => (MasterKeyFile::change(path, switched)?, None),
        Some(Step::Finish) => {
            // Nothing else that is sealed and on its way counts for as long.
            let changed_at = Timestamp(path.metadata()?.mtime());
            let over_at = changed_at + Seconds(i64::from(config.session.request_ttl_s));
            if !at_once && !over_at.is_past(now()) {
                return Err(Failure::new(format!(
                    "login pages that were sealed under the old key may be open until {over_at}: wait until then, or \
                     say --at-once"
                )));
            }
            (MasterKeyFile::change(path, |file| finished(file, store))?, None)
        }
        None => {
            // Where a next key is there already, an earlier run was cut off: it goes on with that.
            if MasterKeyFile::load(path)?.next.is_none() {
                MasterKeyFile::change(path, prepared)?;
            }
            std::thread::sleep(NODES_LOOK);
            let file = MasterKeyFile::change(path, switched)?;
            (file, Some(reseal(config, store)?))
        }
    };
    say(output, &file, resealed);
    Ok(())
}

fn prepared(file: MasterKeyFile) -> Result<MasterKeyFile, Failure> {
    if file.next.is_some() {
        return Err(Failure::new("the file has a next key already: bring it to every node, then switch"));
    }
    let next = MasterKey::random(&*entropy()).map_err(Failure::new)?;
    Ok(MasterKeyFile { next: Some(next), ..file })
}

fn switched(file: MasterKeyFile) -> Result<MasterKeyFile, Failure> {
    let Some(next) = file.next else {
        return Err(Failure::new("the file has no next key: prepare first"));
    };
    let mut previous = file.previous;
    previous.insert(0, file.current);
    Ok(MasterKeyFile { current: next, next: None, previous })
}

fn finished(file: MasterKeyFile, store: &Store) -> Result<MasterKeyFile, Failure> {
    if file.previous.is_empty() {
        return Err(Failure::new("the file has no old key: there is nothing to finish"));
    }
    let file = MasterKeyFile { previous: Vec::new(), ..file };
    let without = MasterKeys { current: file.current.clone(), previous: file.opening().cloned().collect() };
    let sealer = Sealer::new(&without, entropy());
    for record in store.read("keys", store::keys::all)? {
        if !record.is_public_only() && open_key(&record, &sealer, now()).is_err() {
            let text = format!("the key {} is sealed under an old master key: reseal first", record.kid);
            return Err(Failure::new(text));
        }
    }
    if let Some(client) = registration::sealed_under_others(store, &sealer, now()).map_err(Failure::new)? {
        let text = format!("the secret of client {client} is sealed under an old master key: reseal first");
        return Err(Failure::new(text));
    }
    for secret in store.read("secrets", keys::kept_secrets)? {
        let sealed = secret.sealed.as_deref().unwrap_or_default();
        if sealer.open(Purpose::ClientSecret, sealed, None, now()).is_err() {
            let text = format!(
                "the secret {} of client {} is sealed under an old master key: reseal first",
                secret.id, secret.client_id
            );
            return Err(Failure::new(text));
        }
    }
    Ok(file)
}

/// A node that rotates keys at the same moment may come in between.
fn reseal(config: &Config, store: &Store) -> Result<usize, Failure> {
    let sealer = sealer(config, store)?;
    registration::reseal(store, &sealer, now()).map_err(Failure::new)?;
    loop {
        match keys::reseal(store, &sealer, now()) {
            Err(KeyFault::Meanwhile) => {}
            other => return other.map_err(Failure::new),
        }
    }
}

fn say(output: &Output, file: &MasterKeyFile, resealed: Option<usize>) {
    let previous: Vec<&str> = file.previous.iter().map(MasterKey::id).collect();
    let next = file.next.as_ref().map(MasterKey::id);
    let mut lines = vec![format!("seals             {}", file.current.id())];
    lines.extend(next.map(|id| format!("opens, is next    {id}")));
    lines.extend(previous.iter().map(|id| format!("opens, is old     {id}")));
    lines.extend(resealed.map(|count| format!("{count} key(s) sealed anew")));
    let json =
        json!({ "current": file.current.id(), "next": next, "previous": previous, "resealed": resealed });
    output.say(&lines, &json);
    if resealed.is_some() {
        note("Back the file up. Later: `countersign key rotate-master finish` takes the old key out of it.");
    }
}
