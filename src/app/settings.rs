//! The configuration in the terms of the rooms that use it.

use std::time::Duration;

use crate::base::Seconds;
use crate::config::{Allowed, Config, Issuer, Network, RegistrationMode, Synchronous};
use crate::domain::session::IdleTtls;
use crate::domain::{KeyPlan, KeyRules};
use crate::fetch;
use crate::flow::passwords::PasswordCost;
use crate::flow::registration::{Mode, RegistrationPolicy};
use crate::flow::{Policy, SignUpLimits};
use crate::oauth::algorithm::SigningAlgorithm;
use crate::store::{DatabaseUrl, StoreOptions};

/// What HTTP needs to know.
#[derive(Clone, Debug)]
pub struct Site {
    /// The issuer's URL.
    pub issuer: String,
    /// The issuer's origin: what a browser sends in `Origin`.
    pub origin: String,
    /// The issuer's path, without a slash at its end.
    pub base: String,
    /// The name of the service on the pages: the configured one, or the issuer's host.
    pub service: String,
    /// Whether cookies carry `Secure` and the `__Host-` prefix: everywhere but on http loopback.
    pub secure: bool,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// The longest body, in bytes.
    pub max_body_bytes: usize,
    /// How long a body may take to come.
    pub body_timeout: Duration,
    /// How long verifiers may cache the JWKS.
    pub jwks_max_age: Seconds,
}

impl Site {
    /// The site of an issuer.
    #[must_use]
    pub fn of(config: &Config, issuer: &Issuer) -> Self {
        Self {
            issuer: issuer.as_str().to_owned(),
            origin: issuer.origin(),
            base: issuer.path().to_owned(),
            service: config.pages.service_name.clone().unwrap_or_else(|| issuer.host()),
            secure: issuer.as_str().starts_with("https:"),
            trusted_proxies: config.server.trusted_proxies.clone(),
            max_body_bytes: config.server.max_body_bytes,
            body_timeout: Duration::from_millis(u64::from(config.server.client_timeout_ms)),
            jwks_max_age: seconds(config.keys.max_age_s()),
        }
    }
}

fn seconds(value: u32) -> Seconds {
    Seconds(i64::from(value))
}

/// The configured algorithms, in order.
#[must_use]
pub(super) fn algorithms(config: &Config) -> Vec<SigningAlgorithm> {
    // The six names are the same in both rooms; a unit test below keeps them so.
    config.keys.algorithms.iter().filter_map(|name| name.as_str().parse().ok()).collect()
}

/// What the configuration says about the life of keys.
#[must_use]
pub fn key_rules(config: &Config) -> KeyRules {
    let keys = &config.keys;
    let plan = |name: &crate::config::AlgorithmName| {
        let (sign_for_s, publish_ahead_s, keep_retired_s) = keys.plan(*name);
        Some(KeyPlan {
            algorithm: name.as_str().parse().ok()?,
            sign_for: seconds(sign_for_s),
            publish_ahead: seconds(publish_ahead_s),
            keep_retired: keep_retired_s.map(seconds),
        })
    };
    KeyRules {
        rotate: keys.rotate,
        plans: keys.algorithms.iter().filter_map(plan).collect(),
        jwks_max_age: seconds(keys.max_age_s()),
        longest_token: seconds(config.tokens.access_token_ttl_s.max(config.tokens.id_token_ttl_s)),
        longest_session: seconds(config.session.ttl_s.max(config.session.remembered_ttl_s)),
        max_stale: seconds(config.cache.max_stale_s),
        rsa_bits: keys.rsa_bits,
    }
}

/// The policy of the use cases.
#[must_use]
pub fn policy(config: &Config, issuer: &str) -> Policy {
    let algorithms = algorithms(config);
    let first = algorithms.first().copied().unwrap_or(SigningAlgorithm::Es256);
    let or_first = |wanted| if algorithms.contains(&wanted) { wanted } else { first };
    let login = &config.login;
    Policy {
        issuer: issuer.to_owned(),
        // The database has it.
        pairwise_salt: String::new(),
        // As in `http::paths`; the tests of assertions take it from the metadata.
        token_endpoint: format!("{issuer}/token"),
        code_ttl: seconds(config.tokens.code_ttl_s),
        access_token_ttl: seconds(config.tokens.access_token_ttl_s),
        id_token_ttl: seconds(config.tokens.id_token_ttl_s),
        refresh_token_ttl: seconds(config.tokens.refresh_token_ttl_s),
        refresh_token_idle_ttl: seconds(config.tokens.refresh_token_idle_ttl_s),
        refresh_reuse_grace: seconds(config.tokens.refresh_reuse_grace_s),
        api_token_max_ttl: seconds(config.tokens.api_token_max_ttl_s),
        session_ttl: seconds(config.session.ttl_s),
        remembered_ttl: seconds(config.session.remembered_ttl_s),
        session_idle: session_idle(config),
        request_ttl: seconds(config.session.request_ttl_s),
        max_failures_per_account: i64::from(login.max_failures_per_account),
        max_failures_per_address: i64::from(login.max_failures_per_address),
        max_failures_overall: i64::from(login.max_failures_overall),
        login_window: seconds(login.window_s),
        sign_up: login.self_registration.then(|| SignUpLimits {
            per_address: i64::from(login.max_sign_ups_per_address),
            overall: i64::from(login.max_sign_ups_overall),
            window: seconds(login.sign_up_window_s),
        }),
        access_token_algorithm: or_first(SigningAlgorithm::Es256),
        // OpenID Connect Core §15.1: RS256 is what every relying party can verify.
        id_token_algorithm: or_first(SigningAlgorithm::Rs256),
        jwks_max_age: seconds(config.keys.max_age_s()),
        registration: registration(config),
    }
}

