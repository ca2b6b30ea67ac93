//! `countersign user sessions` and `sign-out`: where a user is signed in, and the end of that.

use serde_json::{Value, json};

use crate::base::Id;
use crate::domain::UserName;
use crate::domain::session::IdleTtls;
use crate::flow::accounts;
use crate::oauth::ClientId;
use crate::store::Store;

use super::output::{Failure, Output, listed};
use super::setup::now;

/// Those that count: a session that lay idle too long is as good as ended.
pub(super) fn list(store: &Store, output: &Output, name: &UserName, idle: IdleTtls) -> Result<(), Failure> {
    let mut found = accounts::sessions(store, name, now()).map_err(Failure::new)?;
    found.retain(|(session, _)| session.is_alive(now(), idle));
    let row = |(session, clients): &(crate::domain::Session, Vec<ClientId>)| {
        let browser = session.browser.clone().unwrap_or_default();
        let (began, used) = (session.started_at.minute(), session.last_seen_at.minute());
        vec![session.id.to_string(), browser, began, used, listed(clients)]
    };
    let rows: Vec<Vec<String>> = found.iter().map(row).collect();
    let json = found.iter().map(|(session, clients)| {
        json!({
            "id": session.id,
            "browser": session.browser,
            "started_at": session.started_at,
            "authenticated_at": session.authenticated_at,
            "last_seen_at": session.last_seen_at,
            "expires_at": session.expires_at,
            "remembered": session.remembered,
            "clients": clients,
        })
    });
    output.table(&["id", "browser", "began", "last used", "clients"], &rows, &Value::Array(json.collect()));
    Ok(())
}

pub(super) fn end(
    store: &Store,
    output: &Output,
    name: &UserName,
    session: Option<Id>,
) -> Result<(), Failure> {
    let ended = accounts::sign_out(store, name, session, now()).map_err(Failure::new)?;
    if let (Some(id), 0) = (session, ended) {
        return Err(Failure::new(format!(
            "{name} has no session {id} that goes on: countersign user sessions {name}"
        )));
    }
    let word = if ended == 1 { "session" } else { "sessions" };
    output.say(&[format!("{ended} {word} of {name} ended")], &json!({ "ended": ended }));
    Ok(())
}
