//! What is read, and each thing that is refused, with the words in which it is refused.

use std::path::{Path, PathBuf};

use crate::config::{AlgorithmName, Config, ConfigError, LogFormat};

fn env(variables: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
    let owned: Vec<_> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    owned.into_iter()
}

struct File(tempfile::TempDir, PathBuf);

fn file(bytes: impl AsRef<[u8]>) -> File {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("countersign.toml");
    std::fs::write(&path, bytes).unwrap();
    File(folder, path)
}

fn load(toml: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let file = file(toml);
    assert!(file.0.path().is_dir());
    Config::load(Some(&file.1), env(variables))
}

/// The one refusal of `toml`, with the folder cut off.
fn refusal(toml: &str, variables: &[(&str, &str)]) -> String {
    let error = load(toml, variables).unwrap_err();
    assert_eq!(error.faults.len(), 1, "{error}");
    let text = error.to_string();
    text.find("countersign.toml").map_or(text.clone(), |at| text[at..].to_owned())
}

#[test]
fn without_file_and_environment_there_are_defaults() {
    let config = Config::load(None, std::iter::empty()).unwrap();
    assert_eq!(config.tokens.code_ttl_s, 60);
    assert_eq!(config.database.url.reveal(), "sqlite:countersign.db");
    assert!(config.server.issuer.is_none() && config.issuer().is_err());
}

#[test]
fn the_environment_goes_before_the_file_key_by_key() {
    let toml = "[tokens]\ncode_ttl_s = 30\nid_token_ttl_s = 100";
    let config = load(toml, &[("COUNTERSIGN_TOKENS__CODE_TTL_S", "45")]).unwrap();
    assert_eq!((config.tokens.code_ttl_s, config.tokens.id_token_ttl_s), (45, 100));
}

#[test]
fn every_kind_of_value_can_come_from_the_environment() {
    let config = Config::load(
        None,
        env(&[
            ("COUNTERSIGN_SERVER__ISSUER", "https://id.example"),
            ("COUNTERSIGN_SERVER__LISTEN", "127.0.0.1:1, [::1]:2"),
            ("COUNTERSIGN_SERVER__TRUSTED_PROXIES", "[\"10.0.0.0/8\"]"),
            ("COUNTERSIGN_SERVER__TLS__CERTIFICATE_FILE", "/tls/cert.pem"),
            ("COUNTERSIGN_KEYS__ALGORITHMS", "RS256,EdDSA"),
            ("COUNTERSIGN_LOGIN__ARGON2__ITERATIONS", " 3 "),
            ("COUNTERSIGN_SWEEPER__ENABLED", "false"),
            ("COUNTERSIGN_LOG__FORMAT", "json"),
            ("COUNTERSIGN_PAGES__SERVICE_NAME", "007"),
            ("COUNTERSIGN_CLIENTS", "[{ id = \"app\", profile = \"spa\" }]"),
            ("COUNTERSIGN_CONFIG", "read elsewhere"),
            ("COUNTERSIGN_PAGE_PREVIEW", "1"),
            ("PATH", "/bin"),
        ]),
    )
    .unwrap();
    assert_eq!(config.issuer().unwrap().as_str(), "https://id.example");
    assert_eq!(config.server.listen.len(), 2);
    assert_eq!(config.server.trusted_proxies[0].to_string(), "10.0.0.0/8");
    assert_eq!(config.server.tls.unwrap().certificate_file, Path::new("/tls/cert.pem"));
    assert_eq!(config.keys.algorithms, [AlgorithmName::Rs256, AlgorithmName::EdDsa]);
    assert_eq!(config.login.argon2.iterations, 3);
    assert!(!config.sweeper.enabled);
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.pages.service_name.as_deref(), Some("007"));
    assert_eq!(config.clients[0].id, "app");
}

#[test]
fn an_empty_variable_unsets_an_optional_key_and_empties_a_list() {
    let toml = "[pages]\nservice_name = \"Notes\"\n[server]\ntrusted_proxies = [\"10.0.0.1\"]";
    let empty = [("COUNTERSIGN_PAGES__SERVICE_NAME", ""), ("COUNTERSIGN_SERVER__TRUSTED_PROXIES", "")];
    let config = load(toml, &empty).unwrap();
    assert!(config.pages.service_name.is_none() && config.server.trusted_proxies.is_empty());
    let told = refusal("", &[("COUNTERSIGN_TOKENS__CODE_TTL_S", "")]);
    assert!(told.ends_with("found nothing"), "{told}");
}

#[test]
fn a_named_file_that_is_missing_is_an_error() {
    let error = Config::load(Some(Path::new("/nonexistent/c.toml")), std::iter::empty()).unwrap_err();
    assert!(error.to_string().starts_with("/nonexistent/c.toml: could not be read: No such file"), "{error}");
}

