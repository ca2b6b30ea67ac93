//! Userinfo, and which claims come with which scope.

use serde_json::json;

use super::super::checks;
use super::super::suite::{FORM, Plan, Suite, Tokens};
use crate::support::http::{Answer, form};

/// The answer of userinfo to a token of the scope `openid`, asked in this way.
fn asked(plan: Plan, ask: impl FnOnce(&Suite, &str) -> Answer) {
    let suite = Suite::of(plan);
    let client = suite.register();
    let tokens = suite.flow(&client, &mut suite.user(), &suite.request(&client));
    let told = checks::userinfo(&suite, &ask(&suite, &tokens.access_token));
    assert_eq!(told["sub"], tokens.claims["sub"]);
    checks::bears(&told, "openid");
}

/// `oidcc-userinfo-get`: by GET, the token in the header.
pub fn oidcc_userinfo_get(plan: Plan) {
    asked(plan, |suite, token| suite.userinfo("GET", token));
}

/// `oidcc-userinfo-post-header`: by POST, the token in the header.
pub fn oidcc_userinfo_post_header(plan: Plan) {
    asked(plan, |suite, token| suite.userinfo("POST", token));
}

/// `oidcc-userinfo-post-body`: by POST, the token in the body.
pub fn oidcc_userinfo_post_body(plan: Plan) {
    asked(plan, |suite, token| {
        let headers = [FORM, ("accept", "application/json")];
        let body = form(&[("access_token", token)]);
        suite.http.send("POST", suite.endpoint("userinfo_endpoint"), &headers, &body)
    });
}

/// A request for a scope: userinfo tells all that it bears, about the user of the ID token, and the ID token none of it.
fn scope(plan: Plan, scope: &str) -> Tokens {
    let suite = Suite::of(plan);
    for value in scope.split(' ') {
        assert!(suite.lists("scopes_supported").contains(&value), "{value}");
    }
    let client = suite.register();
    let tokens = suite.flow(&client, &mut suite.user(), &suite.request(&client).with(&[("scope", scope)]));
    tell_all(&suite, &tokens, scope);
    tokens
}

fn tell_all(suite: &Suite, tokens: &Tokens, scope: &str) {
    let told = checks::userinfo(suite, &suite.userinfo("GET", &tokens.access_token));
    assert_eq!(told["sub"], tokens.claims["sub"]);
    checks::bears(&told, scope);
}

/// `oidcc-scope-profile`.
pub fn oidcc_scope_profile(plan: Plan) {
    scope(plan, "openid profile");
}

/// `oidcc-scope-email`: nor is the address in the ID token, as there is an access token to ask with.
pub fn oidcc_scope_email(plan: Plan) {
    let tokens = scope(plan, "openid email");
    assert_eq!((tokens.claims.get("email"), tokens.claims.get("name")), (None, None));
}

/// `oidcc-scope-address`.
pub fn oidcc_scope_address(plan: Plan) {
    scope(plan, "openid address");
}

/// `oidcc-scope-phone`.
pub fn oidcc_scope_phone(plan: Plan) {
    scope(plan, "openid phone");
}

/// `oidcc-scope-all`.
pub fn oidcc_scope_all(plan: Plan) {
    scope(plan, "openid email phone address profile");
}

/// `oidcc-ensure-other-scope-order-succeeds`, the earlier form of the next one: `openid` need not be the first.
pub fn oidcc_ensure_other_scope_order_succeeds(plan: Plan) {
    scope(plan, "email openid");
}

/// `oidcc-alternate-happy-flow`: the order of scopes and of parameters means nothing.
pub fn oidcc_alternate_happy_flow(plan: Plan) {
    let suite = Suite::of(plan);
    let client = suite.register();
    let request = suite.request(&client).with(&[("scope", "email openid")]);
    let callback = suite.authorize_reversed(&mut suite.user(), &request).callback();
    let tokens = suite.complete(&client, &request, &callback);
    tell_all(&suite, &tokens, "openid email");
}

/// `oidcc-claims-essential`: a claim by the `claims` parameter is told by userinfo, and there alone.
pub fn oidcc_claims_essential(plan: Plan) {
    let suite = Suite::of(plan);
    let client = suite.register();
    let claims = json!({ "userinfo": { "name": { "essential": true } } }).to_string();
    let request = suite.request(&client).with(&[("claims", &claims)]);
    let tokens = suite.flow(&client, &mut suite.user(), &request);
    let mut told = checks::userinfo(&suite, &suite.userinfo("GET", &tokens.access_token));
    assert_eq!(told.remove("name"), Some(json!("alice Example")));
    assert_eq!((told["sub"].clone(), tokens.claims.get("name")), (tokens.claims["sub"].clone(), None));
    checks::bears(&told, "openid");
}
