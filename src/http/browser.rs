//! The browser's side of a request: its cookies, its forms, where a form was sent from.

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header::{self, HeaderName};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use subtle::ConstantTimeEq as _;

use crate::app::App;
use crate::base::encoding::{base64url, sha256};
use crate::base::{PlainToken, TokenKind};
use crate::flow::accounts_here::MAX_ACCOUNTS;
use crate::flow::authorize::TicketError;
use crate::flow::login::{Browser, Held};
use crate::flow::token::FromPage;
use crate::oauth::{ErrorCode, OAuthError, Params};

use super::pages::Done;
use super::pages::ErrorKind;
use super::{cors, errors, forms, headers, paths};

/// The cookies of this server.
#[derive(Clone, Copy)]
enum Name {
    /// The sessions, for as long as the browser runs.
    Session,
    /// Those whose users want to stay signed in, for longer.
    Kept,
    /// What ties forms to this browser.
    Browser,
}

/// RFC 6265bis §4.1.3.2: a `__Host-` cookie cannot be planted by a neighbouring host. On http loopback, where there is
/// no `Secure`, the plain name must do.
fn name(app: &App, which: Name) -> &'static str {
    match (app.site.secure, which) {
        (true, Name::Session) => "__Host-csgn_session",
        (true, Name::Kept) => "__Host-csgn_kept",
        (true, Name::Browser) => "__Host-csgn_browser",
        (false, Name::Session) => "csgn_session",
        (false, Name::Kept) => "csgn_kept",
        (false, Name::Browser) => "csgn_browser",
    }
}

/// More of a User-Agent header is not read.
const MAX_USER_AGENT_BYTES: usize = 512;
/// What stands between two sessions in a cookie. Where the first place is empty, no account is active.
const SEPARATOR: char = '.';

/// The cookies of this server. While the browser runs, its session cookie says who is signed in; after a restart it is gone,
/// and the kept one says it.
pub(super) fn cookies(request: &HttpRequest, app: &App) -> Browser {
    let read = |which| request.cookie(name(app, which));
    let kept = read(Name::Kept);
    let sessions = read(Name::Session).or_else(|| kept.clone());
    let (session, others) = sessions.as_ref().map(|cookie| split(cookie.value())).unwrap_or_default();
    let browser =
        read(Name::Browser).and_then(|cookie| PlainToken::parse(TokenKind::Browser, cookie.value()));
    Browser { session, others, has_kept: kept.is_some(), browser }
}

/// What is no session secret is passed over, as are more of them than there may be.
fn split(value: &str) -> (Option<PlainToken>, Vec<PlainToken>) {
    let parse = |text: &str| PlainToken::parse(TokenKind::Session, text);
    let mut parts = value.split(SEPARATOR);
    let first = parts.next().and_then(parse);
    (first, parts.take(MAX_ACCOUNTS).filter_map(parse).collect())
}

/// Lets the browser hold these sessions, and no others.
pub(super) fn hold(response: &mut HttpResponse, app: &App, known: &Browser, held: &Held) {
    let join = |tokens: &[PlainToken]| -> String {
        tokens.iter().map(PlainToken::reveal).collect::<Vec<_>>().join(&SEPARATOR.to_string())
    };
    if held.active.is_none() && held.others.is_empty() {
        if known.session.is_none() && known.others.is_empty() {
            return;
        }
        forget(response, app, name(app, Name::Session));
    } else {
        let active = held.active.as_ref().map(PlainToken::reveal).unwrap_or_default();
        let others = join(&held.others);
        let value =
            if others.is_empty() { active.to_owned() } else { format!("{active}{SEPARATOR}{others}") };
        // Only a cookie that is no header value could fail, and a token has letters and digits only.
        let _ = response.add_cookie(&cookie(app, name(app, Name::Session), &value));
    }
    if !held.kept.is_empty() {
        let value = join(&held.kept);
        let mut cookie = cookie(app, name(app, Name::Kept), &value);
        cookie.set_max_age(Duration::seconds(held.kept_for.0));
        let _ = response.add_cookie(&cookie);
    } else if known.has_kept {
        forget(response, app, name(app, Name::Kept));
    }
}

