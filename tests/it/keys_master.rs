//! Another master key under running nodes: no request fails, no node is restarted, and the old key is not needed any more.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign::app::App;
use countersign::base::encoding::base64url;
use countersign::base::entropy::OsEntropy;
use countersign::base::{HashedToken, Seconds};
use countersign::flow::keys;
use countersign::http::paths;
use countersign::jose::{MasterKey, MasterKeys, Purpose, Sealer};
use countersign::oauth::algorithm::SigningAlgorithm;
use countersign::store;

use super::support::flow::{authorize_path, redemption};
use super::support::http::{Answer, Browser, Client};
use super::support::program::{CHEAP, Home, Served, set_mode, until};
use super::support::server::{CALLBACK, MASTER_KEY, PASSWORD, SECRET, START, Setup, sealer};
use super::support::{Database, TestServer, on_each_database};

const WORKERS: usize = 3;

/// The configuration of a node: the issuer is the first node's address for all of them.
fn node(database: &Database, issuer: Option<&str>) -> Home {
    let home = Home::empty();
    let own = home.url();
    home.configure(&format!(
        "[server]\nissuer = \"{}\"\nlisten = [\"{}\"]\nworkers = 2\n{}\
         [database]\nurl = \"{}\"\nmigrate_at_start = true\n\
         [tokens]\nrefresh_reuse_grace_s = 60\n\
         [[clients]]\nid = \"web\"\nprofile = \"web\"\nredirect_uris = [\"{CALLBACK}\"]\n\
         scopes = [\"notes:read\"]\nresources = [\"https://notes.example\"]\nsecret_hash = \"{}\"\n\
         [[clients]]\nid = \"job\"\nprofile = \"service\"\nscopes = [\"notes:read\"]\n\
         resources = [\"https://notes.example\"]\nsecret_hash = \"{}\"\n\
         [[resource_servers]]\nid = \"https://notes.example\"\nscopes = {{ \"notes:read\" = \"Read\" }}\n",
        issuer.unwrap_or(&own),
        home.address,
        CHEAP,
        database.url,
        HashedToken::of(SECRET).as_str(),
        HashedToken::of(&format!("{SECRET}-job")).as_str(),
    ));
    set_mode(&home.path("countersign.toml"), 0o600);
    home
}

/// Users who sign in, agree, get tokens and refresh them, each step at another node, and programs that get their own.
struct Load {
    nodes: Vec<String>,
    /// How many times each worker went all the way.
    rounds: [AtomicUsize; WORKERS],
    ends: AtomicUsize,
}

impl Load {
    fn on(homes: &[&Home]) -> Self {
        let nodes = homes.iter().map(|home| home.url()).collect();
        Self { nodes, rounds: Default::default(), ends: AtomicUsize::new(0) }
    }

    fn client(&self, at: usize) -> Client {
        Client::new(&self.nodes[at % self.nodes.len()])
    }

    fn work(&self, worker: usize) {
        while self.ends.load(Ordering::SeqCst) == 0 {
            let round = self.rounds[worker].load(Ordering::SeqCst) + worker;
            let mut browser = Browser::new(&self.nodes[round % self.nodes.len()]);
            let with = [("scope", "openid notes:read offline_access"), ("prompt", "consent")];
            let page = browser.get(&authorize_path("web", &with));
            let page = browser.follow(page);
            browser.client = self.client(round + 1);
            let page = browser.log_in(&page, "alice", PASSWORD);
            browser.client = self.client(round);
            let back = browser.decide(&page, "allow");
            let code = back.sent("code").unwrap_or_else(|| panic!("no code: {}", back.location()));
            let tokens = self.token(round + 1, "web", SECRET, &redemption(&code));
            let refresh = tokens.text("refresh_token");
            let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
            let successor = self.token(round, "web", SECRET, &form).text("refresh_token");
            // The answer was lost: what it is found again by was sealed by the other node.
            let again = self.token(round + 1, "web", SECRET, &form).text("refresh_token");
            assert_eq!(again, successor);
            self.token(round, "job", &format!("{SECRET}-job"), &[("grant_type", "client_credentials")]);
            self.rounds[worker].fetch_add(1, Ordering::SeqCst);
        }
    }

    fn token(&self, at: usize, client: &str, secret: &str, form: &[(&str, &str)]) -> Answer {
        let answer = self.client(at).post_as(client, secret, "/token", form);
        assert_eq!(answer.status, 200, "{client}: {}", answer.body);
        answer
    }

    /// Until nobody is left who began before, and everybody has gone all the way once since.
    fn goes_on(&self) {
        let read = || self.rounds.each_ref().map(|rounds| rounds.load(Ordering::SeqCst));
        let before = read();
        until("the load stands still", || read().iter().zip(&before).all(|(now, then)| now - then >= 2));
    }
}

