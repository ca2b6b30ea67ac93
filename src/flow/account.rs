//! A user's own pages: who may see them, and what stands on them. Whoever is not signed in, or not recently enough for what
//! they are about to do, is sent to the login page and comes back from there.

mod applications;
mod password;
mod sessions;

pub use applications::{ApplicationView, ApplicationsView, application, applications, withdraw};
pub use password::{NewPassword, PasswordFault, PasswordOutcome, change_password, password};
pub use sessions::{SessionView, SessionsView, Which, end_sessions, sessions, which};

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::{Id, PlainToken, Seconds, Timestamp, TokenKind};
use crate::domain::api_token::{ApiToken, DAY, DEFAULT, Owner, Wish};
use crate::domain::{ResourceServer, RevocationReason};
use crate::jose::Purpose;
use crate::oauth::{ErrorCode, OAuthError, Resource, Scope};

use super::Cx;
use super::api_tokens::{self, ApiTokenFault, Made, NewToken};
use super::authorize::{
    Destination, LoginNotice, LoginTicket, Next, OwnPage, open_sealed, seal_for, seal_login,
};
use super::login::{self, Browser, SignedIn};

/// A session alone makes no token: a stolen one would live on in it for a year. The login behind it must be this fresh when
/// the form is opened …
const FRESH_TO_OPEN: Seconds = Seconds(600);
/// … and no older than this when it is sent, so that there is time to fill it in.
const FRESH_TO_MAKE: Seconds = Seconds(900);
/// How long a new token may be under way to the page that shows it.
const SHOWN_WITHIN: Seconds = Seconds(60);
/// The lives that the form offers, in days.
const LIVES: [i64; 5] = [7, 30, 90, 180, 365];

/// A look at one of these pages.
pub enum Visit<T> {
    /// What it shows.
    In(T),
    /// This comes first: the login page, or the account chooser.
    First(Next),
}

/// What the list shows.
pub struct TokensView {
    /// Who is signed in.
    pub username: String,
    /// The tokens that count, each with its resource server, if that is still there.
    pub tokens: Vec<(ApiToken, Option<Arc<ResourceServer>>)>,
    /// The token that was just made: its name, and itself.
    pub made: Option<(String, PlainToken)>,
}

/// What the form shows.
pub struct NewTokenView {
    /// Who is signed in.
    pub username: String,
    /// The resource servers to choose from.
    pub servers: Vec<Arc<ResourceServer>>,
    /// The one that is chosen.
    pub chosen: Option<Arc<ResourceServer>>,
    /// The lives to choose from, in days.
    pub lives: Vec<u32>,
    /// The life that is chosen unless another is.
    pub life: u32,
}

/// The form as it was sent.
#[derive(Clone, Debug, Default)]
pub struct NewTokenForm {
    /// What to call it.
    pub name: String,
    /// The identifier of the resource server.
    pub resource: String,
    /// What it is to allow.
    pub scope: Scope,
    /// How many days it is to live.
    pub days: Option<u32>,
}

/// What came of a form.
pub enum Outcome {
    /// Made: sealed for the page that shows it.
    Made(String),
    /// Something is wrong with it: the form again.
    Again(NewTokenView, ApiTokenFault),
}

/// A token on its way from the form's answer, through the browser, to the page that shows it: nothing of it is stored here.
#[derive(Serialize, Deserialize)]
struct OnItsWay {
    session_id: Id,
    made_at: Timestamp,
    token: String,
}

/// The list of a user's tokens. `sealed` is what the browser brought from the form's answer.
///
/// # Errors
/// When the server cannot answer.
pub fn tokens(
    cx: &Cx,
    browser: &Browser,
    tie: &PlainToken,
    sealed: Option<&str>,
) -> Result<Visit<TokensView>, OAuthError> {
    let known = match enter(cx, browser, tie, OwnPage::Tokens, None)? {
        Visit::In(known) => known,
        Visit::First(next) => return Ok(Visit::First(next)),
    };
    let tokens = api_tokens::alive(&cx.store, &Owner::User(known.user.id), cx.now)?;
    let plain = sealed.and_then(|sealed| arrived(cx, &known, browser, sealed));
    let made = plain.and_then(|plain| {
        let stored = tokens.iter().find(|token| token.id == plain.id())?;
        Some((stored.name.clone(), plain))
    });
    let with_server = |token: ApiToken| {
        let server = cx.snapshot.resource_server(&token.resource).cloned();
        (token, server)
    };
    Ok(Visit::In(TokensView {
        username: known.user.username.to_string(),
        tokens: tokens.into_iter().map(with_server).collect(),
        made,
    }))
}

