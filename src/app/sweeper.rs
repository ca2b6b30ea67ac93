//! Deletes what is dead, batch by batch: each a transaction of its own on one table, with a pause behind it in which
//! others write.

use std::sync::Arc;
use std::time::Duration;

use crate::base::Timestamp;
use crate::store::sweep::{Batch, DEAD, Dead, Leaf};
use crate::store::{Conn, Store, StoreError};

use super::pace::Pace;

/// What came of a round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Rows deleted.
    pub rows: usize,
    /// The longest that one batch kept others waiting.
    pub longest: Duration,
}

/// Deletes everything that is dead at `now`, at most `most_rows` in one transaction. `pause` waits for the time it is
/// given, and says false when the round shall end early.
///
/// # Errors
/// When the database fails; what was deleted until then stays deleted.
pub fn sweep(
    store: &Store,
    now: Timestamp,
    most_rows: u32,
    pause: &mut dyn FnMut(Duration) -> bool,
) -> Result<Swept, StoreError> {
    let mut swept = Swept::default();
    for dead in &DEAD {
        let mut round = Round { store, now, pace: Pace::new(most_rows), pause, swept: Swept::default() };
        let end = round.table(dead)?;
        let Swept { rows, longest } = round.swept;
        if rows > 0 {
            let longest_ms = longest.as_secs_f64() * 1e3;
            tracing::debug!(table = dead.table, rows, longest_ms, "swept");
        }
        swept = Swept { rows: swept.rows + rows, longest: swept.longest.max(longest) };
        if end == End::Stopped {
            break;
        }
    }
    Ok(swept)
}

#[derive(PartialEq, Eq)]
enum End {
    /// Nothing dead is left, or somebody else is at it.
    Done,
    Stopped,
}

/// A round through one table.
struct Round<'a> {
    store: &'a Store,
    now: Timestamp,
    pace: Pace,
    pause: &'a mut dyn FnMut(Duration) -> bool,
    swept: Swept,
}

impl Round<'_> {
    fn table(&mut self, dead: &'static Dead) -> Result<End, StoreError> {
        let mut before: Option<Arc<Batch>> = None;
        loop {
            let asked = self.pace.rows();
            let found = self.store.read("find the dead", |conn| {
                dead.find(conn, self.now, before.as_deref(), i64::from(asked))
            })?;
            if found.is_empty() {
                return Ok(End::Done);
            }
            let batch = Arc::new(found);
            for leaf in dead.leaves {
                if let Some(end) = self.leaves(leaf, &batch)? {
                    return Ok(end);
                }
            }
            if let Some(end) = self.delete(&batch, |conn, batch| dead.delete(conn, batch))? {
                return Ok(end);
            }
            before = Some(batch);
        }
    }

    /// All that hangs on the rows of a batch; nothing when it is gone.
    fn leaves(&mut self, leaf: &'static Leaf, of: &Arc<Batch>) -> Result<Option<End>, StoreError> {
        loop {
            let most = i64::from(self.pace.rows());
            let found = self.store.read("find the dead", |conn| leaf.find(conn, of, most))?;
            if found.is_empty() {
                return Ok(None);
            }
            if let Some(end) = self.delete(&Arc::new(found), |conn, batch| leaf.delete(conn, batch))? {
                return Ok(Some(end));
            }
        }
    }

    /// One batch and the pause behind it; nothing when there may be more to do.
    fn delete(
        &mut self,
        batch: &Arc<Batch>,
        delete: impl Fn(&mut Conn, &Batch) -> Result<usize, StoreError> + Send + 'static,
    ) -> Result<Option<End>, StoreError> {
        let these = Arc::clone(batch);
        let (deleted, held) = self.store.write_alone("sweep", move |conn| delete(conn, &these))?;
        self.pace.learn(batch.len(), held);
        self.swept.rows += deleted;
        self.swept.longest = self.swept.longest.max(held);
        if deleted == 0 {
            // Another node was quicker, or somebody holds them all: the next round will see.
            return Ok(Some(End::Done));
        }
        let goes_on = (self.pause)(Pace::pause(held));
        Ok((!goes_on).then_some(End::Stopped))
    }
}
