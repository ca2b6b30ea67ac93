//! Tokens that were found where everybody can read them, as a secret scanner tells of them: each that lives is revoked. Who
//! tells need not say who they are. RFC 6750 §1.2: "any party in possession of the token (a "bearer") can use the token in
//! any way that any other party in possession of it can", and to end it is the least of that.
//!
//! ```text
//! texts ─► shape (no look-up) ─┬─► secrets: what each is (one read) ──────────────┬─► what lives is revoked (one write)
//!                              └─► JWTs: throttle ─► signatures, what each is ───┘
//! ```
//!
//! What does not look like a token of this server costs nothing but that look. A secret with a right checksum costs a row
//! looked up by its key, and is looked up always: nobody can have reports refused by sending others. A JWT costs a
//! signature verified, so each network has only so many that are none of ours.

use std::net::IpAddr;

use crate::base::{Id, PlainToken, Seconds, Timestamp, TokenKind};
use crate::domain::RevocationReason;
use crate::domain::throttle::{Limit, ThrottleKey};
use crate::oauth::{ClientId, OAuthError};
use crate::store::{
    Conn, StoreError, api_tokens, authorizations, client_secrets, codes, denied_tokens,
    initial_access_tokens, opaque_tokens, refresh_tokens, registrations, sessions, throttles,
};

use super::recognise;
use super::session_end::{self, Cause};
use super::{Cx, Snapshot};

/// The most characters of an address that are logged.
const LOGGED_CHARS: usize = 200;
const LEAKED: RevocationReason = RevocationReason::Leaked;
/// All kinds that give anything; the cookie that ties a form to its browser does not.
const KINDS: [TokenKind; 8] = [
    TokenKind::Api,
    TokenKind::Refresh,
    TokenKind::Access,
    TokenKind::ClientSecret,
    TokenKind::Session,
    TokenKind::Code,
    TokenKind::InitialAccess,
    TokenKind::Registration,
];

/// What a scanner found.
pub struct Found {
    /// The text that looks like a token.
    pub token: String,
    /// Where it was found, for the log.
    pub url: String,
}

/// Revokes what lives of `found`, and says of each whether it is, or was, a token of this server. The outer refusal is how
/// long to wait with JWTs: too many came from there that are none of ours. What else was found is revoked all the same.
///
/// # Errors
/// When the database is down.
pub fn report(cx: &Cx, found: &[Found], peer: IpAddr) -> Result<Result<Vec<bool>, Seconds>, OAuthError> {
    let shapes: Vec<Option<Shape<'_>>> = found.iter().map(|found| Shape::of(&found.token)).collect();
    let is_secret = |shape: &Shape<'_>| matches!(shape, Shape::Secret(..));
    let mut seen = look_and_revoke(cx, found, &shapes, is_secret, peer)?;
    if !shapes.iter().flatten().any(|shape| !is_secret(shape)) {
        return Ok(Ok(seen));
    }
    let limit = Limit {
        key: ThrottleKey::leaks(peer),
        max_failures: cx.policy.max_failures_per_address,
        window: cx.policy.login_window,
    };
    if let Some(wait) = cx.store.read("a full counter", |conn| throttles::wait(conn, &limit, cx.now))? {
        return Ok(Err(wait));
    }
    let jwts = look_and_revoke(cx, found, &shapes, |shape| !is_secret(shape), peer)?;
    let mut misses = 0;
    for (at, shape) in shapes.iter().enumerate() {
        if shape.as_ref().is_some_and(|shape| !is_secret(shape)) {
            seen[at] = jwts[at];
            misses += usize::from(!jwts[at]);
        }
    }
    if misses > 0 {
        let now = cx.now;
        cx.store.write("count what is no token", move |conn| {
            (0..misses)
                .try_for_each(|_| throttles::reserve(conn, std::slice::from_ref(&limit), now).map(drop))
        })?;
    }
    Ok(Ok(seen))
}

