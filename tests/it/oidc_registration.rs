//! OpenID Connect Dynamic Client Registration 1.0: what it adds to RFC 7591.

use serde_json::{Value, json};

use super::support::TestServer;
use super::support::flow::{VERIFIER, authorize, authorize_path, challenge};
use super::support::outside::{Outside, Says};
use super::support::registration::{least, least_with, manage, open, register, registered, setup, with};
use super::support::server::{CALLBACK, Setup};

fn text<'a>(told: &'a Value, name: &str) -> &'a str {
    told[name].as_str().unwrap_or_else(|| panic!("no {name} in {told}"))
}

/// §2, `application_type`: "Native Clients MUST only register redirect_uris using custom URI schemes or loopback URLs using
/// the http scheme". Which schemes: RFC 8252 §7.1.
#[test]
fn an_app_on_the_users_machine_has_redirect_uris_of_its_own() {
    let server = open();
    let native =
        |uris: Value| register(&server, &json!({ "application_type": "native", "redirect_uris": uris }));
    let uris =
        json!(["http://127.0.0.1/cb", "http://localhost:7000/cb", "http://[::1]/cb", "com.example.app:/cb"]);
    let told = native(uris.clone()).json();
    assert_eq!((&told["redirect_uris"], &told["application_type"]), (&uris, &json!("native")));
    assert_eq!((&told["token_endpoint_auth_method"], &told["client_secret"]), (&json!("none"), &Value::Null));
    for uri in [
        "https://app.example/cb",
        "http://app.example/cb",
        "app:/cb",
        "javascript:alert(1)",
        "http://localhost.evil.example/",
    ] {
        assert_eq!(native(json!([uri])).error(), "invalid_redirect_uri", "{uri}");
    }
    // RFC 8252 §7.3: the port is free, for the two literals.
    let asked = [("redirect_uri", "http://127.0.0.1:51004/cb"), ("scope", "openid")];
    assert!(authorize(&mut server.browser(), text(&told, "client_id"), &asked).sent("code").is_some());
    let secret = json!({
        "application_type": "native", "redirect_uris": ["http://127.0.0.1/cb"],
        "token_endpoint_auth_method": "client_secret_basic",
    });
    assert_eq!(register(&server, &secret).error(), "invalid_client_metadata");
    for kind in [json!("desktop"), json!(["web"]), json!(7)] {
        assert_eq!(
            register(&server, &least_with(json!({ "application_type": kind }))).error(),
            "invalid_client_metadata"
        );
    }
}

/// OpenID Connect RP-Initiated Logout 1.0 §3.1: "These URLs SHOULD use the https scheme"; what is said of the `redirect_uris`
/// of native applications is said of those alone.
#[test]
fn an_app_on_the_users_machine_may_go_to_a_web_page_after_a_logout() {
    let server = open();
    let bye = |kind: &str, redirect_uri: &str, uri: &str| {
        let body = json!({
            "application_type": kind, "redirect_uris": [redirect_uri], "post_logout_redirect_uris": [uri],
        });
        register(&server, &body)
    };
    for uri in ["https://app.example/bye", "http://127.0.0.1/bye", "com.example.app:/bye"] {
        let told = bye("native", "com.example.app:/cb", uri);
        assert_eq!((told.status, &told.json()["post_logout_redirect_uris"]), (201, &json!([uri])), "{uri}");
    }
    for (kind, redirect_uri, uri) in [
        ("native", "com.example.app:/cb", "http://app.example/bye"),
        ("web", CALLBACK, "http://app.example/bye"),
        ("web", CALLBACK, "com.example.app:/bye"),
        ("web", CALLBACK, "https://localhost/bye"),
    ] {
        let answer = bye(kind, redirect_uri, uri);
        assert_eq!(answer.error(), "invalid_client_metadata", "{kind} {uri}");
        assert!(answer.text("error_description").starts_with("post_logout_redirect_uris: "), "{kind} {uri}");
    }
}

