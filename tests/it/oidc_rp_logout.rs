//! OpenID Connect RP-Initiated Logout 1.0 §2 and §3: leaving, and going back to the client, but never anywhere else.

use super::support::TestServer;
use super::support::flow::redemption;
use super::support::http::{Answer, Browser, form};
use super::support::pages::{ask, assert_refused, assert_safe, is_login, signed_in};
use super::support::server::{PASSWORD, Setup};

const BYE: &str = "https://app.example/bye";

fn logout(browser: &mut Browser, params: &[(&str, &str)]) -> Answer {
    browser.get(&format!("/logout?{}", form(params)))
}

fn id_token(server: &TestServer, browser: &mut Browser) -> String {
    let code = ask(browser, "app", &[]).sent("code").unwrap();
    server.public_token("app", &redemption(&code)).text("id_token")
}

/// One that the client was given in another session of the same user: it says who asks, and proves no wish.
fn earlier_id_token(server: &TestServer) -> String {
    id_token(server, &mut signed_in(server))
}

fn is_question(answer: &Answer) -> bool {
    answer.status == 200 && answer.body.contains("name=\"decision\" value=\"logout\"")
}

fn is_signed_in(browser: &mut Browser) -> bool {
    ask(browser, "app", &[]).header("location").is_some()
}

/// A browser sends no cookie of ours with a POST from another site, and sends it with the GET that it is led to.
fn posted(browser: &mut Browser, params: &[(&str, &str)]) -> Answer {
    let answer = Browser::new(&browser.client.base()).post("/logout", params);
    assert_eq!((answer.status, answer.headers_of("set-cookie")), (303, Vec::<&str>::new()));
    let to = answer.location().to_owned();
    browser.get(&to)
}

/// §2: "OpenID Providers MUST support the use of the HTTP GET and POST methods".
#[test]
fn the_user_is_asked_and_then_goes_back_to_the_client_with_its_state() {
    let server = TestServer::start();
    let state = "a b&c=d#é+";
    for post in [false, true] {
        let mut browser = signed_in(&server);
        let hint = earlier_id_token(&server);
        let params = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BYE), ("state", state)];
        let page = if post { posted(&mut browser, &params) } else { logout(&mut browser, &params) };
        assert!(is_question(&page), "{}", page.body);
        assert!(page.body.contains("Notes App") && page.body.contains("<bdi>alice</bdi>"), "{}", page.body);
        assert_safe(&page);
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("form-action 'self' https:;"), "{policy}");
        assert!(is_signed_in(&mut browser));
        let answer = browser.decide(&page, "logout");
        assert_eq!(answer.status, 303);
        assert!(answer.location().starts_with("https://app.example/bye?state="), "{}", answer.location());
        assert_eq!(answer.sent("state").as_deref(), Some(state));
        assert!(!is_signed_in(&mut browser));
    }
}

#[test]
fn the_session_cookie_is_taken_back() {
    let server = TestServer::with(Setup { https: true, ..Setup::default() });
    let mut browser = signed_in(&server);
    let page = logout(&mut browser, &[]);
    let answer = browser.decide(&page, "logout");
    assert!(answer.body.contains("You are signed out"), "{}", answer.body);
    let cookie = answer.header("set-cookie").unwrap();
    for part in ["__Host-csgn_session=;", "Max-Age=0", "Path=/", "Secure", "HttpOnly"] {
        assert!(cookie.contains(part), "{cookie}");
    }
}

/// §2: the OP "MUST ask the End-User this question if an id_token_hint was not provided": a link must sign nobody out.
#[test]
fn a_link_alone_signs_nobody_out() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let hint = earlier_id_token(&server);
    for params in [vec![], vec![("client_id", "app")], vec![("id_token_hint", hint.as_str())]] {
        assert!(is_question(&logout(&mut browser, &params)));
        assert!(is_signed_in(&mut browser));
    }
}

#[test]
fn whoever_wants_to_stay_stays() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let page = logout(&mut browser, &[("client_id", "app"), ("post_logout_redirect_uri", BYE)]);
    let answer = browser.decide(&page, "stay");
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("Sign-in server"), "{}", answer.body);
    assert!(is_signed_in(&mut browser));
}

/// §3: the redirect happens "only […] after a logout", to a URI that was registered; here nobody is signed in any more.
#[test]
fn whoever_is_signed_out_already_goes_straight_back() {
    let server = TestServer::start();
    let params = [("client_id", "app"), ("post_logout_redirect_uri", BYE), ("state", "s")];
    assert_eq!(logout(&mut server.browser(), &params).location(), "https://app.example/bye?state=s");
    let page = logout(&mut server.browser(), &[("client_id", "app")]);
    assert!(page.body.contains("You are signed out"), "{}", page.body);
    assert_safe(&page);
}

