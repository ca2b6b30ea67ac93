//! `private_key_jwt` (OpenID Connect Core 1.0 §9): an assertion that the client signed with a key of its own. RFC 7523 §3:
//! "The JWT MUST be digitally signed or have a Message Authentication Code (MAC) applied by the issuer."

use crate::domain::Client;
use crate::jose::Assertion;
use crate::oauth::algorithm::SigningAlgorithm;

use super::super::Cx;
use super::super::client_keys::{self, Missing};

pub(super) fn check(
    cx: &Cx,
    client: &Client,
    assertion: &Assertion<'_>,
    algorithm: SigningAlgorithm,
) -> Result<(), Missing> {
    let key = client_keys::signature_key(cx, client, algorithm, assertion.kid())?;
    if assertion.is_signed_by(&key) {
        Ok(())
    } else {
        Err("the assertion's signature is not valid".to_owned().into())
    }
}
