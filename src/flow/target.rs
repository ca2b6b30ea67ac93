//! Which resource servers a request is for, and with which scope.
//!
//! RFC 8707 (resource indicators) and RFC 9068 §3: an access token has exactly one audience, so that a scope value that
//! two resource servers know cannot be taken for the other's. An authorization may cover several; each token request
//! then names one.

use std::sync::Arc;

use crate::domain::resource_server::IDENTITY_SCOPES;
use crate::domain::{Client, ResourceServer};
use crate::oauth::{ErrorCode, GrantType, OAuthError, Params, Resource, Scope};

use super::Snapshot;

/// What a request asks for, once it is known to be allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What is asked for.
    pub scope: Scope,
    /// For which resource servers; none when it is only about who the user is.
    pub resources: Vec<Resource>,
}

/// Whether a scope value belongs to this server itself.
#[must_use]
pub fn is_identity(scope: &str) -> bool {
    IDENTITY_SCOPES.contains(&scope)
}

/// Reads `scope` and `resource` of a request that starts a grant.
///
/// # Errors
/// `invalid_scope`, `invalid_target`.
pub fn requested(snapshot: &Snapshot, client: &Client, params: &Params) -> Result<Target, OAuthError> {
    let named = named_resources(snapshot, client, params)?;
    let scope = match params.get("scope") {
        Some(text) => requested_scope(snapshot, client, text)?,
        None => default_scope(snapshot, client, &named),
    };
    let resources = if named.is_empty() { inferred(snapshot, client, &scope)? } else { named };
    for value in scope.iter().filter(|value| !is_identity(value.as_str())) {
        if !resources.iter().any(|id| owns(snapshot, id, value.as_str())) {
            return Err(invalid_scope(format!(
                "{value} belongs to none of the resources that the request names"
            )));
        }
    }
    Ok(Target { scope, resources })
}

/// `resource` (RFC 8707 §2): each must be known and allowed for the client.
fn named_resources(
    snapshot: &Snapshot,
    client: &Client,
    params: &Params,
) -> Result<Vec<Resource>, OAuthError> {
    let mut named: Vec<Resource> = Vec::new();
    for text in params.resources() {
        let id: Resource =
            text.parse().map_err(|e: String| OAuthError::new(ErrorCode::InvalidTarget).describe(e))?;
        if !client.resources.contains(&id) || snapshot.resource_server(&id).is_none() {
            return Err(OAuthError::new(ErrorCode::InvalidTarget)
                .describe(format!("the resource {id} is unknown or not allowed for this client")));
        }
        if !named.contains(&id) {
            named.push(id);
        }
    }
    Ok(named)
}

/// The same in a browser session. What a public client holds ends with that, `offline_access` or not: nobody is asked to agree
/// to what is not given.
pub fn requested_in_session(
    snapshot: &Snapshot,
    client: &Client,
    params: &Params,
) -> Result<Target, OAuthError> {
    let mut target = requested(snapshot, client, params)?;
    if client.is_public() && target.scope.contains("offline_access") {
        tracing::info!(client = %client.id, "offline_access ignored: what a public client holds ends with the session");
        target.scope = target.scope.filter(|value| value != "offline_access");
        if target.scope.is_empty() {
            return Err(invalid_scope(
                "this client is not given offline_access: it has no secret".to_owned(),
            ));
        }
    }
    Ok(target)
}

/// OpenID Connect Core §3.1.2.1: "Scope values used that are not understood by an implementation SHOULD be ignored."
/// What is understood and not allowed is refused.
fn requested_scope(snapshot: &Snapshot, client: &Client, text: &str) -> Result<Scope, OAuthError> {
    let mut asked: Scope = text.parse().map_err(invalid_scope)?;
    // OpenID Connect Core §11: "The Authorization Server MUST ignore the offline_access request unless the Client is using a
    // response_type value that would result in an Authorization Code being returned"; so it is where the code brings no
    // refresh token. Many single-page libraries ask for it out of habit.
    let brings_none = client.may(GrantType::AuthorizationCode) && !client.may(GrantType::RefreshToken);
    if brings_none && asked.contains("offline_access") {
        tracing::info!(client = %client.id, "offline_access ignored: the client may not use the refresh_token grant");
        asked = asked.filter(|value| value != "offline_access");
    }
    let known = asked.filter(|value| snapshot.knows_scope(value));
    if known != asked {
        let ignored = asked.filter(|value| !snapshot.knows_scope(value));
        tracing::info!(client = %client.id, %ignored, "scope values ignored: nothing here knows them");
    }
    if let Some(value) = known.iter().find(|value| !client.scope.contains(value.as_str())) {
        return Err(invalid_scope(format!("this client may not ask for the scope {value}")));
    }
    if known.is_empty() {
        return Err(invalid_scope("none of the scopes asked for exists here".to_owned()));
    }
    Ok(known)
}

