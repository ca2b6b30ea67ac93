//! A new client (RFC 7591 §3).

use std::net::IpAddr;

use serde_json::{Map, Value};

use crate::base::{HashedToken, Id, PlainToken, TokenKind};
use crate::domain::throttle::{Limit, ThrottleKey};
use crate::domain::{Client, ClientSecret, Registration};
use crate::flow::{Cx, registry};
use crate::jose::Purpose;
use crate::oauth::{ClientId, ErrorCode, OAuthError};
use crate::store::{
    Conn, StoreError, client_secrets, clients, initial_access_tokens, registrations, revision, throttles,
};

use super::metadata::Metadata;
use super::{Answer, Mode, Refusal, answer, client, has_secret, sector};

/// Who asks.
pub struct Asking {
    /// The bearer token that came along.
    pub token: Option<String>,
    /// Where it comes from.
    pub peer: IpAddr,
}

/// What goes into the database.
#[derive(Clone)]
struct New {
    client: Client,
    secret: Option<ClientSecret>,
    registration: Registration,
    /// The id and the hash of the initial access token.
    initial: Option<(String, HashedToken)>,
}

/// Registers a client.
///
/// # Errors
/// See [`Refusal`].
pub fn register(cx: &Cx, asking: &Asking, body: Map<String, Value>) -> Result<Answer, Refusal> {
    let initial = initial_token(cx, asking.token.as_deref())?;
    let asked = Metadata::read(body)?;
    let client = client::new(cx, random_id(cx)?, &asked)?;
    sector::check(cx, &client, asking.peer)?;
    let token = PlainToken::random(TokenKind::Registration, &*cx.entropy).map_err(OAuthError::from)?;
    let secret = if has_secret(asked.auth_method) { Some(new_secret(cx, &client.id)?) } else { None };
    let (stored, plain) = secret.map_or((None, None), |(stored, plain)| (Some(stored), Some(plain)));
    let sealed = plain.as_ref().map(|plain| sealed(cx, plain)).transpose()?;
    let registration = Registration {
        client_id: client.id.clone(),
        token_hash: token.hash(),
        sealed_secret: sealed,
        metadata: asked.told,
        initial_token: initial.as_ref().map(|token| token.id().to_owned()),
        created_at: cx.now,
        last_used_at: None,
        unused_until: Some(cx.now + cx.policy.registration.unused_ttl),
        token_revoked_at: None,
    };
    let told = answer::of(&cx.policy, &client, &registration, plain.as_ref().map(PlainToken::reveal), &token);
    let initial = initial.map(|token| (token.id().to_owned(), token.hash()));
    let by = initial.as_ref().map_or("anybody", |(id, _)| id.as_str()).to_owned();
    let id = client.id.clone();
    store(cx, New { client, secret: stored, registration, initial }, asking.peer)?;
    tracing::info!(
        target: "countersign::security", event = "client_registered",
        client = %id, by, peer = %asking.peer, "a client registered itself"
    );
    Ok(told)
}

/// The initial access token, looked at without using it up: whoever has none learns nothing else.
fn initial_token(cx: &Cx, shown: Option<&str>) -> Result<Option<PlainToken>, Refusal> {
    let Some(shown) = shown else {
        return if cx.policy.registration.mode == Mode::Open { Ok(None) } else { Err(Refusal::NoToken) };
    };
    let plain = PlainToken::parse(TokenKind::InitialAccess, shown)
        .ok_or(Refusal::WrongToken("it is no initial access token"))?;
    let id = plain.id().to_owned();
    let known =
        cx.store.read("an initial access token", move |conn| initial_access_tokens::find(conn, &id))?;
    let known = known.filter(|known| known.hash.matches(plain.reveal()));
    let known = known.ok_or(Refusal::WrongToken("the initial access token is unknown"))?;
    if !known.is_alive(cx.now) {
        return Err(Refusal::WrongToken("the initial access token expired, was revoked or is used up"));
    }
    Ok(Some(plain))
}

/// RFC 7591 §3.2.1: "unique client identifier", by which nobody's tokens pass for those of a user (RFC 9068 §5): it is
/// random.
fn random_id(cx: &Cx) -> Result<ClientId, OAuthError> {
    let failed = |why: String| OAuthError::new(ErrorCode::ServerError).because(why);
    Id::random(&*cx.entropy)?.to_string().parse().map_err(failed)
}

pub(super) fn new_secret(cx: &Cx, client: &ClientId) -> Result<(ClientSecret, PlainToken), OAuthError> {
    let fault = |e: registry::RegistryFault| OAuthError::new(ErrorCode::ServerError).because(e.to_string());
    let mut made = registry::make_secret(client, None, &*cx.entropy, cx.now).map_err(fault)?;
    // It may come to authenticate assertions with it (`client_secret_jwt`).
    registry::keep_sealed(&mut made, &cx.sealer, cx.now).map_err(fault)?;
    Ok((made.stored, made.plain))
}

pub(super) fn sealed(cx: &Cx, secret: &PlainToken) -> Result<String, OAuthError> {
    cx.sealer
        .seal(Purpose::RegisteredSecret, secret.reveal().as_bytes(), cx.now)
        .map_err(|e| OAuthError::new(ErrorCode::ServerError).because(e.to_string()))
}

/// One transaction: a token that was used up without a client to show for it would be lost.
fn store(cx: &Cx, new: New, peer: IpAddr) -> Result<(), Refusal> {
    let policy = &cx.policy.registration;
    let limit = Limit {
        key: ThrottleKey::registrations(peer),
        max_failures: policy.max_per_address,
        window: policy.window,
    };
    let (most, now) = (policy.max_clients, cx.now);
    cx.store.write("register a client", move |conn| {
        if let Some(full) = throttles::reserve(conn, std::slice::from_ref(&limit), now)? {
            return Ok(Err(Refusal::Throttled(full.wait)));
        }
        // One after the other from here on: the count is that of all who came before.
        revision::lock(conn)?;
        if registrations::count(conn)? >= most {
            return Ok(Err(Refusal::Full));
        }
        if let Some((id, hash)) = &new.initial
            && !initial_access_tokens::take_use(conn, id, hash, now)?
        {
            return Ok(Err(Refusal::WrongToken("the initial access token was used up meanwhile")));
        }
        insert(conn, &new).map(Ok)
    })?
}

fn insert(conn: &mut Conn, new: &New) -> Result<(), StoreError> {
    clients::insert(conn, &new.client)?;
    if let Some(secret) = &new.secret {
        client_secrets::insert(conn, secret)?;
    }
    registrations::insert(conn, &new.registration)
}
