//! What is dead, table by table: found on a reader, then deleted by key in transactions of so many rows and no more.
//!
//! A family goes from its leaves: first what hangs on the ended authorization, then the row itself, so that no cascade
//! takes more rows than were asked for.

use diesel::prelude::*;

use crate::base::{Seconds, Timestamp};
use crate::domain::authorization::REMEMBERED;

use super::schema::{
    api_tokens, authorizations, clients, codes, denied_tokens, initial_access_tokens, logout_deliveries,
    opaque_tokens, refresh_tokens, registrations, sessions, throttles, used_jtis,
};
use super::{Conn, StoreError, revision};

/// How long a refresh token that has expired is kept: longer than any grace within which a used one gets its successor again.
const KEEP_REFRESH_TOKENS: Seconds = Seconds(300);
/// How long an API token that has expired or was revoked is still listed.
const KEEP_API_TOKENS: Seconds = Seconds(30 * 86_400);
/// How long an initial access token that has expired is still listed.
const KEEP_INITIAL_TOKENS: Seconds = Seconds(30 * 86_400);
/// A use that was noted in memory in the last moment is written down by then.
const KEEP_UNUSED_CLIENTS: Seconds = Seconds(300);

/// A logout that could not be delivered is given up, and told of, by whoever would deliver it: this is for what is left.
const KEEP_DELIVERIES: Seconds = Seconds(3600);

/// Rows that may go, and the first and the last second in which they died.
#[derive(Debug)]
pub struct Batch {
    keys: Vec<String>,
    from: i64,
    until: i64,
}

impl Batch {
    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

type Find = fn(&mut Conn, (i64, i64), i64) -> Result<Vec<(String, i64)>, StoreError>;
type FindLeaves = fn(&mut Conn, &[String], i64) -> Result<Vec<String>, StoreError>;
type Delete = fn(&mut Conn, &Batch) -> Result<usize, StoreError>;
type Count = fn(&mut Conn, i64, i64) -> Result<Option<i64>, StoreError>;

/// One way to be dead.
pub struct Dead {
    /// The table.
    pub table: &'static str,
    /// What hangs on its rows and goes before them.
    pub leaves: &'static [Leaf],
    keep: Seconds,
    find: Find,
    delete: Delete,
    count: Count,
}

impl Dead {
    /// At most `most` dead rows, the oldest first; `after` is the batch before, where there was one. On PostgreSQL the
    /// index still leads over what was just deleted: whoever starts there again walks it all again.
    ///
    /// # Errors
    /// When the database fails.
    pub fn find(
        &self,
        conn: &mut Conn,
        now: Timestamp,
        after: Option<&Batch>,
        most: i64,
    ) -> Result<Batch, StoreError> {
        let from = after.map_or(i64::MIN, |batch| batch.until);
        let rows = (self.find)(conn, (from, (now - self.keep).0), most)?;
        let (from, until) = (rows.first().map_or(from, |row| row.1), rows.last().map_or(from, |row| row.1));
        Ok(Batch { keys: rows.into_iter().map(|row| row.0).collect(), from, until })
    }

    /// Deletes the rows of a batch that are still dead.
    ///
    /// # Errors
    /// When the database fails.
    pub fn delete(&self, conn: &mut Conn, batch: &Batch) -> Result<usize, StoreError> {
        (self.delete)(conn, batch)
    }

    /// How many are dead; `None` when that is more than `most`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn count(&self, conn: &mut Conn, now: Timestamp, most: i64) -> Result<Option<i64>, StoreError> {
        (self.count)(conn, (now - self.keep).0, most)
    }
}

/// Rows that hang on those of another table and die with them.
pub struct Leaf {
    find: FindLeaves,
    delete: Delete,
}

impl Leaf {
    /// At most `most` rows that hang on those of `batch`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn find(&self, conn: &mut Conn, batch: &Batch, most: i64) -> Result<Batch, StoreError> {
        let keys = (self.find)(conn, &batch.keys, most)?;
        Ok(Batch { keys, from: i64::MIN, until: i64::MAX })
    }

    /// Deletes the rows of a batch.
    ///
    /// # Errors
    /// When the database fails.
    pub fn delete(&self, conn: &mut Conn, batch: &Batch) -> Result<usize, StoreError> {
        (self.delete)(conn, batch)
    }
}

/// Deletes the keys of a batch, where `$also` still holds. On PostgreSQL several nodes may sweep while others work: a row
/// that somebody holds is left for the next round, so that a sweep waits for nobody and has no part in a deadlock.
macro_rules! delete {
    ($table:ident.$key:ident $(, $also:expr)*) => {
        |conn, batch| {
            let keys = match conn {
                Conn::Sqlite(_) => batch.keys.clone(),
                Conn::Postgres(conn) => $table::table
                    .filter($table::$key.eq_any(&batch.keys))
                    $(.filter($also(batch)))*
                    .select($table::$key)
                    .for_update()
                    .skip_locked()
                    .load(conn)?,
            };
            let these = $table::table.filter($table::$key.eq_any(keys))$(.filter($also(batch)))*;
            Ok(diesel::delete(these).execute(conn)?)
        }
    };
}

