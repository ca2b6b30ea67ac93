//! The pages and the demo applications in a real Chromium.

mod accounts;
pub mod driver;
mod elsewhere;
pub mod flows;
mod looks;
mod modes;
mod renewal;
mod tokens;
pub mod web;
