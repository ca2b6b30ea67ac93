//! What the login and consent pages carry: sealed, for one purpose, tied to one browser, and not for long.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::base::{Id, PlainToken};
use crate::flow::Cx;
use crate::flow::login::Browser;
use crate::jose::{OpenError, Purpose};
use crate::oauth::{ErrorCode, OAuthError};

use super::{ValidRequest, request};

/// What the login page carries.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LoginTicket {
    /// What waits for a login.
    pub to: Destination,
    /// What the page says above its form.
    pub notice: Option<LoginNotice>,
    /// The name that was typed before, so that nobody has to type it again.
    pub typed: Option<String>,
    /// Whether "stay signed in" is ticked.
    #[serde(default)]
    pub remember: bool,
}

/// What waits for a login.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Destination {
    /// A client's request.
    Client(Box<ValidRequest>),
    /// A page of this server.
    Own(OwnPage),
}

/// The pages of this server that want a login. Nothing that a request says ever becomes an address of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OwnPage {
    /// A user's API tokens.
    Tokens,
    /// The form that makes one.
    NewToken,
    /// A user's sessions.
    Sessions,
    /// The form that changes the password.
    Password,
    /// The applications that have access.
    Applications,
}

impl Destination {
    /// The client's request, where it is one that waits.
    #[must_use]
    pub fn request(&self) -> Option<&ValidRequest> {
        match self {
            Self::Client(request) => Some(request),
            Self::Own(_) => None,
        }
    }
}

/// Why the login page is shown (again).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LoginNotice {
    /// Unknown name or wrong password.
    Refused,
    /// Too many attempts.
    Throttled {
        /// Seconds to wait.
        wait_s: i64,
    },
    /// The server could not check.
    Unavailable,
    /// Somebody is signed in, but has to prove it again.
    Reauthenticate,
}

/// What the consent page carries: it counts for one session and one user, and once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ConsentTicket {
    pub(super) request: ValidRequest,
    pub(super) session_id: Id,
    pub(super) jti: Id,
}

/// Why a page's ticket is refused.
#[derive(Debug)]
pub enum TicketError {
    /// It lay open for too long.
    Expired,
    /// Another browser got it, or the cookie is gone.
    OtherBrowser,
    /// It was answered before.
    Used,
    /// It is not one of ours.
    Malformed,
    /// The server cannot answer.
    Failed(OAuthError),
}

impl<E: Into<OAuthError>> From<E> for TicketError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

#[derive(Serialize, Deserialize)]
struct Tied<T> {
    /// The hash of the browser's cookie.
    tie: String,
    what: T,
}

pub(in crate::flow) fn seal_login(
    cx: &Cx,
    ticket: &LoginTicket,
    tie: &PlainToken,
) -> Result<String, OAuthError> {
    seal(cx, Purpose::AuthorizationRequest, ticket, tie)
}

pub(super) fn seal_consent(cx: &Cx, ticket: &ConsentTicket, tie: &PlainToken) -> Result<String, OAuthError> {
    seal(cx, Purpose::ConsentTicket, ticket, tie)
}

/// Opens what a login page carried, if its client is still there: nobody is signed in for an application that is gone.
///
/// # Errors
/// See [`TicketError`].
pub fn open_login_ticket(cx: &Cx, sealed: &str, browser: &Browser) -> Result<LoginTicket, TicketError> {
    let ticket: LoginTicket = open(cx, Purpose::AuthorizationRequest, sealed, browser)?;
    if let Some(request) = ticket.to.request() {
        request::still_registered(cx, request)?;
    }
    Ok(ticket)
}

pub(super) fn open_consent(cx: &Cx, sealed: &str, browser: &Browser) -> Result<ConsentTicket, TicketError> {
    open(cx, Purpose::ConsentTicket, sealed, browser)
}

/// Seals anything for the browser that holds `tie`.
pub(in crate::flow) fn seal<T: Serialize>(
    cx: &Cx,
    purpose: Purpose,
    what: T,
    tie: &PlainToken,
) -> Result<String, OAuthError> {
    let fault = |why: String| OAuthError::new(ErrorCode::ServerError).because(why);
    let tied = Tied { tie: tie.hash().as_str().to_owned(), what };
    let bytes = serde_json::to_vec(&tied).map_err(|e| fault(format!("seal: {e}")))?;
    cx.sealer.seal(purpose, &bytes, cx.now).map_err(|e| fault(format!("seal: {e}")))
}

/// Opens what was sealed for this browser.
pub(in crate::flow) fn open<T: DeserializeOwned>(
    cx: &Cx,
    purpose: Purpose,
    sealed: &str,
    browser: &Browser,
) -> Result<T, TicketError> {
    let bytes =
        cx.sealer.open(purpose, sealed, Some(cx.policy.request_ttl), cx.now).map_err(|e| match e {
            OpenError::Expired => TicketError::Expired,
            _ => TicketError::Malformed,
        })?;
    let tied: Tied<T> = serde_json::from_slice(&bytes).map_err(|_| TicketError::Malformed)?;
    let same = browser.browser.as_ref().is_some_and(|token| token.hash().as_str() == tied.tie);
    if same { Ok(tied.what) } else { Err(TicketError::OtherBrowser) }
}
