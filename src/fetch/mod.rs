//! Requests that this server makes itself, to addresses that a client named: its keys (`jwks_uri`), the redirect URIs of its
//! sector (`sector_identifier_uri`), where it is told of a logout (`backchannel_logout_uri`). The only room that imports
//! ureq.
//!
//! Whoever registers a client chooses the address, and this server stands where others cannot reach. So (docs/adr/0014):
//!
//! 1. https only, without a user name in it: [`address`].
//! 2. The name is resolved once, and every address that it has is looked at: [`addresses`]. One that is not of the public
//!    internet is refused, unless the operator allows it: [`Allow`].
//! 3. The connection goes to exactly those addresses: there is no second look-up that could say something else.
//! 4. No redirect is followed, no proxy is asked, nothing is decompressed.
//! 5. Size and time are limited ([`MAX_BYTES`], `timeout`), and so is how much goes to one host: `limits`.

mod address;
pub mod addresses;
mod allow;
mod limits;
mod names;
mod trust;

use std::sync::Arc;
use std::time::Duration;

use ureq::http::HeaderMap;
use ureq::unversioned::transport::{Connector as _, RustlsConnector, TcpConnector};

pub use address::address;
pub use allow::Allow;
pub use names::{Names, SystemNames};
pub use trust::TrustError;

use crate::base::{Seconds, Timestamp};
use limits::Limits;
use names::{Checked, Refused};

/// The longest answer that is read, in bytes.
pub const MAX_BYTES: u64 = 65_536;
const MAX_HEADER_BYTES: usize = 16_384;
const USER_AGENT: &str = concat!("countersign/", env!("CARGO_PKG_VERSION"));

/// What the operator configured.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// More certificate authorities, in PEM.
    pub ca_pem: Option<Vec<u8>>,
    /// Hosts and networks that may be reached though they are not of the public internet.
    pub allow: Allow,
    /// How long a request may take, from the look-up of the name to the last byte.
    pub timeout: Duration,
    /// The most requests to one host within a minute.
    pub per_host_per_minute: u32,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The status; never one of a redirect.
    pub status: u16,
    /// `Content-Type` without its parameters, in lower case.
    pub content_type: Option<String>,
    /// `max-age` of `Cache-Control`; zero for `no-store` and `no-cache`.
    pub max_age: Option<Seconds>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why nothing came back. The texts are for the operator's log: they may name addresses of the network inside.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Not an address that is ever asked.
    #[error("{0}")]
    Address(&'static str),
    /// The host is not of the public internet.
    #[error("{0}")]
    Refused(String),
    /// Too much at once, or within this minute.
    #[error("too many requests to this host at present")]
    Busy,
    /// It answered with a redirect.
    #[error("it answered {0}: redirects are not followed")]
    Redirect(u16),
    /// The answer is too long.
    #[error("the answer is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// It took too long.
    #[error("no whole answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// No connection, no TLS, no HTTP.
    #[error("{0}")]
    Failed(String),
}

/// Makes the requests. Shared by all threads; each request blocks the one that makes it.
pub struct Fetcher {
    agent: ureq::Agent,
    limits: Limits,
    timeout: Duration,
}

impl Fetcher {
    /// Prepares everything; certificates are read now.
    ///
    /// # Errors
    /// When `ca_pem` holds no certificate.
    pub fn new(settings: Settings) -> Result<Self, TrustError> {
        Self::with_names(settings, Arc::new(SystemNames))
    }

