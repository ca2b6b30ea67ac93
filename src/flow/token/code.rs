//! The authorization code grant at the token endpoint (RFC 6749 §4.1.3, RFC 7636 §4.5–4.6).
//!
//! One transaction: find the code; check client, age, redirect URI and verifier; take it out of use with one statement.
//! A refusal leaves the code as it was, but for a replay: that revokes what the code gave, and commits.

use std::sync::Arc;

use oxide_auth::code_grant::accesstoken::{AccessToken, Input, Output};
use oxide_auth::code_grant::extensions::Pkce;
use oxide_auth::primitives::grant::{Extensions, Value};

use crate::base::{Entropy, Id, PlainToken, Timestamp, TokenKind};
use crate::domain::{Authorization, Client, Code, RevocationReason};
use crate::flow::mint::{self, Prepared};
use crate::flow::target::{self, Target};
use crate::flow::{Cx, Policy, Snapshot};
use crate::oauth::{CodeVerifier, ErrorCode, OAuthError, Params};
use crate::store::{Conn, StoreError, authorizations, codes, sessions};

use super::{By, Granted, GrantedBy, oxide, refresh};

type Outcome = Result<Prepared, OAuthError>;

pub(super) fn run(cx: &Cx, client: Arc<Client>, params: &Params) -> Outcome {
    let text = params.require("code")?;
    let code = PlainToken::parse(TokenKind::Code, text).ok_or_else(|| {
        invalid_grant("the code is not one of this server").because("no code of ours looks like it")
    })?;
    let verifier = params
        .get("code_verifier")
        .map(str::parse::<CodeVerifier>)
        .transpose()
        .map_err(|text| OAuthError::new(ErrorCode::InvalidRequest).describe(text))?;
    let redemption = Redemption {
        now: cx.now,
        code,
        verifier,
        client,
        params: params.clone(),
        snapshot: Arc::clone(&cx.snapshot),
        policy: Arc::clone(&cx.policy),
        entropy: Arc::clone(&cx.entropy),
    };
    cx.store.write("redeem a code", move |conn| redemption.redeem(conn))?
}

struct Redemption {
    now: Timestamp,
    code: PlainToken,
    verifier: Option<CodeVerifier>,
    client: Arc<Client>,
    params: Params,
    snapshot: Arc<Snapshot>,
    policy: Arc<Policy>,
    entropy: Arc<dyn Entropy>,
}

impl Redemption {
    fn redeem(&self, conn: &mut Conn) -> Result<Outcome, StoreError> {
        let hash = self.code.hash();
        let Some(code) = codes::find(conn, &hash)? else {
            return Ok(Err(invalid_grant("the code is unknown or has expired")));
        };
        // RFC 6749 §4.1.3: "ensure that the authorization code was issued to the authenticated confidential client, or if
        // the client is public, ensure that the code was issued to "client_id" in the request".
        if code.client_id != self.client.id {
            return Ok(Err(invalid_grant("the code was given to another client")));
        }
        if code.redeemed_at.is_some() {
            return self.replayed(conn, code.authorization_id);
        }
        if code.expires_at.is_past(self.now) {
            return Ok(Err(invalid_grant("the code has expired")));
        }
        let Some(authorization) = authorizations::find(conn, code.authorization_id)? else {
            return Ok(Err(invalid_grant("the authorization of this code is gone")));
        };
        if !authorization.is_alive(self.now) {
            return Ok(Err(invalid_grant("the authorization of this code was revoked or has ended")));
        }
        if let Err(error) = self.run_machine(&code, &authorization) {
            return Ok(Err(error));
        }
        let granted = match self.granted(conn, &authorization)? {
            Ok(granted) => granted,
            Err(error) => return Ok(Err(error)),
        };
        // RFC 6749 §4.1.2: "The client MUST NOT use the authorization code more than once."
        if !codes::redeem(conn, &hash, self.now)? {
            return self.replayed(conn, code.authorization_id);
        }
        Ok(Ok(granted))
    }

    /// RFC 6749 §4.1.2: "If an authorization code is used more than once, the authorization server MUST deny the request
    /// and SHOULD revoke (when possible) all tokens previously issued based on that authorization code."
    fn replayed(&self, conn: &mut Conn, authorization: Id) -> Result<Outcome, StoreError> {
        authorizations::revoke(conn, authorization, self.now, RevocationReason::CodeReplayed)?;
        Ok(Err(invalid_grant("the code was used before")
            .because(format!("code replayed; authorization {authorization} is revoked"))))
    }

