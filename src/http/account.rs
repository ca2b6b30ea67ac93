//! A user's own pages: their sessions, the applications that have access, their password, their API tokens. Every POST that
//! does something ends in 303, so that a reload does it no second time.

pub(super) mod applications;
pub(super) mod password;
pub(super) mod sessions;
pub(super) mod tokens;

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::app::App;
use crate::base::PlainToken;
use crate::flow::account::Visit;
use crate::flow::authorize::OwnPage;
use crate::flow::login::Browser;
use crate::oauth::{OAuthError, Params};

use super::{authorize as authorize_endpoint, browser, errors, forms, headers, paths};

/// Where a page of ours is, below the issuer's path.
pub(super) fn path(page: OwnPage) -> &'static str {
    match page {
        OwnPage::Tokens => paths::ACCOUNT_TOKENS,
        OwnPage::NewToken => paths::NEW_TOKEN,
        OwnPage::Sessions => paths::ACCOUNT_SESSIONS,
        OwnPage::Password => paths::ACCOUNT_PASSWORD,
        OwnPage::Applications => paths::ACCOUNT_APPLICATIONS,
    }
}

/// The first of these pages.
pub(super) async fn home(app: Data<App>) -> HttpResponse {
    headers::redirect(&app, &format!("{}{}", app.site.base, paths::ACCOUNT_SESSIONS)).finish()
}

/// What a page is asked for with, and what ties its forms to the browser.
///
/// # Errors
/// The page that says what is wrong.
#[expect(clippy::result_large_err, reason = "the page is the answer, and moved once")]
fn opened(request: &HttpRequest, app: &App) -> Result<(Params, Browser, PlainToken), HttpResponse> {
    let known = browser::cookies(request, app);
    let params = browser::query(request).and_then(|params| Ok((params, browser::tie(&known, app)?)));
    let (params, tie) = params.map_err(|error| errors::oauth_page(request, app, None, &error))?;
    Ok((params, known, tie))
}

/// A posted form, after the checks of [`checked`].
///
/// # Errors
/// The page that says what is wrong.
async fn posted(
    request: &HttpRequest,
    payload: &mut Payload,
    app: &Data<App>,
    path: &str,
    otherwise: &str,
) -> Result<(Params, Browser, PlainToken), HttpResponse> {
    let read = forms::body(request, payload, &app.site).await;
    let pairs = read.map_err(|error| errors::body_page(request, app, &error))?;
    let params = Params::collect(pairs).map_err(|error| errors::oauth_page(request, app, None, &error))?;
    let (known, tie) = checked(request, app, &params, path, otherwise)?;
    Ok((params, known, tie))
}

/// What was found, or the login page, or what went wrong.
fn answer<T>(
    request: &HttpRequest,
    app: &App,
    tie: &PlainToken,
    visit: Result<Visit<T>, OAuthError>,
    show: impl FnOnce(T) -> HttpResponse,
) -> HttpResponse {
    match visit {
        Ok(Visit::In(seen)) => {
            let mut response = show(seen);
            browser::set_tie(&mut response, app, tie);
            response
        }
        Ok(Visit::First(next)) => authorize_endpoint::next(request, app, next, tie),
        Err(error) => errors::oauth_page(request, app, None, &error),
    }
}

/// These pages name a user, so their forms count only while the same login lasts: whoever signs in at this browser later has
/// not seen them.
fn form_of(known: &Browser, path: &str) -> String {
    let session = known.session.as_ref().map(PlainToken::hash);
    format!("{path} {}", session.as_ref().map_or("", |hash| hash.as_str()))
}

fn csrf(known: &Browser, tie: &PlainToken, path: &str) -> String {
    browser::csrf(tie, &form_of(known, path))
}

/// A session that ended takes its cookie along: whoever comes without one is led to `otherwise`, and asked to sign in there,
/// not told of an attack.
#[expect(clippy::result_large_err, reason = "the page is the answer, and moved once")]
fn checked(
    request: &HttpRequest,
    app: &App,
    params: &Params,
    path: &str,
    otherwise: &str,
) -> Result<(Browser, PlainToken), HttpResponse> {
    let known = browser::cookies(request, app);
    if known.session.is_none() && known.browser.is_some() {
        return Err(headers::redirect(app, &format!("{}{otherwise}", app.site.base)).finish());
    }
    browser::check_form(request, app, params, &form_of(&known, path))
}