#[test]
fn a_file_that_is_no_utf_8_is_an_error_and_one_with_a_byte_order_mark_is_not() {
    let broken = file(b"[tokens]\n\xff");
    let error = Config::load(Some(&broken.1), std::iter::empty()).unwrap_err();
    assert!(error.to_string().ends_with("is not UTF-8 text"), "{error}");
    assert!(load("\u{feff}[tokens]\ncode_ttl_s = 30", &[]).is_ok());
}

#[test]
fn a_syntax_error_is_told_with_its_line_but_without_what_stands_there() {
    let told = refusal("[keys]\nmaster_key = \"geheim", &[]);
    assert!(told.contains("line 2, column"), "{told}");
    assert!(!told.contains("geheim") && !told.contains('\n'), "{told}");
}

#[test]
fn a_misspelt_key_is_told_with_its_neighbour() {
    let told = refusal("[tokens]\ncode_tll_s = 1", &[]);
    assert_eq!(told, "countersign.toml: tokens.code_tll_s: unknown key; did you mean `code_ttl_s`?");
}

#[test]
fn a_misspelt_section_is_told_with_its_neighbour() {
    let told = refusal("[token]\ncode_ttl_s = 1", &[]);
    assert_eq!(told, "countersign.toml: token: unknown key; did you mean `tokens`?");
}

#[test]
fn a_key_in_the_wrong_section_is_sent_to_the_right_one() {
    let told = refusal("[server]\ncode_ttl_s = 1", &[]);
    assert_eq!(told, "countersign.toml: server.code_ttl_s: unknown key; it belongs under [tokens]");
}

#[test]
fn an_unknown_key_of_a_client_is_told_with_the_client() {
    let told = refusal("[[clients]]\nid = \"notes\"\nredirect_uri = [\"x\"]", &[]);
    let expected = "clients[\"notes\"].redirect_uri: unknown key; did you mean `redirect_uris`?";
    assert_eq!(told, format!("countersign.toml: {expected}"));
}

#[test]
fn a_misspelt_variable_is_told_with_its_neighbour() {
    let told = refusal("", &[("COUNTERSIGN_SERVER__ISUER", "x")]);
    assert_eq!(
        told,
        "COUNTERSIGN_SERVER__ISUER: no such setting; did you mean `COUNTERSIGN_SERVER__ISSUER`?"
    );
    let single = refusal("", &[("COUNTERSIGN_SERVER_ISSUER", "x")]);
    assert!(single.ends_with("did you mean `COUNTERSIGN_SERVER__ISSUER`?"), "{single}");
    let whole_section = refusal("", &[("COUNTERSIGN_SERVER", "x")]);
    assert!(whole_section.contains("no such setting"), "{whole_section}");
}

#[test]
fn a_variable_that_a_client_names_for_its_secret_is_no_unknown_setting() {
    let client = "[[clients]]\nid = \"a\"\nprofile = \"web\"\nsecret_env = \"COUNTERSIGN_SECRET_A\"";
    assert!(load(client, &[("COUNTERSIGN_SECRET_A", "x")]).is_ok());
    assert!(load(client, &[("COUNTERSIGN_SECRET_B", "x")]).is_err());
}

#[test]
fn a_wrong_type_is_told_with_what_was_expected_and_found() {
    for (toml, told) in [
        (
            "tokens.code_ttl_s = \"60\"",
            "expected a whole number from 1 to 600 in seconds, found the text \"60\"",
        ),
        ("tokens.code_ttl_s = 1.5", "found 1.5"),
        ("tokens.code_ttl_s = -1", "found -1"),
        ("tokens.code_ttl_s = 99999999999", "found 99999999999"),
        ("sweeper.enabled = 1", "expected true or false, found 1"),
        ("server.listen = \"127.0.0.1:80\"", "expected a list, each an IP address"),
        ("tokens = 1", "expected a table, found 1"),
        ("clients = \"x\"", "expected tables, each under `[[clients]]`"),
        ("clients = [\"x\"]", "clients[0]: expected a table, found the text \"x\""),
        ("server.issuer = 7", "expected an https URL"),
    ] {
        let found = refusal(toml, &[]);
        assert!(found.contains(told), "{toml}: {found}");
    }
}

#[test]
fn a_number_outside_of_its_bounds_is_told_with_its_place() {
    let told = refusal("tokens.code_ttl_s = 601", &[]);
    let text = "expected a whole number from 1 to 600 in seconds, found 601";
    assert_eq!(told, format!("countersign.toml: tokens.code_ttl_s: {text}"));
    let told = refusal("", &[("COUNTERSIGN_LOGIN__ARGON2__MEMORY_KIB", "1")]);
    assert!(
        told.starts_with("COUNTERSIGN_LOGIN__ARGON2__MEMORY_KIB: login.argon2.memory_kib: expected"),
        "{told}"
    );
    assert!(
        refusal("[[clients]]\nid = \"a\"\naccess_token_ttl_s = 9", &[]).contains("clients[\"a\"].access")
    );
}

