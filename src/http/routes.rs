//! Every route, in one list.

use actix_web::guard;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Resource, Route};

use crate::app::App;

use super::{
    account, assets, authorize, choose, consent, cors, discovery, errors, health, introspect, jwks, leaked,
    login, logout, pages, paths, registration, revoke, sign_up, token, userinfo,
};

/// Adds all routes for an issuer whose path is `base`.
pub(super) fn configure(config: &mut ServiceConfig, base: &str) {
    let at = |path: &str| web::resource(format!("{base}{path}"));
    let post = web::post;

    // Paths are compared in this order: what is asked for most comes first.
    config
        .service(
            only(at(paths::TOKEN).route(post().to(token::post)), "POST, OPTIONS").route(options_of_token()),
        )
        .service(
            at(paths::USERINFO)
                .route(get().to(userinfo::get))
                .route(post().to(userinfo::post))
                .route(web::method(actix_web::http::Method::OPTIONS).to(cors::preflight_of_userinfo))
                .default_service(refuse("GET, HEAD, POST, OPTIONS")),
        )
        .service(only(at(paths::INTROSPECT).route(post().to(introspect::post)), "POST"))
        .service(
            at(paths::JWKS)
                .route(get().to(jwks::get))
                .route(options_of_anyone())
                .default_service(refuse("GET, HEAD, OPTIONS")),
        );
    // RFC 8414 §3.1 puts the well-known part before the issuer's path, OpenID Connect Discovery §4 behind it; clients do
    // either for both documents.
    let mut documents =
        vec![format!("{base}{}", paths::OPENID_CONFIGURATION), format!("{base}{}", paths::OAUTH_METADATA)];
    if !base.is_empty() {
        documents.push(format!("{}{base}", paths::OPENID_CONFIGURATION));
        documents.push(format!("{}{base}", paths::OAUTH_METADATA));
    }
    for path in documents {
        config.service(
            web::resource(path)
                .route(get().to(discovery::get))
                .route(options_of_anyone())
                .default_service(refuse("GET, HEAD, OPTIONS")),
        );
    }

    config
        .service(only(at(paths::REVOKE).route(post().to(revoke::post)), "POST, OPTIONS").route(options()))
        .service(
            // No HEAD: RFC 9110 §9.2.1 has it safe, and an authorization request may issue a code.
            at(paths::AUTHORIZE)
                .route(web::get().to(authorize::get))
                .route(post().to(authorize::post))
                .default_service(refuse_page("GET, POST")),
        )
        .service(
            at(paths::LOGIN)
                .route(get().to(login::get))
                .route(post().to(login::post))
                .default_service(refuse_page("GET, HEAD, POST")),
        )
        .service(
            at(paths::SIGN_UP)
                .route(get().to(sign_up::get))
                .route(post().to(sign_up::post))
                .default_service(refuse_page("GET, HEAD, POST")),
        )
        .service(
            at(paths::CHOOSE)
                .route(get().to(choose::get))
                .route(post().to(choose::post))
                .default_service(refuse_page("GET, HEAD, POST")),
        )
        .service(
            at(paths::CONSENT)
                .route(get().to(consent::get))
                .route(post().to(consent::post))
                .default_service(refuse_page("GET, HEAD, POST")),
        )
        .service(
            // A hint ends a session without a question, and HEAD is safe (RFC 9110 §9.2.1).
            at(paths::LOGOUT)
                .route(web::get().to(logout::get))
                .route(post().to(logout::post))
                .default_service(refuse_page("GET, POST")),
        )
        .service(at(paths::ACCOUNT).route(get().to(account::home)).default_service(refuse_page("GET, HEAD")))
        .service(
            at(paths::ACCOUNT_SESSIONS)
                .route(get().to(account::sessions::get))
                .route(post().to(account::sessions::post))
                .default_service(refuse_page("GET, HEAD, POST")),
        )
        .service(
            at(paths::ACCOUNT_APPLICATIONS)
                .route(get().to(account::applications::list))
                .default_service(refuse_page("GET, HEAD")),
        )
        .service(
            at(paths::WITHDRAW_ACCESS)
                .route(get().to(account::applications::ask_to_withdraw))
                .route(post().to(account::applications::withdraw))
                .default_service(refuse_page("GET, HEAD, POST")),
        )
        .service(
            at(paths::ACCOUNT_PASSWORD)
                .route(get().to(account::password::get))
                .route(post().to(account::password::post))
                .default_service(refuse_page("GET, HEAD, POST")),
        )
        .service(
            at(paths::ACCOUNT_TOKENS)
                .route(get().to(account::tokens::list))
                .default_service(refuse_page("GET, HEAD")),
        )
        .service(
            at(paths::NEW_TOKEN)
                .route(get().to(account::tokens::new))
                .route(post().to(account::tokens::make))
                .default_service(refuse_page("GET, HEAD, POST")),
        )
        .service(
            at(paths::REVOKE_TOKEN)
                .route(get().to(account::tokens::ask_to_revoke))
                .route(post().to(account::tokens::revoke))
                .default_service(refuse_page("GET, HEAD, POST")),
        )
        .service(
            at(paths::REGISTER)
                .route(post().to(registration::post))
                .route(options_of_registration())
                .default_service(registration::refuse("POST, OPTIONS")),
        )
        .service(
            at(paths::REGISTERED)
                .route(get().to(registration::get))
                .route(web::put().to(registration::put))
                .route(web::delete().to(registration::delete))
                .route(options_of_registration())
                .default_service(registration::refuse("GET, HEAD, PUT, DELETE, OPTIONS")),
        )
        .service(only(at(paths::LEAKED_TOKENS).route(post().to(leaked::post)), "POST"))
        .service(at(paths::LIVE).route(get().to(health::live)).default_service(refuse("GET, HEAD")))
        .service(at(paths::READY).route(get().to(health::ready)).default_service(refuse("GET, HEAD")))
        .service(at(paths::STYLE).route(get().to(assets::style)).default_service(refuse("GET, HEAD")))
        .service(at(paths::FAVICON).route(get().to(assets::favicon)).default_service(refuse("GET, HEAD")));
    // A Well-Known URL for Changing Passwords §2 puts it at the root of the host; behind a proxy that passes on the issuer's
    // path alone, it is there too.
    let mut change_password = vec![paths::CHANGE_PASSWORD.to_owned()];
    if !base.is_empty() {
        change_password.push(format!("{base}{}", paths::CHANGE_PASSWORD));
    }
    for path in change_password {
        let at = web::resource(path).route(get().to(account::password::well_known));
        config.service(at.default_service(refuse_page("GET, HEAD")));
    }
    let home = if base.is_empty() { paths::HOME.to_owned() } else { base.to_owned() };
    config
        .service(web::resource(home).route(get().to(assets::home)).default_service(refuse_page("GET, HEAD")));
}

