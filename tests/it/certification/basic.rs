//! Basic OP: `oidcc-basic-certification-test-plan`, with the variant `client_secret_basic` (and `client_secret_post` in the
//! module that is named so). The clients register in the open.

use super::modules::{claims, code_flow, login, parameters, request_objects};
use super::suite::Plan;

super::modules::of_plan!(Plan::Basic);
