//! RFC 9700: the attacks of its section 4 one by one, in their shortest form. What each is about stands above it.

use countersign::base::{HashedToken, Id};
use countersign::http::paths;

use super::support::TestServer;
use super::support::flow::{authorize, authorize_path, changed, claims, code, redemption, tokens};
use super::support::http::form;
use super::support::pages::{ask, assert_refused, error_of, is_login, signed_in};
use super::support::server::{CALLBACK, PASSWORD, Setup};

const NOT_REGISTERED: &str = "We stopped here to protect you";
const OTHER_VERIFIER: &str = "another-verifier-another-verifier-another-verifier";

/// RFC 9700 §4.1.1: an attacker gets the code by a redirect URI that a pattern lets through. RFC 9700 §2.1: "exact string
/// matching except for port numbers in localhost redirection URIs of native apps".
#[test]
fn redirect_uri_manipulation() {
    let server = TestServer::start();
    let mut victim = signed_in(&server);
    for uri in
        ["https://evil.example/cb", "https://app.example/cb/../evil", "https://app.example.evil.example/cb"]
    {
        assert_refused(&ask(&mut victim, "app", &[("redirect_uri", uri)]), 400, NOT_REGISTERED);
    }
}

/// RFC 9700 §4.1.2: the implicit grant puts a token into the address, for an open redirector to pass on. RFC 9700 §2.1.2:
/// clients SHOULD NOT use it; here nobody can.
#[test]
fn no_token_ever_comes_by_redirect() {
    let server = TestServer::start();
    let mut victim = signed_in(&server);
    for response_type in ["token", "id_token", "id_token token", "code token", "code id_token", "none"] {
        let answer = ask(&mut victim, "app", &[("response_type", response_type), ("nonce", "n")]);
        assert_eq!(error_of(&answer), "unsupported_response_type");
        assert!(!answer.location().contains("token=") && !answer.location().contains('#'));
    }
}

/// RFC 9700 §4.2.2: a page of the server leaks the request, or a page of the client the code, in the Referer header.
#[test]
fn credential_leakage_by_referer() {
    let server = TestServer::start();
    let mut browser = server.browser();
    let page = ask(&mut browser, "app", &[]);
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    let answer = authorize(&mut browser, "app", &[]);
    assert!(answer.sent("code").is_some());
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    // RFC 9700 §4.2.4: no page loads anything from a third party that could receive one.
    let own = page.body.replace("http://www.w3.org/2000/svg", "");
    assert!(!own.contains("//"), "{own}");
}

/// RFC 9700 §4.3.1: a code that stays in the browser's history is tried later.
#[test]
fn a_code_from_the_browser_history() {
    let server = TestServer::start();
    let late = code(&server, "app", &[]);
    server.advance(60);
    assert_eq!(server.public_token("app", &redemption(&late)).error(), "invalid_grant");
    let used = code(&server, "app", &[]);
    assert_eq!(server.public_token("app", &redemption(&used)).status, 200);
    assert_eq!(server.public_token("app", &redemption(&used)).error(), "invalid_grant");
}

/// RFC 9700 §4.4: a client that talks to several servers takes the code of one to the other's token endpoint. §4.4.2: the
/// issuer in the response tells them apart.
#[test]
fn mix_up() {
    let honest = TestServer::start();
    let attacker = TestServer::with(Setup { path: "/attacker".to_owned(), ..Setup::default() });
    let answer = authorize(&mut honest.browser(), "app", &[]);
    assert_eq!(answer.sent("iss").as_deref(), Some(honest.issuer.as_str()));
    assert_ne!(honest.issuer, attacker.issuer);
    let code = answer.sent("code").unwrap();
    assert_eq!(attacker.public_token("app", &redemption(&code)).error(), "invalid_grant");
}

