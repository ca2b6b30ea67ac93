//! RFC 7009: a client says that it needs a token no more, and from then on it is worth nothing.

use countersign::base::entropy::OsEntropy;
use countersign::base::{PlainToken, TokenKind};
use countersign::http::paths;

use super::support::flow::{changed, code, redemption, tokens};
use super::support::http::{Answer, basic, form};
use super::support::raw::{Raw, at_once};
use super::support::server::{CALLBACK, secret};
use super::support::tokens::{
    assert_revoked, clients_token, forged, is_active, on, revoke, setup, two_nodes, users_token,
    writes_nothing,
};
use super::support::{Database, TestServer, change, on_each_database};

const FORM: &str = "application/x-www-form-urlencoded";

fn revoke_with(server: &TestServer, client: &str, form: &[(&str, &str)]) -> Answer {
    server.client().post_as(client, &secret(client), "/revoke", form)
}

fn refreshed(server: &TestServer, token: &str) -> Answer {
    server.token("web", &[("grant_type", "refresh_token"), ("refresh_token", token)])
}

fn denied(database: &Database) -> i64 {
    Raw::open(&database.url).number("SELECT count(*) AS n FROM denied_tokens")
}

/// RFC 7009 §2.1: "the authorization server SHOULD also invalidate all access tokens based on the same authorization grant".
#[test]
fn a_refresh_token_takes_its_authorization_and_all_its_access_tokens_along() {
    on_each_database(|database| {
        let server = on(&database);
        let first = tokens(&server);
        let second = refreshed(&server, &first.text("refresh_token"));
        let another = tokens(&server);
        let access = [&first, &second, &another].map(|answer| answer.text("access_token"));
        assert_eq!(access.each_ref().map(|token| is_active(&server, "notes-api", token)), [true; 3]);

        assert_revoked(&revoke(&server, "web", &second.text("refresh_token")));
        assert_eq!(
            access.each_ref().map(|token| is_active(&server, "notes-api", token)),
            [false, false, true]
        );
        assert_eq!(refreshed(&server, &second.text("refresh_token")).error(), "invalid_grant");
        assert_eq!(
            refreshed(&server, &another.text("refresh_token")).status,
            200,
            "another grant of the user"
        );
        let sql = "SELECT count(*) AS n FROM authorizations WHERE revoked_because = 'revoked'";
        assert_eq!(Raw::open(&database.url).number(sql), 1, "{}", database.kind);
        assert_eq!(denied(&database), 0, "the one row of the authorization says it all");
    });
}

/// A client whose last refresh got no answer wants to sign its user out: what it has is the token before.
#[test]
fn a_refresh_token_that_was_used_takes_its_authorization_along_too() {
    let server = TestServer::with(setup());
    let used = tokens(&server).text("refresh_token");
    let next = refreshed(&server, &used);
    assert_revoked(&revoke(&server, "web", &used));
    assert!(!is_active(&server, "notes-api", &next.text("access_token")));
    assert_eq!(refreshed(&server, &next.text("refresh_token")).error(), "invalid_grant");
}

/// RFC 7009 §2: "Implementations […] SHOULD support the revocation of access tokens". One row, which lives as long as the
/// token would have.
#[test]
fn an_access_token_is_revoked_alone_by_one_row_that_lives_as_long_as_it_would() {
    on_each_database(|database| {
        let server = on(&database);
        let answer = tokens(&server);
        let own = clients_token(&server, "service", "notes:read");
        let other = refreshed(&server, &answer.text("refresh_token"));
        writes_nothing(&database, || clients_token(&server, "service", "notes:read"));
        assert_revoked(&revoke(&server, "web", &answer.text("access_token")));
        assert_revoked(&revoke(&server, "service", &own));
        assert_eq!(denied(&database), 2, "{}", database.kind);
        assert!(!is_active(&server, "notes-api", &answer.text("access_token")));
        assert!(!is_active(&server, "service", &own));
        assert!(is_active(&server, "notes-api", &other.text("access_token")), "of the same grant");
        assert_eq!(refreshed(&server, &other.text("refresh_token")).status, 200);

        let sweep = |server: &TestServer| {
            let now = server.app.now();
            countersign::app::sweep(server.store(), now, 500, &mut |_| true).unwrap();
        };
        server.advance(299);
        sweep(&server);
        assert_eq!(denied(&database), 2);
        server.advance(1);
        sweep(&server);
        assert_eq!(denied(&database), 0, "{}", database.kind);
    });
}

