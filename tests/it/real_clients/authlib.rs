//! Authlib and PyJWT, in Python: tests/real_clients/python.

use serde_json::json;

use super::script::PYTHON;
use super::{clients_and, server};
use crate::support::assertions::ClientKey;
use crate::support::server::{CALLBACK, NOTES, secret};

const BYE: &str = "https://app.example/bye";

fn a_web_application_signs_a_user_in_by(method: &str) {
    let key = ClientKey::p256("k1");
    let credential = match method {
        "private_key_jwt" => format!("jwks = '{}'", json!({ "keys": [key.public()] })),
        _ => "secret_hash = \"SECRET_HASH:python\"".to_owned(),
    };
    let server = server(clients_and(&format!(
        r#"
[[clients]]
id = "python"
name = "Python App"
profile = "web"
redirect_uris = ["{CALLBACK}"]
post_logout_redirect_uris = ["{BYE}"]
scopes = ["notes:read"]
resources = ["{NOTES}"]
token_endpoint_auth_method = "{method}"
{credential}
"#
    )));
    // josekit leaves the public half out of a private key; Authlib wants both.
    let mut whole = key.public();
    whole["d"] = key.private()["d"].clone();
    let given = json!({
        "issuer": server.issuer, "callback": CALLBACK, "bye": BYE, "api": NOTES, "method": method,
        "secret": secret("python"), "key": whole,
    });
    PYTHON.run(&server, "code_flow.py", &given);
}

#[test]
fn a_web_application_signs_a_user_in_by_client_secret_basic() {
    a_web_application_signs_a_user_in_by("client_secret_basic");
}

#[test]
fn a_web_application_signs_a_user_in_by_client_secret_post() {
    a_web_application_signs_a_user_in_by("client_secret_post");
}

#[test]
fn a_web_application_signs_a_user_in_by_private_key_jwt() {
    a_web_application_signs_a_user_in_by("private_key_jwt");
}
