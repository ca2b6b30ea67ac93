//! Secrets that the server makes and clients or browsers hold: `prefix_id_secret_checksum`.
//!
//! The id names the secret in a log without giving it away, the secret carries 256 bits, and the checksum lets a secret
//! scanner (and this server, before any look-up) tell a token from a look-alike. Only the SHA-256 of the whole is stored.

use std::fmt;

use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::encoding::{base64url, sha256};
use super::entropy::{self, Entropy, EntropyError};

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
        Self::of(kind.prefix(), || entropy::bytes(source))
    }

    /// The token that comes after this one: of the same kind, and always the same for the same `salt`.
    ///
    /// It is HKDF-SHA256 (RFC 5869) of the whole token, salted with `salt`. Whoever has the token alone lacks the 256 bits
    /// of the salt; whoever has the salt alone lacks the 256 bits of the token; the successor itself tells neither.
    ///
    /// # Errors
    /// None: what is drawn is far below the 8160 bytes that HKDF gives.
    pub fn successor(&self, salt: &[u8; 32]) -> Result<Self, EntropyError> {
        let prk = Hkdf::<Sha256>::new(Some(salt), self.0.as_bytes());
        let mut round = 0_u8;
        Self::of(self.prefix(), || {
            round = round.wrapping_add(1);
            let mut block = [0; BLOCK_LENGTH];
            let drawn = prk.expand_multi_info(&[b"countersign successor v1", &[round]], &mut block);
            drawn.map(|()| block).map_err(|_| EntropyError)
        })
    }

    fn of(
        prefix: &str,
        mut draw: impl FnMut() -> Result<[u8; BLOCK_LENGTH], EntropyError>,
    ) -> Result<Self, EntropyError> {
        // Never moved as it grows: a copy left behind would not be wiped.
        let mut text = Zeroizing::new(String::with_capacity(prefix.len() + REST_LENGTH));
        text.push_str(prefix);
        text.push('_');
        push_drawn(&mut text, ID_LENGTH, &mut draw)?;
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

    /// What is stored.
    #[must_use]
    pub fn hash(&self) -> HashedToken {
        HashedToken::of(&self.0)
    }
}

impl fmt::Debug for PlainToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainToken(…)")
    }
}

/// The SHA-256 of a secret, in base64url: what the database holds.
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
        let token = PlainToken::random(TokenKind::Refresh, &OsEntropy).unwrap();
        for at in [0, 9, 25, token.reveal().len() - 1] {
            let mut changed = token.reveal().to_owned();
            let other = if changed.as_bytes()[at] == b'a' { "b" } else { "a" };
            changed.replace_range(at..=at, other);
            assert!(PlainToken::parse(TokenKind::Refresh, &changed).is_none(), "{at}");
        }
    }

    #[test]
    fn a_successor_follows_from_token_and_salt_and_from_nothing_less() {
        for kind in [TokenKind::Refresh, TokenKind::Code, TokenKind::Api] {
            let token = PlainToken::random(kind, &OsEntropy).unwrap();
            let other = PlainToken::random(kind, &OsEntropy).unwrap();
            let parts = |token: PlainToken| {
                assert!(PlainToken::parse(kind, token.reveal()).is_some(), "{kind:?}");
                let secret = token.reveal().split('_').nth(3).map(str::to_owned);
                (token.id().to_owned(), secret)
            };
            let next = parts(token.successor(&[1; 32]).unwrap());
            let same = PlainToken::parse(kind, token.reveal()).unwrap();
            assert_eq!(parts(same.successor(&[1; 32]).unwrap()), next);
            let mut near = [1; 32];
            near[31] = 0;
            for other in [token.successor(&near).unwrap(), other.successor(&[1; 32]).unwrap(), token, other] {
                let (id, secret) = parts(other);
                assert!(id != next.0 && secret != next.1, "{kind:?}");
            }
        }
    }

    /// RFC 5869 by another implementation (Python's hmac). Nodes of two versions must come to the same token.
    #[test]
    fn a_successor_is_the_same_in_every_version() {
        let token = format!("csgn_rt_000000000001_{}_HNBC96", "A".repeat(43));
        let token = PlainToken::parse(TokenKind::Refresh, &token).unwrap();
        let salt: [u8; 32] = std::array::from_fn(|at| u8::try_from(at).unwrap());
        let expected = ["FQFdAZK75lwl", "NrZ6MH2ZxonG960R9DqdBMhisZTBQhPEseRZnnNAhL3", "3yutZH"].join("_");
        assert_eq!(token.successor(&salt).unwrap().reveal(), format!("csgn_rt_{expected}"));
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
