//! `countersign check`: what is wrong with a configuration and its surroundings. It changes nothing.
//!
//! The contents page: the file itself, the issuer and what stands between it and the listener, proxies, what is asked of
//! others, the database, the keys, the modes of files, what is declared.

mod files;
mod network;
mod storage;

use serde_json::json;

use crate::base::Timestamp;
use crate::config::Config;

use super::output::{Failure, Output};
use super::setup::{Setup, now};

/// What was found, in the order of the checks.
#[derive(Default)]
struct Findings(Vec<Finding>);

struct Finding {
    level: Level,
    about: &'static str,
    text: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Ok,
    /// Works, and may not be what is meant.
    Warning,
    /// Does not work, or is not safe.
    Problem,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "PROBLEM",
        }
    }
}

impl Findings {
    fn add(&mut self, level: Level, about: &'static str, text: impl Into<String>) {
        self.0.push(Finding { level, about, text: text.into() });
    }

    fn ok(&mut self, about: &'static str, text: impl Into<String>) {
        self.add(Level::Ok, about, text);
    }

    fn warn(&mut self, about: &'static str, text: impl Into<String>) {
        self.add(Level::Warning, about, text);
    }

    fn problem(&mut self, about: &'static str, text: impl Into<String>) {
        self.add(Level::Problem, about, text);
    }

    fn count(&self, level: Level) -> usize {
        self.0.iter().filter(|finding| finding.level == level).count()
    }
}

pub(super) fn run(setup: &Setup, output: &Output) -> Result<(), Failure> {
    let mut findings = Findings::default();
    if let Some(text) = setup.without_file() {
        findings.warn("configuration", text);
    }
    match setup.config() {
        Ok(config) => {
            if let Some(path) = &setup.file {
                findings.ok("configuration", format!("read from {}", path.display()));
            }
            all(&config, setup, now(), &mut findings);
        }
        Err(Failure(texts)) => {
            texts.into_iter().for_each(|text| findings.problem("configuration", text));
        }
    }
    tell(&findings, output)
}

fn all(config: &Config, setup: &Setup, now: Timestamp, findings: &mut Findings) {
    network::issuer(config, findings);
    network::listeners(config, findings);
    network::proxies(config, findings);
    network::tls(config, findings);
    network::outbound(config, findings);
    storage::database(config, findings);
    storage::keys(config, now, findings);
    storage::declarations(config, now, findings);
    files::modes(config, setup, findings);
}

/// What `serve` tells in its log at the start: it goes on all the same, since nobody may have run `check` before.
pub(super) fn warn(config: &Config, setup: &Setup) {
    let mut findings = Findings::default();
    network::issuer(config, &mut findings);
    network::proxies(config, &mut findings);
    files::modes(config, setup, &mut findings);
    for finding in findings.0.iter().filter(|finding| finding.level != Level::Ok) {
        tracing::warn!(about = finding.about, "{}", finding.text);
    }
}

fn tell(findings: &Findings, output: &Output) -> Result<(), Failure> {
    let (problems, warnings) = (findings.count(Level::Problem), findings.count(Level::Warning));
    let mut lines: Vec<String> = findings
        .0
        .iter()
        .map(|finding| format!("{:<8} {:<14} {}", finding.level.word(), finding.about, finding.text))
        .collect();
    lines.push(format!("{problems} problem(s), {warnings} warning(s)"));
    let list: Vec<_> = findings
        .0
        .iter()
        .map(|f| json!({ "level": f.level.word().to_lowercase(), "about": f.about, "text": f.text }))
        .collect();
    output.say(&lines, &json!({ "problems": problems, "warnings": warnings, "findings": list }));
    if problems == 0 { Ok(()) } else { Err(Failure(vec![format!("{problems} problem(s) found")])) }
}
