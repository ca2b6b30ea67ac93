//! Start here.
pub mod http;
