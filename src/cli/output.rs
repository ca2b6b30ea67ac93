//! What a command says: lines for people, or one JSON document for scripts.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::domain::Problem;
use crate::store::StoreError;

/// Where answers go.
#[derive(Clone, Copy)]
pub(super) struct Output {
    json: bool,
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(super) struct Failure(pub(super) Vec<String>);

impl Failure {
    pub(super) fn new(text: impl Display) -> Self {
        Self(vec![text.to_string()])
    }

    pub(super) fn problems(problems: &[Problem]) -> Self {
        Self(problems.iter().map(ToString::to_string).collect())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::new(error)
    }
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Self { json }
    }

    /// One answer in both forms. A reader that went away (`| head`) is no failure.
    pub(super) fn say(&self, lines: &[String], json: &Value) {
        let mut out = io::stdout().lock();
        if self.json {
            let _ = writeln!(out, "{json:#}");
            return;
        }
        for line in lines {
            let _ = writeln!(out, "{line}");
        }
    }

    /// Aligned columns for people, the rows' JSON for scripts.
    pub(super) fn table(&self, head: &[&str], rows: &[Vec<String>], json: &Value) {
        if rows.is_empty() {
            return self.say(&["none".to_owned()], json);
        }
        let mut widths: Vec<usize> = head.iter().map(|title| title.chars().count()).collect();
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let line = |cells: &[String]| {
            let padded: Vec<String> =
                cells.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
            padded.join("  ").trim_end().to_owned()
        };
        let head: Vec<String> = head.iter().map(|title| title.to_uppercase()).collect();
        let lines: Vec<String> =
            std::iter::once(line(&head)).chain(rows.iter().map(|row| line(row))).collect();
        self.say(&lines, json);
    }

    /// Says what went wrong, on standard error.
    pub(super) fn fail(&self, failure: &Failure) -> ExitCode {
        let mut err = io::stderr().lock();
        if self.json {
            let _ = writeln!(err, "{}", json!({ "errors": failure.0 }));
        } else {
            for text in &failure.0 {
                let _ = writeln!(err, "error: {text}");
            }
        }
        ExitCode::FAILURE
    }
}

/// A line to the person at the terminal that is no answer.
pub(super) fn note(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// A list in one cell.
pub(super) fn listed<T: Display>(values: impl IntoIterator<Item = T>) -> String {
    values.into_iter().map(|value| value.to_string()).collect::<Vec<_>>().join(" ")
}
