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
mod deps;
mod forms;
mod health;
mod http;
mod login_page;
mod oidc_core;
mod oidc_rp_logout;
mod races_browser;
mod rfc6749_authorize;
mod rfc6749_redirect_uri;
mod rfc7517_jwks;
mod rfc8252;
mod rfc8414;
mod rfc9207;
mod rfc9700;
mod sessions;
mod smoke;
mod support;
mod support_smoke;
mod tls;
