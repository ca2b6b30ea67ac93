//! Sealing: compact JWE (RFC 7516 §3.1) with `alg: dir` and `enc: A256GCM`, for one purpose each.
//!
//! The key of a seal is HKDF-SHA256 of the master key over the purpose and the day of issue. A purpose of its own means that
//! a seal made for one thing opens as nothing else; a day of its own keeps random 96-bit nonces far below the 2^32 seals per
//! key that NIST SP 800-38D §8.3 allows. The header is parsed here, strictly, before any cryptography: it must have exactly
//! the members that `seal` writes, so `zip`, `crit`, `p2c` and other algorithms never reach a decrypter.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use hkdf::Hkdf;
use josekit::jwe::JweContentEncryption as _;
use josekit::jwe::enc::A256GCM;
use serde_json::{Map, Value};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::master::{MasterKey, MasterKeys};
use super::strict;
use crate::base::encoding::{base64url, from_base64url};
use crate::base::entropy::{self, Entropy, EntropyError};
use crate::base::{Seconds, Timestamp};

/// Longest sealed text.
pub const MAX_SEALED_BYTES: usize = 64 * 1024;
/// How far ahead of ours the clock of the node that sealed may be.
pub const CLOCK_LEEWAY: Seconds = Seconds(30);
const MAX_HEADER_BYTES: usize = 512;
const SECONDS_PER_DAY: i64 = 86_400;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// What a seal is for. What was sealed for one purpose never opens for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// A private signing key in the database.
    SigningKey,
    /// An authorization request that waits for a login.
    AuthorizationRequest,
    /// A consent page.
    ConsentTicket,
    /// A logout page.
    LogoutRequest,
    /// An API token on its way to the page that shows it once.
    NewApiToken,
    /// A form's CSRF token.
    Csrf,
    /// The key that a refresh token's successor is derived with; nothing is sealed for it.
    Successor,
    /// The secret of a client that registered itself, in the database.
    RegisteredSecret,
    /// A client secret that authenticates assertions, in the database.
    ClientSecret,
}

impl Purpose {
    pub(super) const ALL: [Self; 9] = [
        Self::SigningKey,
        Self::AuthorizationRequest,
        Self::ConsentTicket,
        Self::LogoutRequest,
        Self::NewApiToken,
        Self::Csrf,
        Self::Successor,
        Self::RegisteredSecret,
        Self::ClientSecret,
    ];

    /// The word in the header.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SigningKey => "signing-key",
            Self::AuthorizationRequest => "authorization-request",
            Self::ConsentTicket => "consent-ticket",
            Self::LogoutRequest => "logout-request",
            Self::NewApiToken => "new-api-token",
            Self::Csrf => "csrf",
            Self::Successor => "successor",
            Self::RegisteredSecret => "registered-secret",
            Self::ClientSecret => "client-secret",
        }
    }
}

/// Why a seal does not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Not a text that [`Sealer::seal`] makes.
    #[error("not a sealed text of this server")]
    Malformed,
    /// Sealed under a master key that this node does not have.
    #[error("sealed under the master key {0:?}, which this node does not have")]
    UnknownKey(String),
    /// Sealed for something else.
    #[error("sealed for another purpose")]
    WrongPurpose,
    /// Too old.
    #[error("sealed too long ago")]
    Expired,
    /// Sealed in the future: the clocks of two nodes differ.
    #[error("sealed in the future; the clocks of this server's nodes differ by more than {} seconds", CLOCK_LEEWAY.0)]
    FromTheFuture,
    /// Changed since it was sealed.
    #[error("the sealed text was changed, or it was sealed under another key with the same name")]
    Tampered,
}

/// Why nothing was sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// It would be longer than what opens.
    #[error("too long to be sealed: the sealed text would exceed {MAX_SEALED_BYTES} bytes")]
    TooLong,
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// A library failed.
    #[error("sealing failed: {0}")]
    Failed(String),
}

/// Seals and opens. Cheap to share between threads; its keys can be replaced while it is in use.
pub struct Sealer {
    sources: ArcSwap<Sources>,
    entropy: Arc<dyn Entropy>,
}

struct Sources {
    current: Source,
    previous: Vec<Source>,
}

