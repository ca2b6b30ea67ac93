//! `make bench`: the server beside a floor of the same machine, in the same run, in alternate rounds.
//!
//! The floor is an actix-web server that answers a body of the same size, with one ES256 signature through OpenSSL where
//! the measured request signs. What is compared is CPU time per request, from the process's own accounting; requests per
//! second and latencies stand beside it, measured by a client on the same two cores.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "a tool for developers: it fails by panicking and prints its table"
)]

mod child;
mod fixture;
mod floor;
mod load;

use std::time::Duration;

use child::Child;
use fixture::Fixture;
use load::{Figures, Load, Request};

const ROUNDS: usize = 5;
const CONNECTIONS: usize = 32;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    if arguments.next().as_deref() == Some("--floor") {
        return floor::serve(arguments.next().unwrap().parse().unwrap());
    }
    let fixture = Fixture::make();
    start_up(&fixture);
    let server = Child::server(&fixture);
    memory(&server);

    println!("\n{} rounds each, alternating, {CONNECTIONS} connections, on {} cores", ROUNDS, cores());
    println!("{}", Figures::heading());
    let floor = Child::floor();
    let discovery = Request::get("/.well-known/openid-configuration");
    let jwks = Request::get("/.well-known/jwks.json");
    let token = fixture.client_credentials();
    compare("discovery", &server, &discovery, &floor, 20_000);
    compare("JWKS", &server, &jwks, &floor, 20_000);
    compare("client credentials", &server, &token, &floor, 10_000);
    report("refresh (group commit on)", &server, fixture.refreshes(6_000));
    report("code exchange (group commit on)", &server, fixture.codes(6_000));
}

/// One kind of request against the server, and its like against the floor.
fn compare(name: &str, server: &Child, request: &Request, floor: &Child, count: usize) {
    let body = server.once(request);
    let like = floor::like(request, body.len());
    let (mut ours, mut theirs) = (Figures::default(), Figures::default());
    Load::repeated(server, request, count / 4).run(CONNECTIONS);
    Load::repeated(floor, &like, count / 4).run(CONNECTIONS);
    for _ in 0..ROUNDS {
        theirs.add(Load::repeated(floor, &like, count).run(CONNECTIONS));
        ours.add(Load::repeated(server, request, count).run(CONNECTIONS));
    }
    println!("{}", ours.line(name));
    println!("{}", theirs.line("  floor"));
    println!("  ratio of CPU time: {:.2}\n", ours.cpu_us() / theirs.cpu_us());
}

/// Requests that each count once.
fn report(name: &str, server: &Child, requests: Vec<Request>) {
    let mut figures = Figures::default();
    figures.add(Load::each(server, requests).run(CONNECTIONS));
    println!("{}\n", figures.line(name));
}

fn start_up(fixture: &Fixture) {
    let mut times: Vec<Duration> = (0..5).map(|_| Child::server(fixture).started_in).collect();
    times.sort();
    println!("start-up to the first answer, existing database: {:.0} ms (median of 5)", ms(times[2]));
}

fn memory(server: &Child) {
    println!("resident memory, idle: {:.1} MB", server.resident_mb());
    let held: Vec<_> = (0..256).map(|_| server.connect_and_ask()).collect();
    println!("resident memory, {} connections: {:.1} MB", held.len(), server.resident_mb());
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
