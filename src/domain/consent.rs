//! What a user allowed a client, remembered so that they are not asked twice.

use crate::base::{Id, Timestamp};
use crate::oauth::{ClientId, Scope};

/// A remembered consent: the scope of one user, one client and one resource server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// The user.
    pub user_id: Id,
    /// The client.
    pub client_id: ClientId,
    /// The resource server; empty for the identity scopes.
    pub resource: String,
    /// What was allowed.
    pub scope: Scope,
    /// When.
    pub granted_at: Timestamp,
}
