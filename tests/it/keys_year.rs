//! A year of rotations under load: two nodes, two algorithms, and verifiers that go by the rules of HTTP alone.
//!
//! RFC 9111 §4.2: a stored answer is fresh while its age is below its `max-age`. These verifiers ask again when it is not, and
//! never because they meet a `kid` that they do not know: many are so.

use std::collections::BTreeMap;

use countersign::base::encoding::from_base64url;
use countersign::base::{Seconds, Timestamp};
use countersign::domain::key_plan::Schedule;
use countersign::flow::keys::Step;
use countersign::http::paths;
use countersign::store;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use serde_json::Value;

use super::support::flow::part;
use super::support::http::Client;
use super::support::server::{START, Setup};
use super::support::{Database, TestServer};

/// With some days more: the nodes do not look each day, and a rotation that is late puts off the next.
const YEAR: Seconds = Seconds(380 * 86_400);
/// ES256 as tight as the configuration takes it, RS256 by the defaults.
const PLANS: &str = "[[keys.plans]]\nalgorithm = \"ES256\"\nsign_for_s = 1728000\npublish_ahead_s = 930\n";
const CLIENTS: &str = r#"
[[resource_servers]]
id = "https://es.example"
scopes = { "es" = "" }
access_token_ttl_s = 3600

[[resource_servers]]
id = "https://rs.example"
signing_algorithm = "RS256"
scopes = { "rs" = "" }
access_token_ttl_s = 3600

[[clients]]
id = "service"
profile = "service"
scopes = ["es", "rs"]
resources = ["https://es.example", "https://rs.example"]
secret_hash = "SECRET_HASH:service"
"#;

/// Numbers that are the same at every run (xorshift64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: i64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        i64::try_from(self.0 % u64::try_from(limit).unwrap()).unwrap()
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[usize::try_from(self.below(i64::try_from(all.len()).unwrap())).unwrap()]
    }
}

/// Caches the key set by its `max-age`, and by nothing else.
#[derive(Default)]
struct Verifier {
    keys: BTreeMap<String, Value>,
    tag: String,
    stale_at: Option<Timestamp>,
    fetches: usize,
}

impl Verifier {
    /// The key of this name, if the cached set has it.
    fn key(&mut self, kid: &str, now: Timestamp, ask: &Client) -> Option<&Value> {
        if self.stale_at.is_none_or(|at| at.is_past(now)) {
            self.fetch(now, ask);
        }
        self.keys.get(kid)
    }

    fn fetch(&mut self, now: Timestamp, ask: &Client) {
        let answer = ask.send("GET", paths::JWKS, &[("if-none-match", &self.tag)], "");
        let max_age = answer.header("cache-control").unwrap().strip_prefix("public, max-age=").unwrap();
        self.stale_at = Some(now + Seconds(max_age.parse().unwrap()));
        self.fetches += 1;
        if answer.status == 304 {
            return;
        }
        self.tag = answer.header("etag").unwrap().to_owned();
        let keys = answer.json()["keys"].as_array().unwrap().clone();
        // The one that signs, and one that comes or goes, of each algorithm.
        assert!(keys.len() <= 4, "the set grows: {keys:?}");
        self.keys = keys.into_iter().map(|key| (key["kid"].as_str().unwrap().to_owned(), key)).collect();
    }
}

/// A token, and the key that it was found to be signed with.
struct Token {
    text: String,
    kid: String,
    key: Option<Value>,
    dies_at: Timestamp,
}

impl Token {
    fn ask(client: &Client, scope: &str) -> Self {
        let form = [("grant_type", "client_credentials"), ("scope", scope)];
        let secret = super::support::server::secret("service");
        let answer = client.post_as("service", &secret, "/token", &form);
        assert_eq!(answer.status, 200, "{}", answer.body);
        let text = answer.text("access_token");
        let kid = part(&text, 0)["kid"].as_str().unwrap().to_owned();
        let dies_at = Timestamp(part(&text, 1)["exp"].as_i64().unwrap());
        Self { text, kid, key: None, dies_at }
    }

    /// Whether this key signed it. A signature that once fits fits for ever: only a key that is another is tried anew.
    fn fits(&mut self, key: &Value) -> bool {
        if self.key.as_ref() != Some(key) {
            if !verifies(&self.text, key) {
                return false;
            }
            self.key = Some(key.clone());
        }
        true
    }
}

/// By OpenSSL, for its speed: thousands of signatures are looked at.
fn verifies(token: &str, key: &Value) -> bool {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let signature = from_base64url(signature).unwrap();
    let number = |bytes: &[u8]| BigNum::from_slice(bytes).unwrap();
    let member = |name: &str| number(&from_base64url(key[name].as_str().unwrap()).unwrap());
    if key["alg"] == "RS256" {
        let key = Rsa::from_public_components(member("n"), member("e")).unwrap();
        let key = PKey::from_rsa(key).unwrap();
        let mut verifier = openssl::sign::Verifier::new(MessageDigest::sha256(), &key).unwrap();
        return verifier.verify_oneshot(&signature, message.as_bytes()).unwrap();
    }
    let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = EcKey::from_public_key_affine_coordinates(&curve, &member("x"), &member("y")).unwrap();
    let (r, s) = signature.split_at(32);
    let signature = EcdsaSig::from_private_components(number(r), number(s)).unwrap();
    signature.verify(&openssl::sha::sha256(message.as_bytes()), &key).unwrap()
}

struct World {
    /// The clock of the second is a second ahead.
    nodes: [TestServer; 2],
    clients: [Client; 2],
    verifiers: [Verifier; 3],
    tokens: Vec<Token>,
    chance: Chance,
    rotations: BTreeMap<String, usize>,
    checks: usize,
}

