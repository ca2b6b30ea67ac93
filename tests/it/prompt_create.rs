//! Initiating User Registration via OpenID Connect 1.0: users who make accounts for themselves, where the operator lets them.

use countersign::http::paths::{ACCOUNT_SESSIONS, OPENID_CONFIGURATION, SIGN_UP};
use serde_json::{Value, json};

use super::support::flow::{authorize_path, claims, redemption};
use super::support::http::Answer;
use super::support::pages::{
    accounts_on, ask, assert_refused, assert_safe, error_of, is_consent, is_login, signed_in,
};
use super::support::security_log::SecurityLog;
use super::support::server::{NOTES, PASSWORD, Setup};
use super::support::sign_up::{CREATE, NEW, at_sign_up, is_sign_up, on, send, sign_up, users, with};
use super::support::{TestServer, on_each_database};

fn id_token(server: &TestServer, client: &str, answer: &Answer) -> Value {
    let code = answer.sent("code").unwrap_or_else(|| panic!("no code: {}", answer.location()));
    Value::Object(claims(&server.token(client, &redemption(&code)).text("id_token")))
}

/// §4.1: a prompt that the server does not support is `invalid_request`, and the description names it.
#[test]
fn by_default_nobody_makes_an_account() {
    let server = TestServer::start();
    for prompt in ["create", "create login"] {
        let answer = ask(&mut server.browser(), "app", &[("prompt", prompt)]);
        assert_eq!(error_of(&answer), "invalid_request");
        assert!(answer.sent("error_description").unwrap().contains("prompt create is not supported"));
    }
    let discovery = server.client().get(OPENID_CONFIGURATION).json();
    let promised = json!(["none", "login", "consent", "select_account"]);
    assert_eq!(discovery["prompt_values_supported"], promised);
    let mut browser = server.browser();
    let login = ask(&mut browser, "app", &[]);
    assert!(is_login(&login) && !login.body.contains(SIGN_UP), "{}", login.body);
    let there = format!("{SIGN_UP}?request={}", login.field("request"));
    assert_refused(&browser.get(&there), 404, "There is no page here");
    assert_refused(&send(&mut browser, &login, "carol", &[]), 404, "There is no page here");
    assert_eq!(users(&server), 1);
}

/// §4.2: "If an OpenID Provider supports this specification it MUST define this metadata element in the openid-configuration
/// file. Additionally, if this metadata element is defined by the OpenID Provider, the OP must also specify all other prompt
/// values which it supports."
#[test]
fn where_users_may_it_is_advertised_and_the_login_page_leads_there_and_back() {
    let server = with("");
    let discovery = server.client().get(OPENID_CONFIGURATION).json();
    let promised = json!(["none", "login", "consent", "select_account", "create"]);
    assert_eq!(discovery["prompt_values_supported"], promised);
    let mut browser = server.browser();
    let login = ask(&mut browser, "house", &[("login_hint", "carol")]);
    let there = format!("{SIGN_UP}?request={}", login.field("request"));
    assert!(login.body.contains(&format!("<a href=\"{there}\">Create an account</a>")), "{}", login.body);
    let page = browser.get(&there);
    assert_safe(&page);
    assert!(page.body.contains("House App") && page.body.contains("value=\"carol\""), "{}", page.body);
    let back = format!("/login?request={}", page.field("request"));
    assert!(page.body.contains(&format!("<a href=\"{back}\">Sign in</a>")), "{}", page.body);
    assert!(is_login(&browser.get(&back)));
    assert!(sign_up(&mut browser, &page, "carol").sent("code").is_some());
}

