//! The page of the applications that have access to a user's account (OpenID Connect Core 1.0 §11: some of them while the
//! user is away), and the end of that access.

use crate::base::{PlainToken, Timestamp};
use crate::domain::authorization::Access;
use crate::domain::{Client, RevocationReason};
use crate::flow::Cx;
use crate::flow::applications::{self as of_users, Application};
use crate::flow::authorize::OwnPage;
use crate::flow::login::{Browser, SignedIn};
use crate::oauth::{ClientId, OAuthError};

use super::{Visit, enter};

/// Applications that are listed, those that have the most.
const MOST_LISTED: usize = 100;

/// What the page shows.
pub struct ApplicationsView {
    /// Who is signed in.
    pub username: String,
    /// The applications, those that have the most first.
    pub applications: Vec<ApplicationView>,
}

/// An application in the list.
pub struct ApplicationView {
    /// The client.
    pub client: Client,
    /// Whether it registered itself, and nobody let it in.
    pub unchecked: bool,
    /// The identity scopes that it was allowed.
    pub identity_scopes: Vec<String>,
    /// Per resource server its name and the descriptions of the scopes that it was allowed.
    pub resources: Vec<(String, Vec<String>)>,
    /// Since when.
    pub since: Timestamp,
    /// How far its access reaches.
    pub access: Access,
}

/// The list of the applications that have access.
///
/// # Errors
/// When the server cannot answer.
pub fn applications(
    cx: &Cx,
    browser: &Browser,
    tie: &PlainToken,
) -> Result<Visit<ApplicationsView>, OAuthError> {
    let known = match enter(cx, browser, tie, OwnPage::Applications, None)? {
        Visit::In(known) => known,
        Visit::First(next) => return Ok(Visit::First(next)),
    };
    let found = all(cx, &known)?;
    Ok(Visit::In(ApplicationsView {
        username: known.user.username.to_string(),
        applications: found.into_iter().take(MOST_LISTED).map(|one| view(cx, one)).collect(),
    }))
}

/// The application that a user is asked about before its access is withdrawn, with who is signed in; none when it has no
/// access.
///
/// # Errors
/// When the server cannot answer.
pub fn application(
    cx: &Cx,
    browser: &Browser,
    tie: &PlainToken,
    id: &str,
) -> Result<Visit<(String, Option<Client>)>, OAuthError> {
    match enter(cx, browser, tie, OwnPage::Applications, None)? {
        Visit::In(known) => {
            let found = all(cx, &known)?.into_iter().find(|one| one.client.id.as_str() == id);
            Ok(Visit::In((known.user.username.to_string(), found.map(|one| one.client))))
        }
        Visit::First(next) => Ok(Visit::First(next)),
    }
}

/// Withdraws the access of an application. Where it has none, nothing happens.
///
/// # Errors
/// When the server cannot answer.
pub fn withdraw(cx: &Cx, browser: &Browser, tie: &PlainToken, id: &str) -> Result<Visit<()>, OAuthError> {
    let known = match enter(cx, browser, tie, OwnPage::Applications, None)? {
        Visit::In(known) => known,
        Visit::First(next) => return Ok(Visit::First(next)),
    };
    // A text that is no client's id names none.
    if let Ok(client) = id.parse::<ClientId>() {
        of_users::withdraw(&cx.store, known.user.id, &client, RevocationReason::Withdrawn, cx.now)?;
    }
    Ok(Visit::In(()))
}

fn all(cx: &Cx, known: &SignedIn) -> Result<Vec<Application>, OAuthError> {
    let (user, idle, now) = (known.user.id, cx.policy.session_idle, cx.now);
    Ok(cx.store.read("list applications", move |conn| of_users::of_user(conn, user, idle, now))?)
}

fn view(cx: &Cx, application: Application) -> ApplicationView {
    let servers = cx.snapshot.resource_servers();
    let may = servers.map(|server| (server.name.clone(), server.words(&application.scope_at(server))));
    ApplicationView {
        unchecked: cx.snapshot.registered(&application.client.id) == Some(false),
        identity_scopes: application.identity_scope().iter().map(ToString::to_string).collect(),
        resources: may.filter(|(_, words)| !words.is_empty()).collect(),
        since: application.since,
        access: application.access,
        client: application.client,
    }
}
