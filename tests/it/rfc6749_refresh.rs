//! RFC 6749 §6 and RFC 9700 §4.14.2: refresh tokens rotate, and one that is used twice takes its whole family
//! with it. `refresh_grace` has the time in which it does not yet.

use countersign::app;
use countersign::base::entropy::OsEntropy;
use countersign::base::{PlainToken, Seconds, TokenKind};
use countersign::domain::RevocationReason;
use countersign::store;

use super::support::flow::{authorize, claims, code, redemption, tokens};
use super::support::http::Answer;
use super::support::jwt::redacted;
use super::support::raw::Raw;
use super::support::server::{MAIL, NOTES, Setup, secret};
use super::support::tokens::{misspelt, writes_nothing};
use super::support::{Database, TestServer, change, on_each_database};

const NATIVE: &[(&str, &str)] = &[("scope", "openid notes:read offline_access")];
const DAY: i64 = 86_400;
/// The time after which a used token is no longer taken for a second tab's.
const GRACE: i64 = 10;

fn refresh_with(server: &TestServer, client: &str, token: &str, more: &[(&str, &str)]) -> Answer {
    let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
    form.extend_from_slice(more);
    if matches!(client, "native" | "app") {
        return server.public_token(client, &form);
    }
    server.token(client, &form)
}

fn refresh(server: &TestServer, client: &str, token: &str) -> Answer {
    refresh_with(server, client, token, &[])
}

fn next(server: &TestServer, client: &str, token: &str) -> String {
    let answer = refresh(server, client, token);
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.text("refresh_token")
}

/// A refresh token of the confidential client `web`.
fn first(server: &TestServer) -> String {
    tokens(server).text("refresh_token")
}

/// Families live for 2000 seconds, tokens that nobody uses for 100.
fn short_lived(database: &Database) -> TestServer {
    let extra = "[tokens]\nrefresh_token_ttl_s = 2000\nrefresh_token_idle_ttl_s = 100".to_owned();
    TestServer::with(Setup { database: Some(database.url.clone()), extra, ..Setup::default() })
}

#[test]
fn a_refresh_token_becomes_an_access_token_and_the_next_refresh_token() {
    let server = TestServer::start();
    let answer = refresh(&server, "web", &first(&server));
    let wire = answer.wire(&["content-type", "cache-control", "pragma"]);
    insta::assert_snapshot!(redacted(&wire), @r#"
    200
    content-type: application/json
    cache-control: no-store
    pragma: no-cache

    {"access_token":"…","token_type":"Bearer","expires_in":300,"scope":"openid notes:read notes:write offline_access","refresh_token":"…","id_token":"…"}
    "#);
}

#[test]
fn every_refresh_gives_another_token_and_the_newest_always_works() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let mut seen = vec![first(&server)];
        for _ in 0..4 {
            seen.push(next(&server, "web", seen.last().unwrap()));
        }
        let distinct: std::collections::HashSet<_> = seen.iter().collect();
        assert_eq!(distinct.len(), 5);
    });
}

/// RFC 9700 §4.14.2: the reuse "will […] revoke the active refresh token": nobody can say which of the two is
/// the thief. A fault of well-known servers: the revocation is rolled back together with the refused request.
#[test]
fn a_reused_refresh_token_revokes_its_family_although_the_request_is_refused() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        for stale in 0..3 {
            let mut family = vec![first(&server)];
            for _ in 0..3 {
                family.push(next(&server, "web", family.last().unwrap()));
            }
            server.advance(GRACE);
            let answer = refresh(&server, "web", &family[stale]);
            assert_eq!(answer.error(), "invalid_grant", "{} {stale}", database.kind);
            for token in &family {
                assert_eq!(refresh(&server, "web", token).error(), "invalid_grant", "{}", database.kind);
            }
        }
    });
}

#[test]
fn a_reuse_leaves_the_users_other_families_alone() {
    let server = TestServer::start();
    let (one, other) = (first(&server), first(&server));
    next(&server, "web", &one);
    server.advance(GRACE);
    assert_eq!(refresh(&server, "web", &one).error(), "invalid_grant");
    next(&server, "web", &other);
}

/// The reuse of a token that would have expired by now is still a theft, for as long as the family may live: nobody forgets
/// a used token before.
#[test]
fn a_reuse_is_noticed_after_the_tokens_own_life() {
    on_each_database(|database| {
        let server = short_lived(&database);
        let stolen = first(&server);
        let mut newest = stolen.clone();
        for _ in 0..30 {
            server.advance(60);
            newest = next(&server, "web", &newest);
            app::sweep(server.store(), server.app.now(), 100, &mut |_| true).unwrap();
        }
        assert_eq!(refresh(&server, "web", &stolen).error(), "invalid_grant", "{}", database.kind);
        let answer = refresh(&server, "web", &newest);
        assert_eq!(answer.text("error_description"), "the refresh token was revoked", "{}", database.kind);
    });
}