impl World {
    fn on(database: &Database) -> Self {
        let node = |ahead| {
            TestServer::with(Setup {
                database: Some(database.url.clone()),
                clients: CLIENTS.to_owned(),
                keys: PLANS.to_owned(),
                start_at: START + Seconds(ahead),
                ..Setup::default()
            })
        };
        let nodes = [node(0), node(1)];
        let clients = nodes.each_ref().map(TestServer::client);
        let chance = Chance(0x2545_F491_4F6C_DD1D);
        let (rotations, tokens) = (BTreeMap::new(), Vec::new());
        Self { nodes, clients, verifiers: Default::default(), tokens, chance, rotations, checks: 0 }
    }

    fn now(&self) -> Timestamp {
        self.nodes[0].app.now()
    }

    /// When the plan wants something next.
    fn next_due(&self) -> Timestamp {
        let app = &self.nodes[0].app;
        let all = app.store.read("test", store::keys::all).unwrap();
        let due = app.key_rules.plans.iter().map(|plan| {
            let schedule = Schedule::of(&all, plan, &app.key_rules, app.now());
            schedule.publish_at.unwrap_or(schedule.activate_at)
        });
        due.min().unwrap()
    }

    /// Moves both clocks. A node may be slow to look at the database; while it is, its key set is an old one.
    fn pass(&mut self, seconds: i64) {
        for node in &self.nodes {
            node.advance(seconds);
        }
        for node in &self.nodes {
            if seconds > 800 || self.chance.below(3) > 0 {
                node.refresh();
            }
        }
    }

    /// Lets the nodes act, in any order, and not each time; whether anything was done.
    fn rotate(&mut self) -> bool {
        let mut acted = false;
        for _ in 0..2 {
            if self.chance.below(2) == 0 {
                continue;
            }
            for step in self.chance.one_of(&self.nodes).app.rotate_keys().unwrap() {
                // What is removed has verified hints only: no key set changes with it.
                acted |= !matches!(step, Step::Removed { .. });
                if let Step::Activated { algorithm, .. } = step {
                    *self.rotations.entry(algorithm.to_string()).or_default() += 1;
                }
            }
        }
        acted
    }

    /// The same while both nodes give out tokens: some are signed in the middle of a step.
    fn rotate_under_load(&mut self) -> bool {
        let clients = self.clients.clone();
        let (acted, taken) = std::thread::scope(|scope| {
            let workers = [(&clients[0], "es"), (&clients[1], "rs")]
                .map(|(client, wanted)| scope.spawn(move || [(); 2].map(|()| Token::ask(client, wanted))));
            let acted = self.rotate();
            (acted, workers.map(|worker| worker.join().unwrap()))
        });
        self.tokens.extend(taken.into_iter().flatten());
        acted
    }

    /// Every token that lives is shown to somebody, and new ones are taken from either node.
    fn load(&mut self) {
        let now = self.now();
        for scope in ["es", "rs"] {
            let client = self.chance.one_of(&self.clients);
            self.tokens.push(Token::ask(client, scope));
        }
        // Of two clocks that differ the earlier one counts: nobody is promised more.
        self.tokens.retain(|token| token.dies_at > now + Seconds(1));
        for token in &mut self.tokens {
            let at = usize::try_from(self.chance.below(3)).unwrap();
            let client = self.chance.one_of(&self.clients);
            let verifier = &mut self.verifiers[at];
            let key = verifier.key(&token.kid, now, client);
            let key = key.unwrap_or_else(|| panic!("{now}: a cached set that is fresh lacks {}", token.kid));
            assert!(token.fits(key), "{now}");
            self.checks += 1;
        }
    }
}

fn a_year_on(database: &Database) {
    let mut world = World::on(database);
    let end = START + YEAR;
    // After every step of the plan the time passes slowly: what was signed around it is looked at until it is dead.
    let mut closely = 0;
    while world.now() < end {
        let seconds =
            if closely > 0 { 1 + world.chance.below(900) } else { 600 + world.chance.below(86_400) };
        let until_due = (world.next_due() - world.now()).0;
        // Often the very second in which something is due, or the one before or after it.
        let exactly = until_due + world.chance.below(3) - 1;
        let lands = (1..seconds).contains(&exactly) && world.chance.below(4) > 0;
        world.pass(if lands { exactly } else { seconds });
        closely = if world.rotate_under_load() { 10 } else { closely - 1 };
        world.load();
    }
    let kind = database.kind;
    for algorithm in ["ES256", "RS256"] {
        let rotations = world.rotations[algorithm];
        assert!(rotations >= 12, "{kind}: {algorithm} rotated {rotations} times only");
    }
    let rows = world.nodes[0].store().read("test", store::keys::all).unwrap().len();
    // Beside those in the set, what verifies the hints of a month.
    assert!(rows <= 9, "{kind}: {rows} keys are left");
    assert!(world.checks > 5_000, "{kind}: {} checks only", world.checks);
    let fetches: usize = world.verifiers.iter().map(|verifier| verifier.fetches).sum();
    assert!(fetches * 2 < world.checks, "{kind}: the sets were hardly cached: {fetches} fetches");
}

#[test]
fn a_verifier_that_caches_by_the_rules_sees_no_failure_in_a_year_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    a_year_on(&Database::sqlite(folder.path()));
}

#[test]
fn a_verifier_that_caches_by_the_rules_sees_no_failure_in_a_year_on_postgresql() {
    if let Some(database) = Database::postgres() {
        a_year_on(&database);
    }
}
