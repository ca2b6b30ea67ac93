//! The page on which a user makes, sees and revokes API tokens.

use countersign::base::{PlainToken, TokenKind};
use countersign::domain::api_token::{ApiToken, MAX_ALIVE, Owner};
use countersign::flow::recognise;
use countersign::http::paths::{ACCOUNT_TOKENS, NEW_TOKEN, REVOKE_TOKEN};
use countersign::store;

use super::support::http::{Answer, Browser};
use super::support::pages::{assert_refused, assert_safe, is_login, signed_in};
use super::support::raw::Raw;
use super::support::server::{MAIL, NOTES, PASSWORD, Setup};
use super::support::{TestServer, change, on_each_database};

const FORBIDDEN: &str = "This was not sent from our own page";

fn form_path(resource: &str) -> String {
    format!("{NEW_TOKEN}?{}", super::support::http::form(&[("resource", resource)]))
}

/// The form for a token of the notes, as a person would send it.
fn filled(page: &Answer) -> Vec<(&'static str, String)> {
    vec![
        ("csrf", page.field("csrf")),
        ("resource", page.field("resource")),
        ("name", "Backup".to_owned()),
        ("scope", "notes:read".to_owned()),
        ("scope", "notes:write".to_owned()),
        ("days", "30".to_owned()),
    ]
}

