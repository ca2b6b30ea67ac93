//! What the dependency tree may hold: deny.toml's licences and sources, checked without cargo-deny.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use figment::Figment;
use figment::providers::{Format, Toml};
use serde::Deserialize;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

#[derive(Deserialize)]
struct Deny {
    advisories: Advisories,
    licenses: Licenses,
    sources: Sources,
}

#[derive(Deserialize)]
struct Advisories {
    ignore: Vec<Ignored>,
}

#[derive(Deserialize)]
struct Ignored {
    id: String,
    reason: String,
}

#[derive(Deserialize)]
struct Licenses {
    allow: BTreeSet<String>,
    exceptions: Vec<Exception>,
}

#[derive(Deserialize)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Sources {
    #[serde(rename = "allow-registry")]
    allow_registry: Vec<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    root: String,
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    kind: Option<String>,
}

fn deny() -> Deny {
    Figment::from(Toml::file_exact(format!("{ROOT}/deny.toml"))).extract().unwrap()
}

/// The tree that this machine builds: crates for other platforms need not have been downloaded.
fn metadata() -> Metadata {
    let rustc = Command::new("rustc").arg("-vV").output().unwrap();
    let about = String::from_utf8(rustc.stdout).unwrap();
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let output = Command::new(env!("CARGO"))
        .current_dir(ROOT)
        .args(["metadata", "--locked", "--offline", "--format-version", "1", "--all-features"])
        .args(["--filter-platform", host])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Whether an SPDX expression can be met by the allowed licences; `/` is the old spelling of OR.
fn is_met(expression: &str, allowed: &dyn Fn(&str) -> bool) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let met = any(&mut rest, allowed);
    met && rest.is_empty()
}

fn any(words: &mut &[&str], allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut met = all(words, allowed);
    while let Some(("OR", rest)) = words.split_first().map(|(word, rest)| (*word, rest)) {
        *words = rest;
        // Not `||`: the words are to be read in any case.
        met |= all(words, allowed);
    }
    met
}

fn all(words: &mut &[&str], allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut met = one(words, allowed);
    while let Some(("AND", rest)) = words.split_first().map(|(word, rest)| (*word, rest)) {
        *words = rest;
        met &= one(words, allowed);
    }
    met
}

fn one(words: &mut &[&str], allowed: &dyn Fn(&str) -> bool) -> bool {
    let Some((first, rest)) = words.split_first() else { return false };
    *words = rest;
    if *first == "(" {
        let met = any(words, allowed);
        *words = words.strip_prefix(&[")"]).unwrap_or(&[]);
        return met;
    }
    if let ["WITH", exception, rest @ ..] = words {
        let name = format!("{first} WITH {exception}");
        *words = rest;
        return allowed(&name);
    }
    allowed(first)
}

#[test]
fn an_spdx_expression_is_met_by_one_side_of_or_and_both_of_and() {
    let mit = |name: &str| name == "MIT";
    for met in ["MIT", "MIT OR GPL-2.0-only", "Apache-2.0/MIT", "(GPL-2.0-only AND ISC) OR MIT", "(MIT)"] {
        assert!(is_met(met, &mit), "{met}");
    }
    for unmet in ["", "ISC", "MIT AND ISC", "(MIT OR ISC) AND Zlib", "MIT WITH LLVM-exception", "MIT ISC"] {
        assert!(!is_met(unmet, &mit), "{unmet}");
    }
}

#[test]
fn every_licence_in_the_tree_is_on_the_list() {
    let licenses = deny().licenses;
    for package in metadata().packages {
        let exception = licenses.exceptions.iter().find(|exception| exception.name == package.name);
        let allowed = |name: &str| {
            licenses.allow.contains(name) || exception.is_some_and(|exception| exception.allow.contains(name))
        };
        let expression = package.license.unwrap_or_default();
        assert!(
            is_met(&expression, &allowed),
            "{} {} is under `{expression}`, which deny.toml does not allow",
            package.name,
            package.version
        );
    }
}

#[test]
fn a_licence_exception_is_for_tests_only() {
    let metadata = metadata();
    let nodes: BTreeMap<&str, &Node> = metadata.resolve.nodes.iter().map(|node| (&*node.id, node)).collect();
    let mut shipped = BTreeSet::new();
    let mut open = vec![&*metadata.resolve.root];
    while let Some(id) = open.pop() {
        if shipped.insert(id) {
            let is_shipped =
                |edge: &&Edge| edge.dep_kinds.iter().any(|kind| kind.kind.as_deref() != Some("dev"));
            open.extend(nodes[id].deps.iter().filter(is_shipped).map(|edge| &*edge.pkg));
        }
    }
    assert!(shipped.len() > 50, "the walk must reach the tree");
    for exception in deny().licenses.exceptions {
        let package = metadata.packages.iter().find(|package| package.name == exception.name);
        let package = package.unwrap_or_else(|| panic!("{} is not in the tree any more", exception.name));
        assert!(!shipped.contains(&*package.id), "{} would be in the binary", package.name);
    }
}

#[test]
fn every_crate_comes_from_crates_io() {
    let registries = deny().sources.allow_registry;
    for package in metadata().packages {
        let Some(source) = package.source else {
            assert_eq!(package.name, "countersign", "a path dependency");
            continue;
        };
        let known = registries.iter().any(|registry| source == format!("registry+{registry}"));
        assert!(known, "{} comes from {source}", package.name);
    }
}

#[test]
fn every_ignored_advisory_says_why() {
    for ignored in deny().advisories.ignore {
        assert!(ignored.id.starts_with("RUSTSEC-") && ignored.reason.len() > 20, "{}", ignored.id);
    }
}

#[test]
fn every_direct_dependency_says_why_and_names_a_version() {
    let manifest = std::fs::read_to_string(format!("{ROOT}/Cargo.toml")).unwrap();
    let mut section = "";
    let mut seen = 0;
    for line in manifest.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if line.starts_with('[') {
            section = line;
        } else if section.contains("dependencies]") {
            seen += 1;
            let (entry, reason) = line.split_once(" # ").unwrap_or((line, ""));
            assert!(reason.len() > 5, "no reason in Cargo.toml: {line}");
            assert!(!entry.contains("\"*\""), "a wildcard version in Cargo.toml: {line}");
        }
    }
    assert!(seen > 30, "only {seen} dependencies were read");
}
