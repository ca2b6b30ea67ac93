//! Connections that are kept alive, one request after the other on each, and what came of it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::child::Child;

/// A request as bytes.
#[derive(Clone)]
pub struct Request(Vec<u8>);

impl Request {
    pub fn get(path: &str) -> Self {
        Self(format!("GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n").into_bytes())
    }

    pub fn post(path: &str, authorization: Option<&str>, body: &str) -> Self {
        let authorization =
            authorization.map(|value| format!("Authorization: {value}\r\n")).unwrap_or_default();
        let length = body.len();
        Self(
            format!(
                "POST {path} HTTP/1.1\r\nHost: bench\r\n{authorization}Content-Type: application/x-www-form-urlencoded\r\n\
                 Content-Length: {length}\r\n\r\n{body}"
            )
            .into_bytes(),
        )
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn is_post(&self) -> bool {
        self.0.starts_with(b"POST")
    }

    /// The same request to the byte, for another path.
    pub fn redirected(&self, path: &str) -> Self {
        let mut words = self.0.splitn(3, |byte| *byte == b' ');
        let (method, _, rest) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
        Self([method, path.as_bytes(), rest].join(&b' '))
    }
}

/// Reads one answer into `buffer`: its status, and where its body begins.
pub fn read_answer(socket: &mut TcpStream, buffer: &mut Vec<u8>) -> (u16, usize) {
    buffer.clear();
    let mut chunk = [0; 8192];
    loop {
        let count = socket.read(&mut chunk).unwrap();
        assert!(count > 0, "the server closed the connection");
        buffer.extend_from_slice(&chunk[..count]);
        let Some(head) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let text = std::str::from_utf8(&buffer[..head]).unwrap();
        let status = text.split(' ').nth(1).unwrap().parse().unwrap();
        let length: usize = text.lines().find_map(content_length).unwrap();
        if buffer.len() >= head + 4 + length {
            return (status, head + 4);
        }
    }
}

fn content_length(line: &str) -> Option<usize> {
    let (name, value) = line.split_once(": ")?;
    name.eq_ignore_ascii_case("content-length").then(|| value.parse().unwrap())
}

/// So many requests at one server.
pub struct Load<'a> {
    child: &'a Child,
    requests: Vec<Request>,
    count: usize,
    /// CPU time so far of what works for the server in other processes.
    beside: &'a dyn Fn() -> Duration,
}

impl<'a> Load<'a> {
    pub fn repeated(child: &'a Child, request: &Request, count: usize) -> Self {
        Self { child, requests: vec![request.clone()], count, beside: &|| Duration::ZERO }
    }

    pub fn each(child: &'a Child, requests: Vec<Request>) -> Self {
        Self { child, count: requests.len(), requests, beside: &|| Duration::ZERO }
    }

    pub fn with(self, beside: &'a dyn Fn() -> Duration) -> Self {
        Self { beside, ..self }
    }

    pub fn run(&self, connections: usize) -> Round {
        let Self { child, requests, count, beside: other } = self;
        let (child, count) = (*child, *count);
        let next = AtomicUsize::new(0);
        let latencies = Mutex::new(Vec::with_capacity(count));
        let (cpu, beside) = (child.cpu(), other());
        let begun = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..connections {
                scope.spawn(|| {
                    let mut own = Vec::new();
                    let mut socket = TcpStream::connect(child.address).unwrap();
                    socket.set_nodelay(true).unwrap();
                    let mut buffer = Vec::new();
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        if at >= count {
                            break;
                        }
                        let sent = Instant::now();
                        socket.write_all(requests[at % requests.len()].bytes()).unwrap();
                        let (status, _) = read_answer(&mut socket, &mut buffer);
                        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&buffer));
                        own.push(sent.elapsed());
                    }
                    latencies.lock().unwrap().extend(own);
                });
            }
        });
        let elapsed = begun.elapsed();
        let cpu = child.cpu().since(&cpu) + other().saturating_sub(beside);
        Round { count, elapsed, cpu, latencies: latencies.into_inner().unwrap() }
    }
}

/// What one round came to.
pub struct Round {
    count: usize,
    elapsed: Duration,
    cpu: Duration,
    latencies: Vec<Duration>,
}

impl Round {
    /// CPU microseconds of the server per request.
    pub fn cpu_us(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.count as f64
    }
}

/// The rounds of one kind of request: the median round for CPU time, all of them together for the rest.
#[derive(Default)]
pub struct Figures {
    rounds: Vec<Round>,
}

impl Figures {
    pub fn add(&mut self, round: Round) {
        self.rounds.push(round);
    }

    /// All requests and their CPU time.
    pub fn total(&self) -> (usize, Duration) {
        (self.rounds.iter().map(|round| round.count).sum(), self.rounds.iter().map(|round| round.cpu).sum())
    }

    /// CPU time per request beside that of another server, round by round, sorted.
    pub fn ratios(&self, other: &Self) -> Vec<f64> {
        let pairs = self.rounds.iter().zip(&other.rounds);
        let mut ratios: Vec<f64> = pairs.map(|(ours, theirs)| ours.cpu_us() / theirs.cpu_us()).collect();
        ratios.sort_by(f64::total_cmp);
        ratios
    }

    pub fn heading() -> String {
        format!("{:<34}{:>14}{:>12}{:>10}{:>10}", "", "CPU µs/req", "req/s", "p50 ms", "p99 ms")
    }

    pub fn line(&self, name: &str) -> String {
        let count: usize = self.rounds.iter().map(|round| round.count).sum();
        let elapsed: f64 = self.rounds.iter().map(|round| round.elapsed.as_secs_f64()).sum();
        let mut cpu: Vec<f64> = self.rounds.iter().map(Round::cpu_us).collect();
        cpu.sort_by(f64::total_cmp);
        let mut latencies: Vec<Duration> =
            self.rounds.iter().flat_map(|round| round.latencies.iter().copied()).collect();
        latencies.sort();
        let at =
            |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize].as_secs_f64() * 1000.0;
        format!(
            "{name:<34}{:>14.1}{:>12.0}{:>10.2}{:>10.2}",
            cpu[cpu.len() / 2],
            count as f64 / elapsed,
            at(0.5),
            at(0.99)
        )
    }
}
