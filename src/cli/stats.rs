//! `countersign stats`: how much there is in the database, and what waits to be swept.

use serde_json::{Value, json};

use crate::store::stats::{DeadRows, TableStats};

use super::output::{Failure, Output};
use super::setup::{Setup, now};

pub(super) fn run(setup: &Setup, output: &Output) -> Result<(), Failure> {
    let (_, store) = setup.store()?;
    let (tables, size) = (store.table_stats(now())?, store.size()?);
    let mut rows: Vec<Vec<String>> = tables.iter().map(row).collect();
    let bytes = |name: &str, bytes: i64| vec![name.to_owned(), megabytes(bytes)];
    rows.push(bytes("the whole database", size.bytes));
    rows.extend(size.free_bytes.map(|free| bytes("of it free for new rows", free)));
    let json = json!({
        "tables": tables.iter().map(as_json).collect::<Vec<_>>(),
        "bytes": size.bytes,
        "free_bytes": size.free_bytes,
    });
    output.table(&["table", "rows", "dead"], &rows, &json);
    Ok(())
}

fn row(stats: &TableStats) -> Vec<String> {
    let about = if stats.rows_estimated { "~" } else { "" };
    let dead = match stats.dead {
        Some(DeadRows::Exactly(rows)) => rows.to_string(),
        Some(DeadRows::MoreThan(rows)) => format!("> {rows}"),
        None => String::new(),
    };
    vec![stats.table.to_owned(), format!("{about}{}", stats.rows), dead]
}

fn as_json(stats: &TableStats) -> Value {
    let (dead, more) = match stats.dead {
        Some(DeadRows::Exactly(rows)) => (Some(rows), false),
        Some(DeadRows::MoreThan(rows)) => (Some(rows), true),
        None => (None, false),
    };
    json!({
        "table": stats.table,
        "rows": stats.rows,
        "rows_estimated": stats.rows_estimated,
        "dead": dead,
        "dead_or_more": more,
    })
}

fn megabytes(bytes: i64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10)
}
