//! The use cases, as plain synchronous functions. The only room that knows oxide-auth.
//!
//! `authorize` and `token` are the two endpoints of RFC 6749; `client_auth` says who the client is, `login` who the user
//! is (with `client_keys`, by which it may prove that); `sign_up` is how users come by themselves; `introspect` and `revoke` are what a client may ask about a token; `target` decides audience and scope; `mint` makes tokens, always after the commit; `recognise` says what one is;
//! `claims` and `subject` are what is told of a user, `userinfo` tells it; `registration` is how clients come by themselves;
//! `denials` are the tokens that were revoked one by one; `session_end` is the one way in which a session ends, and
//! `backchannel` tells clients of it.
//! `applications` is what users let clients do, and the end of that;
//! `accounts`, `registry`, `token_format`, `keys` and `declare` are what an operator does. `cx` is what each of them is
//! given: the instant, the database, the snapshot of clients and keys, the policy.

pub mod account;
pub mod accounts;
pub mod accounts_here;
pub mod api_tokens;
pub mod applications;
pub mod authorize;
pub mod backchannel;
pub mod claims;
pub mod client_auth;
pub mod client_keys;
pub mod cx;
pub mod declare;
pub mod denials;
mod faults;
pub mod introspect;
pub mod keys;
pub mod leaked;
pub mod login;
pub mod logout;
pub mod mint;
pub mod passwords;
pub mod recognise;
pub mod registration;
pub mod registry;
pub mod revoke;
pub mod session_end;
pub mod sign_up;
pub mod snapshot;
pub mod subject;
pub mod target;
pub mod token;
pub mod token_format;
pub mod userinfo;

pub use cx::{Cx, Policy, SignUpLimits};
pub use denials::Denials;
pub use snapshot::Snapshot;
