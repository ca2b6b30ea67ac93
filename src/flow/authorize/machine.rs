//! Drives oxide-auth's machine of the authorization request (RFC 6749 §4.1.1). Client and redirect URI are bound before,
//! PKCE goes through its `Pkce`, the scope is the one that `target` allowed.

use std::borrow::Cow;

use oxide_auth::code_grant::authorization::{Authorization, Input, Output, Request};
use oxide_auth::code_grant::extensions::Pkce;
use oxide_auth::primitives::grant::{Extensions, GrantExtension as _};
use oxide_auth::primitives::registrar::{BoundClient, ExactUrl, PreGrant, RegisteredUrl};

use crate::domain::Client;
use crate::flow::target::Target;
use crate::oauth::{CodeChallenge, ErrorCode, OAuthError, Params};

use super::ReplyTo;

struct Asked<'r> {
    params: &'r Params,
    client: &'r Client,
    reply: &'r ReplyTo,
}

impl Request for Asked<'_> {
    fn valid(&self) -> bool {
        true
    }
    fn client_id(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self.client.id.as_str()))
    }
    fn scope(&self) -> Option<Cow<'_, str>> {
        self.params.get("scope").map(Cow::Borrowed)
    }
    fn redirect_uri(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self.reply.uri()))
    }
    fn state(&self) -> Option<Cow<'_, str>> {
        self.params.get("state").map(Cow::Borrowed)
    }
    fn response_type(&self) -> Option<Cow<'_, str>> {
        self.params.get("response_type").map(Cow::Borrowed)
    }
    fn extension(&self, key: &str) -> Option<Cow<'_, str>> {
        self.params.get(key).map(Cow::Borrowed)
    }
}

pub(super) fn run(
    client: &Client,
    reply: &ReplyTo,
    params: &Params,
    asked: &Target,
    challenge: Option<&CodeChallenge>,
) -> Result<(), OAuthError> {
    let fault =
        |why: &'static str| OAuthError::new(ErrorCode::ServerError).because(format!("oxide-auth: {why}"));
    let exact: ExactUrl = reply.uri().parse().map_err(|_| fault("a proven redirect URI is no URL"))?;
    let request = Asked { params, client, reply };
    let mut machine = Authorization::new(&request);
    let mut input = Input::None;
    loop {
        input = match machine.advance(input) {
            Output::Bind { client_id, redirect_uri } => {
                if client_id != client.id.as_str() || redirect_uri.as_ref() != Some(&exact) {
                    return Err(fault("bound something else"));
                }
                let bound_client = BoundClient {
                    client_id: Cow::Owned(client_id),
                    redirect_uri: Cow::Owned(RegisteredUrl::Exact(exact.clone())),
                };
                Input::Bound { request: &request, bound_client }
            }
            Output::Extend => Input::Extended(extensions(client, challenge)?),
            Output::Negotiate { bound_client, .. } => Input::Negotiated {
                pre_grant: PreGrant {
                    client_id: bound_client.client_id.clone().into_owned(),
                    redirect_uri: bound_client.redirect_uri.clone().into_owned(),
                    scope: asked.scope.to_string().parse().map_err(|_| fault("a scope of ours is none"))?,
                },
                state: params.get("state").map(str::to_owned),
            },
            Output::Ok { .. } => return Ok(()),
            Output::Err(_) => return Err(OAuthError::new(ErrorCode::InvalidRequest)),
        };
    }
}

fn extensions(client: &Client, challenge: Option<&CodeChallenge>) -> Result<Extensions, OAuthError> {
    let pkce = if client.needs_pkce() { Pkce::required() } else { Pkce::optional() };
    let method = challenge.map(|_| Cow::Borrowed("S256"));
    let challenge = challenge.map(|challenge| Cow::Borrowed(challenge.as_str()));
    let value = pkce.challenge(method, challenge).map_err(|()| {
        OAuthError::new(ErrorCode::InvalidRequest).describe("code_challenge is missing or not S256")
    })?;
    let mut extensions = Extensions::new();
    if let Some(value) = value {
        extensions.set_raw(pkce.identifier().to_owned(), value);
    }
    Ok(extensions)
}
