//! `countersign migrate`: run once before the nodes of a new version start (SQLite does it by itself at the start).

use serde_json::json;

use crate::app;
use crate::store::{MigrationState, Store};

use super::output::{Failure, Output};
use super::setup::{Setup, migration_state};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Only say what is missing.
    #[arg(long)]
    status: bool,
}

pub(super) fn run(setup: &Setup, output: &Output, arguments: &Arguments) -> Result<(), Failure> {
    let config = setup.config()?;
    if arguments.status {
        let missing = match migration_state(&config)? {
            MigrationState::Current => Vec::new(),
            MigrationState::Behind(missing) => missing,
            MigrationState::Ahead(unknown) => return Err(ahead(&unknown)),
        };
        let lines: Vec<String> = match missing.len() {
            0 => vec!["up to date".to_owned()],
            _ => missing.iter().map(|name| format!("missing: {name}")).collect(),
        };
        output.say(&lines, &json!({ "missing": missing }));
        return Ok(());
    }
    let store = Store::open(app::store_options(&config).map_err(Failure::new)?)?;
    let done = store.migrate()?;
    if let MigrationState::Ahead(unknown) = store.migration_state()? {
        return Err(ahead(&unknown));
    }
    let line = match done.len() {
        0 => format!("{} is up to date", store.shown_url()),
        count => format!("{}: {count} migration(s) applied: {}", store.shown_url(), done.join(", ")),
    };
    output.say(&[line], &json!({ "applied": done }));
    Ok(())
}

fn ahead(unknown: &[String]) -> Failure {
    Failure::new(format!(
        "a newer countersign has applied migrations that this one lacks: {}",
        unknown.join(", ")
    ))
}