fn post(browser: &mut Browser, path: &str, form: &[(&'static str, String)]) -> Answer {
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    browser.post(path, &form)
}

fn without(form: &[(&'static str, String)], name: &str) -> Vec<(&'static str, String)> {
    form.iter().filter(|(known, _)| *known != name).cloned().collect()
}

fn with(form: &[(&'static str, String)], name: &'static str, value: &str) -> Vec<(&'static str, String)> {
    let mut form = without(form, name);
    form.push((name, value.to_owned()));
    form
}

/// The token on a page that shows one.
fn shown(page: &Answer) -> Option<PlainToken> {
    let text = page.body.split("<code class=\"secret\" translate=\"no\">").nth(1)?.split('<').next()?;
    Some(PlainToken::parse(TokenKind::Api, text).expect("what is shown is a whole token"))
}

/// Makes a token in a browser that is signed in; the page that shows it.
fn make(browser: &mut Browser) -> Answer {
    let page = browser.get(&form_path(NOTES));
    let made = post(browser, NEW_TOKEN, &filled(&page));
    assert_eq!((made.status, made.location()), (303, ACCOUNT_TOKENS), "{}", made.body);
    browser.follow(made)
}

fn tokens(server: &TestServer, name: &str) -> Vec<ApiToken> {
    let owner = Owner::User(server.user(name).id);
    server.store().read("test", |conn| store::api_tokens::of_owner(conn, &owner)).unwrap()
}

fn is_alive(server: &TestServer, plain: &PlainToken) -> bool {
    let cx = server.app.refreshed_cx().unwrap();
    recognise::access_token(&cx, plain.reveal()).unwrap().is_ok()
}

#[test]
fn a_user_makes_a_token_sees_it_once_and_revokes_it() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let mut browser = signed_in(&server);
        let empty = browser.get(ACCOUNT_TOKENS);
        assert!(empty.body.contains("You have no token at the moment."), "{}", empty.body);

        let page = make(&mut browser);
        assert_safe(&page);
        let plain = shown(&page).expect("it is shown");
        assert!(is_alive(&server, &plain));
        let stored = &tokens(&server, "alice")[0];
        assert_eq!((stored.name.as_str(), stored.resource.as_str()), ("Backup", NOTES));
        assert_eq!(stored.scope.to_string(), "notes:read notes:write");
        assert_eq!((stored.expires_at - stored.created_at).0, 30 * 86_400);

        // A reload shows it no second time, and makes no second one.
        let again = browser.get(ACCOUNT_TOKENS);
        assert!(shown(&again).is_none() && !again.body.contains(plain.reveal()), "{}", again.body);
        for text in ["Backup", "Notes", "Read your notes", "Write notes for you", "2026-11-23", "2026-12-23"]
        {
            assert!(again.body.contains(text), "{text}: {}", again.body);
        }
        assert!(!again.body.contains("csgn_api"), "{}", again.body);
        assert_eq!(tokens(&server, "alice").len(), 1);

        let question = browser.get(&format!("{REVOKE_TOKEN}?id={}", plain.id()));
        assert!(question.body.contains("<h1>Revoke Backup?</h1>"), "{}", question.body);
        assert_safe(&question);
        let form = [("csrf", question.field("csrf")), ("id", question.field("id"))];
        let kept = post(&mut browser, REVOKE_TOKEN, &with(&form, "decision", "keep"));
        assert_eq!((kept.status, kept.location()), (303, ACCOUNT_TOKENS));
        assert!(is_alive(&server, &plain));
        let revoked = post(&mut browser, REVOKE_TOKEN, &with(&form, "decision", "revoke"));
        assert_eq!((revoked.status, revoked.location()), (303, ACCOUNT_TOKENS));
        assert!(!is_alive(&server, &plain));
        let gone = browser.follow(revoked);
        assert!(gone.body.contains("You have no token"), "{}", gone.body);
        assert!(gone.body.contains("The token has been revoked."), "{}", gone.body);
        // Asked about a token that is gone, and told to revoke it again: the list, as it is.
        assert_eq!(browser.get(&format!("{REVOKE_TOKEN}?id={}", plain.id())).location(), ACCOUNT_TOKENS);
        let twice = post(&mut browser, REVOKE_TOKEN, &with(&form, "decision", "revoke"));
        assert_eq!(twice.location(), ACCOUNT_TOKENS);
    });
}

#[test]
fn whoever_is_not_signed_in_signs_in_and_comes_back() {
    let server = TestServer::start();
    for (path, back, title) in [
        (ACCOUNT_TOKENS, ACCOUNT_TOKENS, "Your API tokens"),
        (NEW_TOKEN, NEW_TOKEN, "New API token"),
        // The question about a token is not asked again: the list is where one starts.
        (&format!("{REVOKE_TOKEN}?id=x"), ACCOUNT_TOKENS, "Your API tokens"),
    ] {
        let mut browser = server.browser();
        let answer = browser.get(path);
        assert_eq!(answer.status, 303, "{path}");
        let page = browser.follow(answer);
        assert!(is_login(&page) && !page.body.contains("You are signing in to"), "{}", page.body);
        assert_safe(&page);
        let refused = browser.log_in(&page, "alice", "wrong password");
        assert!(is_login(&refused) && refused.body.contains("role=\"alert\""), "{}", refused.body);
        let (request, csrf) = (refused.field("request"), refused.field("csrf"));
        let form =
            [("request", request.as_str()), ("csrf", &csrf), ("username", "alice"), ("password", PASSWORD)];
        let done = browser.post("/login", &form);
        assert_eq!((done.status, done.location()), (303, back), "{path}");
        let page = browser.follow(done);
        assert!(page.body.contains(&format!("<h1>{title}</h1>")), "{path}: {}", page.body);
    }
}

/// Where a login leads is one of our own pages, sealed: nothing in the address says where.
#[test]
fn no_parameter_leads_the_login_elsewhere() {
    let server = TestServer::start();
    let mut browser = server.browser();
    let elsewhere = "to=https://evil.example&return_to=//evil.example&next=https://evil.example";
    let answer = browser.get(&format!("{ACCOUNT_TOKENS}?{elsewhere}&redirect_uri=https://evil.example"));
    assert!(answer.location().starts_with("/login?request="), "{}", answer.location());
    let page = browser.follow(answer);
    let (request, csrf) = (page.field("request"), page.field("csrf"));
    let form = [
        ("request", request.as_str()),
        ("csrf", &csrf),
        ("username", "alice"),
        ("password", PASSWORD),
        ("redirect_uri", "https://evil.example"),
        ("to", "https://evil.example"),
    ];
    assert_eq!(browser.post("/login", &form).location(), ACCOUNT_TOKENS);
    // And it is tied to its browser, as every login page is.
    let link = format!("/login?request={request}");
    assert_refused(&server.browser().get(&link), 400, "This page belongs to another browser");
}

/// A stolen session must not live on for a year in a token that it made.
#[test]
fn an_old_login_sees_its_tokens_and_revokes_them_but_makes_none() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let plain = shown(&make(&mut browser)).unwrap();
    let page = browser.get(&form_path(NOTES));
    server.advance(600);
    assert!(browser.get(&form_path(NOTES)).body.contains("New API token"));
    server.advance(1);
    // The form is not opened any more; one that lies open has five minutes.
    let login = browser.get(&form_path(NOTES));
    let login = browser.follow(login);
    assert!(is_login(&login) && login.body.contains("needs a recent sign-in"), "{}", login.body);
    assert!(login.body.contains("value=\"alice\""), "the name is there already: {}", login.body);
    server.advance(299);
    assert_eq!(post(&mut browser, NEW_TOKEN, &filled(&page)).location(), ACCOUNT_TOKENS);
    server.advance(1);
    let refused = post(&mut browser, NEW_TOKEN, &filled(&page));
    assert!(refused.location().starts_with("/login?request="), "{}", refused.location());
    assert_eq!(tokens(&server, "alice").len(), 2);

    let question = browser.get(&format!("{REVOKE_TOKEN}?id={}", plain.id()));
    let form = [("csrf", question.field("csrf")), ("id", question.field("id"))];
    post(&mut browser, REVOKE_TOKEN, &with(&form, "decision", "revoke"));
    assert!(!is_alive(&server, &plain));

    // Signed in anew, the form opens.
    let login = browser.follow(refused);
    let page = browser.log_in(&login, "alice", PASSWORD);
    assert!(page.body.contains("New API token"), "{}", page.body);
}

#[test]
fn a_form_without_its_own_token_or_from_another_site_is_refused() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let plain = shown(&make(&mut browser)).unwrap();
    let new = filled(&browser.get(&form_path(NOTES)));
    let question = browser.get(&format!("{REVOKE_TOKEN}?id={}", plain.id()));
    let revoke = vec![
        ("csrf", question.field("csrf")),
        ("id", question.field("id")),
        ("decision", "revoke".to_owned()),
    ];
    let foreign = signed_in(&server).get(&form_path(NOTES)).field("csrf");
    for (path, form, other) in [(NEW_TOKEN, &new, &revoke), (REVOKE_TOKEN, &revoke, &new)] {
        for csrf in ["", "AAAA", &foreign, &other[0].1] {
            assert_refused(&post(&mut browser, path, &with(form, "csrf", csrf)), 403, FORBIDDEN);
        }
        for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
            let mut from_elsewhere = browser.clone();
            from_elsewhere.headers = vec![(name.to_owned(), value.to_owned())];
            assert_refused(&post(&mut from_elsewhere, path, form), 403, FORBIDDEN);
        }
        let mut without_tie = browser.clone();
        without_tie.cookies.remove("csgn_browser");
        assert_refused(&post(&mut without_tie, path, form), 400, "This page belongs to another browser");
    }
    assert!(is_alive(&server, &plain));
    assert_eq!(tokens(&server, "alice").len(), 1);
}

