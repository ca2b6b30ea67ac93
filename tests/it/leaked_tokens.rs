//! What a secret scanner found is revoked: whoever has a token may end it.

use countersign::base::encoding::sha256;
use countersign::base::{HashedToken, PlainToken, TokenKind};
use countersign::domain::RevocationReason;
use countersign::domain::api_token::{Owner, Wish};
use countersign::flow::api_tokens::{self, Made, NewToken};
use countersign::flow::recognise;
use countersign::http::paths::LEAKED_TOKENS;
use countersign::store;
use serde_json::{Value, json};

use super::support::flow::{claims, code, redemption, tokens};
use super::support::http::{Answer, Client};
use super::support::pages::{ask, is_login, signed_in};
use super::support::raw::Raw;
use super::support::security_log::SecurityLog;
use super::support::server::{CLIENTS, NOTES, Setup, secret};
use super::support::{TestServer, change, on_each_database};

const URL: &str = "https://code.example/octocat/hello/blob/main/.env";

fn hash(text: &str) -> String {
    sha256(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn send(client: &Client, body: &str) -> Answer {
    client.send("POST", LEAKED_TOKENS, &[("content-type", "application/json")], body)
}

/// As GitHub sends it.
fn tell(server: &TestServer, tokens: &[&str]) -> Answer {
    let found = |token| json!({ "token": token, "type": "countersign", "url": URL, "source": "content" });
    let found: Vec<Value> = tokens.iter().map(found).collect();
    send(&server.client(), &json!(found).to_string())
}

/// Whether each of them is, or was, one of ours.
#[track_caller]
fn labels(answer: &Answer) -> Vec<bool> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let label = |feedback: &Value| match feedback["label"].as_str().unwrap() {
        "true_positive" => true,
        "false_positive" => false,
        other => panic!("{other}"),
    };
    answer.json().as_array().unwrap().iter().map(label).collect()
}

fn api_token(server: &TestServer) -> Made {
    let wish = Wish {
        name: "Backup".to_owned(),
        resource: NOTES.parse().unwrap(),
        scope: "notes:read".parse().unwrap(),
        lives_for: None,
    };
    let new = NewToken { owner: Owner::User(server.user("alice").id), session: None, wish };
    let longest = server.app.policy.api_token_max_ttl;
    api_tokens::make(server.store(), new, longest, &*server.app.entropy, server.app.now()).unwrap()
}

fn is_alive(server: &TestServer, text: &str) -> bool {
    recognise::access_token(&server.app.refreshed_cx().unwrap(), text).unwrap().is_ok()
}

fn unknown(server: &TestServer, kind: TokenKind) -> String {
    PlainToken::random(kind, &*server.app.entropy).unwrap().reveal().to_owned()
}

fn number(server: &TestServer, sql: &str) -> i64 {
    Raw::open(server.config.database.url.reveal()).number(sql)
}

#[test]
fn the_answer_is_the_one_that_the_scanner_takes_and_does_not_repeat_the_token() {
    let server = TestServer::start();
    let made = api_token(&server);
    let text = made.plain.reveal();
    let answer = tell(&server, &[text, "ghp_of_somebody_else"]);
    assert_eq!(
        answer.json(),
        json!([
            { "token_hash": hash(text), "token_type": "countersign", "label": "true_positive" },
            { "token_hash": hash("ghp_of_somebody_else"), "token_type": "countersign", "label": "false_positive" },
        ])
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(!answer.body.contains(text));
}

#[test]
fn an_api_token_is_revoked_and_told_again_it_is_still_known_for_what_it_was() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let (made, other) = (api_token(&server), api_token(&server));
        let id = made.plain.id();
        assert_eq!(labels(&tell(&server, &[made.plain.reveal()])), [true]);
        assert!(!is_alive(&server, made.plain.reveal()) && is_alive(&server, other.plain.reveal()));
        let stored = server.store().read("test", |conn| store::api_tokens::find(conn, id)).unwrap().unwrap();
        assert_eq!(stored.revoked.map(|(_, reason)| reason), Some(RevocationReason::Leaked));
        assert_eq!(labels(&tell(&server, &[made.plain.reveal(), made.plain.reveal()])), [true, true]);
    });
}

