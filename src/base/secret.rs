//! Secrets that the server makes and clients or browsers hold: `prefix_id_secret_checksum`.
//!
//! The id names the secret in a log without giving it away, the secret carries 256 bits, and the checksum lets a secret
//! scanner (and this server, before any look-up) tell a token from a look-alike. Only the SHA-256 of the whole is stored.
//!
//! The id of a refresh token begins with the second in which it was made, and stands before its hash in the database: each
//! refresh writes a row, and rows that are written one after the other then lie side by side, among however many others.

use std::fmt;

use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::encoding::{base64url, sha256};
use super::entropy::{self, Entropy, EntropyError};
use super::id::Id;
use super::time::Timestamp;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ID_LENGTH: usize = 12;
/// 62^43 > 2^256.
const SECRET_LENGTH: usize = 43;
const CHECKSUM_LENGTH: usize = 6;
/// What follows the prefix.
const REST_LENGTH: usize = 1 + ID_LENGTH + 1 + SECRET_LENGTH + 1 + CHECKSUM_LENGTH;
/// How many random bytes are drawn at a time: one draw is enough for a secret, but for once in ever.
const BLOCK_LENGTH: usize = 64;

/// What a secret is for. A secret of one kind is never accepted as another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// An authorization code (RFC 6749 §1.3.1).
    Code,
    /// A refresh token (RFC 6749 §1.5).
    Refresh,
    /// A browser session.
    Session,
    /// A generated client secret (RFC 6749 §2.3.1).
    ClientSecret,
    /// Ties forms to the browser that was given them.
    Browser,
    /// An opaque access token (RFC 6749 §1.4).
    Access,
    /// A token that a user or a service account makes for scripts.
    Api,
    /// What lets a client register itself (RFC 7591 §3: the "initial access token").
    InitialAccess,
    /// What lets a client that registered itself change that (RFC 7592 §3: the "registration access token").
    Registration,
}

impl TokenKind {
    /// The prefix that a secret scanner looks for.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Code => "csgn_ac",
            Self::Refresh => "csgn_rt",
            Self::Session => "csgn_se",
            Self::ClientSecret => "csgn_cs",
            Self::Browser => "csgn_br",
            Self::Access => "csgn_at",
            Self::Api => "csgn_api",
            Self::InitialAccess => "csgn_ia",
            Self::Registration => "csgn_ra",
        }
    }

    fn length(self) -> usize {
        self.prefix().len() + REST_LENGTH
    }
}

/// A secret in clear. It cannot be printed, compared with `==` or serialised; `reveal` is the one way out.
#[derive(Clone)]
pub struct PlainToken(Zeroizing<String>);

