//! A web origin (RFC 6454 §6.2): scheme, host and port of a page, as a browser writes it into `Origin`.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// The longest origin, in bytes.
pub const MAX_ORIGIN_BYTES: usize = 512;

/// A web origin, in the one form in which browsers send it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin(String);

impl Origin {
    /// As it stands in `Origin`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || {
            format!(
                "{text:?} is no web origin: https://host or https://host:port, no path (http on loopback only)"
            )
        };
        if text.len() > MAX_ORIGIN_BYTES {
            return Err(format!("an origin is at most {MAX_ORIGIN_BYTES} bytes long"));
        }
        let url = Url::parse(text).map_err(|_| refused())?;
        let loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        // A URL's host may have a `;` in it, which would end a directive of a content security policy.
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/[]".contains(&b);
        let sound = url.scheme() == "https" || (url.scheme() == "http" && loopback);
        let sound = sound && text.bytes().all(plain);
        // Compared letter by letter with what a browser sends: another spelling would never match.
        if sound && url.origin().ascii_serialization() == text {
            Ok(Self(text.to_owned()))
        } else {
            Err(refused())
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        for text in
            ["https://app.example", "https://app.example:8443", "http://localhost:3000", "http://[::1]:1"]
        {
            assert_eq!(text.parse::<Origin>().unwrap().as_str(), text);
        }
        for text in [
            "https://app.example/",
            "https://App.example",
            "https://app.example:443",
            "http://app.example",
            "https://a;script-src.example",
            "https://*.example",
            "null",
            "*",
        ] {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }
}
