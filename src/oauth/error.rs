//! The error codes of OAuth 2 and OpenID Connect, each with its one status and its default text.
//!
//! RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1, RFC 7009 §2.2.1, RFC 8707 §2, OpenID Connect Core 1.0 §3.1.2.6,
//! OpenID Connect Core Unmet Authentication Requirements 1.0.

use std::borrow::Cow;
use std::fmt;

/// An `error` value of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// RFC 6749 §5.2: a parameter is missing, repeated, unsupported or otherwise malformed.
    InvalidRequest,
    /// RFC 6749 §5.2: client authentication failed.
    InvalidClient,
    /// RFC 6749 §5.2: the code or refresh token is invalid, expired, revoked, or was given to another client.
    InvalidGrant,
    /// RFC 6749 §5.2: this client may not use this grant type.
    UnauthorizedClient,
    /// RFC 6749 §5.2: the server does not know this grant type.
    UnsupportedGrantType,
    /// RFC 6749 §4.1.2.1: the server does not do this response type.
    UnsupportedResponseType,
    /// RFC 6749 §5.2: the scope is malformed, or exceeds what was granted.
    InvalidScope,
    /// RFC 8707 §2: the resource is malformed, unknown, or not for this client.
    InvalidTarget,
    /// RFC 6749 §4.1.2.1: the user or the server said no.
    AccessDenied,
    /// OpenID Connect Core §3.1.2.6: a login page would be needed, and `prompt=none` forbids it.
    LoginRequired,
    /// OpenID Connect Core §3.1.2.6: a consent page would be needed, and `prompt=none` forbids it.
    ConsentRequired,
    /// OpenID Connect Core Unmet Authentication Requirements 1.0 §2: no login here is of the kind that is essential.
    UnmetAuthenticationRequirements,
    /// OpenID Connect Core §3.1.2.6: several accounts are signed in and none is chosen, and `prompt=none` forbids to ask.
    AccountSelectionRequired,
    /// OpenID Connect Core §3.1.2.6: `request` is not supported.
    RequestNotSupported,
    /// OpenID Connect Core §3.1.2.6: `request_uri` is not supported.
    RequestUriNotSupported,
    /// OpenID Connect Core §3.1.2.6: `registration` is not supported.
    RegistrationNotSupported,
    /// RFC 7009 §2.2.1: the server does not revoke tokens of this type.
    UnsupportedTokenType,
    /// RFC 6750 §3.1: the access token is expired, revoked, malformed, or not ours.
    InvalidToken,
    /// RFC 6750 §3.1: the access token lacks a scope.
    InsufficientScope,
    /// RFC 6749 §4.1.2.1: something unexpected went wrong here.
    ServerError,
    /// RFC 6749 §4.1.2.1: try again later.
    TemporarilyUnavailable,
}

