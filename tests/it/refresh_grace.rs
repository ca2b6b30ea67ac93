//! The time in which a used refresh token is not yet a stolen one (RFC 6749 §6, RFC 9700 §4.14.2): whoever lost an answer,
//! or has two tabs, gets the same successor again, and nobody else does.

use countersign::base::encoding::from_base64url;
use countersign::base::{Id, PlainToken, Seconds, TokenKind};
use countersign::jose::Purpose;

use super::support::flow::{authorize, claims, code, redemption, tokens};
use super::support::http::Answer;
use super::support::program::until;
use super::support::raw::Raw;
use super::support::security_log::SecurityLog;
use super::support::server::{CLIENTS, MAIL, Setup, sealer, secret};
use super::support::{Database, TestServer, change, on_each_database};

const GRACE: i64 = 10;
const NATIVE: &[(&str, &str)] = &[("scope", "openid notes:read offline_access")];

fn refresh_with(server: &TestServer, token: &str, more: &[(&str, &str)]) -> Answer {
    let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
    form.extend_from_slice(more);
    server.token("web", &form)
}

fn refresh(server: &TestServer, token: &str) -> Answer {
    refresh_with(server, token, &[])
}

fn next(server: &TestServer, token: &str) -> String {
    let answer = refresh(server, token);
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.text("refresh_token")
}

fn first(server: &TestServer) -> String {
    tokens(server).text("refresh_token")
}

/// Families that were revoked for a reuse.
fn reused(database: &Database) -> i64 {
    let sql = "SELECT count(*) AS n FROM authorizations WHERE revoked_because = 'refresh_token_reused'";
    Raw::open(&database.url).number(sql)
}

#[test]
fn a_lost_answer_is_given_again_and_the_chain_goes_on_from_it() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let old = first(&server);
        let lost = refresh(&server, &old);
        server.advance(GRACE - 1);
        let again = refresh(&server, &old);
        assert_eq!(again.text("refresh_token"), lost.text("refresh_token"), "{}", database.kind);
        // The rest is as fresh as at any refresh.
        let (one, two) = (claims(&lost.text("access_token")), claims(&again.text("access_token")));
        assert_ne!(one["jti"], two["jti"]);
        for token in ["access_token", "id_token"] {
            let (one, two) = (claims(&lost.text(token)), claims(&again.text(token)));
            assert_eq!(two["iat"].as_i64().unwrap(), one["iat"].as_i64().unwrap() + GRACE - 1, "{token}");
            for name in ["sub", "auth_time", "sid"] {
                assert_eq!(one.get(name), two.get(name), "{token}: {name}");
            }
        }
        let newer = next(&server, &again.text("refresh_token"));
        server.advance(300);
        next(&server, &newer);
        assert_eq!(reused(&database), 0, "{}", database.kind);
    });
}

/// RFC 9700 §4.14.2: the reuse "will […] revoke the active refresh token".
#[test]
fn a_reuse_after_the_grace_revokes_everything_and_is_a_security_event() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let log = SecurityLog::listen();
        let alice = server.user("alice").id.to_string();
        let granted = tokens(&server);
        let stolen = granted.text("refresh_token");
        let successor = next(&server, &stolen);
        server.advance(GRACE - 1);
        assert_eq!(next(&server, &stolen), successor);
        assert_eq!(log.of(&alice).len(), 0, "{}", database.kind);
        // The grace is counted from the use, not from the last look.
        server.advance(1);
        assert_eq!(refresh(&server, &stolen).error(), "invalid_grant", "{}", database.kind);
        assert_eq!(refresh(&server, &successor).error(), "invalid_grant", "{}", database.kind);
        assert_eq!(refresh(&server, &stolen).error(), "invalid_grant", "{}", database.kind);
        assert_eq!(reused(&database), 1, "{}", database.kind);

        let events = log.of(&alice);
        assert_eq!(events.len(), 1, "once for each family: {events:?}");
        for (field, value) in [("event", "refresh_token_reused"), ("client", "web"), ("level", "WARN")] {
            assert_eq!(events[0][field], value);
        }
        let jti = claims(&granted.text("access_token"))["jti"].as_str().unwrap().to_owned();
        assert!(jti.starts_with(events[0]["authorization"].as_str().unwrap()), "{jti}");
        for token in [&stolen, &successor] {
            assert!(!events[0].to_string().contains(token.as_str()));
        }
    });
}