/// Rows of `$table` are dead when `$keep` has passed since `$date`, if `$only` holds. Of those that were found, the ones
/// for which `$still` holds are deleted: others may have changed since.
macro_rules! dead {
    ($table:ident.$key:ident, $keep:expr, since $date:expr, only [$($only:expr),*], still [$($still:expr),*], $leaves:expr) => {
        Dead {
            table: stringify!($table),
            leaves: $leaves,
            keep: $keep,
            find: |conn, (from, until), most| {
                let dead = $table::table.filter($date.le(until))$(.filter($only(until)))*;
                let rows = dead.filter($date.ge(from)).order($date).limit(most).select(($table::$key, $date));
                Ok(rows.load(conn)?)
            },
            delete: delete!($table.$key $(, $still)*),
            count: |conn, until, most| {
                let dead = $table::table.filter($date.le(until))$(.filter($only(until)))*;
                let one_more = dead.order($date).offset(most).limit(1).select($table::$key);
                if one_more.first::<String>(conn).optional()?.is_some() {
                    return Ok(None);
                }
                Ok(Some(dead.count().get_result(conn)?))
            },
        }
    };
}

/// Rows of `$table` that hang on an authorization.
macro_rules! leaf {
    ($table:ident.$key:ident) => {
        Leaf {
            find: |conn, authorizations, most| {
                let rows = $table::table.filter($table::authorization_id.eq_any(authorizations));
                Ok(rows.limit(most).select($table::$key).load(conn)?)
            },
            delete: delete!($table.$key),
        }
    };
}

/// In this order: what has leaves comes when most of them are gone.
pub static DEAD: [Dead; 13] = [
    // Whoever fails again after the end of the window begins a new one in the same row.
    dead!(throttles.key, Seconds(0), since throttles::expires_at, only [],
        still [|batch: &Batch| throttles::expires_at.le(batch.until)], &[]),
    // The jti is one half of the key: a living one of another purpose may be called the same.
    dead!(used_jtis.jti, Seconds(0), since used_jtis::expires_at, only [],
        still [|batch: &Batch| used_jtis::expires_at.between(batch.from, batch.until)], &[]),
    dead!(denied_tokens.jti, Seconds(0), since denied_tokens::expires_at, only [], still [], &[]),
    dead!(logout_deliveries.id, KEEP_DELIVERIES, since logout_deliveries::expires_at, only [], still [], &[]),
    dead!(sessions.id, Seconds(0), since sessions::expires_at, only [],
        still [|batch: &Batch| sessions::expires_at.le(batch.until)], &[]),
    dead!(opaque_tokens.id, Seconds(0), since opaque_tokens::expires_at, only [], still [], &[]),
    dead!(api_tokens.id, KEEP_API_TOKENS, since api_tokens::expires_at, only [], still [], &[]),
    dead!(api_tokens.id, KEEP_API_TOKENS, since api_tokens::revoked_at.assume_not_null(),
        only [|until: i64| api_tokens::expires_at.gt(until)], still [], &[]),
    // A redeemed code stays as long as its family: its replay must be known.
    dead!(codes.hash, Seconds(0), since codes::expires_at, only [|_| codes::redeemed_at.is_null()],
        still [|_: &Batch| codes::redeemed_at.is_null()], &[]),
    // Used ones too stay until their own end: until then their reuse must be known.
    dead!(refresh_tokens.hash, KEEP_REFRESH_TOKENS, since refresh_tokens::expires_at, only [], still [], &[]),
    dead!(authorizations.id, REMEMBERED, since authorizations::expires_at, only [], still [],
        &[leaf!(opaque_tokens.id), leaf!(codes.hash)]),
    dead!(initial_access_tokens.id, KEEP_INITIAL_TOKENS, since initial_access_tokens::expires_at, only [],
        still [], &[]),
    // A client that registered itself and was never used. Nothing hangs on it but its registration and a secret or two.
    Dead {
        delete: delete_unused_clients,
        ..dead!(registrations.client_id, KEEP_UNUSED_CLIENTS, since registrations::unused_until.assume_not_null(),
            only [], still [], &[])
    },
];

/// Deletes the clients of a batch that are still unused: a use may have been written down meanwhile, or a user may have
/// agreed to one this very second. That one was used, and is told so.
fn delete_unused_clients(conn: &mut Conn, batch: &Batch) -> Result<usize, StoreError> {
    // Clients change under this row, here as everywhere.
    revision::lock(conn)?;
    let unused: Vec<String> = registrations::table
        .filter(registrations::client_id.eq_any(&batch.keys))
        .filter(registrations::unused_until.le(batch.until))
        .select(registrations::client_id)
        .load(conn)?;
    let used: Vec<String> = authorizations::table
        .filter(authorizations::client_id.eq_any(&unused))
        .select(authorizations::client_id)
        .distinct()
        .load(conn)?;
    diesel::update(registrations::table.filter(registrations::client_id.eq_any(&used)))
        .set(registrations::unused_until.eq(None::<i64>))
        .execute(conn)?;
    let these = clients::table.filter(clients::id.eq_any(&unused)).filter(clients::id.ne_all(&used));
    let deleted = diesel::delete(these).execute(conn)?;
    if deleted > 0 {
        revision::bump(conn)?;
    }
    Ok(deleted)
}
