//! One sound configuration, and each rule broken once.

use crate::config::{Config, ExchangeRule, KeyPlan, Keys};

const SOUND: &str = r#"
[server]
issuer = "https://id.example"

[[clients]]
id = "spa"
profile = "spa"
redirect_uris = ["https://app.example/cb"]

[[clients]]
id = "web"
profile = "web"
redirect_uris = ["https://web.example/cb"]
secret_env = "WEB_SECRET"

[[clients]]
id = "job"
profile = "service"
secret_file = "/run/secrets/job"
resources = ["https://api.example"]
scopes = ["notes:read"]

[[resource_servers]]
id = "https://api.example"
scopes = { "notes:read" = "Read your notes" }

[[roles]]
name = "editor"
"#;

fn config(toml: &str) -> Config {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.toml");
    std::fs::write(&path, toml).unwrap();
    Config::load(Some(&path), std::iter::empty()).unwrap_or_else(|error| panic!("{error}"))
}

/// What is wrong when `change` is made to the sound configuration.
fn told(change: impl Fn(&mut Config)) -> Vec<String> {
    let mut config = config(SOUND);
    change(&mut config);
    config.validate().iter().map(ToString::to_string).collect()
}

/// Exactly one problem, at `key`, that says `text`.
fn one(change: impl Fn(&mut Config), key: &str, text: &str) {
    let found = told(change);
    let fits = found.len() == 1 && found[0].starts_with(&format!("{key}: ")) && found[0].contains(text);
    assert!(fits, "{key}: {text}: {found:#?}");
}

