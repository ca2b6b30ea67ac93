//! Token exchange (RFC 8693): a client that was called with a token gets one for the service that it calls itself.
//!
//! ```text
//! subject token ─► alive, and for an audience that a rule of the client lets it exchange
//! actor token   ─► alive, and the client's own or likewise for it: it stands in `act`; without one, the client acts as
//!                  the subject, and only `client_id` says so
//! target        ─► one resource server, which that rule names
//! scope         ─► what the client may have there; of what the subject token could have carried, only what it did
//! ```
//!
//! Nothing is stored but an opaque token, where the target takes such. The new token is of the subject token's family (the
//! user's authorization, or an API token), so that it dies with that, and never lives longer than the subject token. A
//! subject token that is revoked alone, or that a client had for itself, takes nothing along: what came of it runs out.

use std::borrow::Cow;
use std::sync::Arc;

use crate::base::Timestamp;
use crate::domain::resource_server::TokenFormat;
use crate::domain::{Client, ResourceServer};
use crate::flow::mint::{self, Prepared};
use crate::flow::recognise::{self, Form, Recognised};
use crate::flow::target::TokenTarget;
use crate::flow::{Cx, subject as subjects};
use crate::oauth::token_response::IssuedTokenType;
use crate::oauth::{Actor, ErrorCode, OAuthError, Params, Resource, Scope};

use super::{By, Exchanged, Granted, refresh};

/// The most parties that act for one another: each makes the token longer.
const MAX_ACTORS: usize = 8;

pub(super) fn run(cx: &Cx, client: Arc<Client>, params: &Params) -> Result<Prepared, OAuthError> {
    let issued = issued_token_type(params)?;
    let subject = subject(cx, &client, params)?;
    let server = target(cx, &client, &subject, params)?;
    if issued == IssuedTokenType::Jwt && server.token_format == TokenFormat::Opaque {
        return Err(invalid_request(
            "the tokens of this resource are no JWTs: leave requested_token_type out",
        ));
    }
    let actor = actor(cx, &client, &server.id, params)?;
    let scope = scope(cx, &client, &subject, &server, params)?;
    let target = TokenTarget { scope, server: Some(server) };
    let roles = match &subject.user {
        Some(user) => cx.store.read("roles", |conn| refresh::roles_for(conn, &client, &target, user.id))?,
        None => Vec::new(),
    };
    let family = match subject.form {
        // An API token is the first of its family.
        Form::Api => Some(subject.claims.jti.to_string()),
        Form::Jwt | Form::Opaque => subject.claims.family().map(str::to_owned),
    };
    let exchanged = Exchanged {
        family,
        roles,
        act: chain(actor, subject.claims.act)?,
        sub: match &subject.user {
            // The holder of the new token knows the user by a name of its own, if it does.
            Some(user) => subjects::sub_for(&cx.policy, &client, user.id),
            None => subject.claims.sub.into_owned(),
        },
        user: subject.user,
        auth_time: subject.claims.auth_time,
        acr: subject.claims.acr.map(Cow::into_owned),
        amr: subject.claims.amr.into_owned(),
        ends_at: Timestamp(subject.claims.exp),
        issued,
    };
    mint::prepare_alone(cx, Granted { client, target, by: By::Token(exchanged), refresh_token: None })
}

fn issued_token_type(params: &Params) -> Result<IssuedTokenType, OAuthError> {
    let Some(text) = params.get("requested_token_type") else { return Ok(IssuedTokenType::AccessToken) };
    IssuedTokenType::parse(text)
        .ok_or_else(|| invalid_request("requested_token_type is that of an access token or of a JWT"))
}

/// RFC 8693 §2.1: "A security token that represents the identity of the party on behalf of whom the request is being made."
fn subject(cx: &Cx, client: &Client, params: &Params) -> Result<Recognised, OAuthError> {
    let text = params.require("subject_token")?;
    let kind = params.require("subject_token_type")?;
    let subject = shown(cx, "subject_token", text, kind)?;
    // RFC 8693 §2.2.2: "if either the "subject_token" or "actor_token" are invalid for any reason, or are unacceptable based
    // on policy, […] The value of the "error" parameter MUST be the "invalid_request" error code."
    if !client.exchange.iter().any(|rule| rule.from.as_str() == subject.claims.aud) {
        return Err(invalid_request(
            "this client may not exchange tokens for the audience of this subject_token",
        )
        .because(format!("no rule of the client begins with {}", subject.claims.aud)));
    }
    Ok(subject)
}

/// RFC 8693 §2.1: "A security token that represents the identity of the acting party."
fn actor(cx: &Cx, client: &Client, to: &Resource, params: &Params) -> Result<Option<Recognised>, OAuthError> {
    let (text, kind) = match (params.get("actor_token"), params.get("actor_token_type")) {
        (None, None) => return Ok(None),
        (Some(text), Some(kind)) => (text, kind),
        (Some(_), None) => return Err(invalid_request("actor_token_type is missing")),
        // RFC 8693 §2.1: actor_token_type "is REQUIRED when the "actor_token" parameter is present in the request but MUST
        // NOT be included otherwise."
        (None, Some(_)) => return Err(invalid_request("actor_token_type is given without actor_token")),
    };
    let actor = shown(cx, "actor_token", text, kind)?;
    let is_own = actor.claims.client_id == client.id.as_str();
    if !is_own && !client.may_exchange(&actor.claims.aud, to) {
        return Err(invalid_request("this client may not let the holder of this actor_token act")
            .because(format!("it is neither the client's own nor for an audience that leads to {to}")));
    }
    if actor.claims.act.is_some() {
        return Err(invalid_request("somebody else acts in this actor_token already"));
    }
    Ok(Some(actor))
}