/// The rows of a family go, all of them, once it can live no longer.
#[test]
fn what_is_known_of_a_family_goes_after_its_end() {
    on_each_database(|database| {
        let server = short_lived(&database);
        let token = first(&server);
        next(&server, "web", &token);
        let rows = || Raw::open(&database.url).number("SELECT count(*) AS n FROM refresh_tokens");
        for (later, left) in [(2_299, 2), (1, 0)] {
            server.advance(later);
            app::sweep(server.store(), server.app.now(), 100, &mut |_| true).unwrap();
            assert_eq!(rows(), left, "{} {later}", database.kind);
        }
    });
}

/// RFC 6749 §6: "the authorization server MUST […] ensure that the refresh token was issued to the
/// authenticated client".
#[test]
fn another_clients_attempt_is_refused_and_changes_nothing() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let old = first(&server);
        let current = next(&server, "web", &old);
        server.advance(GRACE);
        // Not even the reuse of a used token counts when it comes from somebody else.
        for token in [&old, &current] {
            assert_eq!(refresh(&server, "house", token).error(), "invalid_grant");
            assert_eq!(refresh(&server, "native", token).error(), "invalid_grant");
            let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
            let unproven = server.client().post_as("web", "wrong", "/token", &form);
            assert_eq!(unproven.error(), "invalid_client");
        }
        next(&server, "web", &current);
    });
}

#[test]
fn what_is_no_refresh_token_of_this_server_is_an_invalid_grant() {
    let server = TestServer::start();
    let code = code(&server, "web", &[]);
    let unknown = PlainToken::random(TokenKind::Refresh, &OsEntropy).unwrap();
    let access = tokens(&server).text("access_token");
    for (name, text, error) in [
        ("unknown", unknown.reveal(), "invalid_grant"),
        ("a code", code.as_str(), "invalid_grant"),
        ("words", "more please", "invalid_grant"),
        ("an access token", access.as_str(), "invalid_grant"),
        ("as long as a token may be", &"a".repeat(16_384), "invalid_grant"),
        ("longer", &"a".repeat(16_385), "invalid_request"),
    ] {
        assert_eq!(refresh(&server, "web", text).error(), error, "{name}");
    }
    assert_eq!(server.token("web", &redemption(&code)).status, 200);
}

/// A refusal of what is good for nothing costs no write: not for what was never one, has expired or was revoked.
#[test]
fn what_is_good_for_nothing_costs_no_write() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let expired = first(&server);
        server.advance(server.app.policy.refresh_token_idle_ttl.0);
        let revoked = first(&server);
        assert_eq!(
            server.client().post_as("web", &secret("web"), "/revoke", &[("token", &revoked)]).status,
            200
        );
        let (native, of_another) = (code(&server, "native", NATIVE), first(&server));
        let public = server.public_token("native", &redemption(&native));
        let (id_token, other_kind) = (public.text("id_token"), public.text("access_token"));
        let unknown = PlainToken::refresh(server.app.now(), &OsEntropy).unwrap();
        let wrong_checksum = misspelt(&of_another);
        let megabyte = "a".repeat(1 << 20);
        writes_nothing(&database, || {
            for (token, status, error) in [
                (expired.as_str(), 400, "invalid_grant"),
                (&revoked, 400, "invalid_grant"),
                (&id_token, 400, "invalid_grant"),
                (&other_kind, 400, "invalid_grant"),
                (unknown.reveal(), 400, "invalid_grant"),
                (&wrong_checksum, 400, "invalid_grant"),
                (&of_another[..20], 400, "invalid_grant"),
                (&megabyte, 413, "invalid_request"),
            ] {
                let answer = refresh(&server, "web", token);
                assert_eq!((answer.status, answer.error().as_str()), (status, error), "{}", database.kind);
            }
            assert_eq!(refresh(&server, "house", &of_another).error(), "invalid_grant", "another's");
        });
        next(&server, "web", &of_another);
    });
}

