//! The end of a session, however it comes: every way leads through `end` (OpenID Connect Core 1.0 §11, OpenID Connect
//! Back-Channel Logout 1.0 §2.7).
//!
//! ```text
//! logout · ended on the account page · one account too many in a browser ─┐
//! locked · password changed · account deleted · cookie leaked ────────────┴─► session row ─► what was given in it
//! ```
//!
//! A session that just runs out ends nothing: what hangs on it has dates of its own.

use super::backchannel;
use crate::base::{Id, Timestamp};
use crate::domain::RevocationReason;
use crate::oauth::ClientId;
use crate::store::authorizations::InSession;
use crate::store::{Conn, StoreError, authorizations, session_clients, sessions};

/// Why a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Its user signed out, here or from another browser, or has too many accounts in one.
    Logout,
    /// Its user changed the password.
    PasswordChanged,
    /// An operator locked or deleted the account, set its password or ended the session.
    Operator,
    /// Its cookie was found where everybody can read it.
    Leaked,
}

impl Cause {
    fn reason(self) -> RevocationReason {
        match self {
            Self::Logout => RevocationReason::Logout,
            Self::PasswordChanged => RevocationReason::PasswordChanged,
            Self::Operator => RevocationReason::Operator,
            Self::Leaked => RevocationReason::Leaked,
        }
    }

    /// Back-Channel Logout §2.7: "Refresh tokens issued without the offline_access property to a session being logged out
    /// SHOULD be revoked. Refresh tokens issued with the offline_access property normally SHOULD NOT be revoked." Whatever
    /// takes the account's power away is not a logout.
    fn spares(self, given: &InSession) -> bool {
        self == Self::Logout && given.outlives_session
    }
}

/// A session that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Which one.
    pub session: Id,
    /// Whose.
    pub user: Id,
    /// The clients that were given something in it, each once.
    pub clients: Vec<ClientId>,
}

/// Ends a session within the caller's transaction, and revokes what was given in it. Nothing when it had ended before:
/// whoever ended it did the rest.
///
/// # Errors
/// When the database fails.
pub(in crate::flow) fn end(
    conn: &mut Conn,
    session: Id,
    cause: Cause,
    now: Timestamp,
) -> Result<Option<Ended>, StoreError> {
    // First: whatever is being given in it at this moment waits for the row, or is revoked with the rest.
    if !sessions::end(conn, session, now)? {
        return Ok(None);
    }
    let Some(known) = sessions::find(conn, session)? else { return Ok(None) };
    let given = authorizations::in_session(conn, session)?;
    let revoked: Vec<Id> =
        given.iter().filter(|one| !one.is_revoked && !cause.spares(one)).map(|one| one.id).collect();
    authorizations::revoke_all(conn, &revoked, now, cause.reason())?;
    let clients = session_clients::of(conn, session)?;
    let ended = Ended { session, user: known.user_id, clients };
    backchannel::enqueue(conn, session, known.user_id, now)?;
    tracing::info!(%session, user = %ended.user, ?cause, "session ended");
    Ok(Some(ended))
}

/// Ends all sessions of a user but one.
///
/// # Errors
/// When the database fails.
pub(in crate::flow) fn end_all_of_user(
    conn: &mut Conn,
    user: Id,
    but: Option<Id>,
    cause: Cause,
    now: Timestamp,
) -> Result<Vec<Ended>, StoreError> {
    let mut all = Vec::new();
    for session in sessions::of_user(conn, user, now)? {
        if Some(session.id) != but {
            all.extend(end(conn, session.id, cause, now)?);
        }
    }
    Ok(all)
}
