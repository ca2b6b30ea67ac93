//! `countersign registration …`: the tokens that let clients register themselves.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::base::Seconds;
use crate::config::RegistrationMode;
use crate::domain::InitialAccessToken;
use crate::domain::registration::{INITIAL_LIFE, InitialWish};
use crate::flow::registration;
use crate::store::initial_access_tokens;

use super::output::{Failure, Output, note};
use super::setup::{Setup, entropy, now};
use super::span::span;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Initial access tokens: whoever has one may register a client.
    #[command(subcommand)]
    Token(TokenCommand),
}

#[derive(Subcommand)]
pub(super) enum TokenCommand {
    /// List the tokens, without the tokens themselves.
    List,
    /// Make a token. It is printed once, and stored as a hash.
    Create {
        /// What to call it.
        #[arg(long, default_value = "initial access token")]
        name: String,
        /// How many clients it lets in. Left out: any number.
        #[arg(long, value_name = "N")]
        uses: Option<u32>,
        /// How long it lives: a number with s, m, h or d behind it, such as 12h; 366d at most.
        #[arg(long, value_name = "SPAN", value_parser = span)]
        expires_in: Option<Seconds>,
    },
    /// Revoke a token, by the id that `list` shows. The clients that it let in stay.
    Revoke {
        /// The id, as `registration token list` shows it.
        id: String,
    },
}

pub(super) fn run(setup: &Setup, output: &Output, command: Command) -> Result<(), Failure> {
    let Command::Token(command) = command;
    let (config, store) = setup.store()?;
    match command {
        TokenCommand::List => {
            let tokens = store.read("initial access tokens", initial_access_tokens::all)?;
            let rows: Vec<Vec<String>> = tokens.iter().map(row).collect();
            let json: Vec<Value> = tokens.iter().map(as_json).collect();
            output.table(&["id", "name", "uses", "state"], &rows, &json!(json));
        }
        TokenCommand::Create { name, uses, expires_in } => {
            let wish = InitialWish {
                name,
                max_uses: uses.map(i64::from),
                lives_for: expires_in.unwrap_or(INITIAL_LIFE),
            };
            let (token, plain) =
                registration::make_initial_token(&store, wish, &*entropy(), now()).map_err(Failure::new)?;
            if config.registration.mode == RegistrationMode::Off {
                note("Nobody may register: set `mode = \"token\"` in the section [registration].");
            }
            note("The token is shown this once: the database has its hash only.");
            let mut json = as_json(&token);
            json["token"] = plain.reveal().into();
            let lines = [
                format!("id                {}", token.id),
                format!("expires           {}", token.expires_at),
                format!("token             {}", plain.reveal()),
            ];
            output.say(&lines, &json);
        }
        TokenCommand::Revoke { id } => {
            registration::revoke_initial_token(&store, &id, now()).map_err(Failure::new)?;
            output.say(&[format!("token {id} revoked")], &json!({ "revoked": id }));
        }
    }
    Ok(())
}

fn row(token: &InitialAccessToken) -> Vec<String> {
    let uses = match token.max_uses {
        Some(most) => format!("{} of {most}", token.uses),
        None => token.uses.to_string(),
    };
    let state = match token.revoked_at {
        Some(at) => format!("revoked {at}"),
        None if token.expires_at.is_past(now()) => format!("expired {}", token.expires_at),
        None if !token.is_alive(now()) => "used up".to_owned(),
        None => format!("counts until {}", token.expires_at),
    };
    vec![token.id.clone(), token.name.clone(), uses, state]
}

fn as_json(token: &InitialAccessToken) -> Value {
    json!({
        "id": token.id,
        "name": token.name,
        "max_uses": token.max_uses,
        "uses": token.uses,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "revoked_at": token.revoked_at,
    })
}
