//! OpenID Connect Core 1.0 §5.3 and §5.4: what is told of a user, to whom, and in which form.

use countersign::domain::RevocationReason;
use countersign::http::paths;
use countersign::oauth::algorithm::{ContentEncryption, KeyManagement, SigningAlgorithm};
use countersign::oauth::claims::of_scope;
use countersign::store;
use serde_json::{Value, json};

use super::support::flow::{authorize, code, redemption, tokens};
use super::support::http::{Answer, form};
use super::support::jwe::{Kind, Recipient};
use super::support::jwt::verified;
use super::support::pages::{ask, error_of};
use super::support::server::{CLIENTS, NOTES, PASSWORD, START, Setup, secret};
use super::support::tokens::{clients_token, forged, revoke, userinfo};
use super::support::{TestServer, change, on_each_database};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn access_token(server: &TestServer, scope: &str) -> String {
    let answer = server.token("web", &redemption(&code(server, "web", &[("scope", scope)])));
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.text("access_token")
}

/// The status, and the challenge as it stands.
fn challenge(answer: &Answer) -> (u16, &str) {
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{answer:?}");
    (answer.status, answer.header("www-authenticate").unwrap_or_default())
}

/// §5.3.2: "The sub (subject) Claim MUST always be returned in the UserInfo Response."
#[test]
fn whoever_holds_a_token_with_openid_is_told_what_its_scope_bears() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let sub = server.user("alice").id.to_string();
        let told = |scope: &str| {
            let answer = userinfo(&server, &access_token(&server, scope));
            assert_eq!(answer.status, 200, "{}", answer.body);
            assert_eq!(answer.header("content-type"), Some("application/json"));
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            answer.json()
        };
        let (name, username) = ("alice Example", "alice");
        assert_eq!(told("openid"), json!({ "sub": sub }));
        assert_eq!(
            told("openid profile"),
            json!({ "sub": sub, "name": name, "preferred_username": username, "updated_at": START.0 })
        );
        assert_eq!(
            told("openid email"),
            json!({ "sub": sub, "email": "alice@example.org", "email_verified": false })
        );
    });
}

/// §5.1, §5.1.1 and §5.4: all standard claims, each with the scope that bears it; updated_at is a number, address an object.
#[test]
fn every_standard_claim_comes_with_its_scope() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let mut user = server.user("alice");
        for (name, value) in [
            ("given_name", "Alice"),
            ("family_name", "Example"),
            ("middle_name", "B."),
            ("nickname", "Al"),
            ("profile", "https://example.org/alice"),
            ("picture", "https://example.org/alice.png"),
            ("website", "https://example.org"),
            ("gender", "female"),
            ("birthdate", "1990-01-31"),
            ("zoneinfo", "Europe/Berlin"),
            ("locale", "de-DE"),
            ("email_verified", "true"),
            ("phone_number", "+49301234567"),
            ("address.locality", "Berlin"),
            ("address.country", "DE"),
        ] {
            user.person.set(name, value).unwrap();
        }
        server.store().write("test", move |conn| store::users::update(conn, &user)).unwrap();
        change::client(&server, "web", |draft| {
            draft.scope = "openid profile email address phone".parse().unwrap();
        });
        let told = |scope: &str| userinfo(&server, &access_token(&server, scope)).json();
        let mut all = told("openid profile email address phone");
        assert_eq!(all["address"], json!({ "locality": "Berlin", "country": "DE" }));
        assert_eq!((&all["updated_at"], &all["email_verified"]), (&json!(START.0), &json!(true)));
        assert_eq!(all["phone_number_verified"], false);
        assert_eq!(all.as_object().unwrap().len(), 20);
        for scope in ["profile", "email", "address", "phone"] {
            let part = told(&format!("openid {scope}"));
            let names: Vec<&String> =
                part.as_object().unwrap().keys().filter(|name| *name != "sub").collect();
            assert_eq!(names.len(), of_scope(scope).len(), "{scope}: {names:?}");
            for name in names {
                assert_eq!(all.as_object_mut().unwrap().remove(name), Some(part[name].clone()), "{name}");
            }
        }
        assert_eq!(all.as_object().unwrap().len(), 1);
    });
}

