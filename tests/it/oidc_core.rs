//! OpenID Connect Core 1.0 §3.1.2: what an authentication request may ask of the login.

use countersign::base::encoding::{base64url, from_base64url};

use super::support::TestServer;
use super::support::flow::{authorize, authorize_path, claims, code, part, redemption};
use super::support::http::{Answer, Browser};
use super::support::pages::{ask, choose, error_of, is_consent, is_login, signed_in};
use super::support::server::{PASSWORD, Setup};

fn now(server: &TestServer) -> i64 {
    server.app.now().0
}

fn id_token(server: &TestServer, client: &str, answer: &Answer) -> String {
    let code = answer.sent("code").unwrap_or_else(|| panic!("no code: {}", answer.location()));
    let form = redemption(&code);
    let answer =
        if client == "app" { server.public_token(client, &form) } else { server.token(client, &form) };
    answer.text("id_token")
}

/// §3.1.2.1 nonce: "The value is passed through unmodified from the Authentication Request to the ID Token."
#[test]
fn the_nonce_comes_back_in_the_id_token() {
    let server = TestServer::start();
    for nonce in ["n-0S6_WzA2Mj", "ü →\"\\<>", &"n".repeat(512)] {
        let answer = authorize(&mut server.browser(), "app", &[("nonce", nonce)]);
        assert_eq!(claims(&id_token(&server, "app", &answer))["nonce"], nonce);
    }
    let without = authorize(&mut server.browser(), "app", &[]);
    assert!(!claims(&id_token(&server, "app", &without)).contains_key("nonce"));
}

/// §3.1.2.1 prompt=none: "The Authorization Server MUST NOT display any authentication or consent user interface pages. An
/// error is returned if an End-User is not already authenticated or the Client does not have pre-configured consent".
#[test]
fn prompt_none_gives_a_code_or_an_error_and_never_a_page() {
    let server = TestServer::start();
    let none = [("prompt", "none")];
    assert_eq!(error_of(&ask(&mut server.browser(), "app", &none)), "login_required");
    let mut browser = signed_in(&server);
    assert!(ask(&mut browser, "app", &none).sent("code").is_some());
    assert_eq!(error_of(&ask(&mut browser, "web", &none)), "consent_required");
    server.advance(8 * 3600);
    assert_eq!(error_of(&ask(&mut browser, "app", &none)), "login_required");
}

/// A page renews silently in a frame: the answer must not forbid to be framed, and the cookie decides, nothing else.
#[test]
fn the_silent_answer_may_be_read_in_a_frame() {
    let server = TestServer::start();
    let answer = ask(&mut signed_in(&server), "app", &[("prompt", "none")]);
    assert!(answer.sent("code").is_some());
    assert_eq!(answer.header("x-frame-options"), None);
    assert_eq!(answer.header("content-security-policy"), None);
}

/// §3.1.2.1: "If this parameter contains none with any other value, an error is returned."
#[test]
fn prompt_none_stands_alone() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    for prompt in ["none login", "consent none", "none select_account"] {
        assert_eq!(error_of(&ask(&mut browser, "app", &[("prompt", prompt)])), "invalid_request", "{prompt}");
    }
}

/// §3.1.2.1 prompt=login: "SHOULD prompt the End-User for reauthentication"; §3.1.2.3: it "MUST attempt to authenticate".
#[test]
fn prompt_login_asks_for_the_password_again_and_auth_time_follows() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    server.advance(100);
    let page = ask(&mut browser, "app", &[("prompt", "login"), ("max_age", "900")]);
    assert!(is_login(&page));
    assert!(page.body.contains("wants to be sure that it is you"), "{}", page.body);
    let answer = browser.log_in(&page, "alice", PASSWORD);
    assert_eq!(claims(&id_token(&server, "app", &answer))["auth_time"], now(&server));
    // The next one without it goes through.
    assert!(ask(&mut browser, "app", &[]).sent("code").is_some());
}

/// §3.1.2.1 prompt=consent: "SHOULD prompt the End-User for consent before returning information to the Client."
#[test]
fn prompt_consent_asks_again_even_for_the_houses_own_client() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    for client in ["app", "house"] {
        assert!(ask(&mut browser, client, &[]).sent("code").is_some(), "{client}");
        let page = ask(&mut browser, client, &[("prompt", "consent")]);
        assert!(is_consent(&page), "{client}");
        assert!(browser.decide(&page, "allow").sent("code").is_some(), "{client}");
    }
}

