//! `countersign serve`: what the first start makes, what keeps it from starting, how it stops, and what its log tells.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use super::support::flow::{authorize_path, redemption};
use super::support::program::{Home, mode, set_mode, until};
use super::support::server::CALLBACK;

#[test]
fn the_first_start_in_an_empty_folder_makes_database_keys_and_master_key() {
    let home = Home::new("");
    let served = home.serve();
    assert_eq!(served.client().get("/health/ready").status, 200);
    let keys = served.client().get("/.well-known/jwks.json").json();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2, "{keys}");
    for name in ["countersign.db", "keys/master.key"] {
        assert_eq!(mode(&home.path(name)), 0o600, "{name}");
    }
    served.signal(15);
    assert_eq!(served.code(), Some(0));

    let served = home.serve();
    assert_eq!(served.client().get("/.well-known/jwks.json").json(), keys, "the keys outlive a restart");
}

#[test]
fn a_start_that_cannot_be_right_is_refused_with_what_to_do() {
    let mut home = Home::new("");
    drop(home.serve());
    let key = home.path("keys/master.key");
    let sound = std::fs::read(&key).unwrap();

    set_mode(&key, 0o644);
    assert!(home.refused(&["serve"]).contains("chmod 600"));
    set_mode(&key, 0o600);

    std::fs::remove_file(&key).unwrap();
    let told = home.refused(&["serve"]);
    assert!(told.contains("restore the file from its backup") && !key.exists(), "{told}");

    std::fs::write(&key, "junk").unwrap();
    set_mode(&key, 0o600);
    assert!(home.refused(&["serve"]).contains("holds no master key"));

    home.set("COUNTERSIGN_KEYS__MASTER_KEY", &countersign::base::encoding::base64url(&[9; 32]));
    let told = home.refused(&["serve"]);
    assert!(told.contains("signing keys") && told.contains("master key"), "{told}");
    home.env.clear();

    std::fs::write(&key, &sound).unwrap();
    let taken = TcpListener::bind(home.address).unwrap();
    let told = home.refused(&["serve"]);
    assert!(told.contains(&format!("cannot listen on {}", home.address)), "{told}");
    drop(taken);

    drop(home.serve());
    home.configure("[log]\nlevel = \"error\"\n");
    assert!(home.refused(&["serve"]).contains("server.issuer: not set"));
}

/// Neither for the server that runs on the same database, nor in a folder where nothing is yet.
#[test]
fn a_start_that_fails_changes_nothing() {
    let declared =
        "[[clients]]\nid = \"notes\"\nprofile = \"spa\"\nredirect_uris = [\"https://app.example/cb\"]\n";
    let home = Home::new(declared);
    let served = home.serve();
    assert!(served.log().contains("client notes added"), "{}", served.log());
    let file = std::fs::read_to_string(home.path("countersign.toml")).unwrap();
    home.configure(&file.replace(declared, ""));
    let told = home.refused(&["serve"]);
    assert!(told.contains("cannot listen on") && !told.contains("switched off"), "{told}");
    assert_eq!(home.json(&["client", "show", "notes"])["disabled_at"], serde_json::Value::Null);
    drop(served);
    let served = home.serve();
    assert!(served.log().contains("client notes switched off: it is declared no more"), "{}", served.log());

    let tls = "[server.tls]\ncertificate_file = \"nowhere.pem\"\nprivate_key_file = \"nowhere.pem\"\n";
    for (extra, issuer, why) in [
        (tls, "https:", "nowhere.pem"),
        (&declared.replace("https", "http"), "http:", "client notes"),
        (&format!("{}secret_file = \"nowhere\"\n", declared.replace("spa", "web")), "http:", "nowhere"),
    ] {
        let home = Home::new(extra);
        let file = std::fs::read_to_string(home.path("countersign.toml")).unwrap();
        home.configure(&file.replacen("issuer = \"http:", &format!("issuer = \"{issuer}"), 1));
        let told = home.refused(&["serve"]);
        assert!(told.contains(why), "{told}");
        assert!(!home.path("countersign.db").exists() && !home.path("keys").exists(), "{why}");
    }
}

/// A request of which the end is still to come.
fn begun(home: &Home) -> TcpStream {
    let mut socket = TcpStream::connect(home.address).unwrap();
    let head = "POST /token HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n\
                content-length: 29\r\n\r\ngrant_type=";
    socket.write_all(head.as_bytes()).unwrap();
    socket
}