/// The form for a new token, for the resource server `chosen`, if one is.
///
/// # Errors
/// `invalid_target` when that one does not exist.
pub fn new_token(
    cx: &Cx,
    browser: &Browser,
    tie: &PlainToken,
    chosen: Option<&str>,
) -> Result<Visit<NewTokenView>, OAuthError> {
    match enter(cx, browser, tie, OwnPage::NewToken, Some(FRESH_TO_OPEN))? {
        Visit::In(known) => Ok(Visit::In(form(cx, &known, chosen)?)),
        Visit::First(next) => Ok(Visit::First(next)),
    }
}

/// Makes the token that a form asks for.
///
/// # Errors
/// `invalid_target` when the resource server does not exist; or when the server cannot answer.
pub fn make_token(
    cx: &Cx,
    browser: &Browser,
    tie: &PlainToken,
    sent: &NewTokenForm,
) -> Result<Visit<Outcome>, OAuthError> {
    let known = match enter(cx, browser, tie, OwnPage::NewToken, Some(FRESH_TO_MAKE))? {
        Visit::In(known) => known,
        Visit::First(next) => return Ok(Visit::First(next)),
    };
    let view = form(cx, &known, Some(&sent.resource))?;
    let Some(server) = &view.chosen else { return Err(ErrorCode::InvalidTarget.into()) };
    let new = NewToken {
        owner: Owner::User(known.user.id),
        session: Some(known.session.id),
        wish: Wish {
            name: sent.name.clone(),
            resource: server.id.clone(),
            scope: sent.scope.clone(),
            // A life that is no number is none that is allowed.
            lives_for: Some(Seconds(i64::from(sent.days.unwrap_or(0)) * DAY.0)),
        },
    };
    match api_tokens::make(&cx.store, new, cx.policy.api_token_max_ttl, &*cx.entropy, cx.now) {
        Ok(made) => Ok(Visit::In(Outcome::Made(on_its_way(cx, &known, tie, &made)?))),
        Err(ApiTokenFault::Store(error)) => Err(error.into()),
        // It ended, or the account was locked, since the look above.
        Err(ApiTokenFault::Owner) => Ok(Visit::First(to_login(cx, tie, OwnPage::NewToken, None)?)),
        Err(ApiTokenFault::ResourceServer(_)) => Err(ErrorCode::InvalidTarget.into()),
        Err(fault) => Ok(Visit::In(Outcome::Again(view, fault))),
    }
}

/// The token that a user is asked about before it is revoked, with who is signed in; no token when it does not count, or is
/// another's.
///
/// # Errors
/// When the server cannot answer.
pub fn token(
    cx: &Cx,
    browser: &Browser,
    tie: &PlainToken,
    id: &str,
) -> Result<Visit<(String, Option<ApiToken>)>, OAuthError> {
    match enter(cx, browser, tie, OwnPage::Tokens, None)? {
        Visit::In(known) => {
            let tokens = api_tokens::alive(&cx.store, &Owner::User(known.user.id), cx.now)?;
            let token = tokens.into_iter().find(|token| token.id == id);
            Ok(Visit::In((known.user.username.to_string(), token)))
        }
        Visit::First(next) => Ok(Visit::First(next)),
    }
}

/// Revokes one of the user's tokens. One that does not count any more, or is another's, is left as it is.
///
/// # Errors
/// When the server cannot answer.
pub fn revoke_token(cx: &Cx, browser: &Browser, tie: &PlainToken, id: &str) -> Result<Visit<()>, OAuthError> {
    let known = match enter(cx, browser, tie, OwnPage::Tokens, None)? {
        Visit::In(known) => known,
        Visit::First(next) => return Ok(Visit::First(next)),
    };
    let owner = Owner::User(known.user.id);
    match api_tokens::revoke(&cx.store, id, Some(&owner), RevocationReason::Revoked, cx.now) {
        Err(ApiTokenFault::Store(error)) => Err(error.into()),
        _ => Ok(Visit::In(())),
    }
}

