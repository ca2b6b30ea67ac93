//! The checks after the client and its redirect URI are proven, in their order. Each refusal goes back by redirect.

use std::sync::Arc;

use crate::domain::Client;
use crate::flow::Cx;
use crate::flow::target::{self, Target};
use crate::oauth::{CodeChallenge, ErrorCode, GrantType, OAuthError, Params, Prompt, locales};

use super::asked::{self, Questions};
use super::reply::unfit;
use super::{ReplyTo, ValidRequest, machine};

/// Every check, in order.
pub(super) fn all(
    cx: &Cx,
    client: &Arc<Client>,
    reply: &ReplyTo,
    params: &Params,
) -> Result<ValidRequest, OAuthError> {
    unsupported(params)?;
    response_type(params)?;
    response_mode(client, reply, params)?;
    grant(client)?;
    let challenge = pkce(client, params)?;
    let asked = target::requested_in_session(&cx.snapshot, client, params)?;
    machine::run(client, reply, params, &asked, challenge.as_ref())?;
    let prompt = prompt(cx, params)?;
    let Target { scope, resources } = asked;
    let Questions { asked, max_age_s, expected_subjects } = asked::read(cx, client, params, &scope)?;
    if prompt.create && !expected_subjects.is_empty() {
        let text =
            "prompt=create cannot stand with a user who is expected: a new account is nobody who is known";
        return Err(OAuthError::new(ErrorCode::InvalidRequest).describe(text));
    }
    Ok(ValidRequest {
        client_id: client.id.clone(),
        reply: reply.clone(),
        redirect_uri_given: params.get("redirect_uri").is_some(),
        scope,
        resources,
        challenge,
        nonce: params.get("nonce").map(str::to_owned),
        prompt,
        max_age_s,
        login_hint: params.get("login_hint").map(str::to_owned),
        ui_locales: params.get("ui_locales").map(|list| locales::first(list).to_owned()),
        expected_subjects,
        asked,
        started_at: cx.now,
        reauthenticated: false,
        chosen: false,
    })
}

/// Whether it is refused for its request object, however long that is.
#[must_use]
pub fn has_request_object(params: &Params) -> bool {
    params.get("request").is_some() || params.get("request_uri").is_some()
}

/// OpenID Connect Core §6.1: an OP that does not do request objects "MUST return the request_not_supported error".
fn unsupported(params: &Params) -> Result<(), OAuthError> {
    for (name, code) in [
        ("request", ErrorCode::RequestNotSupported),
        ("request_uri", ErrorCode::RequestUriNotSupported),
        ("registration", ErrorCode::RegistrationNotSupported),
    ] {
        if params.get(name).is_some() {
            return Err(OAuthError::new(code));
        }
    }
    Ok(())
}

/// RFC 9700 §2.1.2: no implicit grant; `code` is the only response type there is.
fn response_type(params: &Params) -> Result<(), OAuthError> {
    match params.require("response_type")? {
        "code" => Ok(()),
        _ => Err(OAuthError::new(ErrorCode::UnsupportedResponseType)),
    }
}

/// OAuth 2.0 Multiple Response Type Encoding Practices §2.1. A mode that cannot be is told by the default one.
fn response_mode(client: &Client, reply: &ReplyTo, params: &Params) -> Result<(), OAuthError> {
    let Some(text) = params.get("response_mode") else { return Ok(()) };
    let refuse = |text: String| OAuthError::new(ErrorCode::InvalidRequest).describe(text);
    let mode = text.parse().map_err(refuse)?;
    match unfit(client, reply.uri(), mode) {
        None => Ok(()),
        Some(why) => Err(refuse(why.to_owned())),
    }
}

fn grant(client: &Client) -> Result<(), OAuthError> {
    if client.may(GrantType::AuthorizationCode) {
        return Ok(());
    }
    Err(OAuthError::new(ErrorCode::UnauthorizedClient)
        .describe("this client may not use the authorization code grant"))
}

/// RFC 7636 §4.4.1: "If the server requires Proof Key for Code Exchange (PKCE) by OAuth public clients and the client
/// does not send the "code_challenge" in the request, the authorization endpoint MUST return the authorization error
/// response with the "error" value set to "invalid_request"."
fn pkce(client: &Client, params: &Params) -> Result<Option<CodeChallenge>, OAuthError> {
    let refuse = |text: &'static str| Err(OAuthError::new(ErrorCode::InvalidRequest).describe(text));
    match (params.get("code_challenge"), params.get("code_challenge_method")) {
        (None, Some(_)) => refuse("code_challenge_method without code_challenge"),
        (None, None) if client.needs_pkce() => {
            refuse("code_challenge is missing: this client must use PKCE with S256 (RFC 7636)")
        }
        (None, None) => Ok(None),
        // RFC 7636 §4.3: the method defaults to plain, which RFC 9700 §2.1.1 rules out.
        (Some(_), None) => {
            refuse("code_challenge_method is missing; left out it means plain, and only S256 is allowed")
        }
        (Some(challenge), Some("S256")) => challenge
            .parse()
            .map(Some)
            .map_err(|text: String| OAuthError::new(ErrorCode::InvalidRequest).describe(text)),
        (Some(_), Some(_)) => {
            refuse("the transform algorithm is not supported: code_challenge_method is S256 only")
        }
    }
}

fn prompt(cx: &Cx, params: &Params) -> Result<Prompt, OAuthError> {
    let text = params.get("prompt").unwrap_or_default();
    Prompt::parse(text, cx.policy.sign_up.is_some())
        .map_err(|text| OAuthError::new(ErrorCode::InvalidRequest).describe(text))
}