/// RFC 9068 §3 has one audience: a token for the notes that has `openid` is good here too, or a client that asked for both
/// could never ask here.
#[test]
fn a_token_for_a_resource_server_is_good_here_when_it_has_openid() {
    let server = TestServer::start();
    let token = access_token(&server, "openid email notes:read");
    assert_eq!(verified(&server, &token, NOTES).1["aud"], NOTES);
    assert_eq!(userinfo(&server, &token).json()["email"], "alice@example.org");
    let opaque = CLIENTS.replace("name = \"Notes\"\n", "name = \"Notes\"\ntoken_format = \"opaque\"\n");
    let server = TestServer::with(Setup { clients: opaque, ..Setup::default() });
    let token = access_token(&server, "openid email notes:read");
    assert_eq!(userinfo(&server, &token).json()["email"], "alice@example.org");
}

/// §5.3.1: "The Client sends the UserInfo Request using either HTTP GET or HTTP POST." RFC 6750 §2.1 has the token in the
/// header, RFC 6750 §2.2 in the body.
#[test]
fn the_token_comes_in_the_header_or_in_the_body() {
    let server = TestServer::start();
    let token = access_token(&server, "openid");
    let bearer = format!("Bearer {token}");
    let lower = format!("bearer   {token}");
    let posted = form(&[("access_token", &token)]);
    let client = server.client();
    for answer in [
        client.send("GET", paths::USERINFO, &[("authorization", &bearer)], ""),
        client.send("GET", paths::USERINFO, &[("authorization", &lower)], ""),
        client.send("POST", paths::USERINFO, &[("authorization", &bearer)], ""),
        client.send("POST", paths::USERINFO, &[("authorization", &bearer), FORM], ""),
        client.send(
            "POST",
            paths::USERINFO,
            &[("authorization", &bearer), ("content-type", "application/json")],
            "{}",
        ),
        client.send("POST", paths::USERINFO, &[FORM], &posted),
    ] {
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json()["sub"], server.user("alice").id.to_string());
    }
    let head = client.send("HEAD", paths::USERINFO, &[("authorization", &bearer)], "");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    let put = client.send("PUT", paths::USERINFO, &[("authorization", &bearer)], "");
    assert_eq!((put.status, put.header("allow")), (405, Some("GET, HEAD, POST, OPTIONS")));
}

/// RFC 6750 §2: "Clients MUST NOT use more than one method to transmit the token in each request." RFC 6750 §3.1:
/// invalid_request where the request "includes the same parameter more than once, uses more than one method for including
/// an access token, or is otherwise malformed". RFC 9700 §4.3.2 rules the URI out.
#[test]
fn a_token_that_is_shown_wrongly_is_an_invalid_request() {
    let server = TestServer::start();
    let token = access_token(&server, "openid");
    let bearer = format!("Bearer {token}");
    let twice = form(&[("access_token", &token), ("access_token", &token)]);
    let posted = form(&[("access_token", &token)]);
    let in_uri = format!("{}?access_token={token}", paths::USERINFO);
    let client = server.client();
    let overlong = format!("Bearer {}", "a".repeat(16_385));
    let longest = form(&[("access_token", &"a".repeat(16_385))]);
    for (what, answer) in [
        (
            "header and body",
            client.send("POST", paths::USERINFO, &[FORM, ("authorization", &bearer)], &posted),
        ),
        ("twice in the body", client.send("POST", paths::USERINFO, &[FORM], &twice)),
        (
            "two headers",
            client.send(
                "GET",
                paths::USERINFO,
                &[("authorization", &bearer), ("authorization", &bearer)],
                "",
            ),
        ),
        ("in the URI", client.get(&in_uri)),
        ("in the URI too", client.send("GET", &in_uri, &[("authorization", &bearer)], "")),
        ("no token", client.send("GET", paths::USERINFO, &[("authorization", "Bearer")], "")),
        ("blanks", client.send("GET", paths::USERINFO, &[("authorization", "Bearer a b")], "")),
        ("no b64token", client.send("GET", paths::USERINFO, &[("authorization", "Bearer a,b=\"c\"")], "")),
        ("too long", client.send("GET", paths::USERINFO, &[("authorization", &overlong)], "")),
        ("too long in the body", client.send("POST", paths::USERINFO, &[FORM], &longest)),
    ] {
        let (status, challenge) = challenge(&answer);
        assert_eq!(status, 400, "{what}: {}", answer.body);
        assert_eq!(answer.error(), "invalid_request", "{what}");
        assert!(challenge.starts_with("Bearer realm=\"countersign\", error=\"invalid_request\""), "{what}");
    }
}

