//! A resource server: a small API that takes access tokens of one issuer and reads nothing but its published keys.
//!
//! Read on in this order: `verifier.rs` (which tokens are taken), `jwks.rs` (whose keys are trusted, and for how long),
//! `bearer.rs` (how a token comes in and how a refusal is told), `notes.rs` (the API itself).

#![expect(clippy::print_stdout, reason = "a program for the shell: it prints its address")]
#![expect(
    clippy::disallowed_methods,
    reason = "a small program of its own: it reads the clock where it needs it"
)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "tests"))]

mod bearer;
mod cors;
mod discovery;
mod jwks;
mod notes;
mod verifier;

use std::error::Error;
use std::net::SocketAddr;

use actix_web::middleware::from_fn;
use actix_web::{App, HttpResponse, HttpServer, web};
use clap::Parser;

use cors::AllowedOrigins;
use jwks::KeyStore;
use notes::{Api, BODY_LIMIT_BYTES};
use verifier::Verifier;

/// A demo API that keeps notes, guarded by access tokens.
#[derive(Parser)]
struct Args {
    /// Address to listen on; port 0 chooses a free one.
    #[arg(long, default_value = "127.0.0.1:8082")]
    listen: SocketAddr,
    /// The one issuer whose tokens are taken, written exactly as it writes itself.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    issuer: String,
    /// This API's own identifier: tokens must be meant for it.
    #[arg(long, default_value = "http://127.0.0.1:8082")]
    audience: String,
    /// Origin of a browser app that may call this API; may be given several times.
    #[arg(long, default_value = "http://127.0.0.1:8081")]
    allow_origin: Vec<String>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let keys = KeyStore::new(discovery::source(args.issuer.clone()));
    let api = web::Data::new(Api::new(Verifier::new(args.issuer, args.audience, keys)));
    let origins = web::Data::new(AllowedOrigins(args.allow_origin));

    actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            App::new()
                .app_data(api.clone())
                .app_data(origins.clone())
                .app_data(web::PayloadConfig::new(BODY_LIMIT_BYTES))
                .wrap(from_fn(cors::answer))
                .route("/notes", web::get().to(notes::list))
                .route("/notes", web::post().to(notes::add))
                .route("/health", web::get().to(|| async { HttpResponse::Ok().body("ok\n") }))
        })
        .workers(1)
        .bind(args.listen)?;
        for address in server.addrs() {
            println!("resource-server listens on http://{address}");
        }
        server.run().await
    })?;
    Ok(())
}
