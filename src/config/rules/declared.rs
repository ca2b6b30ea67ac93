//! Rules for `[[resource_servers]]` and `[[roles]]`, and the shapes of names.

use std::collections::HashSet;

use url::Url;

use super::Problems;
use crate::base::shown;
use crate::config::schema::labelled;
use crate::config::{Config, ResourceServer};

/// OpenID Connect Core 1.0 §5.4 and §11: scopes that belong to the server itself.
const OWN_SCOPES: [&str; 6] = ["openid", "profile", "email", "address", "phone", "offline_access"];

pub(super) fn check(config: &Config, problems: &mut Problems) {
    let servers = &config.resource_servers;
    twice(problems, "resource_servers", "id", servers.iter().map(|server| server.id.as_str()));
    for (index, server) in servers.iter().enumerate() {
        resource_server(config, server, &labelled("resource_servers", Some(&server.id), index), problems);
    }
    twice(problems, "roles", "name", config.roles.iter().map(|role| role.name.as_str()));
    for (index, role) in config.roles.iter().enumerate() {
        let key = labelled("roles", Some(&role.name), index);
        let text = "expected 1 to 128 visible ASCII characters, no blank";
        problems.unless(is_name(&role.name), format!("{key}.name"), text);
    }
}

fn resource_server(config: &Config, server: &ResourceServer, key: &str, problems: &mut Problems) {
    let text = "expected an absolute URI without a fragment, such as \"https://api.example\" (RFC 8707 §2)";
    problems.unless(is_uri(&server.id), format!("{key}.id"), text);
    if let Some(name) = &server.name {
        problems.unless(
            is_shown(name),
            format!("{key}.name"),
            "expected 1 to 200 characters, no line breaks",
        );
    }
    for scope in server.scopes.iter() {
        let text = format!("{:?} is no scope value (RFC 6749 §3.3)", scope.name);
        problems.unless(is_scope(&scope.name), format!("{key}.scopes"), text);
        let text = format!("`{}` belongs to OpenID Connect: give it another name", scope.name);
        problems.unless(!OWN_SCOPES.contains(&scope.name.as_str()), format!("{key}.scopes"), text);
    }
    let names: HashSet<_> = server.scopes.iter().map(|scope| &scope.name).collect();
    problems.unless(names.len() == server.scopes.0.len(), format!("{key}.scopes"), "a scope is named twice");
    if let Some(ttl_s) = server.access_token_ttl_s {
        problems.access_token_ttl(key, ttl_s, server.allow_long_access_tokens);
    }
    problems.unless(
        server.encryption_key.is_none() || server.encryption_key_file.is_none(),
        format!("{key}.encryption_key"),
        "excludes `encryption_key_file`: keep one",
    );
    if let Some(file) = &server.encryption_key_file {
        problems.unless(!file.as_os_str().is_empty(), format!("{key}.encryption_key_file"), "name the file");
    }
    if let Some(algorithm) = server.signing_algorithm {
        let text = format!("there are no keys for {algorithm}: add it to `keys.algorithms`");
        problems.unless(
            config.keys.algorithms.contains(&algorithm),
            format!("{key}.signing_algorithm"),
            text,
        );
    }
}

/// Reports names that stand more than once.
pub(super) fn twice<'c>(
    problems: &mut Problems,
    list: &str,
    name: &str,
    given: impl Iterator<Item = &'c str>,
) {
    let mut seen = HashSet::new();
    for (index, one) in given.enumerate() {
        let text = format!("{one:?} is declared twice");
        problems.unless(
            one.is_empty() || seen.insert(one),
            format!("{}.{name}", labelled(list, None, index)),
            text,
        );
    }
}

/// 1 to 128 visible ASCII characters.
pub(super) fn is_name(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

/// A text for people.
pub(super) fn is_shown(text: &str) -> bool {
    text.chars().count() <= 200 && shown::is_shown(text)
}

/// RFC 6749 §3.3: `1*( %x21 / %x23-5B / %x5D-7E )`.
pub(super) fn is_scope(text: &str) -> bool {
    is_name(text) && !text.contains(['"', '\\'])
}

/// An absolute URI without a fragment.
pub(super) fn is_uri(text: &str) -> bool {
    text.len() <= 512
        && text.bytes().all(|b| b.is_ascii_graphic())
        && !text.contains('#')
        && Url::parse(text).is_ok()
}
