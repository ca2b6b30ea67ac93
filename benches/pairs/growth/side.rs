//! One of the two databases, with the tokens that a refresh may still show.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::process::Stdio;
use std::time::Duration;

use countersign::base::clock::{Clock as _, SystemClock};
use countersign::base::entropy::OsEntropy;
use countersign::base::{PlainToken, Timestamp};

use crate::child::{Child, cpu_of};
use crate::fixture::{Fixture, refresh};
use crate::load::{Load, Round};

use super::sql::Sql;

/// Dead refresh tokens beside each living one.
const DEAD_EACH: i64 = 5;
/// Over what time the living ones were given out: as long as they live.
const LIFE_S: i64 = 2_592_000;
/// Families that have ended, beside two that live.
const ENDED_OF_LIVING: i64 = 2;
const FAMILIES_OF_A_USER: i64 = 10;

pub struct Side {
    fixture: Fixture,
    sql: RefCell<Sql>,
    tokens: Vec<String>,
    server: Option<Child>,
}

impl Side {
    /// A database with its tables and clients, as the server makes it.
    pub fn empty(database: Option<String>) -> Self {
        let fixture = Fixture::make(database);
        Child::server(&fixture).end();
        let sql = RefCell::new(Sql::open(&fixture.database));
        Self { fixture, sql, tokens: Vec::new(), server: None }
    }

    pub fn serve(&mut self, environment: &[(&str, &str)], log: impl Into<Stdio>) {
        self.server = Some(Child::server_with(&self.fixture, environment, log));
    }

    pub fn stop(&mut self) {
        self.server.take().unwrap().end();
    }

    /// One round of `count` refreshes, each of another family.
    pub fn refresh(&mut self, count: usize, connections: usize) -> Round {
        let left = self.tokens.len() - count;
        let requests = self.tokens.split_off(left).iter().map(|token| refresh(token)).collect();
        let beside = || self.backends_cpu();
        Load::each(self.server.as_ref().unwrap(), requests).with(&beside).run(connections)
    }

    /// CPU time so far of the server and of what works for it.
    pub fn cpu(&self) -> Duration {
        self.server.as_ref().unwrap().cpu_of_all() + self.backends_cpu()
    }

    /// Refresh tokens that have expired.
    pub fn dead(&self) -> i64 {
        let now = SystemClock.now().0;
        self.sql
            .borrow_mut()
            .number(&format!("SELECT count(*) AS n FROM refresh_tokens WHERE expires_at <= {now}"))
    }

    pub fn size_mb(&self) -> f64 {
        self.sql.borrow_mut().size_mb(&self.fixture.database)
    }

    /// So many families with a living refresh token each, whose text is known of `known`; and, if `with_dead`, five times
    /// as many tokens that have expired: one half of them in families that live on, one half in families that have ended.
    pub fn fill(&mut self, living: i64, known: i64, with_dead: bool) {
        let now = SystemClock.now().0;
        let (families, users) = (living + living / ENDED_OF_LIVING, living / FAMILIES_OF_A_USER);
        let sql = self.sql.get_mut();
        let (uuid, hash) = (sql.uuid(), sql.hash());
        sql.hurry();
        sql.run("CREATE TEMPORARY TABLE known (i BIGINT PRIMARY KEY, hash TEXT NOT NULL)");
        // The i-th of the living was given out at this time.
        let since = |i: i64| now - LIFE_S + i * LIFE_S / living;
        self.tokens = fill_known(sql, known, |at| {
            let i = at * (living / known) + 1;
            (i, Timestamp(since(i)))
        });
        for table in ["family", "person"] {
            sql.run(&format!("CREATE TEMPORARY TABLE {table} (i BIGINT PRIMARY KEY, id TEXT NOT NULL)"));
            let count = if table == "person" { users } else { families };
            sql.run(&format!("INSERT INTO {table} SELECT i, {uuid} FROM {}", sql.series(count)));
        }
        sql.run(&format!(
            "INSERT INTO users (id, username, password_hash, created_at) \
             SELECT id, id, '$argon2id$v=19$m=19456,t=2,p=1$' || {hash} || {hash}, {now} FROM person"
        ));
        // In the order of their random ids: what lives and what has ended lie side by side.
        sql.run(&format!(
            "INSERT INTO authorizations (id, client_id, user_id, session_id, scope, resources, authenticated_at, created_at, \
             expires_at) \
             SELECT f.id, 'web', p.id, {uuid}, 'notes:read offline_access', 'https://notes.example', {now}, {now}, \
             CASE WHEN f.i <= {living} THEN {now} + 2592000 ELSE {now} - 3600 END \
             FROM family f JOIN person p ON p.i = f.i % {users} + 1 ORDER BY f.id"
        ));
        sql.run(&format!(
            "INSERT INTO codes SELECT {hash}, id, 'web', 'https://app.example/cb', true, {hash}, {now} - 3600, {now} - 3600 \
             FROM family ORDER BY id"
        ));
        if with_dead {
            // The older first, as they were made.
            let dead = living * DEAD_EACH;
            let made = format!("{now} - 2592600 - ({dead} - s.i)");
            let token = sql.refresh_token(&made);
            sql.run(&format!(
                "INSERT INTO refresh_tokens \
                 SELECT {token}, f.id, {made}, {now} - 600 - ({dead} - s.i), {now} - 86400, NULL \
                 FROM (SELECT i FROM {}) AS s JOIN family f ON f.i = CASE WHEN s.i % 2 = 0 THEN s.i / 2 % {living} + 1 \
                 ELSE {living} + 1 + s.i / 2 % {} END ORDER BY s.i",
                sql.series(dead),
                families - living
            ));
        }
        let made = format!("{now} - {LIFE_S} + f.i * {LIFE_S} / {living}");
        let token = sql.refresh_token(&made);
        sql.run(&format!(
            "INSERT INTO refresh_tokens SELECT coalesce(k.hash, {token}), f.id, {made}, {now} + 3600 + f.i * {LIFE_S} / {living}, \
             NULL, NULL FROM family f LEFT JOIN known k ON k.i = f.i WHERE f.i <= {living} ORDER BY f.i"
        ));
        for table in ["known", "family", "person"] {
            sql.run(&format!("DROP TABLE {table}"));
        }
        sql.settle();
        // A connection that keeps nothing of the hurry.
        *sql = Sql::open(&self.fixture.database);
    }