/// RFC 9700 §4.5: a stolen code is put into the attacker's own session with the client. §4.5.3.1: the client sends the
/// verifier of that session, which does not fit.
#[test]
fn authorization_code_injection() {
    let server = TestServer::start();
    let stolen = code(&server, "app", &[]);
    let form = redemption(&stolen);
    let injected = changed(&form, "code_verifier", OTHER_VERIFIER);
    assert_eq!(server.public_token("app", &injected).error(), "invalid_grant");
    assert_eq!(server.public_token("app", &changed(&form, "code_verifier", "")).error(), "invalid_grant");
    // Nor by another client's hand.
    assert_eq!(server.public_token("native", &form).error(), "invalid_grant");
    assert_eq!(server.token("web", &form).error(), "invalid_grant");
    // The owner's own attempt still works: a refused one uses nothing up.
    assert_eq!(server.public_token("app", &form).status, 200);
}

/// RFC 9700 §4.5.3.2: the nonce binds the ID token to the client's session.
#[test]
fn an_id_token_of_another_session_has_another_nonce() {
    let server = TestServer::start();
    for nonce in ["one", "other"] {
        let code = code(&server, "app", &[("nonce", nonce)]);
        let id_token = server.public_token("app", &redemption(&code)).text("id_token");
        assert_eq!(claims(&id_token)["nonce"], nonce);
    }
}

/// RFC 9700 §4.7: the victim's browser is sent to the client with the attacker's code. The client's state comes back as it
/// was, and PKCE binds the code to the browser that began.
#[test]
fn cross_site_request_forgery_on_the_redirect_uri() {
    let server = TestServer::start();
    let answer = authorize(&mut server.browser(), "app", &[("state", "bound to the browser")]);
    assert_eq!(answer.sent("state").as_deref(), Some("bound to the browser"));
    let code = answer.sent("code").unwrap();
    let with_the_victims_verifier = redemption(&code);
    let form = changed(&with_the_victims_verifier, "code_verifier", OTHER_VERIFIER);
    assert_eq!(server.public_token("app", &form).error(), "invalid_grant");
}

/// RFC 9700 §4.8.1: the attacker strips the challenge from the request, and then no verifier is asked for. RFC 9700 §2.1.1:
/// public clients MUST use PKCE, with S256.
#[test]
fn pkce_downgrade_by_leaving_the_challenge_out() {
    let server = TestServer::start();
    let mut victim = signed_in(&server);
    for client in ["app", "native", "web", "house"] {
        let none = [("code_challenge", ""), ("code_challenge_method", ""), ("scope", "notes:read")];
        assert_eq!(error_of(&ask(&mut victim, client, &none)), "invalid_request", "{client}");
        for method in ["plain", "", "s256", "S512"] {
            let weaker = [("code_challenge_method", method), ("scope", "notes:read")];
            assert_eq!(error_of(&ask(&mut victim, client, &weaker)), "invalid_request", "{client} {method}");
        }
        let method_alone = [("code_challenge", ""), ("scope", "notes:read")];
        assert_eq!(error_of(&ask(&mut victim, client, &method_alone)), "invalid_request", "{client}");
    }
}

/// RFC 9700 §4.8.2: the server has to "ensure that if there was no code_challenge in the authorization request, a request
/// to the token endpoint containing a code_verifier is rejected": the downgrade seen from the other end.
#[test]
fn pkce_downgrade_shows_at_the_token_endpoint() {
    let server = TestServer::start();
    let without = [("code_challenge", ""), ("code_challenge_method", ""), ("scope", "notes:read")];
    let downgraded = code(&server, "old-web", &without);
    let form = redemption(&downgraded);
    assert_eq!(server.token("old-web", &form).error(), "invalid_grant");
    assert_eq!(server.token("old-web", &changed(&form, "code_verifier", "")).status, 200);
}

