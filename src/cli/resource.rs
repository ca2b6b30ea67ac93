//! `countersign resource …`: APIs that take tokens, and the scopes that they own.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Subcommand;
use serde_json::{Value, json};

use crate::base::Seconds;
use crate::domain::resource_server::TokenFormat;
use crate::domain::{CustomClaims, ResourceServer, ScopeDefinition};
use crate::flow::registry;
use crate::flow::token_format::{self, Wanted};
use crate::oauth::Resource;
use crate::oauth::algorithm::{ContentEncryption, KeyManagement, SigningAlgorithm};
use crate::store::{Store, StoreError, clients, resource_servers, revision};

use super::output::{Failure, Output, listed, note};
use super::person::ClaimRule;
use super::setup::{Setup, now};

#[derive(Subcommand)]
pub(super) enum Command {
    /// List all resource servers.
    List,
    /// Show one resource server.
    Show {
        /// The identifier: what stands in `aud`.
        id: Resource,
    },
    /// Register a resource server.
    Add {
        /// Its identifier, an absolute URI: the `resource` of requests, the `aud` of tokens.
        id: Resource,
        #[command(flatten)]
        fields: Fields,
    },
    /// Change a resource server; scopes that are named replace the former ones.
    Edit {
        /// The identifier: what stands in `aud`.
        id: Resource,
        #[command(flatten)]
        fields: Fields,
    },
    /// Delete a resource server: nobody gets tokens for it any more.
    Delete {
        /// The identifier: what stands in `aud`.
        id: Resource,
    },
}

/// What can be said of a resource server.
#[derive(clap::Args)]
pub(super) struct Fields {
    /// The name that people see.
    #[arg(long)]
    name: Option<String>,
    /// A scope and what it allows, for the consent page: "notes:read=Read your notes". May be given several times.
    #[arg(long = "scope", value_name = "NAME=WORDS")]
    scopes: Option<Vec<NamedScope>>,
    /// The life of access tokens for it, in seconds.
    #[arg(long, value_name = "SECONDS")]
    access_token_ttl_s: Option<u32>,
    /// Lets that life be above an hour.
    #[arg(long, value_name = "BOOL")]
    allow_long_access_tokens: Option<bool>,
    /// What signs its access tokens: ES256, RS256, PS256, ES384, ES512 or EdDSA.
    #[arg(long, value_name = "ALGORITHM")]
    signing_algorithm: Option<SigningAlgorithm>,
    /// Whether a user's roles go into its access tokens.
    #[arg(long, value_name = "BOOL")]
    include_roles: Option<bool>,
    /// A custom claim of its access tokens, from attribute:NAME (of the user), claim:NAME, roles, roles:PREFIX, value:TEXT or json:JSON.
    /// May be given several times; replaces the former ones.
    #[arg(long = "claim", value_name = "NAME=SOURCE")]
    claims: Option<Vec<ClaimRule>>,
    /// Whether users may make API tokens for it on their own page, each with any of its scopes.
    #[arg(long, value_name = "BOOL")]
    user_api_tokens: Option<bool>,
    /// What its access tokens look like: jwt (signed), opaque (it asks this server), jwe (signed, then encrypted to it).
    #[arg(long, value_name = "FORMAT")]
    token_format: Option<String>,
    /// For jwe: a file that holds its public key, as a JWK or PEM.
    #[arg(long, value_name = "FILE")]
    encryption_key: Option<PathBuf>,
    /// For jwe: RSA-OAEP-256, ECDH-ES or ECDH-ES+A256KW. Left out with a new key: what fits it.
    #[arg(long, value_name = "ALGORITHM")]
    encryption_alg: Option<KeyManagement>,
    /// For jwe: A256GCM, A128GCM, A256CBC-HS512 or A128CBC-HS256. Left out: A256GCM.
    #[arg(long, value_name = "ALGORITHM")]
    encryption_enc: Option<ContentEncryption>,
}

