//! Rules for `[[clients]]`.

use url::Url;

use super::Problems;
use super::declared::{is_name, is_scope, is_shown, is_uri, twice};
use crate::base::encoding::from_base64url;
use crate::config::schema::labelled;
use crate::config::{AuthMethodName, Client, ClientProfile, Config, GrantName};

pub(super) fn check(config: &Config, problems: &mut Problems) {
    twice(problems, "clients", "id", config.clients.iter().map(|client| client.id.as_str()));
    for (index, client) in config.clients.iter().enumerate() {
        let key = labelled("clients", Some(&client.id), index);
        identity(client, &key, problems);
        secret(client, &key, problems);
        grants(client, &key, problems);
        for (name, algorithm) in [
            ("id_token_signed_response_alg", client.id_token_signed_response_alg),
            ("userinfo_signed_response_alg", client.userinfo_signed_response_alg),
        ] {
            let known = algorithm.is_none_or(|algorithm| config.keys.algorithms.contains(&algorithm));
            problems.unless(known, format!("{key}.{name}"), "is not among `keys.algorithms`");
        }
        addresses(client, &key, problems);
        if let Some(ttl_s) = client.access_token_ttl_s {
            problems.access_token_ttl(&key, ttl_s, client.allow_long_access_tokens);
        }
        let ttl_s = client.refresh_token_ttl_s.unwrap_or(config.tokens.refresh_token_ttl_s);
        problems.unless(
            client.refresh_token_idle_ttl_s.is_none_or(|idle_ttl_s| idle_ttl_s <= ttl_s),
            format!("{key}.refresh_token_idle_ttl_s"),
            format!("is longer than its `refresh_token_ttl_s` of {ttl_s}, so it would never count"),
        );
    }
}

/// Clients that run where their user can read them, so that they can keep no secret (RFC 6749 §2.1).
fn is_public(client: &Client) -> bool {
    matches!(client.profile, Some(ClientProfile::Spa | ClientProfile::Native))
}

fn secrets(client: &Client) -> usize {
    usize::from(client.secret_hash.is_some())
        + usize::from(client.secret_file.is_some())
        + usize::from(client.secret_env.is_some())
}

fn identity(client: &Client, key: &str, problems: &mut Problems) {
    problems.unless(
        is_name(&client.id),
        format!("{key}.id"),
        "expected 1 to 128 visible ASCII characters, no blank",
    );
    if let Some(name) = &client.name {
        problems.unless(
            is_shown(name),
            format!("{key}.name"),
            "expected 1 to 200 characters, no line breaks",
        );
    }
    let words: Vec<_> = ClientProfile::ALL.iter().map(|profile| profile.as_str()).collect();
    let text = format!("not set: one of {}", words.join(", "));
    problems.unless(client.profile.is_some(), format!("{key}.profile"), text);
    for scope in &client.scopes {
        problems.unless(
            is_scope(scope),
            format!("{key}.scopes"),
            format!("{scope:?} is no scope value (RFC 6749 §3.3)"),
        );
    }
    let mut uris = |field: &str, named: &[String]| {
        for resource in named {
            let text = format!("{resource:?} is no absolute URI without a fragment (RFC 8707 §2)");
            problems.unless(is_uri(resource), format!("{key}.{field}"), text);
        }
    };
    uris("resources", &client.resources);
    uris("introspects", &client.introspects);
    for rule in &client.exchange {
        uris("exchange", std::slice::from_ref(&rule.from));
        uris("exchange", &rule.to);
    }
}

