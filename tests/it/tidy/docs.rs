//! The pages for people: links that lead somewhere, lines that fit, commands that are there.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::{File, ROOT, all_files, none};

const MAX_CHARS: usize = 120;

/// Every page of Markdown.
pub fn pages() -> Vec<File> {
    let pages: Vec<File> = all_files().into_iter().filter(|file| file.path.ends_with(".md")).collect();
    assert!(pages.len() > 5, "only {} pages were found", pages.len());
    pages
}

#[test]
fn every_link_leads_to_a_file_and_every_anchor_to_a_heading() {
    none(pages().iter().flat_map(dead_links).collect());
}

#[test]
fn no_line_is_too_wide() {
    // docs/CONFIG.md is made from doc comments, and nobody reads it in an editor.
    none(pages().iter().filter(|page| page.path != "docs/CONFIG.md").flat_map(wide_lines).collect());
}

#[test]
fn every_make_target_that_is_told_is_there() {
    let makefile = std::fs::read_to_string(Path::new(ROOT).join("Makefile")).unwrap();
    let targets: BTreeSet<&str> =
        makefile.lines().filter_map(|line| line.split_once(':')).map(|(target, _)| target).collect();
    assert!(targets.contains("test"), "{targets:?}");
    for page in pages() {
        for target in told_targets(&page.text) {
            assert!(targets.contains(target.as_str()), "{}: `make {target}` is not there", page.path);
        }
    }
}

#[test]
fn the_changelog_knows_this_version() {
    let changelog = std::fs::read_to_string(Path::new(ROOT).join("CHANGELOG.md")).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert!(changelog.contains(&format!("## [{version}]")), "CHANGELOG.md has no heading for {version}");
}

#[test]
fn a_breach_is_seen() {
    let links = |text: &str| dead_links(&File::of("docs/page.md", text)).len();
    assert_eq!(links("[a](../README.md) [b](https://example.org) [c](#here)\n# Here"), 0);
    assert_eq!(links("[a](README.md)"), 1);
    assert_eq!(links("[a](../src/lib.rs)"), 0);
    assert_eq!(links("[a](#nowhere)\n# Here"), 1);
    assert_eq!(links("[a](../README.md#no-such-heading)"), 1);
    assert_eq!(links("```\n[a](nowhere.md)\n```"), 0);

    let wide = |text: &str| wide_lines(&File::of("docs/page.md", text)).len();
    assert_eq!(wide(&"ä".repeat(MAX_CHARS)), 0);
    assert_eq!(wide(&"ä".repeat(MAX_CHARS + 1)), 1);
    assert_eq!(wide(&format!("| {} |", "a".repeat(MAX_CHARS))), 0);

    let told: Vec<String> =
        told_targets("`make demo`, and to make it:\n    make test  # all").into_iter().collect();
    assert_eq!(told, ["demo", "test"]);
}

/// A table's row cannot be broken.
fn wide_lines(page: &File) -> Vec<String> {
    let wide = |line: &str| !line.starts_with('|') && line.chars().count() > MAX_CHARS;
    let lines = page.text.lines().enumerate().filter(|(_, line)| wide(line));
    lines.map(|(at, _)| format!("{}:{}: wider than {MAX_CHARS} characters", page.path, at + 1)).collect()
}

fn dead_links(page: &File) -> Vec<String> {
    let mut dead = Vec::new();
    for target in links(&page.text) {
        if target.contains("://") || target.starts_with("mailto:") {
            continue;
        }
        let (path, anchor) = target.split_once('#').unwrap_or((target.as_str(), ""));
        let file = if path.is_empty() { page.path.clone() } else { beside(&page.path, path) };
        let whole = Path::new(ROOT).join(&file);
        if !path.is_empty() && !whole.exists() {
            dead.push(format!("{}: {target} leads nowhere", page.path));
        } else if !anchor.is_empty() {
            let text = if path.is_empty() { Ok(page.text.clone()) } else { std::fs::read_to_string(whole) };
            if !text.is_ok_and(|text| anchors(&text).contains(anchor)) {
                dead.push(format!("{}: {target}: no such heading", page.path));
            }
        }
    }
    dead
}

/// The targets of `[text](target)`, outside of blocks of code.
fn links(text: &str) -> Vec<String> {
    let prose = prose(text);
    let ends = prose.match_indices("](").filter_map(|(at, _)| prose[at + 2..].split_once(')'));
    ends.map(|(target, _)| target.trim().to_owned()).collect()
}

fn prose(text: &str) -> String {
    let mut is_code = false;
    let mut prose = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            prose.push_str(line);
            prose.push('\n');
        }
    }
    prose
}

/// Headings as GitHub makes anchors of them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text);
    let headings = headings.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let kept = line.trim_start_matches('#').trim().to_lowercase();
            kept.chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
                .collect::<String>()
                .replace(' ', "-")
        })
        .collect()
}

fn beside(page: &str, path: &str) -> String {
    let mut whole = PathBuf::from(page);
    whole.pop();
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => drop(whole.pop()),
            Component::Normal(name) => whole.push(name),
            _ => {}
        }
    }
    whole.to_string_lossy().into_owned()
}

/// What stands behind `make` in a command: at the start of a line or of a piece of code.
fn told_targets(text: &str) -> BTreeSet<String> {
    let mut targets = BTreeSet::new();
    for line in text.lines() {
        let at_start =
            line.trim_start().strip_prefix("make ").filter(|_| line.starts_with(' ') || line.len() < 80);
        let in_code = line.split('`').skip(1).step_by(2).filter_map(|code| code.strip_prefix("make "));
        for rest in at_start
            .into_iter()
            .filter(|rest| rest.split("  ").count() > 1 || !rest.contains(' '))
            .chain(in_code)
        {
            targets.extend(rest.split_whitespace().next().map(str::to_owned));
        }
    }
    targets
}