/// RFC 7591 does not know `application_type`: whoever registers by that alone and runs on the user's machine is understood.
#[test]
fn without_an_application_type_the_redirect_uris_say_where_a_client_runs() {
    let server = open();
    let told = registered(&server, &json!({ "redirect_uris": ["http://localhost:33418/cb"] }));
    assert_eq!(
        (&told["application_type"], &told["token_endpoint_auth_method"]),
        (&json!("native"), &json!("none"))
    );
    let mixed = json!({ "redirect_uris": ["http://localhost:33418/cb", CALLBACK] });
    assert_eq!(register(&server, &mixed).error(), "invalid_redirect_uri");
    let web = json!({ "application_type": "web", "redirect_uris": ["http://localhost:33418/cb"] });
    assert_eq!(register(&server, &web).error(), "invalid_redirect_uri");
}

/// A page in a browser: public, and without refresh tokens, however many grants it asks for by habit.
#[test]
fn a_public_client_at_a_web_origin_is_a_single_page_app() {
    let server = open();
    let body = least_with(json!({
        "token_endpoint_auth_method": "none", "grant_types": ["authorization_code", "refresh_token"],
    }));
    let told = registered(&server, &body);
    assert_eq!(
        (&told["grant_types"], &told["application_type"]),
        (&json!(["authorization_code"]), &json!("web"))
    );
    let id = text(&told, "client_id");
    // RFC 9700 §2.1.1: no public client without PKCE.
    let without = [("scope", "openid"), ("code_challenge", ""), ("code_challenge_method", "")];
    let back = authorize(&mut server.browser(), id, &without);
    assert_eq!(back.sent("error").as_deref(), Some("invalid_request"));
    let code = authorize(&mut server.browser(), id, &[("scope", "openid"), ("code_challenge", &challenge())]);
    let code = code.sent("code").unwrap();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("client_id", id),
        ("code_verifier", VERIFIER),
    ];
    assert_eq!(server.client().post("/token", &form).status, 200);
}

/// §2: everything that OpenID Connect has a client say comes back as it was registered.
#[test]
fn all_members_of_openid_connect_are_registered() {
    let server = open();
    let said = json!({
        "id_token_signed_response_alg": "ES256",
        "userinfo_signed_response_alg": "RS256",
        "id_token_encrypted_response_alg": "RSA-OAEP-256",
        "id_token_encrypted_response_enc": "A256GCM",
        "userinfo_encrypted_response_alg": "ECDH-ES",
        "userinfo_encrypted_response_enc": "A128GCM",
        "jwks_uri": "https://app.example/jwks",
        "subject_type": "public",
        "default_max_age": 3600,
        "require_auth_time": true,
        "default_acr_values": ["urn:example:silver"],
        "initiate_login_uri": "https://app.example/login",
        "post_logout_redirect_uris": ["https://app.example/bye"],
        "backchannel_logout_uri": "https://app.example/logout",
        "backchannel_logout_session_required": true,
        "logo_uri": "https://app.example/logo.png",
        "client_uri": "https://app.example/",
        "policy_uri": "https://app.example/policy",
        "tos_uri": "https://app.example/tos",
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
    });
    let told = registered(&server, &least_with(said.clone()));
    for (name, value) in said.as_object().unwrap() {
        assert_eq!(told[name], *value, "{name}");
    }
    assert_eq!(told["client_secret"], Value::Null, "it has a key");
}

/// §2: "If id_token_encrypted_response_alg is specified, the default for this value is A128CBC-HS256."
#[test]
fn content_is_encrypted_with_a128cbc_hs256_unless_the_client_says_otherwise() {
    let told = registered(
        &open(),
        &least_with(json!({
            "jwks_uri": "https://app.example/jwks",
            "id_token_encrypted_response_alg": "RSA-OAEP-256",
            "userinfo_encrypted_response_alg": "ECDH-ES",
        })),
    );
    assert_eq!(told["id_token_encrypted_response_enc"], "A128CBC-HS256");
    assert_eq!(told["userinfo_encrypted_response_enc"], "A128CBC-HS256");
}

