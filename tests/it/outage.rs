//! The database goes away and comes back: requests are told to come again, nobody is told "no", and no restart is needed.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use countersign::http::paths;

use super::support::flow::{authorize_path, code, redemption, tokens};
use super::support::http::{Answer, Browser, form};
use super::support::program::comes_true;
use super::support::proxy::Proxy;
use super::support::raw::{Raw, at_once, file_of};
use super::support::server::{PASSWORD, Setup, secret};
use super::support::{Database, TestServer, on_each_database};

/// Short, so that the tests do not wait; `cache.max_stale_s` stays what it is by default.
const ACQUIRE_TIMEOUT_MS: u64 = 300;
const MAX_STALE_S: i64 = 10;

/// A database that can go away.
enum Wire {
    /// The file stays, but nothing in it can be read or written.
    Sqlite(String),
    Postgres(Proxy),
}

const TABLES: &[&str] = &[
    "config_revision",
    "signing_keys",
    "clients",
    "client_secrets",
    "resource_servers",
    "users",
    "roles",
    "user_roles",
    "sessions",
    "session_clients",
    "consents",
    "authorizations",
    "codes",
    "refresh_tokens",
    "denied_tokens",
    "throttles",
    "used_jtis",
];

impl Wire {
    fn of(database: &Database) -> (Self, String) {
        if file_of(&database.url).is_some() {
            return (Self::Sqlite(database.url.clone()), database.url.clone());
        }
        let mut url = url::Url::parse(&database.url).unwrap();
        let server: SocketAddr = format!("127.0.0.1:{}", url.port().unwrap()).parse().unwrap();
        let proxy = Proxy::to(server);
        url.set_port(Some(proxy.address.port())).unwrap();
        (Self::Postgres(proxy), url.into())
    }

    fn cut(&self) {
        match self {
            Self::Sqlite(url) => {
                let mut raw = Raw::open(url);
                for table in TABLES {
                    raw.run(&format!("ALTER TABLE {table} RENAME TO gone_{table}"));
                }
            }
            Self::Postgres(proxy) => proxy.cut(),
        }
    }

    fn mend(&self) {
        match self {
            Self::Sqlite(url) => {
                let mut raw = Raw::open(url);
                for table in TABLES {
                    raw.run(&format!("ALTER TABLE gone_{table} RENAME TO {table}"));
                }
            }
            Self::Postgres(proxy) => proxy.mend(),
        }
    }
}

fn on_each_wire(test: impl Fn(&TestServer, &Wire, &str)) {
    on_each_database(|database| {
        let (wire, url) = Wire::of(&database);
        let database_extra = format!("acquire_timeout_ms = {ACQUIRE_TIMEOUT_MS}");
        let server = TestServer::with(Setup { database: Some(url), database_extra, ..Setup::default() });
        test(&server, &wire, database.kind);
    });
}

/// RFC 6749 §4.1.2.1 has the word, RFC 9110 §15.6.4 the status and its `Retry-After`.
fn assert_come_again(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 503, "{what}: {}", answer.body);
    assert_eq!(answer.error(), "temporarily_unavailable", "{what}");
    assert_has_retry_after(answer, what);
}

fn assert_has_retry_after(answer: &Answer, what: &str) {
    let seconds: u32 =
        answer.header("retry-after").unwrap_or_else(|| panic!("{what}: {answer:?}")).parse().unwrap();
    assert!((1..=60).contains(&seconds), "{what}: {seconds}");
}

fn assert_page_says_come_again(page: &Answer, what: &str) {
    assert_eq!(page.status, 503, "{what}: {}", page.body);
    assert!(page.header("content-type").unwrap().starts_with("text/html"), "{what}");
    assert!(page.body.contains("temporarily_unavailable"), "{what}: {}", page.body);
    assert_has_retry_after(page, what);
}

type Form<'f> = Vec<(&'f str, &'f str)>;

fn refresh(token: &str) -> Form<'_> {
    vec![("grant_type", "refresh_token"), ("refresh_token", token)]
}

const PASSWORD_GRANT: &[(&str, &str)] =
    &[("grant_type", "password"), ("username", "alice"), ("password", PASSWORD), ("scope", "notes:read")];
const CLIENT_CREDENTIALS: &[(&str, &str)] = &[("grant_type", "client_credentials"), ("scope", "notes:read")];