#[test]
fn a_public_client_revokes_by_its_client_id() {
    on_each_database(|database| {
        let server = on(&database);
        let scope = [("redirect_uri", CALLBACK), ("scope", "openid notes:read offline_access")];
        let code = code(&server, "native", &scope);
        let answer = server.public_token("native", &redemption(&code));
        let revoke = |client: &str, token: &str| {
            server.client().post("/revoke", &[("client_id", client), ("token", token)])
        };
        writes_nothing(&database, || {
            assert_eq!(revoke("app", &answer.text("access_token")).error(), "invalid_grant");
            assert_eq!(revoke("app", &answer.text("refresh_token")).error(), "invalid_grant");
        });
        assert_revoked(&revoke("native", &answer.text("access_token")));
        assert!(!is_active(&server, "notes-api", &answer.text("access_token")));
        assert_revoked(&revoke("native", &answer.text("refresh_token")));
        let form = [("grant_type", "refresh_token"), ("refresh_token", &answer.text("refresh_token"))];
        assert_eq!(server.public_token("native", &form).error(), "invalid_grant");
    });
}

/// RFC 7009 §2.1: "verifies whether the token was issued to the client making the revocation request. If this validation
/// fails, the request is refused and the client is informed of the error". RFC 6749 §5.2 has `invalid_grant` for that.
#[test]
fn nobody_revokes_the_token_of_another_client() {
    on_each_database(|database| {
        let server = on(&database);
        let answer = tokens(&server);
        let own = clients_token(&server, "service", "notes:read");
        writes_nothing(&database, || {
            for token in [answer.text("access_token"), answer.text("refresh_token"), own.clone()] {
                // The audience of a token is no more its owner than anybody else.
                for client in ["notes-api", "old-web", "house"] {
                    let refused = revoke(&server, client, &token);
                    assert_eq!(
                        (refused.status, refused.error()),
                        (400, "invalid_grant".to_owned()),
                        "{client}"
                    );
                }
            }
        });
        assert!(
            is_active(&server, "notes-api", &answer.text("access_token"))
                && is_active(&server, "service", &own)
        );
        assert_eq!(refreshed(&server, &answer.text("refresh_token")).status, 200);
    });
}

/// RFC 7009 §2.1: "The authorization server first validates the client credentials (in case of a confidential client)".
#[test]
fn whoever_is_not_the_client_revokes_nothing() {
    on_each_database(|database| {
        let server = on(&database);
        let token = tokens(&server).text("refresh_token");
        let client = server.client();
        let posted = [("token", token.as_str())];
        writes_nothing(&database, || {
            for answer in [
                client.post("/revoke", &posted),
                client.post("/revoke", &[("client_id", "web"), posted[0]]),
                client.post_as("web", "wrong", "/revoke", &posted),
                client.post("/revoke", &[("client_id", "nobody"), posted[0]]),
                client.post("/revoke", &[("client_id", "native"), ("client_secret", "x"), posted[0]]),
            ] {
                assert_eq!((answer.status, answer.error()), (401, "invalid_client".to_owned()));
            }
        });
        change::switch_off(&server, "web");
        assert_eq!(revoke(&server, "web", &token).error(), "invalid_client");
    });
}

