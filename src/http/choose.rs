//! The account chooser (OpenID Connect Core 1.0 §3.1.2.1, `select_account`).

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::app::App;
use crate::flow::authorize::{self, Chosen, Next};
use crate::flow::login::SignedIn;

use super::pages::{self, ChoosePage, ShownAccount};
use super::{authorize as authorize_endpoint, browser, errors, headers, login, paths, run};

/// The value of the button for an account that is not signed in here.
const OTHER: &str = "other";

pub(super) async fn get(request: HttpRequest, app: Data<App>) -> HttpResponse {
    let asked = match browser::asked(&request, &app) {
        Ok(asked) => asked,
        Err(page) => return page,
    };
    let (handle, from) = (asked.sealed.clone(), asked.known);
    let shown = run::blocking(&request, &app, move |cx| authorize::show_choice(cx, &handle, &from)).await;
    let choice = match shown {
        Ok(choice) => choice,
        Err(error) => return errors::ticket(&request, &app, &error),
    };
    let ui_locales = choice.ticket.to.request().and_then(|asked| asked.ui_locales.as_deref());
    let html = ChoosePage {
        lang: pages::choose(ui_locales, browser::accept_language(&request)),
        base: &app.site.base,
        service: &app.site.service,
        client_name: choice.client_name.as_deref(),
        request: &asked.sealed,
        csrf: &browser::csrf(&asked.tie, paths::CHOOSE),
        accounts: choice.accounts.all().map(shown_account).collect(),
    }
    .render();
    headers::page(&app, 200, html, login::form_to(&choice.ticket).as_deref())
}

fn shown_account(known: &SignedIn) -> ShownAccount {
    ShownAccount {
        id: known.session.id.to_string(),
        username: known.user.username.to_string(),
        display_name: known.user.display_name.clone(),
    }
}

pub(super) async fn post(request: HttpRequest, mut payload: Payload, app: Data<App>) -> HttpResponse {
    let (params, known, tie) = match browser::posted(&request, &mut payload, &app, paths::CHOOSE).await {
        Ok(posted) => posted,
        Err(page) => return page,
    };
    let (handle, from) = (tie.clone(), known.clone());
    let chosen = run::blocking(&request, &app, move |cx| {
        let session = params.get("account").filter(|account| *account != OTHER);
        authorize::answer_choice(cx, params.get("request").unwrap_or_default(), session, &from, &handle)
    })
    .await;
    match chosen {
        Ok(Chosen::In(step, held)) => {
            let mut response = authorize_endpoint::next(&request, &app, step, &tie);
            browser::hold(&mut response, &app, &known, &held);
            response
        }
        Ok(Chosen::Another(sealed)) => authorize_endpoint::next(&request, &app, Next::Login(sealed), &tie),
        Ok(Chosen::Again(sealed)) => authorize_endpoint::next(&request, &app, Next::Choose(sealed), &tie),
        Err(error) => errors::ticket(&request, &app, &error),
    }
}
