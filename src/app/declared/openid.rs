//! What the configuration file says of a client's authentication and of back-channel logout.

use crate::config;
use crate::domain::Problem;
use crate::domain::client::openid::OpenIdSettings;

/// Longer ones are refused by `domain`; nobody reads a whole disk for that.
const MAX_JWKS_FILE_BYTES: u64 = 65_536;

pub(super) fn settings(client: &config::Client) -> Result<OpenIdSettings, Problem> {
    let method = client.token_endpoint_auth_method.map(|name| name.as_str().parse()).transpose();
    let algorithm = client.token_endpoint_auth_signing_alg.as_deref().map(str::parse).transpose();
    Ok(OpenIdSettings {
        auth_method: method.map_err(|e: String| Problem::new("token_endpoint_auth_method", e))?,
        auth_signing_alg: algorithm
            .map_err(|e: String| Problem::new("token_endpoint_auth_signing_alg", e))?,
        assertion_for_issuer_only: client.assertion_for_issuer_only,
        jwks: jwks(client)?,
        jwks_uri: client.jwks_uri.clone(),
        backchannel_logout_uri: client.backchannel_logout_uri.clone(),
        backchannel_logout_session_required: client.backchannel_logout_session_required,
        ..OpenIdSettings::default()
    })
}

fn jwks(client: &config::Client) -> Result<Option<serde_json::Map<String, serde_json::Value>>, Problem> {
    let (field, text) = match (&client.jwks_file, &client.jwks) {
        (Some(_), Some(_)) => return Err(Problem::new("jwks", "jwks and jwks_file exclude each other")),
        (Some(path), None) => {
            let fault = |why: String| Problem::new("jwks_file", format!("{}: {why}", path.display()));
            let size = path.metadata().map_err(|e| fault(e.to_string()))?.len();
            if size > MAX_JWKS_FILE_BYTES {
                return Err(fault(format!("longer than {MAX_JWKS_FILE_BYTES} bytes")));
            }
            ("jwks_file", std::fs::read_to_string(path).map_err(|e| fault(e.to_string()))?)
        }
        (None, Some(text)) => ("jwks", text.clone()),
        (None, None) => return Ok(None),
    };
    let read = serde_json::from_str(&text);
    read.map(Some).map_err(|e| Problem::new(field, format!("expected a JWK Set, an object in JSON: {e}")))
}
