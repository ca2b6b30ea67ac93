//! RFC 7592 §2: a client that registered itself is told what is registered, changes it, and deletes itself.

use countersign::base::PlainToken;
use countersign::base::TokenKind;
use countersign::base::entropy::OsEntropy;
use countersign::domain::Client;
use countersign::oauth::{GrantType, RedirectUri};
use countersign::store;
use serde_json::{Value, json};

use super::support::change;
use super::support::flow::{authorize, redemption};
use super::support::http::Answer;
use super::support::raw::Raw;
use super::support::registration::{least, least_with, manage, open, registered, setup, with};
use super::support::server::{CALLBACK, Setup};
use super::support::{TestServer, on_each_database};

/// A client that registered itself.
struct Own<'a> {
    server: &'a TestServer,
    told: Value,
    id: String,
    path: String,
    token: String,
}

impl<'a> Own<'a> {
    fn new(server: &'a TestServer, body: &Value) -> Self {
        let told = registered(server, body);
        let text = |name: &str| told[name].as_str().unwrap().to_owned();
        let path = text("registration_client_uri").strip_prefix(&server.issuer).unwrap().to_owned();
        Self { server, id: text("client_id"), path, token: text("registration_access_token"), told }
    }

    fn ask(&self, method: &str, body: &str) -> Answer {
        manage(self.server, method, &self.path, Some(&self.token), body)
    }

    fn read(&self) -> Value {
        let answer = self.ask("GET", "");
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        answer.json()
    }

    /// An update with these members beside the least.
    fn update(&self, members: Value) -> Answer {
        let mut body = least_with(members);
        if body.get("client_id").is_none() {
            body["client_id"] = self.id.clone().into();
        }
        self.ask("PUT", &body.to_string())
    }

    fn stored(&self) -> Client {
        let id = self.id.parse().unwrap();
        self.server.store().read("client", |conn| store::clients::find(conn, &id)).unwrap().unwrap()
    }
}

fn on(database: &super::support::Database) -> TestServer {
    TestServer::with(Setup { database: Some(database.url.clone()), ..setup("mode = \"open\"") })
}

/// RFC 7592 §2.1 and §3: the answer is that of the registration, with the same secret and the same token.
#[test]
fn a_client_reads_what_it_was_told_at_its_registration() {
    on_each_database(|database| {
        let server = on(&database);
        let own =
            Own::new(&server, &least_with(json!({ "client_name": "Acme", "contacts": ["a@app.example"] })));
        assert_eq!(own.read(), own.told);
        server.advance(1000);
        assert_eq!(own.read(), own.told);
        assert_eq!(own.ask("HEAD", "").status, 200);
    });
}

/// RFC 7592 §2.1: "If the client does not exist on this server, the server MUST respond with an HTTP 401 Unauthorized".
#[test]
fn another_token_or_another_client_is_unauthorised() {
    let server = open();
    let (own, other) = (Own::new(&server, &least()), Own::new(&server, &least()));
    let gone = Own::new(&server, &least());
    assert_eq!(gone.ask("DELETE", "").status, 204);
    let unknown = PlainToken::random(TokenKind::Registration, &OsEntropy).unwrap();
    let refused = |path: &str, token: Option<&str>, error: &str| {
        for (method, body) in [("GET", ""), ("PUT", "{}"), ("DELETE", "")] {
            let answer = manage(&server, method, path, token, body);
            assert_eq!(answer.status, 401, "{method} {path}");
            let challenge = answer.header("www-authenticate").unwrap();
            assert_eq!(challenge, format!("Bearer realm=\"countersign\"{error}"));
        }
    };
    let invalid = ", error=\"invalid_token\"";
    refused(&own.path, None, "");
    refused(&own.path, Some(&other.token), invalid);
    refused(&own.path, Some(unknown.reveal()), invalid);
    refused(&own.path, Some(own.told["client_secret"].as_str().unwrap()), invalid);
    refused(&own.path, Some(""), invalid);
    refused(&gone.path, Some(&gone.token), invalid);
    refused(&gone.path, Some(&own.token), invalid);
    // Clients that did not register themselves are none of its business.
    refused("/register/web", Some(&own.token), invalid);
    refused("/register/%00", Some(&own.token), invalid);
    refused(&format!("/register/{}", "a".repeat(2_000)), Some(&own.token), invalid);
    assert_eq!(own.read(), own.told);
}

