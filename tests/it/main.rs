//! The one integration binary: a file per spec, the races, the house rules, and the flows in a real browser.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "a test fails by panicking, and its crate has no readers outside"
)]

#[path = "../browser/mod.rs"]
mod browser;
mod check;
mod cli;
mod demo;
mod deps;
mod examples;
mod kill;
mod serve;
mod smoke;
mod support;
mod support_smoke;
