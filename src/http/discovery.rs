//! The metadata document (RFC 8414 §2, OpenID Connect Discovery 1.0 §3): exactly what works, nothing more.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;

use crate::app::App;
use crate::domain::client::openid::SubjectType;
use crate::flow::Snapshot;
use crate::flow::registration::Mode;
use crate::oauth::algorithm::{ContentEncryption, KeyManagement};
use crate::oauth::{Acr, AssertionAlgorithm, AuthMethod, GrantType, Prompt, ResponseMode, claims};

use super::documents::{Cache, Document};
use super::{pages, paths};

/// How long anybody may cache the metadata.
const MAX_AGE_S: i64 = 300;

/// The claims of an ID token that are about the login.
const PROTOCOL_CLAIMS: [&str; 12] =
    ["iss", "sub", "aud", "azp", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid"];

#[derive(Serialize)]
struct Metadata<'a> {
    issuer: &'a str,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: String,
    jwks_uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_endpoint: Option<String>,
    end_session_endpoint: String,
    backchannel_logout_supported: bool,
    backchannel_logout_session_supported: bool,
    scopes_supported: Vec<String>,
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; 4],
    grant_types_supported: Vec<&'static str>,
    token_endpoint_auth_methods_supported: Vec<&'static str>,
    token_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    introspection_endpoint: String,
    introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    introspection_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    introspection_signing_alg_values_supported: Vec<String>,
    revocation_endpoint: String,
    revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    revocation_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    code_challenge_methods_supported: [&'static str; 1],
    authorization_response_iss_parameter_supported: bool,
    subject_types_supported: [&'static str; 2],
    id_token_signing_alg_values_supported: Vec<String>,
    id_token_encryption_alg_values_supported: [&'static str; 3],
    id_token_encryption_enc_values_supported: [&'static str; 4],
    userinfo_signing_alg_values_supported: Vec<String>,
    userinfo_encryption_alg_values_supported: [&'static str; 3],
    userinfo_encryption_enc_values_supported: [&'static str; 4],
    acr_values_supported: [&'static str; 1],
    display_values_supported: [&'static str; 3],
    claim_types_supported: [&'static str; 1],
    claims_supported: Vec<&'static str>,
    prompt_values_supported: Vec<&'static str>,
    ui_locales_supported: Vec<&'static str>,
    claims_parameter_supported: bool,
    request_parameter_supported: bool,
    request_uri_parameter_supported: bool,
    require_request_uri_registration: bool,
}

pub(super) async fn get(app: Data<App>, cache: Data<Cache>) -> HttpResponse {
    cache.current(&app).metadata.answer(MAX_AGE_S)
}

/// RFC 9700 §2.4: "The resource owner password credentials grant \[RFC6749\] MUST NOT be used." It is told of only where a
/// client was marked for it all the same; and so are the session grant, and token exchange, which are off by default.
fn grants(snapshot: &Snapshot) -> impl Iterator<Item = GrantType> + '_ {
    let is_marked = |grant: &GrantType| {
        matches!(grant, GrantType::Password | GrantType::Session | GrantType::TokenExchange)
    };
    let works = move |grant: &GrantType| !is_marked(grant) || snapshot.any_client_may(*grant);
    GrantType::ALL.into_iter().filter(works)
}

pub(super) fn document(app: &App, snapshot: &Snapshot) -> Document {
    let issuer = app.site.issuer.as_str();
    let at = |path: &str| format!("{issuer}{path}");
    let signing: Vec<String> = snapshot.keys.algorithms().map(|algorithm| algorithm.to_string()).collect();
    let methods: Vec<&str> = AuthMethod::ALL.into_iter().map(AuthMethod::as_str).collect();
    let of_confidential = methods.iter().copied().filter(|method| *method != "none").collect();
    let algorithms: Vec<&str> = AssertionAlgorithm::all().map(AssertionAlgorithm::as_str).collect();
    let metadata = Metadata {
        issuer,
        authorization_endpoint: at(paths::AUTHORIZE),
        token_endpoint: at(paths::TOKEN),
        userinfo_endpoint: at(paths::USERINFO),
        jwks_uri: at(paths::JWKS),
        registration_endpoint: (app.policy.registration.mode != Mode::Off).then(|| at(paths::REGISTER)),
        end_session_endpoint: at(paths::LOGOUT),
        backchannel_logout_supported: true,
        backchannel_logout_session_supported: true,
        scopes_supported: snapshot.scopes().into_iter().collect(),
        response_types_supported: ["code"],
        response_modes_supported: ResponseMode::ALL.map(ResponseMode::as_str),
        grant_types_supported: grants(snapshot).map(GrantType::as_str).collect(),
        token_endpoint_auth_methods_supported: methods.clone(),
        token_endpoint_auth_signing_alg_values_supported: algorithms.clone(),
        introspection_endpoint: at(paths::INTROSPECT),
        // A public client may not ask there.
        introspection_endpoint_auth_methods_supported: of_confidential,
        introspection_endpoint_auth_signing_alg_values_supported: algorithms.clone(),
        introspection_signing_alg_values_supported: vec![app.policy.id_token_algorithm.to_string()],
        revocation_endpoint: at(paths::REVOKE),
        revocation_endpoint_auth_methods_supported: methods,
        revocation_endpoint_auth_signing_alg_values_supported: algorithms,
        code_challenge_methods_supported: ["S256"],
        authorization_response_iss_parameter_supported: true,
        subject_types_supported: SubjectType::ALL.map(SubjectType::as_str),
        id_token_signing_alg_values_supported: signing.clone(),
        id_token_encryption_alg_values_supported: KeyManagement::ALL.map(KeyManagement::as_str),
        id_token_encryption_enc_values_supported: ContentEncryption::ALL.map(ContentEncryption::as_str),
        userinfo_signing_alg_values_supported: signing,
        userinfo_encryption_alg_values_supported: KeyManagement::ALL.map(KeyManagement::as_str),
        userinfo_encryption_enc_values_supported: ContentEncryption::ALL.map(ContentEncryption::as_str),
        acr_values_supported: Acr::ALL.map(Acr::as_str),
        // The pages fit into a popup and work by touch.
        display_values_supported: ["page", "popup", "touch"],
        claim_types_supported: ["normal"],
        claims_supported: PROTOCOL_CLAIMS
            .into_iter()
            .chain(claims::BEARERS.into_iter().flat_map(claims::of_scope).copied())
            .collect(),
        prompt_values_supported: Prompt::supported(app.policy.sign_up.is_some()),
        ui_locales_supported: pages::Language::ALL.iter().map(|language| language.tag()).collect(),
        claims_parameter_supported: true,
        request_parameter_supported: false,
        request_uri_parameter_supported: false,
        require_request_uri_registration: false,
    };
    Document::new(serde_json::to_vec(&metadata).unwrap_or_default(), MAX_AGE_S, None)
}
