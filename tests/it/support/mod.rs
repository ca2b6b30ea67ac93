//! What the tests share: databases, a server in this process, clients, the happy path.

pub mod assertions;
pub mod change;
pub mod db;
pub mod flow;
pub mod http;
pub mod jwe;
pub mod jwt;
pub mod outside;
pub mod pages;
pub mod postgres;
pub mod program;
pub mod programs;
pub mod proxy;
pub mod raw;
pub mod registration;
pub mod security_log;
pub mod server;
pub mod sign_up;
pub mod tokens;

pub use db::{Database, on_each_database};
pub use server::TestServer;
