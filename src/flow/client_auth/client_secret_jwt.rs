//! `client_secret_jwt` (OpenID Connect Core 1.0 §9): an assertion under a MAC by the client's secret. So the secret itself
//! is needed, not its hash: it lies in the database under the master key.

use crate::domain::ClientSecret;
use crate::jose::{Assertion, Purpose};

use super::super::Cx;
use super::super::snapshot::KnownClient;

pub(super) fn check(cx: &Cx, known: &KnownClient, assertion: &Assertion<'_>) -> Result<(), String> {
    let mut why = "it has no secret that counts and is kept for assertions: make one".to_owned();
    for secret in known.secrets.iter().filter(|secret| secret.is_alive(cx.now)) {
        let Some(sealed) = &secret.sealed else { continue };
        match open(cx, secret, sealed) {
            Ok(plain) if assertion.is_authenticated_by(&plain) => return Ok(()),
            Ok(_) => "the assertion's MAC is not by any of its secrets".clone_into(&mut why),
            Err(fault) => why = fault,
        }
    }
    Err(why)
}

fn open(cx: &Cx, secret: &ClientSecret, sealed: &str) -> Result<zeroize::Zeroizing<Vec<u8>>, String> {
    let plain = cx
        .sealer
        .open(Purpose::ClientSecret, sealed, None, cx.now)
        .map_err(|e| format!("its secret {} cannot be opened: {e}", secret.id))?;
    // A sealed secret that someone moved to another row would authenticate another client.
    let is_its_own = std::str::from_utf8(&plain).is_ok_and(|text| secret.hash.matches(text));
    if is_its_own { Ok(plain) } else { Err(format!("its secret {} is damaged in the database", secret.id)) }
}
