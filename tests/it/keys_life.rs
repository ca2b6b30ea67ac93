//! The life of signing keys: made once, published before they sign, shown until their last token is dead, sealed at rest.

use std::sync::Arc;

use countersign::app::{App, StartError};
use countersign::base::clock::ManualClock;
use countersign::base::entropy::OsEntropy;
use countersign::base::{Seconds, Timestamp};
use countersign::domain::{KeyPlan, KeyRules, KeyState};
use countersign::flow::keys::{self, KeyFault};
use countersign::jose::{MasterKey, MasterKeys, PrivateKey, Sealer};
use countersign::oauth::algorithm::SigningAlgorithm;
use countersign::store::{self, Store};
use openssl::ec::{EcGroup, EcKey};
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;

use super::support::flow::{code, part, redemption, tokens};
use super::support::raw::{Raw, file_of, migrated};
use super::support::server::{MASTER_KEY, START, Setup, config, sealer};
use super::support::{TestServer, on_each_database};

const ES256: SigningAlgorithm = SigningAlgorithm::Es256;
const JWKS_MAX_AGE: Seconds = Seconds(300);
const LONGEST: Seconds = Seconds(600);
/// A retired key is kept for twice its longest token, for as long as a node may sign without the database, and the leeway.
const KEPT: Seconds = Seconds(2 * 600 + 10 + 300);

fn rules() -> KeyRules {
    let plan = |algorithm| KeyPlan {
        algorithm,
        sign_for: Seconds(30 * 86_400),
        publish_ahead: Seconds(86_400),
        keep_retired: None,
    };
    KeyRules {
        rotate: true,
        plans: [ES256, SigningAlgorithm::EdDsa].map(plan).into(),
        jwks_max_age: JWKS_MAX_AGE,
        longest_token: LONGEST,
        longest_session: Seconds(0),
        max_stale: Seconds(10),
        rsa_bits: 2048,
    }
}

fn sealer_of(current: [u8; 32], previous: &[[u8; 32]]) -> Sealer {
    let previous = previous.iter().map(|key| MasterKey::from_bytes(*key)).collect();
    Sealer::new(&MasterKeys { current: MasterKey::from_bytes(current), previous }, Arc::new(OsEntropy))
}

fn all(store: &Store) -> Vec<countersign::domain::SigningKeyRecord> {
    store.read("test", store::keys::all).unwrap()
}

fn ensure(store: &Store, sealer: &Sealer, now: Timestamp) -> Result<(), KeyFault> {
    keys::ensure(store, sealer, &OsEntropy, &rules(), now)
}

fn generate(store: &Store, now: Timestamp) -> String {
    keys::generate(store, &sealer(), &OsEntropy, ES256, 2048, now).unwrap().kid
}

fn activate(store: &Store, kid: &str, at_once: bool, now: Timestamp) -> Result<(), KeyFault> {
    keys::activate(store, kid, &rules(), at_once, now).map(|_| ())
}

/// The states by name, oldest key first.
fn states(store: &Store) -> Vec<&'static str> {
    all(store).iter().map(|key| key.state.name()).collect()
}

#[test]
fn the_first_start_makes_one_active_key_per_algorithm_and_later_ones_none() {
    on_each_database(|database| {
        let store = migrated(&database.url);
        ensure(&store, &sealer(), START).unwrap();
        let made = all(&store);
        let mut algorithms: Vec<_> = made.iter().map(|key| key.algorithm).collect();
        algorithms.sort();
        assert_eq!(algorithms, [ES256, SigningAlgorithm::EdDsa], "{}", database.kind);
        assert_eq!(states(&store), ["active", "active"]);
        ensure(&store, &sealer(), START + Seconds(9)).unwrap();
        assert_eq!(all(&store), made);
    });
}

/// Who brings a key from another server imports it before the first start, and means it to sign.
#[test]
fn a_key_that_was_imported_before_the_first_start_is_the_one_that_signs() {
    on_each_database(|database| {
        let store = migrated(&database.url);
        let (first, second) = (generate(&store, START), generate(&store, START + Seconds(1)));
        ensure(&store, &sealer(), START + Seconds(2)).unwrap();
        let known = all(&store);
        let of_es256: Vec<_> = known
            .iter()
            .filter(|key| key.algorithm == ES256)
            .map(|key| (&key.kid, key.state.name()))
            .collect();
        assert_eq!(of_es256, [(&first, "active"), (&second, "published")], "{}", database.kind);
        assert_eq!(known.len(), 3, "the other algorithm had none");
    });
}

fn start(url: &str, master: [u8; 32], extra: &str) -> Result<App, StartError> {
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup { database: Some(url.to_owned()), extra: extra.to_owned(), ..Setup::default() };
    let mut config = config(&setup, "http://127.0.0.1:9", folder.path());
    config.keys.master_key = Some(countersign::base::encoding::base64url(&master).parse().unwrap());
    let issuer = config.server.issuer.clone().unwrap();
    App::start(&config, &issuer, Arc::new(ManualClock::at(START)), Arc::new(OsEntropy))
}

