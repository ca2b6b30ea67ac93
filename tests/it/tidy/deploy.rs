//! What no container engine checks here: docker-compose.yml by a YAML parser, and the configuration that it gives the
//! nodes by our own; the Dockerfile by what it must not lack; every TOML block of the pages by loading it.

use std::path::Path;
use std::process::Command;

use countersign::config::Config;
use serde_json::Value;

use super::docs::pages;
use super::{ROOT, none};

fn text(path: &str) -> String {
    std::fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The file as JSON. Where no python with a YAML parser is there, it is said, and fails under `CI`.
fn compose() -> Option<Value> {
    let script = "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)";
    for python in ["python3", "/usr/bin/python3"] {
        let file = Path::new(ROOT).join("docker-compose.yml");
        let Ok(output) = Command::new(python).args(["-c", script]).arg(file).output() else { continue };
        if output.status.success() {
            return Some(serde_json::from_slice(&output.stdout).unwrap());
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("No module named 'yaml'"), "docker-compose.yml: {said}");
    }
    assert!(std::env::var_os("CI").is_none(), "python3-yaml is required in CI: tools/test-deps installs it");
    println!("docker-compose.yml was not read: there is no python3 with a YAML parser");
    None
}

/// `${NAME:?message}` and `${NAME:-default}` as docker compose fills them in; a refusal is `Err` with its message.
fn filled(text: &str, given: &[(&str, &str)]) -> Result<String, String> {
    let Some((head, rest)) = text.split_once("${") else { return Ok(text.to_owned()) };
    let (inside, tail) = rest.split_once('}').unwrap();
    let (name, otherwise) = inside.split_once(':').unwrap_or((inside, "?no default"));
    let value = match (given.iter().find(|(known, _)| *known == name), otherwise.split_at(1)) {
        (Some((_, value)), _) => (*value).to_owned(),
        (None, ("-", default)) => default.to_owned(),
        (None, (_, message)) => return Err(format!("{name}: {message}")),
    };
    Ok(format!("{head}{value}{}", filled(tail, given)?))
}

const SAMPLE: [(&str, &str); 2] = [
    ("POSTGRES_PASSWORD", "geheim"),
    ("COUNTERSIGN_MASTER_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
];

fn environment(service: &Value, given: &[(&str, &str)]) -> Result<Vec<(String, String)>, String> {
    let all = service["environment"].as_object().unwrap();
    all.iter().map(|(name, value)| Ok((name.clone(), filled(value.as_str().unwrap(), given)?))).collect()
}

#[test]
fn compose_runs_a_database_one_migration_two_nodes_and_a_proxy_in_that_order() {
    let Some(compose) = compose() else { return };
    let services = compose["services"].as_object().unwrap();
    let names: Vec<&str> = services.keys().map(String::as_str).collect();
    assert_eq!(names, ["db", "migrate", "node1", "node2", "proxy"]);
    let waits = |name: &str, on: &str| services[name]["depends_on"][on]["condition"].as_str();
    assert_eq!(waits("migrate", "db"), Some("service_healthy"));
    for node in ["node1", "node2"] {
        assert_eq!(services[node]["command"][0], "serve");
        assert_eq!(waits(node, "migrate"), Some("service_completed_successfully"));
        assert_eq!(waits("proxy", node), Some("service_healthy"));
        assert!(services[node]["healthcheck"]["test"].is_array() && services[node]["ports"].is_null());
    }
    assert!(services["db"]["healthcheck"]["test"].is_array() && services["db"]["ports"].is_null());
    for (name, service) in services {
        let image = service["image"].as_str().unwrap();
        assert!(image.split_once(':').is_some_and(|(_, tag)| tag != "latest"), "{name}: {image}");
        assert!(service["privileged"].is_null(), "{name}");
        for volume in service["volumes"].as_array().into_iter().flatten() {
            let source = volume.as_str().unwrap().split(':').next().unwrap();
            let is_there = match source.strip_prefix("./") {
                Some(path) => Path::new(ROOT).join(path).is_file(),
                None => compose["volumes"].get(source).is_some(),
            };
            assert!(is_there, "{name}: {source} is not there");
        }
    }
}

#[test]
fn compose_starts_nothing_until_password_and_master_key_are_set() {
    let Some(compose) = compose() else { return };
    for (name, missing) in [("db", 0), ("migrate", 0), ("node1", 0), ("node2", 1)] {
        let given = [SAMPLE[1 - missing]];
        let refused = environment(&compose["services"][name], &given);
        let says = |error: String| error.contains(SAMPLE[missing].0) && error.contains("deploy/env.example");
        assert!(refused.is_err_and(says), "{name} starts without {}", SAMPLE[missing].0);
        assert!(environment(&compose["services"][name], &SAMPLE).is_ok(), "{name}");
    }
    let example = text("deploy/env.example");
    for (name, _) in SAMPLE {
        assert!(example.lines().any(|line| line == format!("{name}=")), "{name} has no value in the example");
    }
}

#[test]
fn the_configuration_that_compose_gives_the_nodes_is_valid() {
    let Some(compose) = compose() else { return };
    for node in ["migrate", "node1", "node2"] {
        let service = &compose["services"][node];
        let environment = environment(service, &SAMPLE).unwrap();
        let config =
            Config::load(Some(&Path::new(ROOT).join("deploy/countersign.toml")), environment.into_iter());
        let config = config.unwrap_or_else(|error| panic!("{node}: {error}"));
        assert_eq!(config.validate(), [], "{node}");
        assert_eq!(config.issuer().unwrap().as_str(), "https://localhost");
        assert!(!config.database.migrates_at_start(), "{node}: only `migrate` does");
        // The proxy's address, and nobody else's.
        let proxy = compose["services"]["proxy"]["networks"]["front"]["ipv4_address"].as_str().unwrap();
        assert_eq!(config.server.trusted_proxies.len(), 1);
        assert!(config.server.trusted_proxies[0].contains(proxy.parse().unwrap()));
    }
}

#[test]
fn the_image_is_built_from_the_lock_file_and_does_not_run_as_root() {
    let dockerfile = text("Dockerfile");
    let has = |line: &str| dockerfile.lines().any(|found| found.starts_with(line));
    assert!(dockerfile.contains("cargo build --release --locked"));
    assert!(has("USER 10001") && has("HEALTHCHECK ") && has("STOPSIGNAL SIGTERM"));
    assert!(!dockerfile.contains("MASTER_KEY") && !dockerfile.contains(":latest"));
    let ignored = text(".dockerignore");
    let copied = dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix("COPY "))
        .filter(|rest| !rest.starts_with("--"));
    for source in
        copied.flat_map(|rest| rest.split_whitespace().rev().skip(1)).filter(|source| *source != ".")
    {
        assert!(Path::new(ROOT).join(source).exists(), "{source} is not there");
        assert!(
            ignored.lines().any(|line| line == format!("!{source}")),
            "{source} is not in the build's context"
        );
    }
    assert_eq!(
        ignored.lines().find(|line| !line.starts_with('#')),
        Some("*"),
        "all is left out but what is named"
    );
}

#[test]
fn every_toml_block_in_the_pages_is_a_configuration_that_loads() {
    let mut seen = 0;
    let mut wrong = Vec::new();
    for page in pages() {
        for block in page.text.split("```toml\n").skip(1) {
            let block = block.split("```").next().unwrap();
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("block.toml");
            std::fs::write(&file, block).unwrap();
            seen += 1;
            match Config::load(Some(&file), std::iter::empty()) {
                Err(error) => wrong.push(format!("{}: {error}\n{block}", page.path)),
                Ok(config) => {
                    wrong.extend(config.validate().iter().map(|p| format!("{}: {p}\n{block}", page.path)));
                }
            }
        }
    }
    assert!(seen > 0);
    none(wrong);
}