fn until_it_is_back(server: &TestServer) {
    let begun = Instant::now();
    while server.client().get(paths::READY).status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(10), "it does not come back");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn no_grant_is_refused_for_good_while_the_database_is_down_and_each_works_when_it_is_back() {
    on_each_wire(|server, wire, kind| {
        let code = code(server, "web", &[]);
        let token = tokens(server).text("refresh_token");
        let requests: [(&str, &str, Form<'_>); 3] = [
            ("code", "web", redemption(&code)),
            ("refresh", "web", refresh(&token)),
            ("password", "house", PASSWORD_GRANT.to_vec()),
        ];
        assert_eq!(server.client().get(paths::READY).status, 200);
        wire.cut();
        for (what, client, form) in &requests {
            let begun = Instant::now();
            assert_come_again(&server.token(client, form), &format!("{what} on {kind}"));
            assert!(begun.elapsed() < Duration::from_secs(3), "{what} on {kind}: {:?}", begun.elapsed());
        }
        assert_eq!(server.client().get(paths::READY).status, 503, "{kind}");
        assert_eq!(server.client().get(paths::LIVE).status, 200, "{kind}");
        wire.mend();
        until_it_is_back(server);
        for (what, client, form) in &requests {
            let answer = server.token(client, form);
            assert_eq!(answer.status, 200, "{what} on {kind}: {}", answer.body);
        }
    });
}

/// "Inactive" and "revoked" would both be lies: RFC 7662 §2.2 and RFC 7009 §2.2.1, which has 503 for this.
#[test]
fn no_token_is_called_dead_or_revoked_while_the_database_is_down() {
    on_each_wire(|server, wire, kind| {
        let answer = tokens(server);
        let all = ["access_token", "refresh_token"].map(|name| answer.text(name));
        let ask = |path: &str, token: &str| {
            server.client().post_as("web", &secret("web"), path, &[("token", token)])
        };
        wire.cut();
        let told = super::support::tokens::userinfo(server, &all[0]);
        assert_come_again(&told, &format!("userinfo on {kind}"));
        assert_eq!(told.header("www-authenticate"), None, "the token is not what is wrong");
        for token in &all {
            for path in [paths::INTROSPECT, paths::REVOKE] {
                assert_come_again(&ask(path, token), &format!("{path} on {kind}"));
            }
        }
        wire.mend();
        until_it_is_back(server);
        for token in &all {
            assert_eq!(ask(paths::INTROSPECT, token).json()["active"], true, "{kind}");
        }
        for token in &all {
            assert_eq!(ask(paths::REVOKE, token).status, 200, "{kind}");
            assert_eq!(ask(paths::INTROSPECT, token).json()["active"], false, "{kind}");
        }
    });
}

#[test]
fn client_credentials_are_served_from_memory_for_a_while_and_then_no_more() {
    on_each_wire(|server, wire, kind| {
        let ask = || server.token("service", CLIENT_CREDENTIALS);
        wire.cut();
        assert_eq!(ask().status, 200, "{kind}");
        server.advance(MAX_STALE_S);
        assert_eq!(ask().status, 200, "{kind}: ten seconds old");
        // A wrong secret is as wrong as ever.
        let wrong = server.client().post_as("service", "wrong", paths::TOKEN, CLIENT_CREDENTIALS);
        assert_eq!(wrong.error(), "invalid_client", "{kind}");
        server.advance(1);
        assert_come_again(&ask(), kind);
        // The documents that anybody may cache do not depend on it.
        for path in [paths::JWKS, paths::OPENID_CONFIGURATION] {
            assert_eq!(server.client().get(path).status, 200, "{path} on {kind}");
        }
        wire.mend();
        until_it_is_back(server);
        assert_eq!(ask().status, 200, "{kind}");
    });
}

/// A browser at its login page, one at its consent page, and one that is signed in and has agreed.
fn browsers(server: &TestServer) -> [(Browser, Answer); 3] {
    let login = |browser: &mut Browser| {
        let answer = browser.get(&authorize_path("app", &[]));
        browser.follow(answer)
    };
    let (mut one, mut two, mut three) = (server.browser(), server.browser(), server.browser());
    let (first, second, third) = (login(&mut one), login(&mut two), login(&mut three));
    let second = two.log_in(&second, "alice", PASSWORD);
    let third = three.log_in(&third, "alice", PASSWORD);
    let third = three.decide(&third, "allow");
    assert!(third.sent("code").is_some());
    [(one, first), (two, second), (three, third)]
}

#[test]
fn pages_say_come_again_while_the_database_is_down_and_go_on_when_it_is_back() {
    on_each_wire(|server, wire, kind| {
        let [(mut one, login), (mut two, consent), (mut three, _)] = browsers(server);
        wire.cut();

        // "Wrong password" would be a lie; the page says that the fault is the server's, and keeps what was typed.
        let page = one.log_in(&login, "alice", PASSWORD);
        assert_eq!(page.status, 200, "{kind}: {}", page.body);
        assert!(page.body.contains("Signing in is not possible at the moment"), "{kind}: {}", page.body);
        assert!(page.body.contains("value=\"alice\""), "{kind}");

        let (request, csrf) = (consent.field("request"), consent.field("csrf"));
        let answer = two.get(&format!("{}?{}", paths::CONSENT, form(&[("request", &request)])));
        assert_page_says_come_again(&answer, &format!("the consent page on {kind}"));
        for decision in ["allow", "deny"] {
            let pairs = [("request", request.as_str()), ("csrf", &csrf), ("decision", decision)];
            let answer = two.post(paths::CONSENT, &pairs);
            assert_page_says_come_again(&answer, &format!("{decision} on {kind}"));
        }

        // RFC 6749 §4.1.2.1: a proven client is told by redirect. "Nobody is signed in" would be a lie as well.
        for prompt in ["", "none"] {
            let answer = three.get(&authorize_path("app", &[("prompt", prompt)]));
            assert_eq!(answer.status, 303, "{kind}: {}", answer.body);
            assert_eq!(answer.sent("error").unwrap(), "temporarily_unavailable", "{kind} {prompt}");
        }

        // Once clients and keys are too old to be believed, there is nobody to redirect to.
        server.advance(MAX_STALE_S + 1);
        for path in [authorize_path("app", &[]), authorize_path("nobody", &[])] {
            assert_page_says_come_again(&three.get(&path), &format!("{path} on {kind}"));
        }

        wire.mend();
        until_it_is_back(server);
        let answer = one.log_in(&page, "alice", PASSWORD);
        assert!(answer.sent("code").is_some(), "{kind}: she agreed in the third browser");
        assert!(two.decide(&consent, "allow").sent("code").is_some(), "{kind}");
        let answer = three.get(&authorize_path("app", &[("prompt", "none")]));
        assert!(answer.sent("code").is_some(), "{kind}: {}", answer.location());
    });
}

/// Beyond `max_stale_s` each request needs a look at the database, which takes a whole time-out while that is away. Those that
/// come together share one: nobody waits behind another.
#[test]
fn whoever_comes_together_while_the_database_is_down_waits_for_one_look() {
    on_each_wire(|server, wire, kind| {
        wire.cut();
        server.advance(MAX_STALE_S + 1);
        let begun = Instant::now();
        let form = [("grant_type", "client_credentials"), ("scope", "notes:read")];
        let answers = at_once(24, |_| server.token("service", &form));
        // One after the other would take 24 time-outs; a look that had begun before may come on top.
        let took = begun.elapsed();
        assert!(took < Duration::from_millis(12 * ACQUIRE_TIMEOUT_MS), "{kind}: {took:?}");
        answers.iter().for_each(|answer| assert_come_again(answer, kind));
        wire.mend();
        until_it_is_back(server);
        assert_eq!(server.token("service", &form).status, 200, "{kind}");
    });
}

/// What is written is dated by when it is done. By the second in which the wait began, the grace of a refresh token could be
/// over before its successor is sent, and who shows it again would look like a thief.
#[test]
fn a_request_that_waited_for_the_database_goes_by_the_time_after_the_wait() {
    let Some(database) = Database::postgres() else { return };
    let server = TestServer::on(&database);
    let (mut other, mut onlooker) = (Raw::open(&database.url), Raw::open(&database.url));
    other.run("BEGIN");
    other.run("LOCK TABLE config_revision IN ACCESS EXCLUSIVE MODE");
    server.advance(2);
    let waiting = "SELECT count(*)::bigint AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND \
                   datname = current_database()";
    let now = std::thread::scope(|scope| {
        let request = scope.spawn(|| server.app.refreshed_cx().unwrap().now);
        let waits = comes_true(Duration::from_secs(4), || onlooker.number(waiting) > 0);
        server.advance(13);
        other.run("ROLLBACK");
        assert!(waits, "nobody waits");
        request.join().unwrap()
    });
    assert_eq!(now, server.app.now());
}

/// A process that holds the file (a backup, an operator's shell) delays, and then costs a 503, never more.
#[test]
fn a_locked_sqlite_file_costs_a_503_and_the_code_is_good_afterwards() {
    on_each_wire(|server, wire, _| {
        let Wire::Sqlite(url) = wire else { return };
        let code = code(server, "web", &[]);
        let mut other = Raw::open(url);
        other.run("BEGIN EXCLUSIVE");
        assert_come_again(&server.token("web", &redemption(&code)), "locked");
        other.run("ROLLBACK");
        let answer = server.token("web", &redemption(&code));
        assert_eq!(answer.status, 200, "{}", answer.body);
    });
}

/// Connections that died in the pool are noticed before they cost anybody an answer.
#[test]
fn a_database_server_that_was_restarted_between_two_requests_is_not_noticed() {
    on_each_wire(|server, wire, _| {
        let Wire::Postgres(proxy) = wire else { return };
        let code = code(server, "web", &[]);
        proxy.cut();
        proxy.mend();
        let answer = server.token("web", &redemption(&code));
        assert_eq!(answer.status, 200, "{}", answer.body);
    });
}

/// A row that another session holds, by a mistake of somebody at a console, costs those who need it, and in time.
#[test]
fn a_row_that_somebody_holds_is_not_waited_for_without_end() {
    let Some(database) = Database::postgres() else { return };
    let server = TestServer::with(Setup {
        database: Some(database.url.clone()),
        database_extra: "acquire_timeout_ms = 500".to_owned(),
        ..Setup::default()
    });
    let mut console = Raw::open(&database.url);
    console.run("BEGIN");
    console.run("UPDATE users SET created_at = created_at");
    let form = [("grant_type", "password"), ("username", "alice"), ("password", PASSWORD)];
    let begun = Instant::now();
    assert_eq!(server.token("house", &form).error(), "temporarily_unavailable");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    console.run("ROLLBACK");
    assert_eq!(server.token("house", &form).status, 200);
}
