//! What an authentication request asks to be told, and by whom it must be answered: `claims` (OpenID Connect Core 1.0 §5.5),
//! `acr_values`, `max_age` and `id_token_hint` (§3.1.2.1), with what the client said once and for all (OpenID Connect Dynamic
//! Client Registration 1.0 §2). RFC 9470 §4 sends clients here with `acr_values` and `max_age`.

use crate::domain::Client;
use crate::flow::{Cx, claims};
use crate::oauth::claims_request::Wish;
use crate::oauth::{Acr, Asked, ClaimsRequest, ErrorCode, OAuthError, Params, Scope};

/// What was asked.
pub(super) struct Questions {
    /// What the answer is to tell.
    pub(super) asked: Asked,
    /// The most seconds since the user last proved who they are.
    pub(super) max_age_s: Option<i64>,
    /// By which of these subjects the request must be answered; by anybody where there is none.
    pub(super) expected_subjects: Vec<String>,
}

pub(super) fn read(
    cx: &Cx,
    client: &Client,
    params: &Params,
    scope: &Scope,
) -> Result<Questions, OAuthError> {
    let requested = match params.get("claims") {
        Some(text) => ClaimsRequest::parse(text).map_err(invalid)?,
        None => ClaimsRequest::default(),
    };
    let max_age_s = max_age(params)?.or(client.openid.default_max_age_s);
    // Without openid it is no authentication request, and there is nobody who would be told.
    let requested = if scope.contains("openid") { requested } else { ClaimsRequest::default() };
    let of_id_token = |name: &str| requested.id_token.get(name);
    if let Some(acr) = of_id_token("acr") {
        reachable(acr)?;
    }
    let named = requested.id_token.get("sub").into_iter().chain(requested.userinfo.get("sub"));
    let mut subjects = Vec::new();
    for wish in named.filter(|wish| !wish.values.is_empty()) {
        subjects.push(wish.texts("sub").map_err(invalid)?);
    }
    subjects.extend(hinted(cx, client, params)?.map(|subject| vec![subject]));
    let has_acr_values = params.get("acr_values").is_some() || !client.openid.default_acr_values.is_empty();
    let asked = Asked {
        auth_time: max_age_s.is_some() || of_id_token("auth_time").is_some(),
        acr: has_acr_values || of_id_token("acr").is_some(),
        amr: of_id_token("amr").is_some(),
        // §5.5: what is not understood is ignored; so is what the client may not ask for.
        claims: requested.filter(|name| claims::may_ask(client, name)),
    };
    Ok(Questions { asked, max_age_s, expected_subjects: common(subjects)? })
}

/// OpenID Connect Core §5.5.1.1: "If the acr Claim is requested as an Essential Claim for the ID Token with a values parameter
/// requesting specific Authentication Context Class Reference values and the implementation supports the claims parameter,
/// the Authorization Server MUST return an acr Claim Value that matches one of the requested values. […] If this is an
/// Essential Claim and the requirement cannot be met, then the Authorization Server MUST treat that outcome as a failed
/// authentication attempt." What is not essential is a preference, as acr_values is (§3.1.2.1: "requested as a Voluntary
/// Claim").
fn reachable(acr: &Wish) -> Result<(), OAuthError> {
    let values = acr.texts("acr").map_err(invalid)?;
    if acr.essential && !values.is_empty() && !values.iter().any(|value| Acr::is_reachable(value)) {
        return Err(OAuthError::new(ErrorCode::UnmetAuthenticationRequirements));
    }
    Ok(())
}

/// The subjects that are in every list.
fn common(lists: Vec<Vec<String>>) -> Result<Vec<String>, OAuthError> {
    let Some((first, others)) = lists.split_first() else { return Ok(Vec::new()) };
    let in_all = |subject: &&String| others.iter().all(|list| list.contains(*subject));
    let common: Vec<String> = first.iter().filter(in_all).cloned().collect();
    if common.is_empty() {
        return Err(invalid("claims and id_token_hint ask for different users".to_owned()));
    }
    Ok(common)
}

fn max_age(params: &Params) -> Result<Option<i64>, OAuthError> {
    let Some(text) = params.get("max_age") else { return Ok(None) };
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(seconds) if digits => Ok(Some(seconds)),
        _ => Err(invalid("max_age is a number of seconds".to_owned())),
    }
}

/// OpenID Connect Core §3.1.2.1: `id_token_hint` names the user whom the client expects; it may have expired.
fn hinted(cx: &Cx, client: &Client, params: &Params) -> Result<Option<String>, OAuthError> {
    let Some(hint) = params.get("id_token_hint") else { return Ok(None) };
    let refuse = |text: &str| invalid(text.to_owned());
    let claims = cx
        .snapshot
        .keys
        .verify_hint(hint)
        .map_err(|e| refuse("id_token_hint is not an ID token of this server").because(e.to_string()))?;
    let is = |name: &str, value: &str| claims.get(name).and_then(|claim| claim.as_str()) == Some(value);
    if !is("iss", &cx.policy.issuer) || !is("aud", client.id.as_str()) {
        return Err(refuse("id_token_hint was not issued by this server to this client"));
    }
    match claims.get("sub").and_then(|claim| claim.as_str()) {
        Some(subject) => Ok(Some(subject.to_owned())),
        None => Err(refuse("id_token_hint has no sub")),
    }
}

fn invalid(text: String) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest).describe(text)
}
