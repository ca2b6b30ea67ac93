//! Keys that rotate by themselves, as the program shows and does it; a key that is given up; a master key that is not in a
//! file.

use serde_json::{Value, json};

use super::key::{generate, kids};
use crate::support::program::{Home, until};
use crate::support::raw::Raw;

/// Moves all dates of the keys into the past: the program's clock cannot be moved.
fn aged(home: &Home, seconds: i64) {
    let mut raw = Raw::open(&format!("sqlite:{}", home.path("countersign.db").display()));
    for column in ["created_at", "published_at", "activated_at", "retired_at", "remove_at"] {
        raw.run(&format!("UPDATE signing_keys SET {column} = {column} - {seconds}"));
    }
}

fn shown(home: &Home, kid: &str) -> Value {
    let all = home.json(&["key", "list"]);
    all.as_array().unwrap().iter().find(|key| key["kid"] == kid).unwrap().clone()
}

/// When the state ends that a key is in, and when its successor is published.
fn planned(home: &Home, kid: &str) -> [Value; 2] {
    let shown = shown(home, kid);
    ["until", "successor_at"].map(|name| shown[name].clone())
}

#[test]
fn the_list_tells_what_the_plan_will_do_with_each_key() {
    let home = Home::new("[keys]\nsign_for_s = 1000000\npublish_ahead_s = 5000\n");
    drop(home.serve());
    let of = |algorithm| kids(&home, algorithm, "active").remove(0);
    let (former, rsa) = (of("ES256"), of("RS256"));
    let ends = shown(&home, &former)["activated_at"].as_i64().unwrap() + 1_000_000;
    assert_eq!(planned(&home, &former), [json!(ends), json!(ends - 5000)]);

    // With one published, nothing is to be published before it signs.
    let next = generate(&home, "ES256");
    assert_eq!(planned(&home, &former), [json!(ends), Value::Null]);
    assert_eq!(planned(&home, &next), [json!(ends), Value::Null], "then it signs");
    aged(&home, 5);
    let spare = generate(&home, "ES256");
    assert_eq!(planned(&home, &spare), [Value::Null, Value::Null], "it is not the next one");
    assert!(planned(&home, &rsa)[1].is_i64(), "of another algorithm");
    home.ok(&["key", "activate", &next, "--at-once"]);
    let removed = shown(&home, &former)["remove_at"].clone();
    assert!(removed.is_i64());
    assert_eq!(planned(&home, &former), [removed.clone(), Value::Null]);
    let table = home.ok(&["key", "list"]);
    assert!(table.contains("UNTIL") && table.contains("SUCCESSOR"), "{table}");

    let text = std::fs::read_to_string(home.path("countersign.toml")).unwrap();
    home.configure(&text.replace("[keys]\n", "[keys]\nrotate = false\n"));
    assert_eq!(planned(&home, &next), [Value::Null, Value::Null], "by hand alone");
    assert_eq!(planned(&home, &former)[0], removed);
}

#[test]
fn a_server_that_starts_after_a_long_stop_publishes_what_is_due_at_once_and_check_told_so() {
    let home = Home::new("");
    drop(home.serve());
    assert!(!home.ok(&["check"]).contains("overdue"));
    let former = kids(&home, "RS256", "active");
    aged(&home, 29 * 86_400 + 3_000);
    assert!(!home.ok(&["check"]).contains("overdue"), "any node has an hour");
    aged(&home, 700);
    let told = home.ok(&["check"]);
    assert_eq!(told.matches("overdue for rotation since").count(), 2, "{told}");
    assert!(told.contains("2 warning(s)"), "{told}");

    let served = home.serve();
    until("nothing is published", || served.log().matches("next signing key published").count() == 2);
    let next = kids(&home, "RS256", "published");
    assert_eq!((kids(&home, "RS256", "active"), next.len()), (former.clone(), 1));
    assert!(!home.ok(&["check"]).contains("overdue"));
    until("it is not shown", || served.client().get("/.well-known/jwks.json").body.contains(&next[0]));
    drop(served);
    aged(&home, 2 * 86_400);
    let served = home.serve();
    until("nothing is activated", || served.log().matches("signing key active, the former").count() == 2);
    assert_eq!((kids(&home, "RS256", "active"), kids(&home, "RS256", "retired")), (next, former));
}

