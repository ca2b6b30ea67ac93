//! The userinfo answer as a JWT (OpenID Connect Core 1.0 §5.3.2).

use serde_json::{Map, Value};

use crate::domain::Client;
use crate::flow::Cx;
use crate::jose::{Content, TokenType};
use crate::oauth::{ErrorCode, OAuthError};

use super::protect;

/// The JWT, or nothing for a client that takes JSON. §5.3.2 wants `iss` and `aud` in one that is signed; so does one have them
/// that is encrypted only.
///
/// # Errors
/// `server_error` when no key of the algorithm is active; `invalid_request` when the client has no key to encrypt to.
pub(in crate::flow) fn userinfo(
    cx: &Cx,
    client: &Client,
    claims: &Map<String, Value>,
) -> Result<Option<String>, OAuthError> {
    let wanted = client.openid.userinfo;
    if wanted.signing.is_none() && wanted.encryption.is_none() {
        return Ok(None);
    }
    let mut claims = claims.clone();
    claims.insert("iss".to_owned(), cx.policy.issuer.as_str().into());
    claims.insert("aud".to_owned(), client.id.as_str().into());
    match (wanted.signing, wanted.encryption) {
        (Some(algorithm), encryption) => {
            protect::signed(cx, client, algorithm, encryption, TokenType::Userinfo, &claims).map(Some)
        }
        (None, Some(encryption)) => {
            let json = serde_json::to_string(&claims)
                .map_err(|e| OAuthError::new(ErrorCode::ServerError).because(format!("claims: {e}")))?;
            protect::encrypted(cx, client, encryption, Content::Claims, &json).map(Some)
        }
        (None, None) => Ok(None),
    }
}
