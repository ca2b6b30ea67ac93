//! Config OP: `oidcc-config-certification-test-plan`.

use serde_json::{Map, Value};

use super::checks;
use super::suite::{Plan, Suite};

/// The members that the suite knows, as far as this server has a use for them. Any other gets a warning.
const KNOWN: [&str; 44] = [
    // OpenID Connect Discovery 1.0 §3 and RFC 8414 §2.
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "userinfo_endpoint",
    "jwks_uri",
    "registration_endpoint",
    "scopes_supported",
    "response_types_supported",
    "response_modes_supported",
    "grant_types_supported",
    "acr_values_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
    "id_token_encryption_alg_values_supported",
    "id_token_encryption_enc_values_supported",
    "userinfo_signing_alg_values_supported",
    "userinfo_encryption_alg_values_supported",
    "userinfo_encryption_enc_values_supported",
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "display_values_supported",
    "claim_types_supported",
    "claims_supported",
    "service_documentation",
    "ui_locales_supported",
    "claims_parameter_supported",
    "request_parameter_supported",
    "request_uri_parameter_supported",
    "require_request_uri_registration",
    "op_policy_uri",
    "op_tos_uri",
    "revocation_endpoint",
    "revocation_endpoint_auth_methods_supported",
    "revocation_endpoint_auth_signing_alg_values_supported",
    "introspection_endpoint",
    "introspection_endpoint_auth_methods_supported",
    "introspection_endpoint_auth_signing_alg_values_supported",
    "code_challenge_methods_supported",
    // Of the extensions: RFC 9207, RFC 9701, Initiating User Registration 1.0, RP-Initiated and Back-Channel Logout 1.0.
    "authorization_response_iss_parameter_supported",
    "introspection_signing_alg_values_supported",
    "prompt_values_supported",
    "end_session_endpoint",
    "backchannel_logout_supported",
    "backchannel_logout_session_supported",
];

/// Each endpoint of the metadata is an https URL.
pub fn all_endpoints_are_https(metadata: &Map<String, Value>) {
    let endpoints = metadata.iter().filter(|(name, _)| name.ends_with("_endpoint") || *name == "jwks_uri");
    let urls: Vec<&str> = endpoints.map(|(_, url)| url.as_str().unwrap()).collect();
    assert!(urls.len() >= 5, "{urls:?}");
    urls.into_iter().for_each(checks::is_https);
}

/// RFC 5646 §2.1.1: the casing by convention; here no tag has more than a language and a region.
fn is_canonical(tag: &str) -> bool {
    let is = |part: &str, fits: fn(&u8) -> bool| part.len() == 2 && part.bytes().all(|b| fits(&b));
    match tag.split_once('-') {
        None => is(tag, u8::is_ascii_lowercase),
        Some((language, region)) => {
            is(language, u8::is_ascii_lowercase) && is(region, u8::is_ascii_uppercase)
        }
    }
}

/// `oidcc-discovery-endpoint-verification`: all its conditions, for an issuer without and one with a path.
#[test]
fn oidcc_discovery_endpoint_verification() {
    for path in ["", "/tenants/one"] {
        let suite = Suite::at(Plan::Basic, path);
        let metadata = &suite.metadata;
        // The document lies where its issuer says; status and media type were looked at as the suite read it.
        assert_eq!(suite.issuer(), suite.server.issuer);
        let issuer = url::Url::parse(suite.issuer()).unwrap();
        checks::is_https(suite.issuer());
        assert_eq!((issuer.query(), issuer.fragment(), issuer.username()), (None, None, ""));
        for (name, value) in metadata {
            assert!(KNOWN.contains(&name.as_str()), "the suite does not know {name}");
            let is_well = match name.as_str() {
                "issuer" | "jwks_uri" => value.is_string(),
                _ if name.ends_with("_endpoint") => value.is_string(),
                _ if value.is_array() => {
                    let list = value.as_array().unwrap();
                    !list.is_empty() && list.iter().all(Value::is_string)
                }
                _ => value.is_boolean(),
            };
            assert!(is_well, "{name}: {value}");
        }
        for name in ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "registration_endpoint"]
        {
            checks::is_https(suite.endpoint(name));
        }
        all_endpoints_are_https(metadata);
        assert!(suite.lists("response_types_supported").contains(&"code"));
        let subjects = suite.lists("subject_types_supported");
        assert!(subjects.contains(&"public") || subjects.contains(&"pairwise"));
        assert!(suite.lists("id_token_signing_alg_values_supported").contains(&"RS256"));
        assert!(suite.lists("scopes_supported").contains(&"openid"));
        for scope in suite.lists("scopes_supported") {
            let allowed = |b: u8| (b'!'..=b'~').contains(&b) && b != b'"' && b != b'\\';
            assert!(!scope.is_empty() && scope.bytes().all(allowed), "{scope}");
        }
        assert!(!suite.lists("claims_supported").is_empty());
        assert_eq!(metadata["claims_parameter_supported"], true);
        let grants = suite.lists("grant_types_supported");
        assert!(grants.contains(&"authorization_code"), "{grants:?}");
        // Only where request objects are done it says how they are signed.
        assert_eq!(metadata["request_parameter_supported"], false);
        assert_eq!(metadata["request_uri_parameter_supported"], false);
        assert_eq!(metadata.get("request_object_signing_alg_values_supported"), None);
        assert!(suite.lists("ui_locales_supported").into_iter().all(is_canonical));
        assert!(suite.lists("code_challenge_methods_supported").contains(&"S256"));
        // The keys were looked at as the suite fetched them. One that signs ID tokens by RS256 is among them.
        assert!(suite.jwks.keys.iter().any(|key| key.common.key_algorithm.unwrap().to_string() == "RS256"));
    }
}

#[test]
fn a_language_tag_of_another_casing_is_seen() {
    assert!(is_canonical("de") && is_canonical("en-GB"));
    for tag in ["DE", "de-de", "deutsch", "", "de-"] {
        assert!(!is_canonical(tag), "{tag}");
    }
}
