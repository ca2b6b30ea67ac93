//! Who is signed in at a browser: up to five accounts, each with a session of its own (OpenID Connect Core 1.0 §3.1.2.1,
//! `prompt=select_account`: the user "might have current sessions" for several accounts at one server).
//!
//! The browser holds a secret for each session, the active account's first. An account that is signed in but not active
//! counts only where a request names it, or where the user chooses it (docs/adr/0011-sessions-of-a-browser.md).

use crate::base::{Id, PlainToken, Seconds, TokenKind};
use crate::domain::session::browser_label;
use crate::domain::{Session, User};
use crate::oauth::OAuthError;
use crate::store::{sessions, users};

use super::Cx;
use super::session_end::{self, Cause};

/// The most accounts that may be signed in at one browser. The one that was not used for the longest time makes room.
pub const MAX_ACCOUNTS: usize = 5;

/// The secrets that a browser sent along.
#[derive(Clone, Default)]
pub struct Browser {
    /// The active session.
    pub session: Option<PlainToken>,
    /// The sessions of the other accounts, the one that was active last first.
    pub others: Vec<PlainToken>,
    /// Whether it holds the cookie that outlives it.
    pub has_kept: bool,
    /// The cookie that ties forms to this browser.
    pub browser: Option<PlainToken>,
}

/// What a browser is to hold from now on.
#[derive(Clone, Default)]
pub struct Held {
    /// The active session.
    pub active: Option<PlainToken>,
    /// The others, in their order.
    pub others: Vec<PlainToken>,
    /// Those among all of them that outlive the browser, in their order, …
    pub kept: Vec<PlainToken>,
    /// … and for how long.
    pub kept_for: Seconds,
}

/// A living session and its user.
#[derive(Clone)]
pub struct SignedIn {
    /// The session.
    pub session: Session,
    /// The user.
    pub user: User,
}

/// The accounts that are signed in at a browser. Sessions that ended are left out.
#[derive(Clone, Default)]
pub struct Accounts {
    active: Option<Account>,
    others: Vec<Account>,
}

#[derive(Clone)]
struct Account {
    token: PlainToken,
    known: SignedIn,
}

/// How somebody comes in.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// Whether they want to stay signed in when the browser is closed.
    pub remember: bool,
    /// What the browser says of itself.
    pub user_agent: Option<String>,
}

impl Accounts {
    /// The active account.
    #[must_use]
    pub fn active(&self) -> Option<&SignedIn> {
        self.active.as_ref().map(|account| &account.known)
    }

    /// All of them, the active one first.
    pub fn all(&self) -> impl Iterator<Item = &SignedIn> {
        self.list().map(|account| &account.known)
    }

    /// Whether nobody is signed in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    /// The account of this session.
    #[must_use]
    pub fn of_session(&self, id: Id) -> Option<&SignedIn> {
        self.all().find(|known| known.session.id == id)
    }

    /// The same with this session's account as the active one, if it is among them.
    #[must_use]
    pub fn with_active(mut self, id: Id) -> Self {
        let all: Vec<Account> = self.active.take().into_iter().chain(self.others).collect();
        let (mut chosen, others): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|account| account.known.session.id == id);
        Self { active: chosen.pop(), others }
    }

    /// The same without these sessions. Nobody moves up: where the active one goes, the user chooses anew.
    #[must_use]
    pub fn without(mut self, ids: &[Id]) -> Self {
        let stays = |account: &Account| !ids.contains(&account.known.session.id);
        self.active = self.active.filter(stays);
        self.others.retain(stays);
        self
    }

    /// A session with a new secret, after its user proved again who they are: as it is to be stored, and the accounts with
    /// that secret. Nothing when it is not among them.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn renewed(mut self, cx: &Cx, id: Id) -> Result<Option<(Session, Self)>, OAuthError> {
        let token = PlainToken::random(TokenKind::Session, &*cx.entropy)?;
        let mut all = self.active.iter_mut().chain(&mut self.others);
        let Some(account) = all.find(|account| account.known.session.id == id) else { return Ok(None) };
        let session = Session {
            token_hash: token.hash(),
            authenticated_at: cx.now,
            last_seen_at: cx.now,
            expires_at: cx.now + ttl(cx, account.known.session.remembered),
            ..account.known.session.clone()
        };
        (account.token, account.known.session) = (token, session.clone());
        Ok(Some((session, self)))
    }

    /// What the browser is to hold.
    #[must_use]
    pub fn held(&self, cx: &Cx) -> Held {
        let kept: Vec<&Account> = self.list().filter(|account| account.known.session.remembered).collect();
        let until = kept.iter().map(|account| account.known.session.expires_at).max();
        Held {
            active: self.active.as_ref().map(|account| account.token.clone()),
            others: self.others.iter().map(|account| account.token.clone()).collect(),
            kept_for: until.map_or(Seconds(0), |until| until - cx.now),
            kept: kept.into_iter().map(|account| account.token.clone()).collect(),
        }
    }

    fn list(&self) -> impl Iterator<Item = &Account> {
        self.active.iter().chain(&self.others)
    }
}

