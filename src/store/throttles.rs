//! The table `throttles`: an attempt is counted before the password is looked at, so that fifty at once count as fifty.

use diesel::prelude::*;

use crate::base::{Seconds, Timestamp};
use crate::domain::throttle::{Limit, ThrottleKey};

use super::schema::throttles as table;
use super::{Conn, StoreError};

/// A key that has all the attempts it may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Full {
    /// Which.
    pub key: ThrottleKey,
    /// How long until it has room again.
    pub wait: Seconds,
}

/// Counts one attempt on every key; the first that is full, if one is: then this attempt is not counted.
///
/// # Errors
/// When the database fails.
pub fn reserve(conn: &mut Conn, limits: &[Limit], now: Timestamp) -> Result<Option<Full>, StoreError> {
    for (at, limit) in limits.iter().enumerate() {
        if let Some(wait) = count(conn, limit, now)? {
            for counted in &limits[..at] {
                refund(conn, &counted.key)?;
            }
            return Ok(Some(Full { key: limit.key.clone(), wait }));
        }
    }
    Ok(None)
}

fn count(conn: &mut Conn, limit: &Limit, now: Timestamp) -> Result<Option<Seconds>, StoreError> {
    let this = table::table.filter(table::key.eq(limit.key.as_str()));
    let fits = diesel::update(
        this.filter(table::expires_at.gt(now.0)).filter(table::failures.lt(limit.max_failures)),
    )
    .set(table::failures.eq(table::failures + 1))
    .execute(conn)?;
    if fits == 1 {
        return Ok(None);
    }
    let window_end = now + limit.window;
    let anew = diesel::update(this.filter(table::expires_at.le(now.0)))
        .set((table::failures.eq(1), table::expires_at.eq(window_end.0)))
        .execute(conn)?;
    if anew == 1 {
        return Ok(None);
    }
    let there: Option<(i64, i64)> =
        this.select((table::failures, table::expires_at)).first(conn).optional()?;
    if let Some((failures, expires_at)) = there {
        // Between the statements another request may have begun the window: run again, and count on from its row.
        let is_full = failures >= limit.max_failures && expires_at > now.0;
        return if is_full { Ok(Some(Timestamp(expires_at) - now)) } else { Err(StoreError::Serialization) };
    }
    let inserted = diesel::insert_into(table::table)
        .values((
            table::key.eq(limit.key.as_str()),
            table::failures.eq(1),
            table::expires_at.eq(window_end.0),
        ))
        .execute(conn);
    match inserted.map_err(StoreError::from) {
        // Another request of the same key was first: run again, and count on from its row.
        Err(StoreError::Conflict) => Err(StoreError::Serialization),
        other => other.map(|_| None),
    }
}

/// How long until a key may be tried again, where it is full. Counts nothing, writes nothing.
///
/// # Errors
/// When the database fails.
pub fn wait(conn: &mut Conn, limit: &Limit, now: Timestamp) -> Result<Option<Seconds>, StoreError> {
    let until: Option<i64> = table::table
        .filter(table::key.eq(limit.key.as_str()))
        .filter(table::expires_at.gt(now.0))
        .filter(table::failures.ge(limit.max_failures))
        .select(table::expires_at)
        .first(conn)
        .optional()?;
    Ok(until.map(|until| Timestamp(until) - now))
}

/// Takes one attempt back: it turned out to be no failure.
///
/// # Errors
/// When the database fails.
pub fn refund(conn: &mut Conn, key: &ThrottleKey) -> Result<(), StoreError> {
    diesel::update(table::table.filter(table::key.eq(key.as_str())).filter(table::failures.gt(0)))
        .set(table::failures.eq(table::failures - 1))
        .execute(conn)?;
    Ok(())
}

/// Forgets all attempts on a key.
///
/// # Errors
/// When the database fails.
pub fn reset(conn: &mut Conn, key: &ThrottleKey) -> Result<(), StoreError> {
    diesel::delete(table::table.filter(table::key.eq(key.as_str()))).execute(conn)?;
    Ok(())
}
