//! What is said on the wire: types and rules, without I/O and without a clock. One file per spec.

pub mod algorithm;
