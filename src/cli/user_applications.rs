//! `countersign user applications` and `withdraw`: which clients have access to a user's account, and the end of that.

use serde_json::{Value, json};

use crate::domain::UserName;
use crate::domain::session::IdleTtls;
use crate::flow::applications::{self, Application};
use crate::oauth::ClientId;
use crate::store::Store;

use super::output::{Failure, Output};
use super::setup::now;

pub(super) fn list(store: &Store, output: &Output, name: &UserName, idle: IdleTtls) -> Result<(), Failure> {
    let found = applications::of_account(store, name, idle, now()).map_err(Failure::new)?;
    let row = |one: &Application| {
        let (id, name) = (one.client.id.to_string(), one.client.name.clone());
        vec![id, name, one.access.as_str().replace('_', " "), one.since.date(), one.scope().to_string()]
    };
    let rows: Vec<Vec<String>> = found.iter().map(row).collect();
    let json = found.iter().map(|one| {
        json!({
            "client_id": one.client.id,
            "name": one.client.name,
            "access": one.access.as_str(),
            "since": one.since,
            "scope": one.scope(),
        })
    });
    output.table(&["client", "name", "access", "since", "scope"], &rows, &Value::Array(json.collect()));
    Ok(())
}

pub(super) fn withdraw(
    store: &Store,
    output: &Output,
    name: &UserName,
    client: &ClientId,
) -> Result<(), Failure> {
    if !applications::withdraw_of_account(store, name, client, now()).map_err(Failure::new)? {
        return Err(Failure::new(format!(
            "{name} allowed {client} nothing that could be withdrawn: countersign user applications {name}"
        )));
    }
    let said = format!("what {name} allowed {client} is withdrawn");
    output.say(&[said], &json!({ "withdrawn": client }));
    Ok(())
}
