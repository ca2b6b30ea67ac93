//! RFC 7662 §2: what a token is, told to those whom it is meant for, and nothing to all others.

use countersign::base::{Seconds, Timestamp};
use countersign::domain::{Client, RevocationReason};
use countersign::http::paths;
use countersign::store;

use super::support::flow::{code, redemption, tokens};
use super::support::http::Answer;
use super::support::raw::Raw;
use super::support::server::{PASSWORD, START, Setup, secret};
use super::support::tokens::{
    assert_revoked, claims, clients_token, forged, introspect, introspect_with, is_active, misspelt, on,
    revoke, setup, two_nodes, users_token, writes_nothing,
};
use super::support::{TestServer, change, on_each_database};

/// The answer on the wire, with what changes at every run taken out.
fn wire(server: &TestServer, answer: &Answer) -> String {
    let mut text = answer.wire(&["content-type", "cache-control", "access-control-allow-origin"]);
    for name in ["jti", "sub"] {
        let mark = format!("\"{name}\":\"");
        let Some(at) = text.find(&mark).map(|at| at + mark.len()) else { continue };
        let end = at + text[at..].find('"').unwrap();
        if text[at..end].len() >= 36 {
            text.replace_range(at..end, "…");
        }
    }
    text.replace(&server.issuer, "[issuer]")
}

