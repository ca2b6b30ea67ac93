//! `[outbound]`: the requests that this server makes itself.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use ipnet::IpNet;
use url::Host;

use super::schema::{section, text_setting};
use super::server::Network;

section! {
    /// Requests that this server makes itself: for the keys of a client (`jwks_uri`), for the redirect URIs of its sector,
    /// and to tell it of a logout. They go to https addresses of the public internet alone, directly: a proxy is not
    /// supported.
    pub struct Outbound {
        /// More certificate authorities to believe, in PEM, beside those of this machine.
        ca_file: Option<PathBuf> = None;
        /// Hosts, as names (`keys.internal`), and networks (`10.1.0.0/16`) or single addresses that may be asked though
        /// they are private, loopback or otherwise not of the public internet. Whoever can register a client can make this
        /// server send requests there.
        allow: Vec<Allowed> = Vec::new();
        /// How long one request may take, from the look-up of the name to the last byte.
        timeout_ms: u32 = 5_000, in 100..=60_000;
        /// The most requests of this node to one host within a minute; to all hosts together go twenty times as many. What
        /// is above waits, or is refused.
        per_host_per_minute: u32 = 600, in 1..=100_000;
    }
}

/// A host by its name, or a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// All addresses that it has.
    Host(String),
    /// A network, or a single address.
    Network(IpNet),
}

impl FromStr for Allowed {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(network) = text.parse::<Network>() {
            return Ok(Self::Network(network.net()));
        }
        // `10.0.0.0/33` is no host either: a slash stands in no name.
        let sound = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
        match Host::parse(text) {
            Ok(Host::Domain(name)) if sound => Ok(Self::Host(name)),
            _ => Err(format!("expected a host name or a network such as 10.0.0.0/8, found {text:?}")),
        }
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(name) => name.fmt(f),
            Self::Network(network) => network.fmt(f),
        }
    }
}

text_setting!(Allowed, "a host name, a network such as 10.0.0.0/8 or an IP address");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_a_network_are_told_apart() {
        let read = |text: &str| text.parse::<Allowed>();
        assert_eq!(read("Keys.internal"), Ok(Allowed::Host("keys.internal".to_owned())));
        assert_eq!(read("localhost"), Ok(Allowed::Host("localhost".to_owned())));
        assert_eq!(read("10.1.2.3/16").unwrap().to_string(), "10.1.0.0/16");
        assert_eq!(read("127.0.0.1").unwrap().to_string(), "127.0.0.1/32");
        assert_eq!(read("fd00::/8").unwrap().to_string(), "fd00::/8");
        for wrong in
            ["", "*", "*.internal", "https://a.example", "a.example:443", "10.0.0.0/33", "a b", "[::1]"]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
