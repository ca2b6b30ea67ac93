//! `countersign client`: profiles, secrets, changes, and what only the configuration file may change.

use serde_json::json;

use super::{API, with_api};
use crate::support::flow::claims;
use crate::support::http::Client;
use crate::support::program::{Home, Served, comes_true, until};

const JOB: [&str; 10] =
    ["client", "add", "--profile", "service", "--id", "job", "--resource", API, "--scope", "notes:read"];

fn status(served: &Served, secret: &str) -> u16 {
    served.client().post_as("job", secret, "/token", &[("grant_type", "client_credentials")]).status
}

fn text(answer: &serde_json::Value, name: &str) -> String {
    answer[name].as_str().unwrap_or_else(|| panic!("no {name}: {answer}")).to_owned()
}

/// What OpenID Connect Dynamic Client Registration 1.0 §2 has a client say is said on the command line too.
#[test]
fn what_a_client_says_of_itself_for_openid_connect_is_set_shown_and_taken_away() {
    let home = Home::new("");
    let uri = "https://app.example/cb";
    let add = ["client", "add", "--profile", "web", "--id", "shop", "--redirect-uri", uri];
    let said = ["--logo-uri", "https://app.example/l.png", "--tos-uri", "https://app.example/tos"];
    let more = [
        "--id-token-signed-response-alg",
        "ES256",
        "--subject-type",
        "pairwise",
        "--default-max-age-s",
        "60",
    ];
    let made = home.json(&[&add[..], &said, &more].concat());
    assert_eq!(made["openid"]["logo_uri"], "https://app.example/l.png");
    assert_eq!(
        (&made["openid"]["id_token"]["signing"], &made["openid"]["subject_type"]),
        (&"ES256".into(), &"pairwise".into())
    );
    let shown = home.ok(&["client", "show", "shop"]);
    assert!(shown.contains("https://app.example/tos") && shown.contains("pairwise"), "{shown}");
    let edited = home.json(&["client", "edit", "shop", "--tos-uri", "", "--require-auth-time", "true"]);
    assert_eq!(
        (&edited["openid"]["tos_uri"], &edited["openid"]["default_max_age_s"]),
        (&serde_json::Value::Null, &60.into())
    );
    for wrong in [["--logo-uri", "javascript:alert(1)"], ["--policy-uri", "http://app.example/"]] {
        assert!(home.refused(&[&["client", "edit", "shop"][..], &wrong].concat()).contains("https URL"));
    }
    let enc = ["client", "edit", "shop", "--id-token-encrypted-response-enc", "A256GCM"];
    assert!(home.refused(&enc).contains("needs the alg"));
    for wrong in [["--id-token-signed-response-alg", "none"], ["--subject-type", "secret"]] {
        assert_eq!(home.run(&[&["client", "edit", "shop"][..], &wrong].concat()).code, 2);
    }
}

#[test]
fn each_profile_has_its_defaults_and_only_those_with_a_secret_are_shown_one_once() {
    let home = with_api();
    let uri = ["--redirect-uri", "https://app.example/cb"];
    for (profile, grants, secret, skips) in [
        ("spa", json!(["authorization_code"]), false, false),
        ("web", json!(["authorization_code", "refresh_token"]), true, false),
        ("native", json!(["authorization_code", "refresh_token"]), false, false),
        ("service", json!(["client_credentials"]), true, false),
        ("first-party", json!(["authorization_code", "refresh_token"]), true, true),
        ("resource-server", json!([]), true, false),
    ] {
        let mut arguments = vec!["client", "add", "--profile", profile, "--id", profile];
        match profile {
            "service" => {}
            "resource-server" => arguments.extend(["--introspects", API]),
            _ => arguments.extend(uri),
        }
        let made = home.json(&arguments);
        assert_eq!(made["grant_types"], grants, "{profile}");
        assert_eq!(made["client_secret"].is_string(), secret, "{profile}");
        assert_eq!(made["skip_consent"], skips, "{profile}");
        assert_eq!(made["require_pkce"], true, "{profile}");
        let shown = home.ok(&["client", "show", profile, "--json"]);
        assert!(!shown.contains("csgn_cs") && !shown.contains("client_secret"), "{profile}: {shown}");
    }
    assert_eq!(home.json(&["client", "list"]).as_array().unwrap().len(), 6);
}