/// RFC 6750 §3: without a token "the resource server SHOULD NOT include an error code or other error information".
#[test]
fn whoever_shows_no_token_is_told_no_more_than_that_one_is_needed() {
    let server = TestServer::start();
    let client = server.client();
    let basic = super::support::http::basic("web", &secret("web"));
    for answer in [
        client.get(paths::USERINFO),
        client.post(paths::USERINFO, &[("x", "y")]),
        client.send("POST", paths::USERINFO, &[("content-type", "application/json")], "{\"access_token\":1}"),
        client.send("GET", paths::USERINFO, &[("authorization", &basic)], ""),
    ] {
        assert_eq!(challenge(&answer), (401, "Bearer realm=\"countersign\""));
        assert_eq!((answer.body.as_str(), answer.header("content-type")), ("", None));
    }
}

/// RFC 6750 §3.1: invalid_token, with 401; and RFC 6750 §3.1 insufficient_scope, with 403 and the scope that is needed.
#[test]
fn a_token_that_is_none_or_has_no_openid_is_refused_by_the_word() {
    let server = TestServer::start();
    let answer = tokens(&server);
    let good = answer.text("access_token");
    let [payload, signature] = forged(&good);
    let (id_token, refresh) = (answer.text("id_token"), answer.text("refresh_token"));
    for token in ["x", payload.as_str(), &signature, &id_token, &refresh] {
        let answer = userinfo(&server, token);
        assert_eq!(
            challenge(&answer),
            (
                401,
                "Bearer realm=\"countersign\", error=\"invalid_token\", \
                 error_description=\"the access token is not valid\""
            )
        );
        assert_eq!(answer.error(), "invalid_token");
    }
    for token in
        [access_token(&server, "profile notes:read"), clients_token(&server, "service", "notes:read")]
    {
        let answer = userinfo(&server, &token);
        assert_eq!(
            challenge(&answer),
            (
                403,
                "Bearer realm=\"countersign\", error=\"insufficient_scope\", \
                 error_description=\"the access token does not have the scope openid\", scope=\"openid\""
            )
        );
        assert_eq!(answer.error(), "insufficient_scope");
    }
}

/// A token that is dead elsewhere is dead here: expired, revoked, of a locked or deleted user, of a client that is off.
#[test]
fn a_token_that_ended_is_refused() {
    on_each_database(|database| {
        let end = |how: &dyn Fn(&TestServer, &str)| {
            let server = TestServer::on(&database);
            let token = access_token(&server, "openid");
            assert_eq!(userinfo(&server, &token).status, 200);
            how(&server, &token);
            let answer = userinfo(&server, &token);
            assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_token"));
        };
        end(&|server, _| server.advance(300));
        end(&|server, token| drop(revoke(server, "web", token)));
        end(&|server, _| {
            let user = server.user("alice").id;
            let now = server.app.now();
            let revoke = move |conn: &mut store::Conn| {
                store::authorizations::revoke_of_user(conn, user, now, RevocationReason::Operator)
            };
            server.store().write("test", revoke).unwrap();
        });
        end(&|server, _| {
            let id = server.user("alice").id;
            server.store().write("test", move |conn| store::users::delete(conn, id)).unwrap();
        });
    });
    let server = TestServer::start();
    let token = access_token(&server, "openid");
    change::lock(&server, "alice");
    assert_eq!(userinfo(&server, &token).error(), "invalid_token");
    let server = TestServer::start();
    let token = access_token(&server, "openid");
    change::switch_off(&server, "web");
    assert_eq!(userinfo(&server, &token).error(), "invalid_token");
}

