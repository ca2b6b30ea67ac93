//! A client and its own registration (RFC 7592 §2): told, changed, deleted.

use std::net::IpAddr;

use serde_json::{Map, Value};

use crate::base::{HashedToken, PlainToken, TokenKind};
use crate::domain::client::openid::SubjectType;
use crate::domain::{Client, ClientSecret, Registration};
use crate::flow::Cx;
use crate::oauth::registration::MetadataError;
use crate::oauth::{AuthMethod, ClientId, ErrorCode, OAuthError};
use crate::store::{Conn, StoreError, client_secrets, clients, registrations, revision};

use super::metadata::Metadata;
use super::register::{new_secret, sealed};
use super::{Answer, Refusal, answer, client, has_secret, sector, unsealed};

/// What RFC 7592 §2.2 forbids in a request: it is the server's to choose.
const OF_THE_SERVER: [&str; 4] = [
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
];

/// A client that proved to be itself.
struct Known {
    client: Client,
    registration: Registration,
    token: PlainToken,
}

/// Tells a client all that is registered of it (RFC 7592 §2.1).
///
/// # Errors
/// See [`Refusal`].
pub fn read(cx: &Cx, client_id: &str, token: Option<&str>) -> Result<Answer, Refusal> {
    let known = known(cx, client_id, token)?;
    tell(cx, &known.client, &known.registration, &known.token)
}

/// Replaces what is registered by what the client says now (RFC 7592 §2.2).
///
/// # Errors
/// See [`Refusal`].
pub fn update(
    cx: &Cx,
    client_id: &str,
    token: Option<&str>,
    body: Map<String, Value>,
    peer: IpAddr,
) -> Result<Answer, Refusal> {
    let Known { client: before, mut registration, token } = known(cx, client_id, token)?;
    if let Some(name) = OF_THE_SERVER.into_iter().find(|name| body.contains_key(*name)) {
        return Err(MetadataError::of(name, "it is the server's to choose, and not part of an update").into());
    }
    let asked = Metadata::read(body)?;
    check_identity(cx, &before, &registration, &asked)?;
    let client = client::changed(cx, &before, &asked)?;
    sector_stays(&before, &client)?;
    sector::check(cx, &client, peer)?;
    let mut fresh = None;
    if !has_secret(asked.auth_method) {
        registration.sealed_secret = None;
    } else if registration.sealed_secret.is_none() {
        let (stored, plain) = new_secret(cx, &client.id)?;
        registration.sealed_secret = Some(sealed(cx, &plain)?);
        fresh = Some(stored);
    }
    registration.metadata = asked.told;
    if !store(cx, &before, &client, &registration, fresh)? {
        let why = "the client was changed by somebody else at the same moment";
        return Err(OAuthError::new(ErrorCode::TemporarilyUnavailable).because(why).retry_after(1).into());
    }
    tracing::info!(
        target: "countersign::security", event = "client_updated",
        client = %client.id, "a client changed its registration"
    );
    tell(cx, &client, &registration, &token)
}

/// OpenID Connect Core 1.0 §12.2: the `sub` of a refreshed ID token "MUST be the same as in the ID Token issued when the
/// original authentication occurred"; and what a client was given for its own sector must not tell it what another is told.
fn sector_stays(before: &Client, after: &Client) -> Result<(), MetadataError> {
    let kind = |client: &Client| client.openid.subject_type;
    if kind(before) != kind(after) {
        return Err(MetadataError::of("subject_type", "stays as it was registered: register another client"));
    }
    if kind(after) == SubjectType::Pairwise && before.sector() != after.sector() {
        let why = "the sector of a pairwise client stays as it was registered: register another client";
        return Err(MetadataError::of("redirect_uris", why));
    }
    Ok(())
}

/// Deletes a client with everything that it was given (RFC 7592 §2.3).
///
/// # Errors
/// See [`Refusal`].
pub fn delete(cx: &Cx, client_id: &str, token: Option<&str>) -> Result<(), Refusal> {
    let id = known(cx, client_id, token)?.client.id.clone();
    let wanted = id.clone();
    cx.store.write("delete a registered client", move |conn| {
        revision::lock(conn)?;
        clients::delete(conn, &wanted)
    })?;
    tracing::info!(
        target: "countersign::security", event = "client_deleted",
        client = %id, "a client deleted itself"
    );
    Ok(())
}