    /// Lets oxide-auth's machine judge client, redirect URI and PKCE, after the driver settled what it is too narrow for.
    fn run_machine(&self, code: &Code, authorization: &Authorization) -> Result<(), OAuthError> {
        let redirect_uri = self.redirect_uri(code)?;
        let request = oxide::Request {
            client_id: self.client.id.as_str(),
            params: &self.params,
            redirect_uri: Some(redirect_uri),
        };
        let mut machine = AccessToken::new(&request);
        let mut input = Input::None;
        loop {
            input = match machine.advance(input) {
                Output::Authenticate { client, .. } if client == self.client.id.as_str() => {
                    Input::Authenticated
                }
                Output::Authenticate { .. } => return Err(oxide::fault("asked for another client")),
                Output::Recover { .. } => {
                    let stored = code
                        .redirect_uri
                        .parse()
                        .map_err(|_| oxide::fault("a stored redirect URI is no URL"))?;
                    Input::Recovered(Some(oxide::grant(
                        code.client_id.as_str(),
                        authorization.user_id.to_string(),
                        &authorization.scope,
                        stored,
                        Extensions::new(),
                    )?))
                }
                Output::Extend { .. } => {
                    self.check_verifier(code)?;
                    Input::Extended { access_extensions: Extensions::new() }
                }
                Output::Issue { .. } => return Ok(()),
                Output::Ok(_) => return Err(oxide::fault("issued by itself")),
                Output::Err(_) => return Err(invalid_grant("the code does not fit this request")),
            };
        }
    }

    /// RFC 6749 §4.1.3: redirect_uri is "REQUIRED, if the "redirect_uri" parameter was included in the authorization
    /// request […], and their values MUST be identical."
    fn redirect_uri<'c>(&self, code: &'c Code) -> Result<&'c str, OAuthError> {
        match self.params.get("redirect_uri") {
            None if code.redirect_uri_given => Err(OAuthError::new(ErrorCode::InvalidRequest)
                .describe("redirect_uri is missing; the authorization request named it")),
            Some(presented) if presented != code.redirect_uri => {
                Err(invalid_grant("redirect_uri is not the one that the code was sent to"))
            }
            _ => Ok(&code.redirect_uri),
        }
    }

    /// RFC 7636 §4.6: "If the values are not equal, an error response indicating "invalid_grant" as described in
    /// Section 5.2 of \[RFC6749\] MUST be returned." RFC 9700 §4.8.2: a verifier without a challenge is a downgrade.
    fn check_verifier(&self, code: &Code) -> Result<(), OAuthError> {
        let (challenge, verifier) = match (&code.challenge, &self.verifier) {
            (None, None) => return Ok(()),
            (None, Some(_)) => {
                return Err(invalid_grant(
                    "code_verifier is given, but the authorization request had no code_challenge",
                ));
            }
            (Some(_), None) => return Err(invalid_grant("code_verifier is missing")),
            (Some(challenge), Some(verifier)) => (challenge, verifier),
        };
        let pkce = Pkce::required();
        let method = pkce
            .challenge(Some("S256".into()), Some(challenge.as_str().into()))
            .map_err(|()| oxide::fault("a stored challenge is none"))?;
        let encoded = method.and_then(|value| value.into_private_value().ok().flatten());
        pkce.verify(encoded.map(|text| Value::private(Some(text))), Some(verifier.as_str().into()))
            .map_err(|()| invalid_grant("code_verifier does not fit code_challenge"))
    }

    fn granted(&self, conn: &mut Conn, authorization: &Authorization) -> Result<Outcome, StoreError> {
        let user = match refresh::living_user(conn, &self.client, authorization, self.now, &self.policy)? {
            Ok((user, _)) => user,
            Err(error) => return Ok(Err(error)),
        };
        // A code that lay unused when its user signed out is worth nothing after it, whoever the client is.
        if let Some(id) = authorization.session_id
            && !sessions::hold(conn, id)?
        {
            return Ok(Err(invalid_grant("the user's session has ended")));
        }
        let allowed =
            Target { scope: authorization.scope.clone(), resources: authorization.resources.clone() };
        let target = match target::narrowed(&self.snapshot, &self.client, &allowed, self.params.resources()) {
            Ok(target) => target,
            Err(error) => return Ok(Err(error)),
        };
        if let Err(error) = mint::can_make(&self.snapshot, &self.policy, &self.client, &target) {
            return Ok(Err(error));
        }
        let roles = refresh::roles_for(conn, &self.client, &target, authorization.user_id)?;
        let refresh_token =
            refresh::first_token(conn, authorization, &self.client, self.now, &self.policy, &*self.entropy)?;
        let by = GrantedBy::of(authorization, user, roles, authorization.nonce.clone(), &target);
        let granted = Granted { client: Arc::clone(&self.client), target, by: By::User(by), refresh_token };
        mint::prepare(conn, self.now, &self.policy, &*self.entropy, granted).map(Ok)
    }
}

fn invalid_grant(text: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidGrant).describe(text)
}
