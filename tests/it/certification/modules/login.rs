//! When a user is asked to sign in, and when not.

use super::super::checks;
use super::super::suite::{Plan, Suite, Tokens, long_state};

/// Two requests of one client in one browser, `wait_s` apart; how often the user signed in, and what the client was given.
fn twice(
    plan: Plan,
    first: &[(&str, &str)],
    wait_s: i64,
    second: impl FnOnce(&Tokens) -> Vec<(&'static str, String)>,
) -> (usize, Tokens, Tokens) {
    let suite = Suite::of(plan);
    let client = suite.register();
    let mut user = suite.user();
    let first = suite.flow(&client, &mut user, &suite.request(&client).with(first));
    assert_eq!(user.logins, 1);
    suite.server.advance(wait_s);
    let changes = second(&first);
    let changes: Vec<(&str, &str)> = changes.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let second = suite.flow(&client, &mut user, &suite.request(&client).with(&changes));
    assert_eq!(first.claims["sub"], second.claims["sub"]);
    (user.logins, first, second)
}

fn one(name: &'static str, value: &str) -> Vec<(&'static str, String)> {
    vec![(name, value.to_owned())]
}

/// When the user proved who they are, if both tokens say so.
fn auth_times(first: &Tokens, second: &Tokens) -> Option<(i64, i64)> {
    let of = |tokens: &Tokens| tokens.claims.get("auth_time").map(|at| at.as_i64().unwrap());
    of(first).zip(of(second))
}

/// `oidcc-prompt-login`: whoever is signed in signs in again, and the ID token says when.
pub fn oidcc_prompt_login(plan: Plan) {
    let (logins, first, second) = twice(plan, &[], 1, |_| one("prompt", "login"));
    assert_eq!(logins, 2);
    assert!(auth_times(&first, &second).is_none_or(|(first, second)| second > first));
    // The suite compares what is there. A client that wants to compare asks for it.
    let (_, first, second) = twice(plan, &[("max_age", "15000")], 1, |_| {
        vec![("prompt", "login".to_owned()), ("max_age", "15000".to_owned())]
    });
    let (first, second) = auth_times(&first, &second).unwrap();
    assert!(second > first);
}

/// `oidcc-prompt-none-not-logged-in`: an error that says that a page was needed, with the long state as it was.
pub fn oidcc_prompt_none_not_logged_in(plan: Plan) {
    let suite = Suite::of(plan);
    let client = suite.register();
    let request = suite.request(&client).with(&[("prompt", "none"), ("state", &long_state())]);
    let mut user = suite.user();
    let callback = suite.authorize(&mut user, &request).callback();
    assert_eq!(checks::error(&suite, &request, &callback), "login_required");
    assert_eq!(user.logins, 0);
}

/// `oidcc-prompt-none-logged-in`: no page, the same user, the same login.
pub fn oidcc_prompt_none_logged_in(plan: Plan) {
    let (logins, first, second) = twice(plan, &[], 0, |_| one("prompt", "none"));
    assert_eq!(logins, 1);
    assert!(auth_times(&first, &second).is_none_or(|(first, second)| second == first));
}

/// `oidcc-max-age-1`: two seconds later the user signs in again, and `auth_time` is there and later.
pub fn oidcc_max_age_1(plan: Plan) {
    let (logins, first, second) = twice(plan, &[], 2, |_| one("max_age", "1"));
    assert_eq!(logins, 2);
    // The login of the first request was at the second of its ID token.
    let of_first = first.claims.get("auth_time").unwrap_or(&first.claims["iat"]).as_i64().unwrap();
    assert_eq!(second.claims["auth_time"].as_i64(), Some(of_first + 2));
    assert_eq!(second.claims["auth_time"], second.claims["iat"]);
}

/// `oidcc-max-age-10000`: nobody signs in again, and both ID tokens tell of the one login.
pub fn oidcc_max_age_10000(plan: Plan) {
    let (logins, first, second) = twice(plan, &[("max_age", "15000")], 2, |_| one("max_age", "10000"));
    assert_eq!(logins, 1);
    let (first, second) = auth_times(&first, &second).expect("auth_time where max_age was asked for");
    assert_eq!(first, second);
}

/// `oidcc-id-token-hint`: the ID token of the first request names the user of the second, without a page.
pub fn oidcc_id_token_hint(plan: Plan) {
    let (logins, first, second) = twice(plan, &[], 0, |first| {
        vec![("prompt", "none".to_owned()), ("id_token_hint", first.id_token.clone())]
    });
    assert_eq!(logins, 1);
    assert!(auth_times(&first, &second).is_none_or(|(first, second)| second == first));
}
