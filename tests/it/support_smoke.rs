//! The tests' own footing: a database that comes, stops and starts, and a browser that reads a page.

use std::io::{Read, Write};
use std::net::TcpListener;

use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl};

use crate::browser::driver::{Look, browse, browse_as, screenshot};
use crate::support::on_each_database;
use crate::support::postgres::{Cluster, postgres};
use crate::support::raw::{Raw, migrated};
use crate::support::tokens::writes_nothing;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

fn count(conn: &mut PgConnection, query: &str) -> i64 {
    diesel::sql_query(query).get_result::<Count>(conn).unwrap().n
}

const TABLES: &str = "SELECT count(*) AS n FROM pg_tables WHERE tablename = 'thing'";

#[test]
fn each_fresh_database_is_its_own() {
    let Some(cluster) = postgres() else { return };
    let (one, two) = (cluster.fresh_database(), cluster.fresh_database());
    PgConnection::establish(&one).unwrap().batch_execute("CREATE TABLE thing (id BIGINT)").unwrap();
    assert_eq!(count(&mut PgConnection::establish(&one).unwrap(), TABLES), 1);
    assert_eq!(count(&mut PgConnection::establish(&two).unwrap(), TABLES), 0);
}

#[test]
fn the_server_does_not_cheat_about_durability() {
    let Some(cluster) = postgres() else { return };
    let mut conn = PgConnection::establish(&cluster.fresh_database()).unwrap();
    let query = "SELECT count(*) AS n FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit') AND setting = 'on'";
    assert_eq!(count(&mut conn, query), 2);
}

#[test]
fn a_private_cluster_can_crash_and_come_back_with_what_it_acknowledged() {
    let Some(cluster) = Cluster::start_private() else { return };
    let url = cluster.fresh_database();
    PgConnection::establish(&url).unwrap().batch_execute("CREATE TABLE thing (id BIGINT)").unwrap();
    cluster.stop();
    assert!(PgConnection::establish(&url).is_err());
    cluster.start();
    assert_eq!(count(&mut PgConnection::establish(&url).unwrap(), TABLES), 1);
}

/// Answers every request with one page, until the process ends.
fn serve_a_page() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let page = "<!doctype html><meta name=viewport content=width=device-width><title>Smoke</title>\
                <style>:root { color-scheme: light dark }</style><p>It burns.";
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n";
            let _ = write!(stream, "{head}content-length: {}\r\n\r\n{page}", page.len());
        }
    });
    url
}

#[test]
fn a_browser_reads_the_title_of_a_page() {
    let url = serve_a_page();
    browse(async |client| {
        client.goto(&url).await.unwrap();
        assert_eq!(client.title().await.unwrap(), "Smoke");
    });
}

#[test]
fn a_phone_in_the_dark_shows_the_page_small_and_dark() {
    let url = serve_a_page();
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("shots/phone.png");
    let ran = browse_as(Look::PHONE.dark(), async |client| {
        client.goto(&url).await.unwrap();
        let script = "return [innerWidth, innerHeight, matchMedia('(prefers-color-scheme: dark)').matches]";
        let seen = client.execute(script, vec![]).await.unwrap();
        assert_eq!(seen, serde_json::json!([390, 844, true]));
        screenshot(&client, &picture).await;
    });
    if ran.is_some() {
        let png = std::fs::read(&picture).unwrap();
        assert_eq!(&png[1..4], b"PNG");
        // Width and height stand in the header chunk.
        assert_eq!(png[16..24], [390_u32.to_be_bytes(), 844_u32.to_be_bytes()].concat());
    }
}

#[test]
fn a_test_that_panics_in_the_browser_still_fails_and_leaves_no_browser() {
    let caught = std::panic::catch_unwind(|| browse(async |_client| panic!("on purpose")));
    // Without a browser nothing ran; with one the panic comes through.
    assert!(caught.is_err() || matches!(caught, Ok(None)));
}

/// Each way of a write is seen, and a look is none.
#[test]
fn a_write_does_not_pass_for_none() {
    on_each_database(|database| {
        drop(migrated(&database.url));
        let sees = |sql: &'static str| {
            let work = std::panic::AssertUnwindSafe(|| {
                writes_nothing(&database, || Raw::open(&database.url).run(sql));
            });
            std::panic::catch_unwind(work).is_err()
        };
        assert!(!sees("SELECT revision FROM config_revision"), "{}", database.kind);
        for sql in [
            "INSERT INTO denied_tokens (jti, revision, expires_at) VALUES ('a', 1, 1)",
            "UPDATE denied_tokens SET revision = revision",
            "DELETE FROM denied_tokens",
        ] {
            assert!(sees(sql), "{sql} on {}", database.kind);
        }
    });
}
