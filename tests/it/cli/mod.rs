//! The command line, run as an operator runs it.

mod before_start;
mod client;
mod client_keys;
mod formats;
mod key;
mod key_plan;
mod places;
mod registration;
mod stats;
mod token;
mod users;

use super::support::program::{Home, files};

/// A resource server and a client secret that the tests of the commands share.
pub const API: &str = "https://api.example";

/// A home with the resource server [`API`], made on the command line.
fn with_api() -> Home {
    let home = Home::new("");
    home.ok(&["resource", "add", API, "--scope", "notes:read=Read", "--include-roles", "true"]);
    home
}

#[test]
fn every_command_answers_a_script_with_one_json_document() {
    let home = with_api();
    for arguments in [
        &["migrate"][..],
        &["migrate", "--status"],
        &["check"],
        &["stats"],
        &["client", "add", "--profile", "service", "--id", "job", "--resource", API, "--scope", "notes:read"],
        &["client", "list"],
        &["client", "show", "job"],
        &["client", "edit", "job", "--name", "Job"],
        &["client", "disable", "job"],
        &["client", "enable", "job"],
        &["client", "secret", "add", "job"],
        &["client", "secret", "list", "job"],
        &["client", "delete", "job"],
        &["client", "hash-secret", "--generate"],
        &["resource", "list"],
        &["resource", "show", API],
        &["resource", "edit", API, "--name", "Notes"],
        &["role", "add", "editor", "--description", "Edits"],
        &["role", "list"],
        &["user", "add", "alice", "--generate", "--role", "editor"],
        &["token", "add", "--user", "alice", "--name", "Backup", "--resource", API, "--scope", "notes:read"],
        &["token", "list"],
        &["user", "list"],
        &["user", "applications", "alice"],
        &["user", "show", "alice"],
        &["user", "edit", "alice", "--email", "a@example.org"],
        &["user", "take", "alice", "editor"],
        &["user", "give", "alice", "editor"],
        &["user", "password", "alice", "--generate"],
        &["user", "lock", "alice"],
        &["user", "unlock", "alice"],
        &["user", "delete", "alice"],
        &["role", "delete", "editor"],
        &["registration", "token", "create"],
        &["registration", "token", "list"],
        &["key", "generate", "--algorithm", "ES384"],
        &["key", "list"],
        &["key", "reseal"],
        &["resource", "delete", API],
    ] {
        let answer = home.json(arguments);
        assert!(answer.is_object() || answer.is_array(), "{arguments:?}: {answer}");
    }
}

#[test]
fn a_refusal_is_json_too_where_json_was_asked_for() {
    let run = Home::new("").run(&["client", "show", "nobody", "--json"]);
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    let told: serde_json::Value = serde_json::from_str(&run.err).unwrap();
    assert_eq!(told["errors"][0], "there is no client nobody");
}

#[test]
fn wrong_usage_is_2_and_a_refusal_is_1_and_help_is_0() {
    let home = Home::new("");
    for (arguments, code) in [
        (&[][..], 2),
        (&["nope"], 2),
        (&["client", "add"], 2),
        (&["client", "add", "--profile", "desktop"], 2),
        (&["client", "show", "a b"], 2),
        (&["client", "secret", "end", "job", "no-uuid"], 2),
        (&["key", "generate", "--algorithm", "HS256"], 2),
        (&["key", "generate", "--algorithm", "none"], 2),
        (&["resource", "add", "not-a-uri"], 2),
        (&["user", "add", "alice", "--generate", "--password-stdin"], 2),
        (&["user", "withdraw", "alice", "a b"], 2),
        (&["user", "withdraw", "alice"], 2),
        (&["token", "add", "--user", "alice", "--name", "x", "--resource", API], 2),
        (&["token", "list", "--user", "alice", "--client", "job"], 2),
        (&["token", "revoke", "nothing"], 1),
        (&["demo", "--port", "0"], 2),
        (&["client", "show", "nobody"], 1),
        (&["client", "secret", "list", "nobody"], 1),
        (&["user", "show", "nobody"], 1),
        (&["key", "retire", "nothing"], 1),
        (&["--help"], 0),
        (&["--version"], 0),
    ] {
        let run = home.run(arguments);
        assert_eq!(run.code, code, "{arguments:?}: {run:?}");
        assert_eq!(run.out.is_empty(), code != 0, "{arguments:?}: {run:?}");
    }
}

#[test]
fn an_unknown_key_is_refused_with_what_was_meant() {
    let home = Home::new("");
    home.configure("[server]\nisuer = \"http://127.0.0.1:1\"\n[tokens]\naccess_token_ttl = 5\n");
    let told = home.refused(&["client", "list"]);
    assert!(told.contains("server.isuer: unknown key; did you mean `issuer`?"), "{told}");
    assert!(told.contains("`access_token_ttl_s`"), "everything at once: {told}");
    assert_eq!(files(home.folder.path()), ["countersign.toml"]);
}