/// RFC 6749 §3.3, §6: the scope "MUST NOT include any scope not originally granted by the resource owner".
#[test]
fn the_scope_can_shrink_for_one_token_and_never_grow() {
    let server = TestServer::start();
    let token = first(&server);
    for grown in ["notes:read mail:send", "profile", "notes:READ", "notes:read unknown", "notes"] {
        let answer = refresh_with(&server, "web", &token, &[("scope", grown)]);
        assert_eq!(answer.error(), "invalid_scope", "{grown}");
    }
    for broken in ["notes:\"read\"", "notes:read\ttab", "n\\r", "notes:réad", " "] {
        let answer = refresh_with(&server, "web", &token, &[("scope", broken)]);
        assert_eq!(answer.error(), "invalid_scope", "{broken:?}");
    }
    // None of the refusals used the token up.
    let answer = refresh_with(&server, "web", &token, &[("scope", "notes:read")]);
    assert_eq!(answer.text("scope"), "notes:read");
    assert_eq!(claims(&answer.text("access_token"))["scope"], "notes:read");
    // RFC 6749 §6: "if omitted is treated as equal to the scope originally granted by the resource owner".
    let answer = refresh(&server, "web", &answer.text("refresh_token"));
    assert_eq!(answer.text("scope"), "openid notes:read notes:write offline_access");
}

/// RFC 6749 §1.5: a refresh token gets "additional access tokens with identical or narrower scope", about the
/// same login. OpenID Connect Core §12.2: the new ID token is about the same login, and has no nonce.
#[test]
fn the_new_id_token_tells_of_the_old_login() {
    let server = TestServer::start();
    let with = [("scope", "openid notes:read offline_access"), ("nonce", "n-1"), ("max_age", "900")];
    let answer = server.token("web", &redemption(&code(&server, "web", &with)));
    server.advance(100);
    let (old, renewed) =
        (claims(&answer.text("id_token")), refresh(&server, "web", &answer.text("refresh_token")));
    let new = claims(&renewed.text("id_token"));
    for name in ["iss", "sub", "aud", "auth_time", "sid"] {
        assert_eq!(new[name], old[name], "{name}");
    }
    assert_eq!(new["iat"].as_i64().unwrap(), old["iat"].as_i64().unwrap() + 100);
    assert_eq!((old["nonce"].as_str(), new.get("nonce")), (Some("n-1"), None));
    assert_ne!(new["at_hash"], old["at_hash"], "it goes with a new access token");
}

#[test]
fn a_refresh_token_that_nobody_uses_dies_after_fourteen_days() {
    let server = TestServer::start();
    let (used, idle) = (first(&server), first(&server));
    server.advance(14 * DAY - 1);
    let used = next(&server, "web", &used);
    server.advance(1);
    assert_eq!(refresh(&server, "web", &idle).error(), "invalid_grant");
    server.advance(13 * DAY);
    next(&server, "web", &used);
}

#[test]
fn a_family_dies_thirty_days_after_its_login_however_often_it_is_used() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let mut token = first(&server);
        for _ in 0..3 {
            server.advance(10 * DAY - 1);
            token = next(&server, "web", &token);
        }
        server.advance(2);
        token = next(&server, "web", &token);
        server.advance(1);
        assert_eq!(refresh(&server, "web", &token).error(), "invalid_grant");
    });
}

#[test]
fn a_client_may_have_a_shorter_family() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        change::client(&server, "web", |draft| draft.refresh_token_ttl = Some(Seconds(600)));
        let token = first(&server);
        server.advance(599);
        let token = next(&server, "web", &token);
        server.advance(1);
        assert_eq!(refresh(&server, "web", &token).error(), "invalid_grant", "{}", database.kind);
    });
}

/// One that lies unused for too long is dead, and no more than that: nobody has stolen it.
#[test]
fn a_client_may_have_its_refresh_tokens_die_sooner_when_nobody_uses_them() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        change::client(&server, "web", |draft| draft.refresh_token_idle_ttl = Some(Seconds(100)));
        let (mut used, idle) = (first(&server), first(&server));
        for _ in 0..3 {
            server.advance(99);
            used = next(&server, "web", &used);
        }
        assert_eq!(refresh(&server, "web", &idle).error(), "invalid_grant", "{}", database.kind);
        server.advance(100);
        assert_eq!(refresh(&server, "web", &used).error(), "invalid_grant", "{}", database.kind);
        let revoked = "SELECT count(*) AS n FROM authorizations WHERE revoked_at IS NOT NULL";
        assert_eq!(Raw::open(&database.url).number(revoked), 0, "{}", database.kind);
    });
}

#[test]
fn a_client_may_have_longer_lives_than_others() {
    let server = TestServer::start();
    change::client(&server, "web", |draft| {
        draft.refresh_token_ttl = Some(Seconds(300 * DAY));
        draft.refresh_token_idle_ttl = Some(Seconds(200 * DAY));
    });
    let token = first(&server);
    server.advance(200 * DAY - 1);
    let token = next(&server, "web", &token);
    server.advance(100 * DAY);
    next(&server, "web", &token);
    server.advance(1);
    assert_eq!(refresh(&server, "web", &token).error(), "invalid_grant");
}

