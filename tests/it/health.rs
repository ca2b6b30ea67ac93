//! Health for load balancers, and what the browser sees while the database is gone.

use std::time::{Duration, Instant};

use countersign::http::paths;
use serde_json::json;

use super::support::TestServer;
use super::support::pages::{ask, error_of, is_login, signed_in};
use super::support::postgres::Cluster;
use super::support::server::{PASSWORD, Setup};

#[test]
fn a_server_that_serves_is_live_and_ready() {
    for path in ["", "/auth"] {
        let server = TestServer::with(Setup { path: path.to_owned(), ..Setup::default() });
        for (path, status) in [(paths::LIVE, "live"), (paths::READY, "ready")] {
            let answer = server.client().get(path);
            assert_eq!((answer.status, answer.json()), (200, json!({ "status": status })));
            let head = server.client().send("HEAD", path, &[], "");
            assert_eq!((head.status, head.body.as_str()), (200, ""));
            let post = server.client().post(path, &[]);
            assert_eq!((post.status, post.header("allow")), (405, Some("GET, HEAD")));
        }
    }
}

/// A database that is down is `temporarily_unavailable`, never "not found", and the server serves again when it is back.
#[test]
fn a_database_that_is_gone_is_told_and_its_return_is_noticed() {
    let Some(cluster) = Cluster::start_private() else { return };
    let pool = "acquire_timeout_ms = 500".to_owned();
    let server = TestServer::with(Setup {
        database: Some(cluster.fresh_database()),
        database_extra: pool,
        ..Setup::default()
    });
    let mut browser = signed_in(&server);
    let login = ask(&mut server.browser(), "app", &[]);
    assert!(is_login(&login));
    let mut at_login = server.browser();
    let login = ask(&mut at_login, "app", &[]);
    assert_eq!(server.client().get(paths::READY).status, 200);

    cluster.stop();
    let ready = server.client().get(paths::READY);
    assert_eq!(ready.status, 503);
    assert_eq!(ready.json(), json!({ "status": "unavailable", "database": "unreachable" }));
    assert_eq!(server.client().get(paths::LIVE).status, 200);
    // RFC 6749 §4.1.2.1: "(This error code is needed because a 503 […] cannot be returned to the client via an HTTP
    // redirect.)" A session that cannot be looked up is not "nobody is signed in".
    let answer = ask(&mut browser, "app", &[("prompt", "none")]);
    assert_eq!(error_of(&answer), "temporarily_unavailable");
    assert_eq!(answer.sent("iss").as_deref(), Some(server.issuer.as_str()));
    let refused = at_login.log_in(&login, "alice", PASSWORD);
    assert!(is_login(&refused) && !refused.body.contains("name or password is wrong"), "{}", refused.body);
    assert!(browser.cookies.contains_key("csgn_session") && !at_login.cookies.contains_key("csgn_session"));
    let logout = browser.get("/logout");
    assert_eq!(logout.status, 503, "{}", logout.body);
    assert!(logout.header("retry-after").is_some());
    assert!(logout.body.contains("Please try again in a moment"), "{}", logout.body);
    // Public documents need no database.
    assert_eq!(server.client().get(paths::JWKS).status, 200);
    // What is known of clients and keys grows too old to be trusted.
    server.advance(60);
    let answer = ask(&mut browser, "app", &[]);
    assert_eq!((answer.status, answer.header("location")), (503, None), "{}", answer.body);

    cluster.start();
    let start = Instant::now();
    while server.client().get(paths::READY).status != 200 {
        assert!(start.elapsed() < Duration::from_secs(20), "the server does not come back");
    }
    assert!(ask(&mut browser, "app", &[("prompt", "none")]).sent("code").is_some());
}
