//! The code flow itself: responses, codes, ID tokens, client authentication, refresh tokens.

use countersign::base::encoding::{base64url, sha256};
use serde_json::json;

use super::super::checks;
use super::super::suite::{Plan, Registered, Suite, Tokens, User, long_state, redemption};

/// `oidcc-server`: a code that cannot be guessed, tokens, an ID token that says what was asked for and no more, `expires_in`,
/// right hashes, userinfo. At the end the client unregisters itself, as after every module.
pub fn oidcc_server(plan: Plan) {
    let suite = Suite::of(plan);
    let client = suite.register();
    let request = suite.request(&client);
    let callback = suite.authorize(&mut suite.user(), &request).callback();
    let code = checks::code(&suite, &request, &callback);
    checks::is_unguessable(&code);
    let tokens = suite.complete(&client, &request, &callback);
    checks::hashes(&tokens.claims, &tokens.access_token, &code);
    assert_eq!(tokens.claims.get("name"), None);
    suite.unregister(&client);
    assert_eq!(suite.redeem(&client, &code).text("error"), "invalid_client");
}

/// `oidcc-response-type-missing`: an error goes back, or a page shows it.
pub fn oidcc_response_type_missing(plan: Plan) {
    let suite = Suite::of(plan);
    let client = suite.register();
    let request = suite.request(&client).with(&[("response_type", "")]);
    let callback = suite.authorize(&mut suite.user(), &request).callback();
    let error = checks::error(&suite, &request, &callback);
    assert!(["invalid_request", "unsupported_response_type"].contains(&error.as_str()), "{error}");
}

/// `oidcc-idtoken-signature`: RS256 where the client named no algorithm, and a `kid`.
pub fn oidcc_idtoken_signature(plan: Plan) {
    let suite = Suite::of(plan);
    let client = suite.register();
    let tokens = suite.flow(&client, &mut suite.user(), &suite.request(&client));
    assert_eq!(tokens.header["alg"], "RS256");
    assert!(tokens.header["kid"].as_str().is_some_and(|kid| !kid.is_empty()));
}

/// `oidcc-idtoken-unsigned`: skipped where the metadata does not list `none`; then nobody can register it either.
pub fn oidcc_idtoken_unsigned(plan: Plan) {
    let suite = Suite::of(plan);
    let listed = suite.lists("id_token_signing_alg_values_supported");
    assert!(listed.contains(&"RS256") && !listed.contains(&"none"), "{listed:?}");
    let refused =
        suite.try_register("client_secret_basic", json!({ "id_token_signed_response_alg": "none" }));
    assert_eq!((refused.status, refused.text("error").as_str()), (400, "invalid_client_metadata"));
}

/// `oidcc-ensure-request-without-nonce-succeeds-for-code-flow`: a nonce is optional, and none comes of itself.
pub fn oidcc_ensure_request_without_nonce_succeeds_for_code_flow(plan: Plan) {
    let suite = Suite::of(plan);
    let client = suite.register();
    let request = suite.request(&client).with(&[("nonce", "")]);
    let tokens = suite.flow(&client, &mut suite.user(), &request);
    assert_eq!(tokens.claims.get("nonce"), None);
}

/// Redeems a code, waits, and redeems it again.
fn reuse(plan: Plan, after_s: i64) -> (Suite, Tokens) {
    let suite = Suite::of(plan);
    let client = suite.register();
    let request = suite.request(&client);
    let callback = suite.authorize(&mut suite.user(), &request).callback();
    let tokens = suite.complete(&client, &request, &callback);
    suite.server.advance(after_s);
    let code = checks::code(&suite, &request, &callback);
    checks::token_error(&suite.redeem(&client, &code), "invalid_grant");
    (suite, tokens)
}

/// `oidcc-codereuse`: a code counts once.
pub fn oidcc_codereuse(plan: Plan) {
    reuse(plan, 0);
}