#[test]
fn what_a_text_may_say_is_told_at_its_place() {
    for (toml, told) in [
        ("server.issuer = \"https://id.example/\"", "server.issuer: an issuer ends without a slash"),
        (
            "server.listen = [\"localhost:80\"]",
            "server.listen[0]: expected an IP address and a port such as 127.0.0.1:8080",
        ),
        (
            "server.trusted_proxies = [\"10.0.0.0/8\", \"proxy\"]",
            "server.trusted_proxies[1]: expected a network",
        ),
        (
            "database.url = \"mysql://db\"",
            "database.url: expected `sqlite:FILE` or `postgres://…`, found the scheme",
        ),
        ("database.synchronous = \"off\"", "expected one of `full`, `normal`"),
        ("keys.algorithms = [\"HS256\"]", "keys.algorithms[0]: expected one of `ES256`"),
        ("log.level = \"inf\"", "did you mean `info`?"),
        ("[[clients]]\nid = \"a\"\nprofile = \"sap\"", "did you mean `spa`?"),
        ("[[clients]]\nid = \"a\"\ngrant_types = [\"implicit\"]", "grant_types[0]: expected one of"),
    ] {
        let found = refusal(toml, &[]);
        assert!(found.contains(told), "{toml}: {found}");
    }
}

#[test]
fn a_secret_in_clear_is_refused_with_the_three_ways_out() {
    for key in ["secret", "client_secret"] {
        let told = refusal(&format!("[[clients]]\nid = \"a\"\n{key} = \"geheim\""), &[]);
        for way in ["secret_file", "secret_env", "secret_hash"] {
            assert!(told.contains(way), "{told}");
        }
        assert!(!told.contains("geheim"), "{told}");
    }
}

#[test]
fn no_message_holds_a_master_key_or_a_database_password() {
    for (toml, variables) in [
        ("keys.master_key = \"geheim\"", [].as_slice()),
        ("keys.master_key = 4711", &[]),
        ("database.url = \"mysql://u:geheim@db\"", &[]),
        ("database.url = 4711", &[]),
        ("", &[("COUNTERSIGN_KEYS__MASTER_KEY", "geheim")]),
    ] {
        let told = refusal(toml, variables);
        assert!(!told.contains("geheim") && !told.contains("4711") && told.contains("expected"), "{told}");
    }
}

#[test]
fn broken_toml_in_a_variable_is_told_with_the_variable() {
    for text in ["[{ id = }]", "x", "1\n[evil]", ""] {
        let told = refusal("", &[("COUNTERSIGN_CLIENTS", text)]);
        assert!(told.starts_with("COUNTERSIGN_CLIENTS: clients: expected"), "{told}");
    }
}

#[test]
fn scopes_are_a_table_or_a_list_and_nothing_else() {
    let head = "[[resource_servers]]\nid = \"https://api.example\"\n";
    for scopes in ["{ read = \"Read\" }", "[{ name = \"read\", description = \"Read\" }]"] {
        let config = load(&format!("{head}scopes = {scopes}"), &[]).unwrap();
        let scope = &config.resource_servers[0].scopes.0[0];
        assert_eq!((scope.name.as_str(), scope.description.as_str()), ("read", "Read"));
    }
    for (scopes, told) in [
        ("[\"read\"]", "scopes[0]: expected a table"),
        ("[{ name = \"read\", descripton = \"\" }]", "did you mean `description`?"),
        ("[{ description = \"Read\" }]", "`name` is missing"),
        ("7", "expected a table from scope to description"),
    ] {
        let found = refusal(&format!("{head}scopes = {scopes}"), &[]);
        assert!(
            found.contains(told) && found.contains("resource_servers[\"https://api.example\"]"),
            "{found}"
        );
    }
}

#[test]
fn all_faults_of_file_and_environment_are_told_at_once() {
    let toml = "[tokens]\ncode_ttl_s = 0\nfoo = 1\n[log]\nlevel = 3\n[nonsense]";
    let error =
        load(toml, &[("COUNTERSIGN_NOPE", "1"), ("COUNTERSIGN_CACHE__REFRESH_MS", "fast")]).unwrap_err();
    let keys: Vec<_> = error.faults.iter().map(|fault| fault.key.as_str()).collect();
    assert_eq!(keys, ["cache.refresh_ms", "log.level", "nonsense", "tokens.code_ttl_s", "tokens.foo", ""]);
    assert_eq!(error.to_string().lines().count(), 6);
}

#[test]
fn printing_a_configuration_shows_no_secret() {
    let key = "Z".repeat(42) + "A";
    let toml = format!("keys.master_key = \"{key}\"\ndatabase.url = \"postgres://u:geheim@db/x\"");
    let shown = format!("{:?}", load(&toml, &[]).unwrap());
    assert!(!shown.contains(&key) && !shown.contains("geheim"), "{shown}");
}
