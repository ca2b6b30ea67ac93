//! What the suite checks wherever it meets it: a registration, an authorization response, tokens, claims, keys.

use std::collections::{BTreeMap, BTreeSet};

use countersign::base::encoding::{base64url, from_base64url, sha256};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Map, Value, json};

use super::super::support::http::Answer;
use super::suite::{CALLBACK, Callback, Plan, Registered, Request, Suite};

/// What the suite lets a clock be wrong by.
const SKEW_S: i64 = 300;
const YEAR_S: i64 = 365 * 86400;

/// OpenID Connect Core 1.0 §5.4.
const SCOPES: [(&str, &[&str]); 6] = [
    ("openid", &["sub"]),
    (
        "profile",
        &[
            "name",
            "given_name",
            "family_name",
            "middle_name",
            "nickname",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
            "preferred_username",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("address", &["address"]),
    ("phone", &["phone_number", "phone_number_verified"]),
    ("offline_access", &[]),
];

/// What an ID token may say without being asked for it.
const OF_AN_ID_TOKEN: [&str; 15] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "azp",
    "at_hash",
    "c_hash",
    "nbf",
    "jti",
    "sid",
];

#[track_caller]
pub fn is_json(answer: &Answer) {
    let kind = answer.header("content-type").unwrap_or_default();
    assert_eq!(kind.split(';').next().unwrap().trim(), "application/json", "{}", answer.body);
}

#[track_caller]
pub fn is_https(url: &str) {
    let parsed = url::Url::parse(url).unwrap_or_else(|e| panic!("{url}: {e}"));
    assert_eq!(parsed.scheme(), "https", "{url}");
}

/// A set of public keys of known kinds, each with a `kid` of its own.
#[track_caller]
pub fn jwks(set: &Value) {
    let keys = set["keys"].as_array().unwrap_or_else(|| panic!("no keys: {set}"));
    let mut kids = BTreeSet::new();
    for key in keys {
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert_eq!(key.get(private), None, "{private} is private");
        }
        let kid = key["kid"].as_str().unwrap_or_default();
        assert!(!kid.trim().is_empty() && kids.insert(kid), "{kid:?}");
        for member in ["n", "e", "x", "y"].iter().filter_map(|name| key.get(*name)) {
            let bytes = from_base64url(member.as_str().unwrap()).unwrap();
            assert!(!bytes.is_empty(), "{key}");
        }
        let known: Jwk = serde_json::from_value(key.clone()).unwrap_or_else(|e| panic!("{e}: {key}"));
        DecodingKey::from_jwk(&known).unwrap_or_else(|e| panic!("{e}: {key}"));
    }
    assert!(!kids.is_empty(), "{set}");
}

/// Dynamic Client Registration 1.0 §3.2.
#[track_caller]
pub fn registration(suite: &Suite, answer: &Answer) {
    assert_eq!(answer.status, 201, "{}", answer.body);
    is_json(answer);
    let told = answer.json();
    assert_eq!(told.get("error"), None, "{told}");
    assert!(told["client_id"].is_string(), "{told}");
    assert!(!told["registration_access_token"].as_str().unwrap().is_empty());
    is_https(told["registration_client_uri"].as_str().unwrap());
    assert!(told["client_secret"].is_string() && told["client_secret_expires_at"].is_number(), "{told}");
    assert_eq!(told["redirect_uris"], json!([CALLBACK]));
    // It is there at once, for its own token.
    let bearer = format!("Bearer {}", told["registration_access_token"].as_str().unwrap());
    let uri = told["registration_client_uri"].as_str().unwrap();
    let read = suite.http.send("GET", uri, &[("authorization", &bearer)], "");
    assert_eq!((read.status, &read.json()["client_id"]), (200, &told["client_id"]), "{}", read.body);
}

/// The parameters of an authorization response, from where the response mode has them, and from nowhere else.
#[track_caller]
pub fn parameters<'a>(suite: &Suite, callback: &'a Callback) -> &'a BTreeMap<String, String> {
    assert_eq!(callback.uri, CALLBACK, "{callback:?}");
    match suite.plan {
        Plan::Basic => {
            assert_eq!((callback.method, callback.form.len()), ("GET", 0), "{callback:?}");
            &callback.query
        }
        Plan::FormPost => {
            assert_eq!((callback.method, callback.query.len()), ("POST", 0), "{callback:?}");
            &callback.form
        }
    }
}

