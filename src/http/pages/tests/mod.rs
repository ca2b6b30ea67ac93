//! The tests of the pages: their words, their colours, and the HTML itself with friendly, long and hostile data.

mod applications;
mod colours;
mod html;
mod samples;
mod tokens;
mod words;
