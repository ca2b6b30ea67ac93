//! The stylesheet, the icon and the front page.

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use crate::app::App;
use crate::flow::login;

use super::pages::{self, HomePage, assets};
use super::{browser, headers, run};

pub(super) async fn style() -> HttpResponse {
    asset("text/css; charset=utf-8", assets::STYLE_CSS)
}

pub(super) async fn favicon() -> HttpResponse {
    asset("image/svg+xml", assets::FAVICON_SVG)
}

/// Pages name an asset with the version in its address, so it may be kept.
fn asset(kind: &'static str, text: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=86400"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .content_type(kind)
        .body(text)
}

/// Who is signed in. The front page is there for everybody, so a database that is down means nobody here.
async fn signed_in(request: &HttpRequest, app: &Data<App>) -> Option<String> {
    let known = browser::cookies(request, app);
    known.session.as_ref()?;
    let found = run::blocking(request, app, move |cx| login::signed_in(cx, &known)).await;
    Some(found.ok()??.user.username.to_string())
}

pub(super) async fn home(request: HttpRequest, app: Data<App>) -> HttpResponse {
    let lang = pages::choose(None, browser::accept_language(&request));
    let username = signed_in(&request, &app).await;
    let html = HomePage {
        lang,
        base: &app.site.base,
        service: &app.site.service,
        issuer: &app.site.issuer,
        username: username.as_deref(),
    }
    .render();
    headers::page(&app, 200, html, None)
}
