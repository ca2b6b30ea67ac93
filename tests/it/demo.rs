//! `countersign demo` and the README: what they print and say is run as it stands.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::support::http::Client;
use super::support::program::{Home, free_ports, mode, until};
use super::support::programs::example;

struct Demo {
    child: Child,
    told: String,
    port: u16,
}

impl Demo {
    fn start(home: &Home, port: u16) -> Self {
        let examples = example("spa").parent().unwrap().to_owned();
        for name in ["resource-server", "confidential-client"] {
            example(name);
        }
        let log = home.path(&format!("{port}.out"));
        let file = std::fs::File::create(&log).unwrap();
        let mut command = home.command(&["demo", "--folder", "the demo", "--port", &port.to_string()]);
        command.arg("--examples").arg(examples);
        // A group of its own, as a shell gives it: Ctrl-C goes to all of it.
        command.process_group(0).stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        let mut demo = Self { child: command.spawn().unwrap(), told: String::new(), port };
        until("the demo does not tell that it runs", || {
            demo.told = std::fs::read_to_string(&log).unwrap();
            assert!(demo.child.try_wait().unwrap().is_none(), "it ended: {}", demo.told);
            demo.told.trim_end().ends_with("/notes")
        });
        demo
    }

    fn signal(&self, signal: &str) {
        let group = format!("-{}", self.child.id());
        assert!(Command::new("kill").args([signal, "--", &group]).status().unwrap().success());
    }

    /// Ends it as Ctrl-C does, and sees that nothing is left.
    fn end(mut self) {
        self.signal("-INT");
        let mut code = None;
        until("it does not end", || {
            code = self.child.try_wait().unwrap();
            code.is_some()
        });
        assert_eq!(code.unwrap().code(), Some(0));
        for port in self.port..self.port + 4 {
            until("a port stays taken", || std::net::TcpListener::bind(("127.0.0.1", port)).is_ok());
        }
    }

    fn line(&self, name: &str) -> String {
        let line = self.told.lines().find_map(|line| line.trim().strip_prefix(name));
        line.unwrap_or_else(|| panic!("no {name} in {}", self.told)).trim().to_owned()
    }

    /// The printed commands in their order.
    fn commands(&self) -> Vec<String> {
        let joined = self.told.replace("\\\n", "\\\u{0}");
        let curls = joined.lines().filter(|line| line.trim().starts_with("curl "));
        curls.map(|line| line.trim().replace('\u{0}', "\n")).collect()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        if self.child.try_wait().unwrap().is_none() {
            self.signal("-KILL");
            let _ = self.child.wait();
        }
    }
}

fn shell(command: &str) -> Value {
    let output = Command::new("sh").args(["-c", command]).output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(&out).unwrap_or_else(|e| panic!("{command}: {e}: {out:?}"))
}

fn text(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap_or_else(|| panic!("no {name} in {answer}")).to_owned()
}

#[test]
fn the_demo_starts_everything_and_its_commands_work_as_they_are_printed() {
    let home = Home::empty();
    let port = free_ports(4);
    let demo = Demo::start(&home, port);
    let [service, password, refresh, exchange, introspect, revoke, notes] =
        demo.commands().try_into().unwrap();

    let by_service = text(&shell(&service), "access_token");
    let answer = shell(&password);
    let by_user = text(&answer, "access_token");
    let renewed = shell(&refresh.replace('…', &text(&answer, "refresh_token")));
    let by_refresh = text(&renewed, "access_token");
    for token in [&by_service, &by_user, &by_refresh] {
        let seen = shell(&notes.replace('…', token));
        assert!(seen["notes"].is_array(), "{seen}");
    }
    let seen = shell(&notes.replace('…', &by_user));
    assert_eq!(seen["token"]["roles"], serde_json::json!(["editor"]));

    let exchanged = shell(&exchange.replace('…', &by_user));
    let narrower = text(&exchanged, "access_token");
    assert_eq!(exchanged["scope"], "notes:read");
    let looked_up = |token: &str| shell(&introspect.replace('…', token));
    for token in [&by_user, &narrower] {
        assert_eq!(looked_up(token)["active"], true);
    }
    let revoked = Command::new("sh").args(["-c", &revoke.replace('…', &by_user)]).output().unwrap();
    assert!(revoked.status.success() && revoked.stdout.is_empty(), "{revoked:?}");
    assert_eq!(looked_up(&by_user), serde_json::json!({ "active": false }));

    // One character of the signature changed.
    let (head, signature) = by_user.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { "B" } else { "A" };
    let refused = Client::new("").send(
        "GET",
        &demo.line("resource server"),
        &[("authorization", &format!("Bearer {head}.{first}{}", &signature[1..]))],
        "",
    );
    assert_eq!(refused.status, 401, "{refused:?}");
    assert!(refused.header("www-authenticate").unwrap().contains("invalid_token"), "{refused:?}");

    for page in [demo.line("single-page app"), demo.line("web app")] {
        let answer = Client::new(&page).get(&page);
        assert!(answer.status == 200 && answer.body.contains("<html"), "{page}: {answer:?}");
    }
    assert_eq!(mode(&home.path("the demo")), 0o700);
    assert_eq!(demo.line("user"), "alice");

    let (user, word) = (demo.line("user"), demo.line("password"));
    demo.end();
    let again = Demo::start(&home, port);
    assert_eq!((again.line("user"), again.line("password")), (user, word));
    let answer = shell(&again.commands()[1]);
    assert_eq!(
        super::support::flow::claims(&text(&answer, "access_token"))["sub"],
        super::support::flow::claims(&by_user)["sub"],
        "the same user"
    );
    again.end();

    // Somebody took the password's file away: the new one counts.
    std::fs::remove_file(home.path("the demo/alice.password")).unwrap();
    let third = Demo::start(&home, port);
    text(&shell(&third.commands()[1]), "access_token");
    third.end();
}

