//! `[pages]`, `[log]`, `[sweeper]`, `[cache]`: small sections for the operator.

use super::schema::section;
use super::words::{LogFormat, LogLevel};

section! {
    /// What people see.
    pub struct Pages {
        /// The name of the service on every page; left out, the issuer's host stands there.
        service_name: Option<String> = None;
    }
}

section! {
    /// The operator's log, on standard error.
    pub struct Log {
        /// How much it tells.
        level: LogLevel = LogLevel::Info;
        /// Its form: lines for people, or one JSON object a line.
        format: LogFormat = LogFormat::Text;
    }
}

section! {
    /// Deletes what has expired, in small steps.
    pub struct Sweeper {
        /// Whether this node sweeps. One node is enough, several do no harm.
        enabled: bool = true;
        /// The pause between two rounds.
        interval_s: u32 = 60, in 1..=86_400;
        /// Rows that one transaction deletes at most. It takes fewer where they would keep others waiting.
        batch_rows: u32 = 500, in 1..=10_000;
    }
}

section! {
    /// Clients, resource servers and keys are read from memory, which follows the database.
    pub struct Cache {
        /// The pause between two looks for changes: a change on one node is in force on all within about this time.
        refresh_ms: u32 = 500, in 50..=1_000;
        /// How old the memory may become while the database does not answer, before requests get 503.
        max_stale_s: u32 = 10, in 1..=3_600;
    }
}