#[test]
fn a_secret_works_at_a_running_server_and_two_at_once_until_one_ends() {
    let home = with_api();
    let served = home.serve();
    let made = home.json(&JOB);
    let first = text(&made, "client_secret");
    // DESIGN §8: "Cached configuration (clients, keys) is refreshed within a second on every node."
    let within = std::time::Duration::from_millis(2500);
    assert!(comes_true(within, || status(&served, &first) == 200), "the new client is not seen");
    let answer = served.client().post_as("job", &first, "/token", &[("grant_type", "client_credentials")]);
    assert_eq!(claims(&answer.text("access_token"))["aud"], API);

    let old = text(&home.json(&["client", "secret", "list", "job"])[0], "id");
    let added = home.json(&["client", "secret", "add", "job"]);
    let second = text(&added, "client_secret");
    until("the second secret does not count", || status(&served, &second) == 200);
    assert_eq!(status(&served, &first), 200, "both count");
    let listed = home.ok(&["client", "secret", "list", "job", "--json"]);
    assert!(!listed.contains(&first) && !listed.contains(&second), "{listed}");

    home.ok(&["client", "secret", "end", "job", &old]);
    until("the first secret does not end", || status(&served, &first) == 401);
    assert_eq!(status(&served, &second), 200);
}

#[test]
fn what_ended_stays_ended_whatever_end_is_asked_for_later() {
    let home = with_api();
    home.json(&JOB);
    let first = text(&home.json(&["client", "secret", "list", "job"])[0], "id");
    let second = text(&home.json(&["client", "secret", "add", "job"]), "id");
    home.ok(&["client", "secret", "end", "job", &first]);
    home.ok(&["client", "secret", "end", "job", &first, "--in", "1000s"]);
    let third = home.json(&["client", "secret", "add", "job", "--others-end-in", "1000s"]);
    let now = third["created_at"].as_i64().unwrap();
    let all = home.json(&["client", "secret", "list", "job"]);
    let end =
        |id: &str| all.as_array().unwrap().iter().find(|one| one["id"] == id).unwrap()["expires_at"].as_i64();
    assert!(end(&first).unwrap() <= now, "{all}");
    assert!(end(&second).unwrap() > now, "{all}");
    assert_eq!(end(&text(&third, "id")), None, "{all}");
}

#[test]
fn a_secret_with_an_end_is_refused_from_then_on() {
    let home = with_api();
    home.json(&JOB);
    let made = home.json(&["client", "secret", "add", "job", "--expires-in", "1s"]);
    let served = home.serve();
    let secret = text(&made, "client_secret");
    until("the secret does not end", || status(&served, &secret) == 401);
}

#[test]
fn a_client_that_is_switched_off_gets_nothing_until_it_is_switched_on() {
    let home = with_api();
    let secret = text(&home.json(&JOB), "client_secret");
    let served = home.serve();
    assert_eq!(status(&served, &secret), 200);
    home.ok(&["client", "disable", "job"]);
    until("the client stays on", || status(&served, &secret) == 401);
    home.ok(&["client", "enable", "job"]);
    until("the client stays off", || status(&served, &secret) == 200);
    home.ok(&["client", "delete", "job"]);
    until("the client stays", || status(&served, &secret) == 401);
    assert!(home.refused(&["client", "show", "job"]).contains("no client job"));
}