#[track_caller]
fn state_and_issuer(suite: &Suite, request: &Request, told: &BTreeMap<String, String>) {
    assert_eq!(told.get("state").map(String::as_str), request.get("state"), "{told:?}");
    // RFC 9207 §2.3: the metadata says that it is there.
    assert_eq!(told.get("iss").map(String::as_str), Some(suite.issuer()), "{told:?}");
}

/// The code of a response without a fault.
#[track_caller]
pub fn code(suite: &Suite, request: &Request, callback: &Callback) -> String {
    let told = parameters(suite, callback);
    assert_eq!(told.get("error"), None, "{told:?}");
    state_and_issuer(suite, request, told);
    told["code"].clone()
}

/// The error of a response that is one, formed as OpenID Connect Core 1.0 §3.1.2.6 wants it.
#[track_caller]
pub fn error(suite: &Suite, request: &Request, callback: &Callback) -> String {
    let told = parameters(suite, callback);
    state_and_issuer(suite, request, told);
    error_of(suite, callback)
}

/// The same where the state went inside a request object.
#[track_caller]
pub fn error_of(suite: &Suite, callback: &Callback) -> String {
    let told = parameters(suite, callback);
    assert_eq!(told.get("code"), None, "{told:?}");
    for name in told.keys() {
        let known = ["error", "error_description", "error_uri", "state", "iss"];
        assert!(known.contains(&name.as_str()), "{name} is not expected: {told:?}");
    }
    description(told.get("error_description").map(String::as_str));
    told["error"].clone()
}

/// RFC 6749 §5.2: "MUST NOT include characters outside the set %x20-21 / %x23-5B / %x5D-7E".
#[track_caller]
fn description(text: Option<&str>) {
    let text = text.unwrap_or("none");
    assert!(!text.is_empty());
    assert!(text.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b'"' && b != b'\\'), "{text:?}");
}

/// An error of the token endpoint.
#[track_caller]
pub fn token_error(answer: &Answer, error: &str) {
    assert_eq!(answer.status, 400, "{}", answer.body);
    is_json(answer);
    let told = answer.json();
    assert_eq!(told["error"], error, "{told}");
    description(told["error_description"].as_str());
}

/// RFC 6749 §5.1.
#[track_caller]
pub fn token_response(answer: &Answer) {
    assert_eq!(answer.status, 200, "{}", answer.body);
    is_json(answer);
    let stores = answer.header("cache-control").unwrap_or_default();
    assert!(stores.split(',').any(|part| part.trim() == "no-store"), "{stores}");
    let told = answer.json();
    assert_eq!(told.get("error"), None);
    assert!(told["token_type"].as_str().unwrap().eq_ignore_ascii_case("bearer"), "{told}");
    let lives_for = told["expires_in"].as_i64().unwrap_or_else(|| panic!("no number: {told}"));
    assert!((1..=YEAR_S).contains(&lives_for), "{lives_for}");
    for name in ["access_token", "refresh_token"] {
        let Some(token) = told.get(name) else { continue };
        let token = token.as_str().unwrap();
        assert!(token.bytes().all(|b| (b' '..=b'~').contains(&b)), "{token}");
        is_unguessable(token);
    }
}

/// 128 bits long, and random as far as one value can show it; the suite wants 96 bits by Shannon's measure.
#[track_caller]
pub fn is_unguessable(value: &str) {
    assert!(value.len() >= 16, "{value}");
    let length = f64::from(u32::try_from(value.len()).unwrap());
    let mut counts: BTreeMap<char, u32> = BTreeMap::new();
    for c in value.chars() {
        *counts.entry(c).or_default() += 1;
    }
    let share = |count: &u32| f64::from(*count) / length;
    let per_char: f64 = counts.values().map(share).map(|p| -p * p.log2()).sum();
    assert!(per_char * length > 96.0, "{value}");
}