/// Lets in whoever is signed in, and proved who they are within `fresh` where that is asked.
fn enter(
    cx: &Cx,
    browser: &Browser,
    tie: &PlainToken,
    page: OwnPage,
    fresh: Option<Seconds>,
) -> Result<Visit<SignedIn>, OAuthError> {
    let here = login::accounts(cx, browser)?;
    let is_fresh =
        |known: &SignedIn| fresh.is_none_or(|most| cx.now - known.session.authenticated_at <= most);
    match here.active() {
        Some(known) if is_fresh(known) => {
            login::touch(cx, known)?;
            Ok(Visit::In(known.clone()))
        }
        None if !here.is_empty() => {
            let ticket =
                LoginTicket { to: Destination::Own(page), notice: None, typed: None, remember: false };
            Ok(Visit::First(Next::Choose(seal_login(cx, &ticket, tie)?)))
        }
        other => Ok(Visit::First(to_login(cx, tie, page, other)?)),
    }
}

fn to_login(cx: &Cx, tie: &PlainToken, page: OwnPage, known: Option<&SignedIn>) -> Result<Next, OAuthError> {
    let ticket = LoginTicket {
        to: Destination::Own(page),
        notice: known.is_some().then_some(LoginNotice::Reauthenticate),
        typed: known.map(|known| known.user.username.to_string()),
        remember: known.is_some_and(|known| known.session.remembered),
    };
    Ok(Next::Login(seal_login(cx, &ticket, tie)?))
}

fn form(cx: &Cx, known: &SignedIn, chosen: Option<&str>) -> Result<NewTokenView, OAuthError> {
    // A token without a scope allows nothing, so a resource server without one takes none.
    let takes = |server: &&Arc<ResourceServer>| server.user_api_tokens && !server.scopes.is_empty();
    let servers: Vec<Arc<ResourceServer>> = cx.snapshot.resource_servers().filter(takes).cloned().collect();
    let chosen = match (chosen, servers.as_slice()) {
        (Some(id), _) => {
            let id: Option<Resource> = id.parse().ok();
            let server = servers.iter().find(|server| Some(&server.id) == id.as_ref()).cloned();
            let unknown =
                || OAuthError::new(ErrorCode::InvalidTarget).describe("there is no such resource server");
            Some(server.ok_or_else(unknown)?)
        }
        (None, [only]) => Some(Arc::clone(only)),
        (None, _) => None,
    };
    let longest = cx.policy.api_token_max_ttl.0 / DAY.0;
    let mut lives: Vec<i64> = LIVES.into_iter().filter(|days| *days <= longest).collect();
    if longest < LIVES[LIVES.len() - 1] && lives.last() != Some(&longest) {
        lives.push(longest);
    }
    let days = |days: i64| u32::try_from(days).unwrap_or(u32::MAX);
    Ok(NewTokenView {
        username: known.user.username.to_string(),
        servers,
        chosen,
        lives: lives.into_iter().map(days).collect(),
        life: days(longest.min(DEFAULT.0 / DAY.0)),
    })
}

fn on_its_way(cx: &Cx, known: &SignedIn, tie: &PlainToken, made: &Made) -> Result<String, OAuthError> {
    let token = made.plain.reveal().to_owned();
    let what = OnItsWay { session_id: known.session.id, made_at: cx.now, token };
    seal_for(cx, Purpose::NewApiToken, what, tie)
}

/// The token, for the session that it was made in and for a minute. Anything else is as if nothing had come.
fn arrived(cx: &Cx, known: &SignedIn, browser: &Browser, sealed: &str) -> Option<PlainToken> {
    let it: OnItsWay = open_sealed(cx, Purpose::NewApiToken, sealed, browser).ok()?;
    let counts = it.session_id == known.session.id && cx.now - it.made_at <= SHOWN_WITHIN;
    PlainToken::parse(TokenKind::Api, &it.token).filter(|_| counts)
}
