//! Request objects: this server does none, and says so with the errors that the suite takes for that. It then skips the
//! module, which counts as passed.

use countersign::base::encoding::base64url;
use serde_json::json;

use super::super::checks;
use super::super::suite::{CALLBACK, Plan, Request, Suite};

/// The parameters as an unsigned JWT, and what the suite leaves beside it: what OAuth 2 wants there.
fn by_value(request: &Request) -> (String, Request) {
    let header = base64url(json!({ "alg": "none" }).to_string().as_bytes());
    let object = format!("{header}.{}.", base64url(json!(request.0).to_string().as_bytes()));
    let left_out: Vec<(&str, &str)> = ["state", "nonce", "response_mode"].map(|name| (name, "")).into();
    (object, request.clone().with(&left_out))
}

/// The error of a response to a request whose state and mode only the object knows.
fn refusal(suite: &Suite, request: &Request) -> String {
    let callback = suite.authorize(&mut suite.user(), request).callback();
    assert_eq!((callback.method, callback.uri.as_str()), ("GET", CALLBACK));
    assert_eq!(callback.query.get("code"), None);
    assert_eq!(callback.query["iss"], suite.issuer());
    callback.query["error"].clone()
}

fn says_not(suite: &Suite, name: &str) {
    // Absent means true for `request_uri_parameter_supported`.
    assert_eq!(suite.metadata[name], false);
    assert!(!suite.metadata.contains_key("request_object_signing_alg_values_supported"));
}

/// `oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported`: the latter; the address is not asked.
pub fn oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported(plan: Plan) {
    let suite = Suite::of(plan);
    says_not(&suite, "request_uri_parameter_supported");
    let uri = suite.outside.url(&format!("/requesturi/{}#{}", "a1B2".repeat(16), "c3D4".repeat(10)));
    let client = suite.register_with("client_secret_basic", json!({ "request_uris": [uri] }));
    let (_, request) = by_value(&suite.request(&client));
    let error = refusal(&suite, &request.with(&[("request_uri", &uri)]));
    assert_eq!((error.as_str(), suite.outside.asked().len()), ("request_uri_not_supported", 0));
}

/// `oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported`: the latter.
pub fn oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported(plan: Plan) {
    let suite = Suite::of(plan);
    says_not(&suite, "request_parameter_supported");
    let client = suite.register();
    let (object, request) = by_value(&suite.request(&client));
    assert_eq!(refusal(&suite, &request.with(&[("request", &object)])), "request_not_supported");
    // With all parameters beside it the refusal goes where and how they say.
    let request = suite.request(&client).with(&[("request", &object)]);
    let callback = suite.authorize(&mut suite.user(), &request).callback();
    assert_eq!(checks::error(&suite, &request, &callback), "request_not_supported");
}

/// `oidcc-ensure-request-object-with-redirect-uri`: the redirect URI beside the object is wrong, and a page says so; the one
/// within is not gone to.
pub fn oidcc_ensure_request_object_with_redirect_uri(plan: Plan) {
    let suite = Suite::of(plan);
    let client = suite.register();
    let (object, request) = by_value(&suite.request(&client));
    let invalid = format!("{CALLBACK}_invalid");
    let request = request.with(&[("request", &object), ("redirect_uri", &invalid)]);
    let page = suite.authorize(&mut suite.user(), &request).page();
    assert_eq!(page.status, 400, "{}", page.body);
}
