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
mod cors;
mod declare;
mod deps;
mod keys_life;
mod migrations;
mod oidc_id_token;
mod outage;
mod races;
mod rfc6749_client_auth;
mod rfc6749_client_credentials;
mod rfc6749_code;
mod rfc6749_errors;
mod rfc6749_password;
mod rfc6749_refresh;
mod rfc7636;
mod rfc8707;
mod rfc9068;
mod smoke;
mod store;
mod support;
mod support_smoke;
mod tidy;
