//! The client credentials grant (RFC 6749 §4.4). Nothing is written, but for an opaque token: the token is all there is.
//!
//! ```text
//! client ──(A) client authentication──► token endpoint
//! client ◄─(B) access token─────────── token endpoint
//! ```

use std::borrow::Cow;
use std::sync::Arc;

use oxide_auth::code_grant::client_credentials::{ClientCredentials, Input, Output};
use oxide_auth::primitives::grant::Extensions;
use oxide_auth::primitives::registrar::{BoundClient, PreGrant, RegisteredUrl};

use crate::domain::Client;
use crate::flow::mint::{self, Prepared};
use crate::flow::{Cx, target};
use crate::oauth::{ErrorCode, OAuthError, Params};

use super::{By, Granted, oxide};

pub(super) fn run(cx: &Cx, client: Arc<Client>, params: &Params) -> Result<Prepared, OAuthError> {
    let asked = target::requested(&cx.snapshot, &client, params)?;
    if let Some(value) = asked.scope.iter().find(|value| target::is_identity(value.as_str())) {
        return Err(OAuthError::new(ErrorCode::InvalidScope)
            .describe(format!("{value} is about a user, and this grant has none")));
    }
    // RFC 6749 §4.4.3: "A refresh token SHOULD NOT be included."
    let token_target = target::narrowed(&cx.snapshot, &client, &asked, params.resources())?;

    let request = oxide::Request { client_id: client.id.as_str(), params, redirect_uri: None };
    let mut machine = ClientCredentials::new(&request);
    let mut input = Input::None;
    loop {
        input = match machine.advance(input) {
            Output::Authenticate { client: name, .. } if name == client.id.as_str() => Input::Authenticated,
            Output::Binding { .. } => Input::Bound {
                bound_client: BoundClient {
                    client_id: Cow::Owned(client.id.to_string()),
                    redirect_uri: Cow::Owned(RegisteredUrl::Semantic(oxide::no_redirect()?)),
                },
            },
            Output::Extend => Input::Extended { extensions: Extensions::new() },
            Output::Negotiate { bound_client, .. } => Input::Negotiated {
                pre_grant: PreGrant {
                    client_id: bound_client.client_id.clone().into_owned(),
                    redirect_uri: bound_client.redirect_uri.clone().into_owned(),
                    scope: oxide::machine_scope(&token_target.scope)?,
                },
            },
            Output::Ok { .. } => break,
            Output::Authenticate { .. } => return Err(oxide::fault("asked for another client")),
            Output::Err(_) => return Err(OAuthError::new(ErrorCode::InvalidRequest)),
        };
    }
    mint::prepare_alone(cx, Granted { client, target: token_target, by: By::Client, refresh_token: None })
}