    /// Gives each living family one new token and nothing else, so that there are as many as in the beginning.
    pub fn renew(&mut self) {
        let now = SystemClock.now().0;
        let alive = format!("FROM authorizations WHERE expires_at > {now}");
        let sql = self.sql.get_mut();
        let families = sql.number(&format!("SELECT count(*) AS n {alive}"));
        sql.run("CREATE TEMPORARY TABLE known (i BIGINT PRIMARY KEY, hash TEXT NOT NULL)");
        self.tokens = fill_known(sql, families, |at| (at + 1, Timestamp(now)));
        sql.run(&format!(
            "BEGIN; DELETE FROM refresh_tokens; \
             INSERT INTO refresh_tokens SELECT k.hash, f.id, {now}, {now} + 2592000, NULL, NULL \
             FROM known k JOIN (SELECT id, row_number() OVER (ORDER BY id) AS i {alive}) AS f ON f.i = k.i; \
             COMMIT; DROP TABLE known"
        ));
        if let Sql::Postgres(_) = sql {
            sql.run("VACUUM refresh_tokens");
        }
    }

    /// CPU time so far of the PostgreSQL processes that serve the server's connections.
    fn backends_cpu(&self) -> Duration {
        let sql = &mut *self.sql.borrow_mut();
        if let Sql::Sqlite(_) = sql {
            return Duration::ZERO;
        }
        let pids = sql.numbers(
            "SELECT pid::bigint AS n FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
        );
        pids.into_iter().map(cpu_of).sum()
    }
}

/// `known` tokens, in no order of time, so that two that are shown one after the other do not lie side by side. `which`
/// tells of each its place among the living and when it was given out; the hashes go into the table `known`.
fn fill_known(sql: &mut Sql, known: i64, which: impl Fn(i64) -> (i64, Timestamp)) -> Vec<String> {
    // A stride that shares no divisor with the count comes by all of them.
    let stride = (known * 61 / 100..).find(|stride| gcd(*stride, known) == 1).unwrap();
    let order: Vec<i64> = (0..known).map(|n| n * stride % known).collect();
    let mut texts = Vec::with_capacity(order.len());
    for chunk in order.chunks(500) {
        let mut values = String::new();
        for at in chunk {
            let (i, made) = which(*at);
            let token = PlainToken::refresh(made, &OsEntropy).unwrap();
            let comma = if values.is_empty() { "" } else { ", " };
            write!(values, "{comma}({i}, '{}')", token.hash().as_str()).unwrap();
            texts.push(token.reveal().to_owned());
        }
        sql.run(&format!("INSERT INTO known VALUES {values}"));
    }
    texts
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
