//! Delivers logouts: looks twice a second what is due, and has several threads at it, so that one client that is slow does
//! not keep the others waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::flow::backchannel::{self, Outcome};
use crate::oauth::OAuthError;

use super::App;

/// The most deliveries at once.
const MAX_COURIERS: usize = 8;

/// Counts the threads that are under way.
#[derive(Clone, Default)]
pub(super) struct Couriers(Arc<AtomicUsize>);

/// One of them, until it is dropped.
struct Courier(Arc<AtomicUsize>);

impl Drop for Courier {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Couriers {
    fn one_more(&self) -> Option<Courier> {
        let more = |running| (running < MAX_COURIERS).then_some(running + 1);
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).ok()?;
        Some(Courier(Arc::clone(&self.0)))
    }

    /// Starts a thread for each delivery that is due, as far as there may be more. They end by themselves.
    pub(super) fn send(&self, app: &Arc<App>) {
        let due = match app.due_logouts(MAX_COURIERS) {
            Ok(due) => due,
            Err(error) => {
                // Whoever refreshes the configuration has said so as a warning.
                tracing::debug!(%error, "nobody can say which logouts are to be delivered");
                return;
            }
        };
        for _ in 0..due {
            let Some(courier) = self.one_more() else { return };
            let app = Arc::clone(app);
            let thread = thread::Builder::new().name("logout".to_owned()).spawn(move || {
                let _courier = courier;
                if let Err(error) = app.deliver_logouts() {
                    tracing::warn!(%error, "logouts could not be delivered");
                }
            });
            if let Err(error) = thread {
                tracing::warn!(%error, "no thread to deliver a logout");
                return;
            }
        }
    }
}

impl App {
    /// How many logouts are due, counted up to `most`.
    ///
    /// # Errors
    /// When the database is down.
    pub fn due_logouts(&self, most: usize) -> Result<usize, OAuthError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        Ok(backchannel::due(&self.refreshed_cx()?, most)?.len())
    }

    /// Delivers what is due, one after the other, until nothing is; what was told, given up and put off.
    ///
    /// # Errors
    /// When the database is down.
    pub fn deliver_logouts(&self) -> Result<Vec<Outcome>, OAuthError> {
        let mut outcomes = Vec::new();
        loop {
            let cx = self.refreshed_cx()?;
            // Several, since others may take the first.
            let due = backchannel::due(&cx, i64::try_from(MAX_COURIERS).unwrap_or(1))?;
            if due.is_empty() {
                return Ok(outcomes);
            }
            for delivery in due {
                match backchannel::deliver_one(&cx, &delivery)? {
                    Outcome::Taken => {}
                    outcome => {
                        outcomes.push(outcome);
                        break;
                    }
                }
            }
        }
    }
}
