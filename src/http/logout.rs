//! Logout (OpenID Connect RP-Initiated Logout 1.0 §2): GET and POST from a client, POST from its own page.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::app::App;
use crate::flow::authorize::TicketError;
use crate::flow::login::{Browser, Held};
use crate::flow::logout::{self, After, Question, Step};
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
    let from = known.clone();
    let answered = run::blocking(&request, &app, move |cx| {
        let decision = params.get("decision").unwrap_or_default();
        logout::answer(cx, params.get("request").unwrap_or_default(), decision, &from)
    })
    .await;
    match answered {
        Ok((done, held)) => finished(&request, &app, &known, done, &held),
        // Whoever wants to leave is asked once more, and not left signed in before an error.
        Err(TicketError::Expired) => {
            headers::redirect(&app, &format!("{}{}", app.site.base, paths::LOGOUT)).finish()
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
    let (handle, from) = (tie.clone(), known.clone());
    let step = run::blocking(request, app, move |cx| logout::request(cx, &params, &from, &handle)).await;
    let mut response = match step {
        Ok(Step::Ask(Question { sealed, username, others, client_name, return_to })) => {
            let html = LogoutPage {
                lang: pages::choose(ui_locales.as_deref(), browser::accept_language(request)),
                base: &app.site.base,
                service: &app.site.service,
                username: &username,
                others: &others,
                client_name: client_name.as_deref(),
                request: &sealed,
                csrf: &browser::csrf(&tie, paths::LOGOUT),
            }
            .render();
            headers::page(app, 200, html, return_to.as_deref().and_then(headers::sources_of).as_deref())
        }
        Ok(Step::Done(done, held)) => finished(request, app, &known, done, &held),
        Err(error) => return refused(request, app, &error),
    };
    browser::set_tie(&mut response, app, &tie);
    response
}

fn finished(request: &HttpRequest, app: &App, known: &Browser, done: After, held: &Held) -> HttpResponse {
    let mut response = match done {
        After::Client(url) => headers::redirect(app, &url).finish(),
        After::Stayed => headers::redirect(app, &home(app)).finish(),
        After::Page(farewell) => {
            let html = LoggedOutPage {
                lang: pages::choose(farewell.ui_locales.as_deref(), browser::accept_language(request)),
                base: &app.site.base,
                service: &app.site.service,
                client_name: farewell.client_name.as_deref(),
                accounts: &farewell.accounts,
                remaining: &farewell.remaining,
                told: &farewell.told,
                not_told: &farewell.not_told,
            }
            .render();
            headers::page(app, 200, html, None)
        }
    };
    browser::hold(&mut response, app, known, held);
    response
}

fn refused(request: &HttpRequest, app: &App, error: &OAuthError) -> HttpResponse {
    errors::oauth_page(request, app, None, error)
}

fn home(app: &App) -> String {
    if app.site.base.is_empty() { paths::HOME.to_owned() } else { app.site.base.clone() }
}