#[test]
fn a_refresh_token_takes_its_authorization_along() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let first = tokens(&server);
        let form = |token: &str| {
            [("grant_type", "refresh_token"), ("refresh_token", token)]
                .map(|(n, v)| (n.to_owned(), v.to_owned()))
        };
        let refresh = |token: &str| {
            let form = form(token);
            let form: Vec<(&str, &str)> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            server.token("web", &form)
        };
        let second = refresh(&first.text("refresh_token"));
        // The first was used; whoever wrote it down where it was found has the second there, too.
        assert_eq!(labels(&tell(&server, &[&first.text("refresh_token")])), [true]);
        assert_eq!(refresh(&second.text("refresh_token")).error(), "invalid_grant");
        assert!(!is_alive(&server, &second.text("access_token")));
        let reason = "SELECT count(*) AS n FROM authorizations WHERE revoked_because = 'leaked'";
        assert_eq!(number(&server, reason), 1);
    });
}

/// RFC 7519 §3: a JWT is three parts parted by periods.
#[test]
fn a_signed_access_token_is_denied_by_itself() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let given = tokens(&server);
        let leaked = given.text("access_token");
        let form = [("grant_type", "client_credentials")];
        let other = server.token("service", &form).text("access_token");
        assert_eq!(labels(&tell(&server, &[&leaked])), [true]);
        assert!(!is_alive(&server, &leaked) && is_alive(&server, &other));
        // Its family goes on.
        let token = given.text("refresh_token");
        let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
        let renewed = server.token("web", &form);
        assert!(is_alive(&server, &renewed.text("access_token")));
        assert_eq!(number(&server, "SELECT count(*) AS n FROM denied_tokens"), 1);
        // Dead by itself, it costs no row.
        server.advance(301);
        assert_eq!(labels(&tell(&server, &[&leaked, &other])), [true, true]);
        assert_eq!(number(&server, "SELECT count(*) AS n FROM denied_tokens"), 1);
    });
}

#[test]
fn an_opaque_access_token_is_revoked_by_itself() {
    on_each_database(|database| {
        let opaque = CLIENTS.replace("name = \"Notes\"", "name = \"Notes\"\ntoken_format = \"opaque\"");
        let server = TestServer::with(Setup {
            clients: opaque,
            database: Some(database.url.clone()),
            ..Setup::default()
        });
        let form = [("grant_type", "client_credentials")];
        let (leaked, other) = (server.token("service", &form), server.token("service", &form));
        let (leaked, other) = (leaked.text("access_token"), other.text("access_token"));
        assert!(leaked.starts_with("csgn_at_") && is_alive(&server, &leaked));
        for _ in 0..2 {
            assert_eq!(labels(&tell(&server, &[&leaked])), [true]);
            assert!(!is_alive(&server, &leaked) && is_alive(&server, &other));
        }
    });
}

#[test]
fn a_client_secret_ends_and_the_clients_others_go_on() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let made = unknown(&server, TokenKind::ClientSecret);
        change::add_secret(&server, "service", &made, None);
        let form = [("grant_type", "client_credentials")];
        let with = |secret: &str| server.client().post_as("service", secret, "/token", &form).status;
        assert_eq!(with(&made), 200);
        assert_eq!(labels(&tell(&server, &[&made])), [true]);
        server.advance(2);
        assert_eq!((with(&made), with(&secret("service"))), (401, 200));
        assert_eq!(labels(&tell(&server, &[&made])), [true]);
    });
}

#[test]
fn a_session_ends_with_what_was_given_in_it() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let mut browser = signed_in(&server);
        let given =
            super::support::flow::authorize(&mut browser, "web", &[("scope", "notes:read offline_access")]);
        let given = server.token("web", &redemption(&given.sent("code").unwrap()));
        let elsewhere = tokens(&server);
        assert_eq!(labels(&tell(&server, &[&browser.cookies["csgn_session"]])), [true]);
        assert!(is_login(&ask(&mut browser, "app", &[])));
        assert!(!is_alive(&server, &given.text("access_token")));
        assert!(is_alive(&server, &elsewhere.text("access_token")));
    });
}