#[test]
fn what_is_refused_at_the_creation_is_refused_at_a_change() {
    let home = with_api();
    home.json(&JOB);
    home.ok(&["client", "add", "--profile", "spa", "--id", "app", "--redirect-uri", "https://app.example/"]);
    let web = ["--redirect-uri", "https://app.example/"];
    for (profile, id, extra, change, word) in [
        ("service", "job", None, &["--access-token-ttl-s", "3601"][..], "3600"),
        ("service", "job", None, &["--refresh-token-idle-ttl-s", "59"], "between a minute"),
        (
            "service",
            "job",
            None,
            &["--refresh-token-ttl-s", "600", "--refresh-token-idle-ttl-s", "601"],
            "never count",
        ),
        ("service", "job", None, &["--refresh-reuse-grace-s", "61"], "at most 60"),
        ("service", "job", None, &["--resource", "https://unknown.example"], "no resource server"),
        ("service", "job", None, &["--scope", "notes:write"], "notes:write"),
        ("service", "job", None, &["--redirect-uri", "https://app.example/"], "redirect"),
        ("service", "job", None, &["--grant", "password"], "--allow-password-grant"),
        ("service", "job", None, &["--name", ""], "name"),
        ("service", "job", None, &["--name", "a\u{1b}[31m"], "control"),
        ("spa", "app", Some(web), &["--require-pkce", "false"], "PKCE"),
        ("spa", "app", Some(web), &["--grant", "client_credentials"], "confidential"),
        ("spa", "app", Some(web), &["--grant", "authorization_code", "--grant", "refresh_token"], "refresh"),
    ] {
        let mut add = vec!["client", "add", "--profile", profile];
        // The change replaces what it names.
        add.extend(extra.into_iter().flatten());
        add.extend(change);
        let told = home.refused(&add);
        assert!(told.contains(word), "{add:?}: {told}");
        let before = home.json(&["client", "show", id]);
        let mut edit = vec!["client", "edit", id];
        edit.extend(change);
        let told = home.refused(&edit);
        assert!(told.contains(word), "{edit:?}: {told}");
        assert_eq!(home.json(&["client", "show", id]), before, "{edit:?}");
    }
    assert!(home.refused(&["client", "secret", "add", "app"]).contains("public"));
}

#[test]
fn the_lives_of_refresh_tokens_are_set_shown_and_changed() {
    let home = with_api();
    let add = ["client", "add", "--profile", "web", "--id", "shop", "--redirect-uri", "https://app.example/"];
    let made = home.json(&[&add[..], &["--refresh-token-idle-ttl-s", "600"]].concat());
    assert_eq!(
        (&made["refresh_token_idle_ttl_s"], &made["refresh_reuse_grace_s"]),
        (&json!(600), &json!(null))
    );
    home.ok(&["client", "edit", "shop", "--refresh-reuse-grace-s", "0", "--refresh-token-ttl-s", "7200"]);
    let shown = home.json(&["client", "show", "shop"]);
    for (name, value) in
        [("refresh_token_ttl_s", 7200), ("refresh_token_idle_ttl_s", 600), ("refresh_reuse_grace_s", 0)]
    {
        assert_eq!(shown[name], value, "{name}");
    }
    let lines = home.ok(&["client", "show", "shop"]);
    for line in ["refresh token     7200 s\n", "refresh idle      600 s\n", "refresh grace     0 s\n"] {
        assert!(lines.contains(line), "{lines}");
    }
}

#[test]
fn an_api_is_a_client_that_introspects_and_may_exchange() {
    let home = with_api();
    let (mail, files) = ("https://mail.example", "https://files.example?x=1");
    home.ok(&["resource", "add", mail, "--scope", "mail:send=Send"]);
    home.ok(&["resource", "add", files]);
    let add = ["client", "add", "--profile", "resource-server", "--id", "api", "--introspects"];
    let made = home.json(&[&add[..], &[API]].concat());
    assert_eq!((&made["grant_types"], &made["introspects"]), (&json!([]), &json!([API])));
    assert!(made["client_secret"].is_string());

    let exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
    let rules = [format!("{API}={mail}"), format!("{files}={API}"), format!("{API}={files}")];
    let rules: Vec<&str> = rules.iter().flat_map(|rule| ["--exchange", rule]).collect();
    let edit = [&["client", "edit", "api", "--grant", exchange, "--scope", "mail:send"][..], &rules].concat();
    let changed = home.json(&edit);
    assert_eq!(
        changed["exchange"],
        json!([{ "from": API, "to": [mail, files] }, { "from": files, "to": [API] }])
    );
    assert_eq!(changed["grant_types"], json!([exchange]));
    let shown = home.ok(&["client", "show", "api"]);
    assert!(shown.contains(&format!("introspects       {API}\n")), "{shown}");
    assert!(shown.contains(&format!("exchanges         {API} for {mail} {files}\n")), "{shown}");

    let told = |arguments: &[&str]| home.refused(arguments);
    assert!(told(&["client", "add", "--profile", "resource-server"]).contains("introspects"));
    assert!(
        told(&[&add[..4], &["--introspects", "https://unknown.example"]].concat())
            .contains("no resource server")
    );
    let spa =
        ["client", "add", "--profile", "spa", "--redirect-uri", "https://app.example/", "--introspects", API];
    assert!(told(&spa).contains("confidential"));
    for (change, word) in [
        (&["--exchange", "https://unknown.example=https://mail.example"][..], "no resource server"),
        (&["--exchange", "https://mail.example=https://unknown.example"], "no resource server"),
        (&["--scope", "notes:read", "--exchange", "https://api.example=https://mail.example"], "notes:read"),
        (&["--grant", "client_credentials"], "its grant"),
    ] {
        let told = told(&[&["client", "edit", "api"][..], change].concat());
        assert!(told.contains(word), "{change:?}: {told}");
    }
    let usage = home.run(&["client", "edit", "api", "--exchange", "mail"]);
    assert_eq!(usage.code, 2, "{usage:?}");
}

