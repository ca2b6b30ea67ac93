//! What the two kinds of assertion have in common (RFC 7523 §2.2, §3; OpenID Connect Core 1.0 §9).
//!
//! 1. The type is the one that there is, and the text can be read.
//! 2. The algorithm is the registered one, of the registered method.
//! 3. Issuer and subject are the client, the audience is this server, the time is right.
//! 4. The client's key, or its secret, has made it.
//! 5. It was never used before, on any node.

use serde_json::{Map, Value};

use crate::base::encoding::{base64url, sha256};
use crate::base::{Seconds, Timestamp};
use crate::domain::Client;
use crate::jose::Assertion;
use crate::oauth::{AssertionAlgorithm, OAuthError};
use crate::store::used_jtis;

use super::super::snapshot::KnownClient;
use super::super::{Cx, Policy};
use super::{client_secret_jwt, invalid_client, private_key_jwt};

/// RFC 7523 §2.2: "The value of the "client_assertion_type" is "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"."
pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// What the clocks of client and server may differ by.
const SKEW: Seconds = Seconds(60);
/// RFC 7523 §3: the server "may reject JWTs with an "exp" claim value that is unreasonably far in the future". What is used
/// must be remembered for as long.
const LONGEST: Seconds = Seconds(3600);
const MAX_JTI_BYTES: usize = 256;
/// Of `used_jtis`.
const PURPOSE: &str = "client-assertion";

/// Whom an assertion says it comes from, believed by nobody yet.
pub(super) fn subject(text: &str) -> Option<String> {
    let assertion = Assertion::read(text).ok()?;
    assertion.claims().get("sub").and_then(Value::as_str).map(str::to_owned)
}

/// Checks everything, in this order; the last step writes.
pub(super) fn check(cx: &Cx, known: &KnownClient, text: &str) -> Result<(), OAuthError> {
    let client = &*known.client;
    let refuse = |why: String| invalid_client(format!("client {}: {why}", client.id));
    let assertion = Assertion::read(text).map_err(|e| refuse(e.to_string()))?;
    algorithm(client, assertion.algorithm()).map_err(refuse)?;
    let (jti, expires_at) = claims(&cx.policy, client, assertion.claims(), cx.now).map_err(refuse)?;
    match assertion.algorithm() {
        AssertionAlgorithm::Signature(algorithm) => {
            private_key_jwt::check(cx, client, &assertion, algorithm)
                .map_err(|missing| missing.told(refuse))?;
        }
        AssertionAlgorithm::Mac(_) => client_secret_jwt::check(cx, known, &assertion).map_err(refuse)?,
    }
    if use_once(cx, client, jti, expires_at)? {
        return Ok(());
    }
    tracing::warn!(
        target: "countersign::security", event = "client_assertion_replayed", client = %client.id,
        "an assertion was presented that had been used before"
    );
    Err(refuse("the assertion was used before".to_owned()))
}

fn algorithm(client: &Client, algorithm: AssertionAlgorithm) -> Result<(), String> {
    let method = algorithm.method();
    if client.openid.auth_method != Some(method) {
        return Err(format!("it is not registered for {method}, and the assertion is by {algorithm}"));
    }
    match client.openid.auth_signing_alg {
        Some(registered) if registered != algorithm => {
            Err(format!("its assertions are registered for {registered}, and this one is by {algorithm}"))
        }
        _ => Ok(()),
    }
}

