//! What the configuration file declares, in the terms of `domain`.

mod openid;

use std::collections::BTreeSet;

use zeroize::Zeroizing;

use crate::base::{HashedToken, Seconds, Timestamp};
use crate::config::{self, Config};
use crate::domain::client::ClientDraft;
use crate::domain::resource_server::TokenFormat;
use crate::domain::{CustomClaims, ExchangeRule};
use crate::domain::{Problem, Profile, ResourceServer, Role, ScopeDefinition};
use crate::flow::declare::Declared;
use crate::flow::token_format::{self, Wanted};
use crate::oauth::{GrantType, Scope};

/// Reads the declarations, with every problem at once.
///
/// # Errors
/// The name of the thing and what is wrong with it.
pub fn declared(config: &Config, now: Timestamp) -> Result<Declared, Vec<(String, Problem)>> {
    let mut declared = Declared::default();
    let mut problems = Vec::new();
    for role in &config.roles {
        declared.roles.push(Role {
            name: role.name.clone(),
            description: role.description.clone().unwrap_or_default(),
            declared: true,
            created_at: now,
        });
    }
    for server in &config.resource_servers {
        match resource_server(server, now) {
            Ok(server) => declared.resource_servers.push(server),
            Err(problem) => problems.push((format!("resource server {}", server.id), problem)),
        }
    }
    for client in &config.clients {
        match (draft(client), secret(client)) {
            (Ok(draft), Ok(secret)) => declared.clients.push((draft, secret)),
            (draft, secret) => {
                let found = draft.err().into_iter().chain(secret.err());
                problems.extend(found.map(|problem| (format!("client {}", client.id), problem)));
            }
        }
    }
    if problems.is_empty() { Ok(declared) } else { Err(problems) }
}

fn seconds(value: u32) -> Seconds {
    Seconds(i64::from(value))
}

fn resource_server(server: &config::ResourceServer, now: Timestamp) -> Result<ResourceServer, Problem> {
    let scopes = server.scopes.iter().map(|scope| {
        let name = scope.name.parse().map_err(|e: String| Problem::new("scopes", e))?;
        Ok(ScopeDefinition { name, description: scope.description.clone() })
    });
    let algorithm = server.signing_algorithm.map(|name| name.as_str().parse()).transpose();
    Ok(ResourceServer {
        id: server.id.parse().map_err(|e: String| Problem::new("id", e))?,
        name: server.name.clone().unwrap_or_else(|| server.id.clone()),
        scopes: scopes.collect::<Result<_, Problem>>()?,
        access_token_ttl: server.access_token_ttl_s.map(seconds),
        allow_long_access_tokens: server.allow_long_access_tokens,
        signing_algorithm: algorithm.map_err(|e| Problem::new("signing_algorithm", format!("{e}")))?,
        include_roles: server.include_roles,
        user_api_tokens: server.user_api_tokens,
        declared: true,
        created_at: now,
        token_format: token_format(server)?,
        claims: custom_claims(&server.claims)?,
    })
}

fn token_format(server: &config::ResourceServer) -> Result<TokenFormat, Problem> {
    let key = match &server.encryption_key_file {
        Some(path) => {
            let read = std::fs::read_to_string(path);
            Some(read.map_err(|e| Problem::new("encryption_key_file", format!("{}: {e}", path.display())))?)
        }
        None => server.encryption_key.clone(),
    };
    let alg = server.encryption_alg.as_deref().map(str::parse).transpose();
    let enc = server.encryption_enc.as_deref().map(str::parse).transpose();
    let wanted = Wanted {
        format: Some(server.token_format.to_string()),
        key,
        alg: alg.map_err(|e: String| Problem::new("encryption_alg", e))?,
        enc: enc.map_err(|e: String| Problem::new("encryption_enc", e))?,
    };
    token_format::changed(&TokenFormat::Jwt, wanted)
}

