//! `countersign role …`: names that users have and that go into tokens.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::domain::Role;
use crate::store::{StoreError, roles};

use super::output::{Failure, Output};
use super::setup::{Setup, now};

#[derive(Subcommand)]
pub(super) enum Command {
    /// List all roles.
    List,
    /// Add a role.
    Add {
        /// The name, as it stands in tokens.
        name: String,
        /// What it is for.
        #[arg(long, default_value = "")]
        description: String,
    },
    /// Delete a role and take it from everyone.
    Delete {
        /// The name, as it stands in tokens.
        name: String,
    },
}

pub(super) fn run(setup: &Setup, output: &Output, command: Command) -> Result<(), Failure> {
    let (_, store) = setup.store()?;
    match command {
        Command::List => {
            let all = store.read("roles", roles::all)?;
            let rows: Vec<Vec<String>> = all.iter().map(row).collect();
            let json: Vec<Value> = all.iter().map(as_json).collect();
            output.table(&["name", "description", "state"], &rows, &json!(json));
        }
        Command::Add { name, description } => {
            let role = Role { name, description, declared: false, created_at: now() };
            let role = role.check().map_err(|problems| Failure::problems(&problems))?;
            let stored = role.clone();
            store.write("add a role", move |conn| roles::insert(conn, &stored)).map_err(
                |error| match error {
                    StoreError::Conflict => Failure::new("there is a role of this name already"),
                    other => other.into(),
                },
            )?;
            output.say(&[format!("role {} added", role.name)], &as_json(&role));
        }
        Command::Delete { name } => {
            let all = store.read("roles", roles::all)?;
            let known = all.into_iter().find(|role| role.name == name);
            let role = known.ok_or_else(|| Failure::new(format!("there is no role {name}")))?;
            if role.declared {
                return Err(Failure::new("it is declared in the configuration file: remove it there"));
            }
            store.write("delete a role", move |conn| roles::delete(conn, &role.name))?;
            output.say(&[format!("role {name} deleted")], &json!({ "deleted": name }));
        }
    }
    Ok(())
}

fn row(role: &Role) -> Vec<String> {
    let state = if role.declared { "declared" } else { "" };
    vec![role.name.clone(), role.description.clone(), state.to_owned()]
}

fn as_json(role: &Role) -> Value {
    json!({
        "name": role.name,
        "description": role.description,
        "declared": role.declared,
        "created_at": role.created_at,
    })
}
