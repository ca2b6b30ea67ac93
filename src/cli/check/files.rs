//! The modes of files that hold secrets.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use url::Url;

use crate::config::Config;

use super::super::setup::Setup;
use super::Findings;

pub(super) fn modes(config: &Config, setup: &Setup, findings: &mut Findings) {
    let before = findings.0.len();
    if config.keys.master_key.is_none() {
        private("the master key", &config.keys.master_key_file, findings);
    }
    for path in &config.keys.previous_master_key_files {
        private("a previous master key", path, findings);
    }
    if let Some(tls) = &config.server.tls {
        private("the TLS key", &tls.private_key_file, findings);
    }
    if let Some(file) = config.database.url.sqlite_file() {
        private("the database", Path::new(file), findings);
    }
    for path in config.clients.iter().filter_map(|client| client.secret_file.as_deref()) {
        private("a client's secret", path, findings);
    }
    if let Some(file) = setup.file.as_deref().filter(|file| holds_secret(file)) {
        // The group may read it: a service's configuration is root's, and its group's.
        closed("the configuration, with a password or key in it,", file, 0o037, "640", findings);
    }
    if findings.0.len() == before {
        findings.ok("files", "what is secret is readable by its owner alone");
    }
}

/// Whether a configuration file itself has what an environment variable or a file of its own should have.
fn holds_secret(file: &Path) -> bool {
    Config::load(Some(file), std::iter::empty())
        .is_ok_and(|config| config.keys.master_key.is_some() || has_password(config.database.url.reveal()))
}

/// libpq takes a password in the authority and in the query.
fn has_password(url: &str) -> bool {
    url.starts_with("postgres")
        && Url::parse(url).is_ok_and(|url| {
            url.password().is_some() || url.query_pairs().any(|(name, _)| name == "password")
        })
}

fn private(what: &str, path: &Path, findings: &mut Findings) {
    closed(what, path, 0o077, "600", findings);
}

/// None of the bits of `mask` may be set; `remedy` is what chmod is told.
fn closed(what: &str, path: &Path, mask: u32, remedy: &str, findings: &mut Findings) {
    let Ok(metadata) = path.metadata() else { return };
    let mode = metadata.permissions().mode() & 0o777;
    if mode & mask != 0 {
        let path = path.display();
        let text = format!("{what} {path} is open to others (mode {mode:04o}): chmod {remedy} {path}");
        findings.problem("files", text);
    }
}
