//! The successor of a refresh token (RFC 9700 §4.14.2): made once, found again by whoever lost the answer.
//!
//! ```text
//! first use          RT1 + a new salt ─► RT2       stored: the hash of RT2, and with RT1 the salt, sealed
//! within the grace   RT1 + that salt  ─► RT2       so nobody is signed out by a lost answer or by a second tab
//! later              a reuse                       two hold what was given to one
//! ```
//!
//! The server does not know RT2 and cannot read it anywhere: it takes RT1, which only its holder can show, the salt out
//! of the database, and the master key, which is not in the database. What is left of an old token is worth nothing,
//! then, even beside a stolen database, and no salt has to be wiped when its grace is over.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::base::{HashedToken, PlainToken, Seconds, Timestamp, entropy};
use crate::domain::{Client, RefreshToken};
use crate::flow::Cx;
use crate::jose::{Purpose, Sealer};
use crate::oauth::{ErrorCode, OAuthError};
use crate::store::{Conn, StoreError, refresh_tokens};

const SALT_BYTES: usize = 32;
/// How far a tab that comes late is led along the tokens that were given since.
const MAX_STEPS: usize = 64;

/// How one request comes from a refresh token to its successor.
pub(super) struct Succession {
    now: Timestamp,
    grace: Seconds,
    sealer: Arc<Sealer>,
    salt: Zeroizing<[u8; SALT_BYTES]>,
    /// As it is stored; nothing where nobody is to find the successor again.
    sealed_salt: Option<String>,
}

impl Succession {
    /// Draws the salt and seals it, before the transaction: SQLite has one writer.
    pub(super) fn prepare(cx: &Cx, client: &Client) -> Result<Self, OAuthError> {
        let grace = client.refresh_reuse_grace.unwrap_or(cx.policy.refresh_reuse_grace);
        let salt = Zeroizing::new(entropy::bytes(&*cx.entropy)?);
        let sealed_salt = if grace > Seconds(0) {
            let sealed = cx.sealer.seal(Purpose::SuccessorSalt, &*salt, cx.now);
            Some(sealed.map_err(|e| fault(e.to_string()))?)
        } else {
            None
        };
        Ok(Self { now: cx.now, grace, sealer: Arc::clone(&cx.sealer), salt, sealed_salt })
    }

    /// Takes an unused token out of use; its successor for the one request that did it, however many come at once.
    pub(super) fn first(
        &self,
        conn: &mut Conn,
        token: &PlainToken,
        hash: &HashedToken,
    ) -> Result<Option<PlainToken>, StoreError> {
        if !refresh_tokens::use_up(conn, hash, self.now, self.sealed_salt.as_deref())? {
            return Ok(None);
        }
        Ok(Some(token.successor(&self.salt)?))
    }

    /// Whether a token that was used at `used_at` may still be shown. A grace of 0 means never, also to a node whose clock
    /// is behind.
    pub(super) fn is_in_grace(&self, used_at: Timestamp) -> bool {
        self.grace > Seconds(0) && !(used_at + self.grace).is_past(self.now)
    }

    /// The successor that a used token was given; nothing when none can have been given so that it is found again.
    ///
    /// Where another tab went on from it in the meantime, it is the newest: a client that is given a used token keeps it,
    /// shows it minutes later, and looks like a thief. It could have gone the same way step by step.
    pub(super) fn again(
        &self,
        conn: &mut Conn,
        token: &PlainToken,
        used: RefreshToken,
    ) -> Result<Result<Option<PlainToken>, OAuthError>, StoreError> {
        let (mut plain, mut row) = (token.clone(), used);
        for _ in 0..MAX_STEPS {
            let Some(sealed) = &row.successor_salt else { return Ok(Ok(None)) };
            let salt = match self.open(sealed) {
                Ok(salt) => salt,
                Err(error) => return Ok(Err(error)),
            };
            plain = plain.successor(&salt)?;
            let Some(next) = refresh_tokens::find(conn, &plain.hash())? else { return Ok(Ok(None)) };
            if next.used_at.is_none() {
                return Ok(Ok(Some(plain)));
            }
            row = next;
        }
        // Nobody refreshes so often within a grace. No used token is given out: it would look stolen later.
        let refused = OAuthError::new(ErrorCode::InvalidGrant);
        Ok(Err(refused.describe("the refresh token was used before, and its successors many times since")))
    }

    /// A salt that does not open is a fault of the operator's (a master key that only some nodes have): no reuse.
    fn open(&self, sealed: &str) -> Result<[u8; SALT_BYTES], OAuthError> {
        let opened = self.sealer.open(Purpose::SuccessorSalt, sealed, None, self.now);
        let opened = opened.map_err(|e| fault(e.to_string()))?;
        opened.as_slice().try_into().map_err(|_| fault("it has another length".to_owned()))
    }
}

fn fault(why: String) -> OAuthError {
    OAuthError::new(ErrorCode::ServerError).because(format!("the salt of a refresh token's successor: {why}"))
}
