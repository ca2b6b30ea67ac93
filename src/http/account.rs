//! A user's own pages: their sessions, their password, their API tokens. Every POST that does something ends in 303, so that a reload does it no second
//! time.

pub(super) mod password;
pub(super) mod sessions;

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::app::App;
use crate::base::{PlainToken, Timestamp};
use crate::domain::api_token::ApiToken;
use crate::domain::{Problem, ResourceServer};
use crate::flow::account::{self, NewTokenForm, NewTokenView, Outcome, TokensView, Visit};
use crate::flow::api_tokens::ApiTokenFault;
use crate::flow::authorize::OwnPage;
use crate::flow::login::Browser;
use crate::oauth::{ErrorCode, OAuthError, Params, Scope};

use super::pages::{
    self, LifeChoice, MadeToken, NewTokenPage, RevokeTokenPage, ScopeChoice, ServerChoice, ShownToken,
    TokenForm, TokenNotice, TokensPage,
};
use super::{authorize as authorize_endpoint, browser, errors, forms, headers, paths, run};

/// Where a page of ours is, below the issuer's path.
pub(super) fn path(page: OwnPage) -> &'static str {
    match page {
        OwnPage::Tokens => paths::ACCOUNT_TOKENS,
        OwnPage::NewToken => paths::NEW_TOKEN,
        OwnPage::Sessions => paths::ACCOUNT_SESSIONS,
        OwnPage::Password => paths::ACCOUNT_PASSWORD,
    }
}

pub(super) async fn tokens(request: HttpRequest, app: Data<App>) -> HttpResponse {
    let known = browser::cookies(&request, &app);
    let tie = match browser::tie(&known, &app) {
        Ok(tie) => tie,
        Err(error) => return errors::oauth_page(&request, &app, None, &error),
    };
    let sealed = browser::made_token(&request, &app);
    let is_new = sealed.is_some();
    let handle = tie.clone();
    let shown =
        run::blocking(&request, &app, move |cx| account::tokens(cx, &known, &handle, sealed.as_deref()))
            .await;
    answer(&request, &app, &tie, shown, |view| {
        let mut response = headers::page(&app, 200, list(&request, &app, view), None);
        if is_new {
            browser::forget_made_token(&mut response, &app);
        }
        response
    })
}

pub(super) async fn new(request: HttpRequest, app: Data<App>) -> HttpResponse {
    let known = browser::cookies(&request, &app);
    let tie = browser::tie(&known, &app);
    let (params, tie) = match browser::query(&request).and_then(|params| Ok((params, tie?))) {
        Ok(asked) => asked,
        Err(error) => return errors::oauth_page(&request, &app, None, &error),
    };
    let csrf = csrf(&known, &tie, paths::NEW_TOKEN);
    let handle = tie.clone();
    let shown = run::blocking(&request, &app, move |cx| {
        account::new_token(cx, &known, &handle, params.resources().first().map(String::as_str))
    })
    .await;
    answer(&request, &app, &tie, shown, |view| {
        let html = form(&request, &app, view, &NewTokenForm::default(), None, &csrf);
        headers::page(&app, 200, html, None)
    })
}

pub(super) async fn make(request: HttpRequest, mut payload: Payload, app: Data<App>) -> HttpResponse {
    let pairs = match forms::body(&request, &mut payload, &app.site).await {
        Ok(pairs) => pairs,
        Err(error) => return errors::body_page(&request, &app, &error),
    };
    // Each permission that is chosen comes as a `scope` of its own.
    let (scopes, rest): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(name, _)| name == "scope");
    let read = || {
        let scope: Result<Scope, String> = scopes.iter().map(|(_, value)| value.parse()).collect();
        let scope = scope.map_err(|text| OAuthError::new(ErrorCode::InvalidScope).describe(text))?;
        Ok((scope, Params::collect(rest)?))
    };
    let (scope, params) = match read() {
        Ok(read) => read,
        Err(error) => return errors::oauth_page(&request, &app, None, &error),
    };
    let (known, tie) = match checked(&request, &app, &params, paths::NEW_TOKEN) {
        Ok(checked) => checked,
        Err(page) => return page,
    };
    let sent = NewTokenForm {
        name: params.get("name").unwrap_or_default().trim().to_owned(),
        resource: params.resources().first().cloned().unwrap_or_default(),
        scope,
        days: params.get("days").and_then(|days| days.parse().ok()),
    };
    let csrf = csrf(&known, &tie, paths::NEW_TOKEN);
    let (handle, asked) = (tie.clone(), sent.clone());
    let made =
        run::blocking(&request, &app, move |cx| account::make_token(cx, &known, &handle, &asked)).await;
    answer(&request, &app, &tie, made, |outcome| match outcome {
        Outcome::Made(sealed) => {
            let mut response = to_list(&app);
            browser::set_made_token(&mut response, &app, &sealed);
            response
        }
        Outcome::Again(view, fault) => {
            let html = form(&request, &app, view, &sent, Some(&fault), &csrf);
            headers::page(&app, 400, html, None)
        }
    })
}

