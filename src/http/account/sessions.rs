//! A user's sessions.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::app::App;
use crate::flow::account::{self, SessionView, Which};

use super::super::pages::{self, Done, SessionsPage, ShownSession};
use super::super::{browser, errors, headers, paths, run};
use super::{answer, csrf, opened, posted};

pub(in crate::http) async fn get(request: HttpRequest, app: Data<App>) -> HttpResponse {
    let (_, known, tie) = match opened(&request, &app) {
        Ok(opened) => opened,
        Err(page) => return page,
    };
    let done = browser::done(&request, &app);
    let csrf = csrf(&known, &tie, paths::ACCOUNT_SESSIONS);
    let handle = tie.clone();
    let shown = run::blocking(&request, &app, move |cx| account::sessions(cx, &known, &handle)).await;
    answer(&request, &app, &tie, shown, |view| {
        let html = SessionsPage {
            lang: pages::choose(None, browser::accept_language(&request)),
            base: &app.site.base,
            service: &app.site.service,
            username: &view.username,
            csrf: &csrf,
            done,
            sessions: view.sessions.into_iter().map(shown_session).collect(),
        }
        .render();
        let mut response = headers::page(&app, 200, html, None);
        browser::forget_done(&mut response, &app, done);
        response
    })
}

fn shown_session(view: SessionView) -> ShownSession {
    let SessionView { session, is_this, clients } = view;
    ShownSession {
        id: session.id.to_string(),
        is_this,
        browser: session.browser,
        started: session.started_at.minute(),
        last_used: session.last_seen_at.minute(),
        remembered: session.remembered,
        clients,
    }
}

pub(in crate::http) async fn post(
    request: HttpRequest,
    mut payload: Payload,
    app: Data<App>,
) -> HttpResponse {
    let sent = posted(&request, &mut payload, &app, paths::ACCOUNT_SESSIONS, paths::ACCOUNT_SESSIONS).await;
    let (params, known, tie) = match sent {
        Ok(posted) => posted,
        Err(page) => return page,
    };
    let which = match account::which(params.get("end").unwrap_or_default()) {
        Ok(which) => which,
        Err(error) => return errors::oauth_page(&request, &app, None, &error),
    };
    let (handle, from) = (tie.clone(), known.clone());
    let ended =
        run::blocking(&request, &app, move |cx| account::end_sessions(cx, &from, &handle, which)).await;
    answer(&request, &app, &tie, ended, |held| {
        let to = format!("{}{}", app.site.base, paths::ACCOUNT_SESSIONS);
        let mut response = headers::redirect(&app, &to).finish();
        browser::hold(&mut response, &app, &known, &held);
        let done = if which == Which::Others { Done::OthersEnded } else { Done::SessionEnded };
        browser::set_done(&mut response, &app, done);
        response
    })
}
