//! Deletes what has expired, in batches small enough that nobody waits for them.

use diesel::prelude::*;

use crate::base::Timestamp;
use crate::domain::authorization::REMEMBERED;

use super::schema::{
    authorizations, codes, denied_tokens, opaque_tokens, refresh_tokens, sessions, throttles, used_jtis,
};
use super::{Conn, StoreError};

/// Deletes up to `batch_rows` rows of each table; the number deleted in all.
///
/// # Errors
/// When the database fails.
pub fn batch(conn: &mut Conn, now: Timestamp, batch_rows: i64) -> Result<usize, StoreError> {
    /// DELETE has no LIMIT in either dialect's common part: the keys are chosen first.
    macro_rules! expired {
        ($table:ident, $key:ident, $until:expr) => {{
            let keys: Vec<String> = $table::table
                .filter($table::expires_at.le($until))
                .order($table::expires_at)
                .limit(batch_rows)
                .select($table::$key)
                .load(conn)?;
            // The date again: a row may have been renewed since, and a key may not be the whole primary key.
            diesel::delete(
                $table::table.filter($table::$key.eq_any(keys)).filter($table::expires_at.le($until)),
            )
            .execute(conn)?
        }};
    }
    let mut deleted = 0;
    deleted += expired!(throttles, key, now.0);
    deleted += expired!(used_jtis, jti, now.0);
    deleted += expired!(denied_tokens, jti, now.0);
    deleted += expired!(sessions, id, now.0);
    deleted += expired!(refresh_tokens, hash, now.0);
    deleted += expired!(opaque_tokens, id, now.0);
    // Takes its codes and refresh tokens with it. A redeemed code stays until then: its replay must be known.
    deleted += expired!(authorizations, id, (now - REMEMBERED).0);
    deleted += unredeemed_codes(conn, now, batch_rows)?;
    Ok(deleted)
}

fn unredeemed_codes(conn: &mut Conn, now: Timestamp, batch_rows: i64) -> Result<usize, StoreError> {
    let hashes: Vec<String> = codes::table
        .filter(codes::expires_at.le(now.0))
        .filter(codes::redeemed_at.is_null())
        .order(codes::expires_at)
        .limit(batch_rows)
        .select(codes::hash)
        .load(conn)?;
    let dead = codes::table.filter(codes::hash.eq_any(hashes)).filter(codes::redeemed_at.is_null());
    Ok(diesel::delete(dead).execute(conn)?)
}
