//! A server as a process of its own, whose CPU time and memory the kernel accounts.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::fixture::Fixture;
use crate::load::{Request, read_answer};

pub struct Child {
    process: std::process::Child,
    pub address: SocketAddr,
    pub started_in: Duration,
}

impl Child {
    /// The release binary of this package, as an operator runs it.
    pub fn server(fixture: &Fixture) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command.arg("--config").arg(&fixture.config).arg("serve");
        Self::start(command, fixture.address, "/health/live")
    }

    /// This program again, as the floor.
    pub fn floor() -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("--floor").arg(address.port().to_string());
        Self::start(command, address, "/bytes/2")
    }

    fn start(mut command: Command, address: SocketAddr, path: &str) -> Self {
        let begun = Instant::now();
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
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

    /// User and system time so far.
    pub fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        // USER_HZ is 100 on every Linux that userland sees.
        Duration::from_millis(ticks * 10)
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

    /// The body of one answer.
    pub fn once(&self, request: &Request) -> Vec<u8> {
        let mut socket = TcpStream::connect(self.address).unwrap();
        socket.write_all(request.bytes()).unwrap();
        let mut buffer = Vec::new();
        let (status, body) = read_answer(&mut socket, &mut buffer);
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&buffer));
        body
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