/// RFC 7662 §2.2, with `auth_time`, `acr`, `amr`, `roles` of RFC 9068 §2.2.1 beside it.
#[test]
fn a_resource_server_is_told_what_the_token_of_a_user_says() {
    let server = TestServer::with(setup());
    change::give_role(&server, "alice", "editor");
    let token = users_token(&server, "openid notes:read notes:write");
    insta::assert_snapshot!(wire(&server, &introspect(&server, "notes-api", &token)), @r#"
    200
    content-type: application/json
    cache-control: no-store

    {"active":true,"scope":"openid notes:read notes:write","client_id":"web","token_type":"Bearer","exp":1795435500,"iat":1795435200,"sub":"…","aud":"https://notes.example","iss":"[issuer]","jti":"…","auth_time":1795435200,"acr":"urn:countersign:acr:password","amr":["pwd"],"roles":["editor"]}
    "#);
}

#[test]
fn it_is_told_what_the_token_of_a_client_says_too() {
    let server = TestServer::with(setup());
    let token = clients_token(&server, "service", "notes:read");
    insta::assert_snapshot!(wire(&server, &introspect(&server, "notes-api", &token)), @r#"
    200
    content-type: application/json
    cache-control: no-store

    {"active":true,"scope":"notes:read","client_id":"service","token_type":"Bearer","exp":1795435500,"iat":1795435200,"sub":"service","aud":"https://notes.example","iss":"[issuer]","jti":"…"}
    "#);
}

/// RFC 7662 §2.2: `username` is "Human-readable identifier for the resource owner": personal, so only where the user let the
/// client have their profile.
#[test]
fn the_name_of_the_user_is_told_where_the_scope_has_profile() {
    let server = TestServer::with(setup());
    let name = |scope: &str| {
        introspect(&server, "notes-api", &users_token(&server, scope)).json()["username"].clone()
    };
    assert_eq!(name("openid notes:read profile"), "alice");
    assert_eq!(name("openid notes:read"), serde_json::Value::Null);
}

/// RFC 7662 §2.2: "or the protected resource is not allowed to introspect this particular token, then the authorization
/// server MUST return an introspection response with the "active" field set to "false"."
#[test]
fn only_those_whom_a_token_is_meant_for_are_told_of_it() {
    on_each_database(|database| {
        let server = on(&database);
        let (users, clients) =
            (users_token(&server, "openid notes:read"), clients_token(&server, "service", "notes:read"));
        let told = |client: &str, token: &str| is_active(&server, client, token);
        for token in [&users, &clients] {
            assert!(told("notes-api", token) && told("gateway", token), "they speak for its audience");
            assert!(!told("mail-api", token) && !told("old-web", token), "they have nothing to do with it");
        }
        assert!(told("web", &users) && !told("service", &users), "its own client");
        assert!(told("service", &clients) && !told("web", &clients), "its own client");
    });
}

/// RFC 7662 §2.1: "the endpoint MUST also require some form of authorization"; §2.3: invalid credentials are answered with 401.
#[test]
fn whoever_keeps_no_secret_or_shows_a_wrong_one_is_refused() {
    on_each_database(|database| {
        let server = on(&database);
        let token = users_token(&server, "openid notes:read");
        let client = server.client();
        let form = [("token", token.as_str())];
        writes_nothing(&database, || {
            for answer in [
                client.post("/introspect", &form),
                client.post("/introspect", &[("client_id", "app"), form[0]]),
                client.post("/introspect", &[("client_id", "native"), form[0]]),
                client.post("/introspect", &[("client_id", "notes-api"), form[0]]),
                client.post_as("notes-api", "wrong", "/introspect", &form),
                client.post_as("nobody", &secret("nobody"), "/introspect", &form),
                client.send(
                    "POST",
                    "/introspect",
                    &[
                        ("authorization", &format!("Bearer {token}")),
                        ("content-type", "application/x-www-form-urlencoded"),
                    ],
                    &super::support::http::form(&form),
                ),
            ] {
                assert_eq!((answer.status, answer.error()), (401, "invalid_client".to_owned()));
                assert!(answer.header("www-authenticate").is_some_and(|scheme| scheme.starts_with("Basic")));
            }
        });
        let posted = [("client_id", "notes-api"), ("client_secret", &secret("notes-api")), form[0]];
        assert_eq!(client.post("/introspect", &posted).json()["active"], true);
    });
}

/// Each with the client that would be told of it if it were what it looks like.
fn useless(server: &TestServer, elsewhere: &TestServer) -> Vec<(&'static str, String)> {
    let answer = tokens(server);
    let token = answer.text("access_token");
    let [other_claims, other_signature] = forged(&token);
    let (header, rest) = token.split_once('.').unwrap();
    let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{}.", rest.split('.').next().unwrap());
    let refresh = answer.text("refresh_token");
    let another_checksum = misspelt(&refresh);
    vec![
        ("an ID token", answer.text("id_token")),
        ("a code", code(server, "web", &[])),
        ("a token cut short", token[..token.len() - 5].to_owned()),
        ("a token without its signature", token.rsplit_once('.').unwrap().0.to_owned()),
        ("a token with a fourth part", format!("{token}.{header}")),
        ("changed claims", other_claims),
        ("a changed signature", other_signature),
        ("no algorithm", unsigned),
        // The same key signed it: it is the issuer that differs.
        ("a token of another issuer", users_token(elsewhere, "openid notes:read")),
        ("a refresh token cut short", refresh[..refresh.len() - 1].to_owned()),
        ("a refresh token with another checksum", another_checksum),
        ("a refresh token of another issuer", tokens(elsewhere).text("refresh_token")),
        ("a client's secret", secret("web")),
        ("a word", "x".to_owned()),
        ("another alphabet", "ключ🗝".to_owned()),
        ("as long as a token may be", "x".repeat(16_384)),
        ("longer than any token", "x".repeat(60_000)),
    ]
}

/// RFC 7662 §2.2: "the authorization server SHOULD NOT include any additional information about an inactive token, including
/// why the token is inactive."
#[test]
fn of_what_is_no_living_access_token_nothing_is_said() {
    let elsewhere = TestServer::with(setup());
    on_each_database(|database| {
        let server = on(&database);
        let useless = useless(&server, &elsewhere);
        writes_nothing(&database, || {
            for (what, token) in &useless {
                for client in ["web", "notes-api"] {
                    let answer = introspect(&server, client, token);
                    assert_eq!((answer.status, answer.body.as_str()), (200, "{\"active\":false}"), "{what}");
                    assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}");
                }
            }
        });
    });
}

#[test]
fn a_token_is_active_to_the_second_in_which_it_dies() {
    let server = TestServer::with(setup());
    let token = users_token(&server, "openid notes:read");
    server.advance(299);
    assert!(is_active(&server, "notes-api", &token));
    server.advance(1);
    assert!(!is_active(&server, "notes-api", &token));
}

#[test]
fn what_ends_a_family_or_closes_an_account_counts_at_once() {
    on_each_database(|database| {
        let server = on(&database);
        server.add_user("bob");
        let asked = |token: &str| writes_nothing(&database, || is_active(&server, "notes-api", token));
        let token = || users_token(&server, "openid notes:read");

        let revoked = token();
        assert!(asked(&revoked));
        let alice = server.user("alice").id;
        let write = server.store().write("test", move |conn| {
            store::authorizations::revoke_of_user(conn, alice, START, RevocationReason::Operator)
        });
        assert_eq!(write.unwrap(), 1);
        assert!(!asked(&revoked), "its authorization was revoked");

        let (switched_off, clients) = (token(), clients_token(&server, "service", "notes:read"));
        change::switch_off(&server, "service");
        assert!(!asked(&clients) && asked(&switched_off));
        change::switch_off(&server, "web");
        assert!(!asked(&switched_off), "its client is switched off");

        let form = [
            ("grant_type", "password"),
            ("username", "alice"),
            ("password", PASSWORD),
            ("scope", "notes:read"),
        ];
        let token = || server.token("house", &form).text("access_token");
        let (locked, gone) = (token(), token());
        change::lock(&server, "alice");
        assert!(!asked(&locked), "its user's account is locked");
        let mut raw = Raw::open(&database.url);
        raw.run("UPDATE users SET locked_at = NULL");
        assert!(asked(&gone));
        raw.run("DELETE FROM users WHERE username = 'alice'");
        assert!(!asked(&gone), "its user is gone");
    });
}

/// RFC 7662 §2.1: "If the server is unable to locate the token using the given hint, it MUST extend its search across all of
/// its supported token types."
#[test]
fn a_hint_that_is_wrong_or_unknown_changes_nothing() {
    let server = TestServer::with(setup());
    let answer = tokens(&server);
    for token in ["access_token", "refresh_token"] {
        let text = answer.text(token);
        let plain = introspect(&server, "web", &text).body;
        assert!(plain.starts_with("{\"active\":true"), "{plain}");
        for hint in ["access_token", "refresh_token", "id_token", "", "nonsense"] {
            let form = [("token", text.as_str()), ("token_type_hint", hint)];
            assert_eq!(introspect_with(&server, "web", &form).body, plain, "{token} as {hint:?}");
        }
    }
}

#[test]
fn a_client_is_told_what_its_refresh_token_is() {
    let server = TestServer::with(setup());
    let token = tokens(&server).text("refresh_token");
    insta::assert_snapshot!(wire(&server, &introspect(&server, "web", &token)), @r#"
    200
    content-type: application/json
    cache-control: no-store

    {"active":true,"scope":"openid notes:read notes:write offline_access","client_id":"web","exp":1796644800,"iat":1795435200,"sub":"…","iss":"[issuer]","auth_time":1795435200,"acr":"urn:countersign:acr:password","amr":["pwd"]}
    "#);
}

/// RFC 6749 §10.4: a refresh token is its client's alone, and no resource server's.
#[test]
fn nobody_else_is_told_of_a_refresh_token_nor_its_client_of_a_dead_one() {
    on_each_database(|database| {
        let server = on(&database);
        let asked =
            |client: &str, token: &str| writes_nothing(&database, || is_active(&server, client, token));
        let token = tokens(&server).text("refresh_token");
        assert!(asked("web", &token));
        assert!(!asked("old-web", &token) && !asked("notes-api", &token) && !asked("house", &token));

        let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
        let next = server.token("web", &form).text("refresh_token");
        assert!(!asked("web", &token), "it was used");
        assert!(asked("web", &next));
        change::lock(&server, "alice");
        assert!(!asked("web", &next), "its user's account is locked");
        Raw::open(&database.url).run("UPDATE users SET locked_at = NULL");
        assert!(asked("web", &next));
        assert_eq!(revoke(&server, "web", &next).status, 200);
        assert!(!asked("web", &next), "it was revoked");

        let idle = tokens(&server).text("refresh_token");
        server.advance(server.app.policy.refresh_token_idle_ttl.0);
        assert!(!asked("web", &idle), "it has expired");
    });
}

/// RFC 7662 §2.1: POST with parameters sent as "application/x-www-form-urlencoded" data.
#[test]
fn anything_but_one_token_in_a_posted_form_is_refused() {
    on_each_database(|database| {
        let server = on(&database);
        let token = users_token(&server, "openid notes:read");
        let client = server.client();
        let authorization = super::support::http::basic("notes-api", &secret("notes-api"));
        let send = |method: &str, path: &str, kind: &str, body: &str| {
            let headers = [("authorization", authorization.as_str()), ("content-type", kind)];
            client.send(method, path, &headers, body)
        };
        const FORM: &str = "application/x-www-form-urlencoded";
        let once = format!("token={token}");
        writes_nothing(&database, || {
            for (what, answer, status) in [
                ("no token", send("POST", "/introspect", FORM, ""), 400),
                ("an empty one", send("POST", "/introspect", FORM, "token="), 400),
                ("two", send("POST", "/introspect", FORM, &format!("{once}&{once}")), 400),
                ("in the URI", send("POST", &format!("/introspect?{once}"), FORM, &once), 400),
                (
                    "as JSON",
                    send("POST", "/introspect", "application/json", &format!("{{\"token\":\"{token}\"}}")),
                    400,
                ),
                ("a bad escape", send("POST", "/introspect", FORM, "token=%zz"), 400),
                ("a NUL", send("POST", "/introspect", FORM, "token=a%00b"), 400),
                (
                    "a megabyte",
                    send("POST", "/introspect", FORM, &format!("token={}", "x".repeat(1 << 20))),
                    413,
                ),
                ("by GET", send("GET", "/introspect", FORM, ""), 405),
            ] {
                assert_eq!((answer.status, answer.error()), (status, "invalid_request".to_owned()), "{what}");
            }
        });
        assert_eq!(send("GET", "/introspect", FORM, "").header("allow"), Some("POST"));
        assert_eq!(send("POST", "/introspect", FORM, &once).json()["active"], true);
    });
}

/// A page of a client may ask for tokens, not look into them.
#[test]
fn no_web_page_reads_an_introspection() {
    let server = TestServer::with(setup());
    let headers = [("origin", "https://app.example"), ("access-control-request-method", "POST")];
    let preflight = server.client().send("OPTIONS", "/introspect", &headers, "");
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (405, None));
}

/// A revoked token dies on every node with the commit: introspection waits for no memory to follow.
#[test]
fn a_node_that_has_not_heard_of_a_revocation_says_inactive_all_the_same() {
    on_each_database(|database| {
        let (one, two) = two_nodes(&database);
        for (client, token) in [
            ("web", users_token(&one, "openid notes:read")),
            ("service", clients_token(&one, "service", "notes:read")),
        ] {
            assert!(is_active(&two, "notes-api", &token));
            assert_revoked(&revoke(&one, client, &token));
            let (jti, end) = (claims(&token).jti.to_string(), Timestamp(claims(&token).exp));
            let knows = |node: &TestServer| node.app.refreshed_cx().unwrap().denials.contain(&jti, end);
            assert!(knows(&one) && !knows(&two), "{}", database.kind);
            assert!(!is_active(&one, "notes-api", &token), "{}", database.kind);
            assert!(!is_active(&two, "notes-api", &token), "{}", database.kind);
            // DESIGN §8: "refreshed within a second on every node".
            two.advance(2);
            assert!(knows(&two), "{}", database.kind);
        }
    });
}

/// The row that says that a family was revoked is swept some time after its end. Access tokens may live for a month.
#[test]
fn a_token_is_active_for_as_long_as_it_lives_however_much_is_swept_meanwhile() {
    on_each_database(|database| {
        let server = on(&database);
        const DAY: i64 = 86_400;
        let long_lived = |draft: &mut countersign::domain::client::ClientDraft| {
            (draft.access_token_ttl, draft.allow_long_access_tokens) = (Some(Seconds(5 * DAY)), true);
            draft.refresh_token_ttl = Some(Seconds(DAY));
        };
        change::client(&server, "web", long_lived);
        change::client(&server, "house", long_lived);
        let by_code = server.token("web", &redemption(&code(&server, "web", &[])));
        let by_password = server.token(
            "house",
            &[
                ("grant_type", "password"),
                ("username", "alice"),
                ("password", PASSWORD),
                ("scope", "notes:read"),
            ],
        );
        let of_a_family = tokens(&server);
        assert_eq!(by_code.json()["expires_in"], 5 * DAY);
        assert_eq!(by_password.json()["expires_in"], 5 * DAY);
        // A day after its family there is nothing left by which it could be revoked.
        assert_eq!(of_a_family.json()["expires_in"], 2 * DAY);
        for hour in (1..=5 * 24).map(|hour| hour * 3_600) {
            server.advance(3_600);
            let now = server.app.now();
            countersign::app::sweep(server.store(), now, 500, &mut |_| true).unwrap();
            for (answer, client) in [(&by_code, "web"), (&by_password, "house"), (&of_a_family, "web")] {
                let lives = hour < answer.json()["expires_in"].as_i64().unwrap();
                assert_eq!(
                    is_active(&server, client, &answer.text("access_token")),
                    lives,
                    "{client} {hour}"
                );
            }
        }
        assert_eq!(Raw::open(&database.url).number("SELECT count(*) AS n FROM refresh_tokens"), 0);
    });
}

/// The endpoint below an issuer's path, and what discovery says of it: RFC 8414 §2.
#[test]
fn discovery_leads_to_it() {
    let server = TestServer::with(Setup { path: "/auth".to_owned(), ..setup() });
    let metadata = server.client().get(paths::OPENID_CONFIGURATION).json();
    assert_eq!(metadata["introspection_endpoint"], format!("{}/introspect", server.issuer));
    let token = clients_token(&server, "service", "notes:read");
    assert!(is_active(&server, "notes-api", &token));
}

/// A client that is registered under the id that another had is another client.
#[test]
fn a_client_does_not_inherit_the_tokens_of_one_that_had_its_id() {
    on_each_database(|database| {
        let server = on(&database);
        let token = clients_token(&server, "service", "notes:read");
        assert!(is_active(&server, "notes-api", &token));
        server.advance(10);
        let now = server.app.now();
        server
            .store()
            .write("test", move |conn| {
                let id = "service".parse().unwrap();
                let known = store::clients::find(conn, &id)?.unwrap();
                assert!(store::clients::delete(conn, &id)?);
                store::clients::insert(conn, &Client::check(known.to_draft(), now).unwrap())
            })
            .unwrap();
        server.refresh();
        assert!(!is_active(&server, "notes-api", &token), "{}", database.kind);
    });
}
