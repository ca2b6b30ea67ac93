//! OpenID Connect Core 1.0 §8: by which `sub` a client knows a user.

use countersign::domain::client::openid::SubjectType;
use countersign::flow::subject;

use super::support::flow::{authorize, authorize_path, claims, code, redemption};
use super::support::server::{Setup, config};
use super::support::tokens::{introspect, setup};
use super::support::{TestServer, change, on_each_database};

fn pairwise(server: &TestServer, client: &str) {
    change::client(server, client, |draft| draft.openid.subject_type = SubjectType::Pairwise);
}

/// The `sub` of the ID token and that of the access token.
fn subjects(server: &TestServer, client: &str) -> (String, String) {
    let code = code(server, client, &[]);
    let answer = match client {
        "app" => server.public_token(client, &redemption(&code)),
        _ => server.token(client, &redemption(&code)),
    };
    let sub = |token: &str| claims(&answer.text(token))["sub"].as_str().unwrap().to_owned();
    (sub("id_token"), sub("access_token"))
}

/// §8.1: "Any algorithm with the following properties can be used […]: The Subject Identifier value MUST NOT be reversible by
/// any party other than the OpenID Provider. Distinct Sector Identifier values MUST result in distinct Subject Identifier
/// values. The algorithm MUST be deterministic."
#[test]
fn each_sector_knows_a_user_by_a_subject_of_its_own_and_always_by_the_same() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let user = server.user("alice").id.to_string();
        assert_eq!(subjects(&server, "web"), (user.clone(), user.clone()), "public is the default");
        pairwise(&server, "web");
        let (web, access) = subjects(&server, "web");
        assert_eq!(web, access, "the access token gives nothing away");
        assert!(web.len() == 43 && !web.contains(&user), "{web}");
        pairwise(&server, "app");
        assert_eq!(subjects(&server, "app").0, web, "its redirect URIs are on the same host");
        change::client(&server, "app", |draft| {
            draft.openid.sector_identifier_uri = Some("https://other.example/sector".to_owned());
        });
        let other = subjects(&server, "app").0;
        assert!(other != web && other != user, "{other}");

        // Another node, or the same one after a restart.
        let again = TestServer::with(Setup {
            database: Some(database.url.clone()),
            issuer: Some(server.issuer.clone()),
            clients: String::new(),
            ..Setup::default()
        });
        let client = server.app.known().client("web").unwrap().client.clone();
        let id = server.user("alice").id;
        assert_eq!(subject::sub_for(&again.app.policy, &client, id), web, "{}", database.kind);
    });
}

/// OpenID Connect Core §3.1.2.1: the hint says `sub` as the client knows it.
#[test]
fn an_id_token_hint_with_a_pairwise_subject_is_understood() {
    let server = TestServer::start();
    pairwise(&server, "web");
    let mut browser = server.browser();
    let answer = authorize(&mut browser, "web", &[]);
    let hint = server.token("web", &redemption(&answer.sent("code").unwrap())).text("id_token");
    let silent = authorize_path("web", &[("prompt", "none"), ("id_token_hint", &hint)]);
    assert!(browser.get(&silent).sent("code").is_some());
    // The hint of another user: she is not the one who is signed in.
    server.add_user("bob");
    let mut bobs = server.browser();
    let page = bobs.get(&authorize_path("web", &[]));
    let page = bobs.follow(page);
    let page = bobs.log_in(&page, "bob", super::support::server::PASSWORD);
    bobs.decide(&page, "allow");
    assert_eq!(bobs.get(&silent).sent("error").as_deref(), Some("login_required"));
}

#[test]
fn introspection_knows_the_user_by_the_subject_of_the_token() {
    let server = TestServer::with(setup());
    pairwise(&server, "web");
    let code = code(&server, "web", &[("scope", "openid notes:read offline_access")]);
    let answer = server.token("web", &redemption(&code));
    let sub = claims(&answer.text("access_token"))["sub"].clone();
    let said =
        |client: &str, token: &str| introspect(&server, client, &answer.text(token)).json()["sub"].clone();
    assert_eq!(said("notes-api", "access_token"), sub);
    assert_eq!(said("web", "refresh_token"), sub);
}

/// RFC 8693 §2.1: whoever exchanges a token learns no other name of the user than its own.
#[test]
fn an_exchanged_token_has_the_subject_of_its_new_holder() {
    let server = TestServer::with(setup());
    pairwise(&server, "web");
    let answer = server.token("web", &redemption(&code(&server, "web", &[])));
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", &*answer.text("access_token")),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("audience", "https://mail.example/api"),
    ];
    let exchanged = server.token("gateway", &form);
    assert_eq!(exchanged.status, 200, "{}", exchanged.body);
    let sub = claims(&exchanged.text("access_token"))["sub"].clone();
    assert_eq!(sub, server.user("alice").id.to_string());
    assert_eq!(introspect(&server, "mail-api", &exchanged.text("access_token")).json()["sub"], sub);
}

/// §8.1: "If there are multiple hostnames in the registered redirect_uris, the Client MUST register a
/// sector_identifier_uri."
#[test]
fn a_pairwise_client_has_one_host_or_names_its_sector() {
    let told = |web: &str| {
        let setup = Setup::default();
        let clients = setup.clients.replacen("id = \"web\"\n", &format!("id = \"web\"\n{web}\n"), 1);
        let clients = clients.replacen("https://app.example/cb2?x=1", "https://second.example/cb", 1);
        let folder = tempfile::tempdir().unwrap();
        let config = config(&Setup { clients, ..setup }, "http://127.0.0.1:9", folder.path());
        let now = super::support::server::START;
        let declared = countersign::app::declared(&config, now);
        let checked = declared.and_then(|declared| declared.check(now));
        format!("{:?}", checked.err().unwrap_or_default())
    };
    assert_eq!(told("subject_type = \"public\""), "[]");
    let refused = told("subject_type = \"pairwise\"");
    assert!(refused.contains("sector_identifier_uri"), "{refused}");
    assert!(told("subject_type = \"pair\"").contains("public or pairwise"));
    let sector = |uri: &str| told(&format!("subject_type = \"pairwise\"\nsector_identifier_uri = \"{uri}\""));
    assert_eq!(sector("https://sector.example/clients.json"), "[]");
    for uri in ["http://sector.example/", "https://sector.example/#f", "sector.example", ""] {
        assert!(sector(uri).contains("https URL"), "{uri}");
    }
}
