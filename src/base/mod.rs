//! What every room may use: time, randomness, secrets, identifiers, encoding. No I/O but the clock and the OS's randomness.

pub mod clock;
pub mod encoding;
pub mod entropy;
pub mod id;
pub mod secret;
pub mod shown;
pub mod strict;
pub mod time;

pub use clock::Clock;
pub use entropy::Entropy;
pub use id::Id;
pub use secret::{HashedToken, PlainToken, TokenKind};
pub use time::{Seconds, Timestamp};