#[test]
fn a_port_that_is_taken_is_told_before_anything_is_made() {
    let home = Home::empty();
    let port = free_ports(4);
    let _taken = std::net::TcpListener::bind(("127.0.0.1", port + 2)).unwrap();
    let told = home.refused(&["demo", "--folder", "demo", "--port", &port.to_string()]);
    assert!(told.contains(&format!("port {}", port + 2)) && told.contains("--port"), "{told}");
    assert!(!home.path("demo").exists());
}

#[test]
fn a_folder_whose_name_a_shell_would_trip_over_is_refused() {
    let home = Home::empty();
    let port = free_ports(4).to_string();
    assert!(home.refused(&["demo", "--folder", "it's", "--port", &port]).contains("choose a folder"));
}

/// The blocks of the README in a language.
fn readme(language: &str) -> Vec<String> {
    let text = include_str!("../../README.md");
    let mark = format!("```{language}\n");
    text.split(&mark).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_configuration_of_the_readme_is_good_and_its_commands_do_what_they_say() {
    let mut home = Home::empty();
    home.configure(&readme("toml")[0]);
    // The port of the README may be taken on this machine.
    home.set("COUNTERSIGN_SERVER__LISTEN", &home.address.to_string());
    let blocks = readme("sh");
    let block = |first: &str| blocks.iter().find(|block| block.starts_with(first)).unwrap();
    let first: Vec<&str> =
        block("countersign check").lines().map(|line| line.split('#').next().unwrap().trim()).collect();
    assert_eq!(first, ["countersign check", "countersign user add alice", "countersign serve"]);

    let checked = home.run(&["check"]);
    assert_eq!(checked.code, 0, "{checked:?}");
    assert!(checked.out.contains("0 problem(s), 0 warning(s)"), "{checked:?}");
    assert_eq!(home.run_with(&["user", "add", "alice", "--password-stdin"], "a good password").code, 0);
    let served = home.serve();
    let discovery = served.client().get("/.well-known/openid-configuration").json();
    assert_eq!(discovery["issuer"], "https://id.example.org");
    let path = super::support::flow::authorize_path(
        "notes-app",
        &[("redirect_uri", "https://app.example.org/"), ("scope", "openid notes:read notes:write")],
    );
    let answer = served.client().send("GET", &path, &[("x-forwarded-proto", "https")], "");
    assert!(answer.status == 303 && answer.location().starts_with("/login"), "{answer:?}");

    // The other block, as it is printed, while the server runs.
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_countersign")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh")
        .args(["-ec", block("countersign client add")])
        .current_dir(home.folder.path())
        .env("PATH", path)
        .output()
        .unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{out}{}", String::from_utf8_lossy(&output.stderr));
    let secrets = out.lines().filter(|line| line.starts_with("client_secret"));
    assert_eq!(secrets.count(), 2, "{out}");
    assert!(out.contains("\"client_id\": \"shop\""), "{out}");
}