/// The page named alice; whoever is signed in at this browser now has not seen it.
#[test]
fn a_form_counts_for_the_login_that_it_was_shown_in() {
    let server = TestServer::start();
    server.add_user("bob");
    let mut browser = signed_in(&server);
    let page = browser.get(&form_path(NOTES));
    let mut gone = browser.clone();
    gone.cookies.remove("csgn_session");
    let answer = post(&mut gone, NEW_TOKEN, &filled(&page));
    assert!(is_login(&gone.follow(answer)));
    let login = browser.get("/authorize?client_id=app");
    assert_eq!(login.status, 303);
    let login = super::support::pages::ask(&mut browser, "app", &[("prompt", "login")]);
    browser.log_in(&login, "bob", PASSWORD);
    assert_refused(&post(&mut browser, NEW_TOKEN, &filled(&page)), 403, FORBIDDEN);
    assert_eq!((tokens(&server, "alice").len(), tokens(&server, "bob").len()), (0, 0));
}

#[test]
fn another_users_token_is_neither_seen_nor_revoked() {
    let server = TestServer::start();
    let plain = shown(&make(&mut signed_in(&server))).unwrap();
    server.add_user("bob");
    let mut bob = server.browser();
    let login = bob.get(ACCOUNT_TOKENS);
    let login = bob.follow(login);
    let list = bob.log_in(&login, "bob", PASSWORD);
    assert!(list.body.contains("You have no token"), "{}", list.body);
    assert_eq!(bob.get(&format!("{REVOKE_TOKEN}?id={}", plain.id())).location(), ACCOUNT_TOKENS);
    let own = shown(&make(&mut bob)).unwrap();
    let question = bob.get(&format!("{REVOKE_TOKEN}?id={}", own.id()));
    let form =
        [("csrf", question.field("csrf")), ("id", plain.id().to_owned()), ("decision", "revoke".to_owned())];
    assert_eq!(post(&mut bob, REVOKE_TOKEN, &form).location(), ACCOUNT_TOKENS);
    assert!(is_alive(&server, &plain) && is_alive(&server, &own));
}