/// What was given without offline_access ends with the browser session, and so does what a public client holds; the rest goes
/// on (OpenID Connect Core §11).
#[test]
fn a_token_ends_here_with_the_session_that_it_is_bound_to() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let mut browser = server.browser();
        let mut by = |client: &str, scope: &str| {
            let code = authorize(&mut browser, client, &[("scope", scope)]).sent("code").unwrap();
            let form = redemption(&code);
            let answer = match client {
                "app" => server.public_token(client, &form),
                _ => server.token(client, &form),
            };
            answer.text("access_token")
        };
        let (public, bound) = (by("app", "openid"), by("web", "openid"));
        let offline = by("web", "openid offline_access");
        change::end_sessions(&server, "alice");
        assert_eq!(userinfo(&server, &public).error(), "invalid_token");
        assert_eq!(userinfo(&server, &bound).error(), "invalid_token");
        assert_eq!(userinfo(&server, &offline).status, 200);
    });
}

/// What the client may have today counts.
#[test]
fn a_scope_that_was_taken_from_the_client_is_not_told_any_more() {
    let server = TestServer::start();
    let token = access_token(&server, "openid profile email");
    change::client(&server, "web", |draft| draft.scope = "openid email".parse().unwrap());
    let told = userinfo(&server, &token).json();
    assert_eq!((told.get("name"), &told["email"]), (None, &json!("alice@example.org")));
}

#[test]
fn a_user_without_a_display_name_or_an_address_has_no_such_claims() {
    let server = TestServer::start();
    let mut user = server.user("alice");
    (user.display_name, user.email) = (None, None);
    let stored = server.store().write("bare", move |conn| store::users::update(conn, &user));
    assert!(stored.unwrap());
    let told = userinfo(&server, &access_token(&server, "openid profile email")).json();
    let names: Vec<&String> = told.as_object().unwrap().keys().collect();
    assert_eq!(names, ["sub", "preferred_username", "updated_at"]);
}

/// The password grant gives such a token too, in no session.
#[test]
fn a_token_of_the_password_grant_is_good_here() {
    let server = TestServer::start();
    let form = [
        ("grant_type", "password"),
        ("username", "alice"),
        ("password", PASSWORD),
        ("scope", "openid profile"),
    ];
    let token = server.token("house", &form).text("access_token");
    assert_eq!(userinfo(&server, &token).json()["name"], "alice Example");
}

/// §5.3.2: signed, it has iss and aud and is application/jwt. RFC 8725 §3.11: it is not taken for an ID token, whose claims it
/// shares.
#[test]
fn a_client_may_have_it_signed() {
    let server = TestServer::start();
    change::client(&server, "web", |draft| draft.openid.userinfo.signing = Some(SigningAlgorithm::Rs256));
    let answer = userinfo(&server, &access_token(&server, "openid email"));
    assert_eq!(
        (answer.status, answer.header("content-type"), answer.header("cache-control")),
        (200, Some("application/jwt"), Some("no-store"))
    );
    let (header, claims) = verified_without_exp(&server, &answer.body);
    assert_eq!((header["alg"].as_str(), header.get("typ")), (Some("RS256"), None));
    let expected = json!({
        "sub": server.user("alice").id.to_string(), "email": "alice@example.org", "email_verified": false,
        "iss": server.issuer, "aud": "web",
    });
    assert_eq!(claims, expected);
    let hinted = ask(&mut server.browser(), "web", &[("id_token_hint", &answer.body)]);
    assert_eq!(error_of(&hinted), "invalid_request");
}

/// Header and claims of a JWT that has no end of its own.
fn verified_without_exp(server: &TestServer, token: &str) -> (serde_json::Map<String, Value>, Value) {
    let header = super::support::flow::part(token, 0);
    let set: jsonwebtoken::jwk::JwkSet =
        serde_json::from_str(&server.client().get(paths::JWKS).body).unwrap();
    let key = set.find(header["kid"].as_str().unwrap()).expect("the kid is published");
    let algorithm = header["alg"].as_str().unwrap().parse().unwrap();
    let mut validation = jsonwebtoken::Validation::new(algorithm);
    validation.required_spec_claims = ["aud", "iss", "sub"].map(str::to_owned).into();
    validation.validate_exp = false;
    validation.set_audience(&["web"]);
    validation.set_issuer(&[&server.issuer]);
    let key = jsonwebtoken::DecodingKey::from_jwk(key).unwrap();
    (header, jsonwebtoken::decode::<Value>(token, &key, &validation).unwrap().claims)
}

