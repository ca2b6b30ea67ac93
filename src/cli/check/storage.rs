//! The database, the keys in it, and what the configuration declares for it.

use std::path::Path;

use crate::app;
use crate::base::Timestamp;
use crate::config::Config;
use crate::domain::key_plan::Schedule;
use crate::domain::{Client, KeyState, ResourceServer, SigningKeyRecord};
use crate::flow::declare::Declared;
use crate::flow::{registry, token_format};
use crate::jose::open_key;
use crate::store::{MigrationState, Store, StoreError, clients, keys as key_table, resource_servers};

use super::super::setup::{entropy, migration_state};
use super::Findings;

/// Whether there is a database to look into. A SQLite file that is missing is made by `serve`, not here.
fn exists(config: &Config) -> bool {
    config.database.url.sqlite_file().is_none_or(|file| Path::new(file).exists())
}

pub(super) fn database(config: &Config, findings: &mut Findings) {
    if let Some(file) = config.database.url.sqlite_file().filter(|_| !exists(config)) {
        let folder = Path::new(file).parent().filter(|folder| !folder.as_os_str().is_empty());
        match folder.filter(|folder| !folder.is_dir()) {
            Some(folder) => findings.warn(
                "database",
                format!(
                    "{file} and its folder {} do not exist yet: the first start makes them",
                    folder.display()
                ),
            ),
            None => findings.ok("database", format!("{file} does not exist yet: the first start makes it")),
        }
        return;
    }
    match migration_state(config) {
        Ok(MigrationState::Current) => match damage(config) {
            Some(text) => {
                findings.problem("database", format!("{} is damaged: {text}", config.database.url));
            }
            None => findings.ok("database", format!("{} is up to date", config.database.url)),
        },
        Ok(MigrationState::Behind(missing)) if config.database.migrates_at_start() => {
            findings.ok("database", format!("{} migration(s) will be applied at the start", missing.len()));
        }
        Ok(MigrationState::Behind(missing)) => findings.problem(
            "database",
            format!(
                "lacks {} migration(s) ({}): run `countersign migrate`",
                missing.len(),
                missing.join(", ")
            ),
        ),
        Ok(MigrationState::Ahead(unknown)) => findings.problem(
            "database",
            format!("was brought up to date by a newer countersign ({}): use that", unknown.join(", ")),
        ),
        Err(failure) => failure.0.into_iter().for_each(|text| {
            let broken = ["malformed", "not a database"].iter().any(|sign| text.contains(sign));
            let advice =
                if broken { "; restore it from its backup (docs/OPERATIONS.md, Restore)" } else { "" };
            findings.problem("database", format!("{}: {text}{advice}", config.database.url));
        }),
    }
}

/// What SQLite finds when it reads all of its file; nothing on PostgreSQL, which looks after its files itself.
fn damage(config: &Config) -> Option<String> {
    let store = Store::open(app::store_options(config).ok()?).ok()?;
    store.damage().unwrap_or_else(|error| Some(error.to_string()))
}

pub(super) fn keys(config: &Config, now: Timestamp, findings: &mut Findings) {
    let records = if exists(config) {
        let read = app::store_options(config)
            .and_then(|options| Store::open(options).map_err(|e| e.to_string()))
            .and_then(|store| store.read("keys", key_table::all).map_err(|e| e.to_string()));
        match (read, migration_state(config)) {
            (Ok(records), _) => records,
            // Tables that are not made yet hold no keys.
            (Err(_), Ok(MigrationState::Behind(_))) => Vec::new(),
            // What is wrong with the database was told before.
            (Err(_), Err(_)) => return findings.warn("keys", "not looked at: the database does not answer"),
            (Err(text), Ok(_)) => return findings.problem("keys", text),
        }
    } else {
        Vec::new()
    };
    let file = &config.keys.master_key_file;
    if records.is_empty() && config.keys.master_key.is_none() && !file.exists() {
        return findings.ok("keys", format!("none yet: the first start makes them, and {}", file.display()));
    }
    let sealer = match app::sealer(config, false, &entropy()) {
        Ok(sealer) => sealer,
        Err(error) => return findings.problem("keys", error.to_string()),
    };
    // Of a compromised key nothing is left but its name; of one that verifies hints only, the public part.
    let records: Vec<_> = records.into_iter().filter(|record| !record.is_public_only()).collect();
    for record in &records {
        match open_key(record, &sealer, now) {
            Ok(_) => {
                findings
                    .ok("keys", format!("{} {} is {}", record.algorithm, record.kid, record.state.name()));
            }
            Err(error) => findings.problem("keys", error.to_string()),
        }
    }
    let opens = |record: &&SigningKeyRecord| open_key(record, &sealer, now).is_ok();
    if records.iter().filter(opens).any(|record| !sealer.is_current(&record.sealed_private)) {
        findings.warn("keys", "some are sealed under a previous master key: run `countersign key reseal`");
    }
    for name in config.keys.algorithms.iter().filter(|_| !records.is_empty()) {
        let signs = records.iter().any(|record| {
            record.algorithm.as_str() == name.as_str() && matches!(record.state, KeyState::Active { .. })
        });
        if !signs {
            findings.warn("keys", format!("none signs with {name} yet: the next start makes one"));
        }
    }
    plan(config, &records, now, findings);
}