/// What carries a new token from the form's answer to the list: for this browser, this login and a minute, and once.
#[test]
fn the_cookie_with_a_new_token_is_worth_nothing_elsewhere_or_later() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let page = browser.get(&form_path(NOTES));
    let made = post(&mut browser, NEW_TOKEN, &filled(&page));
    let cookie =
        made.headers_of("set-cookie").into_iter().find(|text| text.starts_with("csgn_made=")).unwrap();
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=60"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let sealed = browser.cookies["csgn_made"].clone();
    assert!(!sealed.contains("csgn_api"), "{sealed}");
    let mut thief = signed_in(&server);
    thief.cookies.insert("csgn_made".to_owned(), sealed.clone());
    assert!(shown(&thief.get(ACCOUNT_TOKENS)).is_none());
    let mut late = browser.clone();
    assert!(shown(&browser.get(ACCOUNT_TOKENS)).is_some());
    assert!(!browser.cookies.contains_key("csgn_made"), "it is taken back");
    server.advance(61);
    assert!(shown(&late.get(ACCOUNT_TOKENS)).is_none());
    for garbage in ["", "x", "a.b.c.d.e", &sealed[1..]] {
        late.cookies.insert("csgn_made".to_owned(), garbage.to_owned());
        assert_eq!(late.get(ACCOUNT_TOKENS).status, 200, "{garbage}");
    }
}

#[test]
fn a_form_that_cannot_be_granted_comes_back_with_what_was_typed() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let form = filled(&browser.get(&form_path(NOTES)));
    for (changed, text) in [
        (without(&form, "scope"), "choose at least one thing"),
        (with(&form, "scope", "mail:send"), "choose at least one thing"),
        (without(&form, "name"), "give the token a name"),
        (with(&form, "name", &"ä".repeat(51)), "give the token a name"),
        (with(&form, "name", "a\u{7}b"), "give the token a name"),
        (with(&form, "days", "0"), "choose how long"),
        (with(&form, "days", "367"), "choose how long"),
        (with(&form, "days", "many"), "choose how long"),
        (without(&form, "days"), "choose how long"),
    ] {
        let answer = post(&mut browser, NEW_TOKEN, &changed);
        assert_eq!(answer.status, 400, "{text}: {}", answer.body);
        assert!(
            answer.body.contains("role=\"alert\"") && answer.body.contains(text),
            "{text}: {}",
            answer.body
        );
        assert_safe(&answer);
        if changed.iter().any(|(_, value)| value == "Backup") {
            assert!(answer.body.contains("value=\"Backup\""), "{}", answer.body);
        }
    }
    for (changed, text) in [
        (with(&form, "scope", "a\"b"), "scope value"),
        (with(&form, "resource", "https://nowhere.example"), "no such resource server"),
        (with(&form, "resource", "no URI"), "no such resource server"),
        (with(&form, "days", &"1".repeat(11)), "days is longer"),
        ([form.clone(), vec![("name", "Again".to_owned())]].concat(), "name is given more than once"),
    ] {
        let answer = post(&mut browser, NEW_TOKEN, &changed);
        assert_refused(&answer, 400, "This request cannot be answered");
        assert!(answer.body.contains(text), "{text}: {}", answer.body);
    }
    assert_eq!(tokens(&server, "alice").len(), 0);
}

#[test]
fn whoever_has_as_many_as_there_may_be_is_told() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let form = filled(&browser.get(&form_path(NOTES)));
    for _ in 0..MAX_ALIVE {
        assert_eq!(post(&mut browser, NEW_TOKEN, &form).status, 303);
    }
    let answer = post(&mut browser, NEW_TOKEN, &form);
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("as many tokens as you may have"), "{}", answer.body);
    assert_eq!(tokens(&server, "alice").len(), MAX_ALIVE);
}