impl ErrorCode {
    /// The one table: wire value, status where the answer is not a redirect, default text.
    fn row(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::InvalidRequest => ("invalid_request", 400, "the request is malformed"),
            Self::InvalidClient => ("invalid_client", 401, "client authentication failed"),
            Self::InvalidGrant => ("invalid_grant", 400, "the grant is invalid, expired or revoked"),
            Self::UnauthorizedClient => {
                ("unauthorized_client", 400, "this client may not use this grant type")
            }
            Self::UnsupportedGrantType => {
                ("unsupported_grant_type", 400, "this server does not know the grant type")
            }
            Self::UnsupportedResponseType => {
                ("unsupported_response_type", 400, "this server does response_type=code only")
            }
            Self::InvalidScope => ("invalid_scope", 400, "the scope is malformed or not allowed"),
            Self::InvalidTarget => {
                ("invalid_target", 400, "the resource is unknown or not allowed for this client")
            }
            Self::AccessDenied => ("access_denied", 400, "the request was denied"),
            Self::LoginRequired => ("login_required", 400, "the user must sign in"),
            Self::ConsentRequired => ("consent_required", 400, "the user must agree"),
            Self::UnmetAuthenticationRequirements => {
                ("unmet_authentication_requirements", 400, "no login here is of the kind that is asked for")
            }
            Self::AccountSelectionRequired => {
                ("account_selection_required", 400, "the user must choose an account")
            }
            Self::RequestNotSupported => {
                ("request_not_supported", 400, "the request parameter is not supported")
            }
            Self::RequestUriNotSupported => {
                ("request_uri_not_supported", 400, "the request_uri parameter is not supported")
            }
            Self::RegistrationNotSupported => {
                ("registration_not_supported", 400, "the registration parameter is not supported")
            }
            Self::UnsupportedTokenType => {
                ("unsupported_token_type", 400, "tokens of this type cannot be revoked here")
            }
            Self::InvalidToken => ("invalid_token", 401, "the access token is not valid"),
            Self::InsufficientScope => ("insufficient_scope", 403, "the access token lacks a scope"),
            Self::ServerError => ("server_error", 500, "something went wrong in this server"),
            Self::TemporarilyUnavailable => {
                ("temporarily_unavailable", 503, "the server cannot answer now, try again later")
            }
        }
    }

    /// The value of `error`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The HTTP status where the error is answered directly.
    #[must_use]
    pub fn status(self) -> u16 {
        self.row().1
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refusal with its two texts: what the client may read, and what the operator reads in the log.
#[derive(Clone, Debug)]
pub struct OAuthError {
    /// The code, which fixes the status.
    pub code: ErrorCode,
    /// `error_description`.
    pub description: Cow<'static, str>,
    /// For the log under the request's id; never sent.
    pub operator: Cow<'static, str>,
    /// Seconds for `Retry-After`, where waiting helps.
    pub retry_after_s: Option<i64>,
}

impl OAuthError {
    /// An error with the default text of its code.
    #[must_use]
    pub fn new(code: ErrorCode) -> Self {
        Self {
            code,
            description: Cow::Borrowed(code.row().2),
            operator: Cow::Borrowed(""),
            retry_after_s: None,
        }
    }

    /// Says more to the client.
    #[must_use]
    pub fn describe(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.description = printable(text.into());
        self
    }

    /// Says more to the operator.
    #[must_use]
    pub fn because(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.operator = text.into();
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: i64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }
}

impl fmt::Display for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.description)
    }
}

impl From<ErrorCode> for OAuthError {
    fn from(code: ErrorCode) -> Self {
        Self::new(code)
    }
}

/// RFC 6749 §5.2: "Values for the "error_description" parameter MUST NOT include characters outside the set
/// %x20-21 / %x23-5B / %x5D-7E."
fn printable(text: Cow<'static, str>) -> Cow<'static, str> {
    let allowed = |c: char| matches!(c, ' '..='!' | '#'..='[' | ']'..='~');
    if text.chars().all(allowed) {
        return text;
    }
    text.chars()
        .map(|c| match c {
            c if allowed(c) => c,
            '"' | '\u{201c}' | '\u{201d}' => '\'',
            _ => '?',
        })
        .collect::<String>()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_keeps_to_the_characters_of_rfc_6749() {
        let error = OAuthError::new(ErrorCode::InvalidScope).describe("\"naïve\"\\\r\n");
        assert_eq!(error.description, "'na?ve'???");
    }

    /// RFC 6750 §3.1: a token that does not count "SHOULD" be answered with 401, one that lacks a scope with 403.
    #[test]
    fn a_bearer_token_that_does_not_count_is_another_thing_than_one_that_lacks_a_scope() {
        let told = |code: ErrorCode| (code.as_str(), code.status());
        assert_eq!(told(ErrorCode::InvalidToken), ("invalid_token", 401));
        assert_eq!(told(ErrorCode::InsufficientScope), ("insufficient_scope", 403));
    }
}
