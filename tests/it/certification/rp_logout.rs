//! RP-Initiated Logout OP: `oidcc-rp-initiated-logout-certification-test-plan`. Where the suite wants a picture of a page, the
//! page is looked at here.

use serde_json::json;

use super::checks;
use super::config::all_endpoints_are_https;
use super::suite::{Callback, Landing, Plan, Registered, Suite, Tokens, User, long_state};
use crate::support::assertions::{ClientKey, jwt};
use crate::support::http::{Answer, form};

pub const BYE: &str = "https://suite.example/test/a/countersign/post_logout_redirect";

/// A state of every character of RFC 6749 Appendix A.5 that the suite uses.
pub fn end_session_state() -> String {
    let marks = "!\"#$%&'()*,-./:<=>?@[\\]^_`{|}~";
    format!("{}0123456789{marks}", "aBcDe".repeat(10))
}

/// A user who is signed in at a client of the suite.
pub struct SignedIn {
    pub suite: Suite,
    pub client: Registered,
    pub user: User,
    pub tokens: Tokens,
}

impl SignedIn {
    pub fn at(suite: Suite, client: Registered) -> Self {
        let mut user = suite.user();
        let request = suite.request(&client).with(&[("state", &long_state())]);
        let tokens = suite.flow(&client, &mut user, &request);
        Self { suite, client, user, tokens }
    }

    fn start() -> Self {
        let suite = Suite::of(Plan::Basic);
        let uris = json!({ "post_logout_redirect_uris": [BYE] });
        let client = suite.register_with("client_secret_basic", uris);
        Self::at(suite, client)
    }

    /// Sends the user to the end session endpoint, where they agree if they are asked.
    pub fn leave(&mut self, params: &[(&str, &str)]) -> Landing {
        let url = format!("{}?{}", self.suite.endpoint("end_session_endpoint"), form(params));
        match self.user.visit(&url) {
            Landing::Page(page) if page.body.contains("name=\"decision\" value=\"logout\"") => {
                self.user.sign_out(&page)
            }
            landing => landing,
        }
    }

    /// The second request of the suite, with `prompt=none`: nobody is signed in any more.
    pub fn is_gone(&mut self) {
        let request = self.suite.request(&self.client).with(&[("prompt", "none"), ("state", &long_state())]);
        let callback = self.suite.authorize(&mut self.user, &request).callback();
        assert_eq!(checks::error(&self.suite, &request, &callback), "login_required");
    }

    fn is_still_there(&mut self) {
        let request = self.suite.request(&self.client).with(&[("prompt", "none")]);
        let callback = self.suite.authorize(&mut self.user, &request).callback();
        checks::code(&self.suite, &request, &callback);
    }

    /// An error page, and nobody was signed out for it.
    fn is_refused(&mut self, params: &[(&str, &str)]) {
        let page = self.leave(params).page();
        assert_eq!(page.status, 400, "{}", page.body);
        assert!(!page.body.contains(BYE), "{}", page.body);
        self.is_still_there();
    }

    /// A page that says that they are signed out, and that is so.
    fn ends_on_a_page(&mut self, params: &[(&str, &str)]) {
        let page: Answer = self.leave(params).page();
        assert_eq!(page.status, 200);
        assert!(page.body.contains("You are signed out"), "{}", page.body);
        self.is_gone();
    }
}

/// Back at the suite with this state, and nothing else.
pub fn came_back(callback: &Callback, state: Option<&str>) {
    assert_eq!((callback.method, callback.uri.as_str()), ("GET", BYE));
    let told: Vec<(&str, &str)> = callback.query.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(told, Vec::from_iter(state.map(|state| ("state", state))));
}

/// `oidcc-rp-initiated-logout-discovery-endpoint-verification`.
#[test]
fn oidcc_rp_initiated_logout_discovery_endpoint_verification() {
    let suite = Suite::of(Plan::Basic);
    all_endpoints_are_https(&suite.metadata);
    checks::is_https(suite.endpoint("end_session_endpoint"));
}