/// §2: the algorithms are those for which this server has a key; `none` and the symmetric ones it has nowhere.
#[test]
fn members_of_openid_connect_that_cannot_be_are_refused() {
    let server = open();
    for (name, value) in [
        ("id_token_signed_response_alg", json!("none")),
        ("id_token_signed_response_alg", json!("HS256")),
        ("id_token_signed_response_alg", json!("ES512")),
        ("id_token_signed_response_alg", json!("es256")),
        ("userinfo_signed_response_alg", json!("none")),
        ("userinfo_signed_response_alg", json!("EdDSA")),
        ("id_token_encrypted_response_alg", json!("RSA1_5")),
        ("id_token_encrypted_response_alg", json!("dir")),
        // Without keys of the client there is nothing to encrypt to.
        ("id_token_encrypted_response_alg", json!("RSA-OAEP-256")),
        ("id_token_encrypted_response_enc", json!("A256GCM")),
        ("id_token_encrypted_response_enc", json!("A192GCM")),
        ("userinfo_encrypted_response_enc", json!("A256GCM")),
        ("userinfo_encrypted_response_alg", json!("PBES2-HS256+A128KW")),
        ("subject_type", json!("private")),
        ("default_max_age", json!(-1)),
        ("default_max_age", json!("60")),
        ("default_max_age", json!(1.5)),
        ("default_max_age", json!(u64::MAX)),
        ("require_auth_time", json!("true")),
        ("default_acr_values", json!("a")),
        ("default_acr_values", json!(["a b"])),
        ("default_acr_values", json!([""])),
        ("initiate_login_uri", json!("http://app.example/login")),
        ("logo_uri", json!("https:/logout")),
        ("policy_uri", json!("https:app.example/policy")),
        ("backchannel_logout_uri", json!("http://127.0.0.1/logout")),
        ("backchannel_logout_uri", json!("https://app.example/#f")),
        ("backchannel_logout_session_required", json!(1)),
        ("post_logout_redirect_uris", json!(["http://app.example/bye"])),
        ("post_logout_redirect_uris", json!(["javascript:alert(1)"])),
        ("post_logout_redirect_uris", json!(["https://app.example/bye?state=1"])),
        ("post_logout_redirect_uris", json!("https://app.example/bye")),
        ("token_endpoint_auth_signing_alg", json!("none")),
        // What the client authenticates by has no algorithm.
        ("token_endpoint_auth_signing_alg", json!("ES256")),
        ("sector_identifier_uri", json!("http://app.example/sector")),
    ] {
        let answer = register(&server, &least_with(json!({ name: value })));
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (400, "invalid_client_metadata"),
            "{name} {value}"
        );
    }
}

/// OpenID Connect Core 1.0 §8.1: "If there are multiple hostnames in the registered redirect_uris, the Client MUST register a
/// sector_identifier_uri."
#[test]
fn pairwise_subjects_want_one_host() {
    let server = open();
    let pairwise =
        |uris: Value| register(&server, &json!({ "redirect_uris": uris, "subject_type": "pairwise" }));
    let one = pairwise(json!([CALLBACK, "https://app.example/other", "https://app.example:8443/"]));
    assert_eq!(one.text("subject_type"), "pairwise", "{}", one.body);
    assert_eq!(pairwise(json!([CALLBACK, "https://other.example/cb"])).error(), "invalid_client_metadata");
    assert_eq!(pairwise(json!(["com.example.app:/cb"])).error(), "invalid_client_metadata");
}