#[test]
fn prompt_login_and_consent_ask_for_both() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let page = ask(&mut browser, "app", &[("prompt", "login consent")]);
    assert!(is_login(&page));
    let page = browser.log_in(&page, "alice", PASSWORD);
    assert!(is_consent(&page));
    assert!(browser.decide(&page, "allow").sent("code").is_some());
}

/// §3.1.2.1 prompt=select_account: another account may be one that is not signed in yet.
#[test]
fn prompt_select_account_lets_another_user_sign_in() {
    let server = TestServer::start();
    let bob = server.add_user("bob");
    let mut browser = signed_in(&server);
    let page = ask(&mut browser, "app", &[("prompt", "select_account")]);
    let page = choose(&mut browser, &page, "other");
    assert!(is_login(&page));
    let page = browser.log_in(&page, "bob", PASSWORD);
    let answer = browser.decide(&page, "allow");
    assert_eq!(claims(&id_token(&server, "app", &answer))["sub"], bob.to_string());
}

/// §3.1.2.1 max_age: "If the elapsed time is greater than this value, the OP MUST attempt to actively re-authenticate the
/// End-User." and "When max_age is used, the ID Token returned MUST include an auth_time Claim Value."
#[test]
fn max_age_asks_again_when_the_login_is_older() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let signed_in_at = now(&server);
    server.advance(60);
    let fresh = ask(&mut browser, "app", &[("max_age", "60")]);
    assert_eq!(claims(&id_token(&server, "app", &fresh))["auth_time"], signed_in_at);
    server.advance(1);
    let old = [("max_age", "60"), ("prompt", "none")];
    assert_eq!(error_of(&ask(&mut browser, "app", &old)), "login_required");
    let page = ask(&mut browser, "app", &old[..1]);
    assert!(is_login(&page));
    let answer = browser.log_in(&page, "alice", PASSWORD);
    assert_eq!(claims(&id_token(&server, "app", &answer))["auth_time"], now(&server));
    assert!(is_login(&ask(&mut browser, "app", &[("max_age", "0")])));
}

fn hint_of(server: &TestServer, browser: &mut Browser, client: &str) -> String {
    let answer = authorize(browser, client, &[]);
    id_token(server, client, &answer)
}

/// §3.1.2.1 id_token_hint: "If the End-User identified by the ID Token is already logged in or is logged in as a result of
/// the request […], then the Authorization Server returns a positive response; otherwise, it MUST return an error, such as
/// login_required." The hint may have expired.
#[test]
fn an_id_token_hint_of_the_user_who_is_there_counts_even_when_expired() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let hint = hint_of(&server, &mut browser, "app");
    server.advance(3000);
    assert!(claims(&hint)["exp"].as_i64().unwrap() < now(&server));
    let answer = ask(&mut browser, "app", &[("id_token_hint", &hint), ("prompt", "none")]);
    assert!(answer.sent("code").is_some(), "{}", answer.location());
}

#[test]
fn an_id_token_hint_of_another_user_is_login_required_or_one_login() {
    let server = TestServer::start();
    server.add_user("bob");
    let hint = hint_of(&server, &mut server.browser(), "app");
    let mut browser = server.browser();
    let page = ask(&mut browser, "app", &[]);
    let page = browser.log_in(&page, "bob", PASSWORD);
    browser.decide(&page, "allow");
    let with = [("id_token_hint", hint.as_str()), ("prompt", "none")];
    assert_eq!(error_of(&ask(&mut browser, "app", &with)), "login_required");
    let page = ask(&mut browser, "app", &with[..1]);
    assert!(is_login(&page));
    // A wrong password is no login: the page stays.
    let page = browser.log_in(&page, "bob", "wrong");
    assert!(is_login(&page), "{}", page.status);
    // §3.1.2.1: "otherwise, it MUST return an error, such as login_required".
    let answer = browser.log_in(&page, "bob", PASSWORD);
    assert_eq!(error_of(&answer), "login_required");
    assert!(answer.sent("error_description").unwrap().contains("another user"), "{}", answer.location());
    assert_eq!(answer.sent("state").as_deref(), Some("a state"));
    // Bob is signed in all the same, and whoever is meant gets in.
    assert!(ask(&mut browser, "app", &[]).sent("code").is_some());
    let page = ask(&mut browser, "app", &with[..1]);
    let answer = browser.log_in(&page, "alice", PASSWORD);
    assert_eq!(claims(&id_token(&server, "app", &answer))["sub"], claims(&hint)["sub"]);
}

