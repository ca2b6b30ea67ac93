//! `countersign client …`: applications that get tokens.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::base::{Id, Seconds};
use crate::domain::client::ClientDraft;
use crate::domain::client::openid::SubjectType;
use crate::domain::{Client, ExchangeRule, Profile};
use crate::flow::registry;
use crate::oauth::{ClientId, GrantType, Origin, RedirectUri, Resource, Scope};
use crate::store::clients;

use super::client_openid::{self, OpenIdFields};
use super::client_said::{self, SaidFields};
use super::output::{Failure, Output, listed, note};
use super::person::ClaimRule;
use super::secrets;
use super::setup::{Setup, entropy, now};
use super::span::span;

#[derive(Subcommand)]
pub(super) enum Command {
    /// List all clients.
    List,
    /// Show one client.
    Show {
        /// The client_id.
        id: ClientId,
    },
    /// Register a client. Its profile sets safe defaults; a generated secret is shown once.
    Add {
        /// The kind of application: spa, web, native, service, first-party or resource-server.
        #[arg(long)]
        profile: Profile,
        /// The client_id. Left out: a random one.
        #[arg(long)]
        id: Option<ClientId>,
        #[command(flatten)]
        fields: Box<Fields>,
    },
    /// Change a client; a list that is named replaces the former one.
    Edit {
        /// The client_id.
        id: ClientId,
        #[command(flatten)]
        fields: Box<Fields>,
    },
    /// Switch a client off: it gets nothing more until it is enabled again.
    Disable {
        /// The client_id.
        id: ClientId,
    },
    /// Switch a client on again.
    Enable {
        /// The client_id.
        id: ClientId,
    },
    /// Delete a client with its secrets, consents and refresh tokens.
    Delete {
        /// The client_id.
        id: ClientId,
    },
    /// A client's secrets.
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Read a secret from standard input (or make one) and print the `secret_hash` for the configuration file.
    HashSecret {
        /// Make a secret, and print it too.
        #[arg(long)]
        generate: bool,
    },
}

#[derive(Subcommand)]
pub(super) enum SecretCommand {
    /// List a client's secrets, without the secrets themselves.
    List {
        /// The client_id.
        client: ClientId,
    },
    /// Make a further secret; it is shown once.
    Add {
        /// The client_id.
        client: ClientId,
        /// When the new secret ends: a number with s, m, h or d behind it, such as 90d. Left out: never.
        #[arg(long, value_name = "SPAN", value_parser = span)]
        expires_in: Option<Seconds>,
        /// When the secrets that there are end: the time in which the client changes over, such as 24h.
        #[arg(long, value_name = "SPAN", value_parser = span)]
        others_end_in: Option<Seconds>,
    },
    /// Let a secret end.
    End {
        /// The client_id.
        client: ClientId,
        /// As `list` shows it.
        secret: Id,
        /// How long from now, such as 24h. Left out: now.
        #[arg(long = "in", value_name = "SPAN", value_parser = span)]
        ends_in: Option<Seconds>,
    },
}