/// Who is signed in at this browser.
///
/// # Errors
/// When the database is down: that is not "nobody".
pub fn accounts(cx: &Cx, browser: &Browser) -> Result<Accounts, OAuthError> {
    let tokens: Vec<&PlainToken> = browser.session.iter().chain(&browser.others).take(MAX_ACCOUNTS).collect();
    if tokens.is_empty() {
        return Ok(Accounts::default());
    }
    let hashes: Vec<_> = tokens.iter().map(|token| token.hash()).collect();
    let found = cx.store.read("find sessions", move |conn| {
        let one = |hash| {
            let Some(session) = sessions::by_token(conn, hash)? else { return Ok(None) };
            let user = users::find(conn, session.user_id)?;
            Ok(user.map(|user| SignedIn { session, user }))
        };
        hashes.iter().map(one).collect::<Result<Vec<_>, _>>()
    })?;
    let mut accounts = Accounts::default();
    for (at, (token, known)) in tokens.into_iter().zip(found).enumerate() {
        let Some(known) = known.filter(|known| is_alive(cx, known)) else { continue };
        let account = Account { token: token.clone(), known };
        if at == 0 && browser.session.is_some() {
            accounts.active = Some(account);
        } else {
            accounts.others.push(account);
        }
    }
    Ok(accounts)
}

fn is_alive(cx: &Cx, known: &SignedIn) -> bool {
    known.user.is_active() && known.session.is_alive(cx.now, cx.policy.session_idle)
}

/// The active account of this browser, if there is one.
///
/// # Errors
/// When the database is down: that is not "nobody".
pub fn signed_in(cx: &Cx, browser: &Browser) -> Result<Option<SignedIn>, OAuthError> {
    let active = Browser { others: Vec::new(), ..browser.clone() };
    Ok(accounts(cx, &active)?.active.map(|account| account.known))
}

/// Starts a session after a login and makes it the active one, or renews the one that this user has in this browser; the
/// cookie is new in either case, so that one planted before the login is worth nothing after it.
///
/// Nothing when the account was locked or its password changed since it was checked.
///
/// # Errors
/// When the database is down.
pub fn start_session(
    cx: &Cx,
    user: &User,
    here: Accounts,
    entry: &Entry,
) -> Result<Option<(SignedIn, Accounts)>, OAuthError> {
    let former = here.all().find(|known| known.user.id == user.id).map(|known| known.session.clone());
    let token = PlainToken::random(TokenKind::Session, &*cx.entropy)?;
    let fresh = fresh(cx, user, &token, entry, Id::random(&*cx.entropy)?);
    let renewed =
        former.map(|former| Session { id: former.id, started_at: former.started_at, ..fresh.clone() });
    let crowded: Vec<Id> = here
        .all()
        .filter(|known| known.user.id != user.id)
        .skip(MAX_ACCOUNTS - 1)
        .map(|known| known.session.id)
        .collect();
    let (now, checked_hash, too_many) = (cx.now, user.password_hash.clone(), crowded.clone());
    let started = cx.store.write("start a session", move |conn| {
        if !users::hold(conn, fresh.user_id, &checked_hash)? {
            return Ok(None);
        }
        for id in &too_many {
            session_end::end(conn, *id, Cause::Logout, now)?;
        }
        if let Some(renewed) = &renewed
            && sessions::renew(conn, renewed)?
        {
            return Ok(Some(renewed.clone()));
        }
        sessions::insert(conn, &fresh)?;
        Ok(Some(fresh.clone()))
    })?;
    let Some(session) = started else {
        tracing::info!(user = %user.id, "login refused: the account changed while its password was checked");
        return Ok(None);
    };
    tracing::info!(user = %user.id, session = %session.id, "signed in");
    let known = SignedIn { session, user: user.clone() };
    let others = here.active.into_iter().chain(here.others);
    let others = others
        .filter(|account| account.known.user.id != user.id && !crowded.contains(&account.known.session.id));
    let others = others.collect();
    Ok(Some((known.clone(), Accounts { active: Some(Account { token, known }), others })))
}

fn fresh(cx: &Cx, user: &User, token: &PlainToken, entry: &Entry, id: Id) -> Session {
    Session {
        id,
        token_hash: token.hash(),
        user_id: user.id,
        authenticated_at: cx.now,
        last_seen_at: cx.now,
        expires_at: cx.now + ttl(cx, entry.remember),
        ended_at: None,
        started_at: cx.now,
        remembered: entry.remember,
        browser: entry.user_agent.as_deref().and_then(browser_label),
    }
}

fn ttl(cx: &Cx, remembered: bool) -> Seconds {
    if remembered { cx.policy.remembered_ttl } else { cx.policy.session_ttl }
}

/// Writes down, about once a minute, that a session was used.
///
/// # Errors
/// When the database is down.
pub fn touch(cx: &Cx, known: &SignedIn) -> Result<(), OAuthError> {
    if known.session.is_stale(cx.now, cx.policy.session_idle) {
        let (id, now) = (known.session.id, cx.now);
        cx.store.write("touch a session", move |conn| sessions::touch(conn, id, now))?;
    }
    Ok(())
}
