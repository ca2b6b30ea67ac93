//! Where files are looked for and made, whatever the working directory; and what an operator is told who did not look.

use super::super::support::program::{Home, free_ports};
use super::super::support::raw::Raw;

/// From another working directory the same file leads to the same database, not to a new and empty one.
#[test]
fn relative_paths_count_from_the_folder_of_the_configuration_file() {
    let home = Home::new("");
    home.ok(&["user", "add", "alice", "--generate"]);
    let elsewhere = tempfile::tempdir().unwrap();
    let file = home.path("countersign.toml");
    let mut command = home.command(&["--config", file.to_str().unwrap(), "user", "list"]);
    let output = command.current_dir(elsewhere.path()).output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains("alice"));
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0, "something was made there");
}

#[test]
fn whoever_makes_a_database_is_told_where() {
    let home = Home::new("");
    let first = home.run(&["user", "list"]);
    let path = home.path("countersign.db").canonicalize().unwrap();
    assert!(first.err.contains(&format!("A new database was made: {}", path.display())), "{first:?}");
    assert_eq!(home.run(&["user", "list"]).err, "");
}

#[test]
fn serve_says_where_it_looked_for_a_file_when_there_is_none() {
    let home = Home::empty();
    let told = home.refused(&["serve"]);
    assert!(told.contains("server.issuer: not set") && told.contains("countersign.toml; --config"), "{told}");
}

/// Nobody has to run `check` before `serve`: what it would say of addresses and modes stands in the log.
#[test]
fn serve_warns_of_an_http_issuer_that_others_can_reach_and_of_open_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::empty();
    let port = free_ports(1);
    home.configure(&format!(
        "[server]\nissuer = \"http://127.0.0.1:{port}\"\nlisten = [\"0.0.0.0:{port}\"]\n"
    ));
    home.ok(&["migrate"]);
    std::fs::set_permissions(home.path("countersign.db"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let served = home.start(&["serve"]);
    served.wait_until_it_listens(([127, 0, 0, 1], port).into());
    let log = served.log();
    assert!(log.contains("WARN") && log.contains("passwords would travel in clear"), "{log}");
    assert!(log.contains("chmod 600"), "{log}");
}

#[test]
fn a_setting_without_its_section_is_led_to_the_right_name() {
    let mut home = Home::new("");
    home.set("COUNTERSIGN_ISSUER", "https://id.example");
    let told = home.refused(&["client", "list"]);
    assert!(told.contains("did you mean `COUNTERSIGN_SERVER__ISSUER`?"), "{told}");
}

/// As when a backup is put back beside the log of another file.
#[test]
fn check_finds_a_damaged_database() {
    let home = Home::new("");
    home.ok(&["user", "add", "alice", "--generate"]);
    let file = home.path("countersign.db");
    Raw::open(&format!("sqlite:{}", file.display())).run("PRAGMA wal_checkpoint(TRUNCATE)");
    let mut bytes = std::fs::read(&file).unwrap();
    let pages = bytes.len() / 4096;
    for page in pages / 2..pages {
        bytes[page * 4096..][..64].fill(0xaa);
    }
    std::fs::write(&file, bytes).unwrap();
    let run = home.run(&["check"]);
    assert_eq!(run.code, 1);
    assert!(run.out.lines().any(|line| line.starts_with("PROBLEM  database")), "{}", run.out);
    assert!(!run.out.contains("is up to date"), "{}", run.out);
}

/// What is left to do when the master key is lost for good (docs/OPERATIONS.md).
#[test]
fn keys_whose_master_key_is_lost_make_room_for_new_ones() {
    let home = Home::new("");
    drop(home.serve());
    std::fs::remove_file(home.path("keys/master.key")).unwrap();
    assert!(home.refused(&["serve"]).contains("does not exist"));
    let keys = home.json(&["key", "list"]);
    for key in keys.as_array().unwrap() {
        let kid = key["kid"].as_str().unwrap();
        home.ok(&["key", "retire", kid, "--last"]);
        assert!(home.refused(&["key", "remove", kid]).contains("--at-once"));
        home.ok(&["key", "remove", kid, "--at-once"]);
    }
    let served = home.serve();
    assert_eq!(served.client().get("/.well-known/jwks.json").json()["keys"].as_array().unwrap().len(), 2);
    assert_eq!(home.run(&["check"]).code, 0);
}