/// RFC 7009 §2.2: "invalid tokens do not cause an error response since the client cannot handle such an error in a reasonable
/// way."
#[test]
fn what_is_worth_nothing_already_is_answered_likewise_and_costs_no_write() {
    let elsewhere = TestServer::with(setup());
    on_each_database(|database| {
        let server = on(&database);
        let answer = tokens(&server);
        let (access, refresh) = (answer.text("access_token"), answer.text("refresh_token"));
        let [other_claims, other_signature] = forged(&access);
        let expired = clients_token(&server, "service", "notes:read");
        let gone = clients_token(&server, "service", "notes:read");
        assert_revoked(&revoke(&server, "service", &gone));
        server.advance(200);
        let again = clients_token(&server, "service", "notes:read");
        assert_revoked(&revoke(&server, "service", &again));
        server.advance(100);
        writes_nothing(&database, || {
            for (what, client, token) in [
                ("expired", "service", expired.as_str()),
                ("revoked and expired", "service", &gone),
                ("revoked", "service", &again),
                ("cut short", "web", &access[..access.len() - 5]),
                ("changed claims", "web", &other_claims),
                ("a changed signature", "web", &other_signature),
                ("of another issuer", "web", &users_token(&elsewhere, "openid notes:read")),
                ("an unknown refresh token", "web", &tokens(&elsewhere).text("refresh_token")),
                ("a refresh token cut short", "web", &refresh[..refresh.len() - 1]),
                ("a word", "web", "x"),
                ("five of them", "web", "a.b.c.d.e"),
                ("as long as a token may be", "web", &"x".repeat(16_384)),
                ("longer than any token", "web", &"x".repeat(60_000)),
            ] {
                let answer = revoke(&server, client, token);
                assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{what}");
                assert_revoked(&answer);
            }
        });
        assert_revoked(&revoke(&server, "web", &refresh));
        writes_nothing(&database, || assert_revoked(&revoke(&server, "web", &refresh)));
    });
}

/// RFC 7009 §2.2.1: "The authorization server does not support the revocation of the presented token type."
#[test]
fn what_is_no_token_that_can_be_revoked_here_is_called_so() {
    on_each_database(|database| {
        let server = on(&database);
        let of_kind = |kind| PlainToken::random(kind, &OsEntropy).unwrap().reveal().to_owned();
        let id_token = tokens(&server).text("id_token");
        let code = code(&server, "web", &[]);
        // {"alg":"RSA-OAEP-256","enc":"A256GCM"}: only the resource server that it is encrypted to can say what it is.
        let encrypted = "eyJhbGciOiJSU0EtT0FFUC0yNTYiLCJlbmMiOiJBMjU2R0NNIn0.eA.eA.eA.eA";
        writes_nothing(&database, || {
            for token in [&id_token, &code, &of_kind(TokenKind::Api), &encrypted.to_owned()] {
                let answer = revoke(&server, "web", token);
                assert_eq!((answer.status, answer.error()), (400, "unsupported_token_type".to_owned()));
            }
        });
        assert_eq!(server.token("web", &redemption(&code)).status, 200, "and it stays what it was");
    });
}

/// RFC 7009 §2.1: "If the server is unable to locate the token using the given hint, it MUST extend its search across all of
/// its supported token types"; §2.2: "An invalid token type hint value is ignored".
#[test]
fn a_hint_that_is_wrong_or_unknown_changes_nothing() {
    let server = TestServer::with(setup());
    for hint in ["access_token", "refresh_token", "id_token", "nonsense", ""] {
        let answer = tokens(&server);
        let (access, refresh) = (answer.text("access_token"), answer.text("refresh_token"));
        let hinted =
            |token: &str| revoke_with(&server, "web", &[("token", token), ("token_type_hint", hint)]);
        assert_revoked(&hinted(&access));
        assert!(!is_active(&server, "notes-api", &access), "{hint:?}");
        assert!(is_active(&server, "web", &refresh), "{hint:?}");
        assert_revoked(&hinted(&refresh));
        assert!(!is_active(&server, "web", &refresh), "{hint:?}");
    }
}

/// What was revoked stays so, whatever else comes and goes.
#[test]
fn a_token_that_was_revoked_while_its_user_was_locked_is_dead_when_the_account_is_open_again() {
    on_each_database(|database| {
        let server = on(&database);
        let [kept, revoked] = [(); 2].map(|()| users_token(&server, "openid notes:read"));
        change::lock(&server, "alice");
        assert!(!is_active(&server, "notes-api", &kept));
        assert_revoked(&revoke(&server, "web", &revoked));
        Raw::open(&database.url).run("UPDATE users SET locked_at = NULL");
        assert!(is_active(&server, "notes-api", &kept));
        assert!(!is_active(&server, "notes-api", &revoked), "{}", database.kind);
    });
}

