//! The successor of a refresh token (RFC 9700 §4.14.2): made once, found again by whoever lost the answer.
//!
//! ```text
//! first use          RT1 + a key of the master key ─► RT2    stored: the hash of RT2, and with RT1 the name of the master key
//! within the grace   RT1 + that key                ─► RT2    nobody is signed out by a lost answer or by a second tab
//! later              a reuse                                 two hold what was given to one
//! ```
//!
//! The server does not know RT2 and cannot read it anywhere: it takes RT1, which only its holder can show, the master key,
//! which is not in the database, and the authorization's id, which is. What is left of an old token is worth nothing,
//! then, even beside a stolen database, and nothing has to be wiped when its grace is over.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::base::{PlainToken, Seconds, Timestamp, entropy};
use crate::domain::{Client, RefreshToken};
use crate::flow::Cx;
use crate::jose::{Purpose, Sealer};
use crate::oauth::{ErrorCode, OAuthError};
use crate::store::{Conn, StoreError, refresh_tokens};

/// How far a tab that comes late is led along the tokens that were given since.
const MAX_STEPS: usize = 64;

/// How one request comes from a refresh token to its successor.
pub(super) struct Succession {
    now: Timestamp,
    grace: Seconds,
    sealer: Arc<Sealer>,
    key: Zeroizing<[u8; 32]>,
    /// The master key that it follows from; nothing where nobody is to find the successor again.
    master_key: Option<String>,
}

impl Succession {
    /// Derives the key before the transaction: SQLite has one writer.
    pub(super) fn prepare(cx: &Cx, client: &Client) -> Result<Self, OAuthError> {
        let grace = client.refresh_reuse_grace.unwrap_or(cx.policy.refresh_reuse_grace);
        let (master_key, key) = if grace > Seconds(0) {
            let derived = cx.sealer.derive(Purpose::Successor, cx.now);
            let (id, key) = derived.map_err(|e| fault(e.to_string()))?;
            (Some(id), key)
        } else {
            (None, Zeroizing::new(entropy::bytes(&*cx.entropy)?))
        };
        Ok(Self { now: cx.now, grace, sealer: Arc::clone(&cx.sealer), key, master_key })
    }

    /// Takes an unused token out of use; its successor for the one request that did it, however many come at once.
    pub(super) fn first(
        &self,
        conn: &mut Conn,
        token: &PlainToken,
        row: &RefreshToken,
    ) -> Result<Option<PlainToken>, StoreError> {
        if !refresh_tokens::use_up(conn, &row.hash, self.now, self.master_key.as_deref())? {
            return Ok(None);
        }
        Ok(Some(token.successor(&self.key, row.authorization_id, self.now)?))
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
            let (Some(master_key), Some(at)) = (&row.successor_key, row.used_at) else { return Ok(Ok(None)) };
            // A master key that only some nodes have is a fault of the operator's: no reuse.
            let key = match self.sealer.derive_again(master_key, Purpose::Successor, at) {
                Ok(key) => key,
                Err(error) => return Ok(Err(fault(error.to_string()))),
            };
            plain = plain.successor(&key, row.authorization_id, at)?;
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
}

fn fault(why: String) -> OAuthError {
    OAuthError::new(ErrorCode::ServerError).because(format!("the successor of a refresh token: {why}"))
}