#[test]
fn the_password_grant_needs_its_mark_and_keeps_it_at_later_changes() {
    let home = with_api();
    let made = home.json(&[&JOB[..], &["--allow-password-grant"]].concat());
    assert_eq!(made["grant_types"], json!(["client_credentials", "password"]));
    let changed = home.json(&["client", "edit", "job", "--grant", "password"]);
    assert_eq!(changed["grant_types"], json!(["password"]));
}

#[test]
fn a_change_keeps_what_it_does_not_name_and_a_client_that_is_off_stays_off() {
    let home = with_api();
    let made = home.json(&JOB);
    home.ok(&["client", "disable", "job"]);
    let changed = home.json(&["client", "edit", "job", "--name", "Nightly", "--access-token-ttl-s", "60"]);
    assert_eq!((&changed["name"], &changed["access_token_ttl_s"]), (&json!("Nightly"), &json!(60)));
    for kept in ["scope", "resources", "grant_types", "created_at", "profile"] {
        assert_eq!(changed[kept], made[kept], "{kept}");
    }
    assert!(changed["disabled_at"].is_number());
}

#[test]
fn an_id_is_taken_once_and_one_is_made_where_none_is_given() {
    let home = with_api();
    home.json(&JOB);
    assert!(home.refused(&JOB).contains("taken"));
    let made = home.json(&["client", "add", "--profile", "service"]);
    assert_eq!(text(&made, "client_id").len(), 36);
    // RFC 9068 §5: its own tokens would pass for those of the user, whose `sub` it would share.
    let alice = text(&home.json(&["user", "add", "alice", "--generate"]), "sub");
    let refused = home.refused(&["client", "add", "--profile", "service", "--id", &alice]);
    assert!(refused.contains("the id of a user"), "{refused}");
}

const DECLARED: &str = "
[[roles]]\nname = \"editor\"
[[resource_servers]]\nid = \"https://d.example\"\nscopes = { \"a\" = \"A\" }
[[clients]]\nid = \"declared\"\nprofile = \"spa\"\nredirect_uris = [\"https://app.example/\"]\n";

#[test]
fn what_the_file_declares_is_changed_in_the_file_only() {
    let home = Home::new(DECLARED);
    drop(home.serve());
    let before = home.json(&["client", "show", "declared"]);
    assert_eq!(before["declared"], true);
    for arguments in [
        &["client", "edit", "declared", "--name", "x"][..],
        &["client", "disable", "declared"],
        &["client", "enable", "declared"],
        &["client", "delete", "declared"],
        &["client", "secret", "add", "declared"],
        &["resource", "edit", "https://d.example", "--name", "x"],
        &["resource", "delete", "https://d.example"],
        &["role", "delete", "editor"],
    ] {
        let told = home.refused(arguments);
        assert!(told.contains("declared in the configuration file"), "{arguments:?}: {told}");
    }
    assert_eq!(home.json(&["client", "show", "declared"]), before);
}

