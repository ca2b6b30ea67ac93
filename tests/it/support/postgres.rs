//! A real PostgreSQL for the tests: the server that `TEST_POSTGRES_URL` names, or a throw-away cluster of this process.
//!
//! A throw-away cluster leaves nothing behind: a watchdog shell holds the reading end of a pipe from this process, so
//! that it stops the server and removes the folder however this process ends (return, panic, Ctrl-C, `kill -9`).

use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use url::Url;

/// Every database of this process is called by its prefix and a number.
fn prefix() -> String {
    format!("countersign_test_{}_", std::process::id())
}

/// The server that this process's tests share, or `None` where there is none.
///
/// Under `CI` a missing server is a failure; on a person's machine it is said once, loudly.
pub fn postgres() -> Option<&'static Cluster> {
    static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();
    SHARED
        .get_or_init(|| match std::env::var("TEST_POSTGRES_URL") {
            Ok(url) => Some(Cluster::given(&url)),
            Err(_) => start_or_say(SMALL),
        })
        .as_ref()
}

/// Settings of the server: many of them may run at once.
const SMALL: &str = "-c shared_buffers=32MB";

fn start_or_say(settings: &'static str) -> Option<Cluster> {
    let why = match Binaries::find() {
        Some(binaries) => match Cluster::start_with(binaries, settings) {
            Ok(cluster) => return Some(cluster),
            Err(error) => error.to_string(),
        },
        None => "there is no initdb and pg_ctl in /usr/lib/postgresql/*/bin or on the PATH".to_owned(),
    };
    let hint = "`tools/test-deps` installs PostgreSQL; TEST_POSTGRES_URL names a server that is there";
    assert!(std::env::var_os("CI").is_none(), "PostgreSQL is required in CI: {why}\n{hint}");
    // Not eprintln!: libtest would keep it to itself.
    let _ = io::Write::write_all(
        &mut io::stderr(),
        format!("\n*** HALF OF THE STORE TESTS DID NOT RUN: {why}\n*** {hint}\n\n").as_bytes(),
    );
    None
}

/// A PostgreSQL server.
pub struct Cluster {
    /// Its address with the maintenance database `postgres` or the one given.
    url: Url,
    /// What was started for it; `None` where the server was given.
    own: Option<Own>,
    /// Removes what this process made, when the pipe to it closes.
    watchdog: Option<Child>,
}

struct Own {
    binaries: Binaries,
    user: Option<User>,
    folder: PathBuf,
    settings: &'static str,
}

impl Cluster {
    fn given(address: &str) -> Self {
        let url =
            Url::parse(address).unwrap_or_else(|error| panic!("TEST_POSTGRES_URL is not a URL: {error}"));
        let script = r#"trap '' INT TERM HUP QUIT; cat >/dev/null
            psql "$1" -Atqc "SELECT datname FROM pg_database WHERE starts_with(datname, '$2')" |
            while read -r name; do psql "$1" -qc "DROP DATABASE \"$name\" WITH (FORCE)" </dev/null; done"#;
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh", url.as_str(), &prefix()]);
        Cluster { watchdog: Some(watch(command).unwrap()), own: None, url }
    }

    /// A cluster of the caller's own, for tests that stop the server under the feet of what they test.
    ///
    /// `None` under the same conditions as [`postgres`]; also where only `TEST_POSTGRES_URL` is there, since a given
    /// server is not ours to stop.
    pub fn start_private() -> Option<Self> {
        start_or_say(SMALL)
    }

    /// The same with settings of the caller's own, as options of the command `postgres`.
    #[allow(dead_code, reason = "for the benchmark, which reads this file too")]
    pub fn start_private_with(settings: &'static str) -> Option<Self> {
        start_or_say(settings)
    }

    fn start_with(binaries: Binaries, settings: &'static str) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("countersign-pg-").tempdir()?.keep();
        let is_root = fs::metadata(&folder)?.uid() == 0;
        let user = if is_root { Some(User::ordinary()?) } else { None };
        if let Some(user) = user {
            chown(&folder, Some(user.uid), Some(user.gid))?;
        }
        let own = Own { binaries, user, folder, settings };

        // The watchdog comes first, so that an interrupted initdb is tidied away too.
        let script = r#"trap '' INT TERM HUP QUIT; cat >/dev/null
            "$1" -D "$2/data" -m immediate stop
            rm -rf "$2" || { sleep 1; rm -rf "$2"; }"#;
        let mut command = own.command("sh");
        command.args(["-c", script, "sh"]).arg(own.binaries.path("pg_ctl")).arg(&own.folder);
        let watchdog = watch(command)?;

        let mut initdb = own.command(own.binaries.path("initdb"));
        initdb.args([
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
            "-D",
        ]);
        run(initdb.arg(own.data()))?;

        let mut cluster = Cluster { url: address(0), own: Some(own), watchdog: Some(watchdog) };
        // A free port may be taken by another process before the server binds it.
        for attempt in 1.. {
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            cluster.url = address(port);
            match cluster.try_start() {
                Err(error) if attempt == 5 => return Err(error),
                Err(_) => {}
                Ok(()) => break,
            }
        }
        Ok(cluster)
    }

