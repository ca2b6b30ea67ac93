//! Names to addresses: looked up once, looked at, and connected to as they are.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::addresses::special;
use super::allow::Allow;

/// The most addresses of a name that are looked at; further ones are left out.
const MAX_ADDRESSES: usize = 16;
/// A look-up that takes longer than this is of no use to anybody.
const LONGEST_LOOK_UP: Duration = Duration::from_secs(10);

/// Looks names up.
pub trait Names: Send + Sync + 'static {
    /// The addresses of `host`, a name or an IP address without brackets.
    ///
    /// # Errors
    /// When there are none, or not within that time.
    fn addresses(&self, host: &str, port: u16, within: Duration) -> io::Result<Vec<SocketAddr>>;
}

/// The way of the operating system.
pub struct SystemNames;

impl Names for SystemNames {
    /// getaddrinfo(3) knows no limit of time of its own: it runs in a thread that is left behind when it is late.
    fn addresses(&self, host: &str, port: u16, within: Duration) -> io::Result<Vec<SocketAddr>> {
        let (tell, told) = mpsc::sync_channel(1);
        let host = host.to_owned();
        thread::Builder::new().name("look-up".to_owned()).spawn(move || {
            let found = (host.as_str(), port).to_socket_addrs().map(Iterator::collect::<Vec<_>>);
            // Nobody may be waiting any more.
            let _ = tell.send(found);
        })?;
        told.recv_timeout(within).map_err(|_| io::ErrorKind::TimedOut)?
    }
}

/// An address that is not asked; what it says goes into the log.
#[derive(Debug)]
pub(super) struct Refused(pub(super) String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

/// Lets only addresses through that may be asked.
pub(super) struct Checked {
    names: Arc<dyn Names>,
    allow: Allow,
}

impl Checked {
    pub(super) fn new(names: Arc<dyn Names>, allow: Allow) -> Self {
        Self { names, allow }
    }

    /// All or nothing: of a name that has a public and a private address, nobody knows which one would be taken.
    fn check(&self, host: &str, found: &[SocketAddr]) -> Result<(), Refused> {
        if self.allow.host(host) {
            return Ok(());
        }
        for address in found.iter().map(SocketAddr::ip) {
            if let Some(kind) = special(address)
                && !self.allow.address(address)
            {
                let text =
                    format!("{host} is at {address}, {kind}; `outbound.allow` lets this server ask it");
                return Err(Refused(text));
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checked({:?})", self.allow)
    }
}

impl Resolver for Checked {
    fn resolve(
        &self,
        uri: &Uri,
        _: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().ok_or(ureq::Error::HostNotFound)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(443);
        let within = (*timeout.after).min(LONGEST_LOOK_UP);
        let mut found = self.names.addresses(host, port, within).map_err(|e| match e.kind() {
            io::ErrorKind::TimedOut => ureq::Error::Timeout(ureq::Timeout::Resolve),
            _ => ureq::Error::Io(e),
        })?;
        found.truncate(MAX_ADDRESSES);
        if found.is_empty() {
            return Err(ureq::Error::HostNotFound);
        }
        self.check(host, &found).map_err(|refused| ureq::Error::Other(refused.into()))?;
        let mut addresses = self.empty();
        for address in found {
            addresses.push(address);
        }
        Ok(addresses)
    }
}
