//! RFC 6749 §4.1.3 and §4.1.4: an authorization code becomes tokens, once, for the client that it was given
//! to.

use countersign::base::Seconds;
use countersign::base::entropy::OsEntropy;
use countersign::base::{PlainToken, TokenKind};
use countersign::store;

use super::support::flow::{authorize, changed, code, redemption, tokens};
use super::support::http::Answer;
use super::support::jwt::redacted;
use super::support::server::Setup;
use super::support::tokens::misspelt;
use super::support::{TestServer, change, on_each_database};

const OFFLINE: &[(&str, &str)] = &[("scope", "openid notes:read offline_access")];

fn refresh(server: &TestServer, client: &str, token: &str) -> Answer {
    server.token(client, &[("grant_type", "refresh_token"), ("refresh_token", token)])
}

/// RFC 6749 §5.1: the answer and the headers that keep it out of caches.
#[test]
fn a_code_becomes_tokens() {
    let server = TestServer::start();
    let answer = server.token("web", &redemption(&code(&server, "web", OFFLINE)));
    let wire = answer.wire(&["content-type", "cache-control", "pragma", "x-content-type-options"]);
    insta::assert_snapshot!(redacted(&wire), @r#"
    200
    content-type: application/json
    cache-control: no-store
    pragma: no-cache
    x-content-type-options: nosniff

    {"access_token":"…","token_type":"Bearer","expires_in":300,"scope":"openid notes:read offline_access","refresh_token":"…","id_token":"…"}
    "#);
}

/// RFC 6749 §5.1: the refresh token is optional; a page in a browser gets none, whatever it asks for, and a client that may
/// not use the grant neither.
#[test]
fn a_client_without_the_grant_gets_no_refresh_token() {
    let server = TestServer::start();
    change::client(&server, "house", |draft| {
        draft.grant_types.remove(&countersign::oauth::GrantType::RefreshToken);
    });
    for (client, scope) in [("app", "openid notes:read"), ("house", "notes:read")] {
        let code = code(&server, client, &[("scope", scope)]);
        let form = redemption(&code);
        let answer = match client {
            "app" => server.public_token(client, &form),
            _ => server.token(client, &form),
        };
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(answer.json().get("refresh_token").is_none(), "{client}");
    }
}

/// RFC 6749 §4.1.3: "ensure that the authorization code was issued to the authenticated […] client".
#[test]
fn a_code_is_worth_nothing_to_another_client_and_stays_good_for_its_own() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let code = code(&server, "web", &[]);
        assert_eq!(server.token("old-web", &redemption(&code)).error(), "invalid_grant");
        assert_eq!(server.public_token("app", &redemption(&code)).error(), "invalid_grant");
        assert_eq!(server.token("web", &redemption(&code)).status, 200);
    });
}

/// RFC 6749 §4.1.3: the redirect URI must be the one of the authorization request, letter by letter.
#[test]
fn another_redirect_uri_is_refused_and_does_not_burn_the_code() {
    let server = TestServer::start();
    let code = code(&server, "web", &[]);
    for other in [
        "https://app.example/cb2?x=1",
        "https://app.example/cb/",
        "https://app.example/CB",
        "https://app.example:443/cb",
        "https://app.example/cb?",
        "https://app.example/cb#",
        "https://APP.example/cb",
        "https://app.example/%63b",
        "https://user@app.example/cb",
        "http://app.example/cb",
        "nonsense",
    ] {
        let answer = server.token("web", &changed(&redemption(&code), "redirect_uri", other));
        assert_eq!(answer.error(), "invalid_grant", "{other}");
    }
    assert_eq!(server.token("web", &redemption(&code)).status, 200);
}

/// RFC 6749 §4.1.3: redirect_uri is "REQUIRED, if the "redirect_uri" parameter was included in the
/// authorization request".
#[test]
fn the_redirect_uri_may_be_left_out_only_where_it_was_left_out_before() {
    let server = TestServer::start();
    let named = code(&server, "web", &[]);
    let answer = server.token("web", &changed(&redemption(&named), "redirect_uri", ""));
    assert_eq!(answer.error(), "invalid_request");
    assert_eq!(server.token("web", &redemption(&named)).status, 200);

    // RFC 6749 §3.1.2.3: one registered URI, so the authorization request may leave it out.
    for redirect_uri in ["", "https://app.example/cb"] {
        let unnamed = code(&server, "old-web", &[("redirect_uri", ""), ("scope", "notes:read")]);
        let form = redemption(&unnamed);
        let answer = server.token("old-web", &changed(&form, "redirect_uri", "https://app.example/other"));
        assert_eq!(answer.error(), "invalid_grant");
        let answer = server.token("old-web", &changed(&form, "redirect_uri", redirect_uri));
        assert_eq!(answer.status, 200, "{redirect_uri:?} {}", answer.body);
    }
}