impl Sources {
    fn new(keys: &MasterKeys) -> Self {
        let previous = keys.previous.iter().map(Source::new).collect();
        Self { current: Source::new(&keys.current), previous }
    }

    fn find(&self, id: &str) -> Result<&Source, OpenError> {
        let mut all = std::iter::once(&self.current).chain(&self.previous);
        all.find(|source| source.id == id).ok_or_else(|| OpenError::UnknownKey(id.to_owned()))
    }
}

/// A master key, ready to give the keys of purposes and days.
struct Source {
    id: String,
    kdf: Hkdf<Sha256>,
}

impl Source {
    fn new(key: &MasterKey) -> Self {
        Self { id: key.id().to_owned(), kdf: Hkdf::new(Some(b"countersign seal v1"), key.bytes()) }
    }

    fn key(
        &self,
        purpose: Purpose,
        issued_at: Timestamp,
    ) -> Result<Zeroizing<[u8; 32]>, hkdf::InvalidLength> {
        let day = issued_at.0.div_euclid(SECONDS_PER_DAY).to_be_bytes();
        let mut key = Zeroizing::new([0; 32]);
        self.kdf.expand_multi_info(&[purpose.as_str().as_bytes(), b"\0", &day], key.as_mut_slice())?;
        Ok(key)
    }
}

impl Sealer {
    /// A sealer for these keys.
    #[must_use]
    pub fn new(keys: &MasterKeys, entropy: Arc<dyn Entropy>) -> Self {
        Self { sources: ArcSwap::from_pointee(Sources::new(keys)), entropy }
    }

    /// Goes on with other keys.
    pub fn replace(&self, keys: &MasterKeys) {
        self.sources.store(Arc::new(Sources::new(keys)));
    }

    /// The id of the master key that seals.
    #[must_use]
    pub fn current_id(&self) -> String {
        self.sources.load().current.id.clone()
    }

    /// Whether `text` is sealed under the current master key, for `key reseal`.
    #[must_use]
    pub fn is_current(&self, text: &str) -> bool {
        Header::of(text).is_ok_and(|header| header.kid == self.sources.load().current.id)
    }

    /// Seals under the current master key.
    ///
    /// # Errors
    /// When the text would be too long to open again, there is no randomness, or the cipher fails.
    pub fn seal(&self, purpose: Purpose, plaintext: &[u8], now: Timestamp) -> Result<String, SealError> {
        let failed = |text: String| SealError::Failed(text);
        let sources = self.sources.load();
        let header = format!(
            r#"{{"alg":"dir","enc":"A256GCM","kid":"{}","purpose":"{}","iat":{}}}"#,
            sources.current.id,
            purpose.as_str(),
            now.0
        );
        let header = base64url(header.as_bytes());
        let length = header.len()
            + 4
            + [NONCE_BYTES, plaintext.len(), TAG_BYTES].map(encoded_length).iter().sum::<usize>();
        if length > MAX_SEALED_BYTES {
            return Err(SealError::TooLong);
        }
        let nonce: [u8; NONCE_BYTES] = entropy::bytes(&*self.entropy)?;
        let key = sources.current.key(purpose, now).map_err(|e| failed(e.to_string()))?;
        let (ciphertext, tag) = A256GCM
            .encrypt(&*key, Some(&nonce), plaintext, header.as_bytes())
            .map_err(|e| failed(e.to_string()))?;
        let tag = tag.ok_or_else(|| failed("no authentication tag".to_owned()))?;
        // RFC 7516 §7.1, with the encrypted key empty, as §5.1 step 5 says for direct encryption.
        let mut text = String::with_capacity(length);
        text.push_str(&header);
        text.push('.');
        for part in [&nonce[..], &ciphertext, &tag] {
            text.push('.');
            text.push_str(&base64url(part));
        }
        Ok(text)
    }

    /// A key of the current master key, for one purpose on the day of `at`, and the id by which it is derived again.
    ///
    /// # Errors
    /// When the library fails.
    pub fn derive(
        &self,
        purpose: Purpose,
        at: Timestamp,
    ) -> Result<(String, Zeroizing<[u8; 32]>), SealError> {
        let sources = self.sources.load();
        let key = sources.current.key(purpose, at).map_err(|e| SealError::Failed(e.to_string()))?;
        Ok((sources.current.id.clone(), key))
    }

