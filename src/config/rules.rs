//! What only several keys together can get wrong. Everything is reported, not only the first.

mod clients;
mod declared;
mod registration;
#[cfg(test)]
mod tests;

use super::schema::Setting as _;
use super::{
    AlgorithmName, Config, Issuer, Keys, MAX_ORDINARY_ACCESS_TOKEN_TTL_S, PUBLISH_MARGIN_S, Problem,
};

impl Config {
    /// Everything that is wrong with what is set; nothing when all is well. A missing issuer is no problem here, as only
    /// `serve` needs one: see [`Config::issuer`].
    #[must_use]
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems(Vec::new());
        self.check("", None, &mut problems.0);
        server(self, &mut problems);
        keys(self, &mut problems);
        lifetimes(self, &mut problems);
        login(self, &mut problems);
        operation(self, &mut problems);
        registration::check(self, &mut problems);
        clients::check(self, &mut problems);
        declared::check(self, &mut problems);
        problems.0
    }

    /// The issuer.
    ///
    /// # Errors
    /// When none is configured.
    pub fn issuer(&self) -> Result<&Issuer, Problem> {
        self.server.issuer.as_ref().ok_or_else(|| Problem {
            key: "server.issuer".to_owned(),
            text:
                "not set: the public address of this server, such as \"https://id.example\" (or the variable \
                   COUNTERSIGN_SERVER__ISSUER)"
                    .to_owned(),
        })
    }
}

struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, key: impl Into<String>, text: impl Into<String>) {
        self.0.push(Problem { key: key.into(), text: text.into() });
    }

    fn unless(&mut self, holds: bool, key: impl Into<String>, text: impl Into<String>) {
        if !holds {
            self.add(key, text);
        }
    }

    /// RFC 9700 wants short-lived tokens; longer ones only where somebody said so on purpose.
    fn access_token_ttl(&mut self, key: &str, ttl_s: u32, allowed: bool) {
        let holds = allowed || ttl_s <= MAX_ORDINARY_ACCESS_TOKEN_TTL_S;
        let text = format!(
            "{ttl_s} s is above an hour; set `allow_long_access_tokens = true` beside it if that is meant"
        );
        self.unless(holds, format!("{key}.access_token_ttl_s"), text);
    }
}

fn server(config: &Config, problems: &mut Problems) {
    let server = &config.server;
    problems.unless(!server.listen.is_empty(), "server.listen", "name at least one address to listen on");
    for (index, address) in server.listen.iter().enumerate() {
        let first = !server.listen[..index].contains(address);
        problems.unless(first, "server.listen", format!("{address} is named twice"));
    }
    if let Some(tls) = &server.tls {
        let files =
            [("certificate_file", &tls.certificate_file), ("private_key_file", &tls.private_key_file)];
        for (name, file) in files {
            problems.unless(!file.as_os_str().is_empty(), format!("server.tls.{name}"), "name the file");
        }
        let plain = server.issuer.as_ref().is_some_and(|issuer| !issuer.is_https());
        problems.unless(!plain, "server.issuer", "begins with http, but [server.tls] is set: write https");
    }
}

fn keys(config: &Config, problems: &mut Problems) {
    let keys = &config.keys;
    let has_file = !keys.master_key_file.as_os_str().is_empty();
    problems.unless(has_file || keys.master_key.is_some(), "keys.master_key_file", "name the file");
    problems.unless(
        keys.algorithms.contains(&AlgorithmName::Rs256),
        "keys.algorithms",
        "RS256 has to be among them: every OpenID Connect client may rely on it (Discovery 1.0 §3)",
    );
    for (index, algorithm) in keys.algorithms.iter().enumerate() {
        let first = !keys.algorithms[..index].contains(algorithm);
        problems.unless(first, "keys.algorithms", format!("{algorithm} is named twice"));
    }
    problems.unless(
        keys.rsa_bits.is_multiple_of(256),
        "keys.rsa_bits",
        "expected a multiple of 256: 2048, 3072 or 4096",
    );
    for (index, plan) in keys.plans.iter().enumerate() {
        let key = || format!("keys.plans[{index}].algorithm");
        let Some(algorithm) = plan.algorithm else {
            problems.add(key(), "name the algorithm that this plan is for");
            continue;
        };
        let known = keys.algorithms.contains(&algorithm);
        problems.unless(known, key(), format!("{algorithm} is not among `keys.algorithms`"));
        let first = !keys.plans[..index].iter().any(|plan| plan.algorithm == Some(algorithm));
        problems.unless(first, key(), format!("{algorithm} has a plan already"));
    }
    if keys.rotate {
        keys.algorithms.iter().for_each(|algorithm| plan(keys, *algorithm, problems));
    }
}

