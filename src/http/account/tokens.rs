//! A user's API tokens.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::app::App;
use crate::base::Timestamp;
use crate::domain::api_token::ApiToken;
use crate::domain::{Problem, ResourceServer};
use crate::flow::account::{self, NewTokenForm, NewTokenView, Outcome, TokensView};
use crate::flow::api_tokens::ApiTokenFault;
use crate::oauth::{ErrorCode, OAuthError, Params, Scope};

use super::super::pages::{
    self, Done, LifeChoice, MadeToken, NewTokenPage, RevokeTokenPage, ScopeChoice, ServerChoice, ShownToken,
    TokenForm, TokenNotice, TokensPage,
};
use super::super::{browser, errors, forms, headers, paths, run};
use super::{answer, checked, csrf, opened, posted};

pub(in crate::http) async fn list(request: HttpRequest, app: Data<App>) -> HttpResponse {
    let (_, known, tie) = match opened(&request, &app) {
        Ok(opened) => opened,
        Err(page) => return page,
    };
    let (sealed, done) = (browser::made_token(&request, &app), browser::done(&request, &app));
    let is_new = sealed.is_some();
    let handle = tie.clone();
    let shown =
        run::blocking(&request, &app, move |cx| account::tokens(cx, &known, &handle, sealed.as_deref()))
            .await;
    answer(&request, &app, &tie, shown, |view| {
        let mut response = headers::page(&app, 200, page_of(&request, &app, view, done), None);
        if is_new {
            browser::forget_made_token(&mut response, &app);
        }
        browser::forget_done(&mut response, &app, done);
        response
    })
}

pub(in crate::http) async fn new(request: HttpRequest, app: Data<App>) -> HttpResponse {
    let (params, known, tie) = match opened(&request, &app) {
        Ok(opened) => opened,
        Err(page) => return page,
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

pub(in crate::http) async fn make(
    request: HttpRequest,
    mut payload: Payload,
    app: Data<App>,
) -> HttpResponse {
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
    let (known, tie) = match checked(&request, &app, &params, paths::NEW_TOKEN, paths::ACCOUNT_TOKENS) {
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

pub(in crate::http) async fn ask_to_revoke(request: HttpRequest, app: Data<App>) -> HttpResponse {
    let (params, known, tie) = match opened(&request, &app) {
        Ok(opened) => opened,
        Err(page) => return page,
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

pub(in crate::http) async fn revoke(
    request: HttpRequest,
    mut payload: Payload,
    app: Data<App>,
) -> HttpResponse {
    let sent = posted(&request, &mut payload, &app, paths::REVOKE_TOKEN, paths::ACCOUNT_TOKENS).await;
    let (params, known, tie) = match sent {
        Ok(posted) => posted,
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
    answer(&request, &app, &tie, revoked, |()| {
        let mut response = to_list(&app);
        browser::set_done(&mut response, &app, Done::TokenRevoked);
        response
    })
}

fn to_list(app: &App) -> HttpResponse {
    headers::redirect(app, &format!("{}{}", app.site.base, paths::ACCOUNT_TOKENS)).finish()
}

fn page_of(request: &HttpRequest, app: &App, view: TokensView, done: Option<Done>) -> String {
    let TokensView { username, tokens, made } = view;
    TokensPage {
        lang: pages::choose(None, browser::accept_language(request)),
        base: &app.site.base,
        service: &app.site.service,
        username: &username,
        done,
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
