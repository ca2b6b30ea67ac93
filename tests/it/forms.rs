//! The forms of the login, consent and logout pages: posted from here, by the browser they were shown in, once.

use super::support::flow::{claims, redemption, request};
use super::support::http::{Answer, Browser, form, query_of};
use super::support::pages::{ask, assert_refused, assert_safe, is_chooser, is_consent, is_login, signed_in};
use super::support::server::{PASSWORD, Setup};
use super::support::{TestServer, change};

const FORBIDDEN: &str = "This was not sent from our own page";
const OTHER_BROWSER: &str = "This page belongs to another browser";
const TOO_OLD: &str = "This page is too old";
const BAD_REQUEST: &str = "This request cannot be answered";
const USED: &str = "This step is already done";

/// The login form as a person would send it.
fn login_form(page: &Answer) -> Vec<(&'static str, String)> {
    vec![
        ("request", page.field("request")),
        ("csrf", page.field("csrf")),
        ("username", "alice".to_owned()),
        ("password", PASSWORD.to_owned()),
    ]
}

fn consent_form(page: &Answer) -> Vec<(&'static str, String)> {
    vec![("request", page.field("request")), ("csrf", page.field("csrf")), ("decision", "allow".to_owned())]
}

fn post(browser: &mut Browser, path: &str, form: &[(&'static str, String)]) -> Answer {
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    browser.post(path, &form)
}

fn with(mut form: Vec<(&'static str, String)>, name: &str, value: &str) -> Vec<(&'static str, String)> {
    form.iter_mut().find(|(known, _)| *known == name).unwrap().1 = value.to_owned();
    form
}

/// A browser on the consent page of `web`, alice signed in.
fn at_consent(server: &TestServer) -> (Browser, Answer) {
    let mut browser = signed_in(server);
    let page = ask(&mut browser, "web", &[]);
    assert!(is_consent(&page));
    (browser, page)
}

fn at_login(server: &TestServer) -> (Browser, Answer) {
    let mut browser = server.browser();
    let page = ask(&mut browser, "app", &[]);
    assert!(is_login(&page));
    (browser, page)
}

#[test]
fn a_form_without_its_own_token_is_refused() {
    let server = TestServer::start();
    let (mut browser, login) = at_login(&server);
    let foreign = at_login(&server).1.field("csrf");
    let (mut other, consent) = at_consent(&server);
    let of_login = ask(&mut other, "app", &[("prompt", "login")]).field("csrf");
    assert_ne!(of_login, consent.field("csrf"));
    for (what, csrf) in [("missing", ""), ("of another browser", foreign.as_str()), ("made up", "AAAA")] {
        let answer = post(&mut browser, "/login", &with(login_form(&login), "csrf", csrf));
        assert_refused(&answer, 403, FORBIDDEN);
        let answer = post(&mut other, "/consent", &with(consent_form(&consent), "csrf", csrf));
        assert_refused(&answer, 403, FORBIDDEN);
        assert!(!browser.cookies.contains_key("csgn_session"), "{what}");
    }
    // Of another form of the same browser.
    let answer = post(&mut other, "/consent", &with(consent_form(&consent), "csrf", &of_login));
    assert_refused(&answer, 403, FORBIDDEN);
    assert!(post(&mut other, "/consent", &consent_form(&consent)).sent("code").is_some());
}

/// Cross-site request forgery: the browser itself says where a form was sent from.
#[test]
fn a_form_that_another_site_sent_is_refused() {
    let server = TestServer::start();
    let (browser, page) = at_login(&server);
    let origin = server.base.clone();
    let other_port = origin.rsplit_once(':').unwrap().0.to_owned() + ":1";
    for (headers, refused) in [
        (vec![("sec-fetch-site", "cross-site")], true),
        (vec![("sec-fetch-site", "same-site")], true),
        (vec![("sec-fetch-site", "whatever")], true),
        (vec![("sec-fetch-site", "cross-site"), ("origin", origin.as_str())], true),
        (vec![("origin", "https://evil.example")], true),
        (vec![("origin", other_port.as_str())], true),
        (vec![("origin", "")], true),
        (vec![("sec-fetch-site", "same-origin"), ("origin", "null")], false),
        (vec![("sec-fetch-site", "none")], false),
        (vec![("origin", origin.as_str())], false),
        // Pages say Referrer-Policy: no-referrer, so their own forms come with this.
        (vec![("origin", "null")], false),
        (vec![], false),
    ] {
        let mut browser = browser.clone();
        browser.headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let answer = post(&mut browser, "/login", &login_form(&page));
        if refused {
            assert_refused(&answer, 403, FORBIDDEN);
            assert!(!browser.cookies.contains_key("csgn_session"), "{headers:?}");
        } else {
            assert_eq!(answer.status, 303, "{headers:?}: {}", answer.body);
        }
    }
}

#[test]
fn a_form_without_the_browsers_cookie_says_what_may_be_wrong() {
    let server = TestServer::start();
    let (_, page) = at_login(&server);
    let answer = post(&mut server.browser(), "/login", &login_form(&page));
    assert_refused(&answer, 400, OTHER_BROWSER);
    assert!(answer.body.contains("localhost and 127.0.0.1 are two"), "{}", answer.body);
}

/// Lessons: "A login or consent link that works in another person's browser."
#[test]
fn a_link_to_a_login_or_consent_page_works_in_its_own_browser_only() {
    let server = TestServer::start();
    let (_, login) = at_login(&server);
    let (mut owner, consent) = at_consent(&server);
    let mut victim = signed_in(&server);
    for (path, page, form) in
        [("/login", &login, login_form(&login)), ("/consent", &consent, consent_form(&consent))]
    {
        let link = format!("{path}?request={}", page.field("request"));
        assert_refused(&victim.get(&link), 400, OTHER_BROWSER);
        assert_refused(&server.browser().get(&link), 400, OTHER_BROWSER);
        // Even with the victim's own form token.
        let csrf = ask(&mut victim, "web", &[("prompt", &path[1..])]).field("csrf");
        assert_refused(&post(&mut victim, path, &with(form, "csrf", &csrf)), 400, OTHER_BROWSER);
    }
    assert!(is_consent(&owner.get(&format!("/consent?request={}", consent.field("request")))));
}

#[test]
fn a_page_that_lay_open_for_half_an_hour_is_too_old() {
    let server = TestServer::start();
    let (mut browser, login) = at_login(&server);
    let (mut other, consent) = at_consent(&server);
    server.advance(1801);
    assert_refused(&post(&mut browser, "/login", &login_form(&login)), 400, TOO_OLD);
    assert!(!browser.cookies.contains_key("csgn_session"));
    assert_refused(&post(&mut other, "/consent", &consent_form(&consent)), 400, TOO_OLD);
    assert_refused(&other.get(&format!("/consent?request={}", consent.field("request"))), 400, TOO_OLD);
}

#[test]
fn a_page_that_lay_open_for_less_still_works() {
    let server = TestServer::start();
    let (mut browser, login) = at_login(&server);
    let (mut other, consent) = at_consent(&server);
    server.advance(1799);
    assert!(browser.log_in(&login, "alice", PASSWORD).sent("code").is_some());
    assert!(post(&mut other, "/consent", &consent_form(&consent)).sent("code").is_some());
}

#[test]
fn a_ticket_that_was_changed_is_refused() {
    let server = TestServer::start();
    let (mut browser, page) = at_login(&server);
    let ticket = page.field("request");
    let mut tried = 0;
    for at in (0..ticket.len()).step_by(ticket.len() / 40) {
        let mut bytes = ticket.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        let answer = post(&mut browser, "/login", &with(login_form(&page), "request", &changed));
        assert_refused(&answer, 400, BAD_REQUEST);
        tried += 1;
    }
    assert!(tried >= 40);
    for bad in ["", "x", &ticket[1..], &ticket[..ticket.len() - 1], &format!("{ticket}A")] {
        let answer = post(&mut browser, "/login", &with(login_form(&page), "request", bad));
        assert_refused(&answer, 400, BAD_REQUEST);
    }
    assert_eq!(post(&mut browser, "/login", &login_form(&page)).status, 303);
}

/// Lessons: "one kind can be presented as another".
#[test]
fn a_ticket_of_one_page_is_worth_nothing_at_another() {
    let server = TestServer::start();
    let (mut browser, consent) = at_consent(&server);
    let login = ask(&mut browser, "web", &[("prompt", "login")]);
    let logout = browser.get("/logout");
    let pages = [("/login", &login), ("/consent", &consent), ("/logout", &logout)];
    for (path, page) in pages {
        for (_, other) in pages.iter().filter(|(known, _)| *known != path) {
            let mut form = login_form(page);
            form.push(("decision", if path == "/logout" { "logout" } else { "allow" }.to_owned()));
            let form = with(form, "request", &other.field("request"));
            assert_refused(&post(&mut browser, path, &form), 400, BAD_REQUEST);
        }
    }
    assert!(post(&mut browser, "/consent", &consent_form(&consent)).sent("code").is_some());
}

#[test]
fn a_consent_page_is_answered_once() {
    for (first, then) in [("allow", "allow"), ("allow", "deny"), ("deny", "allow"), ("deny", "deny")] {
        let server = TestServer::start();
        let (mut browser, page) = at_consent(&server);
        let answer = post(&mut browser, "/consent", &with(consent_form(&page), "decision", first));
        assert_eq!(answer.status, 303, "{first}");
        let again = post(&mut browser, "/consent", &with(consent_form(&page), "decision", then));
        assert_refused(&again, 400, USED);
        // A refused yes is not remembered either.
        assert_eq!(is_consent(&ask(&mut browser, "web", &[])), first == "deny", "{first} {then}");
    }
}

#[test]
fn a_decision_that_the_page_does_not_offer_is_refused_and_uses_nothing_up() {
    let server = TestServer::start();
    let (mut browser, page) = at_consent(&server);
    for decision in ["", "ALLOW", "yes", "allow "] {
        let answer = post(&mut browser, "/consent", &with(consent_form(&page), "decision", decision));
        assert_refused(&answer, 400, BAD_REQUEST);
    }
    assert!(post(&mut browser, "/consent", &consent_form(&page)).sent("code").is_some());
}

/// The page named alice: it is her yes, whoever signed in beside her since, and nobody's once she has signed out.
#[test]
fn a_consent_page_belongs_to_the_session_that_it_was_shown_in() {
    let server = TestServer::start();
    server.add_user("bob");
    let (mut browser, page) = at_consent(&server);
    let login = ask(&mut browser, "app", &[("prompt", "login")]);
    browser.log_in(&login, "bob", PASSWORD);
    let code = post(&mut browser, "/consent", &consent_form(&page)).sent("code").unwrap();
    let id_token = server.token("web", &redemption(&code)).text("id_token");
    assert_eq!(claims(&id_token)["sub"], server.user("alice").id.to_string());
    let server = TestServer::start();
    let (mut browser, page) = at_consent(&server);
    let logout = browser.get("/logout");
    browser.decide(&logout, "logout");
    assert_refused(&post(&mut browser, "/consent", &consent_form(&page)), 400, TOO_OLD);
    let (mut browser, page) = at_consent(&server);
    browser.cookies.remove("csgn_session");
    assert_refused(&post(&mut browser, "/consent", &consent_form(&page)), 400, TOO_OLD);
}

/// Much may change while a page lies open; and then nobody is signed in for nothing.
#[test]
fn a_client_or_a_redirect_uri_that_is_gone_gets_no_answer() {
    for gone in ["client", "redirect_uri"] {
        let server = TestServer::start();
        let (mut browser, login) = at_login(&server);
        let mut other = signed_in(&server);
        let consent = ask(&mut other, "app", &[("prompt", "consent")]);
        if gone == "client" {
            change::switch_off(&server, "app");
        } else {
            change::client(&server, "app", |draft| {
                draft.redirect_uris = vec!["https://app.example/new".parse().unwrap()];
            });
        }
        let link = format!("/login?request={}", login.field("request"));
        for answer in [
            browser.get(&link),
            post(&mut browser, "/login", &login_form(&login)),
            other.get(&format!("/consent?request={}", consent.field("request"))),
            post(&mut other, "/consent", &consent_form(&consent)),
        ] {
            assert_refused(&answer, 400, BAD_REQUEST);
            assert!(answer.body.contains("no longer registered"), "{}", answer.body);
        }
        assert!(!browser.cookies.contains_key("csgn_session"), "{gone}");
    }
}

#[test]
fn a_body_of_10_mb_is_refused_and_the_server_goes_on() {
    let server = TestServer::start();
    for path in ["/login", "/consent", "/logout", "/authorize"] {
        for length in ["content-length: 10485760", "transfer-encoding: chunked"] {
            let mut bytes = format!(
                "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\n{length}\r\n\r\n"
            );
            if length.starts_with('t') {
                bytes += &format!("{:x}\r\n{}\r\n0\r\n\r\n", 10_485_760, "a".repeat(10_485_760));
            } else {
                bytes += &"a".repeat(10_485_760);
            }
            let answer = server.client().raw(bytes.as_bytes());
            assert_refused(&answer, 413, "That is more than we can take");
        }
    }
    assert!(is_login(&at_login(&server).1));
}

#[test]
fn what_is_no_form_is_refused() {
    let server = TestServer::start();
    let (browser, page) = at_login(&server);
    let body = form(&login_form(&page).iter().map(|(n, v)| (*n, v.as_str())).collect::<Vec<_>>());
    let cookie = browser.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join("; ");
    for (kind, status) in [
        ("application/x-www-form-urlencoded", 303),
        ("application/x-www-form-urlencoded; charset=UTF-8", 303),
        ("application/x-www-form-urlencoded; charset=latin1", 400),
        ("application/json", 400),
        ("text/plain", 400),
        ("multipart/form-data; boundary=x", 400),
        ("", 400),
    ] {
        let headers = [("content-type", kind), ("cookie", cookie.as_str())];
        let answer = server.client().send("POST", "/login", &headers, &body);
        assert_eq!(answer.status, status, "{kind}");
    }
    for bad in ["%zz=1", "csrf=%FF", "csrf=a&csrf=b", "csrf=a%00b", &format!("username={}", "a".repeat(257))]
    {
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("cookie", cookie.as_str())];
        let answer = server.client().send("POST", "/login", &headers, bad);
        assert_refused(&answer, 400, BAD_REQUEST);
    }
}

#[test]
fn a_page_that_is_opened_by_its_bare_address_leads_to_the_users_own_pages() {
    let extra = "[login]\nself_registration = true".to_owned();
    let server = TestServer::with(Setup { extra, ..Setup::default() });
    for path in ["/login", "/consent", "/choose-account", "/sign-up", "/account"] {
        let mut browser = server.browser();
        let answer = browser.get(path);
        let to = if path == "/account" { "/account/sessions" } else { "/account" };
        assert_eq!((answer.status, answer.location()), (303, to), "{path}");
        let mut page = answer;
        while page.status == 303 {
            page = browser.follow(page);
        }
        assert!(is_login(&page), "{path}: {page:?}");
        post(&mut browser, "/login", &login_form(&page));
        let sessions = browser.get("/account/sessions");
        assert_eq!(sessions.status, 200, "{path}: {sessions:?}");
    }
    assert_eq!(server.client().send("POST", "/account", &[], "").status, 405);
}

#[test]
fn a_page_that_is_opened_by_an_address_of_ones_own_making_says_where_to_start() {
    let server = TestServer::start();
    for path in ["/login?x=1", "/consent?x=1", "/login?request=", "/consent?request="] {
        let answer = server.browser().get(path);
        assert_refused(&answer, 400, BAD_REQUEST);
        assert!(answer.body.contains("start there"), "{}", answer.body);
    }
}

#[test]
fn every_page_is_safe_and_every_post_ends_in_a_redirect() {
    let server = TestServer::start();
    let mut browser = server.browser();
    let login = ask(&mut browser, "web", &[]);
    let wrong = post(&mut browser, "/login", &with(login_form(&login), "password", "wrong password"));
    assert_eq!(wrong.status, 303);
    let again = browser.follow(wrong);
    let right = post(&mut browser, "/login", &login_form(&again));
    assert_eq!(right.status, 303);
    let consent = browser.follow(right);
    let switched = post(&mut browser, "/consent", &with(consent_form(&consent), "decision", "switch"));
    assert_eq!(switched.status, 303);
    let switched = browser.follow(switched);
    assert!(is_chooser(&switched));
    let allowed = post(&mut browser, "/consent", &consent_form(&consent));
    assert_eq!(allowed.status, 303);
    assert!(query_of(allowed.location()).contains_key("code"));
    let logout = browser.get("/logout");
    let stay = post(&mut browser, "/logout", &with(consent_form(&logout), "decision", "stay"));
    assert_eq!((stay.status, stay.location()), (303, "/"));
    let bye = post(&mut browser, "/logout", &with(consent_form(&logout), "decision", "logout"));
    let pages = [login, again, consent, switched, logout, bye, browser.get("/"), browser.get("/nowhere")];
    for page in &pages {
        assert_safe(page);
    }
}

/// A form on another site comes without our cookies. If its answer set a new one, every login page that lies open in this
/// browser would belong to "another browser".
#[test]
fn a_request_that_goes_straight_back_to_the_client_leaves_the_cookie_alone() {
    let server = TestServer::start();
    let pairs = request("app", &[("response_type", "token")]);
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let twice = [&pairs[..], &[("nonce", "a"), ("nonce", "b")]].concat();
    let get = format!("/authorize?{}", form(&pairs));
    for answer in [server.client().post("/authorize", &twice), server.client().get(&get)] {
        assert!(answer.location().starts_with("https://app.example/cb?error="), "{}", answer.location());
        assert_eq!(answer.headers_of("set-cookie"), Vec::<&str>::new());
    }
}
