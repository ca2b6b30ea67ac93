//! Back-channel logout (OpenID Connect Back-Channel Logout 1.0): a client is told by this server itself that a session ended.
//!
//! ```text
//! a session ends ─► enqueue: a row for each client that wants to know, in the same transaction
//! every node, twice a second ─► due? ─► take a row (one node does) ─► logout token ─► POST ─┬─► told: the row goes
//!                                             ▲                                             ├─► refused: the row goes
//!                                             └──── later, twice as late each time ─────────┘   gone wrong: put off
//! ```

mod deliver;

pub use deliver::{Outcome, deliver_one, due};

use crate::base::{Id, Timestamp};
use crate::domain::LogoutDelivery;
use crate::store::{Conn, StoreError, logout_deliveries};

/// Writes down whom to tell that a session ended, within the transaction that ends it: the clients that were told in it who
/// the user is and that registered a `backchannel_logout_uri` (§2.2). The number of clients.
///
/// # Errors
/// When the database fails.
pub fn enqueue(conn: &mut Conn, session: Id, user: Id, now: Timestamp) -> Result<usize, StoreError> {
    let clients = logout_deliveries::clients_to_tell(conn, session)?;
    for client in &clients {
        logout_deliveries::insert(conn, &LogoutDelivery::new(client.clone(), session, user, now))?;
    }
    Ok(clients.len())
}
