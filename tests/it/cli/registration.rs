//! `countersign registration token`: shown once, listed without the secret, revoked by its id.

use serde_json::json;

use crate::support::program::Home;

#[test]
fn an_initial_access_token_is_printed_once() {
    let home = Home::new("");
    let made =
        home.json(&["registration", "token", "create", "--uses", "2", "--expires-in", "12h", "--name", "CI"]);
    let token = made["token"].as_str().unwrap();
    assert!(token.starts_with(&format!("csgn_ia_{}_", made["id"].as_str().unwrap())), "{made}");
    assert_eq!((&made["max_uses"], &made["uses"], &made["name"]), (&json!(2), &json!(0), &json!("CI")));
    let life = made["expires_at"].as_i64().unwrap() - made["created_at"].as_i64().unwrap();
    assert_eq!(life, 12 * 3_600);
    let plain = home.json(&["registration", "token", "create"]);
    assert_eq!(plain["max_uses"], json!(null));
    for list in
        [home.ok(&["registration", "token", "list"]), home.ok(&["registration", "token", "list", "--json"])]
    {
        assert!(list.contains("CI") && !list.contains("csgn_ia"), "{list}");
    }
    assert_eq!(home.json(&["registration", "token", "list"]).as_array().unwrap().len(), 2);
}

#[test]
fn a_token_is_revoked_once() {
    let home = Home::new("");
    let made = home.json(&["registration", "token", "create"]);
    let id = made["id"].as_str().unwrap();
    assert_eq!(home.json(&["registration", "token", "revoke", id]), json!({ "revoked": id }));
    assert!(
        home.refused(&["registration", "token", "revoke", id]).contains("no token of this id that counts")
    );
    assert!(home.ok(&["registration", "token", "list"]).contains("revoked"));
}

#[test]
fn what_no_token_may_be_is_told() {
    let home = Home::new("");
    let told = |arguments: &[&str]| home.refused(&[&["registration", "token", "create"], arguments].concat());
    assert!(told(&["--uses", "0"]).contains("1 or more"));
    assert!(told(&["--expires-in", "0s"]).contains("more than nothing"));
    assert!(told(&["--expires-in", "367d"]).contains("366 days"));
    assert!(told(&["--name", " "]).contains("a name has"));
    for span in ["12", "h", "-1d", "1w", "", "1.5h", "99999999999d", "1dd"] {
        let run = home.run(&["registration", "token", "create", "--expires-in", span]);
        assert_eq!(run.code, 2, "{span}: {run:?}");
    }
}
