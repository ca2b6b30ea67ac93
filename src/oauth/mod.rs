//! What is said on the wire: types and rules, without I/O and without a clock. One file per word or per spec.

pub mod access_token;
pub mod algorithm;
pub mod assertion_algorithm;
pub mod auth_method;
pub mod challenge;
pub mod client_id;
pub mod error;
pub mod grant_type;
pub mod introspection;
pub mod limits;
pub mod origin;
pub mod params;
pub mod prompt;
pub mod redirect_uri;
pub mod resource;
pub mod response_mode;
pub mod scope;
pub mod token_response;

pub use access_token::{AccessTokenClaims, Actor};
pub use assertion_algorithm::AssertionAlgorithm;
pub use auth_method::AuthMethod;
pub use challenge::{CodeChallenge, CodeVerifier};
pub use client_id::ClientId;
pub use error::{ErrorCode, OAuthError};
pub use grant_type::GrantType;
pub use origin::Origin;
pub use params::Params;
pub use prompt::Prompt;
pub use redirect_uri::RedirectUri;
pub use resource::Resource;
pub use response_mode::ResponseMode;
pub use scope::{Scope, ScopeToken};