/// RFC 7592 §2.1: "If the client does not exist on this server, the server MUST respond with an HTTP 401 Unauthorized
/// status code, and the registration access token used to make this request SHOULD be immediately revoked." A token goes
/// with its client.
fn known(cx: &Cx, client_id: &str, token: Option<&str>) -> Result<Known, Refusal> {
    let token = token.ok_or(Refusal::NoToken)?;
    let token = PlainToken::parse(TokenKind::Registration, token)
        .ok_or(Refusal::WrongToken("it is no registration access token"))?;
    let id: ClientId = client_id.parse().map_err(|_| Refusal::WrongToken("there is no such client"))?;
    let found = cx.store.read("find a registration", move |conn| {
        let Some(registration) = registrations::find(conn, &id)? else { return Ok(None) };
        let Some(client) = clients::find(conn, &id)? else { return Ok(None) };
        let mut secrets = client_secrets::all(conn)?;
        secrets.retain(|secret| secret.client_id == id);
        Ok(Some((client, registration, secrets)))
    })?;
    let (client, mut registration, secrets) = found.ok_or(Refusal::WrongToken("there is no such client"))?;
    if !registration.token_hash.matches(token.reveal()) || registration.token_revoked_at.is_some() {
        return Err(Refusal::WrongToken("the registration access token is another's, or was revoked"));
    }
    if client.disabled_at.is_some() {
        return Err(Refusal::SwitchedOff);
    }
    // A secret that ended, or was found where others can read it, is told no more; the next change brings another.
    let kept = unsealed(&cx.sealer, registration.sealed_secret.as_deref(), cx.now)?;
    if kept.is_some_and(|kept| !secrets.iter().any(|secret| secret.accepts(&kept, cx.now))) {
        registration.sealed_secret = None;
    }
    Ok(Known { client, registration, token })
}

/// RFC 7592 §2.2: "The client MUST include its "client_id" field in the request, and it MUST be the same as its currently
/// issued client identifier. If the client includes the "client_secret" field in the request, the value of this field MUST
/// match the currently issued client secret for that client."
fn check_identity(
    cx: &Cx,
    before: &Client,
    registration: &Registration,
    asked: &Metadata,
) -> Result<(), Refusal> {
    if asked.client_id.as_deref() != Some(before.id.as_str()) {
        return Err(MetadataError::of("client_id", "it is required, and must be the client's own").into());
    }
    if let Some(shown) = &asked.client_secret {
        let secret = unsealed(&cx.sealer, registration.sealed_secret.as_deref(), cx.now)?;
        if !secret.is_some_and(|secret| HashedToken::of(&secret).matches(shown)) {
            return Err(MetadataError::of("client_secret", "it is not the one that was issued").into());
        }
    }
    Ok(())
}

/// False when somebody else changed the client since it was read.
fn store(
    cx: &Cx,
    before: &Client,
    after: &Client,
    registration: &Registration,
    fresh: Option<ClientSecret>,
) -> Result<bool, Refusal> {
    let (before, after, registration) = (before.clone(), after.clone(), registration.clone());
    let changed = cx.store.write("change a registered client", move |conn| {
        revision::lock(conn)?;
        if clients::find(conn, &after.id)?.as_ref() != Some(&before) {
            return Ok(false);
        }
        clients::update(conn, &after)?;
        if registration.sealed_secret.is_none() {
            forget_secrets(conn, &after.id)?;
        }
        if let Some(secret) = &fresh {
            client_secrets::insert(conn, secret)?;
        }
        registrations::update(conn, &registration)
    })?;
    Ok(changed)
}

fn forget_secrets(conn: &mut Conn, client: &ClientId) -> Result<(), StoreError> {
    let all = client_secrets::all(conn)?.into_iter().filter(|secret| secret.client_id == *client);
    for secret in all {
        client_secrets::delete(conn, secret.id)?;
    }
    Ok(())
}

fn tell(
    cx: &Cx,
    client: &Client,
    registration: &Registration,
    token: &PlainToken,
) -> Result<Answer, Refusal> {
    let has_one =
        client.openid.auth_method.is_none_or(|method| method != AuthMethod::None && has_secret(method));
    let sealed = registration.sealed_secret.as_deref().filter(|_| has_one);
    let secret = unsealed(&cx.sealer, sealed, cx.now)?;
    let secret = secret.as_ref().map(|secret| secret.as_str());
    Ok(answer::of(&cx.policy, client, registration, secret, token))
}
