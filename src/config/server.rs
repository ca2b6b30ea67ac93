//! `[server]`: the issuer, the listener and what stands in front of it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use ipnet::IpNet;

use super::issuer::Issuer;
use super::schema::{parse_or, section, text_setting};

section! {
    /// Where the server is known, and where it listens.
    pub struct Server {
        /// The public address, exactly as it will stand in the `iss` of every token. https, or http on a loopback host
        /// while developing; it may have a path; no slash at the end. `serve` does not start without it. It is never
        /// guessed from a Host header, and changing it later makes every token and every client's setting invalid.
        issuer: Option<Issuer> = None;
        /// The addresses and ports to listen on.
        listen: Vec<SocketAddr> = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))];
        /// Reverse proxies in front of this server, as networks (`10.0.0.0/8`) or single addresses. Only they are believed
        /// in `X-Forwarded-For`, read from its right end: the address that failed logins are counted by. No other
        /// header of theirs is read; the scheme and host are those of `issuer`.
        trusted_proxies: Vec<Network> = Vec::new();
        /// Threads that serve requests; 0 takes as many as there are processor cores.
        workers: usize = 0, in 0..=1024;
        /// The largest request body; a larger one is refused before it is read.
        max_body_bytes: usize = 65_536, in 1_024..=1_048_576;
        /// How long a client may take to send the head of its request, and again for the body.
        client_timeout_ms: u32 = 10_000, in 100..=120_000;
        /// How long an idle connection is kept open; above the proxy's own idle time, so that the proxy closes first.
        /// 0 closes after each answer.
        keep_alive_s: u32 = 75, in 0..=3_600;
        /// How long requests that are under way may take at a shutdown.
        shutdown_timeout_s: u32 = 30, in 0..=300;
        /// TLS in this process. Left out where a proxy does it.
        tls: Option<Tls> = None;
    }
}

section! {
    /// TLS in this process (1.2 and 1.3). Both files are read again when they change.
    pub struct Tls {
        /// The certificate chain in PEM, the server's own first.
        certificate_file: PathBuf = PathBuf::new();
        /// The private key in PEM (PKCS #8, PKCS #1 or SEC 1), readable by this server only.
        private_key_file: PathBuf = PathBuf::new();
    }
}

/// A network, or a single address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network(IpNet);

impl Network {
    /// The network in its shortest form.
    #[must_use]
    pub fn net(self) -> IpNet {
        self.0
    }

    /// Whether `address` lies in it. An IPv4 address that an IPv6 socket reports as `::ffff:…` counts as IPv4.
    #[must_use]
    pub fn contains(self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Network {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self(address.to_canonical().into()));
        }
        let net: IpNet = parse_or(text, "a network such as 10.0.0.0/8 or an IP address")?;
        Ok(Self(net.trunc()))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

text_setting!(Network, "a network such as 10.0.0.0/8 or an IP address");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_address_is_a_network_of_one() {
        let one: Network = "192.0.2.1".parse().unwrap();
        assert!(one.contains([192, 0, 2, 1].into()) && !one.contains([192, 0, 2, 2].into()));
    }

    #[test]
    fn an_ipv4_address_seen_through_an_ipv6_socket_is_still_in_its_network() {
        let net: Network = "10.1.2.3/8".parse().unwrap();
        assert_eq!(net.to_string(), "10.0.0.0/8");
        assert!(net.contains("::ffff:10.9.9.9".parse().unwrap()));
        assert!(!net.contains("::ffff:11.0.0.1".parse().unwrap()));
    }

    #[test]
    fn a_host_name_and_a_wrong_prefix_are_no_network() {
        for text in ["proxy", "10.0.0.0/33", "10.0.0/8", "*", ""] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
