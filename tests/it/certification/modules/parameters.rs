//! Parameters of an authorization request whose use must not be an error, and a redirect URI that must be one.

use super::super::suite::{CALLBACK, Plan, Suite, Tokens};

/// A request with this parameter goes well.
fn with(plan: Plan, name: &str, value: &str) -> Tokens {
    let suite = Suite::of(plan);
    let client = suite.register();
    suite.flow(&client, &mut suite.user(), &suite.request(&client).with(&[(name, value)]))
}

/// `oidcc-display-page`.
pub fn oidcc_display_page(plan: Plan) {
    with(plan, "display", "page");
}

/// `oidcc-display-popup`.
pub fn oidcc_display_popup(plan: Plan) {
    with(plan, "display", "popup");
}

/// `oidcc-ensure-request-with-unknown-parameter-succeeds`.
pub fn oidcc_ensure_request_with_unknown_parameter_succeeds(plan: Plan) {
    with(plan, "extra", "foobar");
}

/// `oidcc-login-hint`: of somebody who is not here, where nothing else is configured.
pub fn oidcc_login_hint(plan: Plan) {
    with(plan, "login_hint", "buffy@127.0.0.1");
}

/// `oidcc-ui-locales`: in a language that the pages do not have.
pub fn oidcc_ui_locales(plan: Plan) {
    with(plan, "ui_locales", "se");
}

/// `oidcc-claims-locales`.
pub fn oidcc_claims_locales(plan: Plan) {
    with(plan, "claims_locales", "se");
}

/// `oidcc-ensure-request-with-acr-values-succeeds`: with all values of the metadata, and one of them is reached.
pub fn oidcc_ensure_request_with_acr_values_succeeds(plan: Plan) {
    let suite = Suite::of(plan);
    let client = suite.register();
    let values = suite.lists("acr_values_supported");
    assert!(!values.is_empty());
    let request = suite.request(&client).with(&[("acr_values", &values.join(" "))]);
    let tokens = suite.flow(&client, &mut suite.user(), &request);
    let reached = tokens.claims["acr"].as_str().expect("an acr is told");
    assert!(values.contains(&reached), "{reached}");
    // And where the metadata listed none, the suite would ask for these.
    with(plan, "acr_values", "1 2");
}

/// `oidcc-ensure-registered-redirect-uri`: nobody is redirected to an address below the registered one, nor to that one.
pub fn oidcc_ensure_registered_redirect_uri(plan: Plan) {
    let suite = Suite::of(plan);
    let client = suite.register();
    let below = format!("{CALLBACK}/a1B2c3D4e5");
    let request = suite.request(&client).with(&[("redirect_uri", &below)]);
    let page = suite.authorize(&mut suite.user(), &request).page();
    assert_eq!(page.status, 400, "{}", page.body);
    assert!(page.body.contains("is not registered for this client"), "{}", page.body);
    for way in ["href", "action", "content", "src"] {
        assert!(!page.body.contains(&format!("{way}=\"{CALLBACK}")), "{way}: {}", page.body);
    }
}