/// RFC 6749 §4.1.2: "The authorization code MUST expire shortly after it is issued": after 60 seconds, to the
/// second.
#[test]
fn a_code_lives_for_sixty_seconds() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let (early, late) = (code(&server, "web", &[]), code(&server, "web", &[]));
        server.advance(59);
        assert_eq!(server.token("web", &redemption(&early)).status, 200);
        server.advance(1);
        assert_eq!(server.token("web", &redemption(&late)).error(), "invalid_grant");
    });
}

#[test]
fn the_life_of_a_code_can_be_configured() {
    let server = TestServer::with(Setup { extra: "[tokens]\ncode_ttl_s = 5".to_owned(), ..Setup::default() });
    let (early, late) = (code(&server, "web", &[]), code(&server, "web", &[]));
    server.advance(4);
    assert_eq!(server.token("web", &redemption(&early)).status, 200);
    server.advance(1);
    assert_eq!(server.token("web", &redemption(&late)).error(), "invalid_grant");
}

/// RFC 6749 §1.3.1: a code stands for the user's consent; nothing else does. A secret of one kind is never
/// taken for another, and a look-alike never reaches the database.
#[test]
fn what_is_no_code_of_this_server_is_an_invalid_grant() {
    let server = TestServer::start();
    let good = code(&server, "web", &[]);
    let refresh_token = tokens(&server).text("refresh_token");
    let unknown = PlainToken::random(TokenKind::Code, &OsEntropy).unwrap();
    let misspelt = misspelt(&good);
    let mut browser = server.browser();
    authorize(&mut browser, "web", &[]);
    let cookie = browser.cookies["csgn_session"].clone();
    for (name, text) in [
        ("unknown", unknown.reveal()),
        ("misspelt", misspelt.as_str()),
        ("cut off", &good[..good.len() - 1]),
        ("longer", &format!("{good}0")),
        ("with a blank", &format!(" {good}")),
        ("a refresh token", &refresh_token),
        ("a session cookie", &cookie),
        ("words", "give me a token"),
        ("another script", "код"),
        ("SQL", "' OR 1=1 --"),
    ] {
        assert_eq!(server.token("web", &redemption(text)).error(), "invalid_grant", "{name}");
    }
    assert_eq!(server.token("web", &redemption(&good)).status, 200);
    assert_eq!(refresh(&server, "web", &refresh_token).status, 200);
}

/// RFC 6749 §4.1.2: "If an authorization code is used more than once, the authorization server MUST deny the
/// request and SHOULD revoke (when possible) all tokens previously issued based on that authorization code."
/// A fault of well-known servers: the revocation is rolled back together with the refused request.
#[test]
fn a_replayed_code_kills_the_refresh_token_that_it_gave() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let code = code(&server, "web", OFFLINE);
        let first = server.token("web", &redemption(&code)).text("refresh_token");
        let second = refresh(&server, "web", &first).text("refresh_token");
        assert_eq!(server.token("web", &redemption(&code)).error(), "invalid_grant", "{}", database.kind);
        assert_eq!(refresh(&server, "web", &second).error(), "invalid_grant", "{}", database.kind);
    });
}

/// The replay is known for what it is long after the code's own minute.
#[test]
fn a_replay_after_the_code_expired_still_kills_what_it_gave() {
    let server = TestServer::start();
    let code = code(&server, "web", OFFLINE);
    let token = server.token("web", &redemption(&code)).text("refresh_token");
    server.advance(3_600);
    let now = server.app.now();
    countersign::app::sweep(server.store(), now, 100, &mut |_| true).unwrap();
    assert_eq!(server.token("web", &redemption(&code)).error(), "invalid_grant");
    assert_eq!(refresh(&server, "web", &token).error(), "invalid_grant");
}

