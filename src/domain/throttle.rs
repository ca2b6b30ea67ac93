//! The counters that slow down guessing: per account, per network, and overall.

use std::net::IpAddr;

use crate::base::encoding::{base64url, sha256};
use crate::base::{Seconds, Timestamp};

use super::UserName;

/// What is counted. Each key is canonical: one account has one name, one IPv6 customer has one network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThrottleKey(String);

impl ThrottleKey {
    /// Attempts on one account, existing or not. The name is hashed, so that the table lists nobody's typing errors.
    #[must_use]
    pub fn account(name: &UserName) -> Self {
        Self(format!("account:{}", base64url(&sha256(name.as_str().as_bytes()))))
    }

    /// Attempts from one address; IPv6 by its /56, since that is what a customer gets at least.
    #[must_use]
    pub fn address(address: IpAddr) -> Self {
        Self(format!("address:{}", network(address)))
    }

    /// Reports of leaked tokens from one address in which nothing was found.
    #[must_use]
    pub fn leaks(address: IpAddr) -> Self {
        Self(format!("leaks:{}", network(address)))
    }

    /// Clients that were registered from one address.
    #[must_use]
    pub fn registrations(address: IpAddr) -> Self {
        Self(format!("registrations:{}", network(address)))
    }

    /// Documents of sectors that this server was made to ask for from one address.
    #[must_use]
    pub fn sectors(address: IpAddr) -> Self {
        Self(format!("sectors:{}", network(address)))
    }

    /// Accounts that users made for themselves from one address.
    #[must_use]
    pub fn sign_ups(address: IpAddr) -> Self {
        Self(format!("sign-ups:{}", network(address)))
    }

    /// All accounts that users made for themselves.
    #[must_use]
    pub fn sign_ups_overall() -> Self {
        Self("sign-ups".to_owned())
    }

    /// All attempts.
    #[must_use]
    pub fn overall() -> Self {
        Self("overall".to_owned())
    }

    /// What is counted, without whose it is.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.0.split(':').next().unwrap_or_default()
    }

    /// As it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{:x}::/56", d & 0xff00)
        }
    }
}

/// How many attempts a key has in a window.
#[derive(Clone, Debug)]
pub struct Limit {
    /// What is counted.
    pub key: ThrottleKey,
    /// The most failures in a window.
    pub max_failures: i64,
    /// How long a window lasts from its first failure.
    pub window: Seconds,
}

/// A counter, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Failures (and attempts under way) in the window.
    pub failures: i64,
    /// When the window ends and counting starts anew.
    pub expires_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_customer_has_one_counter_and_a_mapped_ipv4_address_is_the_ipv4_address() {
        let key = |text: &str| ThrottleKey::address(text.parse().unwrap());
        assert_eq!(key("2001:db8:1:2:3::4"), key("2001:db8:1:2:ffff::1"));
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:ff::1"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:102::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
    }
}
