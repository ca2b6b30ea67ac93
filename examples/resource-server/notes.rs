//! The API itself: notes, kept in memory, each user's own.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{Error, HttpMessage as _, HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::bearer::{self, Challenge};
use crate::verifier::{AccessToken, Refusal, Verifier};

pub(crate) const BODY_LIMIT_BYTES: usize = 16 * 1024;
const NOTE_LIMIT_CHARS: usize = 1000;
const NOTES_PER_USER: usize = 100;

/// What the handlers share.
pub(crate) struct Api {
    verifier: Verifier,
    /// By `sub`: the one name of a user that never changes and is never given to somebody else.
    notes: Mutex<HashMap<String, Vec<Note>>>,
}

#[derive(Clone, Serialize)]
struct Note {
    text: String,
    written_at: u64,
}

#[derive(Deserialize)]
struct NewNote {
    text: String,
}

impl Api {
    pub(crate) fn new(verifier: Verifier) -> Self {
        Self { verifier, notes: Mutex::default() }
    }
}

/// `GET /notes`
pub(crate) async fn list(request: HttpRequest, api: web::Data<Api>) -> Result<HttpResponse, Error> {
    let token = authorize(&request, &api, "notes:read").await?;
    let notes = api.notes.lock().unwrap_or_else(PoisonError::into_inner).get(&token.sub).cloned();
    let notes = notes.unwrap_or_default();
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(json!({"notes": notes, "token": carried(&token)})))
}

/// `POST /notes` with `{"text": "…"}`. The body's size was limited before it came here (`BODY_LIMIT_BYTES`).
pub(crate) async fn add(
    request: HttpRequest,
    api: web::Data<Api>,
    body: web::Bytes,
) -> Result<HttpResponse, Error> {
    let token = authorize(&request, &api, "notes:write").await?;
    if !request.content_type().eq_ignore_ascii_case("application/json") {
        return Ok(HttpResponse::UnsupportedMediaType().json(refusal("send application/json")));
    }
    let Ok(NewNote { text }) = serde_json::from_slice(&body) else {
        return Ok(HttpResponse::BadRequest().json(refusal(r#"send {"text": "..."}"#)));
    };
    let text = text.trim();
    if text.is_empty() || text.chars().count() > NOTE_LIMIT_CHARS {
        return Ok(HttpResponse::BadRequest().json(refusal("a note has 1 to 1000 characters")));
    }
    let written_at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let note = Note { text: text.to_owned(), written_at };

    let mut notes = api.notes.lock().unwrap_or_else(PoisonError::into_inner);
    let own = notes.entry(token.sub.clone()).or_default();
    if own.len() == NOTES_PER_USER {
        own.remove(0);
    }
    own.push(note.clone());
    Ok(HttpResponse::Created().json(json!({"note": note, "token": carried(&token)})))
}

/// Every handler begins with this. Verification may fetch keys, which blocks, so it runs beside the event loop.
async fn authorize(
    request: &HttpRequest,
    api: &web::Data<Api>,
    scope: &'static str,
) -> Result<AccessToken, Error> {
    let token = bearer::token(request.headers(), request.query_string())?.to_owned();
    let api = api.clone();
    let verified = web::block(move || api.verifier.verify(&token)).await?;
    let token = verified.map_err(|refusal| {
        if let Refusal::KeysUnavailable(why) = &refusal {
            log(why);
        }
        Challenge::Refused(refusal)
    })?;
    if !token.has_scope(scope) {
        return Err(Challenge::InsufficientScope(scope).into());
    }
    Ok(token)
}

#[expect(clippy::print_stderr, reason = "the log of this small program")]
fn log(line: &str) {
    eprintln!("resource-server: {line}");
}

/// Shown so that a person can see what arrived. A real API has no reason to tell.
fn carried(token: &AccessToken) -> Value {
    json!({"sub": token.sub, "client_id": token.client_id, "scope": token.scope, "roles": token.roles})
}

fn refusal(description: &str) -> Value {
    json!({"error": "invalid_note", "error_description": description})
}