/// The thief is quicker, and is noticed all the same: what he got dies when the owner comes.
#[test]
fn a_stolen_token_that_the_thief_used_first_is_found_out_when_the_owner_refreshes() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let stolen = first(&server);
        let mut thiefs = next(&server, &stolen);
        for _ in 0..3 {
            server.advance(100);
            thiefs = next(&server, &thiefs);
        }
        assert_eq!(refresh(&server, &stolen).error(), "invalid_grant", "{}", database.kind);
        assert_eq!(refresh(&server, &thiefs).error(), "invalid_grant", "{}", database.kind);
        assert_eq!(reused(&database), 1);
    });
}

/// Both come within the grace, and so both hold the same token: the next refresh but one tells them apart.
#[test]
fn a_thief_within_the_grace_is_found_out_one_refresh_later() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let stolen = first(&server);
        let (thiefs, owners) = (next(&server, &stolen), next(&server, &stolen));
        server.advance(300);
        let thiefs = next(&server, &thiefs);
        server.advance(GRACE);
        assert_eq!(refresh(&server, &owners).error(), "invalid_grant", "{}", database.kind);
        assert_eq!(refresh(&server, &thiefs).error(), "invalid_grant", "{}", database.kind);
    });
}

/// It would keep the used token, show it minutes later, and be signed out.
#[test]
fn a_tab_that_comes_late_is_led_to_the_newest_token() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let old = first(&server);
        let newest = (0..4).fold(old.clone(), |token, _| next(&server, &token));
        assert_eq!(next(&server, &old), newest, "{}", database.kind);
        // Not on and on, so that nobody lets one request take a thousand steps; and no used token is given out on the way.
        let newest = (0..60).fold(newest, |token, _| next(&server, &token));
        assert_eq!(next(&server, &old), newest, "{}", database.kind);
        let newest = next(&server, &newest);
        assert_eq!(refresh(&server, &old).error(), "invalid_grant", "{}", database.kind);
        assert_eq!(refresh(&server, &newest).status, 200, "nobody is signed out by it: {}", database.kind);
    });
}

#[test]
fn another_node_finds_the_same_successor() {
    on_each_database(|database| {
        let (one, two) = (TestServer::on(&database), TestServer::on(&database));
        let old = first(&one);
        assert_eq!(next(&one, &old), next(&two, &old), "{}", database.kind);
    });
}

/// PostgreSQL, READ COMMITTED: the row is held by a transaction that began earlier, and its end decides. SQLite has one
/// writer, so that nobody there comes second.
#[test]
fn a_refresh_that_waits_for_another_one_goes_by_how_that_one_ended() {
    let Some(database) = Database::postgres() else { return };
    let server = TestServer::on(&database);
    for (end, follows) in [("COMMIT", true), ("ROLLBACK", false)] {
        let old = first(&server);
        let (token, now) = (PlainToken::parse(TokenKind::Refresh, &old).unwrap(), server.app.now());
        // In another second, or both would come to the same successor.
        let now = now - Seconds(1);
        let (master_key, key) = sealer().derive(Purpose::Successor, now).unwrap();
        let mut first_to_come = Raw::open(&database.url);
        let successor = token.successor(&key, family(&mut first_to_come, &token), now).unwrap();
        let (this, next) = (token.hash(), successor.hash());
        first_to_come.run(&format!(
            "BEGIN; UPDATE refresh_tokens SET used_at = {}, successor_key = '{master_key}' WHERE hash = '{}'; \
             INSERT INTO refresh_tokens (hash, authorization_id, created_at, expires_at) \
             SELECT '{}', authorization_id, created_at, expires_at FROM refresh_tokens WHERE hash = '{}'",
            now.0,
            this.as_str(),
            next.as_str(),
            this.as_str(),
        ));
        std::thread::scope(|scope| {
            let second = scope.spawn(|| refresh(&server, &old));
            let waiting = "SELECT count(*) AS n FROM pg_stat_activity \
                           WHERE datname = current_database() AND wait_event_type = 'Lock'";
            let mut watcher = Raw::open(&database.url);
            until("nobody waits for the row", || watcher.number(waiting) == 1);
            first_to_come.run(end);
            let given = second.join().unwrap().text("refresh_token");
            assert_eq!(given == successor.reveal(), follows, "{end}");
        });
    }
    assert_eq!(reused(&database), 0);
}

