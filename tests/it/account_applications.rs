//! The page on which a user sees the applications that have access to the account, and withdraws it.

use countersign::base::Timestamp;
use countersign::domain::Client;
use countersign::domain::consent::Consent;
use countersign::http::paths::{ACCOUNT_APPLICATIONS, ACCOUNT_SESSIONS, WITHDRAW_ACCESS};
use countersign::store;

use super::support::flow::{authorize, redemption};
use super::support::http::{Answer, Browser};
use super::support::pages::{ask, assert_refused, assert_safe, is_consent, is_login, signed_in};
use super::support::security_log::SecurityLog;
use super::support::server::{PASSWORD, Setup};
use super::support::tokens::{is_active, on, setup};
use super::support::{TestServer, change, on_each_database};

const OFFLINE: &str = "openid email notes:write offline_access";
const LASTING: &str = "also while you are away";
const SIGNED_IN: &str = "only while you are signed in";
const REMEMBERED: &str = "not at the moment";
const FORBIDDEN: &str = "This was not sent from our own page";

/// The applications on the page: the name of each, and all that is said of it.
fn listed(page: &Answer) -> Vec<(String, String)> {
    assert!(page.body.contains("<h1>Applications with access</h1>"), "{} {}", page.status, page.body);
    let sections = page.body.split("<section").skip(1).map(|rest| rest.split_once("</section>").unwrap().0);
    let name = |section: &str| {
        let (_, rest) = section.split_once("<bdi>").unwrap();
        rest.split_once('<').unwrap().0.to_owned()
    };
    sections.map(|section| (name(section), section.to_owned())).collect()
}

fn names(page: &Answer) -> Vec<String> {
    listed(page).into_iter().map(|(name, _)| name).collect()
}

/// What is said of one application.
fn about(page: &Answer, name: &str) -> String {
    let found = listed(page).into_iter().find(|(known, _)| known == name);
    found.unwrap_or_else(|| panic!("{name} is not listed: {}", page.body)).1
}

/// The access token and the refresh token that a client gets of whoever is signed in, alice otherwise.
fn tokens(server: &TestServer, browser: &mut Browser, client: &str, scope: &str) -> [String; 2] {
    let code = authorize(browser, client, &[("scope", scope)]).sent("code").unwrap();
    let answer = server.token(client, &redemption(&code));
    ["access_token", "refresh_token"].map(|name| answer.text(name))
}

fn refresh(server: &TestServer, client: &str, token: &str) -> Answer {
    server.token(client, &[("grant_type", "refresh_token"), ("refresh_token", token)])
}

/// Signed in on the page itself: no application takes part.
fn at_the_list(server: &TestServer, name: &str) -> (Browser, Answer) {
    let mut browser = server.browser();
    let login = browser.get(ACCOUNT_APPLICATIONS);
    let login = browser.follow(login);
    assert!(is_login(&login), "{}", login.body);
    let page = browser.log_in(&login, name, PASSWORD);
    (browser, page)
}

fn question(browser: &mut Browser, client: &str) -> Answer {
    browser.get(&format!("{WITHDRAW_ACCESS}?client_id={client}"))
}

fn decide(browser: &mut Browser, csrf: &str, client: &str, decision: &str) -> Answer {
    browser.post(WITHDRAW_ACCESS, &[("csrf", csrf), ("client_id", client), ("decision", decision)])
}

/// From the question to the list after it.
fn withdraw(browser: &mut Browser, client: &str) -> Answer {
    let page = question(browser, client);
    let done = decide(browser, &page.field("csrf"), &page.field("client_id"), "withdraw");
    assert_eq!((done.status, done.location()), (303, ACCOUNT_APPLICATIONS), "{}", done.body);
    browser.follow(done)
}

#[test]
fn each_application_is_listed_with_what_it_may_do_since_when_and_how_far() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let mut browser = signed_in(&server);
        server.advance(86_400);
        let mut browser_later = signed_in(&server);
        tokens(&server, &mut browser_later, "web", OFFLINE);
        authorize(&mut browser_later, "house", &[]);
        let page = browser_later.get(ACCOUNT_APPLICATIONS);
        assert_safe(&page);
        // What lasts comes first; then it goes by name.
        assert_eq!(names(&page), ["Web Shop", "House App", "Notes App"], "{}", database.kind);
        let web = about(&page, "Web Shop");
        for text in ["Your account here", "See your e-mail address", "Notes", "Write notes for you", LASTING]
        {
            assert!(web.contains(text), "{text}: {web}");
        }
        assert!(web.contains("2026-11-24") && !web.contains("Read your notes"), "{web}");
        let app = about(&page, "Notes App");
        assert!(app.contains("Read your notes") && app.contains(SIGNED_IN), "{app}");
        assert!(app.contains("2026-11-23"), "the first time counts: {app}");
        // Nobody is asked about it, and yet it has access.
        let house = about(&page, "House App");
        assert!(house.contains("Read your notes") && house.contains(SIGNED_IN), "{house}");
        // The session of yesterday is over.
        assert!(browser.get(ACCOUNT_APPLICATIONS).location().starts_with("/login?"));
    });
}