/// RFC 6749 §3.3: without `scope` the server processes "using a pre-defined default value": all that the client may have
/// at the resources that the request is for.
fn default_scope(snapshot: &Snapshot, client: &Client, named: &[Resource]) -> Scope {
    let resources = if named.is_empty() { client.resources.as_slice() } else { named };
    client.scope.filter(|value| resources.iter().any(|id| owns(snapshot, id, value)))
}

/// RFC 9068 §3: "If a scope parameter is present in the request, the authorization server SHOULD use it to infer the
/// value of the default resource indicator to be used in the aud claim."
fn inferred(snapshot: &Snapshot, client: &Client, scope: &Scope) -> Result<Vec<Resource>, OAuthError> {
    let mut resources: Vec<Resource> = Vec::new();
    for value in scope.iter().filter(|value| !is_identity(value.as_str())) {
        let mut owners = client.resources.iter().filter(|id| owns(snapshot, id, value.as_str()));
        match (owners.next(), owners.next()) {
            (Some(owner), None) => {
                if !resources.contains(owner) {
                    resources.push(owner.clone());
                }
            }
            (None, _) => {
                return Err(invalid_scope(format!(
                    "no resource that this client may use has the scope {value}"
                )));
            }
            (Some(_), Some(_)) => {
                return Err(invalid_scope(format!(
                    "several resources have the scope {value}: name one by resource"
                )));
            }
        }
    }
    if resources.is_empty() && !scope.contains("openid") {
        return match client.resources.as_slice() {
            [only] => Ok(vec![only.clone()]),
            [] => Err(invalid_scope("this client has no resource server to get a token for".to_owned())),
            _ => Err(OAuthError::new(ErrorCode::InvalidTarget)
                .describe("this client may use several resources: name one by resource")),
        };
    }
    Ok(resources)
}

fn owns(snapshot: &Snapshot, id: &Resource, scope: &str) -> bool {
    snapshot.resource_server(id).is_some_and(|server| server.owns(scope))
}

/// What one access token is for.
#[derive(Clone)]
pub struct TokenTarget {
    /// Its scope.
    pub scope: Scope,
    /// Its audience; none stands for this server itself.
    pub server: Option<Arc<ResourceServer>>,
}

/// Chooses the one audience of an access token from what was granted.
///
/// What the client may have today counts, not what it could have when the grant was made.
///
/// # Errors
/// `invalid_target` when the request names a resource that was not granted, or none where several were;
/// `invalid_scope` when nothing of the scope is left.
pub fn narrowed(
    snapshot: &Snapshot,
    client: &Client,
    granted: &Target,
    named: &[String],
) -> Result<TokenTarget, OAuthError> {
    let invalid = |text: String| Err(OAuthError::new(ErrorCode::InvalidTarget).describe(text));
    let id = match (named, granted.resources.as_slice()) {
        ([], []) => None,
        ([], [only]) => Some(only.clone()),
        ([], several) => {
            return invalid(format!(
                "the grant covers {} resources: name one of them by resource",
                several.len()
            ));
        }
        ([one], granted) => match granted.iter().find(|id| id.as_str() == one) {
            Some(id) => Some(id.clone()),
            None => return invalid(format!("the grant does not cover the resource {one}")),
        },
        _ => return invalid("an access token is for one resource: name one in each request".to_owned()),
    };
    let server = match id {
        None => None,
        Some(id) => match snapshot.resource_server(&id) {
            Some(server) if client.resources.contains(&id) => Some(Arc::clone(server)),
            _ => return invalid(format!("the resource {id} is no longer allowed for this client")),
        },
    };
    let scope = granted.scope.filter(|value| {
        client.scope.contains(value)
            && (is_identity(value) || server.as_ref().is_some_and(|server| server.owns(value)))
    });
    if scope.is_empty() && !granted.scope.is_empty() {
        return Err(invalid_scope(
            "nothing of the granted scope is left for this client at this resource".to_owned(),
        ));
    }
    Ok(TokenTarget { scope, server })
}

fn invalid_scope(text: String) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidScope).describe(text)
}
