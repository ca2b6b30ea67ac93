//! The consent page.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::app::App;
use crate::flow::authorize;

use super::headers::{self, Allowed};
use super::pages::{self, ClientCard, ConsentGroup, ConsentPage};
use super::{authorize as authorize_endpoint, browser, errors, paths, run};

pub(super) async fn get(request: HttpRequest, app: Data<App>) -> HttpResponse {
    let asked = match browser::asked(&request, &app) {
        Ok(asked) => asked,
        Err(page) => return page,
    };
    let (handle, from) = (asked.sealed.clone(), asked.known);
    let shown = run::blocking(&request, &app, move |cx| authorize::show_consent(cx, &handle, &from)).await;
    let view = match shown {
        Ok(view) => view,
        Err(error) => return errors::ticket(&request, &app, &error),
    };
    let lang = pages::choose(view.ui_locales.as_deref(), browser::accept_language(&request));
    let account = ConsentGroup::for_account(lang, view.identity_scopes.iter().map(String::as_str));
    let resources =
        view.resources.into_iter().map(|(resource_name, items)| ConsentGroup { resource_name, items });
    let card = ClientCard::of(&view.client, lang, view.unchecked);
    let images = card.logo_origin();
    let html = ConsentPage {
        lang,
        base: &app.site.base,
        service: &app.site.service,
        client_name: card.name,
        card: card.clone(),
        client_host: &view.client_host,
        username: &view.username,
        request: &asked.sealed,
        csrf: &browser::csrf(&asked.tie, paths::CONSENT),
        groups: account.into_iter().chain(resources).collect(),
        remembered: view.remembered,
        offline: view.identity_scopes.iter().any(|scope| scope == "offline_access"),
    }
    .render();
    let form_to = headers::sources_of(&view.redirect_uri);
    let allowed = Allowed { form_to: form_to.as_deref(), images: images.as_deref(), ..Allowed::default() };
    headers::page_that(&app, 200, html, allowed)
}

pub(super) async fn post(request: HttpRequest, mut payload: Payload, app: Data<App>) -> HttpResponse {
    let (params, known, tie) = match browser::posted(&request, &mut payload, &app, paths::CONSENT).await {
        Ok(posted) => posted,
        Err(page) => return page,
    };
    let handle = tie.clone();
    let answered = run::blocking(&request, &app, move |cx| {
        let sealed = params.get("request").unwrap_or_default();
        let decision = params.get("decision").unwrap_or_default();
        authorize::answer_consent(cx, sealed, decision, &known, &handle)
    })
    .await;
    match answered {
        Ok(step) => authorize_endpoint::next(&request, &app, step, &tie),
        Err(error) => errors::ticket(&request, &app, &error),
    }
}