#[test]
fn a_new_user_is_signed_in_and_the_request_goes_on() {
    on_each_database(|database| {
        let log = SecurityLog::listen();
        let server = on(&database);
        server.advance(100);
        let wanted = json!({ "id_token": { "auth_time": null, "amr": null, "name": null, "email": null,
            "email_verified": null, "preferred_username": null } });
        let mut browser = server.browser();
        let asked = [CREATE, ("claims", &wanted.to_string()), ("scope", "openid profile email notes:read")];
        let page = ask(&mut browser, "web", &asked);
        let typed = [("display_name", " Carol Example "), ("email", "carol@example.org")];
        let answer = send(&mut browser, &page, " Carol ", &typed);
        let consent = browser.follow(answer);
        assert!(is_consent(&consent) && consent.body.contains("<bdi>carol</bdi>"), "{}", consent.body);
        let code = browser.decide(&consent, "allow").sent("code").unwrap();
        let tokens = server.token("web", &redemption(&code));
        let told = claims(&tokens.text("id_token"));
        let user = server.user("carol");
        for (claim, value) in [
            ("sub", json!(user.id)),
            ("auth_time", json!(server.app.now().0)),
            ("amr", json!(["pwd"])),
            ("name", json!("Carol Example")),
            ("email", json!("carol@example.org")),
            ("email_verified", json!(false)),
            ("preferred_username", json!("carol")),
        ] {
            assert_eq!(told[claim], value, "{claim} on {}", database.kind);
        }
        // An ordinary user: no roles, and a password that counts.
        let access = claims(&tokens.text("access_token"));
        assert_eq!(
            (&access["aud"], access.get("roles").cloned().unwrap_or(json!([]))),
            (&json!(NOTES), json!([]))
        );
        let mut other = server.browser();
        let login = ask(&mut other, "house", &[]);
        assert!(other.log_in(&login, "carol", NEW).sent("code").is_some());
        let event = &log.of(&user.id.to_string())[0];
        assert_eq!((&event["event"], &event["peer"]), (&json!("user_signed_up"), &json!("127.0.0.1")));
    });
}

/// §4.1: "the client desires that the user be shown the account creation UX", whoever is there already. The new account joins
/// the others of the browser.
#[test]
fn whoever_is_signed_in_stays_so_beside_the_new_account() {
    let server = with("");
    let mut browser = signed_in(&server);
    let before = browser.cookies["csgn_session"].clone();
    let page = ask(&mut browser, "house", &[CREATE]);
    assert!(is_sign_up(&page), "{}", page.body);
    let answer = sign_up(&mut browser, &page, "carol");
    assert_eq!(id_token(&server, "house", &answer)["sub"], json!(server.user("carol").id));
    let (new, old) = browser.cookies["csgn_session"].split_once('.').unwrap();
    assert!(new != before && old == before, "a secret of its own");
    let chooser = ask(&mut browser, "house", &[("prompt", "select_account")]);
    let names: Vec<String> = accounts_on(&chooser).into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["carol", "alice"]);
}

/// Session fixation: a cookie that was planted before is worth nothing after.
#[test]
fn a_session_cookie_that_was_there_before_is_not_the_new_users() {
    let server = with("");
    let (mut browser, page) = at_sign_up(&server, "house");
    let planted = format!("csgn_se_{}", "A".repeat(60));
    browser.cookies.insert("csgn_session".to_owned(), planted.clone());
    sign_up(&mut browser, &page, "carol");
    assert!(!browser.cookies["csgn_session"].contains(&planted));
    assert!(ask(&mut browser, "house", &[("prompt", "none")]).sent("code").is_some());
}

#[test]
fn whoever_wants_to_stay_signed_in_says_so_here_too() {
    let server = with("");
    let (mut browser, page) = at_sign_up(&server, "house");
    let again = send(&mut browser, &page, "carol", &[("remember", "on"), ("new_password", "short")]);
    assert!(again.body.contains("name=\"remember\" value=\"on\" checked"), "{}", again.body);
    send(&mut browser, &page, "carol", &[("remember", "on")]);
    assert!(browser.cookies.contains_key("csgn_kept"));
}