/// What can be said of a client at its creation and later.
#[derive(clap::Args)]
pub(super) struct Fields {
    /// The name that people see.
    #[arg(long)]
    name: Option<String>,
    /// Where codes may be sent; compared character by character. May be given several times.
    #[arg(long = "redirect-uri", value_name = "URI")]
    redirect_uris: Option<Vec<RedirectUri>>,
    /// Where the browser may go after a logout. May be given several times.
    #[arg(long = "post-logout-redirect-uri", value_name = "URI")]
    post_logout_redirect_uris: Option<Vec<RedirectUri>>,
    /// An origin of its web pages beside those of its redirect URIs. May be given several times.
    #[arg(long = "origin", value_name = "ORIGIN")]
    origins: Option<Vec<Origin>>,
    /// The scope that it may ask for: values parted by blanks. Those of OpenID Connect come with the profile.
    #[arg(long, value_name = "SCOPE")]
    scope: Option<Scope>,
    /// A resource server that it may ask tokens for. May be given several times.
    #[arg(long = "resource", value_name = "ID")]
    resources: Option<Vec<Resource>>,
    /// A resource server that it speaks for: it may introspect tokens for it. May be given several times.
    #[arg(long = "introspects", value_name = "ID")]
    introspects: Option<Vec<Resource>>,
    /// That it may exchange tokens for one resource server for tokens for another. May be given several times.
    #[arg(long = "exchange", value_name = "FROM=TO")]
    exchange: Option<Vec<ExchangeRule>>,
    /// A grant that it may use. May be given several times.
    #[arg(long = "grant", value_name = "GRANT")]
    grants: Option<Vec<GrantType>>,
    /// Marks it for the password grant, which RFC 9700 §2.4 forbids to new applications.
    #[arg(long)]
    allow_password_grant: bool,
    /// A custom claim of its ID tokens and userinfo answers, from attribute:NAME (of the user), claim:NAME, roles, roles:PREFIX,
    /// value:TEXT or json:JSON. May be given several times; replaces the former ones.
    #[arg(long = "claim", value_name = "NAME=SOURCE")]
    claims: Option<Vec<ClaimRule>>,
    /// public, or pairwise: it knows users by a sub of its own.
    #[arg(long, value_name = "TYPE")]
    subject_type: Option<SubjectType>,
    /// The https address whose host is its sector, where it is pairwise and has redirect URIs on several hosts; empty: none.
    #[arg(long, value_name = "URI")]
    sector_identifier_uri: Option<String>,
    /// Whether the consent page is left out.
    #[arg(long, value_name = "BOOL")]
    skip_consent: Option<bool>,
    /// Whether it must use PKCE; public clients always must.
    #[arg(long, value_name = "BOOL")]
    require_pkce: Option<bool>,
    /// The life of its access tokens, in seconds.
    #[arg(long, value_name = "SECONDS")]
    access_token_ttl_s: Option<u32>,
    /// Lets the life of its access tokens be above an hour.
    #[arg(long, value_name = "BOOL")]
    allow_long_access_tokens: Option<bool>,
    /// The life of its refresh tokens from the login on, in seconds.
    #[arg(long, value_name = "SECONDS")]
    refresh_token_ttl_s: Option<u32>,
    /// How long a refresh token may lie unused, in seconds.
    #[arg(long, value_name = "SECONDS")]
    refresh_token_idle_ttl_s: Option<u32>,
    /// How long a used refresh token still gets the same successor, in seconds; 0: not at all.
    #[arg(long, value_name = "SECONDS")]
    refresh_reuse_grace_s: Option<u32>,
    #[command(flatten)]
    openid: OpenIdFields,
    #[command(flatten)]
    said: SaidFields,
}

impl Fields {
    fn apply(self, draft: &mut ClientDraft) -> Result<(), Failure> {
        fn set<T>(field: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *field = value;
            }
        }
        let seconds = |value: Option<u32>| value.map(|value| Some(Seconds(i64::from(value))));
        set(&mut draft.name, self.name);
        set(&mut draft.redirect_uris, self.redirect_uris);
        set(&mut draft.post_logout_redirect_uris, self.post_logout_redirect_uris);
        set(&mut draft.origins, self.origins);
        set(&mut draft.resources, self.resources);
        set(&mut draft.introspects, self.introspects);
        set(&mut draft.exchange, self.exchange.map(one_rule_each));
        let marked = self.allow_password_grant || draft.grant_types.contains(&GrantType::Password);
        set(&mut draft.grant_types, self.grants.map(|grants| grants.into_iter().collect()));
        if draft.grant_types.contains(&GrantType::Password) && !marked {
            return Err(Failure::new("grant_types: the password grant also wants --allow-password-grant"));
        }
        if let Some(scope) = self.scope {
            let identity: Scope = draft.profile.default_scope().parse().unwrap_or_default();
            draft.scope = identity.union(&scope);
        }
        if self.allow_password_grant {
            draft.grant_types.insert(GrantType::Password);
        }
        set(&mut draft.openid.claims, self.claims.map(ClaimRule::table));
        set(&mut draft.openid.subject_type, self.subject_type);
        if let Some(uri) = self.sector_identifier_uri {
            draft.openid.sector_identifier_uri = Some(uri).filter(|uri| !uri.is_empty());
        }
        set(&mut draft.skip_consent, self.skip_consent);
        set(&mut draft.require_pkce, self.require_pkce);
        set(&mut draft.access_token_ttl, seconds(self.access_token_ttl_s));
        set(&mut draft.allow_long_access_tokens, self.allow_long_access_tokens);
        set(&mut draft.refresh_token_ttl, seconds(self.refresh_token_ttl_s));
        set(&mut draft.refresh_token_idle_ttl, seconds(self.refresh_token_idle_ttl_s));
        set(&mut draft.refresh_reuse_grace, seconds(self.refresh_reuse_grace_s));
        self.said.apply(&mut draft.openid)?;
        self.openid.apply(&mut draft.openid)
    }
}

