//! RFC 8414 and OpenID Connect Discovery 1.0: the metadata says what works, all of it, and nothing else.

use std::collections::BTreeSet;

use countersign::http::paths;
use serde_json::Value;

use super::support::flow::{authorize, authorize_path, changed, claims, code, part, redemption, tokens};
use super::support::pages::{ask, error_of, is_chooser, is_consent, is_login, signed_in};
use super::support::server::{MAIL, PASSWORD, Setup, secret};
use super::support::tokens::userinfo;
use super::support::{TestServer, change};

fn metadata(server: &TestServer) -> Value {
    server.client().get(paths::OPENID_CONFIGURATION).json()
}

fn list(metadata: &Value, name: &str) -> Vec<String> {
    let values = metadata[name].as_array().unwrap_or_else(|| panic!("no {name}"));
    values.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

/// RFC 8414 §2, OpenID Connect Discovery 1.0 §3.
#[test]
fn the_document_is_this_one() {
    let server = TestServer::start();
    let members = metadata(&server);
    let lines = members.as_object().unwrap().iter().map(|(name, value)| format!("{name}: {value}"));
    let text = lines.collect::<Vec<_>>().join("\n").replace(&server.issuer, "[issuer]");
    insta::assert_snapshot!(text, @r#"
    issuer: "[issuer]"
    authorization_endpoint: "[issuer]/authorize"
    token_endpoint: "[issuer]/token"
    userinfo_endpoint: "[issuer]/userinfo"
    jwks_uri: "[issuer]/.well-known/jwks.json"
    end_session_endpoint: "[issuer]/logout"
    backchannel_logout_supported: true
    backchannel_logout_session_supported: true
    scopes_supported: ["address","email","mail:send","notes:read","notes:write","offline_access","openid","phone","profile","shared"]
    response_types_supported: ["code"]
    response_modes_supported: ["query","fragment","form_post","web_message"]
    grant_types_supported: ["authorization_code","client_credentials","refresh_token","password"]
    token_endpoint_auth_methods_supported: ["client_secret_basic","client_secret_post","client_secret_jwt","private_key_jwt","none"]
    token_endpoint_auth_signing_alg_values_supported: ["ES256","RS256","PS256","ES384","ES512","EdDSA","HS256","HS384","HS512"]
    introspection_endpoint: "[issuer]/introspect"
    introspection_endpoint_auth_methods_supported: ["client_secret_basic","client_secret_post","client_secret_jwt","private_key_jwt"]
    introspection_endpoint_auth_signing_alg_values_supported: ["ES256","RS256","PS256","ES384","ES512","EdDSA","HS256","HS384","HS512"]
    introspection_signing_alg_values_supported: ["RS256"]
    revocation_endpoint: "[issuer]/revoke"
    revocation_endpoint_auth_methods_supported: ["client_secret_basic","client_secret_post","client_secret_jwt","private_key_jwt","none"]
    revocation_endpoint_auth_signing_alg_values_supported: ["ES256","RS256","PS256","ES384","ES512","EdDSA","HS256","HS384","HS512"]
    code_challenge_methods_supported: ["S256"]
    authorization_response_iss_parameter_supported: true
    subject_types_supported: ["public","pairwise"]
    id_token_signing_alg_values_supported: ["ES256","RS256"]
    id_token_encryption_alg_values_supported: ["RSA-OAEP-256","ECDH-ES","ECDH-ES+A256KW"]
    id_token_encryption_enc_values_supported: ["A128CBC-HS256","A256CBC-HS512","A128GCM","A256GCM"]
    userinfo_signing_alg_values_supported: ["ES256","RS256"]
    userinfo_encryption_alg_values_supported: ["RSA-OAEP-256","ECDH-ES","ECDH-ES+A256KW"]
    userinfo_encryption_enc_values_supported: ["A128CBC-HS256","A256CBC-HS512","A128GCM","A256GCM"]
    acr_values_supported: ["urn:countersign:acr:password"]
    display_values_supported: ["page","popup","touch"]
    claim_types_supported: ["normal"]
    claims_supported: ["iss","sub","aud","azp","exp","iat","auth_time","nonce","acr","amr","at_hash","sid","name","family_name","given_name","middle_name","nickname","preferred_username","profile","picture","website","gender","birthdate","zoneinfo","locale","updated_at","email","email_verified","address","phone_number","phone_number_verified"]
    prompt_values_supported: ["none","login","consent","select_account"]
    ui_locales_supported: ["en","de"]
    claims_parameter_supported: true
    request_parameter_supported: false
    request_uri_parameter_supported: false
    require_request_uri_registration: false
    "#);
}

/// RFC 8414 §3 and §3.1 put the well-known part before the issuer's path; OpenID Connect Discovery 1.0 §4 behind it. Clients do
/// either for both.
/// RFC 8414 §3: the string is inserted "between the host component and the path component, if any".
#[test]
fn both_documents_are_found_at_both_forms_of_their_path() {
    for path in ["", "/auth", "/a/b"] {
        let server = TestServer::with(Setup { path: path.to_owned(), ..Setup::default() });
        let root = server.base.strip_suffix(path).unwrap();
        let wanted = metadata(&server);
        assert_eq!(wanted["issuer"], server.issuer);
        for document in ["openid-configuration", "oauth-authorization-server"] {
            for url in [
                format!("{root}/.well-known/{document}{path}"),
                format!("{root}{path}/.well-known/{document}"),
            ] {
                let answer = server.client().get(&url);
                assert_eq!(answer.status, 200, "{url}");
                assert_eq!(answer.json(), wanted, "{url}");
            }
            if !path.is_empty() {
                let bare = server.client().get(&format!("{root}/.well-known/{document}"));
                assert_eq!(bare.status, 404, "of an issuer that is not served here");
            }
        }
    }
}

/// RFC 8414 §3.2: "using the application/json content type"; and anybody may read and cache it.
#[test]
fn the_document_may_be_cached_and_read_by_every_page() {
    let server = TestServer::start();
    for path in [paths::OPENID_CONFIGURATION, paths::OAUTH_METADATA] {
        let answer = server.client().get(path);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("set-cookie"), None);
        let head = server.client().send("HEAD", path, &[], "");
        assert_eq!((head.status, head.body.as_str()), (200, ""));
        let post = server.client().post(path, &[]);
        assert_eq!((post.status, post.header("allow")), (405, Some("GET, HEAD, OPTIONS")));
    }
}

/// RFC 8414 §3.3, and a fault of others: "The server's URL guessed from a Host header."
#[test]
fn no_header_changes_what_the_server_calls_itself() {
    let server = TestServer::with(Setup {
        server: "trusted_proxies = [\"127.0.0.1\"]".to_owned(),
        ..Setup::default()
    });
    let wanted = metadata(&server);
    let client = server.client();
    for lying in [
        "host: evil.example",
        "host: localhost\r\nx-forwarded-host: evil.example\r\nx-forwarded-proto: https",
        "host: localhost\r\nforwarded: for=192.0.2.1;host=evil.example;proto=https",
        "host: localhost\r\nx-forwarded-prefix: /evil.example\r\nx-forwarded-port: 666",
        "host: localhost\r\nx-original-url: /evil.example\r\nx-rewrite-url: /evil.example",
    ] {
        let head = format!("GET {} HTTP/1.1\r\n{lying}\r\n\r\n", paths::OPENID_CONFIGURATION);
        assert_eq!(client.raw(head.as_bytes()).json(), wanted, "{lying}");
        let path = authorize_path("app", &[("prompt", "none")]);
        let head = format!("GET {path} HTTP/1.1\r\n{lying}\r\n\r\n");
        let answer = client.raw(head.as_bytes());
        assert_eq!(answer.sent("iss").as_deref(), Some(server.issuer.as_str()), "{lying}");
        let head = format!("GET {} HTTP/1.1\r\n{lying}\r\n\r\n", authorize_path("app", &[]));
        assert!(client.raw(head.as_bytes()).location().starts_with("/login?"), "{lying}");
    }
    // An absolute request target is a Host header in another place.
    let head = format!("GET http://evil.example{} HTTP/1.1\r\nhost: x\r\n\r\n", paths::OPENID_CONFIGURATION);
    assert_eq!(client.raw(head.as_bytes()).json(), wanted);
}

/// RFC 8414 §2: issuer, endpoints. Each address in the document answers, below the issuer.
#[test]
fn every_address_in_the_document_answers() {
    let server = TestServer::with(Setup { path: "/auth".to_owned(), ..Setup::default() });
    let metadata = metadata(&server);
    let addresses = metadata.as_object().unwrap().iter().filter(|(name, _)| {
        name.ends_with("_endpoint") || name.ends_with("_uri") && metadata[name.as_str()].is_string()
    });
    let mut seen = BTreeSet::new();
    for (name, url) in addresses {
        let url = url.as_str().unwrap();
        assert!(url.starts_with(&format!("{}/", server.issuer)), "{name}: {url}");
        assert!(![404, 500].contains(&server.client().get(url).status), "{name}: {url}");
        seen.insert(name.as_str());
    }
    let wanted = [
        "authorization_endpoint",
        "end_session_endpoint",
        "introspection_endpoint",
        "jwks_uri",
        "revocation_endpoint",
        "token_endpoint",
        "userinfo_endpoint",
    ];
    assert_eq!(seen, wanted.into());
}

/// RFC 8414 §2: grant_types_supported, token_endpoint_auth_methods_supported, code_challenge_methods_supported.
#[test]
fn every_grant_and_every_way_to_authenticate_works() {
    let server = TestServer::start();
    let metadata = metadata(&server);
    let mut grants = BTreeSet::new();
    let answer = tokens(&server);
    grants.insert("authorization_code");
    let refresh = answer.text("refresh_token");
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    assert_eq!(server.token("web", &form).status, 200);
    grants.insert("refresh_token");
    assert_eq!(server.token("service", &[("grant_type", "client_credentials")]).status, 200);
    grants.insert("client_credentials");
    let form = [("grant_type", "password"), ("username", "alice"), ("password", PASSWORD)];
    assert_eq!(server.token("house", &form).status, 200);
    grants.insert("password");
    let listed = list(&metadata, "grant_types_supported");
    assert_eq!(grants, listed.iter().map(String::as_str).collect());

    // The two by assertion work in rfc7523.rs and rfc7523_secret.rs.
    assert_eq!(
        list(&metadata, "token_endpoint_auth_methods_supported"),
        ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"]
    );
    let by_code = |client: &str| code(&server, client, &[]);
    assert_eq!(server.token("web", &redemption(&by_code("web"))).status, 200);
    let (posted, web_secret) = (by_code("web"), secret("web"));
    let mut form = redemption(&posted);
    form.extend([("client_id", "web"), ("client_secret", web_secret.as_str())]);
    assert_eq!(server.client().post("/token", &form).status, 200);
    assert_eq!(server.public_token("app", &redemption(&by_code("app"))).status, 200);

    assert_eq!(list(&metadata, "code_challenge_methods_supported"), ["S256"]);
    let plain = [("code_challenge_method", "plain")];
    assert_eq!(error_of(&ask(&mut server.browser(), "app", &plain)), "invalid_request");
}

/// RFC 8693 §2.1: token exchange is off unless a client has rules for it, and told of only then.
#[test]
fn token_exchange_is_told_of_only_where_a_client_may_do_it() {
    let exchange = "urn:ietf:params:oauth:grant-type:token-exchange".to_owned();
    assert!(!list(&metadata(&TestServer::start()), "grant_types_supported").contains(&exchange));
    let server = TestServer::with(super::support::tokens::setup());
    assert!(list(&metadata(&server), "grant_types_supported").contains(&exchange));
}

/// RFC 9700 §2.4: the password grant "MUST NOT be used": it is not told of where no client is marked for it.
#[test]
fn the_password_grant_is_told_of_only_where_a_client_is_marked_for_it() {
    let server = TestServer::start();
    change::client(&server, "house", |draft| {
        draft.grant_types.remove(&countersign::oauth::GrantType::Password);
    });
    assert!(!list(&metadata(&server), "grant_types_supported").contains(&"password".to_owned()));
}

#[test]
fn every_scope_prompt_language_and_response_type_works() {
    let server = TestServer::start();
    let metadata = metadata(&server);
    let mut browser = signed_in(&server);
    change::client(&server, "web", |draft| {
        draft.scope = draft.scope.union(&"address phone".parse().unwrap());
    });
    for scope in list(&metadata, "scopes_supported") {
        let asked = format!("openid {scope}");
        // Two resource servers of the tests know this one.
        let resource = if scope == "shared" { MAIL } else { "" };
        let page = ask(&mut browser, "web", &[("scope", &asked), ("resource", resource)]);
        assert!(is_consent(&page), "{scope} {:?}", page.header("location"));
    }
    assert_eq!(list(&metadata, "response_types_supported"), ["code"]);
    for prompt in list(&metadata, "prompt_values_supported") {
        let answer = ask(&mut browser, "app", &[("prompt", &prompt)]);
        let works = match prompt.as_str() {
            "none" => answer.header("location").is_some_and(|to| to.contains("?code=")),
            "consent" => is_consent(&answer),
            "select_account" => is_chooser(&answer),
            _ => is_login(&answer),
        };
        assert!(works, "{prompt}");
    }
    for tag in list(&metadata, "ui_locales_supported") {
        let page = ask(&mut browser, "app", &[("prompt", "login"), ("ui_locales", &tag)]);
        assert!(page.body.contains(&format!("<html lang=\"{tag}\">")), "{tag}");
    }
    for (name, flag) in [
        ("request", "request_parameter_supported"),
        ("request_uri", "request_uri_parameter_supported"),
        ("registration", "require_request_uri_registration"),
    ] {
        assert_eq!(metadata[flag], false);
        assert_eq!(error_of(&ask(&mut browser, "app", &[(name, "x")])), format!("{name}_not_supported"));
    }
}

/// OpenID Connect Discovery 1.0 §3: claims_supported, id_token_signing_alg_values_supported.
#[test]
fn the_claims_are_those_of_id_tokens_and_userinfo_and_the_algorithms_sign() {
    let server = TestServer::start();
    let metadata = metadata(&server);
    let with =
        [("scope", "openid profile email"), ("nonce", "n"), ("max_age", "900"), ("acr_values", "urn:x")];
    let code = authorize(&mut server.browser(), "app", &with).sent("code").unwrap();
    let answer = server.public_token("app", &redemption(&code));
    let token = answer.text("id_token");
    let listed: BTreeSet<String> = list(&metadata, "claims_supported").into_iter().collect();
    let told = userinfo(&server, &answer.text("access_token")).json();
    let mut seen: BTreeSet<String> = claims(&token).keys().cloned().collect();
    seen.extend(told.as_object().unwrap().keys().cloned());
    assert!(seen.is_subset(&listed), "{seen:?}");
    let of_users =
        ["profile", "email", "address", "phone"].map(countersign::oauth::claims::of_scope).concat();
    let left: Vec<&str> = listed.difference(&seen).map(String::as_str).collect();
    assert!(left.iter().all(|name| of_users.contains(name)), "{left:?}");
    for algorithm in list(&metadata, "id_token_signing_alg_values_supported") {
        change::client(&server, "app", |draft| {
            draft.openid.id_token.signing = Some(algorithm.parse().unwrap());
        });
        let code = authorize(&mut server.browser(), "app", &with).sent("code").unwrap();
        let token = server.public_token("app", &redemption(&code)).text("id_token");
        assert_eq!(part(&token, 0)["alg"], algorithm);
    }
}

#[test]
fn the_document_follows_a_change_of_the_configuration() {
    let server = TestServer::start();
    assert!(list(&metadata(&server), "scopes_supported").contains(&"mail:send".to_owned()));
    let id = MAIL.parse().unwrap();
    let store = server.store();
    store.write("test", move |conn| countersign::store::resource_servers::delete(conn, &id)).unwrap();
    server.refresh();
    assert!(!list(&metadata(&server), "scopes_supported").contains(&"mail:send".to_owned()));
}

/// What other servers have and this one has not is not there under its usual names either.
#[test]
fn what_the_document_does_not_name_does_not_answer() {
    let server = TestServer::start();
    for path in ["/register", "/par", "/device_authorization", "/authorize/"] {
        assert_eq!(server.client().get(path).status, 404, "{path}");
    }
    let unknown =
        changed(&[("grant_type", "x")], "grant_type", "urn:ietf:params:oauth:grant-type:device_code");
    assert_eq!(server.token("service", &unknown).error(), "unsupported_grant_type");
}