/// A token of the issuer's for `audience`: its header and its claims, by the key that its `kid` names.
#[track_caller]
pub fn signed(suite: &Suite, token: &str, audience: &str) -> (Value, Value) {
    let header = decode_header(token).unwrap();
    let key = suite.jwks.find(header.kid.as_deref().unwrap()).expect("the kid is published");
    let algorithm: Algorithm = key.common.key_algorithm.unwrap().to_string().parse().unwrap();
    assert_eq!(header.alg, algorithm);
    let mut validation = Validation::new(algorithm);
    validation.validate_exp = false;
    validation.set_audience(&[audience]);
    validation.set_issuer(&[suite.issuer()]);
    let claims = decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &validation).unwrap().claims;
    (serde_json::to_value(header).unwrap(), claims)
}

/// OpenID Connect Core 1.0 §3.1.3.7 and §5.1: what the suite checks of each ID token.
#[track_caller]
pub fn id_token(suite: &Suite, client: &Registered, request: &Request, token: &str) -> (Value, Value) {
    let (header, claims) = signed(suite, token, &client.id);
    let now = suite.server.clock_now();
    let (exp, iat) = (claims["exp"].as_i64().unwrap(), claims["iat"].as_i64().unwrap());
    assert!(exp > now - SKEW_S && exp < now + 50 * YEAR_S, "{claims}");
    assert!((now - SKEW_S..=now + SKEW_S).contains(&iat), "{claims}");
    if let Some(at) = claims.get("auth_time") {
        let at = at.as_i64().unwrap();
        assert!((now - YEAR_S..=now + SKEW_S).contains(&at), "{claims}");
    }
    assert!(claims.get("acr").is_none_or(|acr| acr.as_str().is_some_and(|acr| !acr.is_empty())), "{claims}");
    assert_eq!(claims.get("nonce").and_then(Value::as_str), request.get("nonce"));
    let sub = claims["sub"].as_str().unwrap();
    assert!((1..=255).contains(&sub.len()) && sub.bytes().all(|b| (b' '..0x7f).contains(&b)), "{sub}");
    standard_claims(now, claims.as_object().unwrap());
    for name in claims.as_object().unwrap().keys() {
        assert!(OF_AN_ID_TOKEN.contains(&name.as_str()), "nobody asked for {name}: {claims}");
    }
    (header, claims)
}

/// §3.1.3.8 and §3.3.2.11: "its value is the base64url encoding of the left-most half of the hash".
#[track_caller]
pub fn hashes(claims: &Value, access_token: &str, code: &str) {
    for (name, value) in [("at_hash", access_token), ("c_hash", code)] {
        if let Some(hash) = claims.get(name) {
            assert_eq!(*hash, base64url(&sha256(value.as_bytes())[..16]), "{name}");
        }
    }
}

/// §5.1: what each claim is; one that is not known is left out, and never empty or `null`.
#[track_caller]
pub fn standard_claims(now: i64, claims: &Map<String, Value>) {
    let is_text = |value: &Value| {
        value.as_str().is_some_and(|text| !text.trim().is_empty() && !text.eq_ignore_ascii_case("null"))
    };
    for (name, value) in claims {
        let is_well = match name.as_str() {
            "email_verified" | "phone_number_verified" => value.is_boolean(),
            // Not before 1990, and not in the future.
            "updated_at" => value.as_i64().is_some_and(|at| (631_152_000..=now + SKEW_S).contains(&at)),
            "address" => value.as_object().is_some_and(|parts| {
                let known = ["formatted", "street_address", "locality", "region", "postal_code", "country"];
                !parts.is_empty()
                    && parts.iter().all(|(name, v)| known.contains(&name.as_str()) && is_text(v))
            }),
            "birthdate" => value.as_str().is_some_and(|date| {
                let parts: Vec<&str> = date.split('-').collect();
                [vec![4], vec![4, 2, 2]].contains(&parts.iter().map(|part| part.len()).collect())
                    && parts.iter().all(|part| part.bytes().all(|b| b.is_ascii_digit()))
            }),
            _ if SCOPES.iter().any(|(_, names)| names.contains(&name.as_str())) => is_text(value),
            _ => true,
        };
        assert!(is_well, "{name}: {value}");
    }
}