/// Looks at those of the texts that have a wanted shape, and revokes what lives of them. For each text: whether it is, or
/// was, a token of this server.
fn look_and_revoke(
    cx: &Cx,
    found: &[Found],
    shapes: &[Option<Shape<'_>>],
    wanted: impl Fn(&Shape<'_>) -> bool,
    peer: IpAddr,
) -> Result<Vec<bool>, OAuthError> {
    if !shapes.iter().flatten().any(&wanted) {
        return Ok(vec![false; found.len()]);
    }
    let sightings: Vec<Option<Sighting>> = cx.store.read("look at leaked tokens", |conn| {
        let each = shapes.iter().map(|shape| {
            shape.as_ref().filter(|shape| wanted(shape)).map(|shape| shape.look(conn, cx)).transpose()
        });
        each.map(|seen| Ok(seen?.flatten())).collect()
    })?;
    revoke(cx, found, &sightings, peer)?;
    Ok(sightings.iter().map(Option::is_some).collect())
}

/// What looks like a token of this server.
enum Shape<'a> {
    /// A secret with the prefix and the checksum of its kind.
    Secret(TokenKind, PlainToken),
    /// The three parts of a JWT (RFC 7519 §3).
    Jwt(&'a str),
}

/// Something of this server.
struct Sighting {
    token: Token,
    lives: bool,
}

/// What names a token without giving it away. Rows are taken in this order, so that two reports of the same tokens wait for
/// one another and never each for the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Token {
    ClientSecret(Id),
    Session(Id),
    /// A refresh token or a code, by what it comes from.
    Family(Id),
    Api(String),
    Opaque(String),
    Initial(String),
    Registration(ClientId),
    Jwt {
        jti: String,
        expires_at: Timestamp,
    },
}

impl<'a> Shape<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let secret = |kind| PlainToken::parse(kind, text).map(|plain| Self::Secret(kind, plain));
        let is_jwt = text.starts_with("eyJ") && text.bytes().filter(|byte| *byte == b'.').count() == 2;
        KINDS.into_iter().find_map(secret).or_else(|| is_jwt.then_some(Self::Jwt(text)))
    }

    fn look(&self, conn: &mut Conn, cx: &Cx) -> Result<Option<Sighting>, StoreError> {
        match self {
            Self::Secret(kind, plain) => secret(conn, &cx.snapshot, *kind, plain, cx.now),
            Self::Jwt(text) => {
                let Ok(claims) = recognise::signed(cx, text) else { return Ok(None) };
                let (jti, expires_at) = (claims.jti.into_owned(), Timestamp(claims.exp));
                let lives = !expires_at.is_past(cx.now) && !denied_tokens::contains(conn, &jti)?;
                Ok(Some(Sighting { token: Token::Jwt { jti, expires_at }, lives }))
            }
        }
    }
}

fn secret(
    conn: &mut Conn,
    snapshot: &Snapshot,
    kind: TokenKind,
    plain: &PlainToken,
    now: Timestamp,
) -> Result<Option<Sighting>, StoreError> {
    let hash = plain.hash();
    let seen = |token, lives| Some(Sighting { token, lives });
    Ok(match kind {
        TokenKind::Api => api_tokens::find(conn, plain.id())?
            .filter(|token| token.hash.matches(plain.reveal()))
            .and_then(|token| seen(Token::Api(token.id.clone()), token.is_alive(now))),
        TokenKind::Access => opaque_tokens::find(conn, plain.id())?
            .filter(|token| token.hash.matches(plain.reveal()))
            .and_then(|token| {
                let lives = token.revoked_at.is_none() && token.claims.exp > now.0;
                seen(Token::Opaque(token.id), lives)
            }),
        // One that was used is as good a sign: its successors are kept where it was.
        TokenKind::Refresh => match refresh_tokens::find(conn, &hash)? {
            Some(token) => family(conn, token.authorization_id, true)?,
            None => None,
        },
        TokenKind::Code => match codes::find(conn, &hash)? {
            Some(code) => {
                let lives = code.redeemed_at.is_none() && !code.expires_at.is_past(now);
                family(conn, code.authorization_id, lives)?
            }
            None => None,
        },
        TokenKind::Session => sessions::by_token(conn, &hash)?.and_then(|session| {
            let lives = session.ended_at.is_none() && !session.expires_at.is_past(now);
            seen(Token::Session(session.id), lives)
        }),
        TokenKind::ClientSecret => snapshot
            .client_secret(&hash)
            .and_then(|secret| seen(Token::ClientSecret(secret.id), secret.is_alive(now))),
        TokenKind::InitialAccess => initial_access_tokens::find(conn, plain.id())?
            .filter(|token| token.hash.matches(plain.reveal()))
            .and_then(|token| seen(Token::Initial(token.id.clone()), token.is_alive(now))),
        TokenKind::Registration => registrations::by_token(conn, &hash)?.and_then(|known| {
            let lives = known.token_revoked_at.is_none();
            seen(Token::Registration(known.client_id), lives)
        }),
        TokenKind::Browser => None,
    })
}

