//! The tests of the pages: their words, their colours, and the HTML itself with friendly, long and hostile data.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod colours;
mod html;
mod samples;
mod words;
