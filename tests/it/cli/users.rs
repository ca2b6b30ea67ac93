//! `countersign user` and `role`: passwords, locks, and roles that go into tokens.

use super::{API, with_api};
use crate::support::flow::{authorize_path, challenge, claims};
use crate::support::http::Answer;
use crate::support::program::{Home, Served, until};

const NEW: &str = "correct horse battery";

/// A home with a client for the password grant, a user `alice` and a running server.
fn with_alice() -> (Home, Served, String) {
    let home = with_api();
    let client = home.json(&[
        "client",
        "add",
        "--profile",
        "first-party",
        "--id",
        "own",
        "--grant",
        "password",
        "--grant",
        "refresh_token",
        "--allow-password-grant",
        "--resource",
        API,
        "--scope",
        "notes:read",
    ]);
    let secret = client["client_secret"].as_str().unwrap().to_owned();
    home.ok(&["role", "add", "editor"]);
    let added = home.run_with(&["user", "add", "alice", "--password-stdin"], &format!("{NEW}\n"));
    assert_eq!(added.code, 0, "{added:?}");
    assert!(!added.out.contains(NEW) && !added.err.contains(NEW), "{added:?}");
    let served = home.serve();
    (home, served, secret)
}

fn log_in(served: &Served, secret: &str, password: &str) -> Answer {
    let form = [
        ("grant_type", "password"),
        ("username", "alice"),
        ("password", password),
        ("scope", "notes:read offline_access"),
    ];
    served.client().post_as("own", secret, "/token", &form)
}

fn refresh(served: &Served, secret: &str, token: &str) -> Answer {
    let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
    served.client().post_as("own", secret, "/token", &form)
}

/// The page on which users see their own sessions, for whoever runs the server.
#[test]
fn an_operator_sees_a_users_sessions_and_ends_one_or_all() {
    let home = with_api();
    let redirect = "https://app.example/cb";
    home.ok(&[
        "client",
        "add",
        "--profile",
        "spa",
        "--id",
        "app",
        "--redirect-uri",
        redirect,
        "--resource",
        API,
        "--scope",
        "notes:read",
        "--skip-consent",
        "true",
    ]);
    for name in ["alice", "bob"] {
        let added = home.run_with(&["user", "add", name, "--password-stdin"], &format!("{NEW}\n"));
        assert_eq!(added.code, 0, "{added:?}");
    }
    let served = home.serve();
    assert_eq!(home.json(&["user", "sessions", "alice"]), serde_json::json!([]));
    assert!(home.ok(&["user", "sessions", "alice"]).contains("none"));
    let challenge = ("code_challenge", &*challenge());
    let asked =
        [("scope", "openid"), ("redirect_uri", redirect), challenge, ("code_challenge_method", "S256")];
    let mut browsers = [(); 3].map(|()| served.browser());
    for (browser, name) in browsers.iter_mut().zip(["alice", "alice", "bob"]) {
        let page = browser.get(&authorize_path("app", &asked));
        let page = browser.follow(page);
        let back = browser.log_in(&page, name, NEW);
        assert!(back.sent("code").is_some(), "{}", back.body);
    }
    let sessions = home.json(&["user", "sessions", "alice"]);
    assert_eq!(sessions.as_array().unwrap().len(), 2, "{sessions}");
    assert_eq!(sessions[0]["clients"], serde_json::json!(["app"]));
    let [first, second] = [0, 1].map(|at| sessions[at]["id"].as_str().unwrap().to_owned());
    assert!(home.ok(&["user", "sessions", "alice"]).contains(&first));

    // Another user's session is not alice's to end, nor is one that ended.
    let bobs = home.json(&["user", "sessions", "bob"])[0]["id"].as_str().unwrap().to_owned();
    assert!(home.refused(&["user", "sign-out", "alice", "--session", &bobs]).contains("has no session"));
    assert_eq!(home.json(&["user", "sign-out", "alice", "--session", &first])["ended"], 1);
    assert!(home.refused(&["user", "sign-out", "alice", "--session", &first]).contains("has no session"));
    assert!(home.refused(&["user", "sessions", "carol"]).contains("no user of this name"));
    assert!(home.refused(&["user", "sign-out", "carol"]).contains("no user of this name"));
    let left = home.json(&["user", "sessions", "alice"]);
    assert_eq!((left.as_array().unwrap().len(), left[0]["id"].as_str()), (1, Some(&*second)));
    assert_eq!(home.ok(&["user", "sign-out", "alice"]).trim(), "1 session of alice ended");

    // What the browsers find: bob alone is still there.
    let silent = authorize_path("app", &[&asked[..], &[("prompt", "none")]].concat());
    let found = browsers.map(|mut browser| browser.get(&silent).sent("error"));
    let gone = Some("login_required".to_owned());
    assert_eq!(found, [gone.clone(), gone, None]);
}