/// RFC 7592 §2.1: "If the client does not have permission to read its record, the server MUST return an HTTP 403 Forbidden."
#[test]
fn a_client_that_is_switched_off_is_forbidden_all_of_it() {
    let server = open();
    let own = Own::new(&server, &least());
    change::switch_off(&server, &own.id);
    for (method, body) in [("GET", ""), ("PUT", "{}"), ("DELETE", "")] {
        let answer = own.ask(method, body);
        assert_eq!((answer.status, answer.error().as_str()), (403, "insufficient_scope"), "{method}");
    }
}

/// RFC 7592 §2.2: "Omitted fields MUST be treated as null or empty values by the server, indicating the client's request to
/// delete them from the client's registration."
#[test]
fn an_update_replaces_all_that_was_registered() {
    on_each_database(|database| {
        let server = on(&database);
        let own = Own::new(
            &server,
            &least_with(json!({
                "client_name": "Acme", "client_name#de": "Akme", "contacts": ["a@app.example"],
                "policy_uri": "https://app.example/policy", "default_max_age": 60,
                "scope": "openid email", "post_logout_redirect_uris": ["https://app.example/bye"],
            })),
        );
        let moved = "https://app.example/moved";
        let answer = own.update(json!({
            "redirect_uris": [moved], "client_name": "Acme 2", "tos_uri": "https://app.example/tos",
            "contacts": null, "client_secret": own.told["client_secret"],
        }));
        assert_eq!(answer.status, 200, "{}", answer.body);
        let told = answer.json();
        assert_eq!(told, own.read());
        assert_eq!(
            (&told["client_name"], &told["tos_uri"]),
            (&json!("Acme 2"), &json!("https://app.example/tos"))
        );
        assert_eq!(told["redirect_uris"], json!([moved]));
        for name in
            ["client_name#de", "contacts", "policy_uri", "default_max_age", "post_logout_redirect_uris"]
        {
            assert_eq!(told[name], Value::Null, "{name}");
        }
        for name in ["client_id", "client_secret", "registration_access_token", "client_id_issued_at"] {
            assert_eq!(told[name], own.told[name], "{name}");
        }
        // The old redirect URI is of no more use, at once.
        let page =
            server.browser().get(&super::support::flow::authorize_path(&own.id, &[("scope", "openid")]));
        assert_eq!(page.status, 400, "{}", page.body);
        let asked = [("scope", "openid"), ("redirect_uri", moved)];
        assert!(authorize(&mut server.browser(), &own.id, &asked).sent("code").is_some());
    });
}

/// RFC 7592 §2.2: what an update must hold, and must not.
#[test]
fn an_update_that_says_what_is_not_the_clients_to_say_changes_nothing() {
    let server = open();
    let own = Own::new(&server, &least_with(json!({ "client_name": "Acme" })));
    for members in [
        json!({ "client_id": "app" }),
        json!({ "client_id": 7 }),
        json!({ "client_secret": "mine" }),
        json!({ "client_secret": format!("{}x", own.told["client_secret"].as_str().unwrap()) }),
        json!({ "registration_access_token": own.token }),
        json!({ "registration_client_uri": own.told["registration_client_uri"] }),
        json!({ "client_secret_expires_at": 0 }),
        json!({ "client_id_issued_at": own.told["client_id_issued_at"] }),
        json!({ "client_name": "a\u{202e}b" }),
        json!({ "grant_types": ["authorization_code", "password"] }),
        json!({ "grant_types": ["client_credentials"], "redirect_uris": null }),
        json!({ "scope": "notes:write" }),
    ] {
        let answer = own.update(members.clone());
        assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_client_metadata"), "{members}");
    }
    assert_eq!(
        own.update(json!({ "redirect_uris": ["http://app.example/"] })).error(),
        "invalid_redirect_uri"
    );
    assert_eq!(own.ask("PUT", &least().to_string()).error(), "invalid_client_metadata", "without client_id");
    assert_eq!(own.ask("PUT", "[]").error(), "invalid_request");
    assert_eq!(own.read(), own.told);
}