impl PlainToken {
    /// A new secret of 256 bits.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn random(kind: TokenKind, source: &dyn Entropy) -> Result<Self, EntropyError> {
        Self::of(kind.prefix(), "", || entropy::bytes(source))
    }

    /// A new refresh token, made at `at`.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn refresh(at: Timestamp, source: &dyn Entropy) -> Result<Self, EntropyError> {
        Self::of(TokenKind::Refresh.prefix(), &second(at), || entropy::bytes(source))
    }

    /// The refresh token that comes after this one at `at`, and always the same for the same `key` and `family`.
    ///
    /// It is HKDF-SHA256 (RFC 5869) of the whole token, salted with `key`. Whoever has the token alone lacks the 256 bits
    /// of the key; whoever has the key alone lacks the 256 bits of the token; the successor itself tells neither.
    ///
    /// # Errors
    /// None: what is drawn is far below the 8160 bytes that HKDF gives.
    pub fn successor(&self, key: &[u8; 32], family: Id, at: Timestamp) -> Result<Self, EntropyError> {
        let prk = Hkdf::<Sha256>::new(Some(key), self.0.as_bytes());
        let family = family.to_string();
        let mut round = 0_u8;
        Self::of(TokenKind::Refresh.prefix(), &second(at), || {
            round = round.wrapping_add(1);
            let mut block = [0; BLOCK_LENGTH];
            let info: [&[u8]; 3] = [b"countersign successor v2", family.as_bytes(), &[round]];
            prk.expand_multi_info(&info, &mut block).map(|()| block).map_err(|_| EntropyError)
        })
    }

    /// `head` is what the id begins with.
    fn of(
        prefix: &str,
        head: &str,
        mut draw: impl FnMut() -> Result<[u8; BLOCK_LENGTH], EntropyError>,
    ) -> Result<Self, EntropyError> {
        // Never moved as it grows: a copy left behind would not be wiped.
        let mut text = Zeroizing::new(String::with_capacity(prefix.len() + REST_LENGTH));
        text.push_str(prefix);
        text.push('_');
        text.push_str(head);
        push_drawn(&mut text, ID_LENGTH - head.len(), &mut draw)?;
        text.push('_');
        push_drawn(&mut text, SECRET_LENGTH, &mut draw)?;
        text.push('_');
        let checksum = checksum(&text);
        text.push_str(&checksum);
        Ok(Self(text))
    }

    /// A presented text, if it has the shape and the checksum of `kind`.
    #[must_use]
    pub fn parse(kind: TokenKind, text: &str) -> Option<Self> {
        if text.len() != kind.length() || !text.is_ascii() {
            return None;
        }
        let rest = text.strip_prefix(kind.prefix())?.strip_prefix('_')?;
        let (id, rest) = rest.split_once('_')?;
        let (secret, _) = rest.split_once('_')?;
        if id.len() != ID_LENGTH || secret.len() != SECRET_LENGTH {
            return None;
        }
        let (body, found) = text.split_at(text.len() - CHECKSUM_LENGTH);
        (found == checksum(body)).then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// The whole secret, to be handed to the one who will hold it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The part that names it without giving it away: what it is found by, and what may stand in a log.
    #[must_use]
    pub fn id(&self) -> &str {
        let checksum_and_secret = CHECKSUM_LENGTH + SECRET_LENGTH + 2;
        let end = self.0.len() - checksum_and_secret;
        &self.0[end - ID_LENGTH..end]
    }

    fn prefix(&self) -> &str {
        &self.0[..self.0.len() - REST_LENGTH]
    }

    /// What is stored: its hash, and for a refresh token its id before that.
    #[must_use]
    pub fn hash(&self) -> HashedToken {
        let hash = HashedToken::of(&self.0);
        if self.prefix() == TokenKind::Refresh.prefix() {
            return HashedToken(format!("{}.{}", self.id(), hash.0));
        }
        hash
    }
}

impl fmt::Debug for PlainToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainToken(…)")
    }
}

/// The SHA-256 of a secret, in base64url: what the database holds, behind the id of a refresh token.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HashedToken(String);

impl HashedToken {
    /// The hash of any presented text: the look-up key of a machine-made secret.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(base64url(&sha256(text.as_bytes())))
    }

    /// A hash that was stored.
    #[must_use]
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// For the database.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without the id, as refresh tokens were stored until their ids had a date.
    #[must_use]
    pub fn without_id(&self) -> &str {
        self.0.rsplit('.').next().unwrap_or_default()
    }

    /// Whether `text` is the secret, in constant time.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.0.as_bytes().ct_eq(HashedToken::of(text).0.as_bytes()).into()
    }
}

impl fmt::Debug for HashedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashedToken(…)")
    }
}

/// Eight digits that sort as time does, in every database and for every language.
fn second(at: Timestamp) -> String {
    format!("{:08x}", at.0.clamp(0, u32::MAX.into()))
}

/// Appends `count` characters of base 62, each drawn without bias (bytes from 248 on are thrown away).
fn push_drawn(
    text: &mut String,
    count: usize,
    draw: &mut impl FnMut() -> Result<[u8; BLOCK_LENGTH], EntropyError>,
) -> Result<(), EntropyError> {
    let mut left = count;
    while left > 0 {
        let drawn = Zeroizing::new(draw()?);
        for byte in drawn.iter().filter(|byte| **byte < 248).take(left) {
            text.push(char::from(ALPHABET[usize::from(byte % 62)]));
            left -= 1;
        }
    }
    Ok(())
}

