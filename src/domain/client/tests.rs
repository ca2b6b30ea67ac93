//! The rules that hold for every client (RFC 6749 §2), one by one.

use super::*;

fn draft(profile: Profile) -> ClientDraft {
    let mut draft = ClientDraft::with_defaults("app".parse().unwrap(), "App".to_owned(), profile);
    if draft.grant_types.contains(&GrantType::AuthorizationCode) {
        draft.redirect_uris = vec!["https://app.example/cb".parse().unwrap()];
    }
    if profile == Profile::ResourceServer {
        draft.introspects = vec!["https://api.example".parse().unwrap()];
    }
    draft
}

fn fields(draft: ClientDraft) -> Vec<&'static str> {
    Client::check(draft, Timestamp(0)).err().unwrap_or_default().into_iter().map(|p| p.field).collect()
}

#[test]
fn the_defaults_of_every_profile_keep_the_rules() {
    for profile in Profile::ALL {
        assert_eq!(fields(draft(profile)), Vec::<&str>::new(), "{profile}");
    }
}

#[test]
fn a_public_client_cannot_have_client_credentials() {
    let mut draft = draft(Profile::Native);
    draft.grant_types.insert(GrantType::ClientCredentials);
    assert_eq!(fields(draft), ["grant_types"]);
}

#[test]
fn a_public_client_cannot_be_freed_from_pkce() {
    let mut draft = draft(Profile::Spa);
    draft.require_pkce = false;
    assert_eq!(fields(draft), ["require_pkce"]);
}

#[test]
fn a_single_page_app_gets_no_refresh_token() {
    let mut draft = draft(Profile::Spa);
    draft.grant_types.insert(GrantType::RefreshToken);
    assert_eq!(fields(draft), ["grant_types"]);
}

fn by_session() -> ClientDraft {
    let mut draft = draft(Profile::Spa);
    draft.grant_types.insert(GrantType::Session);
    draft.skip_consent = true;
    draft
}

#[test]
fn the_session_grant_is_for_the_houses_own_pages() {
    assert_eq!(fields(by_session()), Vec::<&str>::new());
    assert!(Profile::ALL.iter().all(|profile| !profile.default_grants().contains(&GrantType::Session)));
    let asked = ClientDraft { skip_consent: false, ..by_session() };
    assert_eq!(fields(asked), ["grant_types"]);
    for profile in [Profile::Native, Profile::Web, Profile::FirstParty] {
        assert_eq!(fields(ClientDraft { profile, ..by_session() }), ["grant_types"], "{profile}");
    }
}

#[test]
fn the_session_grant_needs_an_origin_to_know_its_pages_by() {
    let mut draft = by_session();
    draft.grant_types = [GrantType::Session].into();
    draft.redirect_uris.clear();
    assert_eq!(fields(draft.clone()), ["origins"]);
    draft.origins = vec!["https://app.example".parse().unwrap()];
    assert_eq!(fields(draft), Vec::<&str>::new());
}

#[test]
fn a_client_has_64_origins_and_not_one_more() {
    let mut draft = draft(Profile::Spa);
    draft.origins = (0..64).map(|n| format!("https://a{n}.example").parse().unwrap()).collect();
    assert_eq!(fields(draft.clone()), Vec::<&str>::new());
    draft.origins.push("https://one-more.example".parse().unwrap());
    assert_eq!(fields(draft), ["origins"]);
}

#[test]
fn the_origins_of_a_client_are_compared_letter_by_letter() {
    let mut draft = draft(Profile::Spa);
    draft.origins = vec!["https://www.app.example".parse().unwrap()];
    let client = Client::check(draft, Timestamp(0)).unwrap();
    for (origin, is_known) in [
        ("https://app.example", true),
        ("https://www.app.example", true),
        ("https://app.example:443", false),
        ("https://app.example/", false),
        ("https://APP.example", false),
        ("http://app.example", false),
        ("null", false),
        ("", false),
    ] {
        assert_eq!(client.has_origin(origin), is_known, "{origin}");
    }
}

#[test]
fn a_life_above_an_hour_needs_the_override() {
    let mut draft = draft(Profile::Web);
    draft.access_token_ttl = Some(Seconds(3601));
    assert_eq!(fields(draft.clone()), ["access_token_ttl_s"]);
    draft.allow_long_access_tokens = true;
    assert_eq!(fields(draft), Vec::<&str>::new());
}

#[test]
fn a_refresh_token_lies_unused_no_longer_than_its_family_lives() {
    let mut draft = draft(Profile::Web);
    for (idle_ttl, found) in [
        (59, &["refresh_token_idle_ttl_s"][..]),
        (60, &[]),
        (86_400 * 366, &[]),
        (86_400 * 366 + 1, &["refresh_token_idle_ttl_s"]),
    ] {
        draft.refresh_token_idle_ttl = Some(Seconds(idle_ttl));
        assert_eq!(fields(draft.clone()), found, "{idle_ttl}");
    }
    draft.refresh_token_ttl = Some(Seconds(600));
    for (idle_ttl, found) in [(600, &[][..]), (601, &["refresh_token_idle_ttl_s"])] {
        draft.refresh_token_idle_ttl = Some(Seconds(idle_ttl));
        assert_eq!(fields(draft.clone()), found, "{idle_ttl}");
    }
}

#[test]
fn the_grace_for_a_used_refresh_token_is_a_minute_at_most() {
    let mut draft = draft(Profile::Web);
    for (grace, found) in
        [(0, &[][..]), (60, &[]), (61, &["refresh_reuse_grace_s"]), (-1, &["refresh_reuse_grace_s"])]
    {
        draft.refresh_reuse_grace = Some(Seconds(grace));
        assert_eq!(fields(draft.clone()), found, "{grace}");
    }
}

