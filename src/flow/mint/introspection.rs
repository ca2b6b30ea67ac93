//! The signed answer of the introspection endpoint (RFC 9701 §5).

use crate::domain::Client;
use crate::flow::Cx;
use crate::jose::TokenType;
use crate::oauth::OAuthError;
use crate::oauth::introspection::{Introspection, SignedIntrospection};

use super::sign;

/// Signs what is said to `caller`.
///
/// # Errors
/// `server_error` when no key of the algorithm is active, or signing fails.
pub(in crate::flow) fn signed_introspection(
    cx: &Cx,
    caller: &Client,
    said: &Introspection,
) -> Result<String, OAuthError> {
    let claims = SignedIntrospection {
        iss: &cx.policy.issuer,
        aud: caller.id.as_str(),
        iat: cx.now.0,
        token_introspection: said,
    };
    // RFC 9701 §6: without `introspection_signed_response_alg` of the client "the default is RS256", as with ID tokens.
    sign(cx, cx.policy.id_token_algorithm, TokenType::Introspection, &claims)
}
