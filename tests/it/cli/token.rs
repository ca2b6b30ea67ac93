//! `countersign token`: shown once, listed without the secret, revoked by the id in it.

use serde_json::json;

use super::{API, with_api};
use crate::support::program::Home;

/// A home with a user and a service account.
fn with_owners() -> Home {
    let home = with_api();
    home.ok(&["user", "add", "alice", "--generate"]);
    home.ok(&[
        "client",
        "add",
        "--profile",
        "service",
        "--id",
        "job",
        "--resource",
        API,
        "--scope",
        "notes:read",
    ]);
    home
}

const ADD: [&str; 8] = ["token", "add", "--name", "Backup", "--resource", API, "--scope", "notes:read"];

#[test]
fn a_token_is_printed_once_and_listed_by_its_owner() {
    let home = with_owners();
    let of_alice = home.json(&[&ADD[..], &["--user", "Alice"]].concat());
    let of_job = home.json(&[&ADD[..], &["--client", "job", "--expires-in", "1d"]].concat());
    for (made, days) in [(&of_alice, 90), (&of_job, 1)] {
        let token = made["token"].as_str().unwrap();
        assert!(token.starts_with(&format!("csgn_api_{}_", made["id"].as_str().unwrap())), "{made}");
        let life = made["expires_at"].as_i64().unwrap() - made["created_at"].as_i64().unwrap();
        assert_eq!(life, days * 86_400);
        assert_eq!(made["scope"], "notes:read");
        assert_eq!(made["resource"], API);
    }
    assert_eq!((&of_alice["user"]["username"], &of_alice["client_id"]), (&json!("alice"), &json!(null)));
    assert_eq!((&of_job["user"], &of_job["client_id"]), (&json!(null), &json!("job")));

    let ids = |arguments: &[&str]| {
        let list = home.json(&[&["token", "list"], arguments].concat());
        let mut ids: Vec<_> = list.as_array().unwrap().iter().map(|token| token["id"].clone()).collect();
        ids.sort_by_key(ToString::to_string);
        ids
    };
    let mut both = vec![of_alice["id"].clone(), of_job["id"].clone()];
    both.sort_by_key(ToString::to_string);
    assert_eq!(ids(&[]), both);
    assert_eq!(ids(&["--user", "alice"]), [of_alice["id"].clone()]);
    assert_eq!(ids(&["--client", "job"]), [of_job["id"].clone()]);
    for list in [home.ok(&["token", "list"]), home.ok(&["token", "list", "--json"])] {
        assert!(list.contains("Backup") && !list.contains("csgn_api"), "{list}");
    }
}

#[test]
fn a_token_is_revoked_once_and_stays_in_the_list_as_that() {
    let home = with_owners();
    let made = home.json(&[&ADD[..], &["--user", "alice"]].concat());
    let id = made["id"].as_str().unwrap();
    assert_eq!(home.json(&["token", "revoke", id]), json!({ "revoked": id }));
    assert!(home.refused(&["token", "revoke", id]).contains("no token of this id that counts"));
    assert!(home.refused(&["token", "revoke", "nothing"]).contains("no token of this id that counts"));
    let listed = &home.json(&["token", "list"])[0];
    assert_eq!(listed["revoked_because"], "operator");
    assert!(listed["revoked_at"].is_number());
    assert!(home.ok(&["token", "list"]).contains("(operator)"));
}

#[test]
fn what_no_token_may_be_is_told() {
    let home = with_owners();
    let told = |arguments: &[&str]| home.refused(&[&ADD[..], arguments].concat());
    assert!(told(&[]).contains("--user NAME or --client ID"));
    assert!(told(&["--user", "nobody"]).contains("no user of this name"));
    assert!(told(&["--client", "nobody"]).contains("no such user or client"));
    assert!(told(&["--user", "alice", "--scope", "notes:write"]).contains("notes:write is no scope of"));
    assert!(told(&["--user", "alice", "--expires-in", "367d"]).contains("366 days at most"));
    assert!(told(&["--user", "alice", "--expires-in", "23h"]).contains("a day at least"));
    home.ok(&["user", "lock", "alice"]);
    assert!(told(&["--user", "alice"]).contains("locked"));
    assert_eq!(home.json(&["token", "list"]), json!([]));
}
