//! A token that a user or a service account made for scripts (an access token that is a name and a secret: RFC 6749 §1.4).
//! It is found by the id in it, so that nobody has to say whose it is, and compared in constant time.

use std::borrow::Cow;

use crate::base::{PlainToken, TokenKind};
use crate::domain::api_token::{ApiToken, Owner, is_service_account};
use crate::domain::custom_claims::About;
use crate::domain::{ResourceServer, User};
use crate::flow::Cx;
use crate::oauth::{AccessTokenClaims, OAuthError, Scope};
use crate::store::{Conn, StoreError, api_tokens, roles, users};

use super::{Dead, First, Form, Recognised};

/// A token whose secret was right, with what its owner is at this moment.
struct Shown {
    token: ApiToken,
    user: Option<User>,
    roles: Vec<String>,
}

pub(super) fn recognise(cx: &Cx, text: &str) -> Result<Result<Recognised, Dead>, OAuthError> {
    let Some(plain) = PlainToken::parse(TokenKind::Api, text) else {
        return Ok(Err(Dead("it is no whole API token: its length or its checksum is wrong")));
    };
    let found = cx.store.read("look at an API token", |conn| find(conn, cx, &plain))?;
    let Some(shown) = found else { return Ok(Err(Dead("there is no such API token"))) };
    Ok(judge(cx, shown))
}

fn find(conn: &mut Conn, cx: &Cx, plain: &PlainToken) -> Result<Option<Shown>, StoreError> {
    let Some(token) = api_tokens::find(conn, plain.id())? else { return Ok(None) };
    if !token.hash.matches(plain.reveal()) {
        return Ok(None);
    }
    let Owner::User(id) = token.owner else {
        return Ok(Some(Shown { token, user: None, roles: Vec::new() }));
    };
    let user = users::find(conn, id)?;
    let wants_roles = cx.snapshot.resource_server(&token.resource).is_some_and(|server| server.wants_roles());
    // Those of this moment, not those of the day on which it was made.
    let roles = if wants_roles { roles::of_user(conn, id)? } else { Vec::new() };
    Ok(Some(Shown { token, user, roles }))
}

fn judge(cx: &Cx, shown: Shown) -> Result<Recognised, Dead> {
    let Shown { token, user, roles } = shown;
    if token.revoked.is_some() {
        return Err(Dead("it was revoked"));
    }
    if !token.is_alive(cx.now) {
        return Err(Dead("it has expired"));
    }
    let server = cx.snapshot.resource_server(&token.resource).ok_or(Dead("its resource server is gone"))?;
    let (sub, client_id, scope) = match &token.owner {
        Owner::User(id) => {
            if !user.as_ref().is_some_and(User::is_active) {
                return Err(Dead("its user's account is locked or gone"));
            }
            // RFC 7662 §2.2 has client_id OPTIONAL: nobody asked for this token but the user.
            (id.to_string(), String::new(), owned(server, &token.scope))
        }
        Owner::Service(id) => {
            let known = cx.snapshot.client(id.as_str()).ok_or(Dead("its client is gone or switched off"))?;
            let client = &known.client;
            if !is_service_account(client) || !client.resources.contains(&token.resource) {
                return Err(Dead("its client may not act for itself at this resource server any more"));
            }
            let scope = owned(server, &token.scope).filter(|value| client.scope.contains(value));
            (id.to_string(), id.to_string(), scope)
        }
    };
    if scope.is_empty() {
        return Err(Dead("nothing is left of its scope"));
    }
    if token.is_stale(cx.now) {
        cx.last_uses.note(&token.id, cx.now);
    }
    let first = First { resources: vec![token.resource.clone()], scope: scope.clone() };
    let custom = server.claims.about(About { user: user.as_ref(), roles: &roles });
    let roles = if server.include_roles { roles } else { Vec::new() };
    let claims = AccessTokenClaims {
        iss: Cow::Owned(cx.policy.issuer.clone()),
        sub: Cow::Owned(sub),
        aud: Cow::Owned(token.resource.to_string()),
        exp: token.expires_at.0,
        iat: token.created_at.0,
        jti: Cow::Owned(token.id),
        client_id: Cow::Owned(client_id),
        scope: Cow::Owned(scope.to_string()),
        auth_time: None,
        acr: None,
        amr: Cow::Owned(Vec::new()),
        roles: Cow::Owned(roles),
        act: None,
        custom,
    };
    Ok(Recognised { claims, form: Form::Api, authorization: None, user, first })
}

/// What the resource server still knows of a scope.
fn owned(server: &ResourceServer, scope: &Scope) -> Scope {
    scope.filter(|value| server.owns(value))
}
