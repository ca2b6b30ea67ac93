//! placeholder
use crate::base::Timestamp;
#[derive(Clone, Debug)]
pub enum KeyState {
    Published { published_at: Timestamp },
}
#[derive(Clone, Debug)]
pub struct SigningKeyRecord {
    pub kid: String,
}