fn draft(client: &config::Client) -> Result<ClientDraft, Problem> {
    let Some(profile) = client.profile else {
        return Err(Problem::new(
            "profile",
            "one of spa, web, native, service, first-party, resource-server",
        ));
    };
    let profile: Profile = profile.as_str().parse().map_err(|e: String| Problem::new("profile", e))?;
    let id = client.id.parse().map_err(|e: String| Problem::new("id", e))?;
    let name = client.name.clone().unwrap_or_else(|| client.id.clone());
    let mut draft = ClientDraft::with_defaults(id, name, profile);
    if let Some(grants) = &client.grant_types {
        let grants: Result<BTreeSet<GrantType>, String> =
            grants.iter().map(|grant| grant.as_str().parse()).collect();
        draft.grant_types = grants.map_err(|e| Problem::new("grant_types", e))?;
    }
    if client.allow_password_grant {
        draft.grant_types.insert(GrantType::Password);
    }
    draft.redirect_uris = parsed(&client.redirect_uris, "redirect_uris")?;
    draft.post_logout_redirect_uris = parsed(&client.post_logout_redirect_uris, "post_logout_redirect_uris")?;
    draft.origins = parsed(&client.origins, "origins")?;
    draft.resources = parsed(&client.resources, "resources")?;
    draft.introspects = parsed(&client.introspects, "introspects")?;
    for rule in &client.exchange {
        let from = parsed(std::slice::from_ref(&rule.from), "exchange")?;
        let to = parsed(&rule.to, "exchange")?;
        draft.exchange.extend(from.into_iter().map(|from| ExchangeRule { from, to: to.clone() }));
    }
    let own: Scope = client.scopes.join(" ").parse().map_err(|e| Problem::new("scopes", e))?;
    draft.scope = draft.scope.union(&own);
    if let Some(skip) = client.skip_consent.or(client.first_party) {
        draft.skip_consent = skip;
    }
    draft.openid = openid::settings(client)?;
    draft.openid.claims = custom_claims(&client.claims)?;
    if let Some(require) = client.require_pkce {
        draft.require_pkce = require;
    }
    draft.access_token_ttl = client.access_token_ttl_s.map(seconds);
    draft.allow_long_access_tokens = client.allow_long_access_tokens;
    draft.refresh_token_ttl = client.refresh_token_ttl_s.map(seconds);
    draft.refresh_token_idle_ttl = client.refresh_token_idle_ttl_s.map(seconds);
    draft.refresh_reuse_grace = client.refresh_reuse_grace_s.map(seconds);
    Ok(draft)
}

fn custom_claims(table: &config::ClaimTable) -> Result<CustomClaims, Problem> {
    let mut claims = CustomClaims::default();
    for (name, source) in &table.0 {
        let source = source.parse().map_err(|e: String| Problem::new("claims", format!("{name}: {e}")))?;
        claims.set(name.clone(), source);
    }
    Ok(claims)
}

fn parsed<T: std::str::FromStr<Err = String>>(
    texts: &[String],
    field: &'static str,
) -> Result<Vec<T>, Problem> {
    texts.iter().map(|text| text.parse().map_err(|e| Problem::new(field, format!("{text}: {e}")))).collect()
}

/// A declared secret never stands in the file itself: its hash does, or where to find it.
fn secret(client: &config::Client) -> Result<Option<HashedToken>, Problem> {
    if let Some(hash) = &client.secret_hash {
        let sound = crate::base::encoding::from_base64url(hash).is_some_and(|bytes| bytes.len() == 32);
        if !sound {
            return Err(Problem::new(
                "secret_hash",
                "the base64url form of a SHA-256: countersign client hash-secret",
            ));
        }
        return Ok(Some(HashedToken::from_stored(hash.clone())));
    }
    Ok(plain_secret(client)?.map(|plain| HashedToken::of(&plain)))
}

/// The secret itself, where the file says where to find it.
pub(super) fn plain_secret(client: &config::Client) -> Result<Option<Zeroizing<String>>, Problem> {
    let plain = if let Some(path) = &client.secret_file {
        let text = std::fs::read_to_string(path)
            .map_err(|e| Problem::new("secret_file", format!("{}: {e}", path.display())))?;
        Zeroizing::new(text)
    } else if let Some(variable) = &client.secret_env {
        let text = std::env::var(variable)
            .map_err(|_| Problem::new("secret_env", format!("the variable {variable} is not set")))?;
        Zeroizing::new(text)
    } else {
        return Ok(None);
    };
    let plain = Zeroizing::new(plain.trim().to_owned());
    // It is hashed with one SHA-256, which is right for machine-made secrets only.
    if plain.len() < 32 || plain.len() > 1024 || plain.chars().any(char::is_control) {
        return Err(Problem::new(
            "secret",
            "a client secret has 32 to 1024 characters; let a machine make it",
        ));
    }
    Ok(Some(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_wants_a_secret_in_the_configuration_exactly_where_the_domain_calls_it_confidential() {
        for name in config::ClientProfile::ALL {
            let mut config = Config::default();
            config.clients.push(config::Client {
                id: "app".to_owned(),
                profile: Some(*name),
                ..Default::default()
            });
            let wanted = config.validate().iter().any(|problem| problem.text.contains("needs one of"));
            let profile: Profile = name.as_str().parse().unwrap();
            assert_eq!(wanted, profile.is_confidential(), "{name}");
        }
    }
}
