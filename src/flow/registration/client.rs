//! What the operator's policy makes of what a client asks to be (RFC 7591 §3.2.1: "The authorization server MAY reject
//! or replace any of the client's requested metadata values submitted during the registration and substitute them with
//! suitable values"). The rules are the same at the registration and at each change.

use std::collections::BTreeSet;

use url::Url;

use crate::domain::client::ClientDraft;
use crate::domain::{Client, Problem, Profile};
use crate::flow::target::is_identity;
use crate::flow::{Cx, Snapshot, client_keys};
use crate::oauth::RedirectUri;
use crate::oauth::registration::{ApplicationType, MetadataError};
use crate::oauth::{AuthMethod, ClientId, GrantType, Resource, Scope};

use super::RegistrationPolicy;
use super::metadata::Metadata;

/// A new client of this id.
pub(super) fn new(cx: &Cx, id: ClientId, asked: &Metadata) -> Result<Client, MetadataError> {
    let policy = &cx.policy.registration;
    let profile = profile(policy, asked)?;
    let mut draft = ClientDraft::with_defaults(id, String::new(), profile);
    draft.require_pkce = policy.require_pkce || !profile.is_confidential();
    draft.resources = known_resources(policy, &cx.snapshot);
    draft.scope = Scope::default();
    draft.grant_types.clear();
    checked(cx, draft, asked, cx.now)
}

/// A registered client that asks to be another. What an operator gave it stays.
pub(super) fn changed(cx: &Cx, before: &Client, asked: &Metadata) -> Result<Client, MetadataError> {
    let policy = &cx.policy.registration;
    let mut draft = before.to_draft();
    draft.profile = match profile(policy, asked)? {
        // The operator made it one of the house.
        Profile::Web if before.profile == Profile::FirstParty => Profile::FirstParty,
        profile => profile,
    };
    if before.is_public() || !draft.profile.is_confidential() {
        draft.require_pkce = policy.require_pkce || !draft.profile.is_confidential();
    }
    checked(cx, draft, asked, before.created_at)
}

/// `draft.scope` and `draft.grant_types` are what it may have beside what everybody may.
fn checked(
    cx: &Cx,
    mut draft: ClientDraft,
    asked: &Metadata,
    created_at: crate::base::Timestamp,
) -> Result<Client, MetadataError> {
    let policy = &cx.policy.registration;
    draft.grant_types = grants(policy, draft.profile, &draft.grant_types, asked)?;
    draft.scope = scope(policy, &cx.snapshot, &draft, asked)?;
    draft.redirect_uris.clone_from(&asked.redirect_uris);
    draft.post_logout_redirect_uris.clone_from(&asked.post_logout_redirect_uris);
    draft.name = asked.name.clone().unwrap_or_else(|| default_name(&draft));
    // What no client says of itself: an operator gave it, and it stays.
    let issuer_only = draft.openid.assertion_for_issuer_only;
    let claims = std::mem::take(&mut draft.openid.claims);
    draft.openid.clone_from(&asked.openid);
    draft.openid.assertion_for_issuer_only = issuer_only;
    draft.openid.claims = claims;
    for (field, protection) in [
        ("id_token_signed_response_alg", &draft.openid.id_token),
        ("userinfo_signed_response_alg", &draft.openid.userinfo),
    ] {
        if protection.signing.is_some_and(|algorithm| cx.snapshot.keys.signer(algorithm).is_none()) {
            return Err(MetadataError::of(field, "this server has no key for that algorithm"));
        }
    }
    let client = Client::check(draft, created_at).map_err(|problems| told(&problems))?;
    let problems = client_keys::problems(&client.openid);
    if problems.is_empty() { Ok(client) } else { Err(told(&problems)) }
}

/// What kind of client it is to us.
fn profile(policy: &RegistrationPolicy, asked: &Metadata) -> Result<Profile, MetadataError> {
    let method = asked.auth_method;
    if !policy.auth_methods.contains(&method) {
        let allowed: Vec<&str> = policy.auth_methods.iter().map(|method| method.as_str()).collect();
        let text = format!("{method} is not for clients that register themselves; {}", allowed.join(", "));
        return Err(MetadataError::of("token_endpoint_auth_method", text));
    }
    let by_code = asked.grant_types.contains(&GrantType::AuthorizationCode);
    Ok(match (method, asked.application_type) {
        (AuthMethod::None, ApplicationType::Native) => Profile::Native,
        (AuthMethod::None, ApplicationType::Web) => Profile::Spa,
        _ if by_code => Profile::Web,
        _ => Profile::Service,
    })
}

