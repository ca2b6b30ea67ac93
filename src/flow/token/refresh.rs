//! The refresh token grant (RFC 6749 §6) with rotation (RFC 9700 §4.14.2).
//!
//! ```text
//! RT1 ─► used, RT2 given ─► used, RT3 given …        one family: one authorization
//! RT1 again, within the grace ─► the same successor  (see `successor`)
//! RT1 again, later ─► the whole family is revoked, and that is committed
//! ```
//!
//! The client has proved itself before. Then, in one transaction: the hash is looked up; same client; the authorization
//! lives; the user is enabled; the session rules hold; the scope is a subset; rotate. A used token within its grace goes
//! the same way. A reuse is told as soon as the authorization is known to live: a thief is not to be overlooked because
//! he asked for too much.

use std::sync::Arc;

use oxide_auth::code_grant::refresh::{Error as MachineError, Input, Output, Refresh};
use oxide_auth::primitives::grant::Extensions;

use crate::base::{Entropy, Id, PlainToken, Seconds, Timestamp, TokenKind};
use crate::domain::{Authorization, Client, RefreshToken, RevocationReason, Session, User};
use crate::flow::mint::{self, Prepared};
use crate::flow::target::{self, Target, TokenTarget};
use crate::flow::{Cx, Policy, Snapshot};
use crate::oauth::{ErrorCode, GrantType, OAuthError, Params, Scope};
use crate::store::{Conn, StoreError, authorizations, refresh_tokens, roles, sessions, users};

use super::successor::Succession;
use super::{By, Granted, GrantedBy, oxide};

/// How far the clocks of two nodes may be apart.
const CLOCK_LEEWAY: Seconds = Seconds(60);

type Outcome = Result<Prepared, Refusal>;

/// Why nothing is given.
enum Refusal {
    Plain(OAuthError),
    /// This request showed a used token, and so the family was revoked.
    Reused(Authorization),
}

impl From<OAuthError> for Refusal {
    fn from(error: OAuthError) -> Self {
        Self::Plain(error)
    }
}

pub(super) fn run(cx: &Cx, client: Arc<Client>, params: &Params) -> Result<Prepared, OAuthError> {
    let text = params.require("refresh_token")?;
    let token = PlainToken::parse(TokenKind::Refresh, text)
        .ok_or_else(|| invalid_grant("the refresh token is not one of this server"))?;
    let rotation = Rotation {
        now: cx.now,
        token,
        succession: Succession::prepare(cx, &client)?,
        client,
        params: params.clone(),
        snapshot: Arc::clone(&cx.snapshot),
        policy: Arc::clone(&cx.policy),
        entropy: Arc::clone(&cx.entropy),
    };
    match cx.store.write("refresh", move |conn| rotation.rotate(conn))? {
        Ok(granted) => Ok(granted),
        Err(Refusal::Plain(error)) => Err(error),
        Err(Refusal::Reused(authorization)) => {
            // Only now: the revocation is committed.
            tracing::warn!(
                target: "countersign::security",
                event = "refresh_token_reused",
                authorization = %authorization.id,
                client = %authorization.client_id,
                user = %authorization.user_id,
                "a used refresh token was shown again; all that was given with it is revoked"
            );
            Err(used_before().because(format!("authorization {} is revoked", authorization.id)))
        }
    }
}

struct Rotation {
    now: Timestamp,
    token: PlainToken,
    succession: Succession,
    client: Arc<Client>,
    params: Params,
    snapshot: Arc<Snapshot>,
    policy: Arc<Policy>,
    entropy: Arc<dyn Entropy>,
}

