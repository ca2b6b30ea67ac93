//! `make bench-growth`: what a refresh costs beside millions of rows, and while they are swept, in alternate rounds with
//! what it costs beside a thousand.
//!
//! The cost is CPU time: of the server's process and, on PostgreSQL, of the processes that serve its connections.
//! Latencies stand beside it; they hold for this machine, with the client on the same cores.

mod side;
mod sql;

#[allow(dead_code, reason = "the tests' own; the benchmark starts one server and stops it")]
#[path = "../../../tests/it/support/postgres.rs"]
mod postgres;

use std::fs::File;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::load::Figures;
use crate::{CONNECTIONS, target};

use side::Side;

const FEW: i64 = 1_000;
/// Refreshes of a round: every one of the few, once.
const ROUND: usize = FEW as usize;
/// Refreshes of a round in which one waits for the other.
const UNHURRIED: usize = 200;
const ROUNDS: usize = 31;
/// Tokens of the many whose text is known: for two comparisons and their first rounds.
const KNOWN: usize = 2 * (ROUNDS + 1) * (ROUND + UNHURRIED);
/// Goal of issue 3.
const MOST: f64 = 1.2;
const POSTGRES: &str = "-c shared_buffers=1GB -c max_wal_size=4GB";
const SWEEPS: [(&str, &str); 2] =
    [("COUNTERSIGN_SWEEPER__ENABLED", "true"), ("COUNTERSIGN_SWEEPER__INTERVAL_S", "1")];
const SWEEPS_NOT: [(&str, &str); 1] = [("COUNTERSIGN_SWEEPER__ENABLED", "false")];

pub fn run(living: i64) {
    assert!(living as usize >= KNOWN, "at least {KNOWN} living tokens");
    measure("SQLite", living, || None);
    match postgres::Cluster::start_private_with(POSTGRES) {
        Some(cluster) => {
            println!("\nPostgreSQL with {POSTGRES}");
            measure("PostgreSQL", living, || Some(cluster.fresh_database()));
        }
        None => println!("PostgreSQL is not installed here: not measured"),
    }
}

fn measure(name: &str, living: i64, database: impl Fn() -> Option<String>) {
    let begun = Instant::now();
    let (mut few, mut many) = (Side::empty(database()), Side::empty(database()));
    few.fill(FEW, FEW, false);
    many.fill(living, KNOWN as i64, true);
    let dead = many.dead();
    println!(
        "\n{name}: {FEW} living refresh tokens, and {living} with {dead} dead ones ({:.0} MB, filled in {:.0} s)",
        many.size_mb(),
        begun.elapsed().as_secs_f64()
    );
    println!("{}", Figures::heading());
    few.serve(&SWEEPS_NOT, Stdio::null());
    many.serve(&SWEEPS_NOT, Stdio::null());
    Comparison::of(&mut few, &mut many).tell("beside millions", target_of);
    many.stop();

    let row = sweep_alone(&mut many);
    many.serve(&SWEEPS, Stdio::null());
    let (cpu, dead) = (many.cpu(), many.dead());
    let comparison = Comparison::of(&mut few, &mut many);
    let (cpu, swept) = (many.cpu() - cpu, dead - many.dead());
    comparison.tell("while they are swept", |_| ", the sweeper's own part included".to_owned());
    let own = row * u32::try_from(swept).unwrap();
    let requests = (ROUNDS + 1) * (ROUND + UNHURRIED);
    let ratio = cpu.saturating_sub(own).as_secs_f64() / requests as f64 / comparison.few_seconds();
    println!(
        "  {swept} rows swept meanwhile; without what that took alone, {:.1} s of {:.1} s: {ratio:.2}{}",
        own.as_secs_f64(),
        cpu.as_secs_f64(),
        target_of(ratio)
    );
    few.stop();
    many.stop();
}

fn target_of(ratio: f64) -> String {
    target(ratio, MOST, "")
}

/// Alternate rounds at both: of many connections, and of one that waits for each answer.
#[derive(Default)]
struct Comparison {
    few: Figures,
    many: Figures,
    few_unhurried: Figures,
    many_unhurried: Figures,
}

impl Comparison {
    fn of(few: &mut Side, many: &mut Side) -> Self {
        let mut all = Self::default();
        // The first round warms up and does not count.
        Self::default().round(few, many);
        for _ in 0..ROUNDS {
            all.round(few, many);
        }
        all
    }

    fn round(&mut self, few: &mut Side, many: &mut Side) {
        few.renew();
        self.few.add(few.refresh(ROUND, CONNECTIONS));
        self.many.add(many.refresh(ROUND, CONNECTIONS));
        few.renew();
        self.many_unhurried.add(many.refresh(UNHURRIED, 1));
        self.few_unhurried.add(few.refresh(UNHURRIED, 1));
    }

    /// CPU time of a refresh beside a thousand, of all rounds together.
    fn few_seconds(&self) -> f64 {
        let ((count, cpu), (unhurried, more)) = (self.few.total(), self.few_unhurried.total());
        (cpu + more).as_secs_f64() / (count + unhurried) as f64
    }

    fn tell(&self, name: &str, judge: impl Fn(f64) -> String) {
        println!("{}", self.few.line("beside a thousand"));
        println!("{}", self.many.line(name));
        println!("{}", self.few_unhurried.line("  one by one"));
        println!("{}", self.many_unhurried.line(&format!("{name}, one by one")));
        let ratios = self.many.ratios(&self.few);
        let (ratio, low, high) = (ratios[ROUNDS / 2], ratios[ROUNDS / 4], ratios[ROUNDS * 3 / 4]);
        let range = format!("median of {ROUNDS} rounds, half of them {low:.2} to {high:.2}");
        println!("  ratio of CPU time: {ratio:.2} ({range}){}", judge(ratio));
    }
}

/// Sweeps for a while with nobody else there; the CPU time of a row.
fn sweep_alone(many: &mut Side) -> Duration {
    let log = tempfile::NamedTempFile::new().unwrap();
    let environment = [&SWEEPS[..], &[("COUNTERSIGN_LOG__LEVEL", "debug")]].concat();
    many.serve(&environment, File::create(log.path()).unwrap());
    // Its first batches are small, and the tables before have nothing.
    std::thread::sleep(Duration::from_secs(3));
    let (cpu, dead, begun) = (many.cpu(), many.dead(), Instant::now());
    std::thread::sleep(Duration::from_secs(15));
    let (cpu, swept, time) = (many.cpu() - cpu, dead - many.dead(), begun.elapsed());
    many.stop();
    let log = std::fs::read_to_string(log.path()).unwrap();
    let holds =
        log.lines().filter_map(|line| line.split("longest_ms=").nth(1)?.split(' ').next()?.parse().ok());
    let longest: f64 = holds.fold(0.0, f64::max);
    assert!(swept > 0 && longest > 0.0, "nothing was swept: {log}");
    let row = cpu / u32::try_from(swept).unwrap();
    println!(
        "\nsweeping with nobody else there: {:.0} rows/s, {:.1} µs CPU a row; longest batch {longest:.1} ms{}",
        swept as f64 / time.as_secs_f64(),
        row.as_secs_f64() * 1e6,
        target(longest, 50.0, " ms")
    );
    row
}
