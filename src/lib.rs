//! Countersign: a standalone OAuth 2 and OpenID Connect authorization server. Start here.
//!
//! The rooms lie in one line; each may use those to its right, never those to its left (`tests/it/tidy.rs` is the law):
//!
//! ```text
//! cli → http → app → flow → { store, jose, fetch } → domain → oauth → base          (config: base only)
//! ```
//!
//! * [`cli`] — the commands: `serve`, `check`, `client`, `user`, `key`, …
//! * [`http`] — the only async code: one file per endpoint, the routes in one list, the pages.
//! * [`app`] — puts database, keys, clock and configuration together.
//! * [`flow`] — the use cases: `authorize`, `token`, `login`, `logout`; where a request is decided.
//! * [`store`] — SQLite and PostgreSQL behind one schema; where something is remembered.
//! * [`jose`] — keys, signatures, sealing.
//! * [`fetch`] — requests that this server makes itself, to addresses that a client named.
//! * [`domain`] — what is remembered: clients, users, sessions, authorizations, keys.
//! * [`oauth`] — the words of the wire, each with its type and its RFC.
//! * [`base`] — time, randomness, secrets.
//! * [`config`] — the configuration file and the environment.

pub mod app;
pub mod base;
pub mod cli;
pub mod config;
pub mod domain;
pub mod fetch;
pub mod flow;
pub mod http;
pub mod jose;
pub mod oauth;
pub mod store;
