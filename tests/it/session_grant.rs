//! The session grant, this server's own (RFC 6749 §4.5, docs/adr/0008-session-grant.md): a page of the house's own
//! single-page app gets tokens by the cookie of the browser session. Everything but the page is what an attacker can have
//! a browser send too, so each check has its test, with one difference from the happy path.

use countersign::app;
use countersign::base::{Id, Seconds};
use countersign::domain::RevocationReason;
use countersign::flow::recognise;
use countersign::store::authorizations;
use serde_json::json;

use super::support::flow::{authorize, changed, claims, part};
use super::support::http::{Answer, Browser, form};
use super::support::pages::ask;
use super::support::raw::{Raw, at_once};
use super::support::security_log::SecurityLog;
use super::support::server::{CLIENTS, MAIL, NOTES, PASSWORD, Setup};
use super::support::tokens::misspelt;
use super::support::{Database, TestServer, change, on_each_database};

const GRANT: &str = "urn:countersign:params:oauth:grant-type:session";
const ORIGIN: &str = "https://house.example";
const PAGES: &str = r#"
[[clients]]
id = "pages"
name = "House Pages"
profile = "spa"
first_party = true
grant_types = ["authorization_code", "urn:countersign:params:oauth:grant-type:session"]
redirect_uris = ["https://house.example/cb"]
origins = ["https://www.house.example"]
scopes = ["notes:read", "notes:write", "mail:send"]
resources = ["https://notes.example", "https://mail.example/api"]
"#;
/// What the browser says of a page of the client, and the page itself.
const PAGE: [(&str, &str); 4] = [
    ("origin", ORIGIN),
    ("sec-fetch-site", "same-site"),
    ("sec-fetch-mode", "cors"),
    ("countersign-session", "1"),
];
const FORM: [(&str, &str); 3] =
    [("grant_type", GRANT), ("client_id", "pages"), ("scope", "openid notes:read")];

fn setup() -> Setup {
    Setup { clients: format!("{CLIENTS}{PAGES}"), ..Setup::default() }
}

fn on(database: &Database) -> TestServer {
    TestServer::with(Setup { database: Some(database.url.clone()), ..setup() })
}

/// A browser at which alice has signed in to the app once.
fn signed_in(server: &TestServer) -> Browser {
    let mut browser = server.browser();
    let answer = authorize(&mut browser, "pages", &[("redirect_uri", "https://house.example/cb")]);
    assert!(answer.sent("code").is_some(), "{}", answer.location());
    browser
}

/// `fetch` by a page, with the cookies of this browser.
fn fetch(server: &TestServer, browser: &Browser, page: &[(&str, &str)], pairs: &[(&str, &str)]) -> Answer {
    let cookies: Vec<String> =
        browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let cookies = cookies.join("; ");
    let mut headers = page.to_vec();
    headers.extend([("content-type", "application/x-www-form-urlencoded"), ("cookie", cookies.as_str())]);
    server.client().send("POST", "/token", &headers, &form(pairs))
}

fn renew(server: &TestServer, browser: &Browser) -> Answer {
    fetch(server, browser, &PAGE, &FORM)
}

#[track_caller]
fn assert_renews(server: &TestServer, browser: &Browser) -> Answer {
    let answer = renew(server, browser);
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer
}

/// Refused as nobody who is signed in; the page may read it, to send its user to the login.
#[track_caller]
fn assert_signed_out(server: &TestServer, browser: &Browser) {
    let answer = renew(server, browser);
    assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_grant"), "{}", answer.body);
    assert!(answer.text("error_description").contains("signed in"), "{}", answer.body);
    assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
}

fn family(answer: &Answer) -> Id {
    let jti = claims(&answer.text("access_token"))["jti"].as_str().unwrap().to_owned();
    jti.split_once('.').unwrap().0.parse().unwrap()
}

