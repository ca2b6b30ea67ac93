//! When API tokens (as access tokens: RFC 6749 §1.4) were last used, kept in memory and written down now and then: a use
//! costs no write. What a crash takes with it is at most what was used since the last time.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::base::Timestamp;
use crate::store::{Conn, Store, StoreError, api_tokens, registrations};

/// The most that are kept between two writes; the uses of others are not noted.
const MAX_KEPT: usize = 10_000;
/// The most rows of one write, so that nobody waits for it.
const BATCH: usize = 500;

/// The last use of each token since it was written down last, by id; and likewise of clients that registered themselves.
pub struct LastUses {
    kept: Mutex<HashMap<String, Timestamp>>,
    write: fn(&mut Conn, &str, Timestamp) -> Result<(), StoreError>,
}

impl LastUses {
    /// Of API tokens.
    #[must_use]
    pub fn of_api_tokens() -> Self {
        Self { kept: Mutex::default(), write: api_tokens::note_use }
    }

    /// Of clients that registered themselves.
    #[must_use]
    pub fn of_clients() -> Self {
        Self { kept: Mutex::default(), write: registrations::note_use }
    }

    /// Notes a use.
    pub fn note(&self, id: &str, at: Timestamp) {
        let mut kept = self.kept();
        if let Some(last) = kept.get_mut(id) {
            *last = at.max(*last);
        } else if kept.len() < MAX_KEPT {
            kept.insert(id.to_owned(), at);
        }
    }

    /// Writes down all that was noted; the number of them.
    ///
    /// # Errors
    /// When the database fails: what was not written is kept for the next time.
    pub fn flush(&self, store: &Store) -> Result<usize, StoreError> {
        let noted: Vec<(String, Timestamp)> = self.kept().drain().collect();
        let mut written = 0;
        for batch in noted.chunks(BATCH) {
            let (rows, write) = (batch.to_vec(), self.write);
            let done = store
                .write("note uses", move |conn| rows.iter().try_for_each(|(id, at)| write(conn, id, *at)));
            if let Err(error) = done {
                noted[written..].iter().for_each(|(id, at)| self.note(id, *at));
                return Err(error);
            }
            written += batch.len();
        }
        Ok(written)
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<String, Timestamp>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_use_counts_and_memory_has_an_end() {
        let uses = LastUses::of_api_tokens();
        uses.note("a", Timestamp(2));
        uses.note("a", Timestamp(1));
        for n in 0..2 * MAX_KEPT {
            uses.note(&n.to_string(), Timestamp(3));
        }
        assert_eq!(uses.kept().get("a"), Some(&Timestamp(2)));
        assert_eq!(uses.kept().len(), MAX_KEPT);
    }
}
