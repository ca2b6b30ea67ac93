//! What the introspection endpoint says of a token (RFC 7662 §2.2), and how it is wrapped when it is signed (RFC 9701 §5).

use serde::Serialize;
use serde_json::{Map, Value};

use super::Actor;

/// The media type of a signed answer (RFC 9701 §4).
pub const SIGNED: &str = "application/token-introspection+jwt";

/// What is said of a token. RFC 7662 §2.2: of one that is not active, "the authorization server SHOULD NOT include any
/// additional information", and RFC 9701 §5 makes that a MUST NOT: the default is all that there is to it then.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Introspection {
    /// Whether it lives and is meant for the one who asks.
    pub active: bool,
    /// What it allows, parted by blanks.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// The client that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The name that its user signs in with, where the scope `profile` was granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// How an access token is used; a refresh token is none of RFC 6749 §5.1, and has no such type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<&'static str>,
    /// From when on it is dead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    /// When it was issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    /// The user's id; the client's where it acts for itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// The resource server that it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud: Option<String>,
    /// The issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// Names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// When the user proved who they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// What kind of proof that was (RFC 9470 §6.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// By which means (RFC 8176).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// The user's roles, where the resource server asks for them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// Who acts for the subject (RFC 8693 §4.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<Actor>,
    /// What the resource server wants told beyond that.
    #[serde(flatten)]
    pub custom: Map<String, Value>,
}

/// The claims of a signed answer. RFC 9701 §5: it "SHOULD NOT include the "sub" and "exp" claims as an additional measure
/// to prevent misuse of the JWT as an access token": there is no place for either here.
#[derive(Debug, Serialize)]
pub struct SignedIntrospection<'a> {
    /// The issuer.
    pub iss: &'a str,
    /// The client that asked.
    pub aud: &'a str,
    /// When it was answered.
    pub iat: i64,
    /// The answer.
    pub token_introspection: &'a Introspection,
}
