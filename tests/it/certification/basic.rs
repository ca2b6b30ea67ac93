//! Basic OP: `oidcc-basic-certification-test-plan`, with the variant `client_secret_basic` (and `client_secret_post` in the
//! module that is named so). The clients register in the open.

use std::collections::BTreeSet;

use super::modules::{claims, code_flow, login, parameters, request_objects};
use super::suite::{Plan, Suite};

super::modules::of_plan!(Plan::Basic);

/// A run registers a client for each module, all from one address.
#[test]
fn the_clients_of_a_whole_run_can_register() {
    let suite = Suite::of(Plan::Basic);
    let ids: BTreeSet<String> = (0..50).map(|_| suite.register().id).collect();
    assert_eq!(ids.len(), 50);
}