/// A client that goes from a secret to none and back gets another; the former one is dead.
#[test]
fn a_secret_goes_and_comes_with_the_way_of_authentication() {
    on_each_database(|database| {
        let server = on(&database);
        let own = Own::new(&server, &least());
        let first = own.told["client_secret"].as_str().unwrap().to_owned();
        let public = own.update(json!({ "token_endpoint_auth_method": "none" })).json();
        assert_eq!(
            (&public["client_secret"], &public["client_secret_expires_at"]),
            (&Value::Null, &Value::Null)
        );
        assert!(own.stored().is_public() && own.stored().needs_pkce());
        let again = own.update(json!({ "token_endpoint_auth_method": "client_secret_post" })).json();
        let second = again["client_secret"].as_str().unwrap();
        assert_ne!(second, first);
        assert_eq!(own.read(), again);
        let code = authorize(&mut server.browser(), &own.id, &[("scope", "openid")]).sent("code").unwrap();
        let mut form = redemption(&code);
        form.extend([("client_id", own.id.as_str()), ("client_secret", first.as_str())]);
        assert_eq!(server.client().post("/token", &form).error(), "invalid_client");
        form.pop();
        form.push(("client_secret", second));
        assert_eq!(server.client().post("/token", &form).status, 200);
    });
}