/// Dynamic Client Registration 1.0 §5: "The values of the registered redirect_uris MUST be included in the elements of the
/// array". Who fetches it, and from where, is in `fetch`.
#[test]
fn a_sector_names_all_its_redirect_uris_at_an_address_of_its_own() {
    let other = "https://other.example/cb";
    let listed = json!([CALLBACK, other, "https://third.example/"]).to_string();
    let outside = Outside::start(move |_| Says::json(&listed));
    let folder = tempfile::tempdir().unwrap();
    let plain = setup("mode = \"open\"\nmax_per_address = 1000");
    let extra = format!("{}\n{}", plain.extra, outside.toml(folder.path()));
    let server = TestServer::with(Setup { extra, ..plain });
    let uri = outside.url("/sector.json");
    let sector = |uris: Value| {
        let body = json!({ "redirect_uris": uris, "subject_type": "pairwise", "sector_identifier_uri": uri });
        register(&server, &body)
    };
    let told = sector(json!([CALLBACK, other]));
    assert_eq!((told.status, told.text("sector_identifier_uri")), (201, uri.clone()), "{}", told.body);
    assert_eq!(outside.asked().len(), 1);
    let foreign = sector(json!([CALLBACK, "https://app.example/cb/"]));
    assert_eq!(foreign.error(), "invalid_client_metadata");
    for says in [
        Says::status(404),
        Says::json("{}"),
        Says::json("[1]"),
        Says::json("[]"),
        Says::json("no JSON"),
        Says::Answer {
            status: 302,
            headers: vec![("location".to_owned(), uri.clone())],
            body: String::new(),
        },
    ] {
        outside.says(move |_| says.clone());
        let answer = sector(json!([CALLBACK]));
        assert_eq!(answer.error(), "invalid_client_metadata");
        assert!(!answer.body.contains("127.0.0.1"), "{}", answer.body);
    }
    // Where the operator has not allowed it, no address inside is asked.
    let strict = open();
    let body = json!({ "redirect_uris": [CALLBACK], "sector_identifier_uri": uri });
    let asked = outside.asked().len();
    assert_eq!(register(&strict, &body).error(), "invalid_client_metadata");
    assert_eq!(outside.asked().len(), asked);
}

/// The certification modules of the OpenID Foundation send what their own client is, and neither PKCE nor always a nonce.
#[test]
fn what_the_certification_suite_registers_is_registered() {
    let server = TestServer::with(Setup { https: false, ..setup("mode = \"open\"\nrequire_pkce = false") });
    let told = registered(
        &server,
        &json!({
            "client_name": "OIDF conformance suite qZ4iT",
            "grant_types": ["authorization_code"],
            "response_types": ["code"],
            "redirect_uris": ["https://localhost.emobix.co.uk:8443/test/a/countersign/callback"],
            "post_logout_redirect_uris": ["https://localhost.emobix.co.uk:8443/test/a/countersign/post_logout_redirect"],
            "backchannel_logout_uri": "https://localhost.emobix.co.uk:8443/test/a/countersign/backchannel_logout",
            "token_endpoint_auth_method": "client_secret_basic",
            "id_token_signed_response_alg": "RS256",
            "contacts": ["certification@oidf.org"],
        }),
    );
    let uri = told["redirect_uris"][0].as_str().unwrap();
    let asked =
        [("scope", "openid"), ("redirect_uri", uri), ("code_challenge", ""), ("code_challenge_method", "")];
    let page = server.browser().get(&authorize_path(text(&told, "client_id"), &asked));
    assert_eq!(page.status, 303, "{}", page.body);
    let code = authorize(&mut server.browser(), text(&told, "client_id"), &asked).sent("code");
    assert!(code.is_some());
}

/// Whoever may make this server ask others could keep it busy with that: each time counts, whatever came of it.
#[test]
fn documents_of_sectors_are_asked_for_so_often_and_no_more() {
    let server = with("mode = \"open\"\nmax_per_address = 3\nwindow_s = 600");
    let sector = json!({ "sector_identifier_uri": "https://nowhere.invalid/sector.json" });
    for _ in 0..3 {
        let answer = register(&server, &least_with(sector.clone()));
        assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_client_metadata"));
    }
    let told = registered(&server, &least());
    assert_eq!(register(&server, &least_with(sector.clone())).status, 429);
    // Nor by an update.
    let path = told["registration_client_uri"].as_str().unwrap().strip_prefix(&server.issuer).unwrap();
    let mut body = least_with(sector);
    body["client_id"] = told["client_id"].clone();
    let update =
        || manage(&server, "PUT", path, told["registration_access_token"].as_str(), &body.to_string());
    assert_eq!(update().status, 429);
    server.advance(601);
    assert_eq!(update().status, 400);
}
