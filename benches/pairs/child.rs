//! A server as a process of its own, whose CPU time and memory the kernel accounts.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::fixture::Fixture;
use crate::floor;
use crate::load::{Request, read_answer};

pub struct Child {
    process: std::process::Child,
    pub address: SocketAddr,
    pub started_in: Duration,
}

impl Child {
    /// The release binary of this package, as an operator runs it.
    pub fn server(fixture: &Fixture) -> Self {
        Self::server_with(fixture, &[], Stdio::null())
    }

    /// The same with settings by environment, and its log.
    pub fn server_with(fixture: &Fixture, environment: &[(&str, &str)], log: impl Into<Stdio>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command.arg("--config").arg(&fixture.config).arg("serve");
        command.envs(environment.iter().copied()).stderr(log);
        Self::start(command, fixture.address, "/health/live")
    }

    /// This program again, as the floor that answers bodies of these sizes.
    pub fn floor(body_bytes: &[usize]) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("--floor").arg(address.port().to_string()).args(body_bytes.iter().map(usize::to_string));
        command.stderr(Stdio::null());
        Self::start(command, address, &floor::bytes_path(body_bytes[0]))
    }

    fn start(mut command: Command, address: SocketAddr, path: &str) -> Self {
        let begun = Instant::now();
        let process = command.stdout(Stdio::null()).spawn().unwrap();
        let mut child = Self { process, address, started_in: Duration::ZERO };
        while begun.elapsed() < Duration::from_secs(20) {
            if let Ok(mut socket) = TcpStream::connect(address) {
                let request = format!("GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n");
                let mut answer = String::new();
                if socket.write_all(request.as_bytes()).is_ok()
                    && socket.read_to_string(&mut answer).is_ok()
                    && answer.starts_with("HTTP/1.1 200")
                {
                    child.started_in = begun.elapsed();
                    return child;
                }
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("the server did not start");
    }

    /// CPU time so far of each of its threads, to the nanosecond (`/proc/PID/stat` tells hundredths of a second).
    pub fn cpu(&self) -> Cpu {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.process.id())).unwrap();
        // A thread that ends while we look has no figure any more.
        let time = |task: &Path| -> Option<Duration> {
            let text = std::fs::read_to_string(task.join("schedstat")).ok()?;
            text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
        };
        let tasks = tasks.map(|task| task.unwrap().path());
        Cpu(tasks.filter_map(|task| Some((task.clone(), time(&task)?))).collect())
    }

    /// CPU time so far of the whole process, threads that have ended included, to a hundredth of a second.
    pub fn cpu_of_all(&self) -> Duration {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap();
        // The name in brackets may hold blanks; the 14th and the 15th field are hundredths in user and in system mode.
        let fields: Vec<&str> = text.rsplit(") ").next().unwrap().split(' ').collect();
        Duration::from_millis(fields[11..13].iter().map(|field| field.parse::<u64>().unwrap() * 10).sum())
    }

    /// Asks it to end, and waits until it has.
    pub fn end(mut self) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.process.wait().unwrap();
    }

    pub fn resident_mb(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }

    /// A connection that was used and stays open.
    pub fn connect_and_ask(&self) -> TcpStream {
        let mut socket = TcpStream::connect(self.address).unwrap();
        socket.write_all(Request::get("/.well-known/jwks.json").bytes()).unwrap();
        read_answer(&mut socket, &mut Vec::new());
        socket
    }

    /// The size of the body of one answer of this status.
    pub fn body_bytes(&self, request: &Request, wanted: u16) -> usize {
        let mut socket = TcpStream::connect(self.address).unwrap();
        socket.write_all(request.bytes()).unwrap();
        let mut buffer = Vec::new();
        let (status, body) = read_answer(&mut socket, &mut buffer);
        assert_eq!(status, wanted, "{}", String::from_utf8_lossy(&buffer));
        buffer.len() - body
    }
}

/// CPU time so far of a process of one thread; nothing when it has ended.
pub fn cpu_of(pid: i64) -> Duration {
    let text = std::fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap_or_default();
    text.split(' ').next().and_then(|text| text.parse().ok()).map(Duration::from_nanos).unwrap_or_default()
}

/// The CPU time of each thread of a process.
pub struct Cpu(HashMap<PathBuf, Duration>);

impl Cpu {
    /// What was used since `before`. Threads that ended in between are left out: those of a server's pool end after ten
    /// idle seconds, which is longer than a round.
    pub fn since(&self, before: &Self) -> Duration {
        let used = self
            .0
            .iter()
            .map(|(task, time)| time.saturating_sub(before.0.get(task).copied().unwrap_or_default()));
        used.sum()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
