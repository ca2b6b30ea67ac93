//! The only async code and the only actix imports: one file per endpoint, the routes in one list, the pages.
//!
//! Each endpoint reads its request, hands it to one blocking closure (or to none, where memory is enough), and renders the
//! answer. What an error looks like is decided in `errors` and nowhere else.

mod accept;
mod account;
mod assets;
mod authorize;
mod bearer;
mod browser;
mod choose;
mod client_request;
mod consent;
mod cors;
mod credentials;
mod discovery;
mod documents;
mod errors;
mod forms;
mod headers;
mod health;
mod introspect;
mod jwks;
mod leaked;
mod login;
mod logout;
pub mod pages;
pub mod paths;
mod peer;
mod registration;
mod request_id;
mod revoke;
mod routes;
mod run;
mod server;
mod sign_up;
mod tls;
mod token;
mod userinfo;

pub use server::{Doors, Server, ServerError, serve};
pub use tls::{TlsError, check_files as check_tls_files};