#[test]
fn a_code_client_needs_a_redirect_uri() {
    let mut draft = draft(Profile::Web);
    draft.redirect_uris.clear();
    assert_eq!(fields(draft), ["redirect_uris"]);
}

/// RFC 6749 §3.1: "Request and response parameters MUST NOT be included more than once." One that was stored before there was
/// this rule does not stop the server.
#[test]
fn no_address_has_a_parameter_of_the_answer() {
    let mut draft = draft(Profile::Web);
    draft.redirect_uris = vec!["https://app.example/cb?code=1&state=2".parse().unwrap()];
    draft.post_logout_redirect_uris = vec!["https://app.example/bye?state=2".parse().unwrap()];
    assert!(Client::stored(draft.clone(), Timestamp(0)).is_ok());
    let told: Vec<_> = Client::check(draft.clone(), Timestamp(0)).unwrap_err();
    let text = "https://app.example/cb?code=1&state=2: its query has code, which this server's answer has too; rename it \
                (RFC 6749 §3.1)";
    assert_eq!((told[0].field, told[0].text.as_str()), ("redirect_uris", text));
    assert_eq!((told[1].field, told.len()), ("post_logout_redirect_uris", 2));
    draft.redirect_uris = vec!["https://app.example/cb?tenant=1".parse().unwrap()];
    draft.post_logout_redirect_uris = vec!["https://app.example/bye?code=2".parse().unwrap()];
    assert!(Client::check(draft, Timestamp(0)).is_ok());
}

#[test]
fn a_client_without_a_grant_is_one_that_introspects() {
    let mut api = draft(Profile::ResourceServer);
    api.introspects.clear();
    assert_eq!(fields(api), ["grant_types"]);
    let mut public = draft(Profile::Native);
    public.introspects = draft(Profile::ResourceServer).introspects;
    assert_eq!(fields(public), ["introspects"]);
}

/// OpenID Connect Dynamic Client Registration §2 has these addresses in clear URLs that people follow or servers fetch.
#[test]
fn addresses_of_a_client_are_https_without_user_or_fragment() {
    let with = |uri: &str| {
        let mut draft = draft(Profile::Web);
        draft.openid.policy_uri = Some(uri.to_owned());
        fields(draft)
    };
    for taken in ["https://app.example/privacy?x=1", "http://127.0.0.1:8000/privacy", "http://localhost/"] {
        assert_eq!(with(taken), Vec::<&str>::new(), "{taken}");
    }
    let long = format!("https://app.example/{}", "a".repeat(2048));
    for refused in [
        "http://app.example/",
        "https://app.example/#x",
        "https://me@app.example/",
        "https://:secret@app.example/",
        "javascript:alert(1)",
        "data:text/html,x",
        "/privacy",
        "",
        &long,
    ] {
        assert_eq!(with(refused), ["policy_uri"], "{refused}");
    }
}

/// OpenID Connect Dynamic Client Registration §2: "The jwks_uri and jwks parameters MUST NOT be used together."
#[test]
fn keys_of_a_client_come_by_value_or_by_reference_and_encryption_needs_them() {
    let keys = || serde_json::json!({ "keys": [] }).as_object().cloned();
    let by_value = || {
        let mut draft = draft(Profile::Web);
        draft.openid.jwks = keys();
        draft
    };
    assert_eq!(fields(by_value()), Vec::<&str>::new());
    let mut both = by_value();
    both.openid.jwks_uri = Some("https://app.example/jwks".to_owned());
    assert_eq!(fields(both), ["jwks"]);
    let mut none = by_value();
    none.openid.jwks = serde_json::json!({ "kty": "EC" }).as_object().cloned();
    assert_eq!(fields(none), ["jwks"]);
    let mut large = by_value();
    large.openid.jwks = serde_json::json!({ "keys": ["a".repeat(16_384)] }).as_object().cloned();
    assert_eq!(fields(large), ["jwks"]);

    use crate::oauth::algorithm::{ContentEncryption, KeyManagement};
    let encryption = Some((KeyManagement::EcdhEs, ContentEncryption::A256Gcm));
    let mut without = draft(Profile::Web);
    without.openid.id_token.encryption = encryption;
    without.openid.userinfo.encryption = encryption;
    assert_eq!(
        fields(without.clone()),
        ["id_token_encrypted_response_alg", "userinfo_encrypted_response_alg"]
    );
    without.openid.jwks = keys();
    assert_eq!(fields(without), Vec::<&str>::new());
}

#[test]
fn the_way_of_authentication_fits_the_kind_of_client() {
    use crate::oauth::AuthMethod;
    let with = |profile, method| {
        let mut draft = draft(profile);
        draft.openid.auth_method = Some(method);
        fields(draft)
    };
    assert_eq!(with(Profile::Web, AuthMethod::ClientSecretJwt), Vec::<&str>::new());
    assert_eq!(with(Profile::Spa, AuthMethod::None), Vec::<&str>::new());
    for (profile, method) in [
        (Profile::Web, AuthMethod::None),
        (Profile::Spa, AuthMethod::ClientSecretBasic),
        (Profile::Web, AuthMethod::PrivateKeyJwt),
    ] {
        assert_eq!(with(profile, method), ["token_endpoint_auth_method"], "{profile} {method}");
    }
}

#[test]
fn what_a_client_expects_by_default_is_bounded() {
    let mut wrong = draft(Profile::Web);
    wrong.openid.default_max_age_s = Some(-1);
    wrong.openid.default_acr_values = vec!["a b".to_owned()];
    assert_eq!(fields(wrong), ["default_max_age_s", "default_acr_values"]);
    let mut many = draft(Profile::Web);
    many.openid.default_acr_values = vec!["a".to_owned(); 17];
    assert_eq!(fields(many), ["default_acr_values"]);
}
