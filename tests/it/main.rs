//! The one integration binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "a test fails by panicking, and its crate has no readers outside"
)]

#[path = "../browser/mod.rs"]
mod browser;
mod deps;
mod support;

mod support_smoke;