/// What a public client holds never outlives the browser session that it came from.
#[test]
fn a_logout_ends_the_refresh_token_of_a_public_client_and_not_a_confidential_ones() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let mut browser = server.browser();
        let native = authorize(&mut browser, "native", NATIVE).sent("code").unwrap();
        let web = authorize(&mut browser, "web", NATIVE).sent("code").unwrap();
        let native = server.public_token("native", &redemption(&native)).text("refresh_token");
        let web = server.token("web", &redemption(&web)).text("refresh_token");
        let native = next(&server, "native", &native);
        let page = browser.get("/logout");
        browser.decide(&page, "logout");
        assert_eq!(refresh(&server, "native", &native).error(), "invalid_grant");
        next(&server, "web", &web);
    });
}

#[test]
fn a_public_clients_refresh_token_ends_with_the_session_at_the_latest() {
    let extra = "[session]\nttl_s = 1000\nidle_ttl_s = 1000".to_owned();
    let server = TestServer::with(Setup { extra, ..Setup::default() });
    let code = code(&server, "native", NATIVE);
    let answer = server.public_token("native", &redemption(&code));
    // OpenID Connect Core 1.0 §11: what it would be given for is the time after the session.
    assert_eq!(answer.text("scope"), "openid notes:read");
    server.advance(999);
    let token = next(&server, "native", &answer.text("refresh_token"));
    server.advance(1);
    assert_eq!(refresh(&server, "native", &token).error(), "invalid_grant");
}

/// A locked account served on by refresh: a fault of well-known servers.
/// Nothing cascades to refresh tokens: it is the authorization, which went with the user, that is missed.
#[test]
fn a_user_who_is_gone_is_not_served_on() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let (token, alice) = (first(&server), server.user("alice").id);
        assert!(server.store().write("delete", move |conn| store::users::delete(conn, alice)).unwrap());
        let answer = refresh(&server, "web", &token);
        assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_grant"), "{}", database.kind);
        let hash = PlainToken::parse(TokenKind::Refresh, &token).unwrap().hash();
        let left = server.store().read("look", move |conn| store::refresh_tokens::find(conn, &hash)).unwrap();
        assert!(left.is_some_and(|left| left.used_at.is_none()), "nothing is written");
    });
}

#[test]
fn a_locked_user_is_not_served_on() {
    let server = TestServer::start();
    let token = first(&server);
    change::lock(&server, "alice");
    assert_eq!(refresh(&server, "web", &token).error(), "invalid_grant");
}

#[test]
fn a_client_that_is_switched_off_or_lost_the_grant_gets_nothing() {
    let server = TestServer::start();
    let (token, native) = (first(&server), code(&server, "native", NATIVE));
    let native = server.public_token("native", &redemption(&native)).text("refresh_token");
    change::switch_off(&server, "web");
    change::switch_off(&server, "native");
    assert_eq!(refresh(&server, "web", &token).error(), "invalid_client");
    assert_eq!(refresh(&server, "native", &native).error(), "invalid_client");

    let server = TestServer::start();
    let token = first(&server);
    change::client(&server, "web", |draft| {
        draft.grant_types.remove(&countersign::oauth::GrantType::RefreshToken);
    });
    assert_eq!(refresh(&server, "web", &token).error(), "unauthorized_client");
}

#[test]
fn an_operator_can_revoke_what_a_user_gave() {
    let server = TestServer::start();
    let (token, id, now) = (first(&server), server.user("alice").id, server.app.now());
    let revoked = server.store().write("revoke", move |conn| {
        store::authorizations::revoke_of_user(conn, id, now, RevocationReason::Operator)
    });
    assert!(revoked.unwrap() >= 1);
    assert_eq!(refresh(&server, "web", &token).error(), "invalid_grant");
}

/// RFC 8707 §2.2: each access token of one family is for the resource that its request names.
#[test]
fn one_family_gives_tokens_for_each_of_its_resources() {
    let server = TestServer::start();
    let with = [("scope", "notes:read mail:send offline_access")];
    let code = code(&server, "web", &with);
    let mut form = redemption(&code);
    form.push(("resource", NOTES));
    let answer = server.token("web", &form);
    let token = answer.text("refresh_token");
    assert_eq!(refresh(&server, "web", &token).error(), "invalid_target");
    let other = refresh_with(&server, "web", &token, &[("resource", "https://other.example")]);
    assert_eq!(other.error(), "invalid_target");
    let answer = refresh_with(&server, "web", &token, &[("resource", MAIL)]);
    assert_eq!(claims(&answer.text("access_token"))["aud"], MAIL);
    assert_eq!(answer.text("scope"), "mail:send offline_access");
}
