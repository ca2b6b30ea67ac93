//! `kill -9` at any moment loses nothing that was acknowledged, and lets nothing be used twice.

use std::sync::Mutex;
use std::time::Duration;

use super::support::db::{Database, on_each_database};
use super::support::flow::{authorize_path, redemption};
use super::support::http::{Answer, Browser, Client, basic, form};
use super::support::program::{Home, Served, set_mode};
use super::support::server::{CALLBACK, PASSWORD, SECRET};

const ROUNDS: u64 = 3;
const WORKERS: u64 = 4;

/// Numbers that are the same at every run (xorshift64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// What the server said before it was killed.
#[derive(Default)]
struct Acknowledged {
    /// Codes that nobody has tried to redeem.
    codes: Vec<String>,
    /// Codes that were sent in, without an answer.
    codes_sent: Vec<String>,
    /// Codes that were redeemed.
    redeemed: Vec<String>,
    /// The newest refresh token of each family.
    newest: Vec<String>,
    /// Refresh tokens that were sent in, without an answer.
    newest_sent: Vec<String>,
    /// Refresh tokens that were exchanged for newer ones.
    exchanged: Vec<String>,
}

fn home(database: &Database) -> Home {
    let hash = countersign::base::HashedToken::of(SECRET);
    let home = Home::new(&format!(
        "[database]\nurl = \"{}\"\nmigrate_at_start = true\n\
         [[clients]]\nid = \"web\"\nprofile = \"first-party\"\nredirect_uris = [\"{CALLBACK}\"]\nsecret_hash = \"{}\"\n\
         refresh_reuse_grace_s = 0\n",
        database.url,
        hash.as_str()
    ));
    set_mode(&home.path("countersign.toml"), 0o600);
    home.ok(&["migrate"]);
    assert_eq!(home.run_with(&["user", "add", "alice", "--password-stdin"], PASSWORD).code, 0);
    home
}

fn token(client: &Client, pairs: &[(&str, &str)]) -> Option<Answer> {
    let authorization = basic("web", SECRET);
    let headers =
        [("content-type", "application/x-www-form-urlencoded"), ("authorization", authorization.as_str())];
    client.try_send("POST", "/token", &headers, &form(pairs)).ok()
}

fn refresh(token: &str) -> [(&'static str, &str); 2] {
    [("grant_type", "refresh_token"), ("refresh_token", token)]
}

fn log_in(served: &Served) -> Browser {
    let mut browser = served.browser();
    let page = browser.get(&authorize_path("web", &[("scope", "openid")]));
    let page = browser.follow(page);
    assert!(browser.log_in(&page, "alice", PASSWORD).sent("code").is_some());
    browser
}

/// A code by the session of the browser, without a page.
fn silent(browser: &Browser) -> Option<Answer> {
    let cookies: Vec<String> =
        browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let path = authorize_path("web", &[("scope", "openid offline_access"), ("prompt", "none")]);
    browser.client.try_send("GET", &path, &[("cookie", &cookies.join("; "))], "").ok()
}

/// Codes, redemptions and refreshes, until the server is gone.
fn work(browser: &Browser, chance: &mut Chance, told: &Mutex<Acknowledged>) {
    while let Some(answer) = silent(browser) {
        let code = answer.sent("code").unwrap_or_else(|| panic!("no code: {}", answer.location()));
        if chance.below(3) == 0 {
            told.lock().unwrap().codes.push(code);
            continue;
        }
        let Some(answer) = token(&browser.client, &redemption(&code)) else {
            return told.lock().unwrap().codes_sent.push(code);
        };
        assert_eq!(answer.status, 200, "{}", answer.body);
        told.lock().unwrap().redeemed.push(code);
        let mut newest = answer.text("refresh_token");
        for _ in 0..chance.below(4) {
            let Some(answer) = token(&browser.client, &refresh(&newest)) else {
                return told.lock().unwrap().newest_sent.push(newest);
            };
            assert_eq!(answer.status, 200, "{}", answer.body);
            told.lock().unwrap().exchanged.push(newest);
            newest = answer.text("refresh_token");
        }
        told.lock().unwrap().newest.push(newest);
    }
}

fn check(client: &Client, told: &Acknowledged) {
    let status = |pairs: &[(&str, &str)]| token(client, pairs).unwrap().status;
    for code in &told.codes {
        assert_eq!(status(&redemption(code)), 200, "a code is lost");
    }
    for newest in &told.newest {
        assert_eq!(status(&refresh(newest)), 200, "a refresh token is lost");
    }
    // Nobody knows whether these counted before the end; more than once they must not.
    for code in &told.codes_sent {
        let wins = (0..2).filter(|_| status(&redemption(code)) == 200).count();
        assert!(wins <= 1, "a code was redeemed twice");
    }
    for newest in &told.newest_sent {
        let wins = (0..2).filter(|_| status(&refresh(newest)) == 200).count();
        assert!(wins <= 1, "a refresh token was exchanged twice");
    }
    // Last, as each of these revokes its family.
    for old in &told.exchanged {
        assert_eq!(status(&refresh(old)), 400, "a refresh token was exchanged twice");
    }
    for code in told.redeemed.iter().chain(&told.codes) {
        assert_eq!(status(&redemption(code)), 400, "a code was redeemed twice");
    }
}

#[test]
fn a_server_that_is_killed_remembers_what_it_acknowledged_and_lets_nothing_be_used_twice() {
    on_each_database(|database| {
        let home = home(&database);
        let mut done = 0;
        for round in 0..ROUNDS {
            let mut served = home.serve();
            let browsers: Vec<Browser> = (0..WORKERS).map(|_| log_in(&served)).collect();
            let told = Mutex::new(Acknowledged::default());
            let mut chance = Chance(0x9E37_79B9_7F4A_7C15 ^ (round + 1));
            std::thread::scope(|scope| {
                for (number, browser) in browsers.iter().enumerate() {
                    let mut chance = Chance(chance.below(u64::MAX) ^ (number as u64 + 1));
                    let told = &told;
                    scope.spawn(move || work(browser, &mut chance, told));
                }
                // The moment is what is tested: there is no clock to move.
                std::thread::sleep(Duration::from_millis(300 + chance.below(700)));
                served.child.kill().unwrap();
                served.child.wait().unwrap();
            });
            let told = told.into_inner().unwrap();
            let served = home.serve();
            for browser in &browsers {
                let answer = silent(browser).unwrap();
                assert!(answer.sent("code").is_some(), "a session is lost: {}", answer.location());
            }
            check(&served.client(), &told);
            done += told.redeemed.len() + told.codes.len();
        }
        assert!(done > 0, "{}: nothing was done before the kill", database.kind);
    });
}