fn secret(client: &Client, key: &str, problems: &mut Problems) {
    let count = secrets(client);
    problems.unless(
        count <= 1,
        key,
        "`secret_hash`, `secret_file` and `secret_env` exclude each other: keep one",
    );
    match client.profile {
        Some(profile @ (ClientProfile::Spa | ClientProfile::Native)) => {
            let text =
                format!("a {profile} client cannot keep a secret: remove it, or choose the profile `web`");
            problems.unless(count == 0, key, text);
        }
        Some(
            profile @ (ClientProfile::Web
            | ClientProfile::Service
            | ClientProfile::FirstParty
            | ClientProfile::ResourceServer),
        ) => {
            let by_key = client.token_endpoint_auth_method == Some(AuthMethodName::PrivateKeyJwt);
            let text = format!("a {profile} client needs one of `secret_file`, `secret_env`, `secret_hash`");
            problems.unless(count > 0 || by_key, key, text);
            let text = "a client that authenticates by `private_key_jwt` has no secret: remove it";
            problems.unless(count == 0 || !by_key, key, text);
        }
        None => {}
    }
    let by_mac = client.token_endpoint_auth_method == Some(AuthMethodName::ClientSecretJwt);
    problems.unless(
        !(by_mac && client.secret_hash.is_some()),
        format!("{key}.secret_hash"),
        "`client_secret_jwt` needs the secret itself: `secret_file` or `secret_env`",
    );
    if let Some(hash) = &client.secret_hash {
        let sound = from_base64url(hash).is_some_and(|bytes| bytes.len() == 32);
        let text = "expected the unpadded base64url of a SHA-256 (43 characters)";
        problems.unless(sound, format!("{key}.secret_hash"), text);
    }
    if let Some(file) = &client.secret_file {
        problems.unless(!file.as_os_str().is_empty(), format!("{key}.secret_file"), "name the file");
    }
    if let Some(name) = &client.secret_env {
        let letters = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let sound = letters && !name.is_empty() && !name.starts_with(|first: char| first.is_ascii_digit());
        let text = "expected the name of an environment variable: letters, digits and underscores";
        problems.unless(sound, format!("{key}.secret_env"), text);
    }
}

fn grants(client: &Client, key: &str, problems: &mut Problems) {
    let granted = |grant| client.grant_types.as_ref().is_some_and(|grants| grants.contains(&grant));
    if let Some(grants) = &client.grant_types {
        problems.unless(
            !grants.is_empty() || !client.introspects.is_empty(),
            format!("{key}.grant_types"),
            "name at least one grant, or leave it out",
        );
    }
    // RFC 6749 §4.4: "The client credentials grant type MUST only be used by confidential clients."
    let text = "client_credentials is for clients with a secret only (RFC 6749 §4.4)";
    let sound = !(granted(GrantName::ClientCredentials) && is_public(client));
    problems.unless(sound, format!("{key}.grant_types"), text);

    let text =
        "the password grant also wants `allow_password_grant = true` (RFC 9700 §2.4 advises against both)";
    let sound = !granted(GrantName::Password) || client.allow_password_grant;
    problems.unless(sound, format!("{key}.grant_types"), text);

    // RFC 9700 §2.1.1: "Public clients MUST use PKCE".
    let text = "a client without a secret cannot do without PKCE (RFC 9700 §2.1.1)";
    let sound = !(client.require_pkce == Some(false) && is_public(client));
    problems.unless(sound, format!("{key}.require_pkce"), text);
}

fn addresses(client: &Client, key: &str, problems: &mut Problems) {
    let lists = [
        ("redirect_uris", &client.redirect_uris),
        ("post_logout_redirect_uris", &client.post_logout_redirect_uris),
    ];
    for (name, uris) in lists {
        for uri in uris {
            if let Some(why) = refused(uri) {
                problems.add(format!("{key}.{name}"), format!("{uri:?}: {why}"));
            }
        }
    }
    let by_code = match (&client.grant_types, client.profile) {
        (Some(grants), _) => grants.contains(&GrantName::AuthorizationCode),
        (None, profile) => {
            !matches!(profile, Some(ClientProfile::Service | ClientProfile::ResourceServer) | None)
        }
    };
    let key = format!("{key}.redirect_uris");
    if let Some(profile @ (ClientProfile::Service | ClientProfile::ResourceServer)) = client.profile {
        let text = format!("a {profile} has no browser to send back: remove it");
        problems.unless(client.redirect_uris.is_empty(), key, text);
    } else if by_code {
        problems.unless(!client.redirect_uris.is_empty(), key, "the code flow needs at least one");
    }
}

/// Why a redirect URI cannot be registered (RFC 6749 §3.1.2, RFC 9700 §2.1). The kinds of address that a profile may
/// have are decided where clients are made.
fn refused(uri: &str) -> Option<&'static str> {
    if uri.contains('*') {
        return Some("addresses are compared letter by letter: no wildcards");
    }
    if uri.contains('#') {
        return Some("no fragment (RFC 6749 §3.1.2)");
    }
    if uri.len() > 2_048 || !uri.bytes().all(|b| b.is_ascii_graphic()) {
        return Some("expected at most 2048 visible ASCII characters");
    }
    match Url::parse(uri) {
        Err(_) => Some("expected an absolute URI"),
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            Some("no user or password in it")
        }
        Ok(_) => None,
    }
}
