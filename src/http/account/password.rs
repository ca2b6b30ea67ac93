//! The form that changes a user's password, and the address under which a password manager finds it.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::app::App;
use crate::flow::account::{self, NewPassword, PasswordFault, PasswordOutcome};

use super::super::pages::{self, Done, PasswordNotice, PasswordPage};
use super::super::{browser, headers, paths, peer, run};
use super::{answer, csrf, opened, posted};

/// A Well-Known URL for Changing Passwords §2: "Servers should redirect HTTP requests for an origin's change password URL to
/// the actual page on which users may change their password by returning a response with a redirect status of 302, 303, or
/// 307".
pub(in crate::http) async fn well_known(app: Data<App>) -> HttpResponse {
    headers::redirect(&app, &format!("{}{}", app.site.base, paths::ACCOUNT_PASSWORD)).finish()
}

pub(in crate::http) async fn get(request: HttpRequest, app: Data<App>) -> HttpResponse {
    let (_, known, tie) = match opened(&request, &app) {
        Ok(opened) => opened,
        Err(page) => return page,
    };
    let csrf = csrf(&known, &tie, paths::ACCOUNT_PASSWORD);
    let handle = tie.clone();
    let shown = run::blocking(&request, &app, move |cx| account::password(cx, &known, &handle)).await;
    answer(&request, &app, &tie, shown, |username| {
        headers::page(&app, 200, form(&request, &app, &username, &csrf, None), None)
    })
}

pub(in crate::http) async fn post(
    request: HttpRequest,
    mut payload: Payload,
    app: Data<App>,
) -> HttpResponse {
    let sent = posted(&request, &mut payload, &app, paths::ACCOUNT_PASSWORD, paths::ACCOUNT_PASSWORD).await;
    let (params, known, tie) = match sent {
        Ok(posted) => posted,
        Err(page) => return page,
    };
    let peer = peer::address(&request, &app);
    let (handle, from) = (tie.clone(), known.clone());
    let done = run::blocking(&request, &app, move |cx| {
        let sent = NewPassword {
            old: params.get("password").unwrap_or_default(),
            new: params.get("new_password").unwrap_or_default(),
            again: params.get("new_password_again").unwrap_or_default(),
            peer,
        };
        account::change_password(cx, &from, &handle, &sent)
    })
    .await;
    answer(&request, &app, &tie, done, |outcome| match outcome {
        PasswordOutcome::Changed(held) => {
            let to = format!("{}{}", app.site.base, paths::ACCOUNT_SESSIONS);
            let mut response = headers::redirect(&app, &to).finish();
            browser::hold(&mut response, &app, &known, &held);
            browser::set_done(&mut response, &app, Done::PasswordChanged);
            response
        }
        PasswordOutcome::Again(username, fault) => {
            let csrf = csrf(&known, &tie, paths::ACCOUNT_PASSWORD);
            let html = form(&request, &app, &username, &csrf, Some(notice(fault)));
            headers::page(&app, 400, html, None)
        }
    })
}

fn form(
    request: &HttpRequest,
    app: &App,
    username: &str,
    csrf: &str,
    notice: Option<PasswordNotice>,
) -> String {
    PasswordPage {
        lang: pages::choose(None, browser::accept_language(request)),
        base: &app.site.base,
        service: &app.site.service,
        username,
        csrf,
        notice,
    }
    .render()
}

fn notice(fault: PasswordFault) -> PasswordNotice {
    match fault {
        PasswordFault::Wrong => PasswordNotice::Wrong,
        PasswordFault::Throttled(wait) => PasswordNotice::Throttled { wait_s: wait.0.unsigned_abs() },
        PasswordFault::Unavailable => PasswordNotice::Unavailable,
        PasswordFault::Rules => PasswordNotice::Rules,
        PasswordFault::Differ => PasswordNotice::Differ,
        PasswordFault::Same => PasswordNotice::Same,
    }
}