#[test]
fn a_code_that_nobody_has_redeemed_is_of_no_more_use() {
    let server = TestServer::start();
    let (unused, used) = (code(&server, "web", &[]), code(&server, "web", &[]));
    let given = server.token("web", &redemption(&used)).text("access_token");
    assert_eq!(labels(&tell(&server, &[&unused, &used])), [true, true]);
    assert_eq!(server.token("web", &redemption(&unused)).error(), "invalid_grant");
    // Codes that were used stand in many a log, and do nothing there.
    assert!(is_alive(&server, &given));
}

/// RFC 6750 §1.2: it is possession that counts, and an id is not the token.
#[test]
fn a_right_id_with_a_wrong_secret_ends_nothing() {
    let server = TestServer::start();
    let made = api_token(&server);
    let (id, other) = (made.plain.id(), unknown(&server, TokenKind::Api));
    let body = format!("csgn_api_{id}_{}_", other.split('_').nth(3).unwrap());
    let alphabet = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let digest = sha256(body.as_bytes());
    let checksum = digest.iter().take(6).map(|byte| char::from(alphabet[usize::from(byte % 62)]));
    let forged = body.clone() + &checksum.collect::<String>();
    assert!(PlainToken::parse(TokenKind::Api, &forged).is_some());
    assert_eq!(labels(&tell(&server, &[&forged, id, &body])), [false; 3]);
    assert!(is_alive(&server, made.plain.reveal()));
}

/// What does not look like ours is neither looked up nor counted. A secret that does is looked up, which is a row by its key;
/// a JWT that is none of ours is counted, one by one, whatever else stands beside it.
#[test]
fn garbage_costs_no_write() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let whole = unknown(&server, TokenKind::Api);
        let id_token = server.token("web", &redemption(&code(&server, "web", &[]))).text("id_token");
        Raw::open(&database.url).run("ALTER TABLE throttles RENAME TO put_away");
        let garbage = [
            "",
            "x",
            "csgn_api_",
            &whole[..whole.len() - 1],
            &format!("{}aaaaaa", &whole[..whole.len() - 6]),
            &whole.to_lowercase(),
            &"a".repeat(30_000),
            "naïve \u{202e} \u{0} \"",
            "eyJhbGciOiJub25lIn0.e30",
            &unknown(&server, TokenKind::Browser),
        ];
        assert_eq!(labels(&tell(&server, &garbage)), [false; 10]);
        assert_eq!(labels(&tell(&server, &[&whole])), [false]);
        // With the counters away, whatever looks like a JWT fails: the database is asked.
        assert_eq!(tell(&server, &[&id_token]).error(), "temporarily_unavailable");
        Raw::open(&database.url).run("ALTER TABLE put_away RENAME TO throttles");
        let looks_like_ours = [&whole, &unknown(&server, TokenKind::Refresh), &id_token];
        for token in looks_like_ours {
            assert_eq!(labels(&tell(&server, &[token])), [false]);
        }
        let counted = "SELECT failures AS n FROM throttles WHERE key = 'leaks:127.0.0.1'";
        assert_eq!(number(&server, counted), 1);
        tell(&server, &[&id_token, &id_token, api_token(&server).plain.reveal()]);
        assert_eq!(number(&server, counted), 3);
        let forged = format!("{}.{}", id_token.rsplit_once('.').unwrap().0, "A".repeat(86));
        assert_eq!(labels(&tell(&server, &[&forged])), [false]);
        assert_eq!(number(&server, "SELECT count(*) AS n FROM denied_tokens"), 0);
    });
}