/// Runs `change` while users and programs go on; any answer that is no success fails the test.
fn under_load(homes: &[&Home], change: impl FnOnce(&Load)) {
    let load = Load::on(homes);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                let load = &load;
                scope.spawn(move || load.work(worker))
            })
            .collect();
        let ends = Ends(&load.ends);
        load.goes_on();
        change(&load);
        load.goes_on();
        drop(ends);
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
}

/// Whatever happens, the workers come to an end.
struct Ends<'a>(&'a AtomicUsize);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(1, Ordering::SeqCst);
    }
}

fn first(database: &Database) -> (Home, Served) {
    let home = node(database, None);
    let served = home.serve();
    assert_eq!(home.run_with(&["user", "add", "alice", "--password-stdin"], PASSWORD).code, 0);
    (home, served)
}

fn key_file(home: &Home) -> String {
    std::fs::read_to_string(home.path("keys/master.key")).unwrap()
}

fn kids(home: &Home) -> Vec<String> {
    let all = home.json(&["key", "list"]);
    all.as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// No node had to complain, and a start with the new key alone works.
fn is_over(home: &Home, served: Served, old: &str) {
    let log = served.log();
    assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
    assert!(log.contains("master keys read anew"), "{log}");
    drop(served);
    assert!(!key_file(home).contains(old.trim()) && key_file(home).lines().count() == 1);
    let checked = home.run(&["check"]);
    assert_eq!(checked.code, 0, "{checked:?}");
    drop(home.serve());
}

#[test]
fn one_command_changes_the_master_key_of_a_running_server() {
    on_each_database(|database| {
        let (home, served) = first(&database);
        let (old, before) = (key_file(&home), kids(&home));
        under_load(&[&home], |load| {
            let done = home.json(&["key", "rotate-master"]);
            assert_eq!(done["resealed"], 2, "{}: {done}", database.kind);
            load.goes_on();
            let early = home.refused(&["key", "rotate-master", "finish"]);
            assert!(early.contains("may be open until"), "{early}");
            // Nobody is left who began before the change.
            home.ok(&["key", "rotate-master", "finish", "--at-once"]);
        });
        assert_eq!(kids(&home), before, "the keys stay the same");
        is_over(&home, served, &old);
    });
}

/// As a tool that distributes files does: never half a file.
fn bring(from: &Home, to: &Home) {
    let aside = to.path("keys/aside");
    std::fs::write(&aside, key_file(from)).unwrap();
    set_mode(&aside, 0o600);
    std::fs::rename(aside, to.path("keys/master.key")).unwrap();
}

fn read_anew(served: &Served, times: usize) {
    until("the file is not read anew", || served.log().matches("master keys read anew").count() >= times);
}

#[test]
fn nodes_with_files_of_their_own_change_the_master_key_one_after_the_other() {
    on_each_database(|database| {
        let (one, served_one) = first(&database);
        let two = node(&database, Some(&one.url()));
        std::fs::create_dir(two.path("keys")).unwrap();
        bring(&one, &two);
        let served_two = two.serve();
        let old = key_file(&one);
        under_load(&[&one, &two], |load| {
            one.ok(&["key", "rotate-master", "prepare"]);
            assert!(one.refused(&["key", "rotate-master", "prepare"]).contains("a next key already"));
            bring(&one, &two);
            read_anew(&served_one, 1);
            read_anew(&served_two, 1);
            one.ok(&["key", "rotate-master", "switch"]);
            assert!(one.refused(&["key", "rotate-master", "switch"]).contains("prepare first"));
            read_anew(&served_one, 2);
            load.goes_on();
            two.ok(&["key", "rotate-master", "switch"]);
            read_anew(&served_two, 2);
            let early = two.refused(&["key", "rotate-master", "finish", "--at-once"]);
            assert!(early.contains("reseal first"), "{early}");
            assert_eq!(two.json(&["key", "reseal"])["resealed"], 2);
            load.goes_on();
            for home in [&one, &two] {
                home.ok(&["key", "rotate-master", "finish", "--at-once"]);
            }
            read_anew(&served_one, 3);
            read_anew(&served_two, 3);
        });
        is_over(&one, served_one, &old);
        is_over(&two, served_two, &old);
    });
}

fn text(byte: u8) -> String {
    base64url(&[byte; 32])
}

/// A node whose keys come by environment: the first seals, all open.
fn with_keys(database: &Database, keys: &[u8]) -> TestServer {
    let previous: Vec<String> = keys[1..].iter().map(|byte| format!("\"{}\"", text(*byte))).collect();
    TestServer::with(Setup {
        database: Some(database.url.clone()),
        issuer: Some("http://127.0.0.1:1".to_owned()),
        master_key: Some(format!(
            "master_key = \"{}\"\nprevious_master_keys = [{}]",
            text(keys[0]),
            previous.join(", ")
        )),
        ..Setup::default()
    })
}

/// A page that one node made, sent to the other.
fn signs_in_across(from: &TestServer, to: &TestServer) -> bool {
    let mut browser = from.browser();
    let page = browser.get(&authorize_path("house", &[("scope", "openid")]));
    let page = browser.follow(page);
    browser.client = to.client();
    browser.log_in(&page, "alice", PASSWORD).header("location").is_some()
}

/// docs/OPERATIONS.md: first every node learns the new key, then it seals, then the old one goes.
#[test]
fn nodes_whose_key_comes_by_environment_change_it_by_restarts_one_after_the_other() {
    on_each_database(|database| {
        let (old, new) = (MASTER_KEY[0], 7);
        let mut nodes = [with_keys(&database, &[old]), with_keys(&database, &[old])];
        for keys in [&[old, new][..], &[new, old], &[new]] {
            if keys == [new] {
                let store = nodes[0].store();
                assert_eq!(keys::reseal(store, &nodes[0].app.sealer, nodes[0].app.now()).unwrap(), 2);
            }
            for at in 0..2 {
                nodes[at] = with_keys(&database, keys);
                if keys == [new] {
                    // Pages that were open since before the last restart are too old by then.
                    continue;
                }
                let works = signs_in_across(&nodes[0], &nodes[1]) && signs_in_across(&nodes[1], &nodes[0]);
                assert!(works, "{}: {keys:?} at node {at}", database.kind);
            }
        }
        assert!(signs_in_across(&nodes[0], &nodes[1]));
        // The counterpart: a node that lacks the key does not take the page.
        let stranger = with_keys(&database, &[new]);
        stranger
            .app
            .sealer
            .replace(&MasterKeys { current: MasterKey::from_bytes([9; 32]), previous: Vec::new() });
        assert!(!signs_in_across(&stranger, &nodes[0]), "{}", database.kind);
    });
}

fn write_key(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    set_mode(path, 0o600);
}

fn seals_with(app: &App) -> String {
    app.refresh().unwrap();
    app.sealer.current_id()
}

#[test]
fn a_changed_file_that_cannot_be_used_leaves_the_node_with_the_keys_that_it_has() {
    on_each_database(|database| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let (old, new) = (text(MASTER_KEY[0]), text(7));
        write_key(&path, &old);
        let server = TestServer::with(Setup {
            database: Some(database.url.clone()),
            master_key: Some(format!("master_key_file = \"{}\"", path.display())),
            ..Setup::default()
        });
        let (app, ids) =
            (&server.app, [MASTER_KEY, [7; 32]].map(|key| MasterKey::from_bytes(key).id().to_owned()));
        assert_eq!(seals_with(app), ids[0]);
        // The signing keys are still sealed under the old one, which is not in the file.
        for unusable in [&*new, "junk", "", &format!("{new}\nnext {}", text(8))] {
            write_key(&path, unusable);
            assert_eq!(seals_with(app), ids[0], "{}: {unusable:?}", database.kind);
        }
        write_key(&path, &format!("{new}\nprevious {old}"));
        set_mode(&path, 0o644);
        assert_eq!(seals_with(app), ids[0], "{}: open to others", database.kind);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(seals_with(app), ids[0], "{}: gone", database.kind);
        // Requests go on, and so do changes of the keys.
        let made =
            keys::generate(server.store(), &sealer(), &OsEntropy, SigningAlgorithm::Es256, 2048, app.now());
        server.refresh();
        assert!(server.client().get(paths::JWKS).body.contains(&made.unwrap().kid));

        write_key(&path, &format!("{new}\nprevious {old}"));
        assert_eq!(seals_with(app), ids[1], "{}: usable at last", database.kind);
        // What could not be used before can be, once everything is sealed anew.
        write_key(&path, &new);
        assert_eq!(seals_with(app), ids[1]);
        assert!(opens(&app.sealer, &sealer()), "{}: the old one still opens", database.kind);
        keys::reseal(server.store(), &app.sealer, app.now()).unwrap();
        assert_eq!(seals_with(app), ids[1]);
        assert!(!opens(&app.sealer, &sealer()), "{}: the old one is forgotten", database.kind);
        let sealed = |key: &countersign::domain::SigningKeyRecord| app.sealer.is_current(&key.sealed_private);
        assert!(server.store().read("test", store::keys::all).unwrap().iter().all(sealed));
    });
}

/// Whether the one opens what the other seals.
fn opens(one: &Sealer, other: &Sealer) -> bool {
    let text = other.seal(Purpose::Csrf, b"x", START).unwrap();
    one.open(Purpose::Csrf, &text, Some(Seconds(60)), START).is_ok()
}
