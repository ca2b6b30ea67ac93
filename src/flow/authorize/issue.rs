//! Stores the authorization and its code (RFC 6749 §4.1.2), and with them what the user agreed to: one transaction.

use std::sync::Arc;

use crate::base::{Id, PlainToken, Timestamp, TokenKind};
use crate::domain::consent::Consent;
use crate::domain::{Authorization, Client, Code};
use crate::flow::login::SignedIn;
use crate::flow::token::gives_refresh_token;
use crate::flow::{Cx, mint, registration};
use crate::oauth::{ErrorCode, OAuthError};
use crate::store::{Conn, StoreError, authorizations, codes, consents, session_clients, sessions, used_jtis};

use super::{Delivery, ValidRequest};

/// The purpose under which an answered consent page is remembered.
const CONSENT_PAGE: &str = "consent";

/// What came with a yes.
pub(super) struct Agreed {
    /// The ticket of the page; it counts once.
    pub(super) jti: Id,
    /// What to remember.
    pub(super) consents: Vec<Consent>,
}

/// Issues a code: how it reaches the client, or nothing when the consent page was answered before.
pub(super) fn code(
    cx: &Cx,
    client: &Client,
    valid: &ValidRequest,
    known: &SignedIn,
    agreed: Option<Agreed>,
) -> Result<Option<Delivery>, OAuthError> {
    let plain = PlainToken::random(TokenKind::Code, &*cx.entropy)?;
    let authorization = authorization(cx, client, valid, known)?;
    let code = Code {
        hash: plain.hash(),
        authorization_id: authorization.id,
        client_id: client.id.clone(),
        redirect_uri: valid.reply.uri().to_owned(),
        redirect_uri_given: valid.redirect_uri_given,
        challenge: valid.challenge.clone(),
        expires_at: cx.now + cx.policy.code_ttl,
        redeemed_at: None,
    };
    let id = authorization.id;
    let agreed = agreed.map(Arc::new);
    let until = cx.now + cx.policy.request_ttl;
    let session = known.session.id;
    let first = cx.store.write("issue a code", move |conn| {
        // The user may have signed out, or lost the account, since the session was looked at.
        if !sessions::hold(conn, session)? {
            return Ok(Err(ErrorCode::LoginRequired));
        }
        if let Some(agreed) = &agreed {
            if !use_ticket(conn, agreed.jti, until)? {
                return Ok(Ok(false));
            }
            for consent in &agreed.consents {
                merge(conn, consent)?;
            }
        }
        let knows_user = authorization.scope.contains("openid");
        session_clients::add(conn, session, &authorization.client_id, knows_user)?;
        authorizations::insert(conn, &authorization)?;
        codes::insert(conn, &code)?;
        Ok(Ok(true))
    })?;
    if !first? {
        return Ok(None);
    }
    registration::note_use(cx, &client.id);
    tracing::info!(client = %client.id, user = %known.user.id, authorization = %id, "code issued");
    Ok(Some(valid.reply.grant(&cx.policy.issuer, plain.reveal())))
}

/// Marks a consent page as answered; false when it was before.
pub(super) fn use_ticket(conn: &mut Conn, jti: Id, until: Timestamp) -> Result<bool, StoreError> {
    used_jtis::use_once(conn, CONSENT_PAGE, &jti.to_string(), until)
}

/// Adds what was agreed now to what was agreed before.
fn merge(conn: &mut Conn, consent: &Consent) -> Result<(), StoreError> {
    let before = consents::of(conn, consent.user_id, &consent.client_id)?;
    let mut merged = consent.clone();
    if let Some(before) = before.into_iter().find(|known| known.resource == consent.resource) {
        merged.scope = before.scope.union(&consent.scope);
    }
    consents::put(conn, &merged)
}

fn authorization(
    cx: &Cx,
    client: &Client,
    valid: &ValidRequest,
    known: &SignedIn,
) -> Result<Authorization, OAuthError> {
    let session = Some(known.session.id);
    let mut authorization = Authorization {
        id: Id::random(&*cx.entropy)?,
        client_id: client.id.clone(),
        user_id: known.user.id,
        session_id: session,
        scope: valid.scope.clone(),
        resources: valid.resources.clone(),
        authenticated_at: known.session.authenticated_at,
        nonce: valid.nonce.clone(),
        asked: valid.asked.clone(),
        created_at: cx.now,
        expires_at: cx.now,
        revoked: None,
    };
    let session_ends_at = authorization.bound_to(client).map(|_| known.session.expires_at);
    let until = |at: Timestamp| session_ends_at.map_or(at, |end| at.min(end));
    // The one access token that comes from it at least, at the last moment of its code.
    let lives = mint::longest_access_token(&cx.policy, &cx.snapshot, client, &valid.resources);
    let mut expires_at = cx.now + cx.policy.code_ttl + lives;
    if gives_refresh_token(client, &valid.scope, session) {
        let refreshed = until(cx.now + cx.policy.refresh_lives(client).family);
        // Without offline_access the session may be shorter than that token; it is asked for at each refresh.
        expires_at = if session_ends_at.is_some() { refreshed.max(expires_at) } else { refreshed };
    }
    // What a public client holds never outlives the browser session.
    authorization.expires_at = if client.is_public() { until(expires_at) } else { expires_at };
    Ok(authorization)
}
