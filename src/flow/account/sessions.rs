//! The page of a user's sessions: which there are, where they were begun, what was used in them; and their end.

use crate::base::{Id, PlainToken};
use crate::domain::Session;
use crate::flow::Cx;
use crate::flow::authorize::OwnPage;
use crate::flow::login::{self, Browser, Held};
use crate::flow::session_end::{self, Cause};
use crate::oauth::{ClientId, ErrorCode, OAuthError};
use crate::store::{session_clients, sessions};

use super::{Visit, enter};

/// Sessions that are listed, those that were used last.
const MOST_LISTED: usize = 50;

/// What the page shows.
pub struct SessionsView {
    /// Who is signed in.
    pub username: String,
    /// The sessions that count, this one first.
    pub sessions: Vec<SessionView>,
}

/// A session in the list.
pub struct SessionView {
    /// The session.
    pub session: Session,
    /// Whether it is the one that looks at the page.
    pub is_this: bool,
    /// The names of the applications that got something in it.
    pub clients: Vec<String>,
}

/// Which sessions are to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// This one.
    One(Id),
    /// All but the one that asks.
    Others,
}

/// The list of a user's sessions.
///
/// # Errors
/// When the server cannot answer.
pub fn sessions(cx: &Cx, browser: &Browser, tie: &PlainToken) -> Result<Visit<SessionsView>, OAuthError> {
    let known = match enter(cx, browser, tie, OwnPage::Sessions, None)? {
        Visit::In(known) => known,
        Visit::First(next) => return Ok(Visit::First(next)),
    };
    let (user, this, now, idle) = (known.user.id, known.session.id, cx.now, cx.policy.session_idle);
    let found = cx.store.read("list sessions", move |conn| {
        let mut alive = sessions::of_user(conn, user, now)?;
        alive.retain(|session| session.is_alive(now, idle));
        alive.sort_by_key(|session| session.id != this);
        alive.truncate(MOST_LISTED);
        let with_clients = alive.into_iter().map(|session| {
            let clients = session_clients::of(conn, session.id)?;
            Ok((session, clients))
        });
        with_clients.collect::<Result<Vec<_>, _>>()
    })?;
    let named = |id: &ClientId| cx.snapshot.client(id.as_str()).map(|known| known.client.name.clone());
    let view = |(session, clients): (Session, Vec<ClientId>)| SessionView {
        is_this: session.id == this,
        clients: clients.iter().filter_map(named).collect(),
        session,
    };
    Ok(Visit::In(SessionsView {
        username: known.user.username.to_string(),
        sessions: found.into_iter().map(view).collect(),
    }))
}

/// Ends sessions of the user; what the browser is to hold then. One that is another user's, or ended before, is left as it
/// is.
///
/// # Errors
/// When the server cannot answer.
pub fn end_sessions(
    cx: &Cx,
    browser: &Browser,
    tie: &PlainToken,
    which: Which,
) -> Result<Visit<Held>, OAuthError> {
    let known = match enter(cx, browser, tie, OwnPage::Sessions, None)? {
        Visit::In(known) => known,
        Visit::First(next) => return Ok(Visit::First(next)),
    };
    let (user, this, now) = (known.user.id, known.session.id, cx.now);
    let ended = cx.store.write("end sessions", move |conn| match which {
        Which::Others => session_end::end_all_of_user(conn, user, Some(this), Cause::Logout, now),
        Which::One(id) => match sessions::find(conn, id)? {
            Some(session) if session.user_id == user => {
                Ok(session_end::end(conn, id, Cause::Logout, now)?.into_iter().collect())
            }
            _ => Ok(Vec::new()),
        },
    })?;
    let ended: Vec<Id> = ended.into_iter().map(|one| one.session).collect();
    Ok(Visit::In(login::accounts(cx, browser)?.without(&ended).held(cx)))
}

/// What the form says: the id of a session, or `others`.
///
/// # Errors
/// `invalid_request` for anything else.
pub fn which(text: &str) -> Result<Which, OAuthError> {
    match (text, text.parse()) {
        ("others", _) => Ok(Which::Others),
        (_, Ok(id)) => Ok(Which::One(id)),
        _ => {
            Err(OAuthError::new(ErrorCode::InvalidRequest).describe("end is the id of a session, or others"))
        }
    }
}