#[test]
fn where_nothing_was_allowed_the_page_says_so() {
    let server = TestServer::start();
    server.add_user("bob");
    tokens(&server, &mut server.browser(), "web", OFFLINE);
    let (mut browser, page) = at_the_list(&server, "bob");
    assert!(page.body.contains("No application has access to your account at the moment."), "{}", page.body);
    assert!(listed(&page).is_empty());
    // The other pages lead here.
    let sessions = browser.get(ACCOUNT_SESSIONS);
    assert_eq!(sessions.body.matches("href=\"/account/applications\"").count(), 2, "{}", sessions.body);
}

#[test]
fn withdrawing_ends_what_was_given_and_the_user_is_asked_anew() {
    on_each_database(|database| {
        let (server, log) = (on(&database), SecurityLog::listen());
        let mut browser = signed_in(&server);
        let [access, renewed] = tokens(&server, &mut browser, "web", OFFLINE);
        let [bound, _] = tokens(&server, &mut server.browser(), "web", "openid notes:read");
        let [others, _] = tokens(&server, &mut browser, "old-web", "openid notes:read");
        assert!(is_active(&server, "notes-api", &access) && is_active(&server, "web", &renewed));

        let page = question(&mut browser, "web");
        assert!(page.body.contains("<h1>Withdraw the access of Web Shop?</h1>"), "{}", page.body);
        assert!(page.body.contains("it has to ask you"), "{}", page.body);
        assert_safe(&page);
        let (csrf, alice) = (page.field("csrf"), server.user("alice").id.to_string());
        let told = || log.of(&alice).into_iter().filter(|one| one["event"] == "access_withdrawn").count();
        let kept = decide(&mut browser, &csrf, "web", "keep");
        assert_eq!((kept.status, kept.location()), (303, ACCOUNT_APPLICATIONS));
        assert!(is_active(&server, "notes-api", &access) && told() == 0, "{}", database.kind);

        let done = decide(&mut browser, &csrf, "web", "withdraw");
        assert_eq!((done.status, done.location()), (303, ACCOUNT_APPLICATIONS), "{}", done.body);
        assert_eq!(names(&browser.follow(done)), ["Notes App", "Old Web Shop"], "{}", database.kind);
        assert_eq!(refresh(&server, "web", &renewed).error(), "invalid_grant", "{}", database.kind);
        assert!(!is_active(&server, "web", &renewed), "{}", database.kind);
        for token in [&access, &bound] {
            assert!(!is_active(&server, "notes-api", token), "{}", database.kind);
        }
        // Nothing else is touched: not the session, not another application.
        assert!(is_active(&server, "notes-api", &others), "{}", database.kind);
        assert_eq!(browser.get(ACCOUNT_SESSIONS).status, 200);
        assert!(ask(&mut browser, "app", &[]).sent("code").is_some());
        let asked = ask(&mut browser, "web", &[]);
        assert!(is_consent(&asked), "{} {}", asked.status, asked.body);

        // A second click, and the question about what is gone: the list, and nothing more is told.
        assert_eq!(question(&mut browser, "web").location(), ACCOUNT_APPLICATIONS);
        assert_eq!(decide(&mut browser, &csrf, "web", "withdraw").location(), ACCOUNT_APPLICATIONS);
        assert_eq!(told(), 1, "{}", database.kind);
        // What is allowed anew lives.
        let [access, _] = tokens(&server, &mut browser, "web", OFFLINE);
        assert!(is_active(&server, "notes-api", &access), "{}", database.kind);
    });
}

#[test]
fn what_another_user_allowed_the_same_application_stays() {
    on_each_database(|database| {
        let server = on(&database);
        server.add_user("bob");
        let [alices, _] = tokens(&server, &mut server.browser(), "web", OFFLINE);
        let (mut bob, _) = at_the_list(&server, "bob");
        let [bobs, _] = tokens(&server, &mut bob, "web", OFFLINE);
        assert!(listed(&withdraw(&mut bob, "web")).is_empty(), "{}", database.kind);
        assert!(is_active(&server, "notes-api", &alices), "{}", database.kind);
        assert!(!is_active(&server, "notes-api", &bobs), "{}", database.kind);
        let (mut alice, page) = at_the_list(&server, "alice");
        assert_eq!(names(&page), ["Web Shop"], "{}", database.kind);
        assert!(ask(&mut alice, "web", &[("scope", "openid notes:write")]).sent("code").is_some());
    });
}

