//! `[keys]`: the algorithms that sign tokens, and the master key that seals their keys in the database.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::schema::{section, text_setting};
use super::words::AlgorithmName;
use crate::base::encoding::from_base64url;

section! {
    /// Signing keys lie in the database, sealed under a master key that lies outside of it.
    pub struct Keys {
        /// The file of the master key, made at the first start with mode 0600. Without it (and its backup) the signing
        /// keys in the database cannot be opened.
        master_key_file: PathBuf = PathBuf::from("keys/master.key");
        /// The master key itself: 32 bytes in unpadded base64url, for several nodes on one database. It goes before
        /// `master_key_file`. Give it by environment (`COUNTERSIGN_KEYS__MASTER_KEY`) rather than in the file.
        master_key: Option<MasterKey> = None;
        /// Earlier master keys that may still open signing keys, until `countersign key reseal` has run.
        previous_master_key_files: Vec<PathBuf> = Vec::new();
        /// The algorithms that keys are kept for. The first signs the access tokens of resource servers that name none.
        /// RS256 has to be among them (OpenID Connect Discovery 1.0 §3).
        algorithms: Vec<AlgorithmName> = vec![AlgorithmName::Es256, AlgorithmName::Rs256];
        /// The size of new RSA keys.
        rsa_bits: u32 = 2_048, in 2_048..=4_096;
        /// How long verifiers may cache the JWKS; a new key is published at least that long before it signs.
        jwks_max_age_s: u32 = 300, in 1..=86_400;
    }
}

/// A master key of 256 bits. It cannot be printed or compared; `reveal` is the one way out.
#[derive(Clone)]
pub struct MasterKey([u8; 32]);

impl MasterKey {
    /// The bytes, for the key ring only.
    #[must_use]
    pub fn reveal(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for MasterKey {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let bytes = from_base64url(text).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        bytes.map(Self).ok_or_else(|| "expected 32 bytes in unpadded base64url (43 characters)".to_owned())
    }
}

impl fmt::Display for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

text_setting!(MasterKey, "32 bytes in unpadded base64url", SECRET = true);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::encoding::base64url;

    #[test]
    fn a_master_key_has_32_bytes_exactly() {
        assert_eq!(base64url(&[7; 32]).parse::<MasterKey>().unwrap().reveal(), &[7; 32]);
        for text in
            [base64url(&[7; 31]), base64url(&[7; 33]), format!("{}=", base64url(&[7; 32])), String::new()]
        {
            assert!(text.parse::<MasterKey>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_master_key_is_never_printed() {
        let text = base64url(&[7; 32]);
        let keys = Keys { master_key: Some(text.parse().unwrap()), ..Keys::default() };
        assert!(!format!("{keys:?}").contains(&text));
        let told = format!("{text}x").parse::<MasterKey>().unwrap_err();
        assert!(!told.contains(&text), "{told}");
    }
}