/// RFC 6585 §4: "The 429 status code indicates that the user has sent too many requests in a given amount of time". Whoever
/// sends forgeries must not have the reports of others refused that come from the same network: secrets are looked up always.
#[test]
fn a_network_has_only_so_many_jwts_that_are_none_of_ours() {
    const FORGED: &str = "eyJhbGciOiJub25lIn0.e30.c2ln";
    let server = TestServer::with(Setup {
        extra: "[login]\nmax_failures_per_address = 3".to_owned(),
        server: "trusted_proxies = [\"127.0.0.1\"]".to_owned(),
        ..Setup::default()
    });
    let [made, other] = [api_token(&server), api_token(&server)];
    let tell_from = |address: &str, tokens: &[&str]| {
        let found: Vec<Value> = tokens.iter().map(|token| json!({ "token": token })).collect();
        let headers = [("content-type", "application/json"), ("x-forwarded-for", address)];
        server.client().send("POST", LEAKED_TOKENS, &headers, &json!(found).to_string())
    };
    let unknown = unknown(&server, TokenKind::Api);
    for _ in 0..5 {
        assert_eq!(labels(&tell_from("192.0.2.1", &[&unknown])), [false], "a row looked up is not counted");
    }
    assert_eq!(labels(&tell_from("192.0.2.1", &[made.plain.reveal(), FORGED, FORGED])), [true, false, false]);
    assert_eq!(labels(&tell_from("192.0.2.1", &[made.plain.reveal(), FORGED])), [true, false]);
    let refused = tell_from("192.0.2.1", &[FORGED, other.plain.reveal()]);
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("900")), "{}", refused.body);
    assert_eq!(refused.header("cache-control"), Some("no-store"));
    assert!(!is_alive(&server, other.plain.reveal()), "the secret in it is revoked all the same");
    assert_eq!(labels(&tell_from("192.0.2.1", &["garbage", other.plain.reveal()])), [false, true]);
    // Logins from there are another matter, and so is another network.
    let mut browser = server.browser();
    browser.headers.push(("x-forwarded-for".to_owned(), "192.0.2.1".to_owned()));
    let login = ask(&mut browser, "house", &[]);
    assert!(browser.log_in(&login, "alice", super::support::server::PASSWORD).sent("code").is_some());
    assert_eq!(labels(&tell_from("192.0.2.2", &[FORGED])), [false]);
    server.advance(900);
    assert_eq!(labels(&tell_from("192.0.2.1", &[FORGED])), [false]);
}

/// A restart applies the configuration file again: what others have must not count again by that.
#[test]
fn a_leaked_secret_stays_dead_although_it_is_declared() {
    on_each_database(|database| {
        let first = TestServer::on(&database);
        let made = unknown(&first, TokenKind::ClientSecret);
        drop(first);
        let hash = HashedToken::of(&made);
        let clients = CLIENTS.replace("SECRET_HASH:service\"", &format!("{}\"", hash.as_str()));
        let start = || {
            let database = Some(database.url.clone());
            TestServer::with(Setup { clients: clients.clone(), database, ..Setup::default() })
        };
        let form = [("grant_type", "client_credentials")];
        let server = start();
        let status = |server: &TestServer| server.client().post_as("service", &made, "/token", &form).status;
        assert_eq!(status(&server), 200);
        assert_eq!(labels(&tell(&server, &[&made])), [true]);
        server.advance(2);
        assert_eq!(status(&server), 401);
        drop(server);
        let log = SecurityLog::listen();
        let again = start();
        assert_eq!(status(&again), 401);
        assert!(!log.of("leaked_secret_declared").is_empty(), "{}", database.kind);
    });
}

/// Two scanners, or one that asks twice, name the same tokens in another order on two nodes.
#[test]
fn reports_of_the_same_tokens_wait_for_one_another_and_never_fail() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let found: Vec<String> = (0..12)
            .flat_map(|_| {
                let answer = tokens(&server);
                [answer.text("refresh_token"), answer.text("access_token")]
            })
            .collect();
        let statuses = super::support::raw::at_once(8, |at| {
            let mut texts: Vec<&str> = found.iter().map(String::as_str).collect();
            if at % 2 == 0 {
                texts.reverse();
            }
            tell(&server, &texts).status
        });
        assert_eq!(statuses, [200; 8], "{}", database.kind);
        assert!(found.iter().all(|text| !is_alive(&server, text)));
    });
}

