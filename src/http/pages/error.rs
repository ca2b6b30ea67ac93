//! The error page: what happened, what to do, and what the developer of the application wants to know.

use askama::Template;

use super::texts::Language;

/// Tells a person what went wrong where there is no application to tell it to.
#[derive(Template)]
#[template(path = "error.html")]
pub struct ErrorPage<'a> {
    /// The language to show it in.
    pub lang: Language,
    /// The path of the issuer: `""`, or `"/auth"`.
    pub base: &'a str,
    /// The name of the service, as people know it.
    pub service: &'a str,
    /// The status that the answer carries.
    pub status: u16,
    /// What happened, for the person.
    pub kind: ErrorKind,
    /// What happened, for programs: `invalid_request`.
    pub code: &'a str,
    /// What happened, for the developer of the application, in English. Nothing that only the operator may know.
    pub detail: &'a str,
    /// The request's id, under which the operator finds more in the log.
    pub request_id: &'a str,
}

/// What went wrong, as a person can understand it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request is malformed, or asks for what is not supported.
    BadRequest,
    /// No client has this `client_id`.
    UnknownClient,
    /// The redirect URI is not registered for this client.
    RedirectUri,
    /// The page was open for so long that what it carries has expired.
    Expired,
    /// The page was opened in another browser, or the cookie did not come back.
    OtherBrowser,
    /// The step works once, and has been taken.
    AlreadyUsed,
    /// The database or another thing that the server needs cannot be reached.
    Unavailable,
    /// There is nothing at this address.
    NotFound,
    /// The address does not answer this method.
    MethodNotAllowed,
    /// The form came from another site, or without its CSRF token.
    Forbidden,
    /// The request is longer than the limit.
    TooLarge,
    /// A fault of the server.
    Internal,
}

impl ErrorPage<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn render(&self) -> String {
        super::html(self)
    }
}

impl ErrorKind {
    /// All kinds.
    pub const ALL: [Self; 12] = [
        Self::BadRequest,
        Self::UnknownClient,
        Self::RedirectUri,
        Self::Expired,
        Self::OtherBrowser,
        Self::AlreadyUsed,
        Self::Unavailable,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Forbidden,
        Self::TooLarge,
        Self::Internal,
    ];

    /// The key of the text that says what happened.
    const fn title_key(self) -> &'static str {
        match self {
            Self::BadRequest => "error-bad-request-title",
            Self::UnknownClient => "error-unknown-client-title",
            Self::RedirectUri => "error-redirect-uri-title",
            Self::Expired => "error-expired-title",
            Self::OtherBrowser => "error-other-browser-title",
            Self::AlreadyUsed => "error-already-used-title",
            Self::Unavailable => "error-unavailable-title",
            Self::NotFound => "error-not-found-title",
            Self::MethodNotAllowed => "error-method-title",
            Self::Forbidden => "error-forbidden-title",
            Self::TooLarge => "error-too-large-title",
            Self::Internal => "error-internal-title",
        }
    }

    /// The key of the text that says what it means.
    const fn text_key(self) -> &'static str {
        match self {
            Self::BadRequest => "error-bad-request-text",
            Self::UnknownClient => "error-unknown-client-text",
            Self::RedirectUri => "error-redirect-uri-text",
            Self::Expired => "error-expired-text",
            Self::OtherBrowser => "error-other-browser-text",
            Self::AlreadyUsed => "error-already-used-text",
            Self::Unavailable => "error-unavailable-text",
            Self::NotFound => "error-not-found-text",
            Self::MethodNotAllowed => "error-method-text",
            Self::Forbidden => "error-forbidden-text",
            Self::TooLarge => "error-too-large-text",
            Self::Internal => "error-internal-text",
        }
    }

    /// The key of the text that says what to do.
    const fn help_key(self) -> &'static str {
        match self {
            Self::BadRequest => "error-bad-request-help",
            Self::UnknownClient => "error-unknown-client-help",
            Self::RedirectUri => "error-redirect-uri-help",
            Self::Expired => "error-expired-help",
            Self::OtherBrowser => "error-other-browser-help",
            Self::AlreadyUsed => "error-already-used-help",
            Self::Unavailable => "error-unavailable-help",
            Self::NotFound => "error-not-found-help",
            Self::MethodNotAllowed => "error-method-help",
            Self::Forbidden => "error-forbidden-help",
            Self::TooLarge => "error-too-large-help",
            Self::Internal => "error-internal-help",
        }
    }
}