#[test]
fn a_page_of_the_house_gets_tokens_by_the_session_cookie_and_no_refresh_token() {
    let server = TestServer::with(setup());
    let browser = signed_in(&server);
    server.advance(240);
    let answer = assert_renews(&server, &browser);
    let names = [
        "access-control-allow-origin",
        "access-control-allow-credentials",
        "cache-control",
        "set-cookie",
        "vary",
    ];
    insta::assert_snapshot!(super::support::jwt::redacted(&answer.wire(&names)), @r#"
    200
    access-control-allow-origin: https://house.example
    access-control-allow-credentials: true
    cache-control: no-store
    vary: Origin

    {"access_token":"…","token_type":"Bearer","expires_in":300,"scope":"openid notes:read","id_token":"…"}
    "#);
    let now = server.app.now().0;
    let (access, id) = (claims(&answer.text("access_token")), claims(&answer.text("id_token")));
    let sub = server.user("alice").id.to_string();
    for (claim, value) in [
        ("sub", json!(sub)),
        ("aud", json!(NOTES)),
        ("client_id", json!("pages")),
        ("iat", json!(now)),
        ("exp", json!(now + 300)),
        ("auth_time", json!(now - 240)),
        ("scope", json!("openid notes:read")),
    ] {
        assert_eq!(access[claim], value, "{claim}");
    }
    assert_eq!((&id["sub"], &id["aud"], id.get("auth_time")), (&json!(sub), &json!("pages"), None));
    assert!(id["sid"].is_string(), "the session is known");
    assert_eq!(id.get("nonce"), None, "no authentication request, no nonce");
    assert_eq!(part(&answer.text("access_token"), 0)["typ"], "at+jwt");
}

#[test]
fn scope_and_resource_go_by_the_ordinary_rules() {
    let server = TestServer::with(setup());
    let browser = signed_in(&server);
    let without = changed(&FORM, "scope", "notes:read");
    let answer = fetch(&server, &browser, &PAGE, &without);
    assert_eq!((answer.status, answer.json().get("id_token")), (200, None), "{}", answer.body);

    let by_resource = changed(&changed(&FORM, "scope", ""), "resource", MAIL);
    let answer = fetch(&server, &browser, &PAGE, &by_resource);
    assert_eq!(claims(&answer.text("access_token"))["aud"], MAIL);

    for (name, value, error) in [
        ("scope", "openid shared", "invalid_scope"),
        ("scope", "nothing:known", "invalid_scope"),
        ("scope", "notes:read mail:send", "invalid_target"),
        ("resource", "https://other.example", "invalid_target"),
        ("resource", "not a uri", "invalid_target"),
        ("client_secret", "a secret of a public client", "invalid_client"),
        ("client_id", "nobody", "invalid_client"),
        ("client_id", "", "invalid_client"),
    ] {
        let answer = fetch(&server, &browser, &PAGE, &changed(&FORM, name, value));
        assert_eq!(answer.error(), error, "{name}={value}: {}", answer.body);
    }
}

/// Each of them alone could be had by a page that is not the client's, or by an old browser that says less.
#[test]
fn a_request_that_the_browser_does_not_vouch_for_gets_nothing_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::sqlite(folder.path());
    let server = on(&database);
    let browser = signed_in(&server);
    server.advance(120);
    let mut raw = Raw::open(&database.url);
    let mut state = || {
        raw.number(
            "SELECT count(*) * 1000000 + (SELECT max(last_seen_at) FROM sessions) AS n FROM authorizations",
        )
    };
    let before = state();
    for (header, values, told) in [
        (
            "origin",
            vec![
                "",
                "null",
                "https://app.example",
                "https://evil.house.example",
                "https://house.example.evil.example",
                "https://house.example:8443",
                "https://house.example/",
                "http://house.example",
                "https://HOUSE.example",
            ],
            "Origin",
        ),
        ("sec-fetch-site", vec!["", "cross-site", "none", "same-site, cross-site"], "Sec-Fetch-Site"),
        ("sec-fetch-mode", vec!["", "no-cors", "navigate", "same-origin"], "Sec-Fetch-Mode"),
        ("countersign-session", vec!["", "0", "true"], "Countersign-Session"),
    ] {
        for value in values {
            let answer = fetch(&server, &browser, &changed(&PAGE, header, value), &FORM);
            assert_eq!(answer.error(), "invalid_request", "{header}: {value}: {}", answer.body);
            assert!(answer.text("error_description").contains(told), "{header}: {value}: {}", answer.body);
            if header == "origin" {
                assert_eq!(answer.header("access-control-allow-origin"), None, "{value}");
                assert_eq!(answer.header("access-control-allow-credentials"), None, "{value}");
            }
        }
    }
    assert_eq!(state(), before, "a refusal wrote something");
    assert_renews(&server, &browser);
    assert_ne!(state(), before, "what would be written is not looked at");
}

