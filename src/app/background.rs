//! Threads: one keeps the snapshot fresh, one lets keys rotate, one sweeps what has expired.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::config::Config;
use crate::store::sweep;

use super::App;

/// The threads; they end when this is dropped.
pub struct Background {
    stop: Vec<Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

impl Background {
    /// Starts what the configuration wants.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(app: &Arc<App>, config: &Config) -> std::io::Result<Self> {
        let mut background = Self { stop: Vec::new(), threads: Vec::new() };
        let refresh_every = Duration::from_millis(u64::from(config.cache.refresh_ms));
        background.every("refresh", refresh_every, app, |app| {
            if let Err(error) = app.refresh() {
                tracing::warn!(%error, "the configuration could not be refreshed");
            }
        })?;
        if config.keys.rotate {
            // At once: after a long stop much may be due.
            rotate_keys(app);
            background.every("rotation", rotation_pause(app), app, rotate_keys)?;
        }
        if config.sweeper.enabled {
            let batch_rows = i64::from(config.sweeper.batch_rows);
            let sweep_every = Duration::from_secs(u64::from(config.sweeper.interval_s));
            background.every("sweeper", sweep_every, app, move |app| sweep_all(app, batch_rows))?;
        }
        Ok(background)
    }

    fn every(
        &mut self,
        name: &str,
        interval: Duration,
        app: &Arc<App>,
        work: impl Fn(&App) + Send + 'static,
    ) -> std::io::Result<()> {
        let (stop, stopped) = channel::<()>();
        let app: Weak<App> = Arc::downgrade(app);
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                match app.upgrade() {
                    Some(app) => work(&app),
                    None => return,
                }
            }
        })?;
        self.stop.push(stop);
        self.threads.push(thread);
        Ok(())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.stop.clear();
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so on its own.
            let _ = thread.join();
        }
    }
}

/// About a minute, at each node another: nodes that look one after the other seldom do the same work.
fn rotation_pause(app: &App) -> Duration {
    let jitter = crate::base::entropy::bytes::<2>(&*app.entropy).map_or(0, u16::from_le_bytes);
    Duration::from_millis(45_000 + u64::from(jitter) % 30_000)
}

fn rotate_keys(app: &App) {
    if let Err(error) = app.rotate_keys() {
        tracing::warn!(%error, "the signing keys could not be rotated; tried again within about a minute");
    }
}

/// Batches until little is left: other writes come in between.
fn sweep_all(app: &App, batch_rows: i64) {
    loop {
        let now = app.now();
        match app.store.write("sweep", move |conn| sweep::batch(conn, now, batch_rows)) {
            Ok(deleted) => {
                if deleted > 0 {
                    tracing::debug!(deleted, "swept");
                }
                if i64::try_from(deleted).unwrap_or(i64::MAX) < batch_rows {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "sweeping failed");
                return;
            }
        }
    }
}
