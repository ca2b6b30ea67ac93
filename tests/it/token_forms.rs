//! Looked up (RFC 7662), revoked (RFC 7009) and exchanged (RFC 8693): the forms of an access token beside the signed JWT.

use countersign::base::encoding::sha256;
use countersign::base::{PlainToken, TokenKind};
use countersign::domain::RevocationReason;
use countersign::domain::api_token::{DAY, Owner, Wish};
use countersign::flow::api_tokens::{self, NewToken};
use countersign::store;
use serde_json::{Value, json};

use super::support::db::Database;
use super::support::flow::{changed, claims, tokens};
use super::support::jwe::{Kind, Recipient};
use super::support::raw::Raw;
use super::support::server::{CLIENTS, MAIL, NOTES, START, Setup};
use super::support::tokens::{
    APIS, assert_revoked, clients_token, introspect, is_active, on, revoke, setup, users_token,
    writes_nothing,
};
use super::support::{TestServer, change, on_each_database};

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

fn exchange(token: &str) -> Vec<(&str, &str)> {
    vec![
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", token),
        ("subject_token_type", ACCESS_TOKEN),
        ("audience", MAIL),
    ]
}

/// The same, for another audience.
fn exchange_for<'a>(token: &'a str, audience: &'a str) -> Vec<(&'a str, &'a str)> {
    changed(&exchange(token), "audience", audience)
}

fn with_format(database: &Database, name: &str, format: &str) -> TestServer {
    let line = format!("name = \"{name}\"\n");
    let clients = format!("{CLIENTS}{APIS}").replace(&line, &format!("{line}{format}\n"));
    TestServer::with(Setup { database: Some(database.url.clone()), clients, ..setup() })
}

fn count(database: &Database, condition: &str) -> i64 {
    Raw::open(&database.url).number(&format!("SELECT count(*) AS n FROM {condition}"))
}

/// The same token with the checksum that belongs to it.
fn with_checksum(token: &str) -> String {
    let body = &token[..token.len() - 6];
    let alphabet = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let checksum = sha256(body.as_bytes()).into_iter().take(6);
    checksum.fold(body.to_owned(), |text, byte| {
        text + str::from_utf8(&[alphabet[usize::from(byte % 62)]]).unwrap()
    })
}

#[test]
fn an_opaque_token_is_looked_up_and_revoked_as_a_jwt_is() {
    on_each_database(|database| {
        let server = with_format(&database, "Notes", "token_format = \"opaque\"");
        let users = users_token(&server, "openid notes:read");
        let clients = clients_token(&server, "service", "notes:read");
        let said = writes_nothing(&database, || introspect(&server, "notes-api", &users)).json();
        let names: Vec<&String> = said.as_object().unwrap().keys().collect();
        assert_eq!(
            names,
            [
                "active",
                "scope",
                "client_id",
                "token_type",
                "exp",
                "iat",
                "sub",
                "aud",
                "iss",
                "jti",
                "auth_time",
                "acr",
                "amr"
            ]
        );
        assert_eq!(
            (&said["aud"], &said["client_id"], &said["exp"]),
            (&json!(NOTES), &json!("web"), &json!(START.0 + 300))
        );

        // Somebody knows its id from a log, and not the rest.
        let id = PlainToken::parse(TokenKind::Access, &users).unwrap().id().to_owned();
        let made = PlainToken::random(TokenKind::Access, &*server.app.entropy).unwrap();
        let guessed = with_checksum(&made.reveal().replace(made.id(), &id));
        writes_nothing(&database, || {
            for useless in [guessed.as_str(), made.reveal(), &users[..users.len() - 1]] {
                assert!(!is_active(&server, "notes-api", useless));
                assert_revoked(&revoke(&server, "web", useless));
            }
            assert_eq!(revoke(&server, "service", &users).error(), "invalid_grant");
        });
        assert!(PlainToken::parse(TokenKind::Access, &guessed).is_some(), "it is the secret that is wrong");
        assert_revoked(&revoke(&server, "web", &users));
        assert!(!is_active(&server, "notes-api", &users) && is_active(&server, "notes-api", &clients));
        assert_eq!(count(&database, "opaque_tokens WHERE revoked_at IS NOT NULL"), 1, "{}", database.kind);
        assert_eq!(count(&database, "denied_tokens"), 0, "its own row says it");
        writes_nothing(&database, || assert_revoked(&revoke(&server, "web", &users)));
    });
}

