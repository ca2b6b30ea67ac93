//! `countersign check`: silent on a good set-up, and each fault by its name. It changes nothing.

use std::collections::BTreeMap;

use super::support::db::Database;
use super::support::program::{CHEAP, Home, files, free_ports, set_mode};
use super::support::raw::Raw;

/// Runs `check`, which must end with 1 and say `word` in a line that is a problem.
fn problem(home: &Home, word: &str) {
    let run = home.run(&["check"]);
    assert_eq!(run.code, 1, "{word}: {run:?}");
    let found = run.out.lines().any(|line| line.starts_with("PROBLEM") && line.contains(word));
    assert!(found, "{word} is in no problem of:\n{}{}", run.out, run.err);
}

fn server(home: &Home, issuer: &str, listen: &str, more: &str) {
    home.configure(&format!("[server]\nissuer = \"{issuer}\"\nlisten = [\"{listen}\"]\n{more}\n{CHEAP}"));
}

#[test]
fn a_good_set_up_has_no_problem_before_its_first_start_and_after_it() {
    let home = Home::new("");
    let run = home.run(&["check"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.out.contains("0 problem(s), 0 warning(s)"), "{run:?}");
    assert_eq!(files(home.folder.path()), ["countersign.toml"], "nothing is made");

    drop(home.serve());
    let run = home.run(&["check"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.out.contains("0 problem(s), 0 warning(s)"), "{run:?}");
    let json = home.json(&["check"]);
    assert_eq!((&json["problems"], &json["warnings"]), (&0.into(), &0.into()), "{json}");
}

#[test]
fn it_changes_no_byte_of_what_is_there() {
    let home = Home::new("");
    let served = home.serve();
    served.signal(15);
    assert_eq!(served.code(), Some(0));
    // Whoever closes SQLite's file last takes its log in, and that moves bytes: it is done before.
    let file = format!("sqlite:{}", home.path("countersign.db").display());
    Raw::open(&file).run("PRAGMA wal_checkpoint(TRUNCATE)");
    let contents = || {
        // SQLite's own files beside the database come and go with whoever looks into it.
        let is_ours = |name: &String| !name.ends_with("-shm") && !name.ends_with("-wal");
        let paths = files(home.folder.path()).into_iter().filter(is_ours).map(|name| home.path(&name));
        let paths = paths.filter(|path| path.is_file());
        paths.map(|path| (path.clone(), std::fs::read(&path).unwrap())).collect::<BTreeMap<_, _>>()
    };
    let before = contents();
    assert_eq!(home.run(&["check"]).code, 0);
    let after = contents();
    assert!(before.keys().eq(after.keys()), "{:?} and {:?}", before.keys(), after.keys());
    for (path, bytes) in &before {
        assert!(after[path] == *bytes, "{} is another", path.display());
    }
}

#[test]
fn an_empty_database_of_another_program_is_looked_at_and_left_alone() {
    let Some(database) = Database::postgres() else { return };
    let home = Home::new(&format!("[database]\nurl = \"{}\"\n", database.url));
    set_mode(&home.path("countersign.toml"), 0o600);
    problem(&home, "migration(s) (2026-11-23-000001_first");
    use diesel::{Connection as _, RunQueryDsl as _};
    let mut conn = diesel::PgConnection::establish(&database.url).unwrap();
    let query = "SELECT 1 FROM pg_tables WHERE tablename = '__diesel_schema_migrations'";
    assert_eq!(diesel::sql_query(query).execute(&mut conn).unwrap(), 0, "a table was made");
}

#[test]
fn each_fault_between_the_issuer_and_the_listener_is_named() {
    let port = free_ports(1);
    let (near, far) = (format!("127.0.0.1:{port}"), format!("0.0.0.0:{port}"));
    let http = format!("http://127.0.0.1:{port}");
    for (issuer, listen, more, word) in [
        (&*http, &*far, "", "passwords would travel in clear"),
        ("https://id.example", &near, "", "nobody does TLS"),
        ("https://id.example", &near, "trusted_proxies = [\"0.0.0.0/0\"]", "trusts everybody"),
        ("https://id.example", &near, "trusted_proxies = [\"::/0\"]", "trusts everybody"),
        ("https://id.example", &near, "trusted_proxies = [\"10.0.0.0/8\"]", "server.listen is on loopback"),
        ("https://id.example", &near, "trusted_proxies = [\"::1\"]", "server.listen is on loopback"),
        ("https://id.example", "192.0.2.1:1", "trusted_proxies = [\"10.0.0.1\"]", "192.0.2.1:1"),
        ("http://id.example", &near, "", "http is for localhost"),
    ] {
        let home = Home::empty();
        server(&home, issuer, listen, more);
        problem(&home, word);
        assert_eq!(files(home.folder.path()), ["countersign.toml"], "{word}");
    }
    let home = Home::empty();
    server(&home, "https://id.example", &near, "trusted_proxies = [\"127.0.0.1\"]");
    assert_eq!(home.run(&["check"]).code, 0);
}

#[test]
fn no_file_and_no_issuer_is_told_with_the_remedy() {
    problem(&Home::empty(), "COUNTERSIGN_SERVER__ISSUER");
}

#[test]
fn an_address_that_is_taken_is_a_warning_as_the_server_itself_may_hold_it() {
    let home = Home::new("");
    let _served = home.serve();
    let run = home.run(&["check"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.out.contains("warning  listener") && run.out.contains("is taken"), "{run:?}");
}

#[test]
fn a_database_out_of_reach_is_a_problem_and_its_keys_are_not_guessed_at() {
    let home = Home::new("[database]\nurl = \"postgres://u@127.0.0.1:1/d\"\nacquire_timeout_ms = 300\n");
    problem(&home, "database");
    let out = home.run(&["check"]).out;
    assert!(out.contains("not looked at") && !out.contains("the first start makes them"), "{out}");
}

#[test]
fn a_database_that_is_behind_is_a_problem_where_the_start_does_not_migrate() {
    let home = Home::new("");
    std::fs::write(home.path("countersign.db"), "").unwrap();
    set_mode(&home.path("countersign.db"), 0o600);
    assert_eq!(home.run(&["check"]).code, 0, "the start migrates");
    let text = std::fs::read_to_string(home.path("countersign.toml")).unwrap();
    home.configure(&format!("{text}[database]\nmigrate_at_start = false\n"));
    problem(&home, "run `countersign migrate`");
}

#[test]
fn certificates_that_cannot_be_read_and_clients_that_cannot_be_asked_are_told() {
    let home = Home::new("[outbound]\nca_file = \"ca.pem\"\n");
    problem(&home, "outbound.ca_file");
    std::fs::write(home.path("ca.pem"), "nothing").unwrap();
    problem(&home, "there is no certificate in it");
    assert_ne!(home.run(&["serve"]).code, 0, "and the server does not start with it");
    let service =
        "[[clients]]\nid = \"a\"\nprofile = \"service\"\ntoken_endpoint_auth_method = \"private_key_jwt\"\n";
    let home = Home::new(&format!("{service}jwks_uri = \"https://127.0.0.1/keys\"\n"));
    let run = home.run(&["check"]);
    assert!(run.code == 0 && run.out.contains("outbound.allow names it"), "{run:?}");
}

#[test]
fn keys_that_cannot_be_opened_are_a_problem() {
    let mut home = Home::new("");
    drop(home.serve());
    home.set("COUNTERSIGN_KEYS__MASTER_KEY", &countersign::base::encoding::base64url(&[9; 32]));
    problem(&home, "keys");
    home.env.clear();
    assert_eq!(home.run(&["check"]).code, 0);

    let file = home.path("keys/master.key");
    std::fs::rename(&file, home.path("elsewhere")).unwrap();
    problem(&home, "does not exist, and the database already has keys");
    assert!(!file.exists());
}

#[test]
fn files_that_others_can_read_are_problems() {
    let home = Home::new("");
    drop(home.serve());
    for name in ["keys/master.key", "countersign.db"] {
        for mode in [0o640, 0o604, 0o620] {
            set_mode(&home.path(name), mode);
            problem(&home, &format!("chmod 600 {name}"));
        }
        set_mode(&home.path(name), 0o600);
    }
    assert_eq!(home.run(&["check"]).code, 0);
}

#[test]
fn a_configuration_with_a_secret_in_it_must_not_be_open() {
    let key = countersign::base::encoding::base64url(&[9; 32]);
    for extra in [
        format!("[keys]\nmaster_key = \"{key}\"\n"),
        "[database]\nurl = \"postgres://u:geheim@127.0.0.1:1/d\"\nacquire_timeout_ms = 300\n".to_owned(),
        "[database]\nurl = \"postgres://u@127.0.0.1:1/d?password=geheim\"\nacquire_timeout_ms = 300\n"
            .to_owned(),
    ] {
        let home = Home::new(&extra);
        set_mode(&home.path("countersign.toml"), 0o644);
        problem(&home, "chmod 640 countersign.toml");
        set_mode(&home.path("countersign.toml"), 0o640);
        assert!(!home.run(&["check"]).out.contains("chmod"), "{extra}");
    }
    // In one line, and with dots: still a secret.
    let home = Home::empty();
    let address = home.address;
    home.configure(&format!(
        "keys.master_key = \"{key}\"\nserver = {{ issuer = \"http://{address}\", listen = [\"{address}\"] }}\n"
    ));
    set_mode(&home.path("countersign.toml"), 0o644);
    problem(&home, "chmod 640 countersign.toml");
}

#[test]
fn the_secret_file_of_a_client_must_be_there_and_closed() {
    let extra = "[[clients]]\nid = \"job\"\nprofile = \"service\"\nsecret_file = \"job.secret\"\n";
    let home = Home::new(extra);
    problem(&home, "job.secret");
    std::fs::write(home.path("job.secret"), "x".repeat(40)).unwrap();
    set_mode(&home.path("job.secret"), 0o644);
    problem(&home, "chmod 600 job.secret");
    set_mode(&home.path("job.secret"), 0o600);
    assert_eq!(home.run(&["check"]).code, 0);
    std::fs::write(home.path("job.secret"), "hunter2").unwrap();
    problem(&home, "32 to 1024 characters");
    assert!(!home.run(&["check"]).out.contains("hunter2"));
}

fn certificate(home: &Home, name: &str) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(home.path(&format!("{name}.crt")), made.cert.pem()).unwrap();
    std::fs::write(home.path(&format!("{name}.key")), made.signing_key.serialize_pem()).unwrap();
    set_mode(&home.path(&format!("{name}.key")), 0o600);
}

#[test]
fn tls_files_that_do_not_fit_or_are_open_are_problems() {
    let home = Home::empty();
    let port = home.address.port();
    certificate(&home, "a");
    certificate(&home, "b");
    let with = |certificate: &str, key: &str| {
        let tls =
            format!("[server.tls]\ncertificate_file = \"{certificate}\"\nprivate_key_file = \"{key}\"\n");
        server(&home, &format!("https://localhost:{port}"), &format!("127.0.0.1:{port}"), &tls);
    };
    with("a.crt", "a.key");
    let run = home.run(&["check"]);
    assert_eq!(run.code, 0, "{run:?}");
    for (certificate, key, word) in [
        ("a.crt", "b.key", "does not go with b.key"),
        ("missing.crt", "a.key", "missing.crt"),
        ("a.crt", "missing.key", "missing.key"),
        ("a.key", "a.key", "no certificate"),
        ("a.crt", "a.crt", "a.crt"),
    ] {
        with(certificate, key);
        problem(&home, word);
    }
    with("a.crt", "a.key");
    set_mode(&home.path("a.key"), 0o644);
    problem(&home, "chmod 600 a.key");
}

#[test]
fn a_client_that_names_what_is_not_there_is_a_warning() {
    let home = Home::new(
        "[[clients]]\nid = \"job\"\nprofile = \"spa\"\nredirect_uris = [\"https://app.example/\"]\n\
         resources = [\"https://api.example\"]\nscopes = [\"notes:read\"]\n",
    );
    let run = home.run(&["check"]);
    assert_eq!(run.code, 0, "{run:?}");
    for word in ["there is no resource server https://api.example", "there is no scope notes:read"] {
        assert!(run.out.lines().any(|line| line.starts_with("warning") && line.contains(word)), "{run:?}");
    }
    // One that was made on the command line is one too.
    home.ok(&["resource", "add", "https://api.example", "--scope", "notes:read=Read"]);
    assert!(home.run(&["check"]).out.contains("0 warning(s)"));
}

/// RFC 6749 §3.1: "Request and response parameters MUST NOT be included more than once."
#[test]
fn an_address_with_a_parameter_of_the_answer_is_refused_in_the_file_and_by_command() {
    let uri = "https://app.example/cb?state=1";
    let home =
        Home::new(&format!("[[clients]]\nid = \"shop\"\nprofile = \"spa\"\nredirect_uris = [\"{uri}\"]\n"));
    let out = home.run(&["check"]).out;
    assert!(out.contains("its query has state") && out.contains("1 problem(s)"), "{out}");
    let home = Home::new("");
    let told = home.refused(&["client", "add", "--profile", "spa", "--id", "shop", "--redirect-uri", uri]);
    assert!(told.contains("redirect_uris") && told.contains("its query has state"), "{told}");
}

#[test]
fn what_the_file_declares_no_more_is_a_warning_until_the_next_start_has_ended_it() {
    let declared = "[[resource_servers]]\nid = \"https://api.example\"\n\
                    [[clients]]\nid = \"shop\"\nprofile = \"spa\"\nredirect_uris = [\"https://app.example/\"]\n";
    let home = Home::new(declared);
    drop(home.serve());
    let with_it = std::fs::read_to_string(home.path("countersign.toml")).unwrap();
    assert!(home.run(&["check"]).out.contains("0 problem(s), 0 warning(s)"));

    home.configure(&with_it.replace(declared, ""));
    let out = home.run(&["check"]).out;
    for text in ["client shop is gone", "resource server https://api.example is gone"] {
        assert!(out.lines().any(|line| line.starts_with("warning") && line.contains(text)), "{text}: {out}");
    }
    drop(home.serve());
    let run = home.run(&["check"]);
    assert!(run.out.contains("0 problem(s), 0 warning(s)"), "{run:?}");
}
