//! The page on which users make accounts for themselves (Initiating User Registration via OpenID Connect 1.0), where the
//! operator lets them; elsewhere there is no such address.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::app::App;
use crate::flow::authorize::{self, Entrance, SignUpOutcome, TicketError};
use crate::flow::login::Entry;
use crate::flow::sign_up::{NewPasswordFault, SignUp, SignUpRefusal, UserNameFault};
use crate::oauth::Params;

use super::login::{self, Opened};
use super::pages::{PasswordMark, SignUpMarks, SignUpNotice, SignUpPage, UserNameMark};
use super::{authorize as authorize_endpoint, browser, errors, headers, paths, peer, routes, run};

/// What comes back into the form: all but the password.
#[derive(Clone, Default)]
struct Typed {
    username: String,
    display_name: String,
    email: String,
    remember: bool,
}

impl Typed {
    fn of(params: &Params) -> Self {
        let text = |name| params.get(name).unwrap_or_default().trim().to_owned();
        Self {
            username: text("new_username"),
            display_name: text("display_name"),
            email: text("email"),
            remember: params.get("remember") == Some("on"),
        }
    }
}

pub(super) async fn get(request: HttpRequest, app: Data<App>) -> HttpResponse {
    if app.policy.sign_up.is_none() {
        return routes::nowhere(request, app).await;
    }
    let Opened { entrance, sealed, tie } = match login::open(&request, &app).await {
        Ok(opened) => opened,
        Err(page) => return page,
    };
    if !entrance.sign_up {
        return to_login(&app, &sealed);
    }
    let username = login::username_of(&entrance.ticket).to_owned();
    let typed = Typed { username, remember: entrance.ticket.remember, ..Typed::default() };
    let csrf = browser::csrf(&tie, paths::SIGN_UP);
    page(&request, &app, 200, &entrance, &sealed, &csrf, &typed, None)
}

pub(super) async fn post(request: HttpRequest, mut payload: Payload, app: Data<App>) -> HttpResponse {
    if app.policy.sign_up.is_none() {
        return routes::nowhere(request, app).await;
    }
    let (params, known, tie) = match browser::posted(&request, &mut payload, &app, paths::SIGN_UP).await {
        Ok(posted) => posted,
        Err(page) => return page,
    };
    let peer = peer::address(&request, &app);
    let sealed = params.get("request").unwrap_or_default().to_owned();
    let typed = Typed::of(&params);
    let entry =
        Entry { remember: typed.remember, user_agent: browser::user_agent(&request).map(str::to_owned) };
    let (handle, before, ticket, form) = (tie.clone(), known.clone(), sealed.clone(), typed.clone());
    let outcome = run::blocking(&request, &app, move |cx| {
        let entrance = authorize::show_entrance(cx, &ticket, &known)?;
        if !entrance.sign_up {
            return Ok(None);
        }
        let sent = SignUp {
            username: &form.username,
            password: params.get("new_password").unwrap_or_default(),
            again: params.get("new_password_again").unwrap_or_default(),
            display_name: Some(form.display_name.as_str()).filter(|name| !name.is_empty()),
            email: Some(form.email.as_str()).filter(|email| !email.is_empty()),
            peer,
        };
        let to = entrance.ticket.to.clone();
        let outcome = authorize::answer_sign_up(cx, to, &sent, &entry, &known, &handle)?;
        Ok::<_, TicketError>(Some((entrance, outcome)))
    })
    .await;
    match outcome {
        Ok(None) => to_login(&app, &sealed),
        Ok(Some((_, SignUpOutcome::In(step, held)))) => {
            let mut response = authorize_endpoint::next(&request, &app, step, &tie);
            browser::hold(&mut response, &app, &before, &held);
            response
        }
        Ok(Some((entrance, SignUpOutcome::Again(refusal)))) => {
            let csrf = browser::csrf(&tie, paths::SIGN_UP);
            page(&request, &app, 400, &entrance, &sealed, &csrf, &typed, Some(refusal))
        }
        Err(error) => errors::ticket(&request, &app, &error),
    }
}

/// A known user is meant: the login page, which has no link to this one then.
fn to_login(app: &App, sealed: &str) -> HttpResponse {
    headers::redirect(app, &format!("{}{}?request={sealed}", app.site.base, paths::LOGIN)).finish()
}

#[expect(clippy::too_many_arguments, reason = "what stands on the page, each once")]
fn page(
    request: &HttpRequest,
    app: &App,
    status: u16,
    entrance: &Entrance,
    sealed: &str,
    csrf: &str,
    typed: &Typed,
    refusal: Option<SignUpRefusal>,
) -> HttpResponse {
    let (lang, card) = login::shown_as(request, entrance);
    let (notice, marks) = refusal.map_or((None, SignUpMarks::default()), shown);
    let html = SignUpPage {
        lang,
        base: &app.site.base,
        service: &app.site.service,
        client_name: card.as_ref().map(|card| card.name),
        card: card.clone().unwrap_or_default(),
        request: sealed,
        csrf,
        username: &typed.username,
        display_name: &typed.display_name,
        email: &typed.email,
        remember: typed.remember,
        notice,
        marks,
    }
    .render();
    login::send(app, status, html, &entrance.ticket, card.as_ref())
}

fn shown(refusal: SignUpRefusal) -> (Option<SignUpNotice>, SignUpMarks) {
    match refusal {
        SignUpRefusal::Throttled(wait) => {
            (Some(SignUpNotice::Throttled { wait_s: wait.0.unsigned_abs() }), SignUpMarks::default())
        }
        SignUpRefusal::Unavailable => (Some(SignUpNotice::Unavailable), SignUpMarks::default()),
        SignUpRefusal::Fields(faults) => {
            let marks = SignUpMarks {
                username: faults.username.map(|fault| match fault {
                    UserNameFault::Rules => UserNameMark::Rules,
                    UserNameFault::Taken => UserNameMark::Taken,
                }),
                password: faults.password.map(|fault| match fault {
                    NewPasswordFault::Rules => PasswordMark::Rules,
                    NewPasswordFault::Differ => PasswordMark::Differ,
                }),
                display_name: faults.display_name,
                email: faults.email,
            };
            (Some(SignUpNotice::Fields), marks)
        }
    }
}
