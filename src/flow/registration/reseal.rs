//! The secrets of registered clients (RFC 7592 §3 has them told again), sealed anew once the master key is another.

use crate::base::Timestamp;
use crate::jose::{OpenError, Purpose, SealError, Sealer};
use crate::store::{Store, StoreError, registrations};

/// Secrets that are read at a time.
const PAGE: i64 = 200;

/// Why not everything was sealed anew.
#[derive(Debug)]
pub enum ResealFault {
    /// One cannot be opened.
    Open(String, OpenError),
    /// One cannot be sealed.
    Seal(SealError),
    /// The database failed.
    Store(StoreError),
}

impl std::fmt::Display for ResealFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Open(client, error) => write!(f, "the secret of the registered client {client}: {error}"),
            Self::Seal(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ResealFault {}

impl From<StoreError> for ResealFault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn each(
    store: &Store,
    mut work: impl FnMut(Vec<(String, String)>) -> Result<(), ResealFault>,
) -> Result<(), ResealFault> {
    let mut after = String::new();
    loop {
        let page = store.read("sealed secrets", |conn| registrations::sealed_page(conn, &after, PAGE))?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after.clone_from(last);
        work(page)?;
    }
}

/// Seals every secret anew that is under another master key than the current one; the number of them.
///
/// # Errors
/// When one cannot be opened with any of the master keys given; those before it are done.
pub fn reseal(store: &Store, sealer: &Sealer, now: Timestamp) -> Result<usize, ResealFault> {
    let mut done = 0;
    each(store, |page| {
        let mut anew = Vec::new();
        for (client, sealed) in page.into_iter().filter(|(_, sealed)| !sealer.is_current(sealed)) {
            let secret = sealer
                .open(Purpose::RegisteredSecret, &sealed, None, now)
                .map_err(|e| ResealFault::Open(client.clone(), e))?;
            let fresh = sealer.seal(Purpose::RegisteredSecret, &secret, now).map_err(ResealFault::Seal)?;
            anew.push((client, sealed, fresh));
        }
        done += store.write("reseal secrets", move |conn| {
            let mut count = 0;
            for (client, before, after) in &anew {
                count += usize::from(registrations::reseal(conn, client, before, after)?);
            }
            Ok(count)
        })?;
        Ok(())
    })?;
    Ok(done)
}

/// A client whose secret `sealer` cannot open, if there is one.
///
/// # Errors
/// When the database fails.
pub fn sealed_under_others(
    store: &Store,
    sealer: &Sealer,
    now: Timestamp,
) -> Result<Option<String>, ResealFault> {
    let mut found = None;
    each(store, |page| {
        let closed = |(_, sealed): &&(String, String)| {
            sealer.open(Purpose::RegisteredSecret, sealed, None, now).is_err()
        };
        if found.is_none() {
            found = page.iter().find(closed).map(|(client, _)| client.clone());
        }
        Ok(())
    })?;
    Ok(found)
}