#[test]
fn a_session_cookie_for_a_page_that_is_not_the_clients_is_a_security_event() {
    let server = TestServer::with(setup());
    let (log, page) = (SecurityLog::listen(), changed(&PAGE, "origin", "https://sibling.house.example"));
    fetch(&server, &server.browser(), &page, &FORM);
    assert_eq!(log.of("https://sibling.house.example").len(), 0, "nobody's cookie, nothing to fear");
    let browser = signed_in(&server);
    fetch(&server, &browser, &page, &FORM);
    let events = log.of("https://sibling.house.example");
    assert_eq!(events.len(), 1);
    for (field, value) in [("event", "session_grant_refused"), ("client", "pages"), ("level", "WARN")] {
        assert_eq!(events[0][field], value);
    }
    assert!(!events[0].to_string().contains(&browser.cookies["csgn_session"]));
}

#[test]
fn a_page_of_the_very_same_origin_and_one_of_a_named_origin_are_the_clients_too() {
    let server = TestServer::with(setup());
    let browser = signed_in(&server);
    for (header, value) in [("sec-fetch-site", "same-origin"), ("origin", "https://www.house.example")] {
        let answer = fetch(&server, &browser, &changed(&PAGE, header, value), &FORM);
        assert_eq!(answer.status, 200, "{value}: {}", answer.body);
    }
}

/// RFC 6749 §5.2: "The authenticated client is not authorized to use this authorization grant type."
#[test]
fn no_client_has_the_grant_that_is_not_marked_for_it() {
    let server = TestServer::with(setup());
    let browser = signed_in(&server);
    for client in ["app", "native"] {
        let page = changed(&PAGE, "origin", "https://app.example");
        let answer = fetch(&server, &browser, &page, &changed(&FORM, "client_id", client));
        assert_eq!((answer.status, answer.error().as_str()), (400, "unauthorized_client"), "{client}");
        assert_eq!(answer.header("access-control-allow-credentials"), None, "{client}");
    }
    change::switch_off(&server, "pages");
    assert_eq!(renew(&server, &browser).error(), "invalid_client");
}

#[test]
fn a_browser_at_which_nobody_is_signed_in_any_more_gets_nothing() {
    let server = TestServer::with(setup());
    assert_signed_out(&server, &server.browser());

    let mut browser = signed_in(&server);
    assert_renews(&server, &browser);
    let former = browser.clone();
    let page = browser.get("/logout");
    browser.decide(&page, "logout");
    assert_signed_out(&server, &browser);
    assert_signed_out(&server, &former);

    let mut planted = signed_in(&server);
    let cookie = planted.cookies.get_mut("csgn_session").unwrap();
    *cookie = misspelt(cookie);
    assert_signed_out(&server, &planted);
    planted.cookies.insert("csgn_session".to_owned(), "x".repeat(5000));
    assert_signed_out(&server, &planted);

    let locked = signed_in(&server);
    change::lock(&server, "alice");
    assert_signed_out(&server, &locked);
}

/// As an authorization request with `prompt=none` it keeps the session from lying idle, and not beyond its end.
#[test]
fn renewing_keeps_the_session_awake_until_its_end() {
    let server = TestServer::with(setup());
    let (idle, whole) = (server.app.policy.session_idle.ordinary.0, server.app.policy.session_ttl.0);
    let (used, unused) = (signed_in(&server), signed_in(&server));
    let steps = whole / (idle - 60);
    for _ in 0..steps {
        server.advance(idle - 60);
        assert_renews(&server, &used);
        assert_signed_out_after(&server, &unused, idle);
    }
    server.advance(whole - steps * (idle - 60) - 1);
    assert_renews(&server, &used);
    server.advance(1);
    assert_signed_out(&server, &used);
}

/// Two steps of nearly the idle time are more than it.
fn assert_signed_out_after(server: &TestServer, unused: &Browser, idle: i64) {
    if server.app.now() - super::support::server::START >= Seconds(idle) {
        assert_signed_out(server, unused);
    }
}