/// The page on which users see which applications have access, for whoever runs the server.
#[test]
fn an_operator_sees_a_users_applications_and_withdraws_one() {
    let (home, served, secret) = with_alice();
    assert_eq!(home.json(&["user", "applications", "alice"]), serde_json::json!([]));
    assert_eq!(home.ok(&["user", "applications", "alice"]).trim(), "none");
    let token = log_in(&served, &secret, NEW).text("refresh_token");
    let found = home.json(&["user", "applications", "alice"]);
    let first = &found[0];
    assert_eq!((found.as_array().unwrap().len(), &first["client_id"]), (1, &"own".into()), "{found}");
    assert_eq!((&first["access"], &first["scope"]), (&"lasting".into(), &"notes:read offline_access".into()));
    assert!(first["since"].is_number(), "{found}");
    let said = home.ok(&["user", "applications", "alice"]);
    assert!(said.contains("own") && said.contains("lasting") && said.contains("notes:read"), "{said}");

    // Nothing is withdrawn by mistake.
    for (name, client, told) in
        [("alice", "nobody", "allowed nobody nothing"), ("carol", "own", "no user of this name")]
    {
        assert!(home.refused(&["user", "withdraw", name, client]).contains(told), "{name} {client}");
    }
    assert!(home.refused(&["user", "applications", "carol"]).contains("no user of this name"));
    let token = refresh(&served, &secret, &token).text("refresh_token");
    assert_eq!(home.json(&["user", "withdraw", "alice", "own"])["withdrawn"], "own");
    assert_eq!(refresh(&served, &secret, &token).error(), "invalid_grant");
    assert_eq!(home.json(&["user", "applications", "alice"]), serde_json::json!([]));
    assert!(home.refused(&["user", "withdraw", "alice", "own"]).contains("nothing that could be withdrawn"));
    assert_eq!(log_in(&served, &secret, NEW).status, 200, "the account goes on");
    assert!(home.ok(&["user", "withdraw", "alice", "own"]).contains("is withdrawn"));
}

#[test]
fn a_lock_ends_renewal_and_an_unlock_lets_in_again_but_gives_nothing_back() {
    let (home, served, secret) = with_alice();
    let token = log_in(&served, &secret, NEW).text("refresh_token");
    let locked = home.json(&["user", "lock", "alice"]);
    assert!(locked["locked_at"].is_number());
    assert_eq!(refresh(&served, &secret, &token).error(), "invalid_grant");
    assert_eq!(log_in(&served, &secret, NEW).error(), "invalid_grant");
    assert!(home.json(&["user", "unlock", "alice"])["locked_at"].is_null());
    assert_eq!(log_in(&served, &secret, NEW).status, 200);
    assert_eq!(refresh(&served, &secret, &token).error(), "invalid_grant");
}

#[test]
fn a_new_password_signs_out_and_the_old_one_counts_no_more() {
    let (home, served, secret) = with_alice();
    let token = log_in(&served, &secret, NEW).text("refresh_token");
    let made = home.json(&["user", "password", "alice", "--generate"]);
    let password = made["password"].as_str().unwrap();
    assert!(password.len() >= 20, "{password}");
    assert_eq!(refresh(&served, &secret, &token).error(), "invalid_grant");
    assert_eq!(log_in(&served, &secret, NEW).error(), "invalid_grant");
    assert_eq!(log_in(&served, &secret, password).status, 200);
}

#[test]
fn a_lock_ends_the_session_of_the_browser() {
    let (home, served, _) = with_alice();
    let uri = "https://app.example/cb";
    home.ok(&["client", "add", "--profile", "spa", "--id", "app", "--redirect-uri", uri]);
    let silent = |prompt| authorize_path("app", &[("scope", "openid"), ("prompt", prompt)]);
    let mut browser = served.browser();
    until("the client is not known", || browser.get(&silent("none")).status == 303);
    let page = browser.get(&silent("login"));
    let page = browser.follow(page);
    let page = browser.log_in(&page, "alice", NEW);
    let back = browser.decide(&page, "allow");
    assert!(back.sent("code").is_some(), "{}", back.location());
    assert!(browser.get(&silent("none")).sent("code").is_some());
    home.ok(&["user", "lock", "alice"]);
    assert_eq!(browser.get(&silent("none")).sent("error").as_deref(), Some("login_required"));
}

#[test]
fn roles_that_are_given_go_into_the_token_and_those_taken_do_not() {
    let (home, served, secret) = with_alice();
    let roles = || claims(&log_in(&served, &secret, NEW).text("access_token")).get("roles").cloned();
    let none = roles();
    assert!(none.is_none() || none == Some(serde_json::json!([])), "{none:?}");
    assert_eq!(home.json(&["user", "give", "alice", "editor"])["roles"], serde_json::json!(["editor"]));
    home.ok(&["user", "give", "alice", "editor"]);
    assert_eq!(roles(), Some(serde_json::json!(["editor"])));
    home.ok(&["user", "take", "alice", "editor"]);
    assert_eq!(roles(), none);
    assert!(home.refused(&["user", "take", "alice", "editor"]).contains("does not have"));
    assert!(home.refused(&["user", "give", "alice", "boss"]).contains("countersign role add boss"));
    home.ok(&["user", "give", "alice", "editor"]);
    home.ok(&["role", "delete", "editor"]);
    assert_eq!(roles(), none, "a role that is gone");
}