/// §5.3.2, §5.4: an answer of userinfo that tells what the scopes of the request bear.
#[track_caller]
pub fn userinfo(suite: &Suite, answer: &Answer) -> Map<String, Value> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    is_json(answer);
    let told = answer.json().as_object().unwrap().clone();
    standard_claims(suite.server.clock_now(), &told);
    assert!(told["sub"].as_str().is_some_and(|sub| !sub.is_empty()), "{told:?}");
    // §5.6.2: no claims of others.
    assert!(!told.contains_key("_claim_names") && !told.contains_key("_claim_sources"));
    told
}

/// That userinfo tells all that these scopes bear, and nothing that others bear.
#[track_caller]
pub fn bears(told: &Map<String, Value>, scope: &str) {
    let scopes: Vec<&str> = scope.split(' ').collect();
    for (scope, names) in SCOPES {
        for name in names {
            assert_eq!(told.contains_key(*name), scopes.contains(&scope), "{name} of {scope}: {told:?}");
        }
    }
}

/// Each check sees what it is there for.
#[test]
fn a_breach_is_seen() {
    fn fails(check: impl FnOnce()) -> bool {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(check)).is_err()
    }
    let answer = |status, body: Value| {
        let headers = [("content-type", "application/json"), ("cache-control", "no-store")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Answer { status, headers, body: body.to_string() }
    };
    let good =
        json!({ "access_token": "0123456789abcdefghijklmnop", "token_type": "Bearer", "expires_in": 300 });
    token_response(&answer(200, good.clone()));
    for (name, value) in [
        ("expires_in", json!("300")),
        ("expires_in", json!(0)),
        ("token_type", json!("mac")),
        ("access_token", json!("aaaaaaaaaaaaaaaaaaaaaaaaaa")),
        ("refresh_token", json!("short")),
        ("error", json!("invalid_grant")),
    ] {
        let mut bad = good.clone();
        bad[name] = value;
        assert!(fails(|| token_response(&answer(200, bad))), "{name}");
    }
    token_error(
        &answer(400, json!({ "error": "invalid_grant", "error_description": "a b" })),
        "invalid_grant",
    );
    for (status, body) in [
        (401, json!({ "error": "invalid_grant" })),
        (400, json!({ "error": "invalid_request" })),
        (400, json!({ "error": "invalid_grant", "error_description": "a \"b\"" })),
        (400, json!({ "error": "invalid_grant", "error_description": "é" })),
        (400, json!({ "error": "invalid_grant", "error_description": "a\nb" })),
    ] {
        assert!(fails(|| token_error(&answer(status, body), "invalid_grant")));
    }
    let claims = |value: &Value| value.as_object().unwrap().clone();
    standard_claims(
        700_000_000,
        &claims(&json!({ "name": "A", "updated_at": 700_000_000, "birthdate": "1990" })),
    );
    for bad in [
        json!({ "name": "" }),
        json!({ "name": "null" }),
        json!({ "email_verified": "true" }),
        json!({ "updated_at": 700_000_301 }),
        json!({ "updated_at": "700000000" }),
        json!({ "address": {} }),
        json!({ "address": { "planet": "Earth" } }),
        json!({ "birthdate": "31.1.1990" }),
    ] {
        assert!(fails(|| standard_claims(700_000_000, &claims(&bad))), "{bad}");
    }
    bears(&claims(&json!({ "sub": "s", "address": {} })), "openid address");
    assert!(fails(|| bears(&claims(&json!({ "sub": "s" })), "openid address")));
    assert!(fails(|| bears(
        &claims(&json!({ "sub": "s", "email": "a@b", "email_verified": true })),
        "openid"
    )));
    let key = json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "1", "x": base64url(&[7; 32]) });
    jwks(&json!({ "keys": [key] }));
    for (name, value) in [("d", json!("AA")), ("kid", json!(" ")), ("x", json!("+/")), ("kty", json!("XX"))] {
        let mut bad = key.clone();
        bad[name] = value;
        assert!(fails(|| jwks(&json!({ "keys": [bad] }))), "{name}");
    }
    assert!(fails(|| jwks(&json!({ "keys": [key, key] }))) && fails(|| jwks(&json!({ "keys": [] }))));
    let claims = json!({ "at_hash": base64url(&sha256(b"token")[..16]) });
    hashes(&claims, "token", "code");
    assert!(fails(|| hashes(&claims, "other", "code")));
}