#[derive(Clone)]
struct NamedScope(ScopeDefinition);

impl FromStr for NamedScope {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, description) = text.split_once('=').unwrap_or((text, ""));
        Ok(Self(ScopeDefinition { name: name.parse()?, description: description.to_owned() }))
    }
}

impl Fields {
    fn apply(self, server: &mut ResourceServer) -> Result<(), Failure> {
        if let Some(name) = self.name {
            server.name = name;
        }
        if let Some(scopes) = self.scopes {
            server.scopes = scopes.into_iter().map(|scope| scope.0).collect();
        }
        if let Some(ttl) = self.access_token_ttl_s {
            server.access_token_ttl = Some(Seconds(i64::from(ttl)));
        }
        if let Some(allow) = self.allow_long_access_tokens {
            server.allow_long_access_tokens = allow;
        }
        server.signing_algorithm = self.signing_algorithm.or(server.signing_algorithm);
        if let Some(include) = self.include_roles {
            server.include_roles = include;
        }
        if let Some(claims) = self.claims {
            server.claims = ClaimRule::table(claims);
        }
        if let Some(may) = self.user_api_tokens {
            server.user_api_tokens = may;
        }
        let key = self.encryption_key.map(|path| {
            std::fs::read_to_string(&path).map_err(|e| Failure::new(format!("{}: {e}", path.display())))
        });
        let wanted = Wanted {
            format: self.token_format,
            key: key.transpose()?,
            alg: self.encryption_alg,
            enc: self.encryption_enc,
        };
        server.token_format = token_format::changed(&server.token_format, wanted)
            .map_err(|problem| Failure::problems(&[problem]))?;
        Ok(())
    }
}

pub(super) fn run(setup: &Setup, output: &Output, command: Command) -> Result<(), Failure> {
    let (config, store) = setup.store()?;
    let has_keys = |algorithm: SigningAlgorithm| {
        config.keys.algorithms.iter().any(|name| name.as_str() == algorithm.as_str())
    };
    let checked = |server: ResourceServer| {
        if let Some(algorithm) = server.signing_algorithm.filter(|algorithm| !has_keys(*algorithm)) {
            return Err(Failure::new(format!(
                "signing_algorithm: there are no keys for {algorithm}: add it to keys.algorithms first"
            )));
        }
        token_format::checked(server).map_err(|problems| Failure::problems(&problems))
    };
    match command {
        Command::List => {
            let all = store.read("resource servers", resource_servers::all)?;
            let rows: Vec<Vec<String>> = all.iter().map(row).collect();
            let json: Vec<Value> = all.iter().map(as_json).collect();
            output.table(&["id", "name", "scopes", "state"], &rows, &json!(json));
        }
        Command::Show { id } => {
            let server = find(&store, &id)?;
            output.say(&lines(&server), &as_json(&server));
        }
        Command::Add { id, fields } => {
            let mut server = ResourceServer {
                name: id.to_string(),
                id,
                scopes: Vec::new(),
                access_token_ttl: None,
                allow_long_access_tokens: false,
                signing_algorithm: None,
                include_roles: false,
                user_api_tokens: false,
                declared: false,
                created_at: now(),
                token_format: TokenFormat::default(),
                claims: CustomClaims::default(),
            };
            fields.apply(&mut server)?;
            let server = checked(server)?;
            let stored = server.clone();
            store
                .write("add a resource server", move |conn| resource_servers::insert(conn, &stored))
                .map_err(|error| match error {
                    StoreError::Conflict => Failure::new("there is a resource server of this id already"),
                    other => other.into(),
                })?;
            output.say(&lines(&server), &as_json(&server));
        }
        Command::Edit { id, fields } => {
            let before = own(&store, &id)?;
            let mut server = before.clone();
            fields.apply(&mut server)?;
            let server = checked(server)?;
            let stored = server.clone();
            let is_done = store.write("change a resource server", move |conn| {
                revision::lock(conn)?;
                if !resource_servers::all(conn)?.contains(&before) {
                    return Ok(false);
                }
                resource_servers::update(conn, &stored)
            })?;
            if !is_done {
                return Err(Failure::new(registry::RegistryFault::Changed));
            }
            output.say(&lines(&server), &as_json(&server));
            tell_dangling(&store, &server.id)?;
        }
        Command::Delete { id } => {
            own(&store, &id)?;
            let gone = id.clone();
            store.write("delete a resource server", move |conn| resource_servers::delete(conn, &gone))?;
            output.say(&[format!("resource server {id} deleted")], &json!({ "deleted": id }));
            tell_dangling(&store, &id)?;
        }
    }
    Ok(())
}

