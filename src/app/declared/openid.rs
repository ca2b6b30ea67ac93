//! What the configuration file says of a client for OpenID Connect.

use crate::config;
use crate::domain::Problem;
use crate::domain::client::openid::{OpenIdSettings, Protection};
use crate::oauth::algorithm::ContentEncryption;

/// Longer ones are refused by `domain`; nobody reads a whole disk for that.
const MAX_JWKS_FILE_BYTES: u64 = 65_536;

pub(super) fn settings(client: &config::Client) -> Result<OpenIdSettings, Problem> {
    let method = client.token_endpoint_auth_method.map(|name| name.as_str().parse()).transpose();
    let algorithm = client.token_endpoint_auth_signing_alg.as_deref().map(str::parse).transpose();
    let subject_type = client.subject_type.as_deref().map(str::parse).transpose();
    let subject_type = subject_type.map_err(|e: String| Problem::new("subject_type", e))?;
    Ok(OpenIdSettings {
        id_token: protection(
            "id_token_encrypted_response_alg",
            client.id_token_signed_response_alg,
            client.id_token_encrypted_response_alg.as_deref(),
            client.id_token_encrypted_response_enc.as_deref(),
        )?,
        userinfo: protection(
            "userinfo_encrypted_response_alg",
            client.userinfo_signed_response_alg,
            client.userinfo_encrypted_response_alg.as_deref(),
            client.userinfo_encrypted_response_enc.as_deref(),
        )?,
        subject_type: subject_type.unwrap_or_default(),
        sector_identifier_uri: client.sector_identifier_uri.clone(),
        default_max_age_s: client.default_max_age_s.map(i64::from),
        require_auth_time: client.require_auth_time,
        default_acr_values: client.default_acr_values.clone(),
        initiate_login_uri: client.initiate_login_uri.clone(),
        logo_uri: client.logo_uri.clone(),
        client_uri: client.client_uri.clone(),
        policy_uri: client.policy_uri.clone(),
        tos_uri: client.tos_uri.clone(),
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

fn protection(
    field: &'static str,
    signing: Option<config::AlgorithmName>,
    alg: Option<&str>,
    enc: Option<&str>,
) -> Result<Protection, Problem> {
    let signing = signing.map(|name| name.as_str().parse()).transpose();
    let wrong = |e: String| Problem::new(field, e);
    let alg = alg.map(str::parse).transpose().map_err(wrong)?;
    let enc = enc.map(str::parse).transpose().map_err(wrong)?;
    if alg.is_none() && enc.is_some() {
        return Err(Problem::new(field, "an enc needs the alg beside it"));
    }
    Ok(Protection {
        signing: signing.map_err(|e| Problem::new(field, format!("{e}")))?,
        encryption: alg.map(|alg| (alg, enc.unwrap_or(ContentEncryption::A256Gcm))),
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