#[test]
fn a_client_that_is_gone_from_the_file_is_off_and_may_then_be_deleted() {
    let home = Home::new(DECLARED);
    drop(home.serve());
    let text = std::fs::read_to_string(home.path("countersign.toml")).unwrap();
    home.configure(text.split("[[clients]]").next().unwrap());
    drop(home.serve());
    assert!(home.json(&["client", "show", "declared"])["disabled_at"].is_number());
    home.ok(&["client", "delete", "declared"]);
    assert!(home.refused(&["client", "show", "declared"]).contains("no client"));
}

#[test]
fn the_hash_of_a_secret_is_what_the_file_takes() {
    let home = Home::new("");
    let made = home.json(&["client", "hash-secret", "--generate"]);
    let secret = text(&made, "client_secret");
    let piped = home.run_with(&["client", "hash-secret", "--json"], &format!("{secret}\n"));
    let hash = serde_json::from_str::<serde_json::Value>(&piped.out).unwrap()["secret_hash"].clone();
    assert_eq!(hash, made["secret_hash"]);
    assert!(!piped.out.contains(&secret) && !piped.err.contains(&secret), "{piped:?}");
    let line = home.run_with(&["client", "hash-secret"], &secret).out;
    let config = std::fs::read_to_string(home.path("countersign.toml")).unwrap();
    home.configure(&format!(
        "{config}\n[[resource_servers]]\nid = \"{API}\"\n[[clients]]\nid = \"job\"\nprofile = \"service\"\n\
         resources = [\"{API}\"]\n{line}"
    ));
    let served = home.serve();
    assert_eq!(status(&served, &secret), 200);

    for bad in ["", "hunter2", &"x".repeat(1025), "0123456789012345678901234567\u{0}8901234567"] {
        let run = home.run_with(&["client", "hash-secret"], bad);
        assert!(run.code == 1 && run.out.is_empty(), "{bad:?}: {run:?}");
        assert!(bad.is_empty() || !run.err.contains(bad), "{run:?}");
    }
}

#[test]
fn a_new_public_client_is_served_without_a_restart() {
    let home = with_api();
    let served = home.serve();
    let uri = "https://app.example/cb";
    home.ok(&["client", "add", "--profile", "spa", "--id", "app", "--redirect-uri", uri]);
    let path = crate::support::flow::authorize_path("app", &[("redirect_uri", uri), ("scope", "openid")]);
    let client: Client = served.client();
    until("the client is not known", || client.get(&path).status == 303);
}

/// Both are said as they stand on the wire, kept by an edit that does not name them, and checked as in the file.
#[test]
fn origins_and_the_session_grant_are_set_shown_and_checked() {
    let home = Home::new("");
    let grant = "urn:countersign:params:oauth:grant-type:session";
    let add = ["client", "add", "--profile", "spa", "--id", "pages", "--grant", grant];
    let told = home.refused(&add);
    assert!(told.contains("first_party") && told.contains("origins"), "{told}");

    let mut whole = add.to_vec();
    whole.extend([
        "--skip-consent",
        "true",
        "--origin",
        "https://a.example",
        "--origin",
        "http://[::1]:3000",
    ]);
    let made = home.json(&whole);
    let origins = json!(["https://a.example", "http://[::1]:3000"]);
    assert_eq!((&made["origins"], &made["grant_types"]), (&origins, &json!([grant])));
    assert_eq!(home.json(&["client", "edit", "pages", "--name", "Pages"])["origins"], origins);
    let shown = home.ok(&["client", "show", "pages"]);
    assert!(shown.contains("origin            https://a.example\n") && shown.contains(grant), "{shown}");

    let changed = home.json(&["client", "edit", "pages", "--origin", "https://b.example"]);
    assert_eq!(changed["origins"], json!(["https://b.example"]));
    for origin in ["https://b.example/", "http://b.example", "https://B.example", "*", "null", ""] {
        let run = home.run(&["client", "edit", "pages", "--origin", origin]);
        assert!(run.code == 2 && run.err.contains("no web origin"), "{run:?}");
    }
    assert!(home.refused(&["client", "edit", "pages", "--skip-consent", "false"]).contains("first_party"));
}
