//! Threads: one keeps the snapshot fresh, one writes down the last use of API tokens, one lets keys rotate, one has logouts
//! delivered, one sweeps what has expired.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::config::Config;

use super::App;
use super::courier::Couriers;
use super::sweeper::sweep;

/// How often the last use of API tokens is written down.
const LAST_USES_EVERY: Duration = Duration::from_secs(30);

/// How often somebody looks whether a client is to be told of a logout.
const LOGOUTS_EVERY: Duration = Duration::from_millis(500);

/// The threads; they end when this is dropped.
pub struct Background {
    app: Arc<App>,
    stop: Vec<Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

impl Background {
    /// Starts what the configuration wants.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(app: &Arc<App>, config: &Config) -> std::io::Result<Self> {
        let mut background = Self { app: Arc::clone(app), stop: Vec::new(), threads: Vec::new() };
        let refresh_every = Duration::from_millis(u64::from(config.cache.refresh_ms));
        background.every("refresh", refresh_every, app, |app| {
            if let Err(error) = app.refresh() {
                tracing::warn!(%error, "the configuration could not be refreshed");
            }
        })?;
        background.every("last uses", LAST_USES_EVERY, app, App::write_last_uses)?;
        let (couriers, weak) = (Couriers::default(), Arc::downgrade(app));
        background.every("logouts", LOGOUTS_EVERY, app, move |_| {
            if let Some(app) = weak.upgrade() {
                couriers.send(&app);
            }
        })?;
        if config.keys.rotate {
            // At once: after a long stop much may be due.
            rotate_keys(app);
            background.every("rotation", rotation_pause(app), app, rotate_keys)?;
        }
        if config.sweeper.enabled {
            let batch_rows = config.sweeper.batch_rows;
            let sweep_every = Duration::from_secs(u64::from(config.sweeper.interval_s));
            background.spawn("sweeper", sweep_every, app, move |app, stop| {
                let mut pause = |time| stop.pause(time);
                match sweep(&app.store, app.now(), batch_rows, &mut pause) {
                    Ok(swept) => tracing::debug!(rows = swept.rows, longest = ?swept.longest, "swept"),
                    Err(error) => tracing::warn!(%error, "sweeping failed"),
                }
            })?;
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
        self.spawn(name, interval, app, move |app, _| work(app))
    }

    /// Work that takes long and looks now and then whether it shall stop.
    fn spawn(
        &mut self,
        name: &str,
        interval: Duration,
        app: &Arc<App>,
        work: impl Fn(&App, &Stop) + Send + 'static,
    ) -> std::io::Result<()> {
        let (stop, stopped) = channel::<()>();
        let stopped = Stop(stopped);
        let app: Weak<App> = Arc::downgrade(app);
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            while stopped.pause(interval) {
                match app.upgrade() {
                    Some(app) => work(&app, &stopped),
                    None => return,
                }
            }
        })?;
        self.stop.push(stop);
        self.threads.push(thread);
        Ok(())
    }
}

/// Tells a thread when it is to end.
struct Stop(Receiver<()>);

impl Stop {
    /// Waits; false as soon as the thread is to end.
    fn pause(&self, time: Duration) -> bool {
        self.0.recv_timeout(time) == Err(RecvTimeoutError::Timeout)
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.stop.clear();
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so on its own.
            let _ = thread.join();
        }
        self.app.write_last_uses();
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