/// What the plan of the keys wanted done and nobody did.
fn plan(config: &Config, records: &[SigningKeyRecord], now: Timestamp, findings: &mut Findings) {
    let rules = app::key_rules(config);
    for plan in rules.plans.iter().filter(|_| rules.rotate) {
        let schedule = Schedule::of(records, plan, &rules, now);
        if let (Some(active), Some(since)) = (schedule.active, schedule.overdue_since(now)) {
            let (algorithm, kid) = (plan.algorithm, &active.kid);
            findings.warn(
                "keys",
                format!("{algorithm} {kid} is overdue for rotation since {since}: a node that runs does it"),
            );
        }
    }
    let signs = |record: &&SigningKeyRecord| record.state.signs_since().is_some();
    for key in records.iter().filter(signs).filter(|key| rules.plan(key.algorithm).is_none()) {
        findings.warn(
            "keys",
            format!(
                "{} {} signs, but keys.algorithms does not name its algorithm: nobody rotates it. `countersign key \
                 retire` it once nothing needs it",
                key.algorithm, key.kid
            ),
        );
    }
}

pub(super) fn declarations(config: &Config, now: Timestamp, findings: &mut Findings) {
    let declared = match app::declared(config, now) {
        Ok(declared) => declared,
        Err(problems) => {
            for (name, problem) in problems {
                findings.problem("declared", format!("{name}: {problem}"));
            }
            return;
        }
    };
    if let Err(problems) = declared.check(now) {
        for (name, problem) in problems {
            findings.problem("declared", format!("{name}: {problem}"));
        }
    }
    // Resource servers that were made on the command line count too.
    let mut servers = declared.resource_servers.clone();
    if exists(config)
        && let Ok(store) = app::store_options(config).and_then(|o| Store::open(o).map_err(|e| e.to_string()))
    {
        match store.read("declared", |conn| Ok((clients::all(conn)?, resource_servers::all(conn)?))) {
            Ok((clients, stored)) => {
                ends(&declared, &clients, &stored, findings);
                servers.extend(stored.into_iter().filter(|server| !server.declared));
            }
            Err(StoreError::Impossible(row)) => findings.problem("declared", row.to_string()),
            // What is wrong with the database was told before.
            Err(_) => {}
        }
    }
    for server in servers.iter().filter(|server| !server.declared) {
        for problem in token_format::checked(server.clone()).err().into_iter().flatten() {
            findings.problem("resource", format!("{}: {problem}", server.id));
        }
    }
    for (draft, _) in &declared.clients {
        for problem in registry::dangling(draft, &servers) {
            findings.warn("declared", format!("client {}: {problem}", draft.id));
        }
    }
    let (clients, servers) = (declared.clients.len(), declared.resource_servers.len());
    let roles = declared.roles.len();
    findings.ok("declared", format!("{clients} client(s), {servers} resource server(s), {roles} role(s)"));
}

/// What the next start ends, as the file declares it no more.
fn ends(declared: &Declared, clients: &[Client], servers: &[ResourceServer], findings: &mut Findings) {
    let warn = |what: String, end: &str| format!("{what} is gone from the file: the next start {end}");
    for client in declared.switches_off(clients) {
        findings.warn("declared", warn(format!("client {}", client.id), "switches it off"));
    }
    for server in declared.removes(servers) {
        findings.warn("declared", warn(format!("resource server {}", server.id), "removes it"));
    }
}
