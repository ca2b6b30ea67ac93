//! The master key of this node: 32 bytes outside of the database, under which everything in it that is secret is sealed.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use zeroize::{Zeroize as _, Zeroizing};

use crate::base::encoding::{base64url, from_base64url, sha256};
use crate::base::entropy::{self, Entropy, EntropyError};

const ID_DOMAIN: &[u8] = b"countersign master key id";

/// A key of 256 bits. It cannot be printed or compared.
#[derive(Clone)]
pub struct MasterKey {
    id: String,
    bytes: Zeroizing<[u8; 32]>,
}

/// The key that seals, and others that open too.
#[derive(Clone, Debug)]
pub struct MasterKeys {
    /// Seals and opens.
    pub current: MasterKey,
    /// Open only: earlier ones, until everything is sealed anew, and the next one, which another node may seal with already.
    pub previous: Vec<MasterKey>,
}

/// Why there is no master key. The texts are for the operator.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// Not there, and it may not be made.
    #[error(
        "the master key file {0} does not exist, and the database already has keys that are sealed under it: \
         restore the file from its backup, or set COUNTERSIGN_KEYS__MASTER_KEY"
    )]
    Missing(PathBuf),
    /// Others than the owner may read it.
    #[error("the master key file {path} is open to group or others (mode {mode:04o}); run: chmod 600 {path}")]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not 32 bytes in base64url.
    #[error(
        "{0} holds no master key: expected 32 bytes in unpadded base64url (43 characters) and nothing else, save further \
         lines that begin with `next` or `previous`"
    )]
    Malformed(String),
    /// Somebody else is writing it, or was cut off.
    #[error("{0} is there: another command is changing the master key. If none is, remove that file")]
    Busy(PathBuf),
    /// The file system refused.
    #[error("{what} {path}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl MasterKey {
    /// A key of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let bytes = Zeroizing::new(bytes);
        let input = Zeroizing::new([ID_DOMAIN, bytes.as_slice()].concat());
        let mut id = base64url(&sha256(&input));
        id.truncate(16);
        Self { id, bytes }
    }

    /// A new key.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn random(source: &dyn Entropy) -> Result<Self, EntropyError> {
        entropy::bytes(source).map(Self::from_bytes)
    }

    /// The first 16 characters of base64url(SHA-256("countersign master key id" ‖ key)): names the key, gives nothing away.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }
}

impl FromStr for MasterKey {
    type Err = MasterKeyError;
    fn from_str(text: &str) -> Result<Self, MasterKeyError> {
        parse(text).ok_or_else(|| MasterKeyError::Malformed("the text".to_owned()))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({}, …)", self.id)
    }
}

pub(super) fn parse(text: &str) -> Option<MasterKey> {
    let decoded = Zeroizing::new(from_base64url(text.trim())?);
    let mut bytes = <[u8; 32]>::try_from(decoded.as_slice()).ok()?;
    let key = MasterKey::from_bytes(bytes);
    bytes.zeroize();
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_names_the_key_and_nothing_else_is_shown() {
        let text = base64url(&[7; 32]);
        let key: MasterKey = text.parse().unwrap();
        let expected = base64url(&sha256(&[ID_DOMAIN, &[7; 32]].concat()));
        assert_eq!(key.id(), &expected[..16]);
        assert!(!format!("{key:?}").contains(&text));
    }

    #[test]
    fn only_32_bytes_are_a_key() {
        for bad in
            [String::new(), base64url(&[7; 31]), base64url(&[7; 33]), format!("{}=", base64url(&[7; 32]))]
        {
            assert!(matches!(bad.parse::<MasterKey>(), Err(MasterKeyError::Malformed(_))), "{bad}");
        }
    }
}
