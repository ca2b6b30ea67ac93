//! openid-client and jose, in Node: tests/real_clients/node.

use countersign::base::Seconds;
use serde_json::json;

use super::script::NODE;
use super::server;
use crate::support::registration::{initial_token, setup};
use crate::support::server::{CALLBACK, NOTES, Setup, secret};

fn a_client_registers_and_signs_a_user_in_by(method: &str) {
    let server = server(setup("mode = \"token\""));
    let (_, token) = initial_token(&server, Some(1), Seconds(600));
    let given = json!({
        "issuer": server.issuer, "callback": CALLBACK, "bye": "https://app.example/bye", "method": method,
        "initialAccessToken": token,
    });
    NODE.run(&server, "registered.mjs", &given);
}

#[test]
fn a_client_registers_and_signs_a_user_in_by_client_secret_basic() {
    a_client_registers_and_signs_a_user_in_by("client_secret_basic");
}

#[test]
fn a_client_registers_and_signs_a_user_in_by_client_secret_post() {
    a_client_registers_and_signs_a_user_in_by("client_secret_post");
}

#[test]
fn a_client_registers_and_signs_a_user_in_by_client_secret_jwt() {
    a_client_registers_and_signs_a_user_in_by("client_secret_jwt");
}

#[test]
fn a_client_registers_and_signs_a_user_in_by_private_key_jwt() {
    a_client_registers_and_signs_a_user_in_by("private_key_jwt");
}

#[test]
fn a_service_gets_a_token_that_jose_verifies() {
    let server = server(Setup::default());
    let given = json!({ "issuer": server.issuer, "secret": secret("service"), "api": NOTES });
    NODE.run(&server, "service.mjs", &given);
}