#[test]
fn an_opaque_token_is_exchanged_and_issued_in_exchange() {
    on_each_database(|database| {
        let server = with_format(&database, "Notes", "token_format = \"opaque\"");
        let family = tokens(&server);
        let subject = family.text("access_token");
        let for_mail = server.token("gateway", &exchange(&subject)).text("access_token");
        assert_eq!(claims(&for_mail)["aud"], MAIL);
        let answer = server.token("gateway", &exchange_for(&subject, NOTES));
        assert_eq!(
            (answer.text("scope"), answer.text("issued_token_type")),
            ("notes:read".to_owned(), ACCESS_TOKEN.to_owned())
        );
        let for_notes = answer.text("access_token");
        assert!(PlainToken::parse(TokenKind::Access, &for_notes).is_some());
        assert_eq!(introspect(&server, "notes-api", &for_notes).json()["client_id"], "gateway");

        let as_jwt = changed(&exchange(&subject), "subject_token_type", JWT);
        assert_eq!(server.token("gateway", &as_jwt).error(), "invalid_request", "it is none");
        let mut wants_jwt = exchange_for(&subject, NOTES);
        wants_jwt.push(("requested_token_type", JWT));
        writes_nothing(&database, || {
            assert_eq!(server.token("gateway", &wants_jwt).error(), "invalid_request");
        });

        assert_revoked(&revoke(&server, "web", &family.text("refresh_token")));
        for (api, token) in [("mail-api", &for_mail), ("notes-api", &for_notes), ("notes-api", &subject)] {
            assert!(!is_active(&server, api, token), "{api} on {}", database.kind);
        }
    });
}

/// Only its resource server can open an encrypted token. What it finds inside is what it shows.
#[test]
fn an_encrypted_token_is_looked_up_by_what_is_inside() {
    on_each_database(|database| {
        let recipient = Recipient::new(Kind::P256);
        let format =
            format!("token_format = \"jwe\"\nencryption_key = \"\"\"{}\"\"\"", recipient.public_pem());
        let server = with_format(&database, "Notes", &format);
        let outer = users_token(&server, "openid notes:read");
        let inner = recipient.open(&outer, "ECDH-ES", "A256GCM").1;
        writes_nothing(&database, || {
            assert!(!is_active(&server, "notes-api", &outer));
            assert!(is_active(&server, "notes-api", &inner));
            // Its client cannot open it, and is told that this is not the way.
            assert_eq!(revoke(&server, "web", &outer).error(), "unsupported_token_type");
        });
        assert_revoked(&revoke(&server, "web", &inner));
        assert!(!is_active(&server, "notes-api", &inner));
    });
}

/// An API token for the notes: alice's, or a service account's.
fn api_token(server: &TestServer, owner: Owner) -> PlainToken {
    let wish = Wish {
        name: "Backup".to_owned(),
        resource: NOTES.parse().unwrap(),
        scope: "notes:read".parse().unwrap(),
        lives_for: None,
    };
    let new = NewToken { owner, session: None, wish };
    api_tokens::make(server.store(), new, DAY, &*server.app.entropy, server.app.now()).unwrap().plain
}

fn alice(server: &TestServer) -> Owner {
    Owner::User(server.user("alice").id)
}

#[test]
fn an_api_token_is_looked_up_by_its_resource_server_alone() {
    on_each_database(|database| {
        let server = on(&database);
        let token = api_token(&server, alice(&server));
        let said = writes_nothing(&database, || introspect(&server, "notes-api", token.reveal())).json();
        let expected = json!({
            "active": true, "scope": "notes:read", "token_type": "Bearer", "exp": START.0 + DAY.0, "iat": START.0,
            "sub": server.user("alice").id.to_string(), "aud": NOTES, "iss": server.issuer, "jti": token.id(),
        });
        assert_eq!(said, expected, "no client asked for it");
        for client in ["mail-api", "web", "service"] {
            assert!(!is_active(&server, client, token.reveal()), "{client}");
        }
        let other = api_token(&server, alice(&server));
        let guessed = with_checksum(&other.reveal().replace(other.id(), token.id()));
        assert!(PlainToken::parse(TokenKind::Api, &guessed).is_some(), "it is the secret that is wrong");
        for useless in [guessed.as_str(), &token.reveal()[1..], &format!("{guessed}x")] {
            assert!(!is_active(&server, "notes-api", useless));
        }
        writes_nothing(&database, || {
            assert_eq!(revoke(&server, "web", token.reveal()).error(), "unsupported_token_type");
        });
        assert!(is_active(&server, "notes-api", token.reveal()));
        change::lock(&server, "alice");
        assert!(!is_active(&server, "notes-api", token.reveal()), "{}", database.kind);
    });
}