#[test]
fn the_resource_server_is_chosen_first_where_there_are_several() {
    let server = TestServer::start();
    let mut browser = signed_in(&server);
    let choice = browser.get(NEW_TOKEN);
    assert!(!choice.body.contains("name=\"csrf\""), "{}", choice.body);
    for id in [NOTES, MAIL] {
        let escaped = format!("name=\"resource\" value=\"{id}\"");
        assert!(choice.body.contains(&escaped), "{id}: {}", choice.body);
        assert_eq!(browser.get(&form_path(id)).field("resource"), id);
    }
    assert_refused(
        &browser.get(&form_path("https://nowhere.example")),
        400,
        "This request cannot be answered",
    );

    let clients = "[[resource_servers]]\nid = \"https://one.example\"\nuser_api_tokens = true\nscopes = { \"read\" = \"\" }\n\
                   [[resource_servers]]\nid = \"https://none.example\"\nuser_api_tokens = true\n\
                   [[resource_servers]]\nid = \"https://machines.example\"\nscopes = { \"run\" = \"\" }\n[[clients]]\nid = \"app\"\n\
                   profile = \"first-party\"\nredirect_uris = [\"https://app.example/cb\"]\nsecret_hash = \"SECRET_HASH:app\"\n";
    let server = TestServer::with(Setup { clients: clients.to_owned(), ..Setup::default() });
    let mut browser = server.browser();
    let login = browser.get(NEW_TOKEN);
    let login = browser.follow(login);
    let only = browser.log_in(&login, "alice", PASSWORD);
    assert_eq!(only.field("resource"), "https://one.example");
    // One that users may not make tokens for is as if it were not there, in the form too.
    assert_refused(
        &browser.get(&form_path("https://machines.example")),
        400,
        "This request cannot be answered",
    );
    let form = with(&filled(&only), "resource", "https://machines.example");
    let refused = post(&mut browser, NEW_TOKEN, &with(&form, "scope", "run"));
    assert_refused(&refused, 400, "This request cannot be answered");
    // A scope that nobody described is shown by its name.
    assert!(only.body.contains("<bdi>read</bdi>"), "{}", only.body);
}

#[test]
fn the_front_page_leads_there_once_somebody_is_signed_in() {
    let server = TestServer::start();
    let link = format!("href=\"{ACCOUNT_TOKENS}\"");
    assert!(!server.browser().get("/").body.contains(&link));
    let mut browser = signed_in(&server);
    let home = browser.get("/");
    assert!(home.body.contains(&link) && home.body.contains("<bdi>alice</bdi>"), "{}", home.body);
    assert_safe(&home);
    change::lock(&server, "alice");
    assert!(!browser.get("/").body.contains(&link));
    let login = browser.get(ACCOUNT_TOKENS);
    assert!(is_login(&browser.follow(login)));
}

/// The front page is there for everybody, whatever the database does; the tokens are not.
#[test]
fn without_a_database_the_front_page_is_there_and_the_tokens_say_why_they_are_not() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let mut browser = signed_in(&server);
        Raw::open(&database.url).run("ALTER TABLE sessions RENAME TO put_away");
        assert_eq!(browser.get("/").status, 200);
        assert_refused(&browser.get(ACCOUNT_TOKENS), 503, "Please try again in a moment");
    });
}

#[test]
fn the_pages_work_below_a_path_and_under_https() {
    let server = TestServer::with(Setup { path: "/auth".to_owned(), https: true, ..Setup::default() });
    let mut browser = server.browser();
    let login = browser.get("/auth/account/tokens/new");
    assert!(login.location().starts_with("/auth/login?request="), "{}", login.location());
    let login = browser.follow(login);
    let page = browser.log_in(&login, "alice", PASSWORD);
    assert!(page.body.contains("action=\"/auth/account/tokens/new\""), "{}", page.body);
    let page = browser.get(&format!("/auth{}", form_path(NOTES)));
    let made = post(&mut browser, "/auth/account/tokens/new", &filled(&page));
    assert_eq!(made.location(), "/auth/account/tokens");
    let cookie = made.headers_of("set-cookie").into_iter().find(|text| text.contains("csgn_made=")).unwrap();
    assert!(cookie.starts_with("__Host-csgn_made=") && cookie.contains("Secure"), "{cookie}");
    assert!(shown(&browser.follow(made)).is_some());
}

#[test]
fn an_address_that_only_shows_takes_no_post() {
    let server = TestServer::start();
    for (path, method, allow) in [
        (ACCOUNT_TOKENS, "POST", "GET, HEAD"),
        (NEW_TOKEN, "DELETE", "GET, HEAD, POST"),
        (REVOKE_TOKEN, "PUT", "GET, HEAD, POST"),
    ] {
        let answer = server.client().send(method, path, &[], "");
        assert_eq!((answer.status, answer.header("allow")), (405, Some(allow)), "{path}");
    }
}