/// What a client may have that registers itself. Names that are none were told of when the configuration was checked.
fn registration(config: &Config) -> RegistrationPolicy {
    let section = &config.registration;
    RegistrationPolicy {
        mode: match section.mode {
            RegistrationMode::Off => Mode::Off,
            RegistrationMode::Token => Mode::Token,
            RegistrationMode::Open => Mode::Open,
        },
        grant_types: section.grant_types.iter().filter_map(|name| name.as_str().parse().ok()).collect(),
        scope: section.scopes.join(" ").parse().unwrap_or_default(),
        resources: section.resources.iter().filter_map(|id| id.parse().ok()).collect(),
        auth_methods: section.auth_methods.iter().filter_map(|name| name.as_str().parse().ok()).collect(),
        require_pkce: section.require_pkce,
        max_clients: i64::from(section.max_clients),
        max_per_address: i64::from(section.max_per_address),
        window: seconds(section.window_s),
        unused_ttl: seconds(section.unused_ttl_s),
    }
}

/// How long sessions may lie idle.
#[must_use]
pub fn session_idle(config: &Config) -> IdleTtls {
    IdleTtls {
        ordinary: seconds(config.session.idle_ttl_s),
        remembered: seconds(config.session.remembered_idle_ttl_s),
    }
}

/// The cost of password hashes.
#[must_use]
pub fn password_cost(config: &Config) -> PasswordCost {
    let argon2 = &config.login.argon2;
    PasswordCost {
        memory_kib: argon2.memory_kib,
        iterations: argon2.iterations,
        parallelism: argon2.parallelism,
        max_parallel: argon2.max_parallel as usize,
        max_waiting: argon2.max_waiting as usize,
    }
}

/// How this server makes requests itself.
///
/// # Errors
/// When the file of certificate authorities cannot be read.
pub fn fetching(config: &Config) -> Result<fetch::Settings, String> {
    let outbound = &config.outbound;
    let read =
        |path: &std::path::PathBuf| std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()));
    let hosts = outbound.allow.iter().filter_map(|one| match one {
        Allowed::Host(name) => Some(name.clone()),
        Allowed::Network(_) => None,
    });
    let networks = outbound.allow.iter().filter_map(|one| match one {
        Allowed::Host(_) => None,
        Allowed::Network(network) => Some(*network),
    });
    Ok(fetch::Settings {
        ca_pem: outbound.ca_file.as_ref().map(read).transpose()?,
        allow: fetch::Allow::new(hosts, networks.collect()),
        timeout: Duration::from_millis(u64::from(outbound.timeout_ms)),
        per_host_per_minute: outbound.per_host_per_minute,
    })
}

/// How the database is reached.
///
/// # Errors
/// When the URL is not one of the two kinds.
pub fn store_options(config: &Config) -> Result<StoreOptions, String> {
    let url: DatabaseUrl = config.database.url.reveal().parse()?;
    Ok(StoreOptions {
        url,
        pool_size: config.database.pool_size,
        acquire_timeout: Duration::from_millis(u64::from(config.database.acquire_timeout_ms)),
        synchronous_full: config.database.synchronous == Synchronous::Full,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::AlgorithmName;

    #[test]
    fn every_configurable_algorithm_is_one_that_signs() {
        for name in AlgorithmName::ALL {
            assert_eq!(name.as_str().parse::<SigningAlgorithm>().unwrap().to_string(), name.as_str());
        }
    }

    #[test]
    fn a_plan_that_the_configuration_takes_lets_every_node_follow() {
        let margin = seconds(crate::config::PUBLISH_MARGIN_S);
        assert_eq!(margin, crate::domain::key_plan::NODES_FOLLOW);
    }
}
