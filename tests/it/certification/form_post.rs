//! Form Post OP: `oidcc-formpost-basic-certification-test-plan`, the modules of Basic OP with `response_mode=form_post`. The
//! clients register by initial access token.

use super::modules::{claims, code_flow, login, parameters, request_objects};
use super::suite::Plan;

super::modules::of_plan!(Plan::FormPost);