    /// The address of a database on this server.
    pub fn url(&self, database: &str) -> String {
        let mut url = self.url.clone();
        url.set_path(database);
        url.into()
    }

    /// Makes an empty database for one test and returns its address. It goes when this process ends.
    pub fn fresh_database(&self) -> String {
        static COUNTER: AtomicU32 = AtomicU32::new(1);
        let name = format!("{}{}", prefix(), COUNTER.fetch_add(1, Ordering::Relaxed));
        let mut conn = PgConnection::establish(self.url.as_str()).unwrap();
        conn.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")).unwrap();
        self.url(&name)
    }

    /// Starts the server again on the same port, and returns when it answers.
    pub fn start(&self) {
        self.try_start().unwrap();
    }

    /// Stops the server as a crash would: no last checkpoint, connections cut.
    pub fn stop(&self) {
        let own = self.own.as_ref().expect("a server given by TEST_POSTGRES_URL is not stopped");
        run(own.pg_ctl().args(["-m", "immediate", "stop"])).unwrap();
    }

    fn try_start(&self) -> io::Result<()> {
        let own = self.own.as_ref().expect("a server given by TEST_POSTGRES_URL is not started");
        let port = self.url.port().expect("our own address has a port");
        // fsync stays on: what the tests say about durability is to hold.
        let options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=300 \
             -c log_min_messages=warning {}",
            own.settings
        );
        let log = own.folder.join("log");
        run(own.pg_ctl().args(["-w", "-t", "60", "-o", &options, "-l"]).arg(&log).arg("start")).map_err(
            |error| {
                let text = fs::read_to_string(&log).unwrap_or_default();
                io::Error::other(format!("{error}{text}"))
            },
        )
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut watchdog) = self.watchdog.take() {
            drop(watchdog.stdin.take());
            let _ = watchdog.wait();
        }
    }
}

impl Own {
    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn pg_ctl(&self) -> Command {
        let mut command = self.command(self.binaries.path("pg_ctl"));
        command.arg("-D").arg(self.data());
        command
    }

    /// A command that runs as the cluster's user, in its folder, away from this process's terminal.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder).stdin(Stdio::null()).process_group(0);
        if let Some(user) = self.user {
            command.uid(user.uid).gid(user.gid);
        }
        command
    }
}

/// The folder with initdb and pg_ctl.
struct Binaries(PathBuf);

impl Binaries {
    /// Debian's own folders first, the newest first: a lone copy on the PATH may lack its libraries and its share folder.
    fn find() -> Option<Self> {
        let mut debian: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
            .collect();
        debian.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let on_path = std::env::split_paths(&path).filter_map(|folder| {
            let initdb = folder.join("initdb").canonicalize().ok()?;
            initdb.parent().map(Path::to_path_buf)
        });
        let has_both =
            |folder: &PathBuf| is_program(&folder.join("initdb")) && is_program(&folder.join("pg_ctl"));
        debian.into_iter().map(|(_, folder)| folder).chain(on_path).find(has_both).map(Binaries)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[derive(Clone, Copy)]
struct User {
    uid: u32,
    gid: u32,
}

impl User {
    /// PostgreSQL refuses to run as root: its own user instead, else nobody.
    fn ordinary() -> io::Result<Self> {
        let passwd = fs::read_to_string("/etc/passwd")?;
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| {
                let fields: Vec<&str> = passwd
                    .lines()
                    .map(|line| line.split(':').collect())
                    .find(|fields: &Vec<&str>| fields.len() > 3 && fields[0] == *name)?;
                Some(User { uid: fields[2].parse().ok()?, gid: fields[3].parse().ok()? })
            })
            .ok_or_else(|| {
                io::Error::other("PostgreSQL refuses root, and there is neither a user postgres nor nobody")
            })
    }
}

fn address(port: u16) -> Url {
    Url::parse(&format!("postgres://postgres@127.0.0.1:{port}/postgres")).unwrap()
}

/// Starts a watchdog: a shell that waits for the end of its standard input, in a group of its own.
fn watch(mut command: Command) -> io::Result<Child> {
    command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
}

fn run(command: &mut Command) -> io::Result<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Err(io::Error::other(format!("{command:?}: {}\n{said}{complained}", output.status)))
}
