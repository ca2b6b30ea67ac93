//! SQLite has one writer: this thread. It takes the writes that wait, runs each in a savepoint of one transaction,
//! commits once, and only then answers them all (group commit). A write that wants to be alone is a batch of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use diesel::Connection;
use diesel::connection::{AnsiTransactionManager, TransactionManager};

use crate::base::clock::Stopwatch;

use super::conn::{Conn, Manager, in_transaction};
use super::{StoreError, StoreOptions};

/// The most writes of one commit.
const MAX_BATCH: usize = 64;
/// The most writes that wait; more than that, and a request is told to come back.
const MAX_WAITING: usize = 1024;

pub(super) struct Writer {
    queue: Sender<Box<dyn Job>>,
    timeout: Duration,
}

impl Writer {
    pub(super) fn start(options: &StoreOptions) -> Result<Self, StoreError> {
        let (queue, jobs) = bounded(MAX_WAITING);
        let manager = Manager::writers(options);
        thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || serve(&manager, &jobs))
            .map_err(|e| StoreError::unavailable("start the writer", &e))?;
        Ok(Self { queue, timeout: options.acquire_timeout })
    }

    pub(super) fn run<T: Send + 'static>(
        &self,
        name: &'static str,
        queries: impl Fn(&mut Conn) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.wait_for(name, queries, false).map(|(value, _)| value)
    }

    /// In a transaction of its own; and how long the writer had nothing else to do, from its beginning to its commit.
    pub(super) fn run_alone<T: Send + 'static>(
        &self,
        name: &'static str,
        queries: impl Fn(&mut Conn) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<(T, Duration), StoreError> {
        self.wait_for(name, queries, true)
    }

    fn wait_for<T: Send + 'static>(
        &self,
        name: &'static str,
        queries: impl Fn(&mut Conn) -> Result<T, StoreError> + Send + 'static,
        alone: bool,
    ) -> Result<(T, Duration), StoreError> {
        let (reply, answer) = bounded(1);
        let job = Box::new(Write { queries, alone, result: None, reply });
        self.queue.send_timeout(job, self.timeout).map_err(|e| StoreError::unavailable(name, &e))?;
        answer.recv().map_err(|e| StoreError::unavailable(name, &e))?
    }
}

/// A write that waits for its turn and then for the commit.
trait Job: Send {
    /// Whether it shares its transaction with no other.
    fn is_alone(&self) -> bool;
    /// Runs the queries; false when its part must be rolled back.
    fn run(&mut self, conn: &mut Conn) -> bool;
    /// Tells the one who waits, once the commit is known and that it took so long to get there.
    fn answer(self: Box<Self>, commit: Result<Duration, String>);
}

struct Write<T, F> {
    queries: F,
    alone: bool,
    result: Option<Result<T, StoreError>>,
    reply: Sender<Result<(T, Duration), StoreError>>,
}

impl<T: Send, F: Fn(&mut Conn) -> Result<T, StoreError> + Send> Job for Write<T, F> {
    fn is_alone(&self) -> bool {
        self.alone
    }

    fn run(&mut self, conn: &mut Conn) -> bool {
        let result = in_transaction(conn, &self.queries);
        let sound = result.is_ok();
        self.result = Some(result);
        sound
    }

    fn answer(self: Box<Self>, commit: Result<Duration, String>) {
        let answer = match (self.result, commit) {
            (Some(Ok(value)), Ok(held)) => Ok((value, held)),
            (Some(Err(error)), _) => Err(error),
            (_, Err(text)) => Err(StoreError::Unavailable { name: "commit", text }),
            (None, Ok(_)) => Err(StoreError::unavailable("write", &"it was never run")),
        };
        // The one who waited may be gone; the write stands all the same.
        let _ = self.reply.send(answer);
    }
}

fn serve(manager: &Manager, jobs: &Receiver<Box<dyn Job>>) {
    let mut open: Option<Conn> = None;
    let mut next: Option<Box<dyn Job>> = None;
    while let Some(first) = next.take().or_else(|| jobs.recv().ok()) {
        let mut batch = vec![first];
        while !batch[0].is_alone() && batch.len() < MAX_BATCH && next.is_none() {
            match jobs.try_recv() {
                Ok(job) if job.is_alone() => next = Some(job),
                Ok(job) => batch.push(job),
                Err(_) => break,
            }
        }
        let begun = open.take().map_or_else(|| manager.open(), Ok).map_err(|e| e.to_string()).and_then(begin);
        let committed = match begun {
            Ok(mut conn) => {
                // A panic is a fault of ours; the connection's state is unknown then, so it is thrown away.
                let held = Stopwatch::start();
                let outcome = catch_unwind(AssertUnwindSafe(|| run_batch(&mut conn, &mut batch)));
                let committed = outcome.unwrap_or_else(|_| Err("a write panicked".to_owned()));
                let committed = committed.map(|()| held.elapsed());
                if committed.is_ok() {
                    open = Some(conn);
                }
                committed
            }
            Err(error) => {
                // Waited for in vain; whoever came in the meantime is not to wait as long again.
                batch.extend(jobs.try_iter().take(MAX_WAITING));
                Err(error)
            }
        };
        for job in batch {
            job.answer(committed.clone());
        }
    }
}

/// A plain `BEGIN` that reads and then writes fails with BUSY at once when another process writes; `IMMEDIATE` waits.
fn begin(mut conn: Conn) -> Result<Conn, String> {
    let Conn::Sqlite(sqlite) = &mut conn else {
        return Err("the writer is for SQLite".to_owned());
    };
    AnsiTransactionManager::begin_transaction_sql(sqlite, "BEGIN IMMEDIATE").map_err(|e| e.to_string())?;
    Ok(conn)
}

fn run_batch(conn: &mut Conn, batch: &mut [Box<dyn Job>]) -> Result<(), String> {
    for job in batch.iter_mut() {
        job.run(conn);
    }
    type Manager = <Conn as Connection>::TransactionManager;
    Manager::commit_transaction(conn).map_err(|e| e.to_string())
}