#[test]
fn the_environment_goes_before_the_file_and_an_unknown_variable_is_refused() {
    let mut home = Home::new("");
    home.set("COUNTERSIGN_DATABASE__URL", "sqlite:other.db");
    home.ok(&["client", "list"]);
    assert!(home.path("other.db").exists() && !home.path("countersign.db").exists());

    home.set("COUNTERSIGN_DATABASE__ULR", "postgres://u:geheim@h/d");
    let told = home.refused(&["client", "list"]);
    assert!(told.contains("COUNTERSIGN_DATABASE__URL") && !told.contains("geheim"), "{told}");
}

#[test]
fn the_configuration_file_can_be_named_in_two_ways_and_must_then_be_there() {
    let mut home = Home::new("");
    let told = home.refused(&["--config", "other.toml", "client", "list"]);
    assert!(told.contains("other.toml"), "{told}");
    std::fs::rename(home.path("countersign.toml"), home.path("other.toml")).unwrap();
    home.ok(&["client", "list", "--config", "other.toml"]);
    home.set("COUNTERSIGN_CONFIG", "missing.toml");
    let told = home.refused(&["client", "list"]);
    assert!(told.contains("missing.toml"), "{told}");
}

#[test]
fn no_error_tells_a_secret() {
    let mut home = Home::new("");
    home.set("COUNTERSIGN_KEYS__MASTER_KEY", "geheim-geheim");
    assert!(!home.refused(&["key", "list"]).contains("geheim"));
    home.env.clear();
    home.set("COUNTERSIGN_DATABASE__URL", "postgres://u:geheim@127.0.0.1:1/d?password=geheim");
    assert!(!home.refused(&["key", "list"]).contains("geheim"));
    assert!(!home.run(&["check"]).out.contains("geheim"));
    home.env.clear();
    home.set("COUNTERSIGN_DATABASE__URL", "postgres://u:geheim geheim@@127.0.0.1:x/d");
    assert!(!home.refused(&["key", "list"]).contains("geheim"));
    home.env.clear();
    home.configure("[[clients]]\nid = \"a\"\nprofile = \"web\"\nsecret = \"geheim\"\n");
    let told = home.refused(&["key", "list"]);
    assert!(told.contains("secret_file") && !told.contains("geheim"), "{told}");
    home.configure("[database]\nurl = \"postgres://u:geheim@h/d\n");
    assert!(!home.refused(&["key", "list"]).contains("geheim"), "a quote that is missing");
}

#[test]
fn migrate_makes_the_tables_once_and_tells_of_a_newer_database() {
    use diesel::Connection as _;
    use diesel::connection::SimpleConnection as _;
    let home = Home::new("[database]\nmigrate_at_start = false\n");
    home.json(&["migrate"]);
    assert_eq!(home.json(&["migrate"])["applied"], serde_json::json!([]));
    assert_eq!(home.json(&["migrate", "--status"])["missing"], serde_json::json!([]));

    let file = home.path("countersign.db");
    let mut conn = diesel::SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    conn.batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('20990101000001')").unwrap();
    for arguments in [&["migrate"][..], &["migrate", "--status"], &["client", "list"], &["serve"]] {
        let told = home.refused(arguments);
        assert!(told.contains("newer") && told.contains("20990101000001"), "{arguments:?}: {told}");
    }
}

#[test]
fn resources_and_roles_keep_their_rules_at_every_change() {
    let home = with_api();
    for (arguments, word) in [
        (&["resource", "add", API][..], "already"),
        (&["resource", "edit", API, "--access-token-ttl-s", "3601"], "3600"),
        (&["resource", "edit", API, "--signing-algorithm", "ES512"], "keys.algorithms"),
        (&["resource", "edit", API, "--scope", "openid=Mine"], "openid"),
        (&["resource", "edit", "https://other.example", "--name", "x"], "no resource server"),
        (&["role", "add", "a b"], "name"),
        (&["role", "delete", "nothing"], "no role"),
    ] {
        let told = home.refused(arguments);
        assert!(told.contains(word), "{arguments:?}: {told}");
    }
    home.ok(&["role", "add", "editor"]);
    assert!(home.refused(&["role", "add", "editor"]).contains("already"));
}

#[test]
fn who_takes_a_resource_server_away_is_told_which_clients_still_name_it() {
    let home = with_api();
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
    let run = home.run(&["resource", "delete", API]);
    assert!(run.code == 0 && run.err.contains("client job"), "{run:?}");
}
