//! The pages in a real Chromium.

pub mod driver;