fn list(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn the_sound_configuration_has_no_problem() {
    assert_eq!(told(|_| {}), Vec::<String>::new());
}

#[test]
fn a_missing_issuer_is_told_to_those_who_need_one() {
    let mut config = config(SOUND);
    config.server.issuer = None;
    assert_eq!(config.validate(), []);
    assert_eq!(config.issuer().unwrap_err().key, "server.issuer");
}

#[test]
fn a_number_set_by_code_is_held_to_its_bounds_too() {
    one(|c| c.tokens.code_ttl_s = 601, "tokens.code_ttl_s", "from 1 to 600, found 601");
    one(|c| c.login.argon2.parallelism = 0, "login.argon2.parallelism", "from 1 to 16");
    one(|c| c.clients[0].refresh_token_ttl_s = Some(1), "clients[\"spa\"].refresh_token_ttl_s", "from 60");
    one(|c| c.tokens.refresh_reuse_grace_s = 61, "tokens.refresh_reuse_grace_s", "from 0 to 60");
    let grace = "clients[\"spa\"].refresh_reuse_grace_s";
    one(|c| c.clients[0].refresh_reuse_grace_s = Some(61), grace, "from 0 to 60");
}

#[test]
fn the_listener_has_addresses_each_once() {
    one(|c| c.server.listen.clear(), "server.listen", "at least one");
    one(|c| c.server.listen.push(c.server.listen[0]), "server.listen", "twice");
}

#[test]
fn tls_wants_both_files_and_an_https_issuer() {
    let tls = crate::config::Tls { certificate_file: "c.pem".into(), private_key_file: "k.pem".into() };
    assert!(told(|c| c.server.tls = Some(tls.clone())).is_empty());
    let half = crate::config::Tls { certificate_file: "c.pem".into(), ..Default::default() };
    one(|c| c.server.tls = Some(half.clone()), "server.tls.private_key_file", "name the file");
    let plain = |c: &mut Config| {
        c.server.tls = Some(tls.clone());
        c.server.issuer = Some("http://localhost".parse().unwrap());
    };
    one(plain, "server.issuer", "write https");
}

#[test]
fn rs256_has_to_be_there_and_no_algorithm_twice() {
    let es256 = "ES256".parse().unwrap();
    one(|c| c.keys.algorithms = vec![es256], "keys.algorithms", "RS256");
    one(|c| c.keys.algorithms.push(es256), "keys.algorithms", "twice");
    one(|c| c.keys.rsa_bits = 2_049, "keys.rsa_bits", "multiple");
    one(|c| c.keys.master_key_file = "".into(), "keys.master_key_file", "name the file");
}

#[test]
fn a_plan_publishes_a_key_before_it_signs_and_after_the_one_before_it() {
    const AHEAD: &str = "keys.publish_ahead_s";
    let same_for_all = |c: &mut Config| (c.keys.sign_for_s, c.keys.publish_ahead_s) = (5_000, 5_000);
    assert_eq!(told(same_for_all).len(), 2, "each algorithm is told");
    let plan = |sign_for_s, publish_ahead_s| {
        let algorithm = Some("ES256".parse().unwrap());
        KeyPlan { algorithm, sign_for_s, publish_ahead_s, ..KeyPlan::default() }
    };
    let with = |plan: KeyPlan| move |c: &mut Config| c.keys.plans.push(plan.clone());
    one(with(plan(Some(86_400), None)), AHEAD, "less than its `sign_for_s`, 86400");
    assert_eq!(told(with(plan(Some(86_401), None))), Vec::<String>::new());
    let held_to = |publish_ahead_s| {
        move |c: &mut Config| {
            c.keys.jwks_max_age_s = Some(900);
            c.keys.plans.push(plan(None, Some(publish_ahead_s)));
        }
    };
    one(held_to(929), AHEAD, "expected 930 at least");
    assert_eq!(told(held_to(930)), Vec::<String>::new());
    let by_hand = |c: &mut Config| {
        held_to(31)(c);
        c.keys.rotate = false;
    };
    assert_eq!(told(by_hand), Vec::<String>::new(), "nobody goes by it");

    one(with(KeyPlan::default()), "keys.plans[0].algorithm", "name the algorithm");
    let other = KeyPlan { algorithm: Some("EdDSA".parse().unwrap()), ..KeyPlan::default() };
    one(with(other), "keys.plans[0].algorithm", "not among");
    let twice = |c: &mut Config| c.keys.plans = vec![plan(None, None); 2];
    one(twice, "keys.plans[1].algorithm", "has a plan already");
}

#[test]
fn the_key_set_may_be_cached_for_as_long_as_every_plan_allows() {
    let algorithm = |name: &str| Some(name.parse().unwrap());
    let plan = |name, ahead_s| KeyPlan {
        algorithm: algorithm(name),
        publish_ahead_s: Some(ahead_s),
        ..KeyPlan::default()
    };
    for (plans, rotate, given, expected) in [
        (vec![], true, None, 900),
        (vec![plan("ES256", 930)], true, None, 900),
        (vec![plan("ES256", 929)], true, None, 899),
        (vec![plan("ES256", 600), plan("RS256", 331)], true, None, 301),
        (vec![plan("ES256", 31)], true, None, 1),
        (vec![plan("ES256", 31)], false, None, 900),
        (vec![plan("ES256", 600)], true, Some(60), 60),
        (vec![], true, Some(3_600), 3_600),
    ] {
        let keys = Keys { plans, rotate, jwks_max_age_s: given, ..Keys::default() };
        assert_eq!(keys.max_age_s(), expected, "{keys:?}");
    }
    let short = |c: &mut Config| c.keys.publish_ahead_s = 31;
    assert_eq!(told(short), Vec::<String>::new(), "one setting is enough");
}

#[test]
fn an_access_token_above_an_hour_wants_the_override_beside_it() {
    one(|c| c.tokens.access_token_ttl_s = 3_601, "tokens.access_token_ttl_s", "above an hour");
    one(
        |c| c.clients[0].access_token_ttl_s = Some(3_601),
        "clients[\"spa\"].access_token_ttl_s",
        "above an hour",
    );
    let server = "resource_servers[\"https://api.example\"].access_token_ttl_s";
    one(|c| c.resource_servers[0].access_token_ttl_s = Some(3_601), server, "above an hour");
    let meant = |c: &mut Config| {
        c.tokens.access_token_ttl_s = 7_200;
        c.tokens.allow_long_access_tokens = true;
        c.clients[0].access_token_ttl_s = Some(7_200);
        c.clients[0].allow_long_access_tokens = true;
        c.resource_servers[0].access_token_ttl_s = Some(7_200);
        c.resource_servers[0].allow_long_access_tokens = true;
    };
    assert_eq!(told(meant), Vec::<String>::new());
}

#[test]
fn idle_lives_are_within_absolute_ones() {
    one(|c| c.tokens.refresh_token_ttl_s = 60, "tokens.refresh_token_idle_ttl_s", "never count");
    one(|c| c.session.ttl_s = 60, "session.idle_ttl_s", "never count");
    one(|c| c.session.remembered_ttl_s = 60, "session.remembered_idle_ttl_s", "never count");
    let own = "clients[\"spa\"].refresh_token_idle_ttl_s";
    one(|c| c.clients[0].refresh_token_idle_ttl_s = Some(2_592_001), own, "never count");
    let both = |c: &mut Config| {
        c.clients[0].refresh_token_ttl_s = Some(600);
        c.clients[0].refresh_token_idle_ttl_s = Some(601);
    };
    one(both, own, "never count");
}

#[test]
fn login_limits_are_in_order_and_hashes_not_too_cheap() {
    one(|c| c.login.max_failures_overall = 49, "login.max_failures_per_address", "never count");
    one(
        |c| {
            c.login.max_failures_overall = 50;
            c.login.max_failures_per_account = 51;
        },
        "login.max_failures_per_account",
        "never count",
    );
    one(|c| c.login.argon2.iterations = 1, "login.argon2", "OWASP");
    let equal = |c: &mut Config| (c.login.argon2.memory_kib, c.login.argon2.iterations) = (7_168, 5);
    assert!(told(equal).is_empty());
}

#[test]
fn the_service_name_is_one_line_and_the_cache_outlives_its_refresh() {
    for name in ["", " ", "a\nb", "x".repeat(101).as_str()] {
        one(|c| c.pages.service_name = Some(name.to_owned()), "pages.service_name", "1 to 100");
    }
    let short = |c: &mut Config| (c.cache.refresh_ms, c.cache.max_stale_s) = (1_000, 1);
    one(short, "cache.max_stale_s", "twice");
}

#[test]
fn a_client_has_an_id_of_its_own_and_a_profile() {
    one(|c| c.clients[0].id = "a b".to_owned(), "clients[\"a b\"].id", "visible ASCII");
    one(|c| c.clients[0].id = String::new(), "clients[0].id", "visible ASCII");
    one(|c| c.clients[1].id = "spa".to_owned(), "clients[1].id", "declared twice");
    one(
        |c| c.clients[0].profile = None,
        "clients[\"spa\"].profile",
        "one of spa, web, native, service, first-party",
    );
    one(|c| c.clients[0].name = Some("\u{7}".to_owned()), "clients[\"spa\"].name", "1 to 200");
}

#[test]
fn public_clients_have_no_secret_and_confidential_ones_have_one() {
    one(|c| c.clients[0].secret_env = Some("X".to_owned()), "clients[\"spa\"]", "cannot keep a secret");
    one(|c| c.clients[1].secret_env = None, "clients[\"web\"]", "needs one of");
    one(|c| c.clients[1].secret_file = Some("f".into()), "clients[\"web\"]", "exclude each other");
    // As domain::Profile has it: the house's own applications are confidential too.
    let first_party = |secret: Option<&str>| {
        let secret = secret.map(str::to_owned);
        move |c: &mut Config| {
            c.clients[1].profile = "first-party".parse().ok();
            c.clients[1].secret_env = secret.clone();
        }
    };
    one(first_party(None), "clients[\"web\"]", "a first-party client needs one of");
    assert!(told(first_party(Some("WEB_SECRET"))).is_empty());
}

#[test]
fn a_secret_is_named_in_its_form() {
    let hash = crate::base::HashedToken::of("x").as_str().to_owned();
    let by_hash = |hash: &str| {
        let hash = hash.to_owned();
        move |c: &mut Config| (c.clients[1].secret_env, c.clients[1].secret_hash) = (None, Some(hash.clone()))
    };
    assert!(told(by_hash(&hash)).is_empty());
    one(by_hash("geheim"), "clients[\"web\"].secret_hash", "43 characters");
    for name in ["", "A-B", "9A", "A=B"] {
        one(
            |c| c.clients[1].secret_env = Some(name.to_owned()),
            "clients[\"web\"].secret_env",
            "letters, digits",
        );
    }
    one(|c| c.clients[2].secret_file = Some("".into()), "clients[\"job\"].secret_file", "name the file");
}

#[test]
fn grants_fit_the_profile() {
    let grants = |at: usize, names: &[&str]| {
        let names: Vec<_> = names.iter().map(|name| name.parse().unwrap()).collect();
        move |c: &mut Config| c.clients[at].grant_types = Some(names.clone())
    };
    let spa = "clients[\"spa\"].grant_types";
    one(grants(0, &[]), spa, "at least one");
    one(grants(0, &["client_credentials"]), spa, "RFC 6749 §4.4");
    one(grants(0, &["password"]), spa, "allow_password_grant");
    one(|c| c.clients[0].require_pkce = Some(false), "clients[\"spa\"].require_pkce", "RFC 9700 §2.1.1");
    assert!(told(|c| c.clients[1].require_pkce = Some(false)).is_empty());
}

#[test]
fn redirect_uris_are_there_where_a_browser_comes_back() {
    one(|c| c.clients[0].redirect_uris.clear(), "clients[\"spa\"].redirect_uris", "at least one");
    let first_party = |c: &mut Config| {
        c.clients[1].profile = "first-party".parse().ok();
        c.clients[1].redirect_uris.clear();
    };
    one(first_party, "clients[\"web\"].redirect_uris", "at least one");
    let back = list(&["https://app.example/cb"]);
    one(|c| c.clients[2].redirect_uris = back.clone(), "clients[\"job\"].redirect_uris", "no browser");
}

#[test]
fn each_malformed_redirect_uri_is_told() {
    for (uri, why) in [
        ("https://*.example/cb", "wildcards"),
        ("https://app.example/cb#x", "fragment"),
        ("https://app.example/c b", "visible ASCII"),
        ("/cb", "absolute"),
        ("https://u:p@app.example/cb", "user"),
    ] {
        one(|c| c.clients[0].redirect_uris = list(&[uri]), "clients[\"spa\"].redirect_uris", why);
        one(
            |c| c.clients[0].post_logout_redirect_uris = list(&[uri]),
            "clients[\"spa\"].post_logout_redirect_uris",
            why,
        );
    }
}

#[test]
fn scopes_and_resources_of_a_client_have_the_shape_of_their_rfc() {
    one(|c| c.clients[0].scopes = list(&["a b"]), "clients[\"spa\"].scopes", "RFC 6749 §3.3");
    one(|c| c.clients[0].resources = list(&["api"]), "clients[\"spa\"].resources", "RFC 8707 §2");
    one(|c| c.clients[2].introspects = list(&["api"]), "clients[\"job\"].introspects", "RFC 8707 §2");
    for (from, to) in
        [("api", "https://api.example"), ("https://api.example", "api"), ("", "https://api.example")]
    {
        let rule = ExchangeRule { from: from.to_owned(), to: list(&[to]) };
        one(|c| c.clients[2].exchange = vec![rule.clone()], "clients[\"job\"].exchange", "RFC 8707 §2");
    }
}

#[test]
fn a_client_of_a_resource_server_has_a_secret_and_no_grant_and_no_browser() {
    let api = |c: &mut Config| {
        c.clients[2].profile = "resource-server".parse().ok();
        c.clients[2].introspects = list(&["https://api.example"]);
    };
    assert!(told(api).is_empty());
    let without_grants = |c: &mut Config| {
        api(c);
        c.clients[2].grant_types = Some(Vec::new());
    };
    assert!(told(without_grants).is_empty());
    let without_secret = |c: &mut Config| {
        api(c);
        c.clients[2].secret_file = None;
    };
    one(without_secret, "clients[\"job\"]", "a resource-server client needs one of");
    let with_browser = |c: &mut Config| {
        api(c);
        c.clients[2].redirect_uris = list(&["https://app.example/cb"]);
    };
    one(with_browser, "clients[\"job\"].redirect_uris", "a resource-server has no browser");
}

#[test]
fn a_resource_server_is_an_absolute_uri_once() {
    one(|c| c.resource_servers[0].id = "api".to_owned(), "resource_servers[\"api\"].id", "absolute URI");
    one(
        |c| c.resource_servers.push(c.resource_servers[0].clone()),
        "resource_servers[1].id",
        "declared twice",
    );
    let key = "resource_servers[\"https://api.example\"]";
    one(|c| c.resource_servers[0].name = Some(String::new()), &format!("{key}.name"), "1 to 200");
    let ps256 = "PS256".parse().ok();
    one(
        |c| c.resource_servers[0].signing_algorithm = ps256,
        &format!("{key}.signing_algorithm"),
        "no keys for PS256",
    );
}

#[test]
fn scopes_of_a_resource_server_are_its_own() {
    let key = "resource_servers[\"https://api.example\"].scopes";
    one(|c| c.resource_servers[0].scopes.0[0].name = "openid".to_owned(), key, "belongs to OpenID Connect");
    one(|c| c.resource_servers[0].scopes.0[0].name = "a\"b".to_owned(), key, "no scope value");
    one(
        |c| {
            let scopes = &mut c.resource_servers[0].scopes.0;
            scopes.push(scopes[0].clone());
        },
        key,
        "named twice",
    );
}

#[test]
fn a_role_has_a_name_of_its_own() {
    one(|c| c.roles[0].name = String::new(), "roles[0].name", "visible ASCII");
    one(|c| c.roles.push(c.roles[0].clone()), "roles[1].name", "declared twice");
}

#[test]
fn all_problems_are_told_at_once() {
    let found = told(|c| {
        c.server.listen.clear();
        c.tokens.code_ttl_s = 0;
        c.roles[0].name.clear();
    });
    assert_eq!(found.len(), 3, "{found:#?}");
}
