//! `countersign key`: rotation in order, import and export of every kind, and a changed master key.

use std::process::Command;

use countersign::base::entropy::OsEntropy;
use countersign::jose::PrivateKey;
use countersign::oauth::algorithm::SigningAlgorithm;

use crate::support::program::{Home, mode, set_mode};
use crate::support::raw::Raw;

pub(super) fn kids(home: &Home, algorithm: &str, state: &str) -> Vec<String> {
    let all = home.json(&["key", "list"]);
    let wanted = |key: &&serde_json::Value| key["algorithm"] == algorithm && key["state"] == state;
    all.as_array().unwrap().iter().filter(wanted).map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

pub(super) fn generate(home: &Home, algorithm: &str) -> String {
    home.json(&["key", "generate", "--algorithm", algorithm])["kid"].as_str().unwrap().to_owned()
}

/// DESIGN §5: published → active → retired → removed.
#[test]
fn a_key_is_published_before_it_signs_and_retires_the_former() {
    let home = Home::new("");
    drop(home.serve());
    let former = kids(&home, "ES256", "active").remove(0);
    let kid = generate(&home, "ES256");
    let told = home.refused(&["key", "activate", &kid]);
    assert!(told.contains("wait until then"), "{told}");
    assert_eq!(kids(&home, "ES256", "active"), std::slice::from_ref(&former));
    home.ok(&["key", "activate", &kid, "--at-once"]);
    assert_eq!(kids(&home, "ES256", "active"), std::slice::from_ref(&kid));
    assert_eq!(kids(&home, "ES256", "retired"), std::slice::from_ref(&former));
    assert!(home.refused(&["key", "activate", &former]).contains("retired"));
    assert!(home.refused(&["key", "remove", &former]).contains("may live until"));
    assert!(home.refused(&["key", "remove", &kid]).contains("signs"));
    assert!(home.refused(&["key", "retire", &kid]).contains("--last"));
    home.ok(&["key", "retire", &kid, "--last"]);
    assert_eq!(kids(&home, "ES256", "active"), Vec::<String>::new());
}

#[test]
fn a_key_may_sign_once_every_cache_of_the_key_set_is_dead() {
    let home = Home::new("");
    drop(home.serve());
    let kid = generate(&home, "ES256");
    let aged = |seconds: i64| {
        let shift =
            format!("UPDATE signing_keys SET published_at = published_at - {seconds} WHERE kid = '{kid}'");
        Raw::open(&format!("sqlite:{}", home.path("countersign.db").display())).run(&shift);
    };
    aged(900);
    assert!(home.refused(&["key", "activate", &kid]).contains("wait until then"));
    aged(30);
    home.ok(&["key", "activate", &kid]);
    let unused = generate(&home, "ES256");
    home.ok(&["key", "remove", &unused]);
    assert_eq!(kids(&home, "ES256", "published"), Vec::<String>::new());
}

/// What is left of a key whose tokens are dead verifies ID token hints, and cannot be exported or sign.
#[test]
fn a_key_is_removed_in_two_steps() {
    let home = Home::new("");
    drop(home.serve());
    let kid = kids(&home, "ES256", "active").remove(0);
    home.ok(&["key", "retire", &kid, "--last"]);
    Raw::open(&format!("sqlite:{}", home.path("countersign.db").display()))
        .run("UPDATE signing_keys SET retired_at = retired_at - 9000, remove_at = remove_at - 9000");
    let shown =
        || home.json(&["key", "list"]).as_array().unwrap().iter().find(|key| key["kid"] == kid).cloned();
    let [until, hints_until] = ["until", "hints_until"].map(|name| shown().unwrap()[name].as_i64().unwrap());
    assert_eq!(until, hints_until);
    assert_eq!(hints_until, shown().unwrap()["remove_at"].as_i64().unwrap() + 30 * 86_400);
    assert!(home.ok(&["key", "list"]).contains("hints only"));

    assert_eq!(home.json(&["key", "remove", &kid])["hints_until"], hints_until);
    assert!(home.refused(&["key", "remove", &kid]).contains("ID token hints until"));
    assert!(home.refused(&["key", "export", &kid, "--out", "old.pem"]).contains("private part"));
    assert!(!home.ok(&["check"]).contains(&kid), "there is nothing to open");
    drop(home.serve());
    home.ok(&["key", "remove", &kid, "--at-once"]);
    assert_eq!(shown(), None);
}

/// A key that only waits is no reason to start without one that signs: the first start lets it sign.
#[test]
fn a_key_made_before_the_first_start_signs_from_then_on() {
    let home = Home::new("");
    let waiting = generate(&home, "ES256");
    let served = home.serve();
    assert_eq!(kids(&home, "ES256", "active"), std::slice::from_ref(&waiting));
    assert!(served.client().get("/.well-known/jwks.json").body.contains(&waiting));
}

#[test]
fn a_kid_that_begins_with_a_hyphen_is_no_option() {
    let home = Home::new("");
    let mut made =
        std::iter::repeat_with(|| PrivateKey::generate(SigningAlgorithm::Es256, &OsEntropy).unwrap());
    let key = made.find(|key| key.public().kid().starts_with('-')).unwrap();
    std::fs::write(home.path("a.pem"), key.to_pem().unwrap().as_bytes()).unwrap();
    let imported = home.json(&["key", "import", "a.pem", "--algorithm", "ES256"]);
    let kid = imported["kid"].as_str().unwrap();
    home.ok(&["key", "export", kid, "--out", "b.pem"]);
    home.ok(&["key", "activate", kid, "--at-once"]);
    home.ok(&["key", "retire", kid, "--last"]);
    assert!(home.refused(&["key", "remove", kid]).contains("may live until"));
}

fn openssl(home: &Home, arguments: &[&str]) {
    let output = Command::new("openssl").current_dir(home.folder.path()).args(arguments).output().unwrap();
    assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_key_of_every_algorithm_comes_in_as_pem_and_goes_out_and_in_as_jwk() {
    let home = Home::new("");
    let ec = |curve: &'static str| vec!["-algorithm", "EC", "-pkeyopt", curve];
    let rsa = vec!["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
    for (algorithm, how) in [
        ("ES256", ec("ec_paramgen_curve:P-256")),
        ("ES384", ec("ec_paramgen_curve:P-384")),
        ("ES512", ec("ec_paramgen_curve:P-521")),
        ("EdDSA", vec!["-algorithm", "ED25519"]),
        ("RS256", rsa.clone()),
        ("PS256", rsa),
    ] {
        let pem = format!("{algorithm}.pem");
        openssl(&home, &[&["genpkey", "-out", &pem][..], &how].concat());
        let kid = home.json(&["key", "import", &pem, "--algorithm", algorithm])["kid"].clone();
        let kid = kid.as_str().unwrap();
        let jwk = format!("{algorithm}.jwk");
        home.ok(&["key", "export", kid, "--out", &jwk, "--format", "jwk"]);
        assert_eq!(mode(&home.path(&jwk)), 0o600, "{algorithm}");
        home.ok(&["key", "remove", kid]);
        let again = home.json(&["key", "import", &jwk, "--algorithm", algorithm]);
        assert_eq!(again["kid"], kid, "{algorithm}: RFC 7638 §3");
        let text = std::fs::read_to_string(home.path(&jwk)).unwrap();
        assert!(
            home.run_with(&["key", "import", "-", "--algorithm", algorithm], &text).err.contains("already")
        );
        let out = format!("{algorithm}.out.pem");
        home.ok(&["key", "export", kid, "--out", &out]);
        // The same key, as openssl sees it.
        for (file, public) in [(&pem, "a.pub"), (&out, "b.pub")] {
            openssl(&home, &["pkey", "-in", file, "-pubout", "-out", public]);
        }
        let public = |name| std::fs::read(home.path(name)).unwrap();
        assert_eq!(public("a.pub"), public("b.pub"), "{algorithm}");
    }
}

#[test]
fn what_is_no_key_for_the_algorithm_is_refused_without_a_word_of_it() {
    let home = Home::new("");
    openssl(&home, &["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "ec.pem"]);
    openssl(
        &home,
        &["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024", "-out", "small.pem"],
    );
    openssl(&home, &["pkey", "-in", "ec.pem", "-pubout", "-out", "public.pem"]);
    std::fs::write(home.path("oct.jwk"), r#"{"kty":"oct","k":"Z2VoZWltZ2VoZWltZ2VoZWltZ2VoZWlt"}"#).unwrap();
    std::fs::write(
        home.path("junk.pem"),
        "-----BEGIN PRIVATE KEY-----\nZ2VoZWlt\n-----END PRIVATE KEY-----\n",
    )
    .unwrap();
    std::fs::write(home.path("empty.pem"), "").unwrap();
    for (file, algorithm) in [
        ("ec.pem", "RS256"),
        ("ec.pem", "ES384"),
        ("ec.pem", "EdDSA"),
        ("small.pem", "RS256"),
        ("public.pem", "ES256"),
        ("oct.jwk", "ES256"),
        ("junk.pem", "ES256"),
        ("empty.pem", "ES256"),
        ("missing.pem", "ES256"),
    ] {
        let told = home.refused(&["key", "import", file, "--algorithm", algorithm]);
        assert!(!told.contains("Z2VoZWlt") && !told.contains("geheim"), "{file}: {told}");
        let secret = std::fs::read_to_string(home.path(file)).unwrap_or_default();
        let lines = secret.lines().filter(|line| line.len() > 20 && !line.starts_with('-'));
        lines.for_each(|line| assert!(!told.contains(line), "{file}: {told}"));
    }
    assert_eq!(home.json(&["key", "list"]), serde_json::json!([]));
}

#[test]
fn an_export_never_writes_over_a_file() {
    let home = Home::new("");
    let kid = generate(&home, "ES256");
    std::fs::write(home.path("there"), "mine").unwrap();
    std::os::unix::fs::symlink("nowhere", home.path("link")).unwrap();
    for out in ["there", "link"] {
        let told = home.refused(&["key", "export", &kid, "--out", out]);
        assert!(told.contains(out), "{told}");
    }
    assert_eq!(std::fs::read_to_string(home.path("there")).unwrap(), "mine");
    assert!(!home.path("nowhere").exists());
    assert!(home.refused(&["key", "export", "nothing", "--out", "new"]).contains("no key"));
    assert!(!home.path("new").exists());
}

#[test]
fn after_a_change_of_the_master_key_a_reseal_makes_the_old_one_needless() {
    let home = Home::new("");
    drop(home.serve());
    let before = kids(&home, "ES256", "active");
    let text = std::fs::read_to_string(home.path("countersign.toml")).unwrap();
    std::fs::rename(home.path("keys/master.key"), home.path("keys/old.key")).unwrap();
    // As docs/OPERATIONS.md says.
    openssl(&home, &["rand", "-out", "raw", "32"]);
    let raw = std::fs::read(home.path("raw")).unwrap();
    std::fs::write(home.path("keys/master.key"), countersign::base::encoding::base64url(&raw)).unwrap();
    set_mode(&home.path("keys/master.key"), 0o600);

    let told = home.refused(&["key", "reseal"]);
    assert!(told.contains(&before[0]) || told.contains("master key"), "{told}");
    home.configure(&format!("{text}[keys]\nprevious_master_key_files = [\"keys/old.key\"]\n"));
    let checked = home.run(&["check"]);
    assert!(checked.code == 0 && checked.out.contains("countersign key reseal"), "{checked:?}");
    assert_eq!(home.json(&["key", "reseal"])["resealed"], 2);
    home.configure(&text);
    std::fs::remove_file(home.path("keys/old.key")).unwrap();
    assert_eq!(home.run(&["check"]).code, 0);
    drop(home.serve());
    assert_eq!(kids(&home, "ES256", "active"), before, "the keys stay the same");
}