/// The secret that ties forms to this browser: the one it has, or a new one.
pub(super) fn tie(browser: &Browser, app: &App) -> Result<PlainToken, OAuthError> {
    match &browser.browser {
        Some(token) => Ok(token.clone()),
        None => Ok(PlainToken::random(TokenKind::Browser, &*app.entropy)?),
    }
}

/// Sets the cookie that ties forms to this browser: `HttpOnly`, `SameSite=Lax`, for as long as the browser runs.
pub(super) fn set_tie(response: &mut HttpResponse, app: &App, tie: &PlainToken) {
    let _ = response.add_cookie(&cookie(app, name(app, Name::Browser), tie.reveal()));
}

fn cookie<'v>(app: &App, name: &'static str, value: &'v str) -> Cookie<'v> {
    Cookie::build(name, value)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(app.site.secure)
        .finish()
}

fn forget(response: &mut HttpResponse, app: &App, name: &'static str) {
    let mut cookie = cookie(app, name, "");
    cookie.make_removal();
    let _ = response.add_cookie(&cookie);
}

fn done_name(app: &App) -> &'static str {
    if app.site.secure { "__Host-csgn_done" } else { "csgn_done" }
}

/// What was done just now, as the page before says. No link can bring it.
pub(super) fn done(request: &HttpRequest, app: &App) -> Option<Done> {
    Done::of(request.cookie(done_name(app))?.value())
}

/// Has the next page say what was done. It has a minute for that.
pub(super) fn set_done(response: &mut HttpResponse, app: &App, done: Done) {
    let mut cookie = cookie(app, done_name(app), done.name());
    cookie.set_max_age(Duration::minutes(1));
    let _ = response.add_cookie(&cookie);
}

/// What was said is said once.
pub(super) fn forget_done(response: &mut HttpResponse, app: &App, said: Option<Done>) {
    if said.is_some() {
        forget(response, app, done_name(app));
    }
}

fn made_token_name(app: &App) -> &'static str {
    if app.site.secure { "__Host-csgn_made" } else { "csgn_made" }
}

/// The new API token on its way to the page that shows it, sealed.
pub(super) fn made_token(request: &HttpRequest, app: &App) -> Option<String> {
    request.cookie(made_token_name(app)).map(|cookie| cookie.value().to_owned())
}

/// Sends a new API token on its way: the browser brings it along to the next page, and has a minute for that.
pub(super) fn set_made_token(response: &mut HttpResponse, app: &App, sealed: &str) {
    let mut cookie = cookie(app, made_token_name(app), sealed);
    cookie.set_max_age(Duration::minutes(1));
    // What is sealed has letters, digits, dots, hyphens and underscores only.
    let _ = response.add_cookie(&cookie);
}

/// A new API token is shown once.
pub(super) fn forget_made_token(response: &mut HttpResponse, app: &App) {
    forget(response, app, made_token_name(app));
}

/// The form's own token: only a page that knows the browser's cookie can name it.
pub(super) fn csrf(tie: &PlainToken, form: &str) -> String {
    base64url(&sha256(format!("countersign csrf {form} {}", tie.reveal()).as_bytes()))
}

/// A posted form of one of the pages, after the checks that it was sent from here.
///
/// # Errors
/// The page that says what is wrong.
pub(super) async fn posted(
    request: &HttpRequest,
    payload: &mut Payload,
    app: &Data<App>,
    form: &str,
) -> Result<(Params, Browser, PlainToken), HttpResponse> {
    let read = forms::body(request, payload, &app.site).await;
    let pairs = read.map_err(|error| errors::body_page(request, app, &error))?;
    let params = Params::collect(pairs).map_err(|error| errors::oauth_page(request, app, None, &error))?;
    let (browser, tie) = check_form(request, app, &params, form)?;
    Ok((params, browser, tie))
}