    /// The same key again.
    ///
    /// # Errors
    /// When this node does not have that master key.
    pub fn derive_again(
        &self,
        master_key: &str,
        purpose: Purpose,
        at: Timestamp,
    ) -> Result<Zeroizing<[u8; 32]>, OpenError> {
        let sources = self.sources.load();
        sources.find(master_key)?.key(purpose, at).map_err(|_| OpenError::Malformed)
    }

    /// Opens what was sealed for `purpose`. With `max_age` it is dead in the second in which it reaches that age, and one
    /// from the future is refused; without, time has no say (a signing key must open whatever the clock did).
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(
        &self,
        purpose: Purpose,
        text: &str,
        max_age: Option<Seconds>,
        now: Timestamp,
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let header = Header::of(text)?;
        let sources = self.sources.load();
        let source = sources.find(&header.kid)?;
        if header.purpose != purpose {
            return Err(OpenError::WrongPurpose);
        }
        let parts = header.parts();
        let key = source.key(purpose, header.issued_at).map_err(|_| OpenError::Malformed)?;
        let (nonce, ciphertext, tag) = parts.ok_or(OpenError::Malformed)?;
        let plaintext = A256GCM
            .decrypt(&*key, Some(&nonce), &ciphertext, header.encoded.as_bytes(), Some(&tag))
            .map(Zeroizing::new)
            .map_err(|_| OpenError::Tampered)?;
        // Only what is authentic is asked for its age.
        match max_age {
            Some(_) if header.issued_at > now + CLOCK_LEEWAY => Err(OpenError::FromTheFuture),
            Some(max_age) if (header.issued_at + max_age).is_past(now) => Err(OpenError::Expired),
            _ => Ok(plaintext),
        }
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealer({}, …)", self.current_id())
    }
}

/// The parsed protected header, and what follows it, not yet decoded.
struct Header<'a> {
    encoded: &'a str,
    rest: &'a str,
    kid: String,
    purpose: Purpose,
    issued_at: Timestamp,
}

impl<'a> Header<'a> {
    fn of(text: &'a str) -> Result<Self, OpenError> {
        if text.len() > MAX_SEALED_BYTES {
            return Err(OpenError::Malformed);
        }
        Self::parse(text).ok_or(OpenError::Malformed)
    }

    fn parse(text: &'a str) -> Option<Self> {
        let (encoded, rest) = text.split_once('.')?;
        if encoded.len() > MAX_HEADER_BYTES {
            return None;
        }
        let mut members = strict::object(&from_base64url(encoded)?)?;
        let mut take = |name: &str| members.remove(name);
        let word = |value: Option<Value>| match value {
            Some(Value::String(word)) => Some(word),
            _ => None,
        };
        let (algorithm, encryption) = (word(take("alg"))?, word(take("enc"))?);
        let (kid, purpose) = (word(take("kid"))?, word(take("purpose"))?);
        let issued_at = Timestamp(take("iat")?.as_i64()?);
        let foreign: Map<String, Value> = members;
        if algorithm != "dir" || encryption != "A256GCM" || !foreign.is_empty() {
            return None;
        }
        let purpose = Purpose::ALL.into_iter().find(|known| known.as_str() == purpose)?;
        Some(Self { encoded, rest, kid, purpose, issued_at })
    }

    /// Nonce, ciphertext and tag. Their lengths are fixed here: OpenSSL would take a tag that was cut short, and be content
    /// with the bits that are left.
    fn parts(&self) -> Option<(Vec<u8>, Vec<u8>, Vec<u8>)> {
        let parts: Vec<&str> = self.rest.split('.').collect();
        let [encrypted_key, nonce, ciphertext, tag] = parts[..] else { return None };
        let (nonce, ciphertext, tag) =
            (from_base64url(nonce)?, from_base64url(ciphertext)?, from_base64url(tag)?);
        let fits = encrypted_key.is_empty() && nonce.len() == NONCE_BYTES && tag.len() == TAG_BYTES;
        fits.then_some((nonce, ciphertext, tag))
    }
}

fn encoded_length(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}
