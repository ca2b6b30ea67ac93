//! Clients that registered themselves and are of no use go away; what is sealed of them follows the master key.

use countersign::app;
use countersign::base::{Seconds, Timestamp};
use countersign::flow::registration;
use countersign::jose::{MasterKey, MasterKeys, Sealer};
use serde_json::json;

use super::support::flow::{authorize, redemption};
use super::support::raw::Raw;
use super::support::registration::{initial_token, least, least_with, manage, registered, setup};
use super::support::server::{MASTER_KEY, Setup};
use super::support::{Database, TestServer, on_each_database};

const DAY: i64 = 86_400;

fn on(database: &Database) -> TestServer {
    let lines = "mode = \"open\"\nunused_ttl_s = 86400\nmax_per_address = 1000";
    TestServer::with(Setup { database: Some(database.url.clone()), ..setup(lines) })
}

fn sweep(server: &TestServer, now: Timestamp) -> usize {
    let rows = app::sweep(server.store(), now, 5, &mut |_| true).unwrap().rows;
    server.refresh();
    rows
}

fn count(database: &Database, table: &str) -> i64 {
    Raw::open(&database.url).number(&format!("SELECT count(*) AS n FROM {table}"))
}

/// RFC 7591 §5: whoever may register may do so again and again.
#[test]
fn a_client_that_is_never_used_goes_away_and_one_that_is_used_stays() {
    on_each_database(|database| {
        let server = on(&database);
        let before = count(&database, "clients");
        let unused: Vec<_> = (0..23).map(|_| registered(&server, &least())).collect();
        let (by_code, by_token) = (registered(&server, &least()), registered(&server, &least()));
        let of = |told: &serde_json::Value, name: &str| told[name].as_str().unwrap().to_owned();
        // One was given a code alone, the other a token for it.
        let ask = |told| authorize(&mut server.browser(), &of(told, "client_id"), &[("scope", "openid")]);
        assert!(ask(&by_code).sent("code").is_some());
        let code = ask(&by_token).sent("code").unwrap();
        let (id, secret) = (of(&by_token, "client_id"), of(&by_token, "client_secret"));
        assert_eq!(server.client().post_as(&id, &secret, "/token", &redemption(&code)).status, 200);
        server.app.write_last_uses();

        let registered_at = server.app.now();
        sweep(&server, registered_at + Seconds(DAY + 299));
        assert_eq!(count(&database, "registrations"), 25, "{}", database.kind);
        sweep(&server, registered_at + Seconds(DAY + 300));
        assert_eq!(count(&database, "registrations"), 2, "{}", database.kind);
        assert_eq!(count(&database, "clients"), before + 2);
        assert_eq!(count(&database, "authorizations WHERE revoked_at IS NULL"), 2);
        let (path, token) = (
            format!("/register/{}", of(&unused[0], "client_id")),
            of(&unused[0], "registration_access_token"),
        );
        assert_eq!(manage(&server, "GET", &path, Some(&token), "").status, 401);
        // However long they are not used from then on.
        sweep(&server, registered_at + Seconds(1000 * DAY));
        assert_eq!(count(&database, "registrations"), 2, "{}", database.kind);
    });
}

/// What was noted in memory only may be lost in a crash: an authorization shows that the client was used.
#[test]
fn a_client_with_an_authorization_stays_although_its_use_was_never_written_down() {
    on_each_database(|database| {
        let server = on(&database);
        let told = registered(&server, &least());
        for _ in 0..7 {
            registered(&server, &least());
        }
        let id = told["client_id"].as_str().unwrap();
        assert!(authorize(&mut server.browser(), id, &[("scope", "openid")]).sent("code").is_some());
        let past = server.app.now() + Seconds(DAY + 300);
        // Not so far that the authorization itself is swept first.
        Raw::open(&database.url).run(&format!("UPDATE authorizations SET expires_at = {}", past.0 + DAY));
        sweep(&server, past);
        assert_eq!(count(&database, "registrations"), 1, "{}", database.kind);
        sweep(&server, past + Seconds(100 * DAY));
        assert_eq!(count(&database, "registrations"), 1, "it was told that it is used");
    });
}

#[test]
fn an_initial_access_token_is_listed_for_a_month_after_its_end() {
    on_each_database(|database| {
        let server = on(&database);
        initial_token(&server, None, Seconds(DAY));
        let end = server.app.now() + Seconds(DAY);
        sweep(&server, end + Seconds(30 * DAY - 1));
        assert_eq!(count(&database, "initial_access_tokens"), 1);
        sweep(&server, end + Seconds(30 * DAY));
        assert_eq!(count(&database, "initial_access_tokens"), 0);
    });
}

/// RFC 7592 §3 has the secret told again, so that it is kept: under the master key, and under the next one after that.
#[test]
fn secrets_follow_the_master_key() {
    on_each_database(|database| {
        let server = on(&database);
        let told = registered(&server, &least());
        registered(&server, &least_with(json!({ "token_endpoint_auth_method": "none" })));
        let now = server.app.now();
        let (old, new) = (MasterKey::from_bytes(MASTER_KEY), MasterKey::from_bytes([7; 32]));
        let entropy = || std::sync::Arc::new(countersign::base::entropy::OsEntropy);
        let both = Sealer::new(&MasterKeys { current: new, previous: vec![old] }, entropy());
        let new = MasterKey::from_bytes([7; 32]);
        let new_alone = Sealer::new(&MasterKeys { current: new, previous: Vec::new() }, entropy());
        let closed = |sealer| registration::sealed_under_others(server.store(), sealer, now).unwrap();
        assert_eq!(closed(&new_alone).as_deref(), told["client_id"].as_str());
        assert_eq!(registration::reseal(server.store(), &both, now).unwrap(), 1);
        assert_eq!(registration::reseal(server.store(), &both, now).unwrap(), 0, "twice is once");
        assert_eq!(closed(&new_alone), None);
        // This server has the old key only, and says so in its own log, not to the client.
        let path = format!("/register/{}", told["client_id"].as_str().unwrap());
        let answer = manage(&server, "GET", &path, told["registration_access_token"].as_str(), "");
        assert_eq!((answer.status, answer.error().as_str()), (500, "server_error"));
        assert!(!answer.body.contains("master"), "{}", answer.body);
        assert!(registration::reseal(server.store(), &super::support::server::sealer(), now).is_err());
    });
}