/// The checks that a form was sent from one of our pages, by the browser that it was shown in.
///
/// # Errors
/// The page that says what is wrong.
#[expect(clippy::result_large_err, reason = "the page is the answer, and moved once")]
pub(super) fn check_form(
    request: &HttpRequest,
    app: &App,
    params: &Params,
    form: &str,
) -> Result<(Browser, PlainToken), HttpResponse> {
    let browser = cookies(request, app);
    if !sent_from_here(request, app) {
        let text = "the form was sent from another site";
        return Err(errors::page(request, app, ErrorKind::Forbidden, 403, "access_denied", text).into());
    }
    let Some(tie) = browser.browser.clone() else {
        let text = "the cookie that ties this page to its browser is missing: are cookies on? localhost and 127.0.0.1 \
                    are two different hosts";
        return Err(errors::page(request, app, ErrorKind::OtherBrowser, 400, "invalid_request", text).into());
    };
    let token = params.get("csrf").unwrap_or_default();
    if !bool::from(token.as_bytes().ct_eq(csrf(&tie, form).as_bytes())) {
        let text = "the form's csrf token does not belong to this browser";
        return Err(errors::page(request, app, ErrorKind::Forbidden, 403, "access_denied", text).into());
    }
    Ok((browser, tie))
}

/// Fetch metadata decide where the browser sends them. `Origin` is `null` on our own forms, since the pages say
/// `Referrer-Policy: no-referrer` (Fetch standard §3.2.5), so `null` is left to the form's own token.
fn sent_from_here(request: &HttpRequest, app: &App) -> bool {
    let text = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = text(HeaderName::from_static("sec-fetch-site")) {
        return matches!(site, "same-origin" | "none");
    }
    match text(header::ORIGIN) {
        None | Some("null") => true,
        Some(origin) => origin == app.site.origin,
    }
}

/// What the browser says of the page that a request comes from.
pub(super) fn from_page(request: &HttpRequest, app: &App) -> FromPage {
    let text = |name: HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    FromPage {
        origin: text(header::ORIGIN).map(str::to_owned),
        site: text(HeaderName::from_static("sec-fetch-site")).map(str::to_owned),
        mode: text(HeaderName::from_static("sec-fetch-mode")).map(str::to_owned),
        is_marked: text(cors::SESSION_HEADER) == Some("1"),
        browser: cookies(request, app),
    }
}

/// A request that names the languages of its reader.
pub(super) fn accept_language(request: &HttpRequest) -> Option<&str> {
    request.headers().get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok())
}

/// What the browser says of itself.
pub(super) fn user_agent(request: &HttpRequest) -> Option<&str> {
    let text = request.headers().get(header::USER_AGENT)?.to_str().ok()?;
    Some(text.get(..MAX_USER_AGENT_BYTES).unwrap_or(text))
}

/// The parameters of the address.
pub(super) fn query(request: &HttpRequest) -> Result<Params, OAuthError> {
    Params::collect(forms::pairs(request.query_string())?)
}

/// What the pages of a pending request are opened with.
pub(super) struct Asked {
    /// The browser's cookies.
    pub(super) known: Browser,
    /// The one that ties forms to it.
    pub(super) tie: PlainToken,
    /// The sealed request.
    pub(super) sealed: String,
}

/// What a page of a pending request needs before it can be opened. Its bare address, as a bookmark has it, leads to the
/// user's own pages.
///
/// # Errors
/// The page that says what is missing.
#[expect(clippy::result_large_err, reason = "the page is the answer, and moved once")]
pub(super) fn asked(request: &HttpRequest, app: &App) -> Result<Asked, HttpResponse> {
    if request.query_string().is_empty() {
        return Err(headers::redirect(app, &format!("{}{}", app.site.base, paths::ACCOUNT)).finish());
    }
    let known = cookies(request, app);
    let sealed = query(request)
        .and_then(|params| params.get("request").map(str::to_owned).ok_or_else(missing_request))
        .map_err(|error| errors::oauth_page(request, app, None, &error))?;
    let Some(tie) = known.browser.clone() else {
        return Err(errors::ticket(request, app, &TicketError::OtherBrowser));
    };
    Ok(Asked { known, tie, sealed })
}

/// What to say to somebody who opened a page by an address of their own making.
fn missing_request() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest)
        .describe("this page is reached from an application only: start there, and it will lead here")
}