/// The jti and the end of the assertion's life.
fn claims<'c>(
    policy: &Policy,
    client: &Client,
    claims: &'c Map<String, Value>,
    now: Timestamp,
) -> Result<(&'c str, Timestamp), String> {
    // RFC 7523 §3: "For client authentication, the subject MUST be the "client_id" of the OAuth client."
    for name in ["iss", "sub"] {
        if claims.get(name).and_then(Value::as_str) != Some(client.id.as_str()) {
            return Err(format!("the assertion's {name} is not the client_id"));
        }
    }
    audience(policy, client, claims.get("aud"))?;
    let time = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => seconds(value).map(Some).ok_or_else(|| format!("the assertion's {name} is no time")),
    };
    // RFC 7523 §3: "The JWT MUST contain an "exp" (expiration time) claim".
    let expires_at = time("exp")?.ok_or("the assertion has no exp")?;
    if expires_at.is_past(now) {
        return Err(format!("the assertion expired {} s ago", (now - expires_at).0));
    }
    if expires_at > now + LONGEST + SKEW {
        return Err(format!("the assertion's exp is more than {} s ahead", LONGEST.0));
    }
    for name in ["nbf", "iat"] {
        if let Some(at) = time(name)?.filter(|at| *at > now + SKEW) {
            return Err(format!("the assertion's {name} is {} s ahead", (at - now).0));
        }
    }
    // OpenID Connect Core 1.0 §9: jti is "REQUIRED. JWT ID. A unique identifier for the token, which can be used to
    // prevent reuse of the token."
    match claims.get("jti").and_then(Value::as_str) {
        Some(jti) if (1..=MAX_JTI_BYTES).contains(&jti.len()) => Ok((jti, expires_at)),
        Some(_) => Err(format!("the assertion's jti is empty or longer than {MAX_JTI_BYTES} bytes")),
        None => Err("the assertion has no jti".to_owned()),
    }
}

/// RFC 7523 §3: "The JWT MUST contain an "aud" (audience) claim containing a value that identifies the authorization server
/// as an intended audience. The token endpoint URL of the authorization server MAY be used". An assertion that is meant for
/// others too could be used here by one of them, so all of its audiences must be addresses of this server.
fn audience(policy: &Policy, client: &Client, aud: Option<&Value>) -> Result<(), String> {
    let issuer = policy.issuer.as_str();
    if client.openid.assertion_for_issuer_only {
        let is_issuer = aud.and_then(Value::as_str) == Some(issuer);
        return if is_issuer {
            Ok(())
        } else {
            Err("the assertion's aud is not the issuer alone".to_owned())
        };
    }
    let named: Vec<Option<&str>> = match aud {
        Some(Value::Array(several)) => several.iter().map(Value::as_str).collect(),
        Some(one) => vec![one.as_str()],
        None => return Err("the assertion has no aud".to_owned()),
    };
    let is_here = |name: &str| name == issuer || name == policy.token_endpoint;
    let is_below = |name: &str| name.strip_prefix(issuer).is_some_and(|rest| rest.starts_with('/'));
    if !named.iter().any(|name| name.is_some_and(is_here)) {
        return Err(format!("the assertion's aud is neither {issuer} nor {}", policy.token_endpoint));
    }
    if !named.iter().all(|name| name.is_some_and(|name| is_here(name) || is_below(name))) {
        return Err("the assertion's aud names others beside this server".to_owned());
    }
    Ok(())
}

/// RFC 7519 §2: a NumericDate may have fractions. The end of a life is rounded up, so that it is remembered long enough.
#[expect(clippy::cast_possible_truncation, reason = "bounded above")]
fn seconds(value: &Value) -> Option<Timestamp> {
    if let Some(whole) = value.as_i64() {
        return Some(Timestamp(whole));
    }
    let parts = value.as_f64().filter(|parts| parts.abs() < 1e15)?;
    Some(Timestamp(parts.ceil() as i64))
}

/// Across all nodes: the row count of one INSERT decides. Two clients may choose the same jti.
fn use_once(cx: &Cx, client: &Client, jti: &str, expires_at: Timestamp) -> Result<bool, OAuthError> {
    let key = base64url(&sha256(format!("{}\0{jti}", client.id).as_bytes()));
    let first = cx
        .store
        .write("use an assertion", move |conn| used_jtis::use_once(conn, PURPOSE, &key, expires_at))?;
    Ok(first)
}
