//! Runs a script in another language, and is the user in front of it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use super::walk;
use crate::support::TestServer;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What tools/test-deps installs, and the words for it.
pub struct Kit {
    folder: &'static str,
    program: &'static str,
    name: &'static str,
    /// Says what is to be installed, and where test-deps leaves a copy when it is.
    lock: [&'static str; 2],
}

pub const NODE: Kit = Kit {
    folder: "tests/real_clients/node",
    program: "node",
    name: "JavaScript's client libraries",
    lock: ["package-lock.json", "node_modules/.installed"],
};
pub const PYTHON: Kit = Kit {
    folder: "tests/real_clients/python",
    program: "venv/bin/python",
    name: "Python's client libraries",
    lock: ["requirements.txt", "venv/.installed"],
};

impl Kit {
    pub fn folder(&self) -> PathBuf {
        Path::new(ROOT).join(self.folder)
    }

    /// Whether it is there. If not: a failure under `CI`, said loudly elsewhere.
    pub fn is_there(&self) -> bool {
        let [wanted, installed] = self.lock.map(|name| std::fs::read(self.folder().join(name)).ok());
        assert!(wanted.is_some());
        if wanted == installed {
            return true;
        }
        let name = self.name;
        let text = format!("*** skipped: {name} could not be had (`tools/test-deps` installs them)");
        assert!(std::env::var_os("CI").is_none(), "they are required in CI\n{text}");
        // Not eprintln!: libtest would keep it to itself.
        let _ = std::io::stderr().write_all(format!("\n{text}\n\n").as_bytes());
        false
    }

    fn command(&self) -> Command {
        let own = self.folder().join(self.program);
        let mut command = if own.is_file() { Command::new(own) } else { Command::new(self.program) };
        command.current_dir(self.folder());
        command
    }

    /// Runs a script to its end; it fails as the script does. Its pages are opened in one browser, as alice.
    pub fn run(&self, server: &TestServer, script: &str, given: &Value) {
        if !self.is_there() {
            return;
        }
        let mut command = self.command();
        command.arg(script).arg(given.to_string());
        // Nothing but this machine.
        command.env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.program));
        let _stuck = KillLater::start(child.id(), Duration::from_secs(120));
        let mut input = child.stdin.take().unwrap();
        let mut browser = server.browser();
        let mut is_done = false;
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            let said: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{script}: {e}: {line}"));
            is_done |= said["done"] == true;
            if let Some(url) = said["open"].as_str() {
                let end = walk(&mut browser, url);
                writeln!(input, "{}", Value::from(end.location())).unwrap();
            }
        }
        let output = child.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && is_done, "{script}: {}\n{told}", output.status);
    }
}

/// Ends a process that does not end by itself: its test then fails, where it would have waited without an end.
struct KillLater {
    _ended: mpsc::Sender<()>,
}

impl KillLater {
    fn start(process: u32, after: Duration) -> Self {
        let (ended, told) = mpsc::channel::<()>();
        std::thread::spawn(move || {
            if told.recv_timeout(after) == Err(mpsc::RecvTimeoutError::Timeout) {
                let _ = Command::new("kill").args(["-KILL", &process.to_string()]).status();
            }
        });
        Self { _ended: ended }
    }
}
