//! `countersign token …`: API tokens of users and service accounts.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::base::Seconds;
use crate::config::Config;
use crate::domain::api_token::{ApiToken, Owner, State, Wish};
use crate::domain::{RevocationReason, UserName};
use crate::flow::accounts::AccountFault;
use crate::flow::api_tokens::{self, NewToken};
use crate::oauth::{ClientId, Resource, ScopeToken};
use crate::store::{self, Store, users};

use super::output::{Failure, Output, note};
use super::setup::{Setup, entropy, now};
use super::span::span;

/// Tokens that one page of the list reads.
const PAGE: i64 = 500;

#[derive(Subcommand)]
pub(super) enum Command {
    /// List tokens, dead ones too until they are swept; never the tokens themselves, which nobody has but their owners.
    List {
        #[command(flatten)]
        owner: Whose,
    },
    /// Make a token. It is printed once, and stored as a hash.
    Add {
        #[command(flatten)]
        owner: Whose,
        /// What to call it.
        #[arg(long)]
        name: String,
        /// The resource server that it is for.
        #[arg(long, value_name = "URI")]
        resource: Resource,
        /// What it allows. May be given several times.
        #[arg(long = "scope", value_name = "SCOPE", required = true)]
        scopes: Vec<ScopeToken>,
        /// How long it lives, such as 30d. Left out: 90 days, or `tokens.api_token_max_ttl_s` where that is less.
        #[arg(long, value_name = "SPAN", value_parser = span)]
        expires_in: Option<Seconds>,
    },
    /// Revoke a token, by the id that `list` shows and that stands in the token itself.
    Revoke {
        /// The id, as `token list` shows it.
        id: String,
    },
}

/// Whose tokens.
#[derive(clap::Args)]
pub(super) struct Whose {
    /// A user's, by the name to sign in with.
    #[arg(long, value_name = "NAME", conflicts_with = "client")]
    user: Option<String>,
    /// A client's, as a service account.
    #[arg(long, value_name = "ID")]
    client: Option<ClientId>,
}

impl Whose {
    fn owner(self, store: &Store) -> Result<Option<Owner>, Failure> {
        if let Some(client) = self.client {
            return Ok(Some(Owner::Service(client)));
        }
        let Some(name) = self.user else { return Ok(None) };
        let canonical = UserName::canonical(&name);
        let user = store.read("find a user", |conn| users::by_name(conn, &canonical))?;
        let user = user.ok_or_else(|| Failure::new(AccountFault::Unknown))?;
        Ok(Some(Owner::User(user.id)))
    }
}

pub(super) fn run(setup: &Setup, output: &Output, command: Command) -> Result<(), Failure> {
    let (config, store) = setup.store()?;
    match command {
        Command::List { owner } => {
            let tokens = match owner.owner(&store)? {
                Some(owner) => store.read("API tokens", |conn| store::api_tokens::of_owner(conn, &owner))?,
                None => all(&store)?,
            };
            let (mut rows, mut json) = (Vec::new(), Vec::new());
            for token in &tokens {
                let owner = owner_name(&store, &token.owner)?;
                rows.push(row(token, &owner));
                json.push(as_json(token, &owner));
            }
            output.table(&["id", "owner", "name", "resource", "last used", "state"], &rows, &json!(json));
        }
        Command::Add { owner, name, resource, scopes, expires_in } => {
            let owner = owner.owner(&store)?;
            let owner = owner.ok_or_else(|| Failure::new("whose it is to be: --user NAME or --client ID"))?;
            let wish = Wish { name, resource, scope: scopes.into_iter().collect(), lives_for: expires_in };
            add(&config, &store, output, NewToken { owner, session: None, wish })?;
        }
        Command::Revoke { id } => {
            api_tokens::revoke(&store, &id, None, RevocationReason::Operator, now()).map_err(Failure::new)?;
            output.say(&[format!("token {id} revoked")], &json!({ "revoked": id }));
        }
    }
    Ok(())
}

fn add(config: &Config, store: &Store, output: &Output, new: NewToken) -> Result<(), Failure> {
    let longest = Seconds(i64::from(config.tokens.api_token_max_ttl_s));
    let made = api_tokens::make(store, new, longest, &*entropy(), now()).map_err(Failure::new)?;
    note("The token is shown this once: the database has its hash only.");
    let owner = owner_name(store, &made.stored.owner)?;
    let mut json = as_json(&made.stored, &owner);
    json["token"] = made.plain.reveal().into();
    let lines = [
        format!("id                {}", made.stored.id),
        format!("owner             {owner}"),
        format!("name              {}", made.stored.name),
        format!("resource          {}", made.stored.resource),
        format!("scope             {}", made.stored.scope),
        format!("expires           {}", made.stored.expires_at),
        format!("token             {}", made.plain.reveal()),
    ];
    output.say(&lines, &json);
    Ok(())
}

fn all(store: &Store) -> Result<Vec<ApiToken>, Failure> {
    let mut tokens: Vec<ApiToken> = Vec::new();
    loop {
        let after = tokens.last().map(|token| token.id.clone()).unwrap_or_default();
        let page = store.read("API tokens", |conn| store::api_tokens::page(conn, &after, PAGE))?;
        if page.is_empty() {
            return Ok(tokens);
        }
        tokens.extend(page);
    }
}

/// The name that a user signs in with, or the client's id.
fn owner_name(store: &Store, owner: &Owner) -> Result<String, Failure> {
    match owner {
        Owner::Service(id) => Ok(id.to_string()),
        Owner::User(id) => {
            let user = store.read("find a user", |conn| users::find(conn, *id))?;
            Ok(user.map_or_else(|| id.to_string(), |user| user.username.to_string()))
        }
    }
}

fn row(token: &ApiToken, owner: &str) -> Vec<String> {
    let state = match token.state(now()) {
        State::Alive(until) => format!("counts until {until}"),
        State::Expired(at) => format!("expired {at}"),
        State::Revoked(at, reason) => format!("revoked {at} ({})", reason.as_str()),
    };
    let last_used = token.last_used_at.map_or_else(|| "never".to_owned(), |at| at.to_string());
    let (name, resource) = (token.name.clone(), token.resource.to_string());
    vec![token.id.clone(), owner.to_owned(), name, resource, last_used, state]
}

fn as_json(token: &ApiToken, owner: &str) -> Value {
    let (user, client) = match &token.owner {
        Owner::User(id) => (Some(json!({ "username": owner, "sub": id })), None),
        Owner::Service(id) => (None, Some(id)),
    };
    json!({
        "id": token.id,
        "user": user,
        "client_id": client,
        "name": token.name,
        "resource": token.resource,
        "scope": token.scope,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
        "revoked_at": token.revoked.map(|(at, _)| at),
        "revoked_because": token.revoked.map(|(_, reason)| reason.as_str()),
    })
}
