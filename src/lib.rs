//! Countersign: a standalone OAuth 2 and OpenID Connect authorization server.

pub mod base;
pub mod domain;
pub mod jose;
pub mod oauth;
