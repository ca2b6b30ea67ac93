//! A signed access token (RFC 9068 §4): one of our keys signed it, and it is an access token.

use serde_json::Value;

use crate::flow::Cx;
use crate::jose::TokenType;
use crate::oauth::AccessTokenClaims;

use super::Dead;

pub(super) fn claims(cx: &Cx, text: &str) -> Result<AccessTokenClaims<'static>, Dead> {
    let claims = cx
        .snapshot
        .keys
        .verify(text, TokenType::AccessToken)
        .map_err(|_| Dead("it is no access token that a published key of this server signed"))?;
    let claims: AccessTokenClaims<'static> = serde_json::from_value(Value::Object(claims))
        .map_err(|_| Dead("its claims are not those of an access token of this server"))?;
    if claims.iss != cx.policy.issuer {
        return Err(Dead("it is of another issuer"));
    }
    Ok(claims)
}