#[test]
fn a_deleted_user_gets_nothing_more() {
    let (home, served, secret) = with_alice();
    let token = log_in(&served, &secret, NEW).text("refresh_token");
    home.ok(&["user", "delete", "alice"]);
    assert_eq!(refresh(&served, &secret, &token).error(), "invalid_grant");
    assert_eq!(log_in(&served, &secret, NEW).error(), "invalid_grant");
}

#[test]
fn a_name_is_one_in_every_case_and_form() {
    let home = Home::new("");
    home.ok(&["user", "add", "Alice", "--generate"]);
    for typed in ["alice", " ALICE ", "ＡＬＩＣＥ"] {
        assert_eq!(home.json(&["user", "show", typed])["username"], "alice", "{typed}");
        assert!(home.refused(&["user", "add", typed, "--generate"]).contains("already"), "{typed}");
    }
}

#[test]
fn a_password_is_taken_as_it_was_typed_or_refused_with_the_reason() {
    let home = Home::new("");
    let long = "x".repeat(1025);
    let longer = "x".repeat(5000);
    for (password, word) in
        [("", "8"), ("seven77", "8"), (&*long, "1024"), (&*longer, "1024"), ("nul\0nul\0nul", "NUL")]
    {
        let run = home.run_with(&["user", "add", "alice", "--password-stdin"], password);
        assert!(run.code == 1 && run.err.contains(word), "{run:?}");
        assert!(password.is_empty() || !run.err.contains(password), "{run:?}");
    }
    let run = home.run(&["user", "add", "alice"]);
    assert!(run.code == 1 && run.err.contains("--password-stdin"), "{run:?}");
    assert!(home.refused(&["user", "add", "alice", "--generate", "--role", "boss"]).contains("role add"));
    assert!(home.refused(&["user", "show", "alice"]).contains("user list"), "nothing was made");
}

#[test]
fn what_people_read_of_a_user_can_be_changed_and_taken_away() {
    let home = Home::new("");
    home.ok(&["user", "add", "alice", "--generate", "--email", "a@example.org", "--display-name", "Alice"]);
    let changed = home.json(&["user", "edit", "alice", "--email", "", "--display-name", "Alice B"]);
    assert!(changed["email"].is_null() && changed["display_name"] == "Alice B", "{changed}");
    for wrong in [["--email", "nowhere"], ["--display-name", "a\u{1b}[31m"]] {
        let told = home.refused(&[&["user", "edit", "alice"][..], &wrong].concat());
        assert!(told.contains(&wrong[0][2..].replace('-', "_")), "{told}");
    }
    let listed = home.ok(&["user", "list", "--json"]);
    assert!(!listed.contains("argon2") && listed.contains("Alice B"), "{listed}");
}

#[test]
fn every_standard_claim_and_any_attribute_is_set_by_name_and_shown() {
    let (home, _, _) = with_alice();
    let edited = home.json(&[
        "user",
        "edit",
        "alice",
        "--email",
        "alice@example.org",
        "--claim",
        "given_name=Alice",
        "--claim",
        "address.locality=Paris",
        "--claim",
        "email_verified=true",
        "--attribute",
        "team=red",
        "--attribute-json",
        "floors=[1, 2]",
    ]);
    let claims = &edited["claims"];
    assert_eq!(claims["given_name"], "Alice");
    assert_eq!(claims["address"], serde_json::json!({ "locality": "Paris" }));
    assert_eq!(claims["email_verified"], true);
    assert_eq!(claims["updated_at"], edited["updated_at"]);
    assert_eq!(edited["attributes"], serde_json::json!({ "team": "red", "floors": [1, 2] }));
    let shown = home.ok(&["user", "show", "alice"]);
    for line in ["given_name        Alice", "address.locality  Paris", "attribute         team = red"] {
        assert!(shown.contains(line), "{shown}");
    }
    let gone = home.json(&["user", "edit", "alice", "--claim", "given_name=", "--attribute", "team="]);
    assert_eq!((gone["claims"].get("given_name"), gone["attributes"].get("team")), (None, None));
    assert_eq!(gone["claims"]["email_verified"], true);
    let moved = home.json(&["user", "edit", "alice", "--email", "al@example.org"]);
    assert_eq!(moved["claims"]["email_verified"], false, "the new address is not verified");

    for (given, says) in [
        (["--claim", "birthdate=yesterday"], "YYYY-MM-DD"),
        (["--claim", "sub=1"], "no claim that can be set"),
        (["--attribute", "a b=1"], "letters"),
    ] {
        let told = home.refused(&["user", "edit", "alice", given[0], given[1]]);
        assert!(told.contains(says), "{given:?}: {told}");
    }
    assert_eq!(home.json(&["user", "show", "alice"])["claims"], moved["claims"], "nothing is lost");
}
