//! `GET /authorize` and `POST /authorize` (RFC 6749 §3.1).

use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::base::PlainToken;
use crate::flow::authorize::{self, Delivery, Next, Parameters, Unproven};
use crate::oauth::limits::is_of_authorization;
use crate::oauth::redirect_uri::shown_host;
use crate::oauth::{OAuthError, Params};

use super::forms::ReadPair;
use super::headers::Allowed;
use super::pages::{self, FormPostPage, WebMessagePage};
use super::{account, browser, errors, forms, headers, paths, run};

pub(super) async fn get(request: HttpRequest, app: Data<App>) -> HttpResponse {
    match forms::read_pairs(request.query_string().as_bytes()) {
        Ok(pairs) => answer(request, &app, known(pairs)).await,
        Err(error) => errors::unproven(&request, &app, &Unproven::Malformed(error)),
    }
}

/// What is not known here counts for no more than its place in the number of parameters.
fn known(mut pairs: Vec<ReadPair>) -> Vec<ReadPair> {
    for pair in pairs.iter_mut().filter(|(name, _)| !is_of_authorization(name)) {
        *pair = (String::new(), Ok(String::new()));
    }
    pairs
}

async fn answer(request: HttpRequest, app: &Data<App>, pairs: Vec<ReadPair>) -> HttpResponse {
    let known = browser::cookies(&request, app);
    let tie = match browser::tie(&known, app) {
        Ok(tie) => tie,
        Err(error) => return errors::oauth_page(&request, app, None, &error),
    };
    let (params, fault) = Params::collect_read(pairs);
    let handle = tie.clone();
    let answered = run::blocking(&request, app, move |cx| {
        authorize::authorize(cx, &params, fault, &known, &handle).map_err(Refused::Unproven)
    })
    .await;
    match answered {
        Ok(step) => next(&request, app, step, &tie),
        Err(Refused::Unproven(refusal)) => errors::unproven(&request, app, &refusal),
        Err(Refused::Failed(error)) => errors::oauth_page(&request, app, None, &error),
    }
}

/// RFC 6749 §3.1: the server "MAY support the use of the "POST" method", and OpenID Connect Core §3.1.2.1 says MUST. It is
/// answered with 303 to the same request by GET: the browser then sends its cookies along, which it does not with a POST
/// from another site.
pub(super) async fn post(request: HttpRequest, mut payload: Payload, app: Data<App>) -> HttpResponse {
    let pairs = match forms::read_body(&request, &mut payload, &app.site).await {
        Ok(pairs) => known(pairs),
        Err(error) => return errors::body_page(&request, &app, &error),
    };
    // What is refused anyway is refused here: neither cookies nor so long an address are needed for it.
    let (params, fault) = Params::collect_read(pairs.clone());
    if fault.is_some() || authorize::has_request_object(&params) {
        return answer(request, &app, pairs).await;
    }
    let pairs = pairs.into_iter().filter(|(name, _)| !name.is_empty());
    let pairs: Vec<_> = pairs.filter_map(|(name, value)| Some((name, value.ok()?))).collect();
    headers::redirect(&app, &forms::address(&app.site, paths::AUTHORIZE, &pairs)).finish()
}

/// Either of the two ways in which there is nobody to redirect to.
enum Refused {
    Unproven(Unproven),
    Failed(OAuthError),
}

impl From<OAuthError> for Refused {
    fn from(error: OAuthError) -> Self {
        Self::Failed(error)
    }
}

/// Sends the browser on. Only a page of ours needs the cookie that ties it: a request that came without cookies, as a POST
/// from another site does, must not replace the one that other pages are tied to.
pub(super) fn next(request: &HttpRequest, app: &App, step: Next, tie: &PlainToken) -> HttpResponse {
    let is_ours = !matches!(step, Next::Client(_));
    let to = match step {
        Next::Client(Delivery::Redirect(url)) => url,
        Next::Client(Delivery::Form { to, parameters }) => return form(request, app, &to, &parameters),
        Next::Client(Delivery::Message { origin, parameters }) => {
            return message(request, app, &origin, parameters);
        }
        Next::Login(sealed) => format!("{}{}?request={sealed}", app.site.base, paths::LOGIN),
        Next::SignUp(sealed) => format!("{}{}?request={sealed}", app.site.base, paths::SIGN_UP),
        Next::Choose(sealed) => format!("{}{}?request={sealed}", app.site.base, paths::CHOOSE),
        Next::Own(page) => format!("{}{}", app.site.base, account::path(page)),
        Next::Consent(sealed) => format!("{}{}?request={sealed}", app.site.base, paths::CONSENT),
    };
    let mut response = headers::redirect(app, &to).finish();
    if response.headers().get(header::LOCATION).is_none() {
        return HttpResponse::InternalServerError().finish();
    }
    if is_ours {
        browser::set_tie(&mut response, app, tie);
    }
    response
}

/// OAuth 2.0 Form Post Response Mode §2. It is never framed: it has a button, for browsers without JavaScript.
fn form(request: &HttpRequest, app: &App, to: &str, parameters: &Parameters) -> HttpResponse {
    let html = FormPostPage {
        lang: pages::choose(None, browser::accept_language(request)),
        base: &app.site.base,
        service: &app.site.service,
        client_host: &shown_host(to),
        to,
        parameters,
    }
    .render();
    let form_to = headers::sources_of(to);
    let script = Some(FormPostPage::script_source());
    let allowed = Allowed { form_to: form_to.as_deref(), script, ..Allowed::default() };
    let mut response = headers::page_that(app, 200, html, allowed);
    // Fetch standard §3.2.5: under `no-referrer` the POST would say `Origin: null`, which guards against forged requests
    // refuse. This server's name is no secret to the client.
    let origin_only = HeaderValue::from_static("strict-origin");
    response.headers_mut().insert(header::REFERRER_POLICY, origin_only);
    response
}

/// draft-sakimura-oauth-wmrm-01, RFC 9700 §4.17. The client's origin alone may frame it, and read the message: nothing on it can be
/// clicked, so that there is nothing to trick a user into.
fn message(request: &HttpRequest, app: &App, origin: &str, parameters: Parameters) -> HttpResponse {
    let response: Map<String, Value> =
        parameters.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))).collect();
    let message = json!({ "type": "authorization_response", "response": response }).to_string();
    let html = WebMessagePage {
        lang: pages::choose(None, browser::accept_language(request)),
        base: &app.site.base,
        service: &app.site.service,
        origin,
        message: &message,
    }
    .render();
    let script = Some(WebMessagePage::script_source());
    headers::page_that(app, 200, html, Allowed { script, framed_by: Some(origin), ..Allowed::default() })
}