#[test]
fn a_grace_of_zero_is_none() {
    on_each_database(|database| {
        let extra = "[tokens]\nrefresh_reuse_grace_s = 0".to_owned();
        let server =
            TestServer::with(Setup { database: Some(database.url.clone()), extra, ..Setup::default() });
        let old = first(&server);
        let successor = next(&server, &old);
        let keys = "SELECT count(*) AS n FROM refresh_tokens WHERE successor_key IS NOT NULL";
        assert_eq!(Raw::open(&database.url).number(keys), 0, "{}", database.kind);
        // Not even on a node whose clock is behind that of the node that saw the first use.
        server.advance(-1);
        assert_eq!(refresh(&server, &old).error(), "invalid_grant", "{}", database.kind);
        assert_eq!(refresh(&server, &successor).error(), "invalid_grant", "{}", database.kind);
        assert_eq!(reused(&database), 1);
    });
}

#[test]
fn each_client_may_have_its_own_grace() {
    on_each_database(|database| {
        let clients = CLIENTS.replace(
            "id = \"web\"\n",
            "id = \"web\"\nrefresh_reuse_grace_s = 60\nrefresh_token_idle_ttl_s = 100\n",
        );
        let server =
            TestServer::with(Setup { database: Some(database.url.clone()), clients, ..Setup::default() });
        let old = first(&server);
        let successor = next(&server, &old);
        server.advance(59);
        assert_eq!(next(&server, &old), successor, "{}", database.kind);
        // The idle life of the file counts too, and from the first use.
        server.advance(41);
        assert_eq!(refresh(&server, &successor).error(), "invalid_grant", "{}", database.kind);
        assert_eq!(reused(&database), 0);

        // What an operator takes away is gone at once.
        let old = first(&server);
        next(&server, &old);
        change::client(&server, "web", |draft| draft.refresh_reuse_grace = Some(Seconds(0)));
        assert_eq!(refresh(&server, &old).error(), "invalid_grant", "{}", database.kind);
        assert_eq!(reused(&database), 1);
    });
}

/// RFC 6749 §6: "ensure that the refresh token was issued to the authenticated client". The grace helps nobody else.
#[test]
fn another_client_gets_nothing_within_the_grace_and_changes_nothing() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let old = first(&server);
        let successor = next(&server, &old);
        let form = [("grant_type", "refresh_token"), ("refresh_token", old.as_str())];
        assert_eq!(server.token("house", &form).error(), "invalid_grant", "{}", database.kind);
        assert_eq!(server.public_token("native", &form).error(), "invalid_grant");
        assert_eq!(server.public_token("web", &form).error(), "invalid_client");
        assert_eq!(
            server.client().post_as("web", &secret("house"), "/token", &form).error(),
            "invalid_client"
        );
        assert_eq!(next(&server, &old), successor, "{}", database.kind);
    });
}

/// RFC 6749 §6: the scope "MUST NOT include any scope not originally granted by the resource owner".
#[test]
fn the_scope_is_judged_within_the_grace_as_it_always_is() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let old = first(&server);
        let successor = next(&server, &old);
        for wider in ["notes:read mail:send", "profile", " "] {
            assert_eq!(refresh_with(&server, &old, &[("scope", wider)]).error(), "invalid_scope", "{wider}");
        }
        assert_eq!(refresh_with(&server, &old, &[("resource", MAIL)]).error(), "invalid_target");
        let narrow = refresh_with(&server, &old, &[("scope", "notes:read")]);
        assert_eq!(narrow.text("scope"), "notes:read", "{}", database.kind);
        assert_eq!(narrow.text("refresh_token"), successor, "{}", database.kind);
    });
}

