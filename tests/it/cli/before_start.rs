//! What the configuration file declares is in the database only once a server has started with it; commands that are run
//! before say so, and take it into account.

use super::super::support::program::Home;
use super::API;

const DECLARED: &str = r#"
[[resource_servers]]
id = "https://api.example"
scopes = { "notes:read" = "Read" }
[[clients]]
id = "notes"
profile = "spa"
redirect_uris = ["https://app.example/cb"]
scopes = ["notes:read"]
resources = ["https://api.example"]
"#;

#[test]
fn a_client_may_name_what_the_file_declares() {
    let home = Home::new(DECLARED);
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
    let listed = home.run(&["client", "list"]);
    assert!(listed.err.contains("1 more in the configuration file"), "{listed:?}");
}

#[test]
fn a_client_that_the_file_declares_is_not_made_by_a_command() {
    let home = Home::new(DECLARED);
    let refused = home.run(&["client", "add", "--profile", "service", "--id", "notes"]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("notes is declared in the configuration file"), "{}", refused.err);
}

#[test]
fn a_scope_without_its_resource_server_is_refused_with_the_name_of_it() {
    let home = Home::new(DECLARED);
    let refused =
        home.run(&["client", "add", "--profile", "service", "--id", "job", "--scope", "notes:read"]);
    assert!(refused.err.contains("notes:read belongs to https://api.example"), "{}", refused.err);
    let refused = home.run(&["client", "add", "--profile", "service", "--id", "job", "--scope", "nowhere"]);
    assert!(refused.err.contains("there is no scope nowhere"), "{}", refused.err);
}

#[test]
fn two_clients_may_share_a_secret_and_a_client_may_be_renamed() {
    let clients = |name: &str| {
        format!(
            "{DECLARED}[[clients]]\nid = \"{name}\"\nprofile = \"service\"\nsecret_env = \"SHARED\"\n\
             [[clients]]\nid = \"other\"\nprofile = \"service\"\nsecret_env = \"SHARED\"\n"
        )
    };
    let mut home = Home::new(&clients("job"));
    home.set("SHARED", "a-secret-that-a-machine-has-made-0123456789");
    drop(home.serve());
    let renamed =
        std::fs::read_to_string(home.path("countersign.toml")).unwrap().replace("\"job\"", "\"work\"");
    home.configure(&renamed);
    drop(home.serve());
    let state = |id: &str| home.json(&["client", "show", id])["disabled_at"].is_null();
    assert_eq!((state("job"), state("work"), state("other")), (false, true, true));
}

#[test]
fn a_name_that_is_taken_is_told_before_a_password_is_asked_for() {
    let home = Home::new("");
    home.ok(&["user", "add", "alice", "--generate"]);
    let refused = home.run(&["user", "add", "ALICE"]);
    assert!(refused.err.contains("there is a user of this name already"), "{}", refused.err);
}

/// Where there is neither a configuration nor a database, a command would make one that no server ever reads.
#[test]
fn a_command_in_a_wrong_folder_is_refused_and_makes_nothing() {
    let mut home = Home::empty();
    for command in [&["user", "list"][..], &["client", "list"], &["stats"]] {
        let told = home.refused(command);
        assert!(told.contains("there is no configuration file: looked for"), "{told}");
        assert!(told.contains("where the server is started"), "{told}");
    }
    assert!(!home.path("countersign.db").exists());
    // Whoever says by the environment where the database is means it.
    home.set("COUNTERSIGN_DATABASE__URL", "sqlite:here.db");
    home.ok(&["user", "list"]);
    assert!(home.path("here.db").exists());
}