/// `oidcc-rp-initiated-logout`: out, back with the state as it was, and then nobody is signed in.
#[test]
fn oidcc_rp_initiated_logout() {
    let mut here = SignedIn::start();
    let (hint, state) = (here.tokens.id_token.clone(), end_session_state());
    let params = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BYE), ("state", &state)];
    came_back(&here.leave(&params).callback(), Some(&state));
    here.is_gone();
}

/// `oidcc-rp-initiated-logout-no-state`: where none was sent, none comes back.
#[test]
fn oidcc_rp_initiated_logout_no_state() {
    let mut here = SignedIn::start();
    let hint = here.tokens.id_token.clone();
    came_back(&here.leave(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)]).callback(), None);
    here.is_gone();
}

/// `oidcc-rp-initiated-logout-bad-id-token-hint`: one that the client signed, with `iss` and `aud` exchanged.
#[test]
fn oidcc_rp_initiated_logout_bad_id_token_hint() {
    let mut here = SignedIn::start();
    let now = here.suite.server.clock_now();
    let claims = json!({
        "iss": here.client.id, "sub": "SubjectID", "aud": here.suite.issuer(), "nonce": "flibble", "iat": now,
        "exp": now + 300,
    });
    let key = ClientKey::rsa("suite");
    let hint = jwt(&json!({ "alg": "RS256", "kid": "suite" }), &claims, |text| key.sign("RS256", text));
    here.is_refused(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE), ("state", "s")]);
}

/// `oidcc-rp-initiated-logout-modified-id-token-hint`: a good one, made into one without a signature.
#[test]
fn oidcc_rp_initiated_logout_modified_id_token_hint() {
    let mut here = SignedIn::start();
    let claims = here.tokens.id_token.split('.').nth(1).unwrap();
    let header = countersign::base::encoding::base64url(b"{\"alg\": \"none\"}");
    let hint = format!("{header}.{claims}.");
    here.is_refused(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE), ("state", "s")]);
}

/// `oidcc-rp-initiated-logout-no-id-token-hint`: an address to go back to, and nothing that says whose it is.
#[test]
fn oidcc_rp_initiated_logout_no_id_token_hint() {
    SignedIn::start().is_refused(&[("post_logout_redirect_uri", BYE), ("state", "s")]);
}

/// `oidcc-rp-initiated-logout-bad-post-logout-redirect-uri`: another address than the registered one.
#[test]
fn oidcc_rp_initiated_logout_bad_post_logout_redirect_uri() {
    let mut here = SignedIn::start();
    let hint = here.tokens.id_token.clone();
    let bad = "https://suite.example/test/a/countersign/bad_post_logout_redirect_uri";
    here.is_refused(&[("id_token_hint", &hint), ("post_logout_redirect_uri", bad), ("state", "s")]);
}

/// `oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri`: the registered address, and a query.
#[test]
fn oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri() {
    let mut here = SignedIn::start();
    let (hint, added) = (here.tokens.id_token.clone(), format!("{BYE}?foo=bar"));
    here.is_refused(&[("id_token_hint", &hint), ("post_logout_redirect_uri", &added), ("state", "s")]);
}

/// `oidcc-rp-initiated-logout-no-params`: out, and a page that says so.
#[test]
fn oidcc_rp_initiated_logout_no_params() {
    SignedIn::start().ends_on_a_page(&[]);
}

/// `oidcc-rp-initiated-logout-no-post-logout-redirect-uri`: the same, with a hint.
#[test]
fn oidcc_rp_initiated_logout_no_post_logout_redirect_uri() {
    let mut here = SignedIn::start();
    let hint = here.tokens.id_token.clone();
    here.ends_on_a_page(&[("id_token_hint", &hint), ("state", "s")]);
}

/// `oidcc-rp-initiated-logout-only-state`: the same, with a state that nobody is told.
#[test]
fn oidcc_rp_initiated_logout_only_state() {
    SignedIn::start().ends_on_a_page(&[("state", "s")]);
}