fn family(conn: &mut Conn, id: Id, lives: bool) -> Result<Option<Sighting>, StoreError> {
    let authorization = authorizations::find(conn, id)?;
    Ok(authorization
        .map(|known| Sighting { token: Token::Family(id), lives: lives && known.revoked.is_none() }))
}

/// Revokes what lives, all in one write, and tells the log of each.
fn revoke(cx: &Cx, found: &[Found], sightings: &[Option<Sighting>], peer: IpAddr) -> Result<(), OAuthError> {
    let mut living: Vec<(Token, String)> = sightings
        .iter()
        .zip(found)
        .filter_map(|(sighting, found)| Some((sighting.as_ref().filter(|seen| seen.lives)?, found)))
        .map(|(sighting, found)| (sighting.token.clone(), printable(&found.url)))
        .collect();
    if living.is_empty() {
        return Ok(());
    }
    living.sort();
    living.dedup_by(|one, other| one.0 == other.0);
    let (tokens, now): (Vec<Token>, _) = (living.iter().map(|(token, _)| token.clone()).collect(), cx.now);
    let ended = cx.store.write("revoke leaked tokens", move |conn| {
        tokens.iter().map(|token| token.revoke(conn, now)).collect::<Result<Vec<bool>, _>>()
    })?;
    for ((token, url), ended) in living.iter().zip(ended) {
        if let Token::Jwt { jti, expires_at } = token {
            // The other nodes read it within a second.
            cx.denials.learn(jti, *expires_at);
        }
        if ended {
            let (kind, id) = token.named();
            tracing::warn!(
                target: "countersign::security", event = "token_leaked",
                kind, id, url, peer = %peer, "a leaked token was revoked"
            );
        }
    }
    Ok(())
}

impl Token {
    /// False when somebody else was first.
    fn revoke(&self, conn: &mut Conn, now: Timestamp) -> Result<bool, StoreError> {
        match self {
            Self::Api(id) => api_tokens::revoke(conn, id, None, now, LEAKED),
            Self::Opaque(id) => opaque_tokens::revoke(conn, id, now),
            Self::Jwt { jti, expires_at } => denied_tokens::insert(conn, jti, *expires_at),
            Self::Family(id) => authorizations::revoke(conn, *id, now, LEAKED),
            Self::Session(id) => {
                // Whoever had the cookie may have gone to applications with it.
                Ok(session_end::end(conn, *id, Cause::Leaked, now)?.is_some())
            }
            Self::ClientSecret(id) => client_secrets::leak(conn, *id, now),
            Self::Initial(id) => initial_access_tokens::revoke(conn, id, now),
            Self::Registration(client) => registrations::revoke_token(conn, client, now),
        }
    }

    fn named(&self) -> (&'static str, String) {
        match self {
            Self::Api(id) => ("API token", id.clone()),
            Self::Opaque(id) => ("opaque access token", id.clone()),
            Self::Jwt { jti, .. } => ("access token", jti.clone()),
            Self::Family(id) => ("authorization", id.to_string()),
            Self::Session(id) => ("session", id.to_string()),
            Self::ClientSecret(id) => ("client secret", id.to_string()),
            Self::Initial(id) => ("initial access token", id.clone()),
            Self::Registration(client) => ("registration access token", client.to_string()),
        }
    }
}

/// A stranger's text for the log: nothing that could look like a line of its own.
fn printable(text: &str) -> String {
    let sound = |c: char| if c == ' ' || c.is_ascii_graphic() { c } else { '?' };
    text.chars().take(LOGGED_CHARS).map(sound).collect()
}