/// RFC 9700 §4.9 and §4.10.2: a resource server that is in the attacker's hand presents a token elsewhere. Each token is
/// for one audience.
#[test]
fn an_access_token_is_for_one_resource_server() {
    let server = TestServer::start();
    let both = code(&server, "web", &[("scope", "notes:read mail:send")]);
    let form = redemption(&both);
    assert_eq!(server.token("web", &form).error(), "invalid_target");
    let mut narrowed = form.clone();
    narrowed.push(("resource", "https://mail.example/api"));
    let answer = server.token("web", &narrowed);
    assert_eq!(claims(&answer.text("access_token"))["aud"], "https://mail.example/api");
    assert_eq!(answer.text("scope"), "mail:send");
}

/// RFC 9700 §4.11.2: the server itself is made a redirector to wherever the attacker likes.
#[test]
fn the_server_is_no_open_redirector() {
    let server = TestServer::start();
    let evil = "https://evil.example/";
    let mut victim = signed_in(&server);
    for path in [
        format!("/authorize?{}", form(&[("client_id", "nobody"), ("redirect_uri", evil)])),
        format!("/authorize?{}", form(&[("client_id", "app"), ("redirect_uri", evil), ("prompt", "none")])),
        format!("/logout?{}", form(&[("post_logout_redirect_uri", evil)])),
        format!("/logout?{}", form(&[("client_id", "app"), ("post_logout_redirect_uri", evil)])),
        format!("/login?{}", form(&[("request", evil), ("return_to", evil), ("next", evil)])),
        format!("/consent?{}", form(&[("request", evil)])),
        "//evil.example/".to_owned(),
        "/%2F%2Fevil.example".to_owned(),
    ] {
        let answer = victim.get(&format!("{}{path}", server.base));
        assert_eq!(answer.header("location"), None, "{path}");
        assert!(answer.status >= 400, "{path}");
    }
}

/// RFC 9700 §4.12: after a 307 the browser posts the user's password on to the client.
#[test]
fn no_password_is_posted_on() {
    let server = TestServer::start();
    let mut browser = server.browser();
    let page = ask(&mut browser, "house", &[]);
    let (request, csrf) = (page.field("request"), page.field("csrf"));
    let form =
        [("request", request.as_str()), ("csrf", &csrf), ("username", "alice"), ("password", PASSWORD)];
    let answer = browser.post("/login", &form);
    assert_eq!(answer.status, 303);
    assert!(answer.location().starts_with(CALLBACK), "{}", answer.location());
}

/// RFC 9700 §4.14: a refresh token is stolen and used beside its owner. §4.14.2: rotation shows it, and the family ends.
#[test]
fn refresh_token_theft() {
    let server = TestServer::start();
    let stolen = tokens(&server).text("refresh_token");
    let refresh =
        |token: &str| server.token("web", &[("grant_type", "refresh_token"), ("refresh_token", token)]);
    let owners = refresh(&stolen).text("refresh_token");
    // Whoever comes at the same time may be the owner's second tab.
    server.advance(10);
    assert_eq!(refresh(&stolen).error(), "invalid_grant");
    assert_eq!(refresh(&owners).error(), "invalid_grant");
}

/// RFC 9700 §4.15: a client chooses a client_id that looks like a user's subject. A token says which of the two it is of.
#[test]
fn a_client_that_impersonates_a_user() {
    let server = TestServer::start();
    let own = server.token("service", &[("grant_type", "client_credentials")]).text("access_token");
    let own = claims(&own);
    assert_eq!((&own["sub"], &own["client_id"]), (&"service".into(), &"service".into()));
    let code = code(&server, "app", &[]);
    let users = claims(&server.public_token("app", &redemption(&code)).text("access_token"));
    assert!(users["sub"].as_str().unwrap().parse::<Id>().is_ok() && users["sub"] != users["client_id"]);
    assert!(users.contains_key("auth_time") && !own.contains_key("auth_time"));
}