#[test]
fn a_plan_that_is_switched_off_is_not_acted_on() {
    let home = Home::new("[keys]\nrotate = false\n");
    drop(home.serve());
    aged(&home, 400 * 86_400);
    let before = home.json(&["key", "list"]);
    let served = home.serve();
    assert_eq!(served.client().get("/health/ready").status, 200);
    served.signal(15);
    assert_eq!(served.code(), Some(0));
    assert_eq!(home.json(&["key", "list"]), before);
    assert!(!home.ok(&["check"]).contains("overdue"));
}

#[test]
fn a_key_of_an_algorithm_that_is_configured_no_more_is_told_of() {
    let home = Home::new("[keys]\nalgorithms = [\"ES256\", \"RS256\", \"EdDSA\"]\n");
    drop(home.serve());
    assert!(!home.ok(&["check"]).contains("nobody rotates it"));
    let text = std::fs::read_to_string(home.path("countersign.toml")).unwrap();
    home.configure(&text.replace(", \"EdDSA\"", ""));
    let (told, kid) = (home.ok(&["check"]), kids(&home, "EdDSA", "active").remove(0));
    assert!(told.contains(&format!("EdDSA {kid} signs")) && told.contains("nobody rotates it"), "{told}");
}

#[test]
fn a_compromised_key_is_replaced_on_a_running_server() {
    let home = Home::new("");
    let served = home.serve();
    let stolen = kids(&home, "ES256", "active").remove(0);
    home.ok(&["key", "export", &stolen, "--out", "copy.pem"]);
    assert_eq!(home.run(&["key", "retire", &stolen, "--compromised", "--last"]).code, 2, "one or the other");
    let run = home.run(&["key", "retire", &stolen, "--compromised"]);
    assert!(run.code == 0 && run.err.contains("for up to 900 s"), "{run:?}");
    let new = kids(&home, "ES256", "active").remove(0);
    assert!(run.out.contains(&new) && run.out.contains("compromised"), "{run:?}");
    let jwks = || served.client().get("/.well-known/jwks.json").body;
    until("the key set stays", || jwks().contains(&new) && !jwks().contains(&stolen));
    until("nobody is told", || served.log().contains("key_compromised"));
    let log = served.log();
    let event = log.lines().find(|line| line.contains("key_compromised")).unwrap();
    assert!(event.contains("countersign::security") && event.contains(&stolen), "{event}");
    assert_eq!(kids(&home, "ES256", "compromised"), std::slice::from_ref(&stolen));

    let told = home.refused(&["key", "import", "copy.pem", "--algorithm", "ES256"]);
    assert!(told.contains("compromised"), "{told}");
    assert!(home.refused(&["key", "export", &stolen, "--out", "again.pem"]).contains("compromised"));
    assert!(!home.path("again.pem").exists());
    assert!(home.refused(&["key", "remove", &stolen]).contains("--at-once forgets it"));
    assert_eq!(home.run(&["check"]).code, 0);
    drop(served);
    drop(home.serve());
}

#[test]
fn a_master_key_that_comes_by_environment_is_not_changed_in_a_file() {
    let mut home = Home::new("");
    drop(home.serve());
    home.set("COUNTERSIGN_KEYS__MASTER_KEY", &countersign::base::encoding::base64url(&[9; 32]));
    for step in [&["key", "rotate-master"][..], &["key", "rotate-master", "prepare"]] {
        assert!(home.refused(step).contains("one after the other"));
    }
    home.env.clear();
    // Nothing was prepared, so there is nothing to switch to, and nothing old to take out.
    let before = std::fs::read(home.path("keys/master.key")).unwrap();
    assert!(home.refused(&["key", "rotate-master", "switch"]).contains("prepare first"));
    assert!(home.refused(&["key", "rotate-master", "finish", "--at-once"]).contains("no old key"));
    assert_eq!(std::fs::read(home.path("keys/master.key")).unwrap(), before);
}
