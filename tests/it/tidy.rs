//! The house rules as tests: docs/ARCHITECTURE.md tells them, this is the law.
//!
//! Each rule also has a test that shows it a breach, so that no rule passes because it sees nothing.

mod deploy;
mod docs;
mod files;
mod rooms;
mod specs;

use std::fs;
use std::path::Path;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Where what we wrote lies; the rest of the folder is built, downloaded or made by running.
const FOLDERS: [&str; 11] = [
    ".ci",
    "benches",
    "deploy",
    "docs",
    "examples",
    "keys",
    "migrations",
    "src",
    "templates",
    "tests",
    "tools",
];

/// What `tools/test-deps` downloads.
const BROUGHT: [&str; 2] = ["tests/real_clients/node/node_modules", "tests/real_clients/python/venv"];

/// A text file of this repository.
pub struct File {
    /// From the root, with `/`.
    pub path: String,
    pub text: String,
}

impl File {
    #[cfg(test)]
    fn of(path: &str, text: &str) -> Self {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    /// `src/flow/token/code.rs` → `["flow", "token", "code"]`; `mod.rs` is its folder.
    fn module(&self) -> Vec<String> {
        let inner = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let mut module: Vec<String> = inner.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        if module.last().is_some_and(|name| name == "mod") {
            module.pop();
        }
        module
    }

    /// Whether all of it is compiled for tests only.
    fn is_test(&self) -> bool {
        let inner = self.path.trim_end_matches(".rs");
        inner.starts_with("tests/") || inner.split('/').any(|part| part == "tests")
    }
}

/// Every text file that we wrote: those of [`FOLDERS`] and those at the top.
fn all_files() -> Vec<File> {
    let mut files = Vec::new();
    for entry in fs::read_dir(ROOT).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let is_ours = !name.contains(".db") && Path::new(ROOT).join(&name).is_file();
        if is_ours {
            read_into(&mut files, &name);
        }
    }
    for folder in FOLDERS {
        walk(folder, &mut files);
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(files.len() > 200, "only {} files were found", files.len());
    files
}

fn walk(folder: &str, files: &mut Vec<File>) {
    let Ok(entries) = fs::read_dir(Path::new(ROOT).join(folder)) else { return };
    for entry in entries {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().into_string().unwrap());
        // What a server that runs here keeps in keys/ is ignored by git, and none of ours; so is what tools/test-deps brings.
        if folder == "keys" && path != "keys/README.md" || BROUGHT.contains(&path.as_str()) {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            walk(&path, files);
        } else {
            read_into(files, &path);
        }
    }
}

fn read_into(files: &mut Vec<File>, path: &str) {
    let bytes = fs::read(Path::new(ROOT).join(path)).unwrap();
    if let Ok(text) = String::from_utf8(bytes) {
        files.push(File { path: path.to_owned(), text });
    }
}

/// The Rust files below one of `folders`.
fn rust_files(folders: &[&str]) -> Vec<File> {
    let mut files = Vec::new();
    for folder in folders {
        walk(folder, &mut files);
    }
    files.retain(|file| file.path.ends_with(".rs"));
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(files.len() > 10, "only {} files were found", files.len());
    files
}

/// Fails with one line for each breach.
fn none(breaches: Vec<String>) {
    assert!(breaches.is_empty(), "{} breach(es) of a house rule:\n{}", breaches.len(), breaches.join("\n"));
}
