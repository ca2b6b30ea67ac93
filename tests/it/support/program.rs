//! The program itself, run in a folder of its own as an operator would.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::http::{Browser, Client};

/// Cheap password hashes, as in `server.rs`.
pub const CHEAP: &str = "[login.argon2]\nmemory_kib = 7168\niterations = 5\n";

/// The first of `count` free ports in a row, below those that the system gives to outgoing connections.
pub fn free_ports(count: u16) -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        let step = NEXT.fetch_add(count, Ordering::Relaxed);
        let first = 10_000 + (u16::try_from(std::process::id() % 200).unwrap() * 97 + step) % 20_000;
        if (first..first + count).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok()) {
            return first;
        }
    }
}

/// What a command did.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// A folder with a configuration file, and commands that are run in it.
pub struct Home {
    pub folder: tempfile::TempDir,
    pub address: SocketAddr,
    pub env: Vec<(String, String)>,
}

impl Home {
    /// An http issuer on loopback, cheap passwords, and `extra`.
    pub fn new(extra: &str) -> Self {
        let home = Self::empty();
        let address = home.address;
        home.configure(&format!(
            "[server]\nissuer = \"http://{address}\"\nlisten = [\"{address}\"]\nworkers = 2\n{CHEAP}{extra}"
        ));
        home
    }

    /// No file at all.
    pub fn empty() -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], free_ports(1)));
        Self { folder: tempfile::tempdir().unwrap(), address, env: Vec::new() }
    }

    pub fn configure(&self, toml: &str) {
        fs::write(self.path("countersign.toml"), toml).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.env.push((name.to_owned(), value.to_owned()));
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        let foreign =
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("COUNTERSIGN_"));
        for (name, _) in foreign {
            command.env_remove(name);
        }
        command.current_dir(self.folder.path()).args(arguments);
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, "")
    }

    /// Runs a command that reads `input`.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Run {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that does not read may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        Run {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// What a command that does its work prints.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let run = self.run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {run:?}");
        run.out
    }

    /// The one JSON document that a command prints.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let mut arguments = arguments.to_vec();
        arguments.push("--json");
        let out = self.ok(&arguments);
        serde_json::from_str(&out).unwrap_or_else(|e| panic!("{arguments:?}: {e}: {out}"))
    }

    /// What a command that refuses says.
    pub fn refused(&self, arguments: &[&str]) -> String {
        let run = self.run(arguments);
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{arguments:?}: {run:?}");
        let (_, told) = run.err.split_once("error: ").unwrap_or_else(|| panic!("{arguments:?}: {run:?}"));
        format!("error: {told}")
    }

    pub fn serve(&self) -> Served {
        let served = self.start(&["serve"]);
        served.wait_until_it_listens(self.address);
        served
    }

    pub fn start(&self, arguments: &[&str]) -> Served {
        let log = self.path("log");
        let file = File::options().create(true).append(true).open(&log).unwrap();
        let mut command = self.command(arguments);
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        Served { child: command.spawn().unwrap(), url: self.url(), log }
    }
}

/// A running server.
pub struct Served {
    pub child: Child,
    url: String,
    log: PathBuf,
}

impl Served {
    pub fn client(&self) -> Client {
        Client::new(&self.url)
    }

    pub fn browser(&self) -> Browser {
        Browser::new(&self.url)
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    pub fn wait_until_it_listens(&self, address: SocketAddr) {
        until(&format!("{address} does not listen"), || TcpStream::connect(address).is_ok());
    }

    pub fn signal(&self, signal: i32) {
        let status =
            Command::new("kill").args([format!("-{signal}"), self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// The exit code, once it has ended; none after a signal.
    pub fn code(mut self) -> Option<i32> {
        until("the program does not end", || self.child.try_wait().unwrap().is_some());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again until it holds; what another process does cannot be waited for otherwise.
pub fn until(otherwise: &str, holds: impl FnMut() -> bool) {
    assert!(comes_true(Duration::from_secs(20), holds), "{otherwise}");
}

pub fn comes_true(within: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    loop {
        if holds() {
            return true;
        }
        if begun.elapsed() > within {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The names of all files below a folder, sorted.
pub fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            }
            found.push(entry.path().strip_prefix(folder).unwrap().display().to_string());
        }
    }
    found.sort();
    found
}

pub fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().unwrap().permissions().mode() & 0o777
}

pub fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