#[test]
fn opaque_tokens_of_the_application_die_too() {
    on_each_database(|database| {
        let opaque =
            |clients: String| clients.replacen("\"Notes\"\n", "\"Notes\"\ntoken_format = \"opaque\"\n", 1);
        let clients = opaque(setup().clients);
        let server = TestServer::with(Setup { database: Some(database.url.clone()), clients, ..setup() });
        let mut browser = server.browser();
        let [access, _] = tokens(&server, &mut browser, "web", OFFLINE);
        assert!(access.starts_with("csgn_at") && is_active(&server, "notes-api", &access), "{access}");
        withdraw(&mut browser, "web");
        assert!(!is_active(&server, "notes-api", &access), "{}", database.kind);
    });
}

#[test]
fn an_application_that_does_not_ask_loses_what_it_has_and_gets_it_again_when_it_is_used() {
    let server = TestServer::with(setup());
    let mut browser = server.browser();
    let [_, renewed] = tokens(&server, &mut browser, "house", "openid notes:read");
    let page = question(&mut browser, "house");
    assert!(page.body.contains("This application does not ask you"), "{}", page.body);
    assert!(listed(&withdraw(&mut browser, "house")).is_empty());
    assert_eq!(refresh(&server, "house", &renewed).error(), "invalid_grant");
    assert!(ask(&mut browser, "house", &[]).sent("code").is_some());
    assert_eq!(names(&browser.get(ACCOUNT_APPLICATIONS)), ["House App"]);
}

#[test]
fn after_a_session_the_list_says_what_goes_on_and_what_is_only_remembered() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let mut browser = signed_in(&server);
        let [_, lasting] = tokens(&server, &mut browser, "web", OFFLINE);
        tokens(&server, &mut browser, "old-web", "openid notes:read");
        tokens(&server, &mut browser, "house", "openid notes:read");
        assert_eq!(listed(&browser.get(ACCOUNT_APPLICATIONS)).len(), 4, "{}", database.kind);
        change::end_sessions(&server, "alice");

        let (mut browser, page) = at_the_list(&server, "alice");
        assert_eq!(names(&page), ["Web Shop", "Notes App", "Old Web Shop"], "{}", database.kind);
        for (name, reach) in [("Web Shop", LASTING), ("Notes App", REMEMBERED), ("Old Web Shop", REMEMBERED)]
        {
            assert!(about(&page, name).contains(reach), "{name} on {}: {}", database.kind, page.body);
        }
        // And what it says is so.
        let lasting = refresh(&server, "web", &lasting).text("refresh_token");
        // What is only remembered is forgotten in the same way.
        let page = withdraw(&mut browser, "app");
        assert_eq!(names(&page), ["Web Shop", "Old Web Shop"], "{}", database.kind);
        assert!(is_consent(&ask(&mut browser, "app", &[])), "{}", database.kind);
        assert!(is_active(&server, "web", &lasting), "{}", database.kind);
    });
}

/// The password grant has no session: what it gives goes on without one.
#[test]
fn what_was_given_without_a_session_is_listed_until_it_ends() {
    let server = TestServer::start();
    let form = [("grant_type", "password"), ("username", "alice"), ("password", PASSWORD)];
    let form = [&form[..], &[("scope", "notes:read offline_access")]].concat();
    let renewed = server.token("house", &form).text("refresh_token");
    let (mut browser, page) = at_the_list(&server, "alice");
    assert!(about(&page, "House App").contains(LASTING), "{}", page.body);
    assert!(listed(&withdraw(&mut browser, "house")).is_empty());
    assert_eq!(refresh(&server, "house", &renewed).error(), "invalid_grant");
}

#[test]
fn an_application_that_is_switched_off_has_no_access_and_can_lose_it_for_good() {
    let server = TestServer::start();
    let mut browser = server.browser();
    tokens(&server, &mut browser, "web", OFFLINE);
    change::switch_off(&server, "web");
    assert!(about(&browser.get(ACCOUNT_APPLICATIONS), "Web Shop").contains(REMEMBERED));
    assert!(listed(&withdraw(&mut browser, "web")).is_empty());
}