/// A lost master key is a matter for the operator: a new signing key in place of the old would break every verifier.
#[test]
fn a_wrong_master_key_stops_the_start_with_a_clear_text_and_makes_no_key() {
    on_each_database(|database| {
        start(&database.url, MASTER_KEY, "").unwrap();
        let store = migrated(&database.url);
        let before = all(&store);
        let told = start(&database.url, [9; 32], "").map(|_| ()).unwrap_err().0;
        assert!(before.iter().any(|key| told.contains(&key.kid)), "{told}");
        for word in
            ["cannot be opened", "keys.previous_master_key_files", MasterKey::from_bytes([9; 32]).id()]
        {
            assert!(told.contains(word), "{word:?} is not in {told}");
        }
        assert_eq!(all(&store), before, "{}", database.kind);
        start(&database.url, MASTER_KEY, "").unwrap();
    });
}

#[test]
fn a_damaged_key_stops_the_start_too() {
    on_each_database(|database| {
        let store = migrated(&database.url);
        ensure(&store, &sealer(), START).unwrap();
        // The private part of the one under the name of the other.
        let made = all(&store);
        let moved = format!(
            "UPDATE signing_keys SET sealed_private = '{}' WHERE kid = '{}'",
            made[0].sealed_private, made[1].kid
        );
        Raw::open(&database.url).run(&moved);
        let told = ensure(&store, &sealer(), START).unwrap_err().to_string();
        assert!(told.contains(&made[1].kid), "{told}");
        assert_eq!(all(&store).len(), 2, "{}", database.kind);
    });
}

#[test]
fn a_key_signs_only_once_verifiers_can_know_it_and_the_former_one_retires() {
    on_each_database(|database| {
        let store = migrated(&database.url);
        let old = generate(&store, START);
        activate(&store, &old, true, START).unwrap();
        let new = generate(&store, START + Seconds(10));
        assert_eq!(states(&store), ["active", "published"]);

        let early = activate(&store, &new, false, START + Seconds(339));
        let told = early.unwrap_err().to_string();
        assert!(told.contains("wait until"), "{told}");
        assert_eq!(states(&store), ["active", "published"], "{}", database.kind);
        activate(&store, &new, false, START + Seconds(340)).unwrap();
        assert_eq!(states(&store), ["retired", "active"]);
        let KeyState::Retired { remove_at, .. } = all(&store)[0].state else { panic!() };
        assert_eq!(remove_at, START + Seconds(340) + KEPT);
        let again = activate(&store, &new, false, START + Seconds(999)).unwrap_err().to_string();
        assert!(again.contains("active already"), "{again}");
        let back = activate(&store, &old, true, START + Seconds(999)).unwrap_err().to_string();
        assert!(back.contains("retired"), "{back}");
        assert!(matches!(activate(&store, "none", true, START), Err(KeyFault::Unknown)));
    });
}

#[test]
fn a_key_is_removed_only_when_its_last_token_is_dead() {
    on_each_database(|database| {
        let store = migrated(&database.url);
        let kid = generate(&store, START);
        activate(&store, &kid, true, START).unwrap();
        let refused = |now: Timestamp| {
            let answer = keys::remove(&store, &kid, &rules(), false, now);
            let still_needed = matches!(answer, Err(KeyFault::StillNeeded(_) | KeyFault::Signs));
            assert!(still_needed, "{}: {answer:?}", database.kind);
        };
        refused(START + Seconds(1_000_000));
        keys::retire(&store, &kid, &rules(), START).unwrap();
        let again = keys::retire(&store, &kid, &rules(), START + Seconds(5));
        assert!(matches!(again, Err(KeyFault::Refused(_))), "{again:?}");
        let end = START + KEPT;
        refused(end - Seconds(1));
        keys::remove(&store, &kid, &rules(), false, end).unwrap();
        assert!(all(&store).is_empty());
        for answer in [
            keys::remove(&store, &kid, &rules(), false, end).map(|_| ()),
            keys::retire(&store, &kid, &rules(), end).map(|_| ()),
        ] {
            assert!(matches!(answer, Err(KeyFault::Unknown)), "{answer:?}");
        }
        let unused = generate(&store, START);
        keys::remove(&store, &unused, &rules(), false, START).unwrap();
    });
}

