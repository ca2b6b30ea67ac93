//! The session grant, this server's own (docs/adr/0008-session-grant.md), in the shape of an extension grant of RFC 6749
//! §4.5: a page of the house's own single-page app asks for tokens, and the cookie of the browser session answers for the
//! user.
//!
//! ```text
//! page ──(A) client_id, scope + session cookie + Origin + Sec-Fetch-*──► token endpoint
//! page ◄─(B) access token, ID token──────────────────────────────────── token endpoint
//! ```
//!
//! The cookie alone proves nothing: the browser sends it with what any page of the site makes it send. Which page it was,
//! only the browser can say; so its word is asked for in each of its forms, and one that says nothing gets nothing.

use std::sync::Arc;

use crate::base::Id;
use crate::domain::{Authorization, Client};
use crate::flow::Cx;
use crate::flow::login::{self, Browser, SignedIn};
use crate::flow::mint::{self, Prepared};
use crate::flow::target::{self, Target};
use crate::oauth::{Asked, ErrorCode, OAuthError};
use crate::store::{authorizations, session_clients, sessions};

use super::{By, Granted, GrantedBy, TokenRequest, refresh};

/// What a browser says of the page that made it send a request, and the cookies that it sent along.
#[derive(Clone, Default)]
pub struct FromPage {
    /// `Origin` (Fetch standard §3.2).
    pub origin: Option<String>,
    /// `Sec-Fetch-Site` (Fetch Metadata Request Headers §2.3).
    pub site: Option<String>,
    /// `Sec-Fetch-Mode` (Fetch Metadata Request Headers §2.2).
    pub mode: Option<String>,
    /// Whether the header is there that no page can set without asking this server first.
    pub is_marked: bool,
    /// The cookies.
    pub browser: Browser,
}

pub(super) fn run(cx: &Cx, client: Arc<Client>, request: &TokenRequest) -> Result<Prepared, OAuthError> {
    check_page(&client, &request.page).inspect_err(|error| report(&client, &request.page, error))?;
    let asked = target::requested(&cx.snapshot, &client, &request.params)?;
    let token_target = target::narrowed(&cx.snapshot, &client, &asked, request.params.resources())?;
    let known = login::signed_in(cx, &request.page.browser)?.ok_or_else(signed_out)?;
    login::touch(cx, &known)?;

    let wanted = authorization(cx, &client, &asked, &known);
    let (id, user) = (wanted.id, known.user.id);
    let (found, roles) = cx.store.read("look for what a session gave", |conn| {
        Ok((authorizations::find(conn, id)?, refresh::roles_for(conn, &client, &token_target, user)?))
    })?;
    let authorization = match found {
        Some(authorization) => authorization,
        None => given(cx, wanted, &known)?,
    };
    if !authorization.is_alive(cx.now) {
        return Err(invalid_grant(
            "what this session gave the client was revoked: the user must sign in again",
        ));
    }
    let by = GrantedBy::of(&authorization, known.user, roles, None, &token_target);
    mint::prepare_alone(cx, Granted { client, target: token_target, by: By::User(by), refresh_token: None })
}

/// That a page of this very client asks, and no other page of the site.
fn check_page(client: &Client, page: &FromPage) -> Result<(), OAuthError> {
    let refuse = |text: &'static str| Err(OAuthError::new(ErrorCode::InvalidRequest).describe(text));
    match &page.origin {
        None => return refuse("Origin is missing: this grant is for web pages, by fetch"),
        Some(origin) if !client.has_origin(origin) => {
            return Err(OAuthError::new(ErrorCode::InvalidRequest)
                .describe("Origin is none of this client's: register it with redirect_uris or origins")
                .because(format!("Origin {origin:?}")));
        }
        Some(_) => {}
    }
    match page.site.as_deref() {
        Some("same-origin" | "same-site") => {}
        None => return refuse("Sec-Fetch-Site is missing: the browser is too old for this grant"),
        Some(_) => {
            return refuse("Sec-Fetch-Site is not same-site: this grant is for pages of this server's site");
        }
    }
    if page.mode.as_deref() != Some("cors") {
        return refuse("Sec-Fetch-Mode is not cors: this grant is for fetch, not for forms");
    }
    if !page.is_marked {
        return refuse("the header Countersign-Session: 1 is missing");
    }
    Ok(())
}

/// A browser that sends the cookie of a session for a page that is not the client's is what this grant fears.
fn report(client: &Client, page: &FromPage, error: &OAuthError) {
    if page.browser.session.is_some() {
        tracing::warn!(
            target: "countersign::security", event = "session_grant_refused",
            client = %client.id, origin = page.origin.as_deref().unwrap_or_default(), why = %error.description,
            "a session cookie came with a request that no page of the client sent"
        );
    }
}

/// What the user gave the client by this login, one row however often it is renewed: its name follows from all that it
/// holds, so that it is found by its key, and a row is written for the first token only.
fn authorization(cx: &Cx, client: &Client, asked: &Target, known: &SignedIn) -> Authorization {
    let session = &known.session;
    let mut scope: Vec<String> = asked.scope.iter().map(ToString::to_string).collect();
    let mut resources: Vec<String> = asked.resources.iter().map(ToString::to_string).collect();
    scope.sort_unstable();
    resources.sort_unstable();
    let (of_session, since) = (session.id.to_string(), session.authenticated_at.0.to_string());
    let id = Id::named(&[
        "session grant",
        &of_session,
        &since,
        client.id.as_str(),
        &scope.join(" "),
        &resources.join(" "),
    ]);
    Authorization {
        id,
        client_id: client.id.clone(),
        user_id: known.user.id,
        session_id: Some(session.id),
        scope: asked.scope.clone(),
        resources: asked.resources.clone(),
        authenticated_at: session.authenticated_at,
        nonce: None,
        asked: Asked::default(),
        created_at: cx.now,
        expires_at: session.expires_at,
        revoked: None,
    }
}

/// Writes the row of the first token. The session is held: it may end at this very moment, and another tab may be here too.
fn given(cx: &Cx, wanted: Authorization, known: &SignedIn) -> Result<Authorization, OAuthError> {
    let session = known.session.id;
    let (id, client, user) = (wanted.id, wanted.client_id.clone(), known.user.id);
    let stored = cx.store.write("session grant", move |conn| {
        if !sessions::hold(conn, session)? {
            return Ok(None);
        }
        if let Some(there) = authorizations::find(conn, wanted.id)? {
            return Ok(Some(there));
        }
        session_clients::add(conn, session, &wanted.client_id, wanted.scope.contains("openid"))?;
        authorizations::insert(conn, &wanted)?;
        Ok(Some(wanted.clone()))
    })?;
    let stored = stored.ok_or_else(signed_out)?;
    tracing::info!(%client, %user, %session, authorization = %id, "authorized by session");
    Ok(stored)
}

fn signed_out() -> OAuthError {
    invalid_grant("nobody is signed in at this browser: there is no session cookie, or the session has ended")
}

fn invalid_grant(text: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidGrant).describe(text)
}
