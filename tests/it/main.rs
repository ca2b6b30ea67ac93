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

mod account_applications;
mod account_chooser;
mod account_sessions;
mod account_tokens;
mod api_tokens;
#[path = "../browser/mod.rs"]
mod browser;
mod certification;
mod change_password;
mod check;
mod cli;
mod client_pages;
mod cors;
mod custom_claims;
mod declare;
mod demo;
mod deps;
mod examples;
mod fetch;
mod forms;
mod health;
mod http;
mod keys_compromised;
mod keys_hints;
mod keys_life;
mod keys_master;
mod keys_plan;
mod keys_year;
mod kill;
mod leaked_tokens;
mod login_page;
mod media_types;
mod migrations;
mod oidc_backchannel_logout;
mod oidc_claims;
mod oidc_core;
mod oidc_id_token;
mod oidc_id_token_encryption;
mod oidc_offline_access;
mod oidc_registration;
mod oidc_rp_logout;
mod oidc_subjects;
mod oidc_userinfo;
mod opaque;
mod outage;
mod prompt_create;
mod races;
mod races_account;
mod races_browser;
mod real_clients;
mod refresh_grace;
mod registration_life;
mod response_modes;
mod rfc6749_authorize;
mod rfc6749_client_auth;
mod rfc6749_client_credentials;
mod rfc6749_code;
mod rfc6749_errors;
mod rfc6749_password;
mod rfc6749_redirect_uri;
mod rfc6749_refresh;
mod rfc7009;
mod rfc7516;
mod rfc7517_jwks;
mod rfc7523;
mod rfc7523_keys;
mod rfc7523_secret;
mod rfc7591;
mod rfc7591_keys;
mod rfc7591_metadata;
mod rfc7592;
mod rfc7636;
mod rfc7662;
mod rfc8252;
mod rfc8414;
mod rfc8693;
mod rfc8707;
mod rfc9068;
mod rfc9207;
mod rfc9470;
mod rfc9700;
mod rfc9701;
mod rp_logout_proof;
mod serve;
mod session_end;
mod session_grant;
mod sessions;
mod sign_up;
mod smoke;
mod stay_signed_in;
mod store;
mod support;
mod support_smoke;
mod tidy;
mod tls;
mod token_forms;
mod token_size;