fn find(store: &Store, id: &Resource) -> Result<ResourceServer, Failure> {
    let all = store.read("resource servers", resource_servers::all)?;
    all.into_iter()
        .find(|server| server.id == *id)
        .ok_or_else(|| Failure::new(format!("there is no resource server {id}")))
}

/// One that the command line may change.
fn own(store: &Store, id: &Resource) -> Result<ResourceServer, Failure> {
    let server = find(store, id)?;
    if server.declared {
        return Err(Failure::new(
            "it is declared in the configuration file: change it there and restart the server",
        ));
    }
    Ok(server)
}

/// Clients of `id` that name what is there no more.
fn tell_dangling(store: &Store, id: &Resource) -> Result<(), Failure> {
    let servers = store.read("resource servers", resource_servers::all)?;
    for client in store.read("clients", clients::all)?.iter().filter(|client| client.resources.contains(id)) {
        for problem in registry::dangling(client, &servers) {
            note(format!("warning: client {}: {problem}", client.id));
        }
    }
    Ok(())
}

fn row(server: &ResourceServer) -> Vec<String> {
    vec![
        server.id.to_string(),
        server.name.clone(),
        listed(server.scopes.iter().map(|scope| &scope.name)),
        if server.declared { "declared" } else { "" }.to_owned(),
    ]
}

fn lines(server: &ResourceServer) -> Vec<String> {
    let mut lines =
        vec![format!("id                {}", server.id), format!("name              {}", server.name)];
    lines.extend(server.scopes.iter().map(|s| format!("scope             {}  {}", s.name, s.description)));
    lines.extend(server.access_token_ttl.iter().map(|ttl| format!("access token      {} s", ttl.0)));
    lines.extend(server.signing_algorithm.iter().map(|alg| format!("signed with       {alg}")));
    lines.push(format!("token format      {}", server.token_format.as_str()));
    if let Some(encryption) = server.token_format.encryption() {
        let kid = encryption.jwk.get("kid").and_then(Value::as_str).unwrap_or_default();
        lines.push(format!("encrypted with    {} {}, to the key {kid}", encryption.alg, encryption.enc));
    }
    let makers = if server.user_api_tokens { "users and operators" } else { "operators" };
    lines.push(format!("API tokens        made by {makers}"));
    lines.push(format!("roles             {}", if server.include_roles { "included" } else { "left out" }));
    lines.extend(server.claims.iter().map(|(name, source)| format!("claim             {name} = {source}")));
    lines
}

fn as_json(server: &ResourceServer) -> Value {
    json!({
        "id": server.id,
        "name": server.name,
        "scopes": server.scopes,
        "access_token_ttl_s": server.access_token_ttl,
        "allow_long_access_tokens": server.allow_long_access_tokens,
        "signing_algorithm": server.signing_algorithm,
        "include_roles": server.include_roles,
        "claims": server.claims,
        "user_api_tokens": server.user_api_tokens,
        "token_format": server.token_format.as_str(),
        "encryption": server.token_format.encryption(),
        "declared": server.declared,
        "created_at": server.created_at,
    })
}