/// One rule for each audience that is exchanged.
fn one_rule_each(given: Vec<ExchangeRule>) -> Vec<ExchangeRule> {
    let mut rules: Vec<ExchangeRule> = Vec::new();
    for rule in given {
        match rules.iter_mut().find(|known| known.from == rule.from) {
            Some(known) => known.to.extend(rule.to),
            None => rules.push(rule),
        }
    }
    rules
}

pub(super) fn run(setup: &Setup, output: &Output, command: Command) -> Result<(), Failure> {
    if let Command::HashSecret { generate } = command {
        return secrets::hash(output, generate);
    }
    let (config, store) = setup.store()?;
    // What is wrong with declarations is for `check` and `serve` to say.
    let declared = crate::app::declared(&config, now()).unwrap_or_default();
    match command {
        Command::List => {
            let all = store.read("clients", clients::all)?;
            let rows: Vec<Vec<String>> = all.iter().map(row).collect();
            let json: Vec<Value> = all.iter().map(as_json).collect();
            output.table(&["id", "name", "profile", "grants", "state"], &rows, &json!(json));
            let is_new = |id: &ClientId| !all.iter().any(|client| client.id == *id);
            let waiting = declared.clients.iter().filter(|(draft, _)| is_new(&draft.id)).count();
            if waiting > 0 {
                note(format!(
                    "{waiting} more in the configuration file: the next start of the server makes them."
                ));
            }
        }
        Command::Show { id } => {
            let wanted = id.clone();
            let found = store.read("find a client", move |conn| clients::find(conn, &wanted))?;
            let client = found.ok_or_else(|| Failure::new(format!("there is no client {id}")))?;
            output.say(&lines(&client), &as_json(&client));
        }
        Command::Add { profile, id, fields } => {
            let id = match id {
                Some(id) => id,
                None => random_id()?,
            };
            if declared.clients.iter().any(|(draft, _)| draft.id == id) {
                return Err(Failure::new(format!(
                    "client {id} is declared in the configuration file: the next start of the server makes it"
                )));
            }
            let mut draft = ClientDraft::with_defaults(id.clone(), id.to_string(), profile);
            fields.apply(&mut draft)?;
            let sealer = secrets::sealer_for(&draft, &config, &store)?;
            let servers = &declared.resource_servers;
            let (client, secret) =
                registry::add_client(&store, draft, servers, sealer.as_ref(), &*entropy(), now())
                    .map_err(Failure::new)?;
            if client.resources.is_empty() && client.profile == Profile::Service {
                note("It can get no token yet: it has no resource server. Name one with --resource.");
            }
            let mut said = lines(&client);
            let mut json = as_json(&client);
            if let Some(secret) = secret {
                json["client_secret"] = secret.reveal().into();
                said.push(format!("client_secret     {}", secret.reveal()));
                note(secrets::shown_once(&client));
            }
            output.say(&said, &json);
        }
        Command::Edit { id, fields } => {
            let before = registry::own_client(&store, &id).map_err(Failure::new)?;
            let mut draft = before.to_draft();
            fields.apply(&mut draft)?;
            let client = registry::change_client(&store, &before, draft, &declared.resource_servers)
                .map_err(Failure::new)?;
            if registry::keeps_sealed(&client) && !registry::keeps_sealed(&before) {
                note("The secrets from before authenticate no assertion: make one with `client secret add`.");
            }
            output.say(&lines(&client), &as_json(&client));
        }
        Command::Disable { id } => switched(output, registry::switch_client(&store, &id, Some(now())))?,
        Command::Enable { id } => switched(output, registry::switch_client(&store, &id, None))?,
        Command::Delete { id } => {
            registry::delete_client(&store, &id).map_err(Failure::new)?;
            output.say(&[format!("client {id} deleted")], &json!({ "deleted": id }));
        }
        Command::Secret(command) => secrets::run(&config, &store, output, command)?,
        Command::HashSecret { .. } => {}
    }
    Ok(())
}