/// §5.5: the same where `claims` names the user; and the chooser is no login, so that another account chosen there leads to
/// the page.
#[test]
fn whoever_signs_in_as_another_than_claims_names_goes_back_to_the_client() {
    let server = TestServer::start();
    server.add_user("bob");
    let alice = claims(&hint_of(&server, &mut server.browser(), "app"))["sub"].clone();
    let wanted = serde_json::json!({ "id_token": { "sub": { "value": alice } } }).to_string();
    let with = [("claims", wanted.as_str())];
    let mut browser = server.browser();
    let page = ask(&mut browser, "app", &with);
    assert_eq!(error_of(&browser.log_in(&page, "bob", PASSWORD)), "login_required");

    let page = ask(&mut browser, "app", &[with[0], ("prompt", "select_account")]);
    let page = choose(&mut browser, &page, "bob");
    assert!(is_login(&page), "{} {:?}", page.status, page.header("location"));
    let answer = browser.log_in(&page, "alice", PASSWORD);
    assert_eq!(claims(&id_token(&server, "app", &answer))["sub"], alice);
}

#[test]
fn an_id_token_hint_that_this_server_did_not_give_this_client_is_refused() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let of_web = hint_of(&server, &mut browser, "web");
    let code = ask(&mut browser, "app", &[]).sent("code").unwrap();
    let answer = server.public_token("app", &redemption(&code));
    let (mine, access) = (answer.text("id_token"), answer.text("access_token"));
    // The same keys under another issuer's name.
    let other = TestServer::with(Setup { path: "/other".to_owned(), ..Setup::default() });
    let foreign = hint_of(&other, &mut other.browser(), "app");
    let (head, signature) = (mine.rsplit_once('.').unwrap().0, foreign.rsplit_once('.').unwrap().1);
    let forged = format!("{head}.{signature}");
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", mine.split('.').nth(1).unwrap());
    for (what, hint) in [
        ("of another client", of_web.as_str()),
        ("an access token", &access),
        ("of another issuer", &foreign),
        ("another token's signature", &forged),
        ("unsigned", &unsigned),
        ("no token", "hint"),
    ] {
        let answer = ask(&mut browser, "app", &[("id_token_hint", hint)]);
        assert_eq!(error_of(&answer), "invalid_request", "{what}");
    }
}

/// RFC 8725 §3.1, the oldest attack on JWTs: the public key, which everybody has, taken for the key of an HMAC. "Each key
/// MUST be used with exactly one algorithm, and this MUST be checked".
#[test]
fn an_id_token_hint_signed_with_the_public_key_as_a_secret_is_refused() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let real = hint_of(&server, &mut browser, "app");
    let kid = part(&real, 0)["kid"].clone();
    let jwks = server.client().get(countersign::http::paths::JWKS).json();
    let key = jwks["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid).unwrap().clone();
    let number = |name: &str| {
        let octets = from_base64url(key[name].as_str().unwrap()).unwrap();
        openssl::bn::BigNum::from_slice(&octets).unwrap()
    };
    let public = openssl::rsa::Rsa::from_public_components(number("n"), number("e")).unwrap();
    let header = serde_json::json!({ "alg": "HS256", "typ": "JWT", "kid": kid }).to_string();
    let message = format!("{}.{}", base64url(header.as_bytes()), real.split('.').nth(1).unwrap());
    for secret in
        [public.public_key_to_pem().unwrap(), public.public_key_to_der().unwrap(), key.to_string().into()]
    {
        let secret = openssl::pkey::PKey::hmac(&secret).unwrap();
        let mut signer = openssl::sign::Signer::new(openssl::hash::MessageDigest::sha256(), &secret).unwrap();
        let mac = signer.sign_oneshot_to_vec(message.as_bytes()).unwrap();
        let forged = format!("{message}.{}", base64url(&mac));
        let answer = ask(&mut browser, "app", &[("id_token_hint", &forged), ("prompt", "none")]);
        assert_eq!(error_of(&answer), "invalid_request");
    }
    let answer = ask(&mut browser, "app", &[("id_token_hint", &real), ("prompt", "none")]);
    assert!(answer.sent("code").is_some(), "{}", answer.location());
}

/// §3.1.2.1 login_hint: "Hint to the Authorization Server about the login identifier the End-User might use to log in".
#[test]
fn the_login_hint_stands_in_the_form_and_is_no_markup() {
    let server = TestServer::start();
    let page = ask(&mut server.browser(), "app", &[("login_hint", "alice")]);
    assert!(page.body.contains("name=\"username\" type=\"text\" value=\"alice\""), "{}", page.body);
    let evil = "\"><script>alert(1)</script>";
    let page = ask(&mut server.browser(), "app", &[("login_hint", evil)]);
    assert!(is_login(&page) && !page.body.contains("<script>"), "{}", page.body);
}

