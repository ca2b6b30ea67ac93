//! `countersign client secret …` and `hash-secret`: secrets are shown once, and stored as hashes.

use std::io::{IsTerminal as _, Read as _};

use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::base::{HashedToken, PlainToken, Seconds, TokenKind};
use crate::config::Config;
use crate::domain::ClientSecret;
use crate::domain::client::ClientDraft;
use crate::flow::registry;
use crate::jose::Sealer;
use crate::store::Store;

use super::client::SecretCommand;
use super::output::{Failure, Output, note};
use super::setup::{entropy, now, sealer};

const MAX_INPUT_BYTES: u64 = 4096;

pub(super) fn run(
    config: &Config,
    store: &Store,
    output: &Output,
    command: SecretCommand,
) -> Result<(), Failure> {
    match command {
        SecretCommand::List { client } => {
            let all = registry::secrets(store, &client).map_err(Failure::new)?;
            let rows: Vec<Vec<String>> = all.iter().map(row).collect();
            let json: Vec<Value> = all.iter().map(as_json).collect();
            output.table(&["id", "made", "state"], &rows, &json!(json));
        }
        SecretCommand::Add { client, expires_in, others_end_in } => {
            let known = registry::own_client(store, &client).map_err(Failure::new)?;
            let sealer = sealer_for(&known, config, store)?;
            let new = registry::add_secret(
                store,
                &client,
                expires_in,
                others_end_in,
                sealer.as_ref(),
                &*entropy(),
                now(),
            )
            .map_err(Failure::new)?;
            note(shown_once(&known));
            let mut json = as_json(&new.stored);
            json["client_secret"] = new.plain.reveal().into();
            let lines = [
                format!("secret            {}", new.stored.id),
                format!("client_secret     {}", new.plain.reveal()),
            ];
            output.say(&lines, &json);
        }
        SecretCommand::End { client, secret, ends_in } => {
            let at = now() + ends_in.unwrap_or(Seconds(0));
            registry::end_secret(store, &client, secret, at).map_err(Failure::new)?;
            output
                .say(&[format!("secret {secret} ends at {at}")], &json!({ "id": secret, "expires_at": at }));
        }
    }
    Ok(())
}

/// What seals the secrets of this client, if they are kept.
pub(super) fn sealer_for(
    draft: &ClientDraft,
    config: &Config,
    store: &Store,
) -> Result<Option<Sealer>, Failure> {
    registry::keeps_sealed(draft).then(|| sealer(config, store)).transpose()
}

pub(super) fn shown_once(draft: &ClientDraft) -> &'static str {
    match registry::keeps_sealed(draft) {
        true => "The secret is shown this once: the database has it under the master key.",
        false => "The secret is shown this once: the database has its hash only.",
    }
}

fn row(secret: &ClientSecret) -> Vec<String> {
    let state = match secret.expires_at {
        None => "counts".to_owned(),
        Some(at) if secret.is_alive(now()) => format!("counts until {at}"),
        Some(at) if secret.leaked => format!("ended {at} (leaked)"),
        Some(at) => format!("ended {at}"),
    };
    vec![secret.id.to_string(), secret.created_at.to_string(), state]
}

fn as_json(secret: &ClientSecret) -> Value {
    json!({
        "id": secret.id,
        "client_id": secret.client_id,
        "created_at": secret.created_at,
        "expires_at": secret.expires_at,
        "leaked": secret.leaked,
    })
}

/// The hash of a secret for the configuration file.
pub(super) fn hash(output: &Output, generate: bool) -> Result<(), Failure> {
    let secret = if generate {
        let made = PlainToken::random(TokenKind::ClientSecret, &*entropy()).map_err(Failure::new)?;
        Zeroizing::new(made.reveal().to_owned())
    } else {
        let text = if std::io::stdin().is_terminal() {
            Zeroizing::new(rpassword::prompt_password("Secret: ")?)
        } else {
            let mut text = Zeroizing::new(String::new());
            std::io::stdin().take(MAX_INPUT_BYTES).read_to_string(&mut text)?;
            text
        };
        Zeroizing::new(text.trim().to_owned())
    };
    // One SHA-256 is the right hash for machine-made secrets only.
    if !(32..=1024).contains(&secret.len()) || secret.chars().any(char::is_control) {
        return Err(Failure::new("a client secret has 32 to 1024 characters; --generate makes one"));
    }
    let hash = HashedToken::of(&secret).as_str().to_owned();
    let mut lines = vec![format!("secret_hash = \"{hash}\"")];
    let mut json = json!({ "secret_hash": hash });
    if generate {
        lines.insert(0, format!("client_secret     {}", secret.as_str()));
        json["client_secret"] = secret.as_str().into();
    }
    output.say(&lines, &json);
    Ok(())
}