/// A living token of this server.
fn shown(cx: &Cx, name: &'static str, text: &str, kind: &str) -> Result<Recognised, OAuthError> {
    let Some(kind) = IssuedTokenType::parse(kind) else {
        return Err(invalid_request(format!("{name}_type is that of an access token or of a JWT")));
    };
    let token = recognise::access_token(cx, text)?.map_err(|dead| {
        invalid_request(format!("{name} is no living access token of this server")).because(dead.0)
    })?;
    match (kind, token.form) {
        (IssuedTokenType::AccessToken, _) | (IssuedTokenType::Jwt, Form::Jwt) => Ok(token),
        (IssuedTokenType::Jwt, Form::Opaque | Form::Api) => {
            Err(invalid_request(format!("{name} is an access token, but no JWT: {name}_type says otherwise")))
        }
    }
}

/// RFC 8693 §2.1 has `resource` and `audience`; here both are the id of a resource server, and exactly one is meant.
fn target(
    cx: &Cx,
    client: &Client,
    subject: &Recognised,
    params: &Params,
) -> Result<Arc<ResourceServer>, OAuthError> {
    let invalid = |text| OAuthError::new(ErrorCode::InvalidTarget).describe(text);
    let mut named = params.resources().iter().chain(params.audiences());
    let Some(text) = named.next() else {
        return Err(invalid("name the one target of the token by resource or audience"));
    };
    if named.any(|other| other != text) {
        return Err(invalid("an access token is for one resource: name one in each request"));
    }
    // RFC 8693 §2.2.2: "If the authorization server is unwilling or unable to issue a token for any target service indicated by
    // the "resource" or "audience" parameters, the "invalid_target" error code SHOULD be used".
    let not_allowed = || {
        invalid("this target is unknown, or not one that this client may exchange this subject_token for")
            .because(format!("no rule of the client goes from {} to {text}", subject.claims.aud))
    };
    let id: Resource = text.parse().map_err(|_| not_allowed())?;
    match cx.snapshot.resource_server(&id) {
        Some(server) if client.may_exchange(&subject.claims.aud, &id) => Ok(Arc::clone(server)),
        _ => Err(not_allowed()),
    }
}

/// RFC 8693 §2.1 lets the scope be one of another service, where the subject token could not say anything: there it is the
/// client's own that counts. What the audience of the subject token knows of, the new token has only where the subject
/// token has it; and what the family was first given for, only where it was given: a way around leads no further.
fn scope(
    cx: &Cx,
    client: &Client,
    subject: &Recognised,
    server: &ResourceServer,
    params: &Params,
) -> Result<Scope, OAuthError> {
    let invalid = |text: String| OAuthError::new(ErrorCode::InvalidScope).describe(text);
    let from = subject.claims.aud.parse().ok().and_then(|id: Resource| cx.snapshot.resource_server(&id));
    let had: Scope = subject.claims.scope.parse().unwrap_or_default();
    let first = &subject.first;
    let given_for = |value: &str| {
        first.resources.iter().filter_map(|id| cx.snapshot.resource_server(id)).any(|known| known.owns(value))
    };
    let allowed = client.scope.filter(|value| {
        let beyond_the_subject = from.is_some_and(|from| !from.owns(value));
        server.owns(value)
            && (beyond_the_subject || had.contains(value))
            && (!given_for(value) || first.scope.contains(value))
    });
    let Some(text) = params.get("scope") else {
        return if allowed.is_empty() && !server.scopes.is_empty() {
            Err(invalid("nothing is left that this client may do for this subject at this target".to_owned()))
        } else {
            Ok(allowed)
        };
    };
    let asked: Scope = text.parse().map_err(invalid)?;
    if asked.is_empty() {
        return Err(invalid("the scope has no value".to_owned()));
    }
    if let Some(value) = asked.iter().find(|value| !allowed.contains(value.as_str())) {
        return Err(invalid(format!("{value} is not for this client, this subject_token or this target")));
    }
    Ok(asked)
}

/// RFC 8693 §4.1: "The outermost "act" claim represents the current actor while nested "act" claims represent prior actors."
/// Without a new one the earlier ones stay: nobody disappears from a chain.
fn chain(actor: Option<Recognised>, earlier: Option<Actor>) -> Result<Option<Actor>, OAuthError> {
    let Some(actor) = actor else { return Ok(earlier) };
    let act = Actor { sub: actor.claims.sub.into_owned(), act: earlier.map(Box::new) };
    let actors = std::iter::successors(Some(&act), |act| act.act.as_deref()).count();
    if actors > MAX_ACTORS {
        return Err(invalid_request(format!("more than {MAX_ACTORS} parties would act for one another")));
    }
    Ok(Some(act))
}

fn invalid_request(text: impl Into<Cow<'static, str>>) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest).describe(text)
}
