//! The security events of this process, as an operator's log has them.

use std::io::Write;
use std::sync::{LazyLock, Mutex, PoisonError};

use serde_json::Value;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer as _, Registry, filter, fmt};

/// Each write is one line of JSON.
static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

static LISTENING: LazyLock<()> = LazyLock::new(|| {
    let of_security = filter::filter_fn(|about| about.target() == "countersign::security");
    let layer = fmt::layer().json().flatten_event(true).with_writer(|| Lines).with_filter(of_security);
    tracing::subscriber::set_global_default(Registry::default().with(layer)).unwrap();
});

struct Lines;

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LINES.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Listens to the security events of all servers in this process.
pub struct SecurityLog;

impl SecurityLog {
    pub fn listen() -> Self {
        LazyLock::force(&LISTENING);
        Self
    }

    /// The events in which a field has this value: one that occurs in this test alone.
    pub fn of(&self, value: &str) -> Vec<Value> {
        let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
        let events = serde_json::Deserializer::from_slice(&lines).into_iter::<Value>().map(Result::unwrap);
        events.filter(|event| event.as_object().unwrap().values().any(|field| field == value)).collect()
    }
}
