//! The login page.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::app::App;
use crate::base::PlainToken;
use crate::flow::authorize::{
    self, Destination, Entrance, LoginNotice, LoginOutcome, LoginTicket, Next, TicketError,
};
use crate::flow::login::{Attempt, Entry};

use super::headers::{self, Allowed};
use super::pages::{self, ClientCard, Language, LoginPage};
use super::{authorize as authorize_endpoint, browser, errors, paths, peer, run};

/// A page on which a person signs in or up, before it is shown.
pub(super) struct Opened {
    pub(super) entrance: Entrance,
    /// The sealed request.
    pub(super) sealed: String,
    /// What ties its form to the browser.
    pub(super) tie: PlainToken,
}

/// # Errors
/// The page that says why there is none.
pub(super) async fn open(request: &HttpRequest, app: &Data<App>) -> Result<Opened, HttpResponse> {
    let asked = browser::asked(request, app)?;
    let (sealed, from) = (asked.sealed.clone(), asked.known);
    let opened = run::blocking(request, app, move |cx| authorize::show_entrance(cx, &sealed, &from)).await;
    let entrance = opened.map_err(|error| errors::ticket(request, app, &error))?;
    Ok(Opened { entrance, sealed: asked.sealed, tie: asked.tie })
}

/// The language in which the page is shown, and the client that the person comes from.
pub(super) fn shown_as<'a>(
    request: &HttpRequest,
    entrance: &'a Entrance,
) -> (Language, Option<ClientCard<'a>>) {
    let ui_locales = entrance.ticket.to.request().and_then(|asked| asked.ui_locales.as_deref());
    let lang = pages::choose(ui_locales, browser::accept_language(request));
    (lang, entrance.client.as_ref().map(|client| ClientCard::of(client, lang, entrance.unchecked)))
}

/// The page, with what it may load and where its form may lead.
pub(super) fn send(
    app: &App,
    status: u16,
    html: String,
    ticket: &LoginTicket,
    card: Option<&ClientCard<'_>>,
) -> HttpResponse {
    let (form_to, images) = (form_to(ticket), card.and_then(ClientCard::logo_origin));
    let allowed = Allowed { form_to: form_to.as_deref(), images: images.as_deref(), ..Allowed::default() };
    headers::page_that(app, status, html, allowed)
}

pub(super) async fn get(request: HttpRequest, app: Data<App>) -> HttpResponse {
    let Opened { entrance, sealed, tie } = match open(&request, &app).await {
        Ok(opened) => opened,
        Err(page) => return page,
    };
    let ticket = &entrance.ticket;
    let (lang, card) = shown_as(&request, &entrance);
    let html = LoginPage {
        lang,
        base: &app.site.base,
        service: &app.site.service,
        client_name: card.as_ref().map(|card| card.name),
        card: card.clone().unwrap_or_default(),
        request: &sealed,
        csrf: &browser::csrf(&tie, paths::LOGIN),
        username: username_of(ticket),
        notice: ticket.notice.map(|notice| shown(notice, &ticket.to)),
        remember: ticket.remember,
        choose: entrance.choose,
        sign_up: entrance.sign_up,
    }
    .render();
    send(&app, 200, html, ticket, card.as_ref())
}

/// What stands in the field for the user name: what was typed before, or whom the client hints at.
pub(super) fn username_of(ticket: &LoginTicket) -> &str {
    let hint = || ticket.to.request().and_then(|asked| asked.login_hint.as_deref());
    ticket.typed.as_deref().or_else(hint).unwrap_or_default()
}

fn shown(notice: LoginNotice, to: &Destination) -> pages::LoginNotice {
    match notice {
        LoginNotice::Refused => pages::LoginNotice::Refused,
        LoginNotice::Throttled { wait_s } => pages::LoginNotice::Throttled { wait_s: wait_s.unsigned_abs() },
        LoginNotice::Unavailable => pages::LoginNotice::Unavailable,
        LoginNotice::Reauthenticate => match to {
            Destination::Client(_) => pages::LoginNotice::Reauthenticate,
            Destination::Own(_) => pages::LoginNotice::Confirm,
        },
    }
}

/// Where the form may lead in the end: browsers hold a redirect after a POST to `form-action` too.
pub(super) fn form_to(ticket: &LoginTicket) -> Option<String> {
    headers::sources_of(ticket.to.request()?.reply.uri())
}

pub(super) async fn post(request: HttpRequest, mut payload: Payload, app: Data<App>) -> HttpResponse {
    let (params, known, tie) = match browser::posted(&request, &mut payload, &app, paths::LOGIN).await {
        Ok(posted) => posted,
        Err(page) => return page,
    };
    let peer = peer::address(&request, &app);
    let handle = tie.clone();
    let entry = Entry {
        remember: params.get("remember") == Some("on"),
        user_agent: browser::user_agent(&request).map(str::to_owned),
    };
    let before = known.clone();
    let outcome = run::blocking(&request, &app, move |cx| {
        let ticket = authorize::open_login_ticket(cx, params.get("request").unwrap_or_default(), &known)?;
        let attempt = Attempt {
            username: params.get("username").unwrap_or_default(),
            password: params.get("password").unwrap_or_default(),
            peer,
        };
        Ok::<_, TicketError>(authorize::answer_login(cx, ticket, &attempt, &entry, &known, &handle)?)
    })
    .await;
    match outcome {
        Ok(LoginOutcome::In(step, held)) => {
            let mut response = authorize_endpoint::next(&request, &app, step, &tie);
            browser::hold(&mut response, &app, &before, &held);
            response
        }
        Ok(LoginOutcome::Again(sealed)) => {
            authorize_endpoint::next(&request, &app, Next::Login(sealed), &tie)
        }
        Err(error) => errors::ticket(&request, &app, &error),
    }
}