pub(super) async fn ask_to_revoke(request: HttpRequest, app: Data<App>) -> HttpResponse {
    let known = browser::cookies(&request, &app);
    let tie = browser::tie(&known, &app);
    let (params, tie) = match browser::query(&request).and_then(|params| Ok((params, tie?))) {
        Ok(asked) => asked,
        Err(error) => return errors::oauth_page(&request, &app, None, &error),
    };
    let csrf = csrf(&known, &tie, paths::REVOKE_TOKEN);
    let handle = tie.clone();
    let found = run::blocking(&request, &app, move |cx| {
        account::token(cx, &known, &handle, params.get("id").unwrap_or_default())
    })
    .await;
    answer(&request, &app, &tie, found, |(username, token)| {
        let Some(token) = token else { return to_list(&app) };
        let html = RevokeTokenPage {
            lang: pages::choose(None, browser::accept_language(&request)),
            base: &app.site.base,
            service: &app.site.service,
            username: &username,
            csrf: &csrf,
            id: &token.id,
            name: &token.name,
        }
        .render();
        headers::page(&app, 200, html, None)
    })
}

pub(super) async fn revoke(request: HttpRequest, mut payload: Payload, app: Data<App>) -> HttpResponse {
    let pairs = match forms::body(&request, &mut payload, &app.site).await {
        Ok(pairs) => pairs,
        Err(error) => return errors::body_page(&request, &app, &error),
    };
    let params = match Params::collect(pairs) {
        Ok(params) => params,
        Err(error) => return errors::oauth_page(&request, &app, None, &error),
    };
    let (known, tie) = match checked(&request, &app, &params, paths::REVOKE_TOKEN) {
        Ok(checked) => checked,
        Err(page) => return page,
    };
    if params.get("decision") != Some("revoke") {
        return to_list(&app);
    }
    let handle = tie.clone();
    let revoked = run::blocking(&request, &app, move |cx| {
        account::revoke_token(cx, &known, &handle, params.get("id").unwrap_or_default())
    })
    .await;
    answer(&request, &app, &tie, revoked, |()| to_list(&app))
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

fn to_list(app: &App) -> HttpResponse {
    headers::redirect(app, &format!("{}{}", app.site.base, paths::ACCOUNT_TOKENS)).finish()
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

#[expect(clippy::result_large_err, reason = "the page is the answer, and moved once")]
fn checked(
    request: &HttpRequest,
    app: &App,
    params: &Params,
    path: &str,
) -> Result<(Browser, PlainToken), HttpResponse> {
    checked_or(request, app, params, path, paths::ACCOUNT_TOKENS)
}

#[expect(clippy::result_large_err, reason = "the page is the answer, and moved once")]
fn checked_for(
    request: &HttpRequest,
    app: &App,
    params: &Params,
    path: &str,
) -> Result<(Browser, PlainToken), HttpResponse> {
    checked_or(request, app, params, path, path)
}

/// A session that ended takes its cookie along: whoever comes without one is led to `otherwise`, and asked to sign in there,
/// not told of an attack.
#[expect(clippy::result_large_err, reason = "the page is the answer, and moved once")]
fn checked_or(
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

fn list(request: &HttpRequest, app: &App, view: TokensView) -> String {
    let TokensView { username, tokens, made } = view;
    TokensPage {
        lang: pages::choose(None, browser::accept_language(request)),
        base: &app.site.base,
        service: &app.site.service,
        username: &username,
        made: made.as_ref().map(|(name, plain)| MadeToken { name, secret: plain.reveal() }),
        tokens: tokens.into_iter().map(|(token, server)| shown(token, server.as_deref())).collect(),
    }
    .render()
}

fn shown(token: ApiToken, server: Option<&ResourceServer>) -> ShownToken {
    let by_value = || token.scope.iter().map(ToString::to_string).collect();
    ShownToken {
        server: server.map_or_else(|| token.resource.to_string(), |server| server.name.clone()),
        permissions: server.map_or_else(by_value, |server| server.words(&token.scope)),
        made: token.created_at.date(),
        expires: token.expires_at.date(),
        last_used: token.last_used_at.map(Timestamp::date),
        id: token.id,
        name: token.name,
    }
}

fn form(
    request: &HttpRequest,
    app: &App,
    view: NewTokenView,
    sent: &NewTokenForm,
    fault: Option<&ApiTokenFault>,
    csrf: &str,
) -> String {
    let days = sent.days.filter(|days| view.lives.contains(days)).unwrap_or(view.life);
    let form = view.chosen.as_ref().map(|server| TokenForm {
        resource: server.id.to_string(),
        server: server.name.clone(),
        name: sent.name.clone(),
        scopes: server
            .scopes
            .iter()
            .map(|definition| ScopeChoice {
                value: definition.name.to_string(),
                words: definition.words(),
                checked: sent.scope.contains(definition.name.as_str()),
            })
            .collect(),
        lives: view.lives.iter().map(|life| LifeChoice { days: *life, checked: *life == days }).collect(),
    });
    let choice =
        |server: &ResourceServer| ServerChoice { id: server.id.to_string(), name: server.name.clone() };
    NewTokenPage {
        lang: pages::choose(None, browser::accept_language(request)),
        base: &app.site.base,
        service: &app.site.service,
        username: &view.username,
        csrf,
        servers: view.servers.iter().map(|server| choice(server)).collect(),
        form,
        notice: fault.map(notice),
    }
    .render()
}

fn notice(fault: &ApiTokenFault) -> TokenNotice {
    let is_about = |problems: &[Problem], field: &str| problems.iter().any(|problem| problem.field == field);
    match fault {
        ApiTokenFault::Problems(problems) if is_about(problems, "name") => TokenNotice::Name,
        ApiTokenFault::Problems(problems) if is_about(problems, "lives_for") => TokenNotice::Life,
        ApiTokenFault::Full => TokenNotice::Full,
        _ => TokenNotice::Scope,
    }
}
