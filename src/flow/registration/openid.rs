//! What a client says of itself for OpenID Connect (Dynamic Client Registration 1.0 §2, Back-Channel Logout 1.0 §2.2).

use serde_json::{Map, Value};
use url::Url;

use crate::domain::client::openid::{OpenIdSettings, Protection, SubjectType};
use crate::oauth::algorithm::{ContentEncryption, KeyManagement, SigningAlgorithm};
use crate::oauth::registration::{Members, MetadataError};
use crate::oauth::{AuthMethod, RedirectUri};

/// The members of a private or symmetric JWK (RFC 7518 §6): none of them has any business here.
const SECRET_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
/// The most keys of a client.
const MAX_KEYS: usize = 32;

pub(super) fn read(
    members: &mut Members,
    auth_method: AuthMethod,
    redirect_uris: &[RedirectUri],
) -> Result<OpenIdSettings, MetadataError> {
    let settings = OpenIdSettings {
        id_token: protection(members, "id_token")?,
        userinfo: protection(members, "userinfo")?,
        subject_type: members.parsed("subject_type")?.unwrap_or_default(),
        sector_identifier_uri: members.endpoint("sector_identifier_uri")?,
        default_max_age_s: members.seconds("default_max_age")?,
        require_auth_time: members.flag("require_auth_time")?,
        default_acr_values: members.texts("default_acr_values", 16)?.unwrap_or_default(),
        initiate_login_uri: members.address("initiate_login_uri")?,
        backchannel_logout_uri: members.endpoint("backchannel_logout_uri")?,
        backchannel_logout_session_required: members.flag("backchannel_logout_session_required")?,
        logo_uri: members.address("logo_uri")?,
        client_uri: members.address("client_uri")?,
        policy_uri: members.address("policy_uri")?,
        tos_uri: members.address("tos_uri")?,
        translations: members.translations()?,
        auth_method: Some(auth_method),
        jwks: jwks(members)?,
        auth_signing_alg: members.parsed("token_endpoint_auth_signing_alg")?,
        jwks_uri: members.endpoint("jwks_uri")?,
        ..OpenIdSettings::default()
    };
    check_sector(&settings, redirect_uris)?;
    Ok(settings)
}

/// `…_signed_response_alg`, `…_encrypted_response_alg` and `…_encrypted_response_enc` of one kind of answer.
fn protection(members: &mut Members, of: &str) -> Result<Protection, MetadataError> {
    let signing = members.parsed::<SigningAlgorithm>(&format!("{of}_signed_response_alg"))?;
    let alg = members.parsed::<KeyManagement>(&format!("{of}_encrypted_response_alg"))?;
    let field = format!("{of}_encrypted_response_enc");
    let enc = members.parsed::<ContentEncryption>(&field)?;
    let encryption = match (alg, enc) {
        (None, None) => None,
        // "If id_token_encrypted_response_alg is specified, the default for this value is A128CBC-HS256."
        (Some(alg), enc) => Some((alg, enc.unwrap_or(ContentEncryption::A128CbcHs256))),
        (None, Some(_)) => {
            // "When id_token_encrypted_response_enc is included, id_token_encrypted_response_alg MUST also be provided."
            return Err(MetadataError::of(
                &field,
                format_args!("needs {of}_encrypted_response_alg beside it"),
            ));
        }
    };
    Ok(Protection { signing, encryption })
}

fn jwks(members: &mut Members) -> Result<Option<Map<String, Value>>, MetadataError> {
    let Some(jwks) = members.object("jwks")? else { return Ok(None) };
    let keys = jwks.get("keys").and_then(Value::as_array).filter(|keys| keys.len() <= MAX_KEYS);
    let Some(keys) = keys else {
        return Err(MetadataError::of("jwks", "an object whose member keys is a list of at most 32 keys"));
    };
    for key in keys {
        let Some(key) = key.as_object() else {
            return Err(MetadataError::of("jwks", "a key is a JSON object (RFC 7517 §4)"));
        };
        if !key.get("kty").is_some_and(Value::is_string) {
            return Err(MetadataError::of("jwks", "a key has a kty (RFC 7517 §4.1)"));
        }
        if SECRET_MEMBERS.iter().any(|name| key.contains_key(*name)) {
            return Err(MetadataError::of(
                "jwks",
                "public keys only: this one holds its private or secret part, and is known to others by now",
            ));
        }
    }
    Ok(Some(jwks))
}

/// OpenID Connect Core 1.0 §8.1: "If the Client has not provided a value for sector_identifier_uri […], the Sector
/// Identifier used for pairwise identifier calculation is the host component of the registered redirect_uri. If there are
/// multiple hostnames in the registered redirect_uris, the Client MUST register a sector_identifier_uri."
fn check_sector(settings: &OpenIdSettings, redirect_uris: &[RedirectUri]) -> Result<(), MetadataError> {
    if settings.subject_type == SubjectType::Pairwise && settings.sector_identifier_uri.is_none() {
        let host = |uri: &RedirectUri| {
            Url::parse(uri.as_str()).ok().and_then(|url| url.host_str().map(str::to_owned))
        };
        let mut hosts: Vec<Option<String>> = redirect_uris.iter().map(host).collect();
        hosts.sort();
        hosts.dedup();
        if !matches!(hosts.as_slice(), [Some(_)]) {
            return Err(MetadataError::of(
                "subject_type",
                "pairwise needs redirect URIs that are all on one host, or a sector_identifier_uri",
            ));
        }
    }
    Ok(())
}
