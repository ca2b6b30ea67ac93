//! Logout (OpenID Connect RP-Initiated Logout 1.0 §2): GET and POST from a client, POST from its own page.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::app::App;
use crate::base::TokenKind;
use crate::flow::logout::{self, After, Step};
use crate::oauth::{OAuthError, Params};

use super::pages::{self, LoggedOutPage, LogoutPage};
use super::{browser, errors, forms, headers, paths, run};

pub(super) async fn get(request: HttpRequest, app: Data<App>) -> HttpResponse {
    match browser::query(&request) {
        Ok(params) => asked(&request, &app, params).await,
        Err(error) => errors::oauth_page(&request, &app, None, &error),
    }
}

/// §2: "OpenID Providers MUST support the use of the HTTP GET and POST methods". Our own form is told by its `decision`; a
/// client's is answered with 303 to the same request by GET: the browser sends its cookies along with that, and not with a
/// POST from another site, after which "nobody is signed in" would be said and not be true.
pub(super) async fn post(request: HttpRequest, mut payload: Payload, app: Data<App>) -> HttpResponse {
    // A client's POST carries no token of ours, so the body is read first and judged then.
    let pairs = match forms::body(&request, &mut payload, &app.site).await {
        Ok(pairs) => pairs,
        Err(error) => return errors::body_page(&request, &app, &error),
    };
    let params = match Params::collect(pairs.clone()) {
        Ok(params) => params,
        Err(error) => return errors::oauth_page(&request, &app, None, &error),
    };
    if params.get("decision").is_none() {
        return headers::redirect(&app, &forms::address(&app.site, paths::LOGOUT, &pairs)).finish();
    }
    let (known, _) = match browser::check_form(&request, &app, &params, paths::LOGOUT) {
        Ok(checked) => checked,
        Err(page) => return page,
    };
    let leave = params.get("decision") == Some("logout");
    let answered = run::blocking(&request, &app, move |cx| {
        logout::answer(cx, params.get("request").unwrap_or_default(), leave, &known)
    })
    .await;
    match answered {
        Ok(After::Stayed) => headers::redirect(&app, &home(&app)).finish(),
        Ok(done) => {
            let mut response = finished(&request, &app, done, None);
            browser::forget_session(&mut response, &app);
            response
        }
        Err(error) => errors::ticket(&request, &app, &error),
    }
}

async fn asked(request: &HttpRequest, app: &Data<App>, params: Params) -> HttpResponse {
    let known = browser::cookies(request, app);
    let tie = match browser::tie(&known, app) {
        Ok(tie) => tie,
        Err(error) => return errors::oauth_page(request, app, None, &error),
    };
    let ui_locales = params.get("ui_locales").map(str::to_owned);
    let handle = tie.clone();
    let step = run::blocking(request, app, move |cx| logout::request(cx, &params, &known, &handle)).await;
    let mut response = match step {
        Ok(Step::Ask { sealed, username, client_name, return_to }) => {
            let lang = pages::choose(ui_locales.as_deref(), browser::accept_language(request));
            let html = LogoutPage {
                lang,
                base: &app.site.base,
                service: &app.site.service,
                username: &username,
                client_name: client_name.as_deref(),
                request: &sealed,
                csrf: &browser::csrf(&tie, paths::LOGOUT),
            }
            .render();
            headers::page(app, 200, html, return_to.as_deref().and_then(headers::sources_of).as_deref())
        }
        Ok(Step::Done(done)) => finished(request, app, done, ui_locales.as_deref()),
        Err(error) => return refused(request, app, &error),
    };
    browser::set(&mut response, app, TokenKind::Browser, &tie);
    response
}

fn finished(request: &HttpRequest, app: &App, done: After, ui_locales: Option<&str>) -> HttpResponse {
    match done {
        After::Client(url) => headers::redirect(app, &url).finish(),
        After::Stayed => headers::redirect(app, &home(app)).finish(),
        After::Page { client_name } => {
            let lang = pages::choose(ui_locales, browser::accept_language(request));
            let html = LoggedOutPage {
                lang,
                base: &app.site.base,
                service: &app.site.service,
                client_name: client_name.as_deref(),
            }
            .render();
            headers::page(app, 200, html, None)
        }
    }
}

fn refused(request: &HttpRequest, app: &App, error: &OAuthError) -> HttpResponse {
    errors::oauth_page(request, app, None, error)
}

fn home(app: &App) -> String {
    if app.site.base.is_empty() { paths::HOME.to_owned() } else { app.site.base.clone() }
}
