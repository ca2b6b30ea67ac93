//! `make bench`: the server beside a floor of the same machine, in the same run, in alternate rounds. `--growth` measures
//! something else: see `growth`.
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
mod growth;
mod load;

use std::time::Duration;

use child::Child;
use fixture::Fixture;
use load::{Figures, Load, Request};

/// Rounds of each of a pair: many and short, so that what else the machine does falls on both. Odd, for the median.
const ROUNDS: usize = 31;
/// CPU time of the floor in a round.
const ROUND_CPU_US: f64 = 3e5;
const CONNECTIONS: usize = 32;
/// Codes or refresh tokens of a round.
const SINGLE_USES: usize = 6_000;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let mode = arguments.next();
    let numbers: Vec<usize> = arguments.map(|argument| argument.parse().unwrap()).collect();
    match mode.as_deref() {
        Some("--floor") => return floor::serve(u16::try_from(numbers[0]).unwrap(), &numbers[1..]),
        Some("--growth") => return growth::run(numbers.first().map_or(1_000_000, |living| *living as i64)),
        _ => {}
    }
    let fixture = Fixture::make(None);
    start_up(&fixture);
    let server = Child::server(&fixture);
    memory(&server, &fixture);

    println!("\n{ROUNDS} rounds of each, alternating, {CONNECTIONS} connections, on {} cores", cores());
    println!("{}", Figures::heading());
    let pairs = [
        ("discovery", Request::get("/.well-known/openid-configuration"), 1.15),
        ("JWKS", Request::get("/.well-known/jwks.json"), 1.15),
        ("client credentials", fixture.client_credentials(), 1.3),
    ];
    let sizes: Vec<usize> = pairs.iter().map(|(_, request, _)| server.body_bytes(request, 200)).collect();
    let floor = Child::floor(&sizes);
    for ((name, request, most), size) in pairs.iter().zip(sizes) {
        compare(name, (&server, request), (&floor, &floor::like(request, size)), *most);
    }
    report("refresh (group commit on)", &server, || fixture.refreshes(SINGLE_USES));
    report("code exchange (group commit on)", &server, || fixture.codes(SINGLE_USES));
    println!("resident memory, after all of this: {:.1} MB", server.resident_mb());
    // An empty database, which is left with this benchmark's rows.
    if let Ok(url) = std::env::var("BENCH_POSTGRES_URL") {
        let fixture = Fixture::make(Some(url));
        let server = Child::server(&fixture);
        report("refresh (PostgreSQL)", &server, || fixture.refreshes(SINGLE_USES));
        report("code exchange (PostgreSQL)", &server, || fixture.codes(SINGLE_USES));
    }
}

/// One kind of request against the server, and its like against the floor.
fn compare(name: &str, ours: (&Child, &Request), theirs: (&Child, &Request), most: f64) {
    let warm_up = |(child, request)| Load::repeated(child, request, 10_000).run(CONNECTIONS).cpu_us();
    warm_up(ours);
    let count = (ROUND_CPU_US / warm_up(theirs)) as usize;
    let round = |(child, request), figures: &mut Figures| {
        figures.add(Load::repeated(child, request, count).run(CONNECTIONS));
    };
    let (mut server, mut floor) = (Figures::default(), Figures::default());
    for at in 0..ROUNDS {
        if at % 2 == 0 {
            round(theirs, &mut floor);
            round(ours, &mut server);
        } else {
            round(ours, &mut server);
            round(theirs, &mut floor);
        }
    }
    println!("{}", server.line(name));
    println!("{}", floor.line("  floor"));
    let ratios = server.ratios(&floor);
    let (ratio, low, high) = (ratios[ROUNDS / 2], ratios[ROUNDS / 4], ratios[ROUNDS * 3 / 4]);
    let range = format!("median of {ROUNDS} rounds, half of them {low:.2} to {high:.2}");
    println!("  ratio of CPU time: {ratio:.2} ({range}){}\n", target(ratio, most, ""));
}

/// Requests that each count once, against no floor.
fn report(name: &str, server: &Child, requests: impl Fn() -> Vec<Request>) {
    let mut figures = Figures::default();
    for _ in 0..3 {
        figures.add(Load::each(server, requests()).run(CONNECTIONS));
    }
    println!("{}\n", figures.line(name));
}

fn start_up(fixture: &Fixture) {
    drop(Child::server(fixture));
    let mut times: Vec<f64> = (0..9).map(|_| ms(Child::server(fixture).started_in)).collect();
    times.sort_by(f64::total_cmp);
    let median = times[times.len() / 2];
    println!(
        "start-up to the first answer, existing database: {median:.0} ms{}",
        target(median, 100.0, " ms")
    );
}

fn memory(server: &Child, fixture: &Fixture) {
    let idle = server.resident_mb();
    println!("resident memory, idle: {idle:.1} MB{}", target(idle, 30.0, " MB"));
    let held: Vec<_> = (0..256).map(|_| server.connect_and_ask()).collect();
    let busy = server.resident_mb();
    println!("resident memory, {} connections: {busy:.1} MB{}", held.len(), target(busy, 100.0, " MB"));
    drop(held);
    // At once, so that they spread over the threads of the pool.
    std::thread::scope(|scope| {
        for at in 0..16 {
            scope.spawn(move || server.body_bytes(&fixture.wrong_password(&format!("nobody-{at}")), 400));
        }
    });
    let after = server.resident_mb();
    println!("resident memory, idle after 16 password checks: {after:.1} MB{}", target(after, 30.0, " MB"));
}

/// The goal of issue 2 beside what was measured.
fn target(measured: f64, most: f64, unit: &str) -> String {
    format!(" — at most {most}{unit}: {}", if measured <= most { "met" } else { "MISSED" })
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
