//! Races of the browser side, on both databases: a consent page counts once, and guesses all count.

use std::sync::Barrier;
use std::thread;

use super::support::http::{Answer, Browser};
use super::support::pages::{ask, is_consent, is_login, signed_in};
use super::support::{TestServer, on_each_database};

const PARALLEL: usize = 50;

/// The same thing by so many clones of one browser, all at once.
fn at_once(browser: &Browser, act: impl Fn(&mut Browser) -> Answer + Sync) -> Vec<Answer> {
    let start = Barrier::new(PARALLEL);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..PARALLEL)
            .map(|_| {
                let mut browser = browser.clone();
                let (start, act) = (&start, &act);
                scope.spawn(move || {
                    start.wait();
                    act(&mut browser)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn fifty_answers_to_one_consent_page_give_one_code() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let mut browser = signed_in(&server);
        let page = ask(&mut browser, "web", &[]);
        assert!(is_consent(&page));
        let answers = at_once(&browser, |browser| browser.decide(&page, "allow"));
        let codes =
            answers.iter().filter(|answer| answer.header("location").is_some_and(|to| to.contains("?code=")));
        assert_eq!(codes.count(), 1, "{}", database.kind);
        let used = answers.iter().filter(|answer| answer.body.contains("This step is already done"));
        assert_eq!(used.count(), PARALLEL - 1, "{}", database.kind);
    });
}

/// Each attempt is counted before its password is looked at, so that fifty at once count as fifty.
#[test]
fn fifty_guesses_at_once_are_ten_guesses() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let mut browser = server.browser();
        let page = ask(&mut browser, "house", &[]);
        let answers = at_once(&browser, |browser| browser.log_in(&page, "alice", "wrong password"));
        assert!(answers.iter().all(is_login), "{}", database.kind);
        let count = |text: &str| answers.iter().filter(|answer| answer.body.contains(text)).count();
        assert_eq!(count("name or password is wrong"), 10, "{}", database.kind);
        assert_eq!(count("Too many attempts"), PARALLEL - 10, "{}", database.kind);
    });
}