#[test]
fn both_signals_let_a_request_under_way_finish_and_end_with_0() {
    for signal in [15, 2] {
        let home = Home::new("");
        let served = home.serve();
        // An idle connection that is kept alive must not hold the end up.
        let idle = served.client();
        assert_eq!(idle.get("/health/live").status, 200);
        let mut socket = begun(&home);
        // Until the server has read the first part, it may still take the connection for an idle one.
        std::thread::sleep(Duration::from_millis(300));
        served.signal(signal);
        let asked = Instant::now();
        until("it still listens", || TcpStream::connect(home.address).is_err());
        socket.write_all(b"client_credentials").unwrap();
        let mut answer = String::new();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let _ = socket.read_to_string(&mut answer);
        assert!(answer.contains("invalid_client"), "{signal}: {answer:?}");
        assert_eq!(served.code(), Some(0), "{signal}");
        assert!(asked.elapsed() < Duration::from_secs(15), "{signal}: {:?}", asked.elapsed());
    }
}

#[test]
fn a_second_interrupt_ends_it_at_once() {
    let home = Home::new("");
    let served = home.serve();
    let _under_way = begun(&home);
    std::thread::sleep(Duration::from_millis(300));
    served.signal(2);
    until("it still listens", || TcpStream::connect(home.address).is_err());
    served.signal(2);
    assert_eq!(served.code(), Some(130));
}

/// Each flow once, well and ill, at the log level that tells most; nothing that was secret is in the log.
#[test]
fn the_log_holds_no_secret_of_any_flow() {
    for format in ["text", "json"] {
        let home = Home::new(&format!("[log]\nlevel = \"trace\"\nformat = \"{format}\"\n"));
        let mut secrets = Vec::new();
        home.ok(&["resource", "add", "https://notes.example", "--scope", "notes:read=Read"]);
        let made = home.json(&[
            "client",
            "add",
            "--profile",
            "web",
            "--id",
            "web",
            "--redirect-uri",
            CALLBACK,
            "--resource",
            "https://notes.example",
            "--scope",
            "notes:read",
            "--allow-password-grant",
            "--grant",
            "authorization_code",
            "--grant",
            "refresh_token",
            "--grant",
            "client_credentials",
        ]);
        let secret = made["client_secret"].as_str().unwrap().to_owned();
        let password =
            home.json(&["user", "add", "alice", "--generate"])["password"].as_str().unwrap().to_owned();
        let served = home.serve();
        let token = |form: &[(&str, &str)]| served.client().post_as("web", &secret, "/token", form);
        let mut keep = |answer: &super::support::http::Answer| {
            for name in ["access_token", "refresh_token", "id_token"] {
                secrets.extend(answer.json()[name].as_str().map(str::to_owned));
            }
        };

        let mut browser = served.browser();
        let page = browser.get(&authorize_path("web", &[("scope", "openid notes:read offline_access")]));
        let page = browser.follow(page);
        let again = browser.log_in(&page, "alice", "a wrong password");
        let consent = browser.log_in(&again, "alice", &password);
        let code = browser.decide(&consent, "allow").sent("code").unwrap();
        let tokens = token(&redemption(&code));
        assert_eq!(tokens.status, 200, "{}", tokens.body);
        keep(&tokens);
        let first = tokens.text("refresh_token");
        let refresh = [("grant_type", "refresh_token"), ("refresh_token", first.as_str())];
        keep(&token(&refresh));
        let by_password = [
            ("grant_type", "password"),
            ("username", "alice"),
            ("password", password.as_str()),
            ("scope", "notes:read"),
        ];
        keep(&token(&by_password));
        keep(&token(&[("grant_type", "client_credentials")]));
        // What is refused is logged with its reason, and with nothing of what was presented.
        assert_eq!(token(&redemption(&code)).error(), "invalid_grant");
        assert_eq!(
            token(&[("grant_type", "refresh_token"), ("refresh_token", "csgn_rt_made-up")]).status,
            400
        );
        let wrong = "a-wrong-secret-0123456789-0123456789";
        assert_eq!(
            served.client().post_as("web", wrong, "/token", &[("grant_type", "client_credentials")]).status,
            401
        );
        browser.get(&format!("/authorize?client_id=web&code={code}&redirect_uri=https://evil.example/"));
        served.client().get(&format!("/nowhere?access_token={wrong}"));

        secrets.extend([secret.clone(), password.clone(), code, first, wrong.to_owned()]);
        secrets.extend(["a wrong password".to_owned(), "csgn_rt_made-up".to_owned()]);
        secrets.extend(browser.cookies.values().cloned());
        secrets.extend([page.field("csrf"), page.field("request")]);
        secrets.push(std::fs::read_to_string(home.path("keys/master.key")).unwrap().trim().to_owned());
        served.signal(15);
        let log = served.log();
        assert!(log.contains("invalid_grant") && log.contains("invalid_client"), "it tells nothing:\n{log}");
        assert!(secrets.len() > 14, "{secrets:?}");
        for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
            assert!(!log.contains(secret.as_str()), "{secret} is in the log:\n{log}");
            // Nor its secret part alone: the prefix and the id of a token are not secret.
            if let Some(part) = secret.split('_').nth(3).filter(|part| part.len() > 20) {
                assert!(!log.contains(part), "{part} is in the log:\n{log}");
            }
        }
    }
}