/// §3: the value "MUST have been previously registered with the OP"; an open redirector otherwise.
#[test]
fn nobody_is_sent_to_an_address_that_is_not_registered_for_logout() {
    let server = TestServer::start();
    for uri in [
        "https://evil.example/",
        "https://app.example/cb",
        "https://app.example/bye/",
        "https://app.example/bye?x=1",
        "https://app.example/BYE",
        "https://app.example/bye#x",
        "http://app.example/bye",
        "//evil.example",
        "javascript:alert(1)",
    ] {
        for mut browser in [server.browser(), signed_in(&server)] {
            let answer = logout(&mut browser, &[("client_id", "app"), ("post_logout_redirect_uri", uri)]);
            assert_refused(&answer, 400, "This request cannot be answered");
            assert!(!answer.body.contains("evil"), "{}", answer.body);
        }
    }
    // Registered, but for another client, or for nobody that the request names.
    for params in
        [&[("client_id", "web"), ("post_logout_redirect_uri", BYE)][..], &[("post_logout_redirect_uri", BYE)]]
    {
        assert_refused(&logout(&mut server.browser(), params), 400, "This request cannot be answered");
    }
}

/// §2: "the OP SHOULD accept ID Tokens when the RP identified by the ID Token's aud claim […] has a current session […],
/// even when the exp time has passed."
#[test]
fn an_expired_hint_still_says_who_asks() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let hint = id_token(&server, &mut browser);
    server.advance(3000);
    let answer = logout(&mut browser, &[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)]);
    assert_eq!(answer.location(), BYE);
}

/// §2: "When both client_id and id_token_hint are present, the OP MUST verify that the Client Identifier matches the one
/// used when issuing the ID Token."
#[test]
fn a_hint_of_another_client_or_server_is_refused() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let hint = earlier_id_token(&server);
    let code = ask(&mut browser, "app", &[]).sent("code").unwrap();
    let access = server.public_token("app", &redemption(&code)).text("access_token");
    let other = TestServer::with(Setup { path: "/other".to_owned(), ..Setup::default() });
    let foreign = id_token(&other, &mut signed_in(&other));
    for params in [
        vec![("id_token_hint", hint.as_str()), ("client_id", "web")],
        vec![("id_token_hint", &access), ("client_id", "app")],
        vec![("id_token_hint", &foreign)],
        vec![("id_token_hint", "x.y.z")],
        vec![("client_id", "nobody")],
        vec![("client_id", "app"), ("client_id", "app")],
    ] {
        assert_refused(&logout(&mut browser, &params), 400, "This request cannot be answered");
    }
    assert!(is_question(&logout(&mut browser, &[("id_token_hint", &hint), ("client_id", "app")])));
    assert!(is_signed_in(&mut browser));
}

#[test]
fn a_logout_form_needs_its_token_and_its_browser() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let page = logout(&mut browser, &[]);
    let request = page.field("request");
    let form = [("request", request.as_str()), ("decision", "logout")];
    assert_refused(&browser.post("/logout", &form), 403, "This was not sent from our own page");
    let mut victim = signed_in(&server);
    let csrf = logout(&mut victim, &[]).field("csrf");
    let form = [("request", request.as_str()), ("decision", "logout"), ("csrf", &csrf)];
    assert_refused(&victim.post("/logout", &form), 400, "This page belongs to another browser");
    assert!(is_signed_in(&mut browser) && is_signed_in(&mut victim));
}

/// Whoever comes back to the page after an hour wants to leave, and is asked once more.
#[test]
fn a_logout_page_that_is_too_old_leads_to_a_new_one() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let page = logout(&mut browser, &[]);
    server.advance(1801);
    let page = browser.decide(&page, "logout");
    assert!(page.status == 200 && page.body.contains("Sign out?"), "{}", page.body);
    assert!(is_signed_in(&mut browser));
    browser.decide(&page, "logout");
    assert!(!is_signed_in(&mut browser));
}

/// A logout page that lies open does not end the session of whoever signed in since.
#[test]
fn the_page_ends_the_session_that_it_named_and_no_other() {
    let server = TestServer::start();
    server.add_user("bob");
    let mut browser = signed_in(&server);
    let page = logout(&mut browser, &[]);
    let login = ask(&mut browser, "house", &[("prompt", "login")]);
    assert!(browser.log_in(&login, "bob", PASSWORD).sent("code").is_some());
    for decision in ["all", "logout"] {
        let page = browser.clone().decide(&page, decision);
        let shown = page.body.split_once("Signed out</span>").unwrap().1;
        let (ended, remaining) = shown.split_once("Still signed in here</span>").unwrap();
        assert!(ended.contains("<bdi>alice</bdi>") && !ended.contains("bob"), "{decision}: {}", page.body);
        assert!(remaining.contains("<bdi>bob</bdi>"), "{decision}: {}", page.body);
    }
    browser.decide(&page, "all");
    assert!(ask(&mut browser, "house", &[]).sent("code").is_some());
}

#[test]
fn the_question_speaks_the_language_of_the_request() {
    let server = TestServer::start();
    let page = logout(&mut signed_in(&server), &[("ui_locales", "de")]);
    assert!(page.body.contains("<html lang=\"de\">"), "{}", page.body);
    assert!(!is_login(&page));
}
