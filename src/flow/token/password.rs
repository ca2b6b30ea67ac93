//! The resource owner password credentials grant (RFC 6749 §4.3). RFC 9700 §2.4 says that it "MUST NOT be used": it is
//! off unless a client is marked for it, and it goes through the login page's own throttle.

use std::sync::Arc;

use crate::base::{Entropy, Id, Timestamp};
use crate::domain::{Authorization, Client, User};
use crate::flow::login::{self, Attempt};
use crate::flow::mint::{self, Prepared, access_token_ttl};
use crate::flow::target::{self, Target, TokenTarget};
use crate::flow::{Cx, Policy};
use crate::oauth::{Asked, OAuthError};
use crate::store::{Conn, StoreError, authorizations, users};

use super::{By, Granted, GrantedBy, TokenRequest, refresh};

pub(super) fn run(cx: &Cx, client: Arc<Client>, request: &TokenRequest) -> Result<Prepared, OAuthError> {
    let username = request.params.require("username")?;
    let password = request.params.require("password")?;
    let asked = target::requested(&cx.snapshot, &client, &request.params)?;
    let token_target = target::narrowed(&cx.snapshot, &client, &asked, request.params.resources())?;

    let attempt = Attempt { username, password, peer: request.peer };
    let user = login::check_password(cx, &attempt).map_err(login::Refusal::into_oauth)?;

    let grant = PasswordGrant {
        now: cx.now,
        client,
        user,
        asked,
        target: token_target,
        policy: Arc::clone(&cx.policy),
        entropy: Arc::clone(&cx.entropy),
    };
    cx.store.write("password grant", move |conn| grant.store(conn))?
}

struct PasswordGrant {
    now: Timestamp,
    client: Arc<Client>,
    user: User,
    asked: Target,
    target: TokenTarget,
    policy: Arc<Policy>,
    entropy: Arc<dyn Entropy>,
}

impl PasswordGrant {
    fn store(&self, conn: &mut Conn) -> Result<Result<Prepared, OAuthError>, StoreError> {
        if !users::hold(conn, self.user.id, &self.user.password_hash)? {
            return Ok(Err(login::Refusal::Wrong.into_oauth()));
        }
        // Without a refresh token nothing more comes from it than this one access token.
        let ttl = if refresh::gives_refresh_token(&self.client, &self.asked.scope, None) {
            self.policy.refresh_lives(&self.client).family
        } else {
            access_token_ttl(&self.policy, &self.client, self.target.server.as_deref())
        };
        let authorization = Authorization {
            id: Id::random(&*self.entropy)?,
            client_id: self.client.id.clone(),
            user_id: self.user.id,
            session_id: None,
            scope: self.asked.scope.clone(),
            resources: self.asked.resources.clone(),
            authenticated_at: self.now,
            nonce: None,
            asked: Asked::default(),
            created_at: self.now,
            expires_at: self.now + ttl,
            revoked: None,
        };
        authorizations::insert(conn, &authorization)?;
        let roles = refresh::roles_for(conn, &self.client, &self.target, self.user.id)?;
        let refresh_token =
            refresh::first_token(conn, &authorization, &self.client, self.now, &self.policy, &*self.entropy)?;
        let by = GrantedBy::of(&authorization, self.user.clone(), roles, None, &self.target);
        let granted = Granted {
            client: Arc::clone(&self.client),
            target: self.target.clone(),
            by: By::User(by),
            refresh_token,
        };
        mint::prepare(conn, self.now, &self.policy, &*self.entropy, granted).map(Ok)
    }
}