/// `oidcc-codereuse-30seconds`: the same half a minute later, and its replay takes back the access token that it gave.
pub fn oidcc_codereuse_30seconds(plan: Plan) {
    let (suite, tokens) = reuse(plan, 30);
    let answer = suite.userinfo("GET", &tokens.access_token);
    assert!((400..500).contains(&answer.status), "{}", answer.status);
}

/// `oidcc-ensure-post-request-succeeds`: an authorization request may be a POST.
pub fn oidcc_ensure_post_request_succeeds(plan: Plan) {
    let suite = Suite::of(plan);
    let client = suite.register();
    let request = suite.request(&client);
    let mut user = suite.user();
    let callback = user.post(suite.endpoint("authorization_endpoint"), &request.form()).callback();
    suite.complete(&client, &request, &callback);
}

/// `oidcc-server-client-secret-post`: the secret in the body.
pub fn oidcc_server_client_secret_post(plan: Plan) {
    let suite = Suite::of(plan);
    let client = suite.register_with("client_secret_post", json!({}));
    assert_eq!(client.told["token_endpoint_auth_method"], "client_secret_post");
    suite.flow(&client, &mut suite.user(), &suite.request(&client));
}

/// `oidcc-ensure-request-with-valid-pkce-succeeds`: a verifier of 128 characters, with all that RFC 7636 §4.1 allows.
pub fn oidcc_ensure_request_with_valid_pkce_succeeds(plan: Plan) {
    let suite = Suite::of(plan);
    let client = suite.register();
    let verifier = long_state();
    assert_eq!(verifier.len(), 128);
    let challenge = base64url(&sha256(verifier.as_bytes()));
    let pkce = [("code_challenge", challenge.as_str()), ("code_challenge_method", "S256")];
    let request = suite.request(&client).with(&pkce);
    let callback = suite.authorize(&mut suite.user(), &request).callback();
    let code = checks::code(&suite, &request, &callback);
    let mut form = redemption(&code).to_vec();
    form.push(("code_verifier", &verifier));
    suite.judged(&client, &request, suite.token(&client, &form));
}

/// `oidcc-refresh-token`: new tokens for a refresh token, about the same login; and it is of no use to another client.
pub fn oidcc_refresh_token(plan: Plan) {
    let suite = Suite::of(plan);
    assert!(suite.lists("grant_types_supported").contains(&"refresh_token"));
    let register = || {
        let grants = json!({ "grant_types": ["authorization_code", "refresh_token"] });
        suite.register_with("client_secret_basic", grants)
    };
    let (one, two) = (register(), register());
    let mut user = suite.user();
    refreshed(&suite, &one, &mut user, Some("openid offline_access"));
    let of_two = refreshed(&suite, &two, &mut user, None);
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", of_two.as_str()),
        ("scope", "openid offline_access"),
    ];
    checks::token_error(&suite.token(&one, &form), "invalid_grant");
}

/// Authorizes and refreshes, a second later; the refresh token that there is then.
fn refreshed(suite: &Suite, client: &Registered, user: &mut User, scope: Option<&str>) -> String {
    let offline = [("scope", "openid offline_access"), ("prompt", "consent")];
    let request = suite.request(client).with(&offline);
    let first = suite.flow(client, user, &request);
    suite.server.advance(1);
    let old = first.answer.text("refresh_token");
    let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", old.as_str())];
    form.extend(scope.map(|scope| ("scope", scope)));
    let answer = suite.token(client, &form);
    checks::token_response(&answer);
    let access_token = answer.text("access_token");
    assert_ne!(access_token, first.access_token);
    assert_eq!(suite.userinfo("GET", &access_token).status, 200);
    // OpenID Connect Core 1.0 §12.2.
    let (_, claims) = checks::signed(suite, &answer.text("id_token"), &client.id);
    for name in ["iss", "sub", "aud", "auth_time", "azp"] {
        assert_eq!(claims.get(name), first.claims.get(name), "{name}");
    }
    assert_ne!(claims["iat"], first.claims["iat"]);
    answer.json()["refresh_token"].as_str().map_or(old, str::to_owned)
}
