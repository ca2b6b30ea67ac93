//! Libraries that people use, run against this server as they come: nothing of them is patched, and each does what its
//! manual says. `tools/test-deps` installs those that are not written in Rust.

mod authlib;
mod oidc_client_ts;
mod openid_client;
mod openidconnect;
mod script;

use countersign::base::clock::{Clock as _, SystemClock};

use super::support::TestServer;
use super::support::http::{Answer, Browser};
use super::support::pages::{is_consent, is_login};
use super::support::server::{CLIENTS, PASSWORD, Setup};

/// Libraries look at this machine's clock, so the server's stands there.
fn server(setup: Setup) -> TestServer {
    TestServer::with(Setup { start_at: SystemClock.now(), ..setup })
}

/// The clients of all tests, and more.
fn clients_and(more: &str) -> Setup {
    Setup { clients: format!("{CLIENTS}{more}"), ..Setup::default() }
}

/// Opens what a library made, as alice would: signs in and agrees where asked. Where she ends.
fn walk(browser: &mut Browser, url: &str) -> Answer {
    let answer = browser.get(url);
    let mut answer = browser.follow(answer);
    if is_login(&answer) {
        answer = browser.log_in(&answer, "alice", PASSWORD);
    }
    if is_consent(&answer) {
        answer = browser.decide(&answer, "allow");
    }
    answer
}