/// Otherwise whoever saw a code in a log could sign a user out of another application.
#[test]
fn a_replay_by_another_client_changes_nothing() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let code = code(&server, "web", OFFLINE);
        let token = server.token("web", &redemption(&code)).text("refresh_token");
        assert_eq!(server.token("old-web", &redemption(&code)).error(), "invalid_grant");
        let stranger = server.client().post_as("web", "a wrong secret", "/token", &redemption(&code));
        assert_eq!(stranger.error(), "invalid_client");
        assert_eq!(refresh(&server, "web", &token).status, 200);
    });
}

#[test]
fn each_code_of_one_user_is_a_family_of_its_own() {
    let server = TestServer::start();
    let other = tokens(&server).text("refresh_token");
    let code = code(&server, "web", OFFLINE);
    assert_eq!(server.token("web", &redemption(&code)).status, 200);
    assert_eq!(server.token("web", &redemption(&code)).error(), "invalid_grant");
    assert_eq!(refresh(&server, "web", &other).status, 200);
}

/// Whoever signs out before the client has redeemed its code has taken it back.
#[test]
fn a_code_of_an_ended_session_is_dead_for_every_client() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        for (client, has_secret) in [("app", false), ("native", false), ("web", true)] {
            let mut browser = server.browser();
            let code =
                authorize(&mut browser, client, &[("scope", "openid notes:read")]).sent("code").unwrap();
            let page = browser.get("/logout");
            browser.decide(&page, "logout");
            let answer = if has_secret {
                server.token(client, &redemption(&code))
            } else {
                server.public_token(client, &redemption(&code))
            };
            assert_eq!(answer.error(), "invalid_grant", "{client}");
        }
    });
}

#[test]
fn a_session_that_runs_out_takes_the_codes_with_it_that_are_bound_to_it() {
    let extra = "[session]\nttl_s = 60\nidle_ttl_s = 60\n[tokens]\ncode_ttl_s = 120".to_owned();
    let server = TestServer::with(Setup { extra, ..Setup::default() });
    let (public, bound) = (code(&server, "app", &[]), code(&server, "web", &[]));
    let offline = code(&server, "web", OFFLINE);
    server.advance(60);
    assert_eq!(server.public_token("app", &redemption(&public)).error(), "invalid_grant");
    assert_eq!(server.token("web", &redemption(&bound)).error(), "invalid_grant");
    assert_eq!(server.token("web", &redemption(&offline)).status, 200);
}

#[test]
fn a_code_of_a_user_who_was_locked_since_is_refused() {
    let server = TestServer::start();
    let code = code(&server, "web", &[]);
    change::lock(&server, "alice");
    assert_eq!(server.token("web", &redemption(&code)).error(), "invalid_grant");
}

#[test]
fn a_code_of_a_user_or_a_client_who_is_gone_is_refused() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let code = code(&server, "web", &[]);
        let id = server.user("alice").id;
        assert!(server.store().write("delete", move |conn| store::users::delete(conn, id)).unwrap());
        assert_eq!(server.token("web", &redemption(&code)).error(), "invalid_grant");
        server.add_user("alice");
        let code = super::support::flow::code(&server, "web", &[]);
        change::switch_off(&server, "web");
        assert_eq!(server.token("web", &redemption(&code)).error(), "invalid_client");
    });
}

/// RFC 6749 §4.1.3: what the client may have today counts, not what it could have when the user agreed.
#[test]
fn a_scope_that_was_taken_from_the_client_since_is_not_in_the_token() {
    let server = TestServer::start();
    let both = code(&server, "web", &[("scope", "notes:read notes:write")]);
    change::client(&server, "web", |draft| draft.scope = "openid notes:read".parse().unwrap());
    assert_eq!(server.token("web", &redemption(&both)).text("scope"), "notes:read");
}

#[test]
fn a_clock_that_is_set_back_does_not_make_a_used_code_new() {
    let server = TestServer::start();
    let code = code(&server, "web", &[]);
    assert_eq!(server.token("web", &redemption(&code)).status, 200);
    server.clock.advance(Seconds(-30));
    assert_eq!(server.token("web", &redemption(&code)).error(), "invalid_grant");
}
