//! What the operator lets this server reach though it is not of the public internet.

use std::net::IpAddr;

use ipnet::IpNet;

/// Host names and networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allow {
    hosts: Vec<String>,
    networks: Vec<IpNet>,
}

impl Allow {
    /// Host names are compared without regard to case and to a dot at the end.
    #[must_use]
    pub fn new(hosts: impl IntoIterator<Item = String>, networks: Vec<IpNet>) -> Self {
        Self { hosts: hosts.into_iter().map(|host| canonical(&host)).collect(), networks }
    }

    /// Whether all addresses of this host are.
    #[must_use]
    pub fn host(&self, host: &str) -> bool {
        let host = canonical(host);
        self.hosts.contains(&host)
    }

    /// Whether this one is. An IPv4 address inside of an IPv6 one counts as the former.
    #[must_use]
    pub fn address(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }
}

fn canonical(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_allowed_by_its_whole_name_and_an_address_by_its_network() {
        let allow = Allow::new(["Keys.Internal".to_owned()], vec!["10.1.0.0/16".parse().unwrap()]);
        assert!(allow.host("keys.internal") && allow.host("KEYS.internal."));
        assert!(
            !allow.host("internal") && !allow.host("x.keys.internal") && !allow.host("keys.internal.evil")
        );
        assert!(allow.address([10, 1, 2, 3].into()) && !allow.address([10, 2, 0, 1].into()));
        assert!(allow.address("::ffff:10.1.2.3".parse().unwrap()));
        assert!(!Allow::default().host("") || !Allow::default().address([127, 0, 0, 1].into()));
    }
}
