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
        /// keys in the database cannot be opened. It is read again when it changes.
        master_key_file: PathBuf = PathBuf::from("keys/master.key");
        /// The master key itself: 32 bytes in unpadded base64url, for several nodes on one database. It goes before
        /// `master_key_file`. Give it by environment (`COUNTERSIGN_KEYS__MASTER_KEY`) rather than in the file.
        master_key: Option<MasterKey> = None;
        /// Further master keys that only open: earlier ones until `countersign key reseal` has run, and the next one while
        /// the nodes are restarted one after the other.
        previous_master_key_files: Vec<PathBuf> = Vec::new();
        /// The same without files. Give them by environment (`COUNTERSIGN_KEYS__PREVIOUS_MASTER_KEYS`, parted by commas).
        previous_master_keys: Vec<MasterKey> = Vec::new();
        /// The algorithms that keys are kept for. The first signs the access tokens of resource servers that name none.
        /// RS256 has to be among them (OpenID Connect Discovery 1.0 §3).
        algorithms: Vec<AlgorithmName> = vec![AlgorithmName::Es256, AlgorithmName::Rs256];
        /// The size of new RSA keys.
        rsa_bits: u32 = 2_048, in 2_048..=4_096;
        /// How long verifiers may cache the JWKS. A key that is taken out after a theft is believed for as long by those
        /// who do; a new key is published at least that long before it signs. Left out: 900, and where a plan publishes
        /// later than that allows, half a minute less than its `publish_ahead_s`.
        jwks_max_age_s: Option<u32> = None, in 1..=86_400;
        /// Whether keys rotate by themselves. Otherwise they change by `countersign key …` alone.
        rotate: bool = true;
        /// How long a key signs.
        sign_for_s: u32 = 2_592_000, in 60..=315_360_000;
        /// How long before it signs a new key is published; half a minute more than `jwks_max_age_s` at least, where that
        /// is given. The longer, the likelier that every verifier knows the next key when one has to go at once.
        publish_ahead_s: u32 = 86_400, in 31..=315_360_000;
        /// How long a key is published after it has ceased to sign, and some minutes more. Left out: twice the longest life
        /// of any token that it may have signed. Never less than that life.
        keep_retired_s: Option<u32> = None, in 0..=315_360_000;
        /// Algorithms that have a plan of their own.
        plans: Vec<KeyPlan> = Vec::new();
    }
}

section! {
    /// The rotation of one algorithm's keys, where it is to differ from `[keys]`.
    pub struct KeyPlan {
        /// The algorithm; one of `keys.algorithms`.
        algorithm: Option<AlgorithmName> = None;
        /// How long a key signs.
        sign_for_s: Option<u32> = None, in 60..=315_360_000;
        /// How long before it signs a new key is published.
        publish_ahead_s: Option<u32> = None, in 31..=315_360_000;
        /// How long a key is published after it has ceased to sign.
        keep_retired_s: Option<u32> = None, in 0..=315_360_000;
    }
}

/// How much longer than the key set may be cached a key is published before it signs: it takes a moment until all nodes
/// show it. The same as `domain::key_plan::NODES_FOLLOW`.
pub const PUBLISH_MARGIN_S: u32 = 30;
/// How long the key set may be cached where neither the configuration nor a plan says less: a compromised key is believed
/// for as long, and for as long a verifier does without this server.
const ORDINARY_MAX_AGE_S: u32 = 900;

impl Keys {
    /// How long verifiers may cache the JWKS: what is configured, else what every plan allows.
    #[must_use]
    pub fn max_age_s(&self) -> u32 {
        self.jwks_max_age_s.unwrap_or_else(|| {
            let planned =
                self.algorithms.iter().filter(|_| self.rotate).map(|algorithm| self.plan(*algorithm).1);
            planned.fold(ORDINARY_MAX_AGE_S, |age_s, ahead_s| {
                age_s.min(ahead_s.saturating_sub(PUBLISH_MARGIN_S))
            })
        })
    }

    /// What holds for an algorithm: its own plan, else the section's: `(sign_for_s, publish_ahead_s, keep_retired_s)`.
    #[must_use]
    pub fn plan(&self, algorithm: AlgorithmName) -> (u32, u32, Option<u32>) {
        let own = self.plans.iter().find(|plan| plan.algorithm == Some(algorithm));
        (
            own.and_then(|plan| plan.sign_for_s).unwrap_or(self.sign_for_s),
            own.and_then(|plan| plan.publish_ahead_s).unwrap_or(self.publish_ahead_s),
            own.and_then(|plan| plan.keep_retired_s).or(self.keep_retired_s),
        )
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

    #[test]
    fn further_master_keys_come_by_environment_and_are_never_printed() {
        let [one, two] = [[7; 32], [8; 32]].map(|bytes| base64url(&bytes));
        let load = |value: String| {
            let variable = ("COUNTERSIGN_KEYS__PREVIOUS_MASTER_KEYS".to_owned(), value);
            crate::config::Config::load(None, std::iter::once(variable))
        };
        let config = load(format!("{one},{two}")).unwrap();
        let keys: Vec<_> = config.keys.previous_master_keys.iter().map(|key| *key.reveal()).collect();
        assert_eq!(keys, [[7; 32], [8; 32]]);
        assert!(!format!("{config:?}").contains(&one));
        let told = load(format!("{one},{two}x")).unwrap_err().to_string();
        assert!(told.contains("32 bytes") && !told.contains(&one) && !told.contains(&two), "{told}");
    }
}
