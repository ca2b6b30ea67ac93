//! An authorization code (RFC 6749 §4.1.2), bound to its client, redirect URI and challenge.

use crate::base::{HashedToken, Id, Timestamp};
use crate::oauth::{ClientId, CodeChallenge};

/// A code, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// The hash of the code.
    pub hash: HashedToken,
    /// The grant it stands for.
    pub authorization_id: Id,
    /// RFC 6749 §4.1.3: the only client that may redeem it.
    pub client_id: ClientId,
    /// Where it was sent.
    pub redirect_uri: String,
    /// Whether the authorization request named the redirect URI: then the token request must name it too.
    pub redirect_uri_given: bool,
    /// RFC 7636: what the verifier must hash to.
    pub challenge: Option<CodeChallenge>,
    /// RFC 6749 §4.1.2: "A maximum authorization code lifetime of 10 minutes is RECOMMENDED"; 60 s here.
    pub expires_at: Timestamp,
    /// When it was used.
    pub redeemed_at: Option<Timestamp>,
}
