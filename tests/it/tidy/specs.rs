//! The specs: files that carry one out name it, and what `src/` cites is shown by a test.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{File, ROOT, none, rust_files};

/// Files of `oauth` and `flow` that carry out no spec, and why.
const WITHOUT_SPEC: [(&str, &str); 12] = [
    ("src/oauth/mod.rs", "the list of the files"),
    ("src/flow/account.rs", "a user's own pages"),
    ("src/flow/account/password.rs", "the page behind a W3C note"),
    ("src/flow/account/sessions.rs", "a user's own pages"),
    ("src/flow/accounts.rs", "what an operator does with users"),
    ("src/flow/authorize/tickets.rs", "how our own pages hand a request on: no spec is about that"),
    ("src/flow/cx.rs", "what use cases are given"),
    ("src/flow/declare.rs", "applies the configuration file"),
    ("src/flow/faults.rs", "turns faults of the house into OAuth errors"),
    ("src/flow/keys/mod.rs", "the life of keys is the house's own; its words are in domain/key.rs"),
    ("src/flow/keys/reseal.rs", "keys at rest are the house's own"),
    ("src/flow/snapshot.rs", "the memory in front of the database"),
];

#[test]
fn files_that_carry_out_a_spec_name_it() {
    let files = rust_files(&["src/oauth", "src/flow"]);
    none(files.iter().filter_map(without_spec).collect());
    for (path, _) in WITHOUT_SPEC {
        let file = files.iter().find(|file| file.path == path);
        let file = file.unwrap_or_else(|| panic!("{path} is not there any more"));
        assert!(!names_spec(&file.text), "{path} names a spec now: take it off the list");
    }
}

#[test]
fn every_section_that_the_code_cites_is_cited_by_a_test() {
    let mut cited: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut shown = BTreeSet::new();
    for file in rust_files(&["src", "tests"]) {
        let (code, tests) = parted(&file);
        for section in sections(code) {
            cited.entry(section).or_default().insert(file.path.clone());
        }
        shown.extend(sections(tests));
    }
    assert!(cited.len() > 50, "only {} sections were found", cited.len());
    let missing = cited.iter().filter(|(section, _)| !shown.contains(*section));
    none(
        missing
            .map(|(section, files)| {
                let files: Vec<&str> = files.iter().map(String::as_str).collect();
                format!("{section}: cited in {}, by no test", files.join(", "))
            })
            .collect(),
    );
}

#[test]
fn docs_specs_md_names_only_files_that_are_there() {
    let page = std::fs::read_to_string(Path::new(ROOT).join("docs/SPECS.md")).unwrap();
    let named = named_files(&page);
    assert!(named.len() > 40, "only {} files were found", named.len());
    none(
        named
            .into_iter()
            .filter(|path| !Path::new(ROOT).join(path).is_file())
            .map(|path| format!("docs/SPECS.md names {path}, which is not there"))
            .collect(),
    );
}

#[test]
fn citations_are_read_as_a_reader_would() {
    let all = |text: &str| sections(text).into_iter().collect::<Vec<_>>();
    assert_eq!(all("// RFC 6749 §4.1.2: \"…\""), ["RFC 6749 §4.1.2"]);
    assert_eq!(all("(RFC 9700 §4.2.4 and §4.12)."), ["RFC 9700 §4.12", "RFC 9700 §4.2.4"]);
    assert_eq!(all("RFC 6749 §3.1, §3.2.\nRFC 8707 §2"), ["RFC 6749 §3.1", "RFC 6749 §3.2", "RFC 8707 §2"]);
    assert_eq!(all("/// as RFC 6749\n    /// §5.2 says"), ["RFC 6749 §5.2"]);
    assert_eq!(all("RFC 6749 Appendix B, OpenID Connect Core 1.0 §3.1.2"), Vec::<String>::new());

    let file = File::of("src/a.rs", "// RFC 6749 §1\n#[cfg(test)]\nmod tests { /* RFC 6749 §2 */ }");
    let (code, tests) = parted(&file);
    assert_eq!((all(code), all(tests)), (vec!["RFC 6749 §1".to_owned()], vec!["RFC 6749 §2".to_owned()]));
    let file = File::of("src/a/tests/b.rs", "// RFC 1234 §2");
    assert_eq!(parted(&file).0, "");

    let page = "`src/a.rs`, `src/b/{c,d}.rs` [x](../tests/it/e.rs) `cargo test` `Cargo.toml`";
    let named: Vec<String> = named_files(page).into_iter().collect();
    assert_eq!(named, ["src/a.rs", "src/b/c.rs", "src/b/d.rs", "tests/it/e.rs"]);

    assert!(without_spec(&File::of("src/flow/new.rs", "//! Does something.")).is_some());
    assert!(without_spec(&File::of("src/flow/new.rs", "//! RFC 8628 §3.4.")).is_none());
}

