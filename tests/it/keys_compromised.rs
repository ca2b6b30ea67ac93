//! A signing key that somebody else may have: what it signed is dead on every node at once, and it never comes back.

use countersign::base::entropy::OsEntropy;
use countersign::base::{Seconds, Timestamp};
use countersign::domain::SigningKeyRecord;
use countersign::domain::key::TransitionRefused;
use countersign::flow::keys::{self, KeyFault, Replaced};
use countersign::flow::recognise;
use countersign::http::paths;
use countersign::jose::{PrivateKey, open_key};
use countersign::oauth::algorithm::SigningAlgorithm;
use countersign::store::{self, Store};

use super::support::flow::{part, tokens};
use super::support::jwt::verified;
use super::support::raw::{Raw, at_once};
use super::support::server::{NOTES, START, Setup, sealer};
use super::support::{Database, TestServer, on_each_database};

const ES256: SigningAlgorithm = SigningAlgorithm::Es256;

/// Two nodes of one server.
fn nodes(database: &Database) -> [TestServer; 2] {
    let setup = || Setup {
        database: Some(database.url.clone()),
        issuer: Some("http://127.0.0.1:1".to_owned()),
        ..Setup::default()
    };
    [TestServer::with(setup()), TestServer::with(setup())]
}

fn all(store: &Store) -> Vec<SigningKeyRecord> {
    store.read("test", store::keys::all).unwrap()
}

fn of(store: &Store, kid: &str) -> SigningKeyRecord {
    all(store).into_iter().find(|key| key.kid == kid).unwrap()
}

fn signing(store: &Store) -> String {
    let signs = |key: &SigningKeyRecord| key.algorithm == ES256 && key.state.signs_since().is_some();
    let mut signing: Vec<_> = all(store).into_iter().filter(signs).collect();
    assert_eq!(signing.len(), 1, "{signing:?}");
    signing.remove(0).kid
}

fn compromise(server: &TestServer, kid: &str, at: Timestamp) -> Result<Replaced, KeyFault> {
    keys::compromise(server.store(), &sealer(), &OsEntropy, kid, &server.app.key_rules, at)
}

fn generate(server: &TestServer, at: Timestamp) -> String {
    keys::generate(server.store(), &sealer(), &OsEntropy, ES256, 2048, at).unwrap().kid
}

fn token(server: &TestServer) -> String {
    let form = [("grant_type", "client_credentials"), ("scope", "notes:read")];
    server.token("service", &form).text("access_token")
}

fn kid_of(token: &str) -> String {
    part(token, 0)["kid"].as_str().unwrap().to_owned()
}

/// Why a token is dead on a node; nothing while it lives.
fn death(server: &TestServer, token: &str) -> Option<&'static str> {
    let cx = server.app.refreshed_cx().unwrap_or_else(|e| panic!("{e:?}"));
    recognise::access_token(&cx, token).unwrap_or_else(|e| panic!("{e:?}")).err().map(|dead| dead.0)
}

/// RFC 7662 §2.2: a token is active when it was "issued by this authorization server, has not been revoked by the resource
/// owner, and is within its given time window of validity"; who signed it, nobody can say any more.
#[test]
fn what_a_compromised_key_signed_is_dead_on_every_node_within_a_second() {
    on_each_database(|database| {
        let [one, two] = nodes(&database);
        let (of_client, of_user) = (token(&one), tokens(&two).text("access_token"));
        let stolen = kid_of(&of_client);
        assert_eq!(kid_of(&of_user), stolen);
        for server in [&one, &two] {
            assert_eq!((death(server, &of_client), death(server, &of_user)), (None, None));
        }
        let done = compromise(&one, &stolen, START).unwrap();
        assert!(done.successor_is_new, "{}: no verifier can know it", database.kind);
        let successor = done.successor.unwrap().kid;
        for server in [&one, &two] {
            // A second, and the one that whole seconds may lack of it.
            server.advance(2);
            for token in [&of_client, &of_user] {
                let why = "it is no access token that a published key of this server signed";
                assert_eq!(death(server, token), Some(why), "{}", database.kind);
            }
            let jwks = server.client().get(paths::JWKS).body;
            assert!(!jwks.contains(&stolen) && jwks.contains(&successor), "{}: {jwks}", database.kind);
            let fresh = token(server);
            assert_eq!(kid_of(&fresh), successor);
            verified(&one, &fresh, NOTES);
            assert_eq!(death(server, &fresh), None);
        }
    });
}

