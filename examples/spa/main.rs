//! Serves the single-page app: a handful of files, one of them made from the arguments, and a strict policy.
//!
//! What is worth reading is `app.js`. This program could be any web server that sends the headers below.

#![expect(clippy::print_stdout, reason = "a program for the shell: it prints its address")]

use std::error::Error;
use std::net::SocketAddr;

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::middleware::DefaultHeaders;
use actix_web::{App, HttpResponse, HttpServer, web};
use clap::Parser;
use serde_json::json;
use url::Url;

/// The demo single-page app.
#[derive(Parser)]
struct Args {
    /// Address to listen on; port 0 chooses a free one.
    #[arg(long, default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
    /// The issuer to sign in with, written exactly as it writes itself.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    issuer: Url,
    /// This app's client_id at the issuer. The redirect URIs registered for it are this app's `/` and `/silent.html`.
    #[arg(long, default_value = "demo-spa")]
    client_id: String,
    /// The API to call; also the `resource` that tokens are asked for.
    #[arg(long, default_value = "http://127.0.0.1:8082")]
    api: Url,
}

/// path, content type, content
const FILES: [(&str, &str, &str); 6] = [
    ("/", "text/html; charset=utf-8", include_str!("index.html")),
    ("/silent.html", "text/html; charset=utf-8", include_str!("silent.html")),
    ("/app.js", "text/javascript; charset=utf-8", include_str!("app.js")),
    ("/oidc.js", "text/javascript; charset=utf-8", include_str!("oidc.js")),
    ("/silent.js", "text/javascript; charset=utf-8", include_str!("silent.js")),
    ("/style.css", "text/css; charset=utf-8", include_str!("style.css")),
];
const ICON: &str = include_str!("favicon.svg");

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let policy = content_security_policy(&args.issuer, &args.api);
    let config = json!({
        "issuer": without_root_slash(&args.issuer),
        "client_id": args.client_id,
        "api": without_root_slash(&args.api),
    });

    actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            let headers = DefaultHeaders::new()
                .add((CONTENT_SECURITY_POLICY, policy.as_str()))
                // The address of this page may hold a code for a moment. It is no other site's business.
                .add((REFERRER_POLICY, "no-referrer"))
                .add((X_CONTENT_TYPE_OPTIONS, "nosniff"))
                .add((CACHE_CONTROL, "no-cache"));
            let config = config.clone();
            let mut app = App::new().wrap(headers).route(
                "/config.json",
                web::get().to(move || {
                    let config = config.clone();
                    async move { HttpResponse::Ok().json(config) }
                }),
            );
            for (path, content_type, content) in
                FILES.into_iter().chain([("/favicon.svg", "image/svg+xml", ICON)])
            {
                app = app.route(
                    path,
                    web::get().to(move || async move {
                        HttpResponse::Ok().insert_header((CONTENT_TYPE, content_type)).body(content)
                    }),
                );
            }
            app
        })
        .workers(1)
        .bind(args.listen)?;
        for address in server.addrs() {
            println!("spa listens on http://{address}");
        }
        server.run().await
    })?;
    Ok(())
}

/// A token in a page is as safe as the page's scripts: only its own run, and they talk to two places. The issuer may be
/// framed (silent renewal), and this app only by itself (`silent.html`).
fn content_security_policy(issuer: &Url, api: &Url) -> String {
    let issuer = issuer.origin().ascii_serialization();
    let api = api.origin().ascii_serialization();
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
         connect-src 'self' {issuer} {api}; frame-src 'self' {issuer}; frame-ancestors 'self'; \
         base-uri 'none'; form-action 'self'"
    )
}

/// `Url` writes `http://host` as `http://host/`. Issuers and resources are compared character by character, and those
/// without a path are written without the slash.
fn without_root_slash(url: &Url) -> &str {
    if url.path() == "/" { url.as_str().trim_end_matches('/') } else { url.as_str() }
}

#[cfg(test)]
mod tests {
    use super::{content_security_policy, without_root_slash};
    use url::Url;

    #[test]
    fn the_policy_names_origins_without_paths() -> Result<(), url::ParseError> {
        let policy = content_security_policy(
            &Url::parse("https://id.example:8443/tenant")?,
            &Url::parse("https://api.example/v1")?,
        );
        assert!(policy.contains("connect-src 'self' https://id.example:8443 https://api.example;"));
        assert!(policy.contains("frame-src 'self' https://id.example:8443;"));
        assert!(!policy.contains("unsafe"));
        Ok(())
    }

    #[test]
    fn an_issuer_keeps_its_path_and_gains_no_slash() -> Result<(), url::ParseError> {
        for issuer in ["http://127.0.0.1:8080", "https://id.example/tenant", "https://id.example/tenant/"] {
            assert_eq!(without_root_slash(&Url::parse(issuer)?), issuer);
        }
        Ok(())
    }
}