fn names_spec(text: &str) -> bool {
    let followed_by_number = |(at, word): (usize, &str)| {
        text[at + word.len()..].trim_start_matches([' ', '-']).starts_with(|c: char| c.is_ascii_digit())
    };
    text.match_indices("RFC").any(followed_by_number)
        || ["OpenID Connect", "OAuth 2.0 Multiple Response", "Fetch standard"]
            .iter()
            .any(|name| text.contains(name))
}

fn without_spec(file: &File) -> Option<String> {
    let is_listed = WITHOUT_SPEC.iter().any(|(path, _)| *path == file.path);
    let text = "names no RFC and no OpenID spec; WITHOUT_SPEC in tests/it/tidy/specs.rs is for what has none";
    (!is_listed && !file.is_test() && !names_spec(&file.text)).then(|| format!("{}: {text}", file.path))
}

/// What is compiled into the product, and what for tests only. Test modules stand at the end of their file.
fn parted(file: &File) -> (&str, &str) {
    if file.is_test() {
        return ("", &file.text);
    }
    match file.text.find("#[cfg(test)]\nmod tests {") {
        Some(at) => file.text.split_at(at),
        None => (&file.text, ""),
    }
}

/// Every `RFC nnnn §x`, also where several sections follow one number or a comment goes on in the next line.
fn sections(text: &str) -> BTreeSet<String> {
    let unbroken: Vec<&str> = text
        .lines()
        .map(|line| line.trim_start().trim_start_matches("//").trim_start_matches(['/', '!']).trim())
        .collect();
    let text = unbroken.join(" ");
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("RFC ") {
        let rest = &text[at + 4..];
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, mut rest) = rest.split_at(digits);
        if number.is_empty() {
            continue;
        }
        while let Some(next) = ["", ",", " and", " or", ", and", ";"]
            .iter()
            .find_map(|between| rest.strip_prefix(between)?.trim_start_matches(' ').strip_prefix('§'))
        {
            let end = next.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.')).unwrap_or(next.len());
            let section = next[..end].trim_end_matches('.');
            found.insert(format!("RFC {number} §{section}"));
            rest = &next[section.len()..];
        }
    }
    found
}

/// The files below `src/` and `tests/` that a page names; `{a,b}` stands for each.
fn named_files(page: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let is_part = |c: char| c.is_ascii_alphanumeric() || "/_-.{},".contains(c);
    for word in page.split(|c: char| !is_part(c)) {
        let word = word.trim_start_matches("../").trim_end_matches([',', '.']);
        if !(word.starts_with("src/") || word.starts_with("tests/")) || !word.ends_with(".rs") {
            continue;
        }
        match word.split_once('{').and_then(|(head, rest)| Some((head, rest.split_once('}')?))) {
            Some((head, (names, tail))) => {
                found.extend(names.split(',').map(|name| format!("{head}{name}{tail}")));
            }
            None => drop(found.insert(word.to_owned())),
        }
    }
    found
}