#[test]
fn the_published_key_takes_its_place_and_whoever_keeps_to_the_rules_knows_it() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let (stolen, waiting) = (signing(server.store()), generate(&server, START));
        let at = START + Seconds(930);
        let done = compromise(&server, &stolen, at).unwrap();
        assert_eq!(done.successor.unwrap().kid, waiting, "{}", database.kind);
        assert!(!done.successor_is_new, "{}: published long enough", database.kind);
        assert_eq!(signing(server.store()), waiting);

        // Of one that does not sign nothing has to be taken over.
        let spare = generate(&server, at);
        let done = compromise(&server, &spare, at).unwrap();
        assert!(done.successor.is_none());
        assert_eq!(signing(server.store()), waiting);
        let next = generate(&server, at);
        keys::activate(server.store(), &next, &server.app.key_rules, true, at).unwrap();
        assert!(compromise(&server, &waiting, at).unwrap().successor.is_none(), "it was retired");
        assert_eq!(signing(server.store()), next, "{}", database.kind);
    });
}

#[test]
fn a_compromised_key_never_comes_back() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let (store, rules, kind) = (server.store(), &server.app.key_rules, database.kind);
        let stolen = signing(store);
        let copy = open_key(&of(store, &stolen), &sealer(), START).unwrap().to_pem().unwrap();
        compromise(&server, &stolen, START).unwrap();
        assert_eq!(of(store, &stolen).sealed_private, "", "{kind}: nobody needs it any more");

        let again = PrivateKey::from_pem(&copy, ES256).unwrap().to_record(&sealer(), START).unwrap();
        let refused = |answer: Result<_, KeyFault>| match answer.map(drop) {
            Err(KeyFault::Compromised | KeyFault::Refused(TransitionRefused::Compromised)) => {}
            other => panic!("{kind}: {other:?}"),
        };
        refused(keys::import(store, again.clone()));
        refused(keys::activate(store, &stolen, rules, true, START));
        refused(keys::retire(store, &stolen, rules, START));
        refused(compromise(&server, &stolen, START).map(|done| done.compromised));

        // Neither the plan nor a change of the master key nor a restart stumbles over what is left of it.
        server.advance(400 * 86_400);
        server.app.rotate_keys().unwrap();
        assert_eq!(of(store, &stolen).state.name(), "compromised");
        let there = all(store).len();
        assert_eq!(keys::reseal(store, &sealer(), START).unwrap(), there - 1);
        keys::ensure(store, &sealer(), &OsEntropy, rules, START).unwrap();
        assert_eq!(all(store).len(), there);

        let late = START + Seconds(500 * 86_400);
        let kept = keys::remove(store, &stolen, rules, false, late);
        assert!(matches!(kept, Err(KeyFault::Remembered)), "{kind}: {kept:?}");
        keys::remove(store, &stolen, rules, true, late).unwrap();
        keys::import(store, again).unwrap();
    });
}

#[test]
fn a_key_that_is_not_there_cannot_be_given_up() {
    let server = TestServer::start();
    let before = all(server.store());
    assert!(matches!(compromise(&server, "none", START), Err(KeyFault::Unknown)));
    assert_eq!(all(server.store()), before);
}

#[test]
fn of_several_who_give_a_key_up_at_once_one_makes_the_successor() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let stolen = signing(server.store());
        let won = at_once(6, |_| compromise(&server, &stolen, START).is_ok());
        assert_eq!(won.iter().filter(|won| **won).count(), 1, "{}", database.kind);
        signing(server.store());
        assert_eq!(all(server.store()).len(), 3);
        let left = "SELECT COUNT(*) AS n FROM signing_keys WHERE sealed_private = ''";
        assert_eq!(Raw::open(&database.url).number(left), 1);
    });
}
