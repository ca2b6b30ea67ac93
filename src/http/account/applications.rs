//! The applications that have access to a user's account.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::app::App;
use crate::flow::account::{self, ApplicationView};

use super::super::pages::{
    self, ApplicationsPage, ClientCard, ConsentGroup, Done, Language, ShownApplication, WithdrawPage,
};
use super::super::{browser, headers, paths, run};
use super::{answer, csrf, opened, posted};

pub(in crate::http) async fn list(request: HttpRequest, app: Data<App>) -> HttpResponse {
    let (_, known, tie) = match opened(&request, &app) {
        Ok(opened) => opened,
        Err(page) => return page,
    };
    let (handle, done) = (tie.clone(), browser::done(&request, &app));
    let shown = run::blocking(&request, &app, move |cx| account::applications(cx, &known, &handle)).await;
    answer(&request, &app, &tie, shown, |view| {
        let lang = pages::choose(None, browser::accept_language(&request));
        let html = ApplicationsPage {
            lang,
            base: &app.site.base,
            service: &app.site.service,
            username: &view.username,
            done,
            applications: view.applications.iter().map(|one| shown_application(lang, one)).collect(),
        }
        .render();
        let mut response = headers::page(&app, 200, html, None);
        browser::forget_done(&mut response, &app, done);
        response
    })
}

fn shown_application(lang: Language, view: &ApplicationView) -> ShownApplication<'_> {
    let account = ConsentGroup::for_account(lang, view.identity_scopes.iter().map(String::as_str));
    let resources = view.resources.iter().cloned();
    let resources = resources.map(|(resource_name, items)| ConsentGroup { resource_name, items });
    ShownApplication {
        id: view.client.id.as_str(),
        card: ClientCard::of(&view.client, lang, view.unchecked),
        groups: account.into_iter().chain(resources).collect(),
        since: view.since.date(),
        access: view.access,
    }
}

pub(in crate::http) async fn ask_to_withdraw(request: HttpRequest, app: Data<App>) -> HttpResponse {
    let (params, known, tie) = match opened(&request, &app) {
        Ok(opened) => opened,
        Err(page) => return page,
    };
    let csrf = csrf(&known, &tie, paths::WITHDRAW_ACCESS);
    let handle = tie.clone();
    let found = run::blocking(&request, &app, move |cx| {
        account::application(cx, &known, &handle, params.get("client_id").unwrap_or_default())
    })
    .await;
    answer(&request, &app, &tie, found, |(username, client)| {
        let Some(client) = client else { return to_list(&app) };
        let lang = pages::choose(None, browser::accept_language(&request));
        let html = WithdrawPage {
            lang,
            base: &app.site.base,
            service: &app.site.service,
            username: &username,
            csrf: &csrf,
            client: client.id.as_str(),
            client_name: ClientCard::of(&client, lang, false).name,
            asks: !client.skip_consent,
        }
        .render();
        headers::page(&app, 200, html, None)
    })
}

pub(in crate::http) async fn withdraw(
    request: HttpRequest,
    mut payload: Payload,
    app: Data<App>,
) -> HttpResponse {
    let sent =
        posted(&request, &mut payload, &app, paths::WITHDRAW_ACCESS, paths::ACCOUNT_APPLICATIONS).await;
    let (params, known, tie) = match sent {
        Ok(posted) => posted,
        Err(page) => return page,
    };
    if params.get("decision") != Some("withdraw") {
        return to_list(&app);
    }
    let handle = tie.clone();
    let withdrawn = run::blocking(&request, &app, move |cx| {
        account::withdraw(cx, &known, &handle, params.get("client_id").unwrap_or_default())
    })
    .await;
    answer(&request, &app, &tie, withdrawn, |()| {
        let mut response = to_list(&app);
        browser::set_done(&mut response, &app, Done::AccessWithdrawn);
        response
    })
}

fn to_list(app: &App) -> HttpResponse {
    headers::redirect(app, &format!("{}{}", app.site.base, paths::ACCOUNT_APPLICATIONS)).finish()
}