/// What an operator gave to a client stays when the client says something new of itself.
#[test]
fn an_update_takes_nothing_that_the_operator_gave() {
    let server = open();
    let own = Own::new(&server, &least());
    change::client(&server, &own.id, |draft| {
        draft.scope = "openid notes:read".parse().unwrap();
        draft.resources = vec!["https://notes.example".parse().unwrap()];
        draft.skip_consent = true;
        draft.require_pkce = false;
        draft.access_token_ttl = Some(countersign::base::Seconds(77));
        draft.openid.assertion_for_issuer_only = true;
        draft.openid.claims = serde_json::from_str(r#"{"crew":"attribute:team"}"#).unwrap();
    });
    let told = own.update(json!({ "scope": "openid email notes:read mail:send" })).json();
    assert_eq!(told["scope"], "openid email notes:read");
    let stored = own.stored();
    assert!(stored.skip_consent && !stored.require_pkce);
    assert_eq!((stored.resources.len(), stored.access_token_ttl.map(|ttl| ttl.0)), (1, Some(77)));
    assert!(stored.openid.assertion_for_issuer_only && !stored.openid.claims.is_empty());
}

/// What the policy gives to nobody is an operator's gift: an update may name it or leave it out.
#[test]
fn an_update_keeps_the_grants_that_the_operator_gave() {
    let server = open();
    let own = Own::new(&server, &least());
    change::client(&server, &own.id, |draft| {
        draft.grant_types.insert(GrantType::ClientCredentials);
    });
    let told = own.read();
    let named = json!({ "grant_types": told["grant_types"] });
    assert_eq!(named["grant_types"].as_array().unwrap().len(), 2, "{named}");
    for members in [named, json!({})] {
        let answer = own.update(members.clone());
        assert_eq!(answer.status, 200, "{members}: {}", answer.body);
        assert!(own.stored().may(GrantType::ClientCredentials), "{members}");
    }
    let other = Own::new(&server, &least());
    let asked = json!({ "grant_types": ["authorization_code", "client_credentials"] });
    assert_eq!(other.update(asked).error(), "invalid_client_metadata");
}

/// A secret that was found where others can read it counts no more, and is told no more; a change brings another.
#[test]
fn a_secret_that_leaked_is_replaced_at_the_next_update() {
    on_each_database(|database| {
        let server = on(&database);
        let own = Own::new(&server, &least());
        let id = own.id.parse().unwrap();
        let secrets = server.store().read("secrets", store::client_secrets::all).unwrap();
        let leaked = secrets.into_iter().find(|secret| secret.client_id == id).unwrap().id;
        let now = server.app.now();
        server.store().write("leak", move |conn| store::client_secrets::leak(conn, leaked, now)).unwrap();
        server.refresh();
        assert_eq!(own.read()["client_secret"], Value::Null, "{}", database.kind);
        let told = own.update(json!({})).json();
        let secret = told["client_secret"].as_str().unwrap();
        assert_ne!(told["client_secret"], own.told["client_secret"]);
        assert_eq!(own.read()["client_secret"], told["client_secret"], "{}", database.kind);
        let form = [("grant_type", "refresh_token"), ("refresh_token", "none")];
        let answer = server.client().post_as(&own.id, secret, "/token", &form);
        assert_eq!(answer.error(), "unauthorized_client", "it has proved itself: {}", answer.body);
    });
}

/// RFC 7592 §2.3: "If a client has been successfully deprovisioned, the authorization server MUST respond with an HTTP 204
/// No Content message" and "SHOULD immediately invalidate all existing authorization grants and currently active access
/// tokens, all refresh tokens, and other tokens associated with this client."
#[test]
fn a_client_that_deletes_itself_takes_with_it_what_it_was_given() {
    on_each_database(|database| {
        let server = on(&database);
        let own =
            Own::new(&server, &least_with(json!({ "grant_types": ["authorization_code", "refresh_token"] })));
        let secret = own.told["client_secret"].as_str().unwrap();
        let asked = [("scope", "openid offline_access")];
        let code = authorize(&mut server.browser(), &own.id, &asked).sent("code").unwrap();
        let tokens = server.client().post_as(&own.id, secret, "/token", &redemption(&code));
        assert_eq!(tokens.status, 200, "{}", tokens.body);
        let unused = authorize(&mut server.browser(), &own.id, &asked).sent("code").unwrap();
        let gone = own.ask("DELETE", "");
        assert_eq!((gone.status, gone.body.as_str()), (204, ""));
        assert_eq!(gone.header("cache-control"), Some("no-store"));
        let refresh = tokens.text("refresh_token");
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        assert_eq!(server.client().post_as(&own.id, secret, "/token", &form).error(), "invalid_client");
        assert_eq!(
            server.client().post_as(&own.id, secret, "/token", &redemption(&unused)).error(),
            "invalid_client"
        );
        let mut raw = Raw::open(&database.url);
        for table in ["registrations", "consents", "authorizations", "codes"] {
            assert_eq!(raw.number(&format!("SELECT count(*) AS n FROM {table}")), 0, "{table}");
        }
        assert_eq!(own.ask("GET", "").status, 401);
        assert_eq!(own.ask("DELETE", "").status, 401);
    });
}

/// The registration access token and the secret are not in the database as they are.
#[test]
fn nothing_that_the_client_holds_can_be_read_in_the_database() {
    on_each_database(|database| {
        let server = on(&database);
        let own = Own::new(&server, &least());
        let mut raw = Raw::open(&database.url);
        let columns = "token_hash || ' ' || sealed_secret || ' ' || metadata";
        let stored = raw.texts(&format!("SELECT {columns} AS t FROM registrations")).join(" ");
        let stored = stored + &raw.texts("SELECT hash AS t FROM client_secrets").join(" ");
        for name in ["client_secret", "registration_access_token"] {
            let secret = own.told[name].as_str().unwrap();
            assert!(!stored.contains(secret.rsplit('_').nth(1).unwrap()), "{name}");
        }
    });
}

/// RFC 9110 §15.5.6.
#[test]
fn other_methods_are_told_which_there_are() {
    let server = open();
    let own = Own::new(&server, &least());
    for method in ["POST", "PATCH"] {
        let answer = own.ask(method, "{}");
        let allow = answer.header("allow");
        assert_eq!((answer.status, allow), (405, Some("GET, HEAD, PUT, DELETE, OPTIONS")), "{method}");
    }
    assert_eq!(manage(&server, "OPTIONS", &own.path, None, "").status, 204);
}

/// A policy that became stricter holds for every change from then on.
#[test]
fn the_policy_of_today_holds_for_a_change_too() {
    on_each_database(|database| {
        let server = on(&database);
        let own = Own::new(&server, &least_with(json!({ "scope": "openid email" })));
        let (id, path, token) = (own.id.clone(), own.path.clone(), own.token.clone());
        drop(server);
        let stricter = TestServer::with(Setup {
            database: Some(database.url.clone()),
            ..setup("mode = \"token\"\nauth_methods = [\"none\"]\nscopes = [\"openid\"]")
        });
        let body = |members: Value| {
            let mut body = least_with(members);
            body["client_id"] = id.clone().into();
            body.to_string()
        };
        let put = |members| manage(&stricter, "PUT", &path, Some(&token), &body(members));
        assert_eq!(put(json!({})).error(), "invalid_client_metadata");
        let told = put(json!({ "token_endpoint_auth_method": "none" }));
        assert_eq!(told.status, 200, "{}", told.body);
        drop(stricter);
        let off = TestServer::with(Setup { database: Some(database.url.clone()), ..Setup::default() });
        assert_eq!(manage(&off, "GET", &path, Some(&token), "").status, 404);
    });
}

/// A leaked registration access token manages nothing any more; the client goes on.
#[test]
fn a_leaked_registration_access_token_is_revoked() {
    on_each_database(|database| {
        let server = on(&database);
        let own = Own::new(&server, &least());
        let (id, initial) =
            super::support::registration::initial_token(&server, None, countersign::base::Seconds(60));
        let found = json!([{ "token": own.token }, { "token": initial }]).to_string();
        for _ in 0..2 {
            let headers = [("content-type", "application/json")];
            let answer =
                server.client().send("POST", countersign::http::paths::LEAKED_TOKENS, &headers, &found);
            let labels = answer.json();
            assert_eq!(
                (&labels[0]["label"], &labels[1]["label"]),
                (&json!("true_positive"), &json!("true_positive"))
            );
        }
        assert_eq!(own.ask("GET", "").error(), "invalid_token");
        let code = authorize(&mut server.browser(), &own.id, &[("scope", "openid")]).sent("code");
        assert!(code.is_some(), "the client goes on");
        let again = super::support::registration::register_by(&server, &initial, &least());
        assert_eq!(again.error(), "invalid_token", "{id}");
    });
}

/// The operator sees it as any other, and CALLBACK is where it goes.
#[test]
fn a_registered_client_is_a_client() {
    let server = with("mode = \"open\"\nscopes = [\"openid\"]");
    let own = Own::new(&server, &least());
    let stored = own.stored();
    assert_eq!(stored.redirect_uri(CALLBACK).map(RedirectUri::as_str), Some(CALLBACK));
    assert!(!stored.declared && !stored.skip_consent && stored.needs_pkce());
    assert!(Client::check(stored.to_draft(), stored.created_at).is_ok());
}

/// OpenID Connect Core §12.2: a `sub` stays as it was. A client that named another's host later would be told its subjects.
#[test]
fn nobody_moves_to_another_sector() {
    let server = open();
    let own = Own::new(&server, &least_with(json!({ "subject_type": "pairwise" })));
    let elsewhere = json!({ "subject_type": "pairwise", "redirect_uris": ["https://victim.example/cb"] });
    for members in [elsewhere, json!({ "subject_type": "public" }), json!({})] {
        let answer = own.update(members.clone());
        let told = (answer.status, answer.error());
        assert_eq!(told, (400, "invalid_client_metadata".to_owned()), "{members}: {}", answer.body);
    }
    let here = json!({ "subject_type": "pairwise", "redirect_uris": ["https://app.example/other"] });
    assert_eq!(own.update(here).status, 200);
    let public = Own::new(&server, &least());
    assert_eq!(public.update(json!({ "subject_type": "pairwise" })).status, 400);
    assert_eq!(public.update(json!({ "redirect_uris": ["https://moved.example/cb"] })).status, 200);
}
