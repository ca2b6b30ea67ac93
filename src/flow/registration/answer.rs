//! What a client is told of itself. RFC 7591 §3.2.1: "the authorization server MUST return all registered metadata about
//! this client, including any fields provisioned by the authorization server itself."

use serde_json::{Map, Value, json};

use crate::base::PlainToken;
use crate::domain::client::openid::Protection;
use crate::domain::{Client, Profile, Registration};
use crate::flow::Policy;
use crate::oauth::GrantType;
use crate::oauth::registration::ApplicationType;

use super::Answer;

/// Where a client manages itself: RFC 7592 §3, `registration_client_uri`.
fn client_uri(policy: &Policy, client: &Client) -> String {
    format!("{}/register/{}", policy.issuer, client.id)
}

/// All of it, with the secret where it has one.
pub(super) fn of(
    policy: &Policy,
    client: &Client,
    registration: &Registration,
    secret: Option<&str>,
    token: &PlainToken,
) -> Answer {
    let mut answer = registration.metadata.clone();
    let mut tell = |name: &str, value: Value| {
        answer.insert(name.to_owned(), value);
    };
    tell("client_id", json!(client.id));
    tell("client_id_issued_at", json!(registration.created_at));
    if let Some(secret) = secret {
        tell("client_secret", secret.into());
        // "REQUIRED if "client_secret" is issued. […] or 0 if it will not expire."
        tell("client_secret_expires_at", 0.into());
    }
    tell("registration_access_token", token.reveal().into());
    tell("registration_client_uri", client_uri(policy, client).into());
    tell("client_name", json!(client.name));
    let kind = if client.profile == Profile::Native { ApplicationType::Native } else { ApplicationType::Web };
    tell("application_type", kind.as_str().into());
    tell("grant_types", json!(client.grant_types));
    let by_code = client.may(GrantType::AuthorizationCode);
    tell("response_types", if by_code { json!(["code"]) } else { json!([]) });
    tell("redirect_uris", json!(client.redirect_uris));
    tell("scope", json!(client.scope));
    if !client.post_logout_redirect_uris.is_empty() {
        tell("post_logout_redirect_uris", json!(client.post_logout_redirect_uris));
    }
    openid(client, &mut answer);
    answer
}

fn openid(client: &Client, answer: &mut Map<String, Value>) {
    let settings = &client.openid;
    let mut tell = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            answer.insert(name.to_owned(), value);
        }
    };
    let text = |value: &Option<String>| value.clone().map(Value::from);
    tell("token_endpoint_auth_method", settings.auth_method.map(|method| method.as_str().into()));
    tell("subject_type", Some(settings.subject_type.as_str().into()));
    tell("sector_identifier_uri", text(&settings.sector_identifier_uri));
    tell("token_endpoint_auth_signing_alg", settings.auth_signing_alg.map(|alg| alg.as_str().into()));
    // OpenID Connect has RS256 where nothing is said; an answer of userinfo is JSON then.
    let id_token = settings.id_token.signing.map_or("RS256", |algorithm| algorithm.as_str());
    tell("id_token_signed_response_alg", Some(id_token.into()));
    let userinfo = settings.userinfo.signing.map(|algorithm| algorithm.as_str().into());
    tell("userinfo_signed_response_alg", userinfo);
    let mut encrypted = |of: &str, protection: &Protection| {
        let Some((alg, enc)) = protection.encryption else { return };
        tell(&format!("{of}_encrypted_response_alg"), Some(alg.as_str().into()));
        tell(&format!("{of}_encrypted_response_enc"), Some(enc.as_str().into()));
    };
    encrypted("id_token", &settings.id_token);
    encrypted("userinfo", &settings.userinfo);
    tell("default_max_age", settings.default_max_age_s.map(Value::from));
    tell("require_auth_time", settings.require_auth_time.then_some(true.into()));
    let acr_values = &settings.default_acr_values;
    tell("default_acr_values", (!acr_values.is_empty()).then(|| json!(acr_values)));
    tell("initiate_login_uri", text(&settings.initiate_login_uri));
    tell("backchannel_logout_uri", text(&settings.backchannel_logout_uri));
    let sid = settings.backchannel_logout_uri.is_some();
    tell(
        "backchannel_logout_session_required",
        sid.then(|| settings.backchannel_logout_session_required.into()),
    );
    tell("logo_uri", text(&settings.logo_uri));
    tell("client_uri", text(&settings.client_uri));
    tell("policy_uri", text(&settings.policy_uri));
    tell("tos_uri", text(&settings.tos_uri));
    tell("jwks_uri", text(&settings.jwks_uri));
    tell("jwks", settings.jwks.clone().map(Value::Object));
    for (name, value) in &settings.translations {
        tell(name, Some(value.clone().into()));
    }
}