impl Rotation {
    fn rotate(&self, conn: &mut Conn) -> Result<Outcome, StoreError> {
        let hash = self.token.hash();
        let Some(token) = refresh_tokens::find(conn, &hash)? else {
            return refused(invalid_grant("the refresh token is unknown or has expired"));
        };
        let Some(authorization) = authorizations::find(conn, token.authorization_id)? else {
            return refused(invalid_grant("the authorization of this refresh token is gone"));
        };
        // RFC 6749 §6: "the authorization server MUST […] validate the refresh token" and that it "was issued to the
        // authenticated client". Another client's attempt changes nothing.
        if authorization.client_id != self.client.id {
            return refused(invalid_grant("the refresh token was given to another client"));
        }
        if !authorization.is_alive(self.now) {
            let why = match authorization.revoked {
                Some(_) => "the refresh token was revoked",
                None => "the refresh token has expired",
            };
            return refused(invalid_grant(why));
        }
        if token.used_at.is_some_and(|at| at > self.now + CLOCK_LEEWAY) {
            // A clock went back, of this node or of another: nobody can say how long ago it was used, and nobody stole it.
            return refused(invalid_grant(
                "the refresh token was used before, by a clock that is ahead of this one",
            ));
        }
        match token.used_at {
            Some(used_at) if !self.succession.is_in_grace(used_at) => {
                return self.reused(conn, authorization);
            }
            None if self.ends_at(&token, &authorization).is_past(self.now) => {
                return refused(invalid_grant("the refresh token has expired"));
            }
            _ => {}
        }
        let living = living_user(conn, &self.client, &authorization, self.now, &self.policy)?;
        let (user, session) = match living {
            Ok(living) => living,
            Err(error) => return refused(error),
        };
        let target = match self.run_machine(&authorization) {
            Ok(target) => target,
            Err(error) => return refused(error),
        };
        if let Err(error) = mint::can_make(&self.snapshot, &self.policy, &self.client, &target) {
            return refused(error);
        }
        let next = if token.used_at.is_some() {
            match self.succession.again(conn, &self.token, token)? {
                Ok(Some(next)) => next,
                Ok(None) => return self.reused(conn, authorization),
                Err(error) => return refused(error),
            }
        } else if let Some(next) = self.succession.first(conn, &self.token, &token)? {
            store(conn, &next, &authorization, &self.client, self.now, &self.policy)?;
            next
        } else {
            // Another request came first, and what was read before is out of date. Now the token is used.
            return self.rotate(conn);
        };
        // Whoever uses an application uses the session that it hangs on.
        if let Some(session) = session.filter(|session| session.is_stale(self.now, self.policy.session_idle))
        {
            sessions::touch(conn, session.id, self.now)?;
        }
        let roles = roles_for(conn, &self.client, &target, authorization.user_id)?;
        // OpenID Connect Core §12.2: "it SHOULD NOT have a nonce Claim".
        let mut by = GrantedBy::of(&authorization, user, roles, None, &target);
        // What is bound to a session has been found alive with it; what outlives one is asked for here, where it is told.
        if by.id_token
            && authorization.bound_to(&self.client).is_none()
            && let Some(id) = by.session_id
            && !is_alive(conn, id, self.now, &self.policy)?
        {
            by.session_id = None;
        }
        let client = Arc::clone(&self.client);
        let granted = Granted { client, target, by: By::User(by), refresh_token: Some(next) };
        mint::prepare(conn, self.now, &self.policy, &*self.entropy, granted).map(Ok)
    }

    fn ends_at(&self, token: &RefreshToken, authorization: &Authorization) -> Timestamp {
        token.ends_at(authorization, self.policy.refresh_lives(&self.client))
    }

    /// RFC 9700 §4.14.2: "the authorization server […] will revoke the active refresh token."
    fn reused(&self, conn: &mut Conn, authorization: Authorization) -> Result<Outcome, StoreError> {
        let reason = RevocationReason::RefreshTokenReused;
        if authorizations::revoke(conn, authorization.id, self.now, reason)? {
            return Ok(Err(Refusal::Reused(authorization)));
        }
        // Another request told of it.
        refused(used_before())
    }

    /// oxide-auth's machine judges the client and that the scope does not grow; `target` then picks the audience.
    fn run_machine(&self, authorization: &Authorization) -> Result<TokenTarget, OAuthError> {
        let request =
            oxide::Request { client_id: self.client.id.as_str(), params: &self.params, redirect_uri: None };
        let mut machine = Refresh::new(&request);
        let mut input = Input::None;
        let scope = loop {
            input = match machine.advance(input) {
                Output::Unauthenticated { client, .. } if client == self.client.id.as_str() => {
                    Input::Authenticated { scope: None }
                }
                Output::Unauthenticated { .. } => return Err(oxide::fault("asked for another client")),
                Output::RecoverRefresh { .. } => Input::Recovered {
                    scope: self.params.get("scope").map(Into::into),
                    grant: Some(oxide::grant(
                        authorization.client_id.as_str(),
                        authorization.user_id.to_string(),
                        &authorization.scope,
                        oxide::no_redirect()?,
                        Extensions::new(),
                    )?),
                },
                Output::Refresh { grant, .. } => break grant.scope,
                Output::Ok(_) => return Err(oxide::fault("issued by itself")),
                Output::Err(MachineError::Invalid(_)) => {
                    return Err(OAuthError::new(ErrorCode::InvalidScope)
                        .describe("the scope is malformed or goes beyond what was granted"));
                }
                Output::Err(_) => return Err(oxide::fault("failed")),
            };
        };
        // The machine's scope has no order; the granted one has.
        let asked: Scope =
            scope.to_string().parse().map_err(|_| oxide::fault("gave a scope that is none"))?;
        // RFC 6749 §3.3: "scope = scope-token *( SP scope-token )". The machine takes blanks alone for a scope of nothing.
        if asked.is_empty() && self.params.get("scope").is_some() {
            return Err(OAuthError::new(ErrorCode::InvalidScope).describe("the scope has no value"));
        }
        let allowed = Target {
            scope: authorization.scope.filter(|value| asked.contains(value)),
            resources: authorization.resources.clone(),
        };
        target::narrowed(&self.snapshot, &self.client, &allowed, self.params.resources())
    }
}