    /// The same with another way to look names up.
    ///
    /// # Errors
    /// As [`Fetcher::new`].
    pub fn with_names(settings: Settings, names: Arc<dyn Names>) -> Result<Self, TrustError> {
        let config = ureq::Agent::config_builder()
            .https_only(true)
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .user_agent(USER_AGENT)
            .max_response_header_size(MAX_HEADER_BYTES)
            // Each connection is to addresses that were looked at for this request.
            .max_idle_connections(0)
            .timeout_global(Some(settings.timeout))
            .timeout_connect(Some(settings.timeout.min(Duration::from_secs(3))))
            .tls_config(trust::tls(settings.ca_pem.as_deref())?)
            .build();
        let connector = ().chain(TcpConnector::default()).chain(RustlsConnector::default());
        let checked = Checked::new(names, settings.allow);
        Ok(Self {
            agent: ureq::Agent::with_parts(config, connector, checked),
            limits: Limits::new(settings.per_host_per_minute),
            timeout: settings.timeout,
        })
    }

    /// Asks for a document.
    ///
    /// # Errors
    /// See [`FetchError`].
    pub fn get(&self, url: &str, accept: &str, now: Timestamp) -> Result<Fetched, FetchError> {
        let url = address(url)?;
        let _ticket = self.limits.enter(url.host_str().unwrap_or_default(), now).ok_or(FetchError::Busy)?;
        let request = self.agent.get(url.as_str()).header("accept", accept);
        let mut response = request.call().map_err(|e| self.failed(e))?;
        let body = response.body_mut().with_config().limit(MAX_BYTES).read_to_vec();
        fetched(&response, body.map_err(|e| self.failed(e))?)
    }

    /// Posts a form (`application/x-www-form-urlencoded`). What is answered beside the status is not read.
    ///
    /// # Errors
    /// See [`FetchError`].
    pub fn post_form(&self, url: &str, form: &str, now: Timestamp) -> Result<Fetched, FetchError> {
        let url = address(url)?;
        let _ticket = self.limits.enter(url.host_str().unwrap_or_default(), now).ok_or(FetchError::Busy)?;
        let request = self.agent.post(url.as_str()).content_type("application/x-www-form-urlencoded");
        let response = request.send(form).map_err(|e| self.failed(e))?;
        fetched(&response, Vec::new())
    }

    fn failed(&self, error: ureq::Error) -> FetchError {
        match error {
            ureq::Error::BodyExceedsLimit(_) => FetchError::TooLong,
            ureq::Error::Timeout(_) => FetchError::TimedOut(self.timeout),
            ureq::Error::Other(inner) => match inner.downcast::<Refused>() {
                Ok(refused) => FetchError::Refused(refused.0),
                Err(other) => FetchError::Failed(other.to_string()),
            },
            // What happens while the body is read comes wrapped into an error of `std::io`.
            ureq::Error::Io(io) if io.kind() == std::io::ErrorKind::TimedOut => {
                FetchError::TimedOut(self.timeout)
            }
            other => FetchError::Failed(other.to_string()),
        }
    }
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fetcher")
    }
}

fn fetched(response: &ureq::http::Response<ureq::Body>, body: Vec<u8>) -> Result<Fetched, FetchError> {
    let status = response.status().as_u16();
    if response.status().is_redirection() {
        return Err(FetchError::Redirect(status));
    }
    let word = |name: &str| response.headers().get(name)?.to_str().ok();
    let content_type = word("content-type")
        .map(|value| value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    Ok(Fetched { status, content_type, max_age: max_age(response.headers()), body })
}

/// RFC 9111 §5.2.2.1, with an eye to the two words that forbid to keep anything.
fn max_age(headers: &HeaderMap) -> Option<Seconds> {
    let values = headers.get_all("cache-control").iter().filter_map(|value| value.to_str().ok());
    let directives: Vec<String> =
        values.flat_map(|value| value.split(',')).map(|one| one.trim().to_ascii_lowercase()).collect();
    if directives.iter().any(|one| one == "no-store" || one == "no-cache") {
        return Some(Seconds(0));
    }
    let seconds = directives.iter().find_map(|one| one.strip_prefix("max-age="))?;
    seconds.trim_matches('"').parse::<u32>().ok().map(|seconds| Seconds(i64::from(seconds)))
}
