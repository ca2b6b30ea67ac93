//! Back-Channel Logout OP: `oidcc-backchannel-rp-initiated-logout-certification-test-plan`.

use std::sync::Arc;

use countersign::app::Background;
use rustls::ProtocolVersion;
use serde_json::json;

use super::checks;
use super::config::all_endpoints_are_https;
use super::rp_logout::{BYE, SignedIn, came_back, end_session_state};
use super::suite::{Plan, Suite};

/// `oidcc-backchannel-logout-discovery-endpoint-verification`: sessions too, which certification wants.
#[test]
fn oidcc_backchannel_logout_discovery_endpoint_verification() {
    let suite = Suite::of(Plan::Basic);
    all_endpoints_are_https(&suite.metadata);
    assert_eq!(suite.metadata["backchannel_logout_supported"], true);
    assert_eq!(suite.metadata["backchannel_logout_session_supported"], true);
    checks::is_https(suite.endpoint("end_session_endpoint"));
}

/// `oidcc-backchannel-rp-initiated-logout`: the suite is told by the back channel, over TLS 1.3, by a logout token about the
/// session of the ID token; the user comes back with the state, and nobody is signed in any more.
#[test]
fn oidcc_backchannel_rp_initiated_logout() {
    let suite = Suite::of(Plan::Basic);
    let client = suite.register_with(
        "client_secret_basic",
        json!({
            "post_logout_redirect_uris": [BYE],
            "backchannel_logout_uri": suite.outside.url("/backchannel_logout"),
            "backchannel_logout_session_required": true,
        }),
    );
    let background = Background::start(&Arc::clone(&suite.server.app), &suite.server.config).unwrap();
    let mut here = SignedIn::at(suite, client);
    let (hint, state) = (here.tokens.id_token.clone(), end_session_state());
    let params = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BYE), ("state", &state)];
    came_back(&here.leave(&params).callback(), Some(&state));

    let asked = here.suite.outside.wait_for(1).remove(0);
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/backchannel_logout"));
    assert_eq!(asked.tls, Some(ProtocolVersion::TLSv1_3));
    assert_eq!(asked.header("content-type"), Some("application/x-www-form-urlencoded"));
    let names: Vec<String> =
        url::form_urlencoded::parse(asked.body.as_bytes()).map(|(name, _)| name.into_owned()).collect();
    assert_eq!(names, ["logout_token"]);
    let (_, said) = checks::signed(&here.suite, &asked.form("logout_token").unwrap(), &here.client.id);
    let now = here.suite.server.clock_now();
    assert!((now - 86400..=now + 300).contains(&said["iat"].as_i64().unwrap()), "{said}");
    assert!(said["exp"].as_i64().is_none_or(|exp| exp > now), "{said}");
    assert!(said["jti"].as_str().is_some_and(|jti| !jti.is_empty()), "{said}");
    assert_eq!(said["events"], json!({ "http://schemas.openid.net/event/backchannel-logout": {} }));
    assert!(said["sub"].is_string() && said["sid"].is_string(), "{said}");
    assert_eq!(said["sub"], here.tokens.claims["sub"]);
    assert_eq!(said["sid"], here.tokens.claims["sid"]);
    assert_eq!(said.get("nonce"), None);

    here.is_gone();
    drop(background);
    assert_eq!(here.suite.outside.asked().len(), 1, "once");
}