/// RFC 9110 §9.1: "All general-purpose servers MUST support the methods GET and HEAD."
fn get() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

fn options() -> Route {
    web::method(actix_web::http::Method::OPTIONS).to(cors::preflight)
}

fn options_of_token() -> Route {
    web::method(actix_web::http::Method::OPTIONS).to(cors::preflight_of_token)
}

fn options_of_anyone() -> Route {
    web::method(actix_web::http::Method::OPTIONS).to(cors::preflight_of_anyone)
}

fn options_of_registration() -> Route {
    web::method(actix_web::http::Method::OPTIONS).to(registration::preflight)
}

fn only(resource: Resource, allow: &'static str) -> Resource {
    resource.default_service(refuse(allow))
}

/// RFC 9110 §15.5.6: "The origin server MUST generate an Allow header field in a 405 response".
fn refuse(allow: &'static str) -> Route {
    web::to(move || async move { errors::method_not_allowed(allow) })
}

fn refuse_page(allow: &'static str) -> Route {
    web::to(move |request: HttpRequest, app: web::Data<App>| async move {
        errors::page(
            &request,
            &app,
            pages::ErrorKind::MethodNotAllowed,
            405,
            "method_not_allowed",
            "this address does not take this method",
        )
        .with_allow(allow)
    })
}

/// Whatever has no route.
pub(super) async fn nowhere(request: HttpRequest, app: web::Data<App>) -> HttpResponse {
    errors::page(
        &request,
        &app,
        pages::ErrorKind::NotFound,
        404,
        "not_found",
        "there is no such address here",
    )
    .into()
}
