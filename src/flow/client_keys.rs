//! The public keys of a client (OpenID Connect Core 1.0 §10, OpenID Connect Dynamic Client Registration 1.0 §2): by value,
//! or by reference and then fetched and kept in memory, on each node by itself.
//!
//! Core §10.1.1: the verifier "knows to go back to the jwks_uri location to re-retrieve the keys when it sees an unfamiliar
//! kid value." Whoever makes kids up would make a hose of that, so it goes back once in a minute at most.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::base::{Seconds, Timestamp};
use crate::domain::client::openid::OpenIdSettings;
use crate::domain::{Client, Problem};
use crate::fetch::{FetchError, Fetched};
use crate::jose::{ClientKeySet, EncryptionKey, NoKey, VerificationKey, client_keys};
use crate::oauth::algorithm::{KeyManagement, SigningAlgorithm};
use crate::oauth::{AssertionAlgorithm, AuthMethod, ClientId, ErrorCode, OAuthError};

use super::Cx;

/// A client is asked again after this time at the earliest.
pub const ASK_AGAIN_AFTER: Seconds = Seconds(60);
/// How long keys are kept of which the client does not say for how long.
const KEEP: Seconds = Seconds(3600);
/// Within these bounds it may say what it likes.
const KEEP_AT_LEAST: Seconds = Seconds(300);
const KEEP_AT_MOST: Seconds = Seconds(86_400);
/// While a client cannot be asked, keys of this age still count: one that was taken out does not count for ever.
const STALE_AT_MOST: Seconds = Seconds(86_400);
/// The most requests that wait for the keys of one client; others are told to come back.
const MOST_WAITING: usize = 8;
/// OpenID Connect Core 1.0 §10.1: "If there are multiple keys in the referenced JWK Set document, a kid value MUST be
/// provided in the JOSE Header."
const KIDS: &str = "of several, each needs a kid of its own";
/// The most clients whose keys are kept; beyond that all are fetched anew.
const MOST_CLIENTS: usize = 10_000;

/// The keys that were fetched.
#[derive(Default)]
pub struct ClientKeys {
    slots: Mutex<HashMap<ClientId, Arc<Slot>>>,
}

/// What is known of one client's keys.
#[derive(Default)]
struct Slot {
    known: Mutex<Known>,
    /// Held while they are fetched.
    fetching: Mutex<()>,
    waiting: AtomicUsize,
}

#[derive(Clone, Default)]
struct Known {
    uri: String,
    kept: Option<Kept>,
    tried_at: Option<Timestamp>,
    /// What went wrong at the last try.
    why: String,
    /// Whether that may be over soon.
    passes: bool,
}

#[derive(Clone)]
struct Kept {
    keys: Arc<ClientKeySet>,
    fetched_at: Timestamp,
    fresh_until: Timestamp,
}

impl Known {
    fn usable(&self, now: Timestamp) -> Option<&Arc<ClientKeySet>> {
        let kept = self.kept.as_ref().filter(|kept| !(kept.fetched_at + STALE_AT_MOST).is_past(now));
        kept.map(|kept| &kept.keys)
    }

    fn fresh(&self, now: Timestamp) -> Option<&ClientKeySet> {
        self.kept.as_ref().filter(|kept| !kept.fresh_until.is_past(now)).map(|kept| &*kept.keys)
    }

    fn may_ask(&self, now: Timestamp) -> bool {
        self.tried_at.is_none_or(|at| (at + ASK_AGAIN_AFTER).is_past(now) || at > now)
    }
}

impl Slot {
    /// What is known of the keys at `uri`; nothing, if those were elsewhere until now.
    fn known(&self, uri: &str) -> MutexGuard<'_, Known> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.uri != uri {
            *known = Known { uri: uri.to_owned(), ..Known::default() };
        }
        known
    }
}

impl ClientKeys {
    fn slot(&self, client: &ClientId) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MOST_CLIENTS && !slots.contains_key(client) {
            slots.clear();
        }
        Arc::clone(slots.entry(client.clone()).or_default())
    }
}