/// The log names what was revoked by its id, and where it was found in one printable line; never the token.
#[test]
fn a_revocation_is_a_security_event_without_the_token() {
    let log = SecurityLog::listen();
    let server = TestServer::start();
    let (made, plain) = (api_token(&server), api_token(&server));
    let url = format!("https://code.example/\n\u{1b}[31mevent=\u{202e}\"x\" {}", "a".repeat(5_000));
    let body = json!([
        { "token": made.plain.reveal(), "type": "t", "url": url },
        { "token": plain.plain.reveal(), "type": "t", "url": null },
        { "token": made.plain.reveal(), "type": "t", "url": "twice" },
    ]);
    assert_eq!(labels(&send(&server.client(), &body.to_string())), [true; 3]);
    let leaked = |made: &Made| {
        let events = log.of(made.plain.id()).into_iter();
        events.filter(|event| event["event"] == "token_leaked").collect::<Vec<_>>()
    };
    let events = leaked(&made);
    assert_eq!(events.len(), 1, "{events:?}");
    let event = &events[0];
    assert_eq!((&event["kind"], &event["peer"]), (&json!("API token"), &json!("127.0.0.1")));
    let shown = event["url"].as_str().unwrap();
    assert_eq!(shown.len(), 200);
    assert!(shown.starts_with("https://code.example/??[31mevent=?\"x\" aaaa"), "{shown}");
    assert!(!event.to_string().contains(made.plain.reveal()));
    assert_eq!(leaked(&plain)[0]["url"], "");
    // What was dead already is no event.
    tell(&server, &[made.plain.reveal()]);
    assert_eq!(leaked(&made).len(), 1);
}

#[test]
fn a_request_that_is_no_list_of_tokens_is_refused() {
    let server = TestServer::start();
    let many = |count: usize| json!(vec![json!({ "token": "x" }); count]).to_string();
    assert_eq!(labels(&send(&server.client(), &many(100))).len(), 100);
    assert_eq!(send(&server.client(), "[]").json(), json!([]));
    for body in [
        "",
        "null",
        "{}",
        "\"csgn_api\"",
        "[1]",
        "[null]",
        "[{}]",
        "[{\"type\":\"t\"}]",
        "[{\"token\":1}]",
        "[{\"token\":null}]",
        "[{\"token\":\"x\",\"type\":1}]",
        "[{\"token\":\"x\",\"token\":\"y\"}]",
        "[{\"token\":\"x\"}",
        "[{\"token\":\"x\"}] x",
        &"[".repeat(10_000),
        &many(101),
    ] {
        let answer = send(&server.client(), body);
        assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_request"), "{body:.60}");
    }
    for kind in ["application/x-www-form-urlencoded", "text/plain", "application/json; charset=latin1", ""] {
        let answer = server.client().send("POST", LEAKED_TOKENS, &[("content-type", kind)], "[]");
        assert_eq!(answer.error(), "invalid_request", "{kind}");
    }
    let long = format!("[{{\"token\":\"{}\"}}]", "a".repeat(1 << 20));
    assert_eq!(send(&server.client(), &long).status, 413);
    let get = server.client().get(LEAKED_TOKENS);
    assert_eq!((get.status, get.header("allow")), (405, Some("POST")));
}

/// The token that the claims stand for is denied, not everything with its `jti` in it.
#[test]
fn a_token_of_another_issuer_is_not_ours() {
    let server = TestServer::start();
    let other = TestServer::with(Setup { path: "/other".to_owned(), ..Setup::default() });
    // Both have the keys of the tests; the issuers differ.
    let token = other.token("service", &[("grant_type", "client_credentials")]).text("access_token");
    assert_ne!(claims(&token)["iss"], server.issuer);
    assert_eq!(labels(&tell(&server, &[&token])), [false]);
    assert_eq!(labels(&tell(&other, &[&token])), [true]);
}