fn grants(
    policy: &RegistrationPolicy,
    profile: Profile,
    given: &BTreeSet<GrantType>,
    asked: &Metadata,
) -> Result<BTreeSet<GrantType>, MetadataError> {
    let mut grants = asked.grant_types.clone();
    if !profile.is_confidential() && grants.contains(&GrantType::ClientCredentials) {
        // RFC 6749 §4.4: "The client credentials grant type MUST only be used by confidential clients."
        let text = "client_credentials needs another token_endpoint_auth_method than none";
        return Err(MetadataError::of("grant_types", text));
    }
    if let Some(other) =
        grants.iter().find(|grant| !policy.grant_types.contains(grant) && !given.contains(grant))
    {
        let text = format!("{other} is not for clients that register themselves");
        return Err(MetadataError::of("grant_types", text));
    }
    // What the policy gives to nobody, an operator gave to this one; named or not, it stays.
    if profile.is_confidential() {
        grants.extend(given.iter().filter(|grant| !policy.grant_types.contains(grant)).copied());
    }
    // A page in a browser renews with prompt=none here. Many ask for both grants by habit; the answer says what they have.
    if profile == Profile::Spa {
        grants.remove(&GrantType::RefreshToken);
    }
    Ok(grants)
}

/// What is asked for, as far as it is allowed; all that is allowed where nothing is asked for.
fn scope(
    policy: &RegistrationPolicy,
    snapshot: &Snapshot,
    draft: &ClientDraft,
    asked: &Metadata,
) -> Result<Scope, MetadataError> {
    // A scope value of a resource server that is not there would be refused at each request.
    let is_there = |value: &str| {
        is_identity(value)
            || draft.resources.iter().any(|id| snapshot.resource_server(id).is_some_and(|s| s.owns(value)))
    };
    let given = draft.scope.clone();
    let allowed = policy.scope.union(&given).filter(is_there);
    if !asked.grant_types.contains(&GrantType::AuthorizationCode) {
        // Without a user there is nobody to identify.
        let own = allowed.filter(|value| !is_identity(value));
        return Ok(asked
            .scope
            .as_ref()
            .map_or(own.clone(), |scope| scope.filter(|value| own.contains(value))));
    }
    let Some(wanted) = &asked.scope else { return Ok(allowed) };
    let scope = wanted.filter(|value| allowed.contains(value));
    if scope.is_empty() && !wanted.is_empty() {
        let text = format!("nothing of it is for clients that register themselves; {allowed}");
        return Err(MetadataError::of("scope", text));
    }
    Ok(scope)
}

fn known_resources(policy: &RegistrationPolicy, snapshot: &Snapshot) -> Vec<Resource> {
    let there = |id: &&Resource| snapshot.resource_server(id).is_some();
    policy.resources.iter().filter(there).cloned().collect()
}

/// People are shown where it runs, if it says no name.
fn default_name(draft: &ClientDraft) -> String {
    let host = |uri: &str| Url::parse(uri).ok().and_then(|url| url.host_str().map(str::to_owned));
    let home = draft.openid.client_uri.as_deref().and_then(host);
    let name = home.or_else(|| draft.redirect_uris.first().map(RedirectUri::shown_host));
    name.filter(|name| name.len() <= crate::domain::client::MAX_NAME_BYTES)
        .unwrap_or_else(|| draft.id.to_string())
}

/// The rules for all clients, in the words of a registration.
fn told(problems: &[Problem]) -> MetadataError {
    let Some(first) = problems.first() else {
        return MetadataError::of("client", "this client cannot be");
    };
    match first.field {
        "redirect_uris" => MetadataError::redirect(first.field, &first.text),
        // Where the configuration has another name than RFC 7591 §2 and OpenID Connect Dynamic Client Registration 1.0 §2.
        "name" => MetadataError::of("client_name", &first.text),
        "default_max_age_s" => MetadataError::of("default_max_age", &first.text),
        field => MetadataError::of(field, &first.text),
    }
}