#[test]
fn however_often_it_is_renewed_there_is_one_authorization_a_login_and_kind_of_token() {
    on_each_database(|database| {
        let server = on(&database);
        let mut browser = signed_in(&server);
        let mut raw = Raw::open(&database.url);
        let mut count = || raw.number("SELECT count(*) AS n FROM authorizations");
        let before = count();
        let first = family(&assert_renews(&server, &browser));
        for _ in 0..5 {
            server.advance(240);
            assert_eq!(family(&assert_renews(&server, &browser)), first);
        }
        assert_eq!(count(), before + 1);
        // The same scope in another order is the same.
        let turned = fetch(&server, &browser, &PAGE, &changed(&FORM, "scope", "notes:read openid"));
        assert_eq!((family(&turned), count()), (first, before + 1));

        let other = fetch(&server, &browser, &PAGE, &changed(&FORM, "scope", "notes:write"));
        assert_ne!(family(&other), first);
        assert_eq!(count(), before + 2);

        let page =
            ask(&mut browser, "pages", &[("redirect_uri", "https://house.example/cb"), ("prompt", "login")]);
        browser.log_in(&page, "alice", PASSWORD);
        let again = assert_renews(&server, &browser);
        assert_ne!(family(&again), first, "another login, another authorization");
        assert_eq!(claims(&again.text("access_token"))["auth_time"], server.app.now().0);
    });
}

#[test]
fn sixteen_tabs_that_renew_at_once_all_get_tokens_of_one_authorization() {
    on_each_database(|database| {
        let server = on(&database);
        let browser = signed_in(&server);
        let families = at_once(16, |_| family(&assert_renews(&server, &browser)));
        assert!(families.iter().all(|id| *id == families[0]), "{families:?}");
        let found =
            server.store().read("test", |conn| authorizations::find(conn, families[0])).unwrap().unwrap();
        assert_eq!((found.client_id.as_str(), found.user_id), ("pages", server.user("alice").id));
        assert_eq!(found.scope.to_string(), "openid notes:read");
        assert_eq!(found.resources, [NOTES.parse().unwrap()]);
    });
}

/// A revoked family stays revoked in the login that gave it: otherwise the next renewal would undo it.
#[test]
fn what_was_revoked_is_given_again_only_after_a_new_login() {
    on_each_database(|database| {
        let server = on(&database);
        let mut browser = signed_in(&server);
        let answer = assert_renews(&server, &browser);
        let (token, id, now) = (answer.text("access_token"), family(&answer), server.app.now());
        let is_alive = |token: &str| {
            recognise::access_token(&server.app.refreshed_cx().unwrap(), token).unwrap().is_ok()
        };
        assert!(is_alive(&token));
        let revoked = server
            .store()
            .write("test", move |conn| authorizations::revoke(conn, id, now, RevocationReason::Operator));
        assert!(revoked.unwrap());
        assert!(!is_alive(&token));
        let refused = renew(&server, &browser);
        assert_eq!(refused.error(), "invalid_grant");
        assert!(refused.text("error_description").contains("revoked"), "{}", refused.body);

        server.advance(1);
        let page =
            ask(&mut browser, "pages", &[("redirect_uri", "https://house.example/cb"), ("prompt", "login")]);
        browser.log_in(&page, "alice", PASSWORD);
        assert!(is_alive(&assert_renews(&server, &browser).text("access_token")));
    });
}

/// The sweeper takes the row no sooner than the last of its tokens is dead.
#[test]
fn the_authorization_is_there_as_long_as_the_session_and_its_last_token_and_no_longer() {
    let server = TestServer::with(setup());
    let browser = signed_in(&server);
    let answer = assert_renews(&server, &browser);
    let (id, whole) = (family(&answer), server.app.policy.session_ttl.0);
    let sweep = || {
        let now = server.app.now();
        app::sweep(server.store(), now, 100, &mut |_| true).unwrap();
        server.store().read("test", |conn| authorizations::find(conn, id)).unwrap().is_some()
    };
    server.advance(whole + 3600);
    assert!(sweep());
    server.advance(86_400);
    assert!(!sweep());
}

/// A cookie under the plain name, as a neighbouring host can set it, says nothing to an https issuer.
#[test]
fn an_https_issuer_counts_on_the_host_cookie_alone() {
    let server = TestServer::with(Setup { https: true, ..setup() });
    let mut browser = signed_in(&server);
    assert_renews(&server, &browser);
    browser.cookies = browser.cookies.iter().map(|(n, v)| (n.replace("__Host-", ""), v.clone())).collect();
    assert_signed_out(&server, &browser);
}

/// The metadata says what works.
#[test]
fn discovery_names_the_grant_where_a_client_is_marked_for_it() {
    let has_it = |server: &TestServer| {
        let metadata = server.client().get("/.well-known/openid-configuration").json();
        metadata["grant_types_supported"].as_array().unwrap().contains(&json!(GRANT))
    };
    assert!(has_it(&TestServer::with(setup())));
    assert!(!has_it(&TestServer::start()));
}