/// A script has a token that lives for months; the API behind the gateway sees JWTs that live for minutes.
#[test]
fn an_api_token_is_exchanged_for_a_short_lived_jwt_that_dies_with_it() {
    on_each_database(|database| {
        let server = on(&database);
        change::give_role(&server, "alice", "editor");
        let token = api_token(&server, alice(&server));
        let answer =
            writes_nothing(&database, || server.token("gateway", &exchange_for(token.reveal(), NOTES)));
        assert_eq!((answer.status, &answer.json()["expires_in"]), (200, &json!(300)), "{}", answer.body);
        let same = answer.text("access_token");
        let said = Value::from(claims(&same));
        assert_eq!(
            (&said["sub"], &said["aud"], &said["client_id"], &said["scope"], &said["roles"]),
            (
                &json!(server.user("alice").id),
                &json!(NOTES),
                &json!("gateway"),
                &json!("notes:read"),
                &json!(["editor"])
            )
        );
        let for_mail = server.token("gateway", &exchange(token.reveal())).text("access_token");
        // And on from there.
        let further =
            server.token("relay", &changed(&exchange(&for_mail), "scope", "mail:send")).text("access_token");
        let all = [("notes-api", &same), ("mail-api", &for_mail), ("mail-api", &further)];
        let alive = |server: &TestServer| all.map(|(api, token)| is_active(server, api, token));
        assert_eq!(alive(&server), [true; 3]);

        let mut raw = Raw::open(&database.url);
        change::lock(&server, "alice");
        assert_eq!(alive(&server), [false; 3], "{}", database.kind);
        raw.run("UPDATE users SET locked_at = NULL");
        assert_eq!(alive(&server), [true; 3]);
        let id = token.id().to_owned();
        let revoked = server.store().write("test", move |conn| {
            store::api_tokens::revoke(conn, &id, None, START, RevocationReason::Revoked)
        });
        assert!(revoked.unwrap());
        assert_eq!(alive(&server), [false; 3], "{}", database.kind);
        assert_eq!(server.token("gateway", &exchange(token.reveal())).error(), "invalid_request");
    });
}

#[test]
fn a_service_accounts_token_is_exchanged_for_its_client_and_dies_when_that_is_switched_off() {
    on_each_database(|database| {
        let server = on(&database);
        let token = api_token(&server, Owner::Service("service".parse().unwrap()));
        let new = server.token("gateway", &exchange(token.reveal())).text("access_token");
        assert_eq!(claims(&new)["sub"], "service");
        assert!(is_active(&server, "service", token.reveal()), "it is that client's own");
        assert!(is_active(&server, "mail-api", &new));
        change::switch_off(&server, "service");
        assert!(!is_active(&server, "mail-api", &new), "{}", database.kind);
    });
}

/// An API token is what it is: no JWT, and not one for every audience.
#[test]
fn an_api_token_is_exchanged_by_the_rule_of_its_own_audience() {
    let server = TestServer::with(setup());
    let token = api_token(&server, alice(&server));
    let as_jwt = changed(&exchange(token.reveal()), "subject_token_type", JWT);
    assert_eq!(server.token("gateway", &as_jwt).error(), "invalid_request");
    assert_eq!(
        server.token("gateway", &exchange_for(token.reveal(), "https://other.example")).error(),
        "invalid_target"
    );
    let writes = changed(&exchange_for(token.reveal(), NOTES), "scope", "notes:write");
    assert_eq!(server.token("gateway", &writes).error(), "invalid_scope");
}
