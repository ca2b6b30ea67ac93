//! Which access tokens this API takes: RFC 9068 §4, step by step.

use std::fmt;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde::Deserialize;

use crate::jwks::{KeyStore, Missing};

/// The algorithms are OUR choice, never the token's. No HS256: with it anybody who holds a public key could sign.
pub(crate) const ALLOWED_ALGORITHMS: [Algorithm; 5] =
    [Algorithm::ES256, Algorithm::RS256, Algorithm::PS256, Algorithm::ES384, Algorithm::EdDSA];

/// How far this machine's clock and the issuer's may differ.
const LEEWAY_S: u64 = 30;

/// What the API needs to know of a token that was verified. RFC 9068 §2.2 demands all that is not an `Option` here.
#[derive(Debug, Deserialize)]
pub(crate) struct AccessToken {
    /// The user; for a token without a user, the client. Never take it for a user without looking at the grant:
    /// RFC 9068 §5. With this issuer a user is always a UUID.
    pub(crate) sub: String,
    /// The client that acts.
    pub(crate) client_id: String,
    /// Space-separated. What the *client* may do; what the *user* may do is in the roles.
    #[serde(default)]
    pub(crate) scope: String,
    #[serde(default)]
    pub(crate) roles: Vec<String>,
    // A list as issuer is against RFC 7519 §4.1.1, but the library would take it; the type here does not.
    #[serde(rename = "iss")]
    _iss: String,
    #[serde(rename = "jti")]
    _jti: String,
    iat: u64,
}

impl AccessToken {
    /// Compares whole words: `notes:read` must not be found in `notes:readonly`.
    pub(crate) fn has_scope(&self, wanted: &str) -> bool {
        self.scope.split(' ').any(|scope| scope == wanted)
    }
}

/// Why a token was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Not three parts, no JSON in the header, or an algorithm that nobody here knows (`none` is one of them).
    Header,
    /// A header parameter that must be understood and is not.
    Critical,
    /// Not an access token: an ID token, say.
    Type,
    /// A known algorithm that is not on our list.
    Algorithm,
    /// No `kid`.
    NoKeyId,
    /// The issuer does not publish that key for that algorithm.
    UnknownKey,
    /// The issuer could not be asked. The one refusal that is not the token's fault.
    KeysUnavailable(String),
    Signature,
    Issuer,
    Audience,
    Expired,
    NotYetValid,
    /// A claim is missing or of the wrong type.
    Claims,
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Header => "the token is not a JWT signed with a supported algorithm",
            Self::Critical => "the token's header has critical parameters that are not supported",
            Self::Type => "the token is not an access token: its typ must be at+jwt",
            Self::Algorithm => "the token's algorithm is not allowed here",
            Self::NoKeyId => "the token does not say which key signed it (kid)",
            Self::UnknownKey => "the issuer publishes no such key for this algorithm",
            Self::KeysUnavailable(_) => "the issuer's keys could not be read; try again",
            Self::Signature => "the token's signature is wrong",
            Self::Issuer => "the token comes from another issuer",
            Self::Audience => "the token is meant for another audience",
            Self::Expired => "the token has expired",
            Self::NotYetValid => "the token is not valid yet",
            Self::Claims => "the token lacks a claim that RFC 9068 demands, or has one of the wrong type",
        })
    }
}

/// Verifies tokens of one issuer, for one audience.
pub(crate) struct Verifier {
    issuer: String,
    audience: String,
    keys: KeyStore,
}

impl Verifier {
    pub(crate) fn new(issuer: String, audience: String, keys: KeyStore) -> Self {
        Self { issuer, audience, keys }
    }

    /// The checks of RFC 9068 §4. May ask the issuer for its keys, so it blocks.
    pub(crate) fn verify(&self, token: &str) -> Result<AccessToken, Refusal> {
        let header = decode_header(token).map_err(|_| Refusal::Header)?;

        // RFC 7515 §4.1.11: extensions that are not understood make the token invalid. We understand none.
        if header.crit.is_some() {
            return Err(Refusal::Critical);
        }
        // RFC 9068 §4: "The resource server MUST verify that the "typ" header value is "at+jwt" or
        // "application/at+jwt" and reject tokens carrying any other value." It keeps ID tokens out.
        let typ = header.typ.as_deref().unwrap_or_default();
        if !["at+jwt", "application/at+jwt"].iter().any(|allowed| typ.eq_ignore_ascii_case(allowed)) {
            return Err(Refusal::Type);
        }
        if !ALLOWED_ALGORITHMS.contains(&header.alg) {
            return Err(Refusal::Algorithm);
        }
        // The key comes from the issuer's key set by its `kid`, never from the token (`jwk`, `jku`, `x5u`).
        let kid = header.kid.as_deref().ok_or(Refusal::NoKeyId)?;
        let key = self.keys.find(kid, Instant::now()).map_err(|missing| match missing {
            Missing::Unknown => Refusal::UnknownKey,
            Missing::Unavailable(why) => Refusal::KeysUnavailable(why),
        })?;
        // RFC 8725 §3.1: each key is used with exactly the algorithms that it is for.
        if !key.algorithms.contains(&header.alg) {
            return Err(Refusal::UnknownKey);
        }

        let token = decode::<AccessToken>(token, &key.decoding, &self.validation(header.alg))
            .map_err(|error| Refusal::from(error.kind()))?
            .claims;

        // A token from the future is a clock that is wrong, here or there. The library does not look at `iat`.
        if token.iat > now_s() + LEEWAY_S {
            return Err(Refusal::NotYetValid);
        }
        Ok(token)
    }

    /// What the library checks. Its defaults are NOT enough: without `required_spec_claims` a token that has no `aud`
    /// or no `iss` would pass, and `nbf` would not be looked at.
    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY_S;
        validation
    }
}

impl From<&ErrorKind> for Refusal {
    fn from(kind: &ErrorKind) -> Self {
        match kind {
            ErrorKind::InvalidIssuer => Self::Issuer,
            ErrorKind::InvalidAudience => Self::Audience,
            ErrorKind::ExpiredSignature => Self::Expired,
            ErrorKind::ImmatureSignature => Self::NotYetValid,
            ErrorKind::MissingRequiredClaim(_) | ErrorKind::InvalidClaimFormat(_) | ErrorKind::Json(_) => {
                Self::Claims
            }
            // Whatever else goes wrong goes wrong on the way to the claims.
            _ => Self::Signature,
        }
    }
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests;