fn plan(keys: &Keys, algorithm: AlgorithmName, problems: &mut Problems) {
    let (sign_for_s, publish_ahead_s, _) = keys.plan(algorithm);
    problems.unless(
        publish_ahead_s < sign_for_s,
        "keys.publish_ahead_s",
        format!("{publish_ahead_s} s for {algorithm}: expected less than its `sign_for_s`, {sign_for_s}"),
    );
    let least_s = keys.max_age_s().saturating_add(PUBLISH_MARGIN_S);
    problems.unless(
        publish_ahead_s >= least_s,
        "keys.publish_ahead_s",
        format!(
            "{publish_ahead_s} s for {algorithm}: expected {least_s} at least, `jwks_max_age_s` and \
             {PUBLISH_MARGIN_S} more: verifiers that cache the key set would meet a key that they do not have"
        ),
    );
}

fn lifetimes(config: &Config, problems: &mut Problems) {
    let (tokens, session) = (&config.tokens, &config.session);
    problems.access_token_ttl("tokens", tokens.access_token_ttl_s, tokens.allow_long_access_tokens);
    problems.unless(
        tokens.refresh_token_idle_ttl_s <= tokens.refresh_token_ttl_s,
        "tokens.refresh_token_idle_ttl_s",
        "is longer than `tokens.refresh_token_ttl_s`, so it would never count",
    );
    problems.unless(
        session.idle_ttl_s <= session.ttl_s,
        "session.idle_ttl_s",
        "is longer than `session.ttl_s`, so it would never count",
    );
    problems.unless(
        session.remembered_idle_ttl_s <= session.remembered_ttl_s,
        "session.remembered_idle_ttl_s",
        "is longer than `session.remembered_ttl_s`, so it would never count",
    );
}

fn login(config: &Config, problems: &mut Problems) {
    let login = &config.login;
    problems.unless(
        login.max_failures_per_account <= login.max_failures_overall,
        "login.max_failures_per_account",
        "is above `login.max_failures_overall`, so it would never count",
    );
    problems.unless(
        login.max_failures_per_address <= login.max_failures_overall,
        "login.max_failures_per_address",
        "is above `login.max_failures_overall`, so it would never count",
    );
    problems.unless(
        login.max_sign_ups_per_address <= login.max_sign_ups_overall,
        "login.max_sign_ups_per_address",
        "is above `login.max_sign_ups_overall`, so it would never count",
    );
    // OWASP's list of equal costs: 46 MiB × 1, 19 MiB × 2, 12 MiB × 3, 9 MiB × 4, 7 MiB × 5. The last is the least.
    const LEAST_KIB: u64 = 7_168 * 5;
    let argon2 = &login.argon2;
    let cost_kib = u64::from(argon2.memory_kib) * u64::from(argon2.iterations);
    let text =
        format!("memory_kib × iterations is {cost_kib}, below the {LEAST_KIB} that OWASP has as the least");
    problems.unless(cost_kib >= LEAST_KIB, "login.argon2", text);
}

fn operation(config: &Config, problems: &mut Problems) {
    if let Some(name) = &config.pages.service_name {
        let sound =
            !name.trim().is_empty() && name.chars().count() <= 100 && !name.chars().any(char::is_control);
        problems.unless(sound, "pages.service_name", "expected 1 to 100 characters, no line breaks");
    }
    problems.unless(
        u64::from(config.cache.max_stale_s) * 1_000 >= u64::from(config.cache.refresh_ms) * 2,
        "cache.max_stale_s",
        "expected at least twice `cache.refresh_ms`, or every hiccup of the database is an outage",
    );
}