/// The life of a token may be longer for one client than for all others; its key has to outlive that one.
#[test]
fn a_key_is_shown_as_long_as_the_longest_token_of_any_client() {
    on_each_database(|database| {
        let extra = "[[clients]]\nid = \"long\"\nprofile = \"service\"\nsecret_hash = \"SECRET_HASH:long\"\n\
                     access_token_ttl_s = 7200\nallow_long_access_tokens = true\n";
        let clients = format!("{}{extra}", super::support::server::CLIENTS);
        let server =
            TestServer::with(Setup { database: Some(database.url.clone()), clients, ..Setup::default() });
        let kid = all(server.store()).iter().find(|key| key.algorithm == ES256).unwrap().kid.clone();
        let retired = keys::retire(server.store(), &kid, &server.app.key_rules, START).unwrap();
        let KeyState::Retired { remove_at, .. } = retired.state else { panic!() };
        assert_eq!(remove_at, START + Seconds(2 * 7200 + 10 + 300), "{}", database.kind);
    });
}

/// A code or a refresh token that went for an answer that nobody can sign would be lost, and look stolen when shown again.
#[test]
fn nothing_is_used_up_while_no_key_signs() {
    on_each_database(|database| {
        let (server, kind) = (TestServer::on(&database), database.kind);
        let (code, refresh) = (code(&server, "web", &[]), tokens(&server).text("refresh_token"));
        let forms = [
            redemption(&code).to_vec(),
            vec![("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())],
        ];
        let (store, rules) = (server.store(), &server.app.key_rules);
        for key in all(store).iter().filter(|key| key.state.name() == "active") {
            keys::retire(store, &key.kid, rules, START).unwrap();
        }
        server.refresh();
        for form in &forms {
            assert_eq!(server.token("web", form).error(), "server_error", "{kind}");
        }
        for algorithm in [ES256, SigningAlgorithm::Rs256] {
            let key = keys::generate(store, &sealer(), &OsEntropy, algorithm, 2048, START).unwrap();
            keys::activate(store, &key.kid, rules, true, START).unwrap();
        }
        // Long after the grace of a token that was used.
        server.advance(50);
        server.refresh();
        for form in &forms {
            let answer = server.token("web", form);
            assert_eq!(answer.status, 200, "{kind}: {}", answer.body);
        }
    });
}

#[test]
fn keys_are_resealed_under_a_new_master_key_and_the_old_one_may_go() {
    on_each_database(|database| {
        let (old, new) = (MASTER_KEY, [7; 32]);
        start(&database.url, old, "").unwrap();
        let store = migrated(&database.url);
        let before = all(&store);
        // With the old one beside the new one everything opens, and stays as it is until somebody says so.
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("old.key");
        std::fs::write(&file, countersign::base::encoding::base64url(&old)).unwrap();
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let both = sealer_of(new, &[old]);
        countersign::flow::Snapshot::load(&store, &both, START).unwrap();
        assert!(start(&database.url, new, "").is_err(), "{}", database.kind);

        assert!(
            keys::reseal(&store, &sealer_of(new, &[]), START).is_err(),
            "one that does not open stops it"
        );
        assert_eq!(all(&store), before);
        assert_eq!(keys::reseal(&store, &both, START).unwrap(), 2);
        let after = all(&store);
        for (before, after) in before.iter().zip(&after) {
            assert!(both.is_current(&after.sealed_private));
            let same = countersign::domain::SigningKeyRecord {
                sealed_private: before.sealed_private.clone(),
                ..after.clone()
            };
            assert_eq!(&same, before, "nothing else changes");
        }
        let app = start(&database.url, new, "").unwrap();
        assert!(
            before.iter().all(|key| String::from_utf8_lossy(app.known().keys.jwks_json()).contains(&key.kid))
        );
        assert!(start(&database.url, old, "").is_err(), "the old one opens nothing any more");
    });
}

/// Every form in which people bring their keys, made by OpenSSL itself.
fn foreign_keys() -> Vec<(&'static str, SigningAlgorithm, String)> {
    let text = |pem: Vec<u8>| String::from_utf8(pem).unwrap();
    let pkcs8 = |key: PKey<openssl::pkey::Private>| text(key.private_key_to_pem_pkcs8().unwrap());
    let mut keys = Vec::new();
    for (algorithm, curve) in [
        (ES256, Nid::X9_62_PRIME256V1),
        (SigningAlgorithm::Es384, Nid::SECP384R1),
        (SigningAlgorithm::Es512, Nid::SECP521R1),
    ] {
        let make = || EcKey::generate(&EcGroup::from_curve_name(curve).unwrap()).unwrap();
        keys.push(("SEC1", algorithm, text(make().private_key_to_pem().unwrap())));
        keys.push(("PKCS#8", algorithm, pkcs8(PKey::from_ec_key(make()).unwrap())));
    }
    for algorithm in [SigningAlgorithm::Rs256, SigningAlgorithm::Ps256] {
        let make = || Rsa::generate(2048).unwrap();
        keys.push(("PKCS#1", algorithm, text(make().private_key_to_pem().unwrap())));
        keys.push(("PKCS#8", algorithm, pkcs8(PKey::from_rsa(make()).unwrap())));
    }
    keys.push(("PKCS#8", SigningAlgorithm::EdDsa, pkcs8(PKey::generate_ed25519().unwrap())));
    keys
}

/// RFC 7517 and RFC 7518 §6 for the JWK forms.
#[test]
fn keys_of_every_kind_are_imported_as_pem_and_as_jwk_and_sign() {
    let store_folder = tempfile::tempdir().unwrap();
    let store = migrated(&super::support::Database::sqlite(store_folder.path()).url);
    for (form, algorithm, pem) in foreign_keys() {
        let what = format!("{algorithm} in {form}");
        let key = PrivateKey::from_pem(&pem, algorithm).unwrap_or_else(|e| panic!("{what}: {e}"));
        let jwk = key.to_jwk().unwrap();
        let same = PrivateKey::from_jwk(&jwk, algorithm).unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!(same.public().kid(), key.public().kid(), "{what}");
        let record = keys::import(&store, key.to_record(&sealer(), START).unwrap()).unwrap();
        let again = keys::import(&store, same.to_record(&sealer(), START).unwrap());
        assert!(matches!(again, Err(KeyFault::Taken)), "{what}: {again:?}");
        activate(&store, &record.kid, true, START).unwrap();
        let snapshot = countersign::flow::Snapshot::load(&store, &sealer(), START).unwrap();
        assert_eq!(snapshot.keys.signer(algorithm).unwrap().kid(), record.kid, "{what}");
    }
    assert_eq!(all(&store).len(), 11);
}

#[test]
fn a_rotation_goes_through_to_the_tokens_while_the_server_runs() {
    on_each_database(|database| {
        let server = TestServer::on(&database);
        let form = [("grant_type", "client_credentials"), ("scope", "notes:read")];
        let kid = || {
            part(&server.token("service", &form).text("access_token"), 0)["kid"].as_str().unwrap().to_owned()
        };
        let old = kid();
        let new = generate(server.store(), START);
        server.advance(JWKS_MAX_AGE.0 + 30);
        assert_eq!(kid(), old, "{}: published, not signing", database.kind);
        activate(server.store(), &new, false, START + JWKS_MAX_AGE + Seconds(30)).unwrap();
        server.advance(2);
        assert_eq!(kid(), new, "{}", database.kind);
        let jwks = || server.client().get(countersign::http::paths::JWKS).body;
        assert!(jwks().contains(&old) && jwks().contains(&new));
        // Everybody who trusted the old key's last token has seen it die.
        server.advance(KEPT.0);
        server.refresh();
        assert!(!jwks().contains(&old) && jwks().contains(&new), "{}", database.kind);
    });
}

/// Whoever steals the database has no key: neither the private members of a JWK nor DER nor PEM lie in the file.
#[test]
fn no_private_key_lies_in_the_database() {
    on_each_database(|database| {
        let store = migrated(&database.url);
        let mut secrets: Vec<Vec<u8>> = vec![b"PRIVATE KEY".to_vec()];
        for (_, algorithm, pem) in foreign_keys() {
            let key = PrivateKey::from_pem(&pem, algorithm).unwrap();
            keys::import(&store, key.to_record(&sealer(), START).unwrap()).unwrap();
            let jwk: serde_json::Value = serde_json::from_str(&key.to_jwk().unwrap()).unwrap();
            for member in ["d", "p", "q", "dp", "dq", "qi"] {
                if let Some(text) = jwk[member].as_str() {
                    secrets.push(text.as_bytes().to_vec());
                    secrets.push(countersign::base::encoding::from_base64url(text).unwrap());
                }
            }
            // The lines of the PEM, save those of an RSA key's public modulus.
            let public = jwk["n"].as_str().unwrap_or_default().replace('-', "+").replace('_', "/");
            let private = pem.lines().filter(|line| line.len() == 64 && !public.contains(line));
            secrets.extend(private.map(|line| line.as_bytes().to_vec()));
        }
        assert!(secrets.len() > 60);
        let at_rest = match file_of(&database.url) {
            // The write-ahead log too.
            Some(file) => std::fs::read_dir(file.parent().unwrap())
                .unwrap()
                .flat_map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
                .collect(),
            None => all(&store).iter().flat_map(|key| format!("{key:?}").into_bytes()).collect::<Vec<u8>>(),
        };
        assert!(contains(&at_rest, all(&store)[0].kid.as_bytes()), "the right place is searched");
        for secret in secrets {
            assert!(!contains(&at_rest, &secret), "{}: {}", database.kind, String::from_utf8_lossy(&secret));
        }
    });
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    assert!(needle.len() > 8);
    haystack.windows(needle.len()).any(|window| window == needle)
}
