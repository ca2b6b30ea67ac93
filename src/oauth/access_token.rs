//! What an access token says: the claims of RFC 9068 §2.2 and §2.2.1, with `act` of RFC 8693 §4.1, and such as an operator
//! names for a resource server.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The claims of an access token, whatever its format. The order is fixed, so that tokens are easy to read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTokenClaims<'a> {
    /// The issuer.
    pub iss: Cow<'a, str>,
    /// The user's id; the client's where it acts for itself.
    pub sub: Cow<'a, str>,
    /// The one resource server that it is for.
    pub aud: Cow<'a, str>,
    /// From when on it is dead.
    pub exp: i64,
    /// When it was issued.
    pub iat: i64,
    /// Names it; that of a user's token begins with its authorization's id and a dot.
    pub jti: Cow<'a, str>,
    /// The client that it was issued to; empty, and then left out (RFC 7662 §2.2 has it OPTIONAL), for what a user made
    /// without one. No client has an empty id.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub client_id: Cow<'a, str>,
    /// What it allows, parted by blanks.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub scope: Cow<'a, str>,
    /// When the user proved who they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// What kind of proof that was (RFC 9068 §2.2.1, RFC 9470 §6.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<Cow<'a, str>>,
    /// By which means (RFC 8176).
    #[serde(default, skip_serializing_if = "<[String]>::is_empty")]
    pub amr: Cow<'a, [String]>,
    /// The user's roles, where the resource server asks for them.
    #[serde(default, skip_serializing_if = "<[String]>::is_empty")]
    pub roles: Cow<'a, [String]>,
    /// Who acts for the subject, where it was exchanged for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Actor>,
    /// What the resource server wants told beyond that, by names of its operator's.
    #[serde(flatten)]
    pub custom: Map<String, Value>,
}

impl AccessTokenClaims<'_> {
    /// What leads its `jti`: the id of the authorization that all tokens of one grant share.
    #[must_use]
    pub fn family(&self) -> Option<&str> {
        self.jti.split_once('.').map(|(family, _)| family)
    }

    /// The same, on its own.
    #[must_use]
    pub fn into_owned(self) -> AccessTokenClaims<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        AccessTokenClaims {
            iss: owned(self.iss),
            sub: owned(self.sub),
            aud: owned(self.aud),
            exp: self.exp,
            iat: self.iat,
            jti: owned(self.jti),
            client_id: owned(self.client_id),
            scope: owned(self.scope),
            auth_time: self.auth_time,
            acr: self.acr.map(owned),
            amr: Cow::Owned(self.amr.into_owned()),
            roles: Cow::Owned(self.roles.into_owned()),
            act: self.act,
            custom: self.custom,
        }
    }
}

/// RFC 8693 §4.1: who acts, and before whom others acted, the last one outermost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The one who acts.
    pub sub: String,
    /// On whose behalf that one was acted for before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Box<Actor>>,
}