#[test]
fn of_fifty_revocations_of_one_token_on_two_nodes_one_writes_a_row() {
    on_each_database(|database| {
        let (one, two) = two_nodes(&database);
        let token = users_token(&one, "openid notes:read");
        let answers = at_once(50, |at| revoke(if at % 2 == 0 { &one } else { &two }, "web", &token));
        answers.iter().for_each(assert_revoked);
        assert_eq!(denied(&database), 1, "{}", database.kind);
        assert!(!is_active(&one, "notes-api", &token) && !is_active(&two, "notes-api", &token));
    });
}

#[test]
fn anything_but_one_token_in_a_posted_form_is_refused() {
    on_each_database(|database| {
        let server = on(&database);
        let token = tokens(&server).text("refresh_token");
        let authorization = basic("web", &secret("web"));
        let send = |method: &str, path: &str, kind: &str, body: &str| {
            let headers = [("authorization", authorization.as_str()), ("content-type", kind)];
            server.client().send(method, path, &headers, body)
        };
        let once = format!("token={token}");
        writes_nothing(&database, || {
            for (what, answer, status) in [
                ("no token", send("POST", "/revoke", FORM, ""), 400),
                ("two", send("POST", "/revoke", FORM, &format!("{once}&{once}")), 400),
                ("in the URI", send("POST", &format!("/revoke?{once}"), FORM, &once), 400),
                (
                    "as JSON",
                    send("POST", "/revoke", "application/json", &format!("{{\"token\":\"{token}\"}}")),
                    400,
                ),
                ("a megabyte", send("POST", "/revoke", FORM, &format!("token={}", "x".repeat(1 << 20))), 413),
                ("by GET", send("GET", &format!("/revoke?{once}"), FORM, ""), 405),
            ] {
                assert_eq!((answer.status, answer.error()), (status, "invalid_request".to_owned()), "{what}");
            }
        });
        assert_eq!(send("GET", "/revoke", FORM, "").header("allow"), Some("POST, OPTIONS"));
        assert_eq!(refreshed(&server, &token).status, 200);
    });
}

/// RFC 7009 §2.3 wants cross-origin requests from browsers to work; CORS (Fetch standard §3.2) came after it.
#[test]
fn the_page_of_a_client_may_revoke_its_tokens() {
    let server = TestServer::with(setup());
    let token = server.public_token("app", &redemption(&code(&server, "app", &[]))).text("access_token");
    let allowed = |method: &str, origin: &str, with: &[(&str, &str)]| {
        let headers = [("origin", origin), ("content-type", FORM), ("access-control-request-method", "POST")];
        let answer = server.client().send(method, "/revoke", &headers, &form(with));
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        (answer.status, answer.header("access-control-allow-origin").map(str::to_owned))
    };
    let page = "https://app.example";
    let ours = Some(page.to_owned());
    assert_eq!(allowed("OPTIONS", page, &[]), (204, ours.clone()));
    assert_eq!(allowed("OPTIONS", "https://evil.example", &[]), (204, None));
    let posted = [("client_id", "app"), ("token", token.as_str())];
    assert_eq!(allowed("POST", "https://evil.example", &changed(&posted, "token", "x")), (200, None));
    assert_eq!(allowed("POST", page, &changed(&posted, "client_id", "nobody")), (401, ours.clone()));
    assert_eq!(allowed("POST", page, &posted), (200, ours));
    assert!(!is_active(&server, "notes-api", &token));
}

/// RFC 8414 §2: revocation_endpoint and its authentication methods, each of which works in a test above.
#[test]
fn discovery_leads_to_it() {
    let server = TestServer::with(setup());
    let metadata = server.client().get(paths::OPENID_CONFIGURATION).json();
    assert_eq!(metadata["revocation_endpoint"], format!("{}/revoke", server.issuer));
    let methods = serde_json::json!([
        "client_secret_basic",
        "client_secret_post",
        "client_secret_jwt",
        "private_key_jwt",
        "none"
    ]);
    assert_eq!(metadata["revocation_endpoint_auth_methods_supported"], methods);
    let token = clients_token(&server, "service", "notes:read");
    let posted = [("client_id", "service"), ("client_secret", &secret("service")), ("token", &token)];
    assert_revoked(&server.client().post("/revoke", &posted));
    assert!(!is_active(&server, "service", &token));
}