/// §5.3.2 and OpenID Connect Dynamic Client Registration 1.0 §2: signed and then encrypted, or encrypted alone.
#[test]
fn a_client_may_have_it_encrypted() {
    let server = TestServer::start();
    let recipient = Recipient::new(Kind::P256);
    let keys = json!({ "keys": [recipient.public_jwk()] }).as_object().unwrap().clone();
    let encryption = Some((KeyManagement::EcdhEs, ContentEncryption::A256Gcm));
    for signing in [None, Some(SigningAlgorithm::Es256)] {
        let keys = keys.clone();
        change::client(&server, "web", |draft| {
            draft.openid.jwks = Some(keys);
            (draft.openid.userinfo.signing, draft.openid.userinfo.encryption) = (signing, encryption);
        });
        let answer = userinfo(&server, &access_token(&server, "openid"));
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/jwt")));
        let (header, content) = recipient.open(&answer.body, "ECDH-ES", "A256GCM");
        let claims: Value = match signing {
            Some(_) => {
                assert_eq!(header["cty"], "JWT", "RFC 7519 §5.2");
                verified_without_exp(&server, &content).1
            }
            None => {
                assert_eq!(header.get("cty"), None);
                serde_json::from_str(&content).unwrap()
            }
        };
        assert_eq!(claims["sub"], server.user("alice").id.to_string());
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!(server.issuer), &json!("web")));
    }
}

/// Fetch standard §3.2 and §3.2.6: the pages of the client read the answer and the challenge, others nothing.
#[test]
fn the_pages_of_the_client_may_ask_by_script() {
    let server = TestServer::start();
    let code = code(&server, "app", &[("scope", "openid")]);
    let token = server.public_token("app", &redemption(&code)).text("access_token");
    let bearer = format!("Bearer {token}");
    let from = |origin: &str, authorization: &str| {
        let headers = [("origin", origin), ("authorization", authorization)];
        server.client().send("GET", paths::USERINFO, &headers, "")
    };
    let read = from("https://app.example", &bearer);
    assert_eq!(read.header("access-control-allow-origin"), Some("https://app.example"));
    assert_eq!(read.header("access-control-allow-credentials"), None);
    let refused = from("https://app.example", "Bearer x");
    assert_eq!(refused.header("access-control-allow-origin"), Some("https://app.example"));
    assert_eq!(refused.header("access-control-expose-headers"), Some("WWW-Authenticate"));
    let foreign = from("https://evil.example", &bearer);
    assert_eq!(foreign.header("access-control-allow-origin"), None);
    let asked = [("origin", "https://app.example"), ("access-control-request-method", "GET")];
    let preflight = server.client().send("OPTIONS", paths::USERINFO, &asked, "");
    assert_eq!(
        (preflight.status, preflight.header("access-control-allow-methods")),
        (204, Some("GET, POST"))
    );
    assert_eq!(preflight.header("access-control-allow-origin"), Some("https://app.example"));
    assert!(preflight.header("access-control-allow-headers").unwrap().contains("authorization"));
}

/// RFC 7516 §9: an encrypted token has five parts. It is for its resource server alone, which opens it; a client that wants to ask
/// here gets a token for this server by a request without that resource.
#[test]
fn an_encrypted_token_is_for_its_resource_server_alone() {
    let recipient = Recipient::new(Kind::P256);
    let with = format!(
        "name = \"Notes\"\ntoken_format = \"jwe\"\nencryption_key = '''{}'''\n",
        recipient.public_pem()
    );
    let clients = CLIENTS.replace("name = \"Notes\"\n", &with);
    let server = TestServer::with(Setup { clients, ..Setup::default() });
    let encrypted = access_token(&server, "openid notes:read");
    assert_eq!(encrypted.split('.').count(), 5);
    assert_eq!(userinfo(&server, &encrypted).error(), "invalid_token");
    assert_eq!(userinfo(&server, &access_token(&server, "openid")).status, 200);
}

/// The user as they are now, not as they were when the token was made.
#[test]
fn the_answer_is_that_of_the_moment() {
    let server = TestServer::start();
    let token = access_token(&server, "openid email");
    assert_eq!(server.app.now(), START);
    let mut user = server.user("alice");
    user.set_email(Some("new@example.org".to_owned()));
    server.store().write("test", move |conn| store::users::update(conn, &user)).unwrap();
    assert_eq!(userinfo(&server, &token).json()["email"], "new@example.org");
}