#[test]
fn the_form_needs_its_own_token_its_browser_and_its_login() {
    let server = TestServer::with(setup());
    let mut browser = server.browser();
    let [access, _] = tokens(&server, &mut browser, "web", OFFLINE);
    let csrf = question(&mut browser, "web").field("csrf");
    let foreign = {
        let mut other = server.browser();
        authorize(&mut other, "web", &[]);
        question(&mut other, "web").field("csrf")
    };
    let sessions = browser.get(ACCOUNT_SESSIONS).field("csrf");
    for wrong in ["", "AAAA", &foreign, &sessions] {
        assert_refused(&decide(&mut browser, wrong, "web", "withdraw"), 403, FORBIDDEN);
    }
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let mut from_elsewhere = browser.clone();
        from_elsewhere.headers = vec![(name.to_owned(), value.to_owned())];
        assert_refused(&decide(&mut from_elsewhere, &csrf, "web", "withdraw"), 403, FORBIDDEN);
    }
    let mut without_tie = browser.clone();
    without_tie.cookies.remove("csgn_browser");
    let refused = decide(&mut without_tie, &csrf, "web", "withdraw");
    assert_refused(&refused, 400, "This page belongs to another browser");
    // The page named a user: whoever signs in at this browser later has not seen it.
    let mut later = browser.clone();
    authorize(&mut later, "app", &[("prompt", "login")]);
    assert_refused(&decide(&mut later, &csrf, "web", "withdraw"), 403, FORBIDDEN);
    // Without a session the list is where one starts.
    let mut gone = server.browser();
    for answer in [gone.get(ACCOUNT_APPLICATIONS), question(&mut gone, "web")] {
        assert!(is_login(&gone.follow(answer)));
    }
    let answer = decide(&mut gone, &csrf, "web", "withdraw");
    assert_eq!((answer.status, answer.location()), (303, ACCOUNT_APPLICATIONS));
    assert!(is_active(&server, "notes-api", &access));
}

#[test]
fn an_application_that_is_unknown_or_has_nothing_leads_to_the_list() {
    let server = TestServer::with(setup());
    let mut browser = server.browser();
    let [access, _] = tokens(&server, &mut browser, "web", OFFLINE);
    let csrf = question(&mut browser, "web").field("csrf");
    for client in ["", "nobody", "app", "a%20b", "%22%3E"] {
        let answer = question(&mut browser, client);
        assert_eq!((answer.status, answer.location()), (303, ACCOUNT_APPLICATIONS), "{client}");
        let answer = decide(&mut browser, &csrf, client, "withdraw");
        assert_eq!((answer.status, answer.location()), (303, ACCOUNT_APPLICATIONS), "{client}");
    }
    let long = question(&mut browser, &"x".repeat(257));
    assert_refused(&long, 400, "This request cannot be answered");
    assert_eq!(names(&browser.get(ACCOUNT_APPLICATIONS)), ["Web Shop"]);
    assert!(is_active(&server, "notes-api", &access));
    for (path, method, allow) in
        [(ACCOUNT_APPLICATIONS, "POST", "GET, HEAD"), (WITHDRAW_ACCESS, "PUT", "GET, HEAD, POST")]
    {
        let answer = server.client().send(method, path, &[], "");
        assert_eq!((answer.status, answer.header("allow")), (405, Some(allow)), "{path}");
    }
}

/// A list that grew too long is cut where it tells the least.
#[test]
fn a_hundred_applications_are_listed_and_what_lasts_is_among_them() {
    let server = TestServer::start();
    let (user, id) = (server.user("alice").id, "app".parse().unwrap());
    let app = server.store().read("test", |conn| store::clients::find(conn, &id)).unwrap().unwrap();
    let add = move |conn: &mut store::Conn| {
        for at in 0..101 {
            let mut draft = app.to_draft();
            draft.id = format!("app-{at}").parse().unwrap();
            let client = Client::check(draft, app.created_at).unwrap();
            store::clients::insert(conn, &client)?;
            let (resource, scope) = (String::new(), "openid".parse().unwrap());
            let granted_at = Timestamp(at);
            let consent =
                Consent { user_id: user, client_id: client.id.clone(), resource, scope, granted_at };
            store::consents::put(conn, &consent)?;
        }
        Ok(())
    };
    server.store().write("test", add).unwrap();
    let mut browser = server.browser();
    tokens(&server, &mut browser, "web", OFFLINE);
    let names = names(&browser.get(ACCOUNT_APPLICATIONS));
    assert_eq!((names.len(), names[0].as_str()), (100, "Web Shop"));
}

#[test]
fn the_pages_work_below_a_path() {
    let server = TestServer::with(Setup { path: "/auth".to_owned(), https: true, ..Setup::default() });
    let mut browser = server.browser();
    let login = browser.get("/auth/account/applications");
    assert!(login.location().starts_with("/auth/login?request="), "{}", login.location());
    let login = browser.follow(login);
    let page = browser.log_in(&login, "alice", PASSWORD);
    assert!(page.body.contains("href=\"/auth/account/applications\""), "{}", page.body);
    assert!(listed(&page).is_empty());
}
