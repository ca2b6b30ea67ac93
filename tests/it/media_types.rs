//! RFC 9110 §8.3, seen at every address: JSON says that it is JSON, a page that it is one, and where there is nothing,
//! nothing is said. oidc-client-ts breaks on an empty answer of `text/plain`, openid-client on JSON that says another type.

use countersign::http::paths::{
    ACCOUNT_APPLICATIONS, ACCOUNT_PASSWORD, ACCOUNT_SESSIONS, ACCOUNT_TOKENS, AUTHORIZE, CHANGE_PASSWORD,
    CHOOSE, CONSENT, FAVICON, HOME, INTROSPECT, JWKS, LEAKED_TOKENS, LIVE, LOGIN, LOGOUT, NEW_TOKEN,
    OAUTH_METADATA, OPENID_CONFIGURATION, READY, REGISTER, REGISTERED, REVOKE, REVOKE_TOKEN, STYLE, TOKEN,
    USERINFO, WITHDRAW_ACCESS,
};
use serde_json::Value;

use super::support::flow::{code, redemption};
use super::support::http::Answer;
use super::support::registration::{least_with, manage, open, registered};
use super::support::server::secret;

const ADDRESSES: [&str; 29] = [
    ACCOUNT_APPLICATIONS,
    ACCOUNT_PASSWORD,
    ACCOUNT_SESSIONS,
    ACCOUNT_TOKENS,
    AUTHORIZE,
    CHANGE_PASSWORD,
    CHOOSE,
    CONSENT,
    FAVICON,
    HOME,
    INTROSPECT,
    JWKS,
    LEAKED_TOKENS,
    LIVE,
    LOGIN,
    LOGOUT,
    NEW_TOKEN,
    OAUTH_METADATA,
    OPENID_CONFIGURATION,
    READY,
    REGISTER,
    REGISTERED,
    REVOKE,
    REVOKE_TOKEN,
    STYLE,
    TOKEN,
    USERINFO,
    WITHDRAW_ACCESS,
    "/nowhere",
];

/// Whether an answer says what it is; tells what it should have said.
#[track_caller]
fn is_what_it_says(what: &str, answer: &Answer) {
    let body = answer.body.trim_start();
    let expected = match body.chars().next() {
        None => None,
        Some('{' | '[') if serde_json::from_str::<Value>(body).is_ok() => Some("application/json"),
        Some('<') if body.starts_with("<svg") => Some("image/svg+xml"),
        Some('<') => Some("text/html; charset=utf-8"),
        Some(_) if what.ends_with(STYLE) => Some("text/css; charset=utf-8"),
        Some(_) => panic!("{what}: {answer:?}"),
    };
    assert_eq!(answer.header("content-type"), expected, "{what}: {answer:?}");
}

#[test]
fn every_address_says_what_it_answers_to_whatever_it_is_sent() {
    let server = open();
    let form = ("content-type", "application/x-www-form-urlencoded");
    let json = ("content-type", "application/json");
    let bearer = ("authorization", "Bearer no-token-of-ours");
    let basic = ("authorization", "Basic !");
    let html = ("accept", "text/html");
    let mut seen = 0;
    for address in ADDRESSES {
        let address = address.replace("{client_id}", "nobody");
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
            for (headers, body) in [
                (&[form][..], ""),
                (&[form, basic], "grant_type=client_credentials"),
                (&[form, bearer], "token=x&client_id=app"),
                (&[form, html], "%00=%ff"),
                (&[json, bearer], "{}"),
                (&[json], "{"),
                (&[], ""),
            ] {
                let answer = server.client().send(method, &address, headers, body);
                is_what_it_says(&format!("{method} {address}"), &answer);
                assert!(answer.status < 500, "{method} {address}: {answer:?}");
                seen += usize::from(!answer.body.is_empty());
            }
        }
    }
    assert!(seen > 500, "only {seen} answers had a body");
}

#[test]
fn what_goes_well_says_what_it_answers_too() {
    let server = open();
    let code = code(&server, "web", &[("scope", "openid notes:read offline_access")]);
    let tokens = server.token("web", &redemption(&code));
    is_what_it_says("the code's redemption", &tokens);
    let (access, refresh) = (tokens.text("access_token"), tokens.text("refresh_token"));
    let bearer = format!("Bearer {access}");
    is_what_it_says("userinfo", &server.client().send("GET", USERINFO, &[("authorization", &bearer)], ""));
    for token in [access.as_str(), "unknown"] {
        let answer = server.client().post_as("web", &secret("web"), INTROSPECT, &[("token", token)]);
        assert_eq!(answer.status, 200);
        is_what_it_says("introspection", &answer);
    }
    for token in [refresh.as_str(), "unknown"] {
        let answer = server.client().post_as("web", &secret("web"), REVOKE, &[("token", token)]);
        assert_eq!((answer.status, answer.body.as_str()), (200, ""));
        is_what_it_says("revocation", &answer);
    }

    let client = registered(&server, &least_with(serde_json::json!({})));
    let token = client["registration_access_token"].as_str();
    let address = REGISTERED.replace("{client_id}", client["client_id"].as_str().unwrap());
    for (method, status) in [("GET", 200), ("DELETE", 204)] {
        let answer = manage(&server, method, &address, token, "");
        assert_eq!(answer.status, status);
        is_what_it_says(method, &answer);
    }
}
