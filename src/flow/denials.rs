//! The access tokens that were revoked one by one (RFC 7009 §2), in memory: every node knows them within a second, the one
//! that revoked at once.

use std::collections::BTreeSet;
use std::sync::{PoisonError, RwLock};

use crate::base::Timestamp;
use crate::store::denied_tokens::{self, Denied};
use crate::store::{Store, StoreError};

/// The list. Whoever has a token's claims has both parts of its key, so that one set serves the look-up and the clearing
/// out of what died by itself.
#[derive(Debug, Default)]
pub struct Denials(RwLock<List>);

#[derive(Debug, Default)]
struct List {
    /// Up to which revision of the table it is complete.
    revision: i64,
    denied: BTreeSet<(i64, String)>,
}

impl Denials {
    /// Whether this token was revoked, as far as this node knows.
    #[must_use]
    pub fn contain(&self, jti: &str, expires_at: Timestamp) -> bool {
        let list = self.0.read().unwrap_or_else(PoisonError::into_inner);
        !list.denied.is_empty() && list.denied.contains(&(expires_at.0, jti.to_owned()))
    }

    /// Takes note of a token that this node revoked. It is in the table already: see [`denied_tokens::insert`].
    pub fn learn(&self, jti: &str, expires_at: Timestamp) {
        let mut list = self.0.write().unwrap_or_else(PoisonError::into_inner);
        list.denied.insert((expires_at.0, jti.to_owned()));
    }

    /// Reads what the table has beyond this memory, where `revision` says that there is anything, and forgets what has
    /// died by itself.
    ///
    /// # Errors
    /// When the database fails.
    pub fn catch_up(&self, store: &Store, revision: i64, now: Timestamp) -> Result<(), StoreError> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).revision;
        let news = if revision == known {
            Vec::new()
        } else {
            // A lower number than the known one is a database that was put back: its list is read as a whole.
            let from = if revision > known { known } else { 0 };
            store.read("denied tokens", |conn| denied_tokens::since(conn, from))?
        };
        let mut list = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // Rows become visible in the order of their revisions, so none below the highest one is still to come.
        list.revision = news.iter().map(|row| row.revision).fold(revision, i64::max);
        list.denied.extend(news.into_iter().map(|Denied { jti, expires_at, .. }| (expires_at, jti)));
        // What expires at `now` is dead: everything from the next second on stays.
        let alive = list.denied.split_off(&(now.0.saturating_add(1), String::new()));
        list.denied = alive;
        Ok(())
    }
}