fn checksum(body: &str) -> String {
    let digest = sha256(body.as_bytes());
    digest.iter().take(CHECKSUM_LENGTH).map(|byte| char::from(ALPHABET[usize::from(byte % 62)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::entropy::OsEntropy;

    #[test]
    fn a_token_parses_as_its_own_kind_only() {
        let token = PlainToken::random(TokenKind::Code, &OsEntropy).unwrap();
        assert!(PlainToken::parse(TokenKind::Code, token.reveal()).is_some());
        assert!(PlainToken::parse(TokenKind::Refresh, token.reveal()).is_none());
        assert_eq!(token.reveal().split('_').nth(2), Some(token.id()));
    }

    #[test]
    fn a_changed_character_breaks_the_checksum() {
        let token = PlainToken::refresh(AT, &OsEntropy).unwrap();
        for at in [0, 9, 25, token.reveal().len() - 1] {
            let mut changed = token.reveal().to_owned();
            let other = if changed.as_bytes()[at] == b'a' { "b" } else { "a" };
            changed.replace_range(at..=at, other);
            assert!(PlainToken::parse(TokenKind::Refresh, &changed).is_none(), "{at}");
        }
    }

    const AT: Timestamp = Timestamp(0x6a00_0000);

    fn family(digit: char) -> Id {
        format!("00000000-0000-4000-8000-00000000000{digit}").parse().unwrap()
    }

    #[test]
    fn a_successor_follows_from_token_key_and_family_and_from_nothing_less() {
        let [token, other] = [(); 2].map(|()| PlainToken::refresh(AT, &OsEntropy).unwrap());
        let parts = |token: PlainToken| {
            assert!(PlainToken::parse(TokenKind::Refresh, token.reveal()).is_some());
            let secret = token.reveal().split('_').nth(3).map(str::to_owned);
            (token.id().to_owned(), secret)
        };
        let next = parts(token.successor(&[1; 32], family('1'), AT).unwrap());
        let same = PlainToken::parse(TokenKind::Refresh, token.reveal()).unwrap();
        assert_eq!(parts(same.successor(&[1; 32], family('1'), AT).unwrap()), next);
        let mut near = [1; 32];
        near[31] = 0;
        for other in [
            token.successor(&near, family('1'), AT).unwrap(),
            token.successor(&[1; 32], family('2'), AT).unwrap(),
            other.successor(&[1; 32], family('1'), AT).unwrap(),
            token,
            other,
        ] {
            let (id, secret) = parts(other);
            assert!(id != next.0 && secret != next.1);
        }
    }

    /// RFC 5869 by another implementation (Python's hmac). Nodes of two versions must come to the same token.
    #[test]
    fn a_successor_is_the_same_in_every_version() {
        let token = format!("csgn_rt_000000000001_{}_HNBC96", "A".repeat(43));
        let token = PlainToken::parse(TokenKind::Refresh, &token).unwrap();
        let key: [u8; 32] = std::array::from_fn(|at| u8::try_from(at).unwrap());
        let successor = token.successor(&key, family('1'), AT).unwrap();
        let expected = ["6a000000L7a2", "6ubh5Yhijt31O4p1oeGriHDeB3ezlIDBPmnv30BHAH9", "yfg9Wg"].join("_");
        assert_eq!(successor.reveal(), format!("csgn_rt_{expected}"));
    }

    #[test]
    fn what_is_stored_of_refresh_tokens_sorts_by_the_second_they_were_made_in() {
        let made = |at| PlainToken::refresh(Timestamp(at), &OsEntropy).unwrap().hash();
        let stored = [0, 15, 16, 0x6a00_0000, 0x6a00_0001, 0xffff_ffff].map(made);
        assert!(stored.windows(2).all(|two| two[0].as_str() < two[1].as_str()));
        // What no clock shows makes no token that does not parse.
        for at in [-1, i64::MAX] {
            let token = PlainToken::refresh(Timestamp(at), &OsEntropy).unwrap();
            assert!(PlainToken::parse(TokenKind::Refresh, token.reveal()).is_some(), "{at}");
        }
        let token = PlainToken::refresh(AT, &OsEntropy).unwrap();
        let hash = token.hash();
        assert_eq!(hash.as_str(), format!("{}.{}", token.id(), HashedToken::of(token.reveal()).as_str()));
        assert_eq!(hash.without_id(), HashedToken::of(token.reveal()).as_str());
    }

    #[test]
    fn neither_form_can_be_printed() {
        let token = PlainToken::random(TokenKind::Session, &OsEntropy).unwrap();
        let shown = format!("{token:?} {:?}", token.hash());
        assert!(!shown.contains(token.reveal()) && !shown.contains(token.hash().as_str()));
    }

    #[test]
    fn every_token_is_new() {
        let made: std::collections::HashSet<_> = (0..1000)
            .map(|_| PlainToken::random(TokenKind::Code, &OsEntropy).unwrap().reveal().to_owned())
            .collect();
        assert_eq!(made.len(), 1000);
    }
}