/// RFC 9700 §4.16: the server's page lies, unseen, over the attacker's.
#[test]
fn clickjacking() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    for page in [
        ask(&mut browser, "web", &[]),
        ask(&mut browser, "app", &[("prompt", "login")]),
        browser.get("/logout"),
    ] {
        assert_eq!(page.status, 200);
        assert!(page.header("content-security-policy").unwrap().contains("frame-ancestors 'none'"));
        assert_eq!(page.header("x-frame-options"), Some("DENY"));
    }
}

/// RFC 9700 §4.17: a window that the client opened answers by postMessage, to whoever listens. Here the one origin of the
/// redirect URI is told, and no page but the one that tells it has a script.
#[test]
fn in_browser_communication() {
    let server = TestServer::start();
    let mut browser = server.browser();
    let page = ask(&mut browser, "app", &[]);
    assert!(!page.body.contains("<script"));
    assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none';"));
    let page = ask(&mut browser, "app", &[("response_mode", "web_message"), ("prompt", "none")]);
    assert!(page.body.contains("data-origin=\"https://app.example\""), "{}", page.body);
    assert!(page.body.contains("postMessage(JSON.parse(message), origin)") && !page.body.contains("'*'"));
    // Another origin is told nothing, by no parameter of the draft (web_message_uri) and not by Origin.
    browser.headers.push(("origin".to_owned(), "https://evil.example".to_owned()));
    let more = [("response_mode", "web_message"), ("web_message_uri", "https://evil.example")];
    let page = ask(&mut browser, "app", &[more[0], more[1], ("prompt", "none")]);
    assert!(!page.body.contains("evil"), "{}", page.body);
}

/// RFC 9700 §2.4: "The resource owner password credentials grant [RFC6749] MUST NOT be used." Off, unless a client is marked.
#[test]
fn resource_owner_credentials_are_off_by_default() {
    let server = TestServer::start();
    let form = [("grant_type", "password"), ("username", "alice"), ("password", PASSWORD)];
    for client in ["web", "service", "old-web"] {
        assert_eq!(server.token(client, &form).error(), "unauthorized_client", "{client}");
    }
    assert_eq!(server.public_token("app", &form).error(), "unauthorized_client");
}

/// RFC 9700 §2.6: "CORS MUST NOT be supported at the authorization endpoint": a page would read the code of whoever visits
/// it.
#[test]
fn no_page_reads_the_authorization_endpoint() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    browser.headers.push(("origin".to_owned(), "https://app.example".to_owned()));
    let answer = browser.get(&authorize_path("app", &[]));
    assert!(answer.sent("code").is_some());
    for name in ["access-control-allow-origin", "access-control-allow-credentials"] {
        assert_eq!(answer.header(name), None);
        assert_eq!(browser.get(paths::LOGIN).header(name), None);
    }
    let headers = [("origin", "https://app.example"), ("access-control-request-method", "GET")];
    assert_eq!(server.client().send("OPTIONS", paths::AUTHORIZE, &headers, "").status, 405);
}

/// A link to a half-finished login, sent to a victim: whoever finishes it would sign the attacker's client in.
#[test]
fn a_stolen_or_planted_login_link_is_worth_nothing() {
    let server = TestServer::start();
    let mut attacker = server.browser();
    let page = ask(&mut attacker, "app", &[]);
    let link = format!("/login?request={}", page.field("request"));
    let mut victim = signed_in(&server);
    assert_refused(&victim.get(&link), 400, "This page belongs to another browser");
    assert!(is_login(&attacker.get(&link)));
}

/// What leaks by a database's backup is worth nothing: codes and refresh tokens are stored as hashes only.
#[test]
fn a_hash_is_not_taken_for_what_it_is_the_hash_of() {
    let server = TestServer::start();
    let code = code(&server, "app", &[]);
    let hash = HashedToken::of(&code).as_str().to_owned();
    assert_eq!(server.public_token("app", &redemption(&hash)).error(), "invalid_grant");
    assert_eq!(server.public_token("app", &redemption(&code)).status, 200);
}