/// §3.1.2.1 ui_locales: "An error SHOULD NOT result if some or all of the requested locales are not supported".
#[test]
fn ui_locales_chooses_the_language_before_the_browser_does() {
    let server = TestServer::start();
    let mut browser = server.browser();
    browser.headers.push(("accept-language".to_owned(), "de".to_owned()));
    for (locales, lang) in [("", "de"), ("en", "en"), ("fr-CA en de", "en"), ("xx", "de"), ("-- ü", "de")] {
        let page = ask(&mut browser, "app", &[("ui_locales", locales)]);
        assert!(page.body.contains(&format!("<html lang=\"{lang}\">")), "{locales}: {}", page.body);
    }
}

/// A list may be longer than anybody reads: the first count.
#[test]
fn many_ui_locales_are_no_error() {
    let server = TestServer::start();
    for locales in [format!("de{}", " fr-CA".repeat(600)), "fr ".repeat(20) + "de " + &"x".repeat(2000)] {
        let page = ask(&mut server.browser(), "app", &[("ui_locales", &locales)]);
        assert!(is_login(&page) && page.body.contains("<html lang=\"de\">"), "{}", page.body);
        let page = server.browser().get(&format!("/logout?ui_locales={}", locales.replace(' ', "+")));
        assert!(page.status == 200 && page.body.contains("<html lang=\"de\">"), "{}", page.body);
    }
    let page = ask(&mut server.browser(), "app", &[("ui_locales", &"x".repeat(4096))]);
    assert!(is_login(&page) && page.body.contains("<html lang=\"en\">"), "{}", page.body);
}

/// §6.1: "Should an OP not support this parameter and an RP uses it, the OP MUST return the request_not_supported error", of
/// whatever length it is. A POST is told at once, without the long address.
#[test]
fn a_long_request_object_is_not_supported_rather_than_too_long() {
    let server = TestServer::start();
    for (name, error) in [("request", "request_not_supported"), ("request_uri", "request_uri_not_supported")]
    {
        for length in [1, 4_097, 16_385, 40_000] {
            let value = "a".repeat(length);
            let with = [(name, value.as_str())];
            assert_eq!(error_of(&ask(&mut server.browser(), "app", &with)), error, "{name} of {length}");
            let path = authorize_path("app", &with);
            let (_, body) = path.split_once('?').unwrap();
            let form = [("content-type", "application/x-www-form-urlencoded")];
            let posted = server.client().send("POST", "/authorize", &form, body);
            assert_eq!(error_of(&posted), error, "{name} of {length}, by POST");
        }
    }
}

/// §3.1.2.1 scope: "Scope values used that are not understood by an implementation SHOULD be ignored."
#[test]
fn a_scope_that_nobody_knows_is_ignored_and_one_that_is_known_and_not_allowed_is_refused() {
    let server = TestServer::start();
    let answer = authorize(&mut server.browser(), "app", &[("scope", "openid unheard:of notes:read")]);
    let code = answer.sent("code").unwrap();
    assert_eq!(server.public_token("app", &redemption(&code)).text("scope"), "openid notes:read");
    let answer = ask(&mut server.browser(), "app", &[("scope", "openid mail:send")]);
    assert_eq!(error_of(&answer), "invalid_scope");
}

/// §3.1.2.1: display, acr_values and claims_locales may be asked for and change no page here; nor do words that nobody knows.
#[test]
fn what_is_optional_and_not_done_is_ignored() {
    let server = TestServer::start();
    for (name, value) in [
        ("display", "popup"),
        ("display", "x"),
        ("acr_values", "urn:x"),
        ("claims_locales", "de"),
        ("claims", "{}"),
    ] {
        assert!(is_login(&ask(&mut server.browser(), "app", &[(name, value)])), "{name}");
    }
}

/// OpenID Connect Core §11: the server "MUST ignore the offline_access request" where it leads to nothing. Many libraries of
/// single-page apps ask for it out of habit.
#[test]
fn offline_access_is_ignored_for_a_client_that_gets_no_refresh_tokens() {
    let server = TestServer::start();
    let code = code(&server, "app", &[("scope", "openid notes:read offline_access")]);
    let answer = server.public_token("app", &redemption(&code));
    assert_eq!((answer.status, answer.text("scope").as_str()), (200, "openid notes:read"), "{}", answer.body);
    assert_eq!(answer.json().get("refresh_token"), None);
}