/// OpenID Connect Core §3.1.2.1: "If this parameter contains none with any other value, an error is returned." §4.1 of this spec:
/// "Mutually exclusive conditions can arise": a user who is known is not a new one.
#[test]
fn what_excludes_a_new_account_is_refused_and_the_rest_goes_together() {
    let server = with("");
    let mut browser = signed_in(&server);
    for prompt in ["create none", "none create"] {
        assert_eq!(error_of(&ask(&mut browser, "app", &[("prompt", prompt)])), "invalid_request", "{prompt}");
    }
    let code = ask(&mut browser, "app", &[]).sent("code").unwrap();
    let hint = server.public_token("app", &redemption(&code)).text("id_token");
    assert_eq!(error_of(&ask(&mut browser, "app", &[CREATE, ("id_token_hint", &hint)])), "invalid_request");
    let mut other = server.browser();
    let login = ask(&mut other, "app", &[("id_token_hint", &hint)]);
    assert!(is_login(&login) && !login.body.contains(SIGN_UP), "{}", login.body);
    // Nor by hand.
    let meant = login.field("request");
    let back = other.get(&format!("{SIGN_UP}?request={meant}"));
    assert!(is_login(&other.follow(back)));
    let page = ask(&mut other, "house", &[CREATE]);
    let back = send(&mut other, &page, "mallory", &[("request", &meant)]);
    assert!(is_login(&other.follow(back)) && users(&server) == 1);
    let page = ask(&mut browser, "house", &[("prompt", "login create select_account")]);
    assert!(sign_up(&mut browser, &page, "carol").sent("code").is_some());
    let page = ask(&mut browser, "house", &[("prompt", "create consent"), ("max_age", "0")]);
    let page = sign_up(&mut browser, &page, "dave");
    assert!(is_consent(&page) && page.body.contains("<bdi>dave</bdi>"), "{}", page.body);
}

/// Whoever was sent to make an account may have one after all.
#[test]
fn signing_in_answers_the_request_as_well() {
    let server = with("");
    let (mut browser, page) = at_sign_up(&server, "house");
    let login = browser.get(&format!("/login?request={}", page.field("request")));
    assert!(browser.log_in(&login, "alice", PASSWORD).sent("code").is_some());
}

#[test]
fn a_page_of_this_server_can_be_what_waits() {
    let server = with("");
    let mut browser = server.browser();
    let login = browser.get(ACCOUNT_SESSIONS);
    let login = browser.follow(login);
    let page = browser.get(&format!("{SIGN_UP}?request={}", login.field("request")));
    let page = sign_up(&mut browser, &page, "carol");
    assert!(page.body.contains("Where you are signed in") && page.body.contains("carol"), "{}", page.body);
}

#[test]
fn the_page_takes_the_hint_and_the_language_of_the_request() {
    let server = with("");
    let evil = "\"><script>alert(1)</script>";
    for (hint, shown) in [("carol", "value=\"carol\""), (evil, "&#60;script&#62;")] {
        let page = ask(&mut server.browser(), "app", &[CREATE, ("login_hint", hint), ("ui_locales", "de")]);
        assert_safe(&page);
        assert!(page.body.contains(shown) && page.body.contains("<h1>Konto anlegen</h1>"), "{}", page.body);
    }
}

/// An issuer may have a path.
#[test]
fn it_works_below_a_path_too() {
    let extra = "[login]\nself_registration = true".to_owned();
    let server = TestServer::with(Setup { extra, path: "/auth".to_owned(), ..Setup::default() });
    let mut browser = server.browser();
    let answer = browser.get(&authorize_path("house", &[CREATE]));
    assert!(answer.location().starts_with("/auth/sign-up?request="), "{}", answer.location());
    let page = browser.follow(answer);
    assert!(page.body.contains("action=\"/auth/sign-up\""), "{}", page.body);
    assert!(sign_up(&mut browser, &page, "carol").sent("code").is_some());
}