/// What is wrong with the keys that a client gives by value: one that this server would use cannot be read, or none is there
/// for what the client registers. Who finds that out only when a user has signed in and allowed everything is told too late.
#[must_use]
pub fn problems(openid: &OpenIdSettings) -> Vec<Problem> {
    let Some(jwks) = &openid.jwks else { return Vec::new() };
    let mut found = Vec::new();
    let mut refuse = |text: String| found.push(Problem::new("jwks", text));
    let keys = jwks.get("keys").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for (n, key) in keys.iter().enumerate() {
        if let Some(why) = key.as_object().and_then(client_keys::fault) {
            refuse(format!("its key number {} cannot be used: {why}", n + 1));
        }
    }
    let Ok(keys) = ClientKeySet::from_members(jwks) else { return found };
    if openid.auth_method == Some(AuthMethod::PrivateKeyJwt) {
        match openid.auth_signing_alg {
            None if !SigningAlgorithm::ALL.into_iter().any(|algorithm| keys.verifies(algorithm)) => {
                refuse(format!("none of its keys is for signatures, and private_key_jwt needs one; {KIDS}"));
            }
            Some(AssertionAlgorithm::Signature(algorithm)) if !keys.verifies(algorithm) => {
                let member = "token_endpoint_auth_signing_alg";
                refuse(format!("none of its keys is for {algorithm}, its {member}; {KIDS}"));
            }
            _ => {}
        }
    }
    for (member, protection) in [
        ("id_token_encrypted_response_alg", &openid.id_token),
        ("userinfo_encrypted_response_alg", &openid.userinfo),
    ] {
        if let Some((algorithm, _)) = protection.encryption
            && keys.encryption_key(algorithm).is_err()
        {
            refuse(format!("none of its keys is for encryption with {algorithm}, its {member}"));
        }
    }
    found
}

/// Why there is no key, for the operator's log.
#[derive(Clone, Debug)]
pub(super) enum Missing {
    /// The client has none.
    None(String),
    /// Nobody can say: its keys are being fetched, or its address does not answer at present.
    ComeBack(String),
}

impl From<String> for Missing {
    fn from(why: String) -> Self {
        Self::None(why)
    }
}

impl Missing {
    /// What the client is told: to come back, or what `refused` makes of the reason.
    pub(super) fn told(self, refused: impl FnOnce(String) -> OAuthError) -> OAuthError {
        match self {
            Self::None(why) => refused(why),
            Self::ComeBack(why) => {
                let error = OAuthError::new(ErrorCode::TemporarilyUnavailable);
                error.describe("the client's keys cannot be had at present").because(why).retry_after(2)
            }
        }
    }
}

/// The key that verifies what this client has signed.
///
/// # Errors
/// Why there is none.
pub(super) fn signature_key(
    cx: &Cx,
    client: &Client,
    algorithm: SigningAlgorithm,
    kid: Option<&str>,
) -> Result<VerificationKey, Missing> {
    key(cx, client, |keys| keys.signature_key(algorithm, kid))
}

/// The key that something for this client is encrypted to.
///
/// # Errors
/// `invalid_request`: the client registered an encryption for which it has no key (any more). `temporarily_unavailable` when
/// its keys cannot be had at present.
pub fn encryption_key(
    cx: &Cx,
    client: &Client,
    algorithm: KeyManagement,
) -> Result<EncryptionKey, OAuthError> {
    key(cx, client, |keys| keys.encryption_key(algorithm)).map_err(|missing| {
        missing.told(|why| {
            OAuthError::new(ErrorCode::InvalidRequest)
                .describe(format!("none of the client's keys is for encryption with {algorithm}"))
                .because(format!("client {}: {why}", client.id))
        })
    })
}