#[test]
fn a_locked_user_is_not_served_within_the_grace() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let old = first(&server);
        next(&server, &old);
        change::lock(&server, "alice");
        assert_eq!(refresh(&server, &old).error(), "invalid_grant", "{}", database.kind);
        assert_eq!(reused(&database), 0);
    });
}

#[test]
fn a_client_that_is_switched_off_is_not_served_within_the_grace() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let old = first(&server);
        next(&server, &old);
        change::switch_off(&server, "web");
        assert_eq!(refresh(&server, &old).error(), "invalid_client", "{}", database.kind);
    });
}

/// What a public client holds never outlives the browser session that it came from, nor an authorization its end.
#[test]
fn neither_an_ended_session_nor_an_ended_authorization_has_a_grace() {
    on_each_database(|database| {
        let extra = "[session]\nttl_s = 1000\nidle_ttl_s = 1000".to_owned();
        let server =
            TestServer::with(Setup { database: Some(database.url.clone()), extra, ..Setup::default() });
        let refresh = |token: &str| {
            server.public_token("native", &[("grant_type", "refresh_token"), ("refresh_token", token)])
        };
        // Signed out.
        let mut browser = server.browser();
        let code_of_browser = authorize(&mut browser, "native", NATIVE).sent("code").unwrap();
        let old = server.public_token("native", &redemption(&code_of_browser)).text("refresh_token");
        assert_eq!(refresh(&old).status, 200);
        let page = browser.get("/logout");
        browser.decide(&page, "logout");
        assert_eq!(refresh(&old).error(), "invalid_grant", "{}", database.kind);
        // Run out.
        let code = code(&server, "native", NATIVE);
        let old = server.public_token("native", &redemption(&code)).text("refresh_token");
        server.advance(995);
        assert_eq!(refresh(&old).status, 200);
        server.advance(4);
        assert_eq!(refresh(&old).status, 200, "{}", database.kind);
        server.advance(1);
        assert_eq!(refresh(&old).error(), "invalid_grant", "{}", database.kind);
        assert_eq!(reused(&database), 0);
    });
}

/// The life of a token is the time in which it may be used; whoever used it in its last second may lose that answer too.
#[test]
fn the_grace_outlives_the_used_tokens_own_life() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        change::client(&server, "web", |draft| draft.refresh_token_idle_ttl = Some(Seconds(60)));
        let old = first(&server);
        server.advance(59);
        let successor = next(&server, &old);
        server.advance(GRACE - 1);
        assert_eq!(next(&server, &old), successor, "{}", database.kind);
    });
}

fn family(raw: &mut Raw, token: &PlainToken) -> Id {
    let hash = token.hash();
    let sql = format!("SELECT authorization_id AS t FROM refresh_tokens WHERE hash = '{}'", hash.as_str());
    raw.texts(&sql)[0].parse().unwrap()
}

