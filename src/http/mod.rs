//! The only async code and the only actix imports.
pub mod pages;
