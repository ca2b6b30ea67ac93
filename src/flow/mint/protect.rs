//! What goes to a client signed and, where it wants that, encrypted to a key of its own (OpenID Connect Core 1.0 §10).

use serde::Serialize;

use crate::domain::Client;
use crate::flow::{Cx, client_keys};
use crate::jose::{Content, Encrypter, TokenType};
use crate::oauth::algorithm::{ContentEncryption, KeyManagement, SigningAlgorithm};
use crate::oauth::{ErrorCode, OAuthError};

use super::sign;

/// How something is encrypted.
type Encryption = (KeyManagement, ContentEncryption);

/// Signs claims, and then encrypts them: a nested JWT (§10.2).
pub(super) fn signed(
    cx: &Cx,
    client: &Client,
    algorithm: SigningAlgorithm,
    encryption: Option<Encryption>,
    kind: TokenType,
    claims: &impl Serialize,
) -> Result<String, OAuthError> {
    let token = sign(cx, algorithm, kind, claims)?;
    match encryption {
        Some(encryption) => encrypted(cx, client, encryption, Content::Jwt, &token),
        None => Ok(token),
    }
}

/// Encrypts to a key of the client.
pub(super) fn encrypted(
    cx: &Cx,
    client: &Client,
    (alg, enc): Encryption,
    what: Content,
    text: &str,
) -> Result<String, OAuthError> {
    let fault = |why: String| OAuthError::new(ErrorCode::ServerError).because(why);
    let key = client_keys::encryption_key(cx, client, alg)?;
    let encrypter = Encrypter::new(&key, enc, what).map_err(|e| fault(e.to_string()))?;
    encrypter.encrypt(text, &*cx.entropy).map_err(|e| fault(e.to_string()))
}