fn switched(output: &Output, done: Result<Client, registry::RegistryFault>) -> Result<(), Failure> {
    let client = done.map_err(Failure::new)?;
    output.say(&[format!("client {} is {}", client.id, state(&client))], &as_json(&client));
    Ok(())
}

fn random_id() -> Result<ClientId, Failure> {
    let id = Id::random(&*entropy()).map_err(Failure::new)?;
    id.to_string().parse().map_err(Failure::new)
}

fn state(client: &Client) -> &'static str {
    match (client.disabled_at, client.declared) {
        (Some(_), _) => "disabled",
        (None, true) => "declared",
        (None, false) => "enabled",
    }
}

fn row(client: &Client) -> Vec<String> {
    vec![
        client.id.to_string(),
        client.name.clone(),
        client.profile.to_string(),
        listed(&client.grant_types),
        state(client).to_owned(),
    ]
}

fn lines(client: &Client) -> Vec<String> {
    let mut lines = vec![
        format!("client_id         {}", client.id),
        format!("name              {}", client.name),
        format!("profile           {}", client.profile),
        format!("state             {}", state(client)),
        format!("grants            {}", listed(&client.grant_types)),
        format!("scope             {}", client.scope),
    ];
    let mut each = |title: &str, values: Vec<String>| {
        lines.extend(values.iter().map(|value| format!("{title:<17} {value}")));
    };
    each("resource", client.resources.iter().map(ToString::to_string).collect());
    each("introspects", client.introspects.iter().map(ToString::to_string).collect());
    let exchange = client.exchange.iter().map(|rule| format!("{} for {}", rule.from, listed(&rule.to)));
    each("exchanges", exchange.collect());
    each("redirect_uri", client.redirect_uris.iter().map(ToString::to_string).collect());
    each("after logout", client.post_logout_redirect_uris.iter().map(ToString::to_string).collect());
    each("origin", client.origins.iter().map(ToString::to_string).collect());
    each("claim", client.openid.claims.iter().map(|(name, source)| format!("{name} = {source}")).collect());
    if client.openid.subject_type == SubjectType::Pairwise {
        each("subjects", vec!["pairwise".to_owned()]);
        each("sector", client.openid.sector_identifier_uri.iter().cloned().collect());
    }
    for (title, span) in [
        ("access token", client.access_token_ttl),
        ("refresh token", client.refresh_token_ttl),
        ("refresh idle", client.refresh_token_idle_ttl),
        ("refresh grace", client.refresh_reuse_grace),
    ] {
        each(title, span.iter().map(|span| format!("{} s", span.0)).collect());
    }
    lines.extend(client_openid::lines(&client.openid));
    lines.extend(client_said::lines(&client.openid));
    if client.may(GrantType::AuthorizationCode) {
        lines.push(format!(
            "consent           {}",
            if client.skip_consent { "left out" } else { "asked for" }
        ));
        lines
            .push(format!("pkce              {}", if client.needs_pkce() { "required" } else { "optional" }));
    }
    lines
}

fn as_json(client: &Client) -> Value {
    json!({
        "client_id": client.id,
        "name": client.name,
        "profile": client.profile,
        "declared": client.declared,
        "disabled_at": client.disabled_at,
        "created_at": client.created_at,
        "grant_types": client.grant_types,
        "redirect_uris": client.redirect_uris,
        "post_logout_redirect_uris": client.post_logout_redirect_uris,
        "origins": client.origins.iter().map(Origin::as_str).collect::<Vec<_>>(),
        "scope": client.scope,
        "resources": client.resources,
        "introspects": client.introspects,
        "exchange": client.exchange,
        "claims": client.openid.claims,
        "subject_type": client.openid.subject_type,
        "skip_consent": client.skip_consent,
        "require_pkce": client.needs_pkce(),
        "access_token_ttl_s": client.access_token_ttl,
        "allow_long_access_tokens": client.allow_long_access_tokens,
        "refresh_token_ttl_s": client.refresh_token_ttl,
        "refresh_token_idle_ttl_s": client.refresh_token_idle_ttl,
        "refresh_reuse_grace_s": client.refresh_reuse_grace,
        "openid": client.openid,
    })
}