/// The user of a living authorization, neither locked nor signed out, and the browser session that it is bound to, if any.
pub(super) fn living_user(
    conn: &mut Conn,
    client: &Client,
    authorization: &Authorization,
    now: Timestamp,
    policy: &Policy,
) -> Result<Result<(User, Option<Session>), OAuthError>, StoreError> {
    let user = match users::find(conn, authorization.user_id)? {
        Some(user) if user.is_active() => user,
        _ => return Ok(Err(invalid_grant("the user's account is locked or gone"))),
    };
    // What a public client holds never outlives the browser session that it came from, nor does what was given without
    // offline_access.
    let Some(id) = authorization.bound_to(client) else { return Ok(Ok((user, None))) };
    match sessions::find(conn, id)? {
        Some(session) if session.is_alive(now, policy.session_idle) => Ok(Ok((user, Some(session)))),
        _ => Ok(Err(invalid_grant("the user's session has ended"))),
    }
}

fn is_alive(conn: &mut Conn, session: Id, now: Timestamp, policy: &Policy) -> Result<bool, StoreError> {
    Ok(sessions::find(conn, session)?.is_some_and(|s| s.is_alive(now, policy.session_idle)))
}

/// The user's roles, if anything that is told of the user needs them.
pub(super) fn roles_for(
    conn: &mut Conn,
    client: &Client,
    target: &TokenTarget,
    user: Id,
) -> Result<Vec<String>, StoreError> {
    let told_to_the_api = target.server.as_ref().is_some_and(|server| server.wants_roles());
    if told_to_the_api || client.openid.claims.want_roles() {
        return roles::of_user(conn, user);
    }
    Ok(Vec::new())
}

/// Whether a new authorization comes with a refresh token: the client may refresh, and the user allowed `offline_access`
/// (OpenID Connect Core §11) or there is a browser session, which the token then lives no longer than.
pub(in crate::flow) fn gives_refresh_token(client: &Client, scope: &Scope, session: Option<Id>) -> bool {
    client.may(GrantType::RefreshToken) && (scope.contains("offline_access") || session.is_some())
}

/// The first refresh token of a family, where it has one.
pub(super) fn first_token(
    conn: &mut Conn,
    authorization: &Authorization,
    client: &Client,
    now: Timestamp,
    policy: &Policy,
    entropy: &dyn Entropy,
) -> Result<Option<PlainToken>, StoreError> {
    if !gives_refresh_token(client, &authorization.scope, authorization.session_id) {
        tracing::info!(
            client = %client.id,
            "no refresh token: the client lacks the grant, or there is neither offline_access nor a session"
        );
        return Ok(None);
    }
    let plain = PlainToken::refresh(now, entropy)?;
    store(conn, &plain, authorization, client, now, policy)?;
    Ok(Some(plain))
}

fn store(
    conn: &mut Conn,
    plain: &PlainToken,
    authorization: &Authorization,
    client: &Client,
    now: Timestamp,
    policy: &Policy,
) -> Result<(), StoreError> {
    let token = RefreshToken {
        hash: plain.hash(),
        authorization_id: authorization.id,
        created_at: now,
        // Not the family's end: rows that are written one after another are swept one after another.
        expires_at: now + policy.refresh_lives(client).family,
        used_at: None,
        successor_key: None,
    };
    refresh_tokens::insert(conn, &token)
}

fn refused(error: OAuthError) -> Result<Outcome, StoreError> {
    Ok(Err(error.into()))
}

fn used_before() -> OAuthError {
    invalid_grant("the refresh token was used before")
}

fn invalid_grant(text: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidGrant).describe(text)
}