fn key<T>(
    cx: &Cx,
    client: &Client,
    choose: impl Fn(&ClientKeySet) -> Result<T, NoKey>,
) -> Result<T, Missing> {
    if let Some(jwks) = &client.openid.jwks {
        let keys = ClientKeySet::from_members(jwks).map_err(|e| e.to_string())?;
        return choose(&keys).map_err(|e| e.to_string().into());
    }
    let Some(uri) = &client.openid.jwks_uri else {
        return Err("the client has neither jwks nor jwks_uri".to_owned().into());
    };
    let may_come = |keys: &ClientKeySet| choose(keys).is_err_and(|e| e.may_come());
    let keys = fetched(cx, client, uri, &may_come)?;
    choose(&keys).map_err(|e| format!("{e} at {uri}").into())
}

/// The keys at `uri`; asked for anew where they are old, or lack what is wanted.
fn fetched(
    cx: &Cx,
    client: &Client,
    uri: &str,
    lacks: &dyn Fn(&ClientKeySet) -> bool,
) -> Result<Arc<ClientKeySet>, Missing> {
    let slot = cx.client_keys.slot(&client.id);
    let is_good = |known: &Known| known.fresh(cx.now).is_some_and(|keys| !lacks(keys));
    let seen = slot.known(uri).clone();
    if is_good(&seen) || !seen.may_ask(cx.now) {
        return answer(&seen, cx.now, uri);
    }
    if slot.waiting.fetch_add(1, Ordering::AcqRel) >= MOST_WAITING {
        slot.waiting.fetch_sub(1, Ordering::AcqRel);
        return answer(&seen, cx.now, uri);
    }
    let one_at_a_time = slot.fetching.lock().unwrap_or_else(PoisonError::into_inner);
    slot.waiting.fetch_sub(1, Ordering::AcqRel);
    // Whoever was first has asked for all who waited.
    let seen = slot.known(uri).clone();
    if is_good(&seen) || !seen.may_ask(cx.now) {
        return answer(&seen, cx.now, uri);
    }
    let got = cx.fetcher.get(uri, "application/jwk-set+json, application/json", cx.now);
    // This server's own limit says nothing of the client: it is asked as soon as there is room.
    let asked = !matches!(got, Err(FetchError::Busy));
    let passes = match &got {
        Ok(got) => matches!(got.status, 408 | 425 | 429 | 500..),
        Err(error) => matches!(error, FetchError::Busy | FetchError::TimedOut(_) | FetchError::Failed(_)),
    };
    let read = got.map_err(|e| e.to_string()).and_then(|got| read(&got).map(|keys| (keys, got.max_age)));
    let mut known = slot.known(uri);
    if asked {
        known.tried_at = Some(cx.now);
    }
    match read {
        Ok((keys, max_age)) => {
            let keep = max_age.unwrap_or(KEEP).max(KEEP_AT_LEAST).min(KEEP_AT_MOST);
            let fresh_until = cx.now + keep;
            known.kept = Some(Kept { keys: Arc::new(keys), fetched_at: cx.now, fresh_until });
            known.why.clear();
            tracing::debug!(client = %client.id, uri, keep_s = keep.0, "keys fetched");
        }
        Err(why) => {
            tracing::warn!(client = %client.id, uri, why, "the keys of a client could not be fetched");
            (known.why, known.passes) = (why, passes);
        }
    }
    let seen = known.clone();
    drop(known);
    drop(one_at_a_time);
    answer(&seen, cx.now, uri)
}

fn answer(known: &Known, now: Timestamp, uri: &str) -> Result<Arc<ClientKeySet>, Missing> {
    known.usable(now).cloned().ok_or_else(|| match known.why.as_str() {
        "" => Missing::ComeBack(format!("the keys at {uri} are being fetched")),
        why if known.passes => Missing::ComeBack(format!("the keys at {uri} could not be fetched: {why}")),
        why => Missing::None(format!("the keys at {uri} could not be fetched: {why}")),
    })
}

fn read(got: &Fetched) -> Result<ClientKeySet, String> {
    if got.status != 200 {
        return Err(format!("it answered {}", got.status));
    }
    // Servers of static files say text/plain, or nothing, of a file without an ending; what is HTML is no key set.
    if got.content_type.as_deref() == Some("text/html") {
        return Err("it answered with a page (text/html)".to_owned());
    }
    ClientKeySet::read(&got.body).map_err(|e| format!("no JWK Set: {e}"))
}