/// A database that is stolen, and even an old token beside it, give no living token.
#[test]
fn nothing_in_the_database_gives_a_successor_away() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let old = first(&server);
        let successor = next(&server, &old);
        let columns: Vec<String> = server
            .store()
            .described_columns()
            .unwrap()
            .into_iter()
            .filter(|(table, _, _)| table == "refresh_tokens")
            .map(|(_, column, _)| format!("COALESCE(CAST({column} AS TEXT), '')"))
            .collect();
        assert_eq!(columns.len(), 6);
        let sql = format!("SELECT {} AS t FROM refresh_tokens", columns.join(" || ' ' || "));
        let rows = Raw::open(&database.url).texts(&sql);
        assert_eq!(rows.len(), 2);
        for token in [&old, &successor] {
            // The secret. The id is there: it names the token and gives nothing away.
            for part in token.split('_').filter(|part| part.len() > 12) {
                assert!(rows.iter().all(|row| !row.contains(part)), "{}: {part}", database.kind);
            }
        }

        let old = PlainToken::parse(TokenKind::Refresh, &old).unwrap();
        let (family, at) = (family(&mut Raw::open(&database.url), &old), server.app.now());
        let follows = |key: &[u8; 32]| old.successor(key, family, at).unwrap().reveal() == successor;
        for word in rows.iter().flat_map(|row| row.split([' ', '.'])) {
            let raw = word.as_bytes().to_vec();
            for bytes in [raw, from_base64url(word).unwrap_or_default()] {
                assert!(!bytes.windows(32).any(|key| follows(key.try_into().unwrap())), "{word}");
            }
        }
        // With the master key, which is not in the database, it follows.
        let (master_key, key) = sealer().derive(Purpose::Successor, at).unwrap();
        assert!(follows(&key), "{}", database.kind);
        let sql = "SELECT successor_key AS t FROM refresh_tokens WHERE successor_key IS NOT NULL";
        assert_eq!(Raw::open(&database.url).texts(sql), [master_key], "{}: its name alone", database.kind);
    });
}

/// A token of before the ids had a date is still taken, and its successor has one.
#[test]
fn a_token_that_was_stored_by_its_hash_alone_goes_on() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let old = first(&server);
        let hash = PlainToken::parse(TokenKind::Refresh, &old).unwrap().hash();
        let (stored, before) = (hash.as_str(), hash.without_id());
        let mut raw = Raw::open(&database.url);
        raw.run(&format!("UPDATE refresh_tokens SET hash = '{before}' WHERE hash = '{stored}'"));
        let successor = next(&server, &old);
        assert_eq!(next(&server, &old), successor, "{}: within the grace", database.kind);
        next(&server, &successor);
        server.advance(GRACE);
        assert_eq!(refresh(&server, &old).error(), "invalid_grant", "{}", database.kind);
        assert_eq!(reused(&database), 1, "{}", database.kind);
    });
}

#[test]
fn a_used_token_whose_successor_cannot_be_told_is_reused() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let mut raw = Raw::open(&database.url);
        for sql in [
            // As from the time before there was a grace.
            "UPDATE refresh_tokens SET successor_key = NULL",
            "DELETE FROM refresh_tokens WHERE used_at IS NULL",
        ] {
            let old = first(&server);
            next(&server, &old);
            raw.run(sql);
            let before = reused(&database);
            assert_eq!(refresh(&server, &old).error(), "invalid_grant", "{}: {sql}", database.kind);
            assert_eq!(reused(&database), before + 1, "{}: {sql}", database.kind);
        }
    });
}

/// A clock that went back makes no grace of what is long over, and no thief of whoever lost an answer.
#[test]
fn a_token_that_was_used_in_the_future_is_refused_and_revokes_nothing() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let old = first(&server);
        server.advance(300);
        let newest = next(&server, &next(&server, &old));
        server.advance(-200);
        assert_eq!(refresh(&server, &old).error(), "invalid_grant", "{}", database.kind);
        assert_eq!(reused(&database), 0, "{}", database.kind);
        next(&server, &newest);
    });
}

/// As on a node that has not been given the new master key yet: not the user's fault.
#[test]
fn a_master_key_that_is_not_here_is_a_fault_of_the_server_and_revokes_nothing() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let old = first(&server);
        let successor = next(&server, &old);
        // The last is what stood there when the salt of a successor was kept.
        let sealed = sealer().seal(Purpose::Successor, &[0; 32], server.app.now()).unwrap();
        for text in ["", "x", "AAAAAAAAAAAAAAAA", &sealed] {
            let sql = format!("UPDATE refresh_tokens SET successor_key = '{text}' WHERE used_at IS NOT NULL");
            Raw::open(&database.url).run(&sql);
            let answer = refresh(&server, &old);
            assert_eq!((answer.status, answer.error()), (500, "server_error".to_owned()), "{text}");
        }
        next(&server, &successor);
        assert_eq!(reused(&database), 0, "{}", database.kind);
    });
}
