//! A confidential client: a web app whose server keeps a secret and the user's tokens. The browser gets a cookie.
//!
//! Read on in this order: `oauth.rs` (what is said to the issuer), `id_token.rs` (who signed in, and how that is known),
//! `session.rs` (what is kept, and under which name), `web.rs` (the pages).
//! With `--client-credentials` it is a service instead: no user, no browser, one call of the API.

#![expect(
    clippy::print_stdout,
    reason = "a program for the shell: it prints its address, or the API's answer"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "a small program of its own: it reads the clock where it needs it"
)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod id_token;
mod oauth;
mod page;
mod session;
mod web;

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;

use actix_web::web::{Data, get, post};
use actix_web::{App, HttpServer};
use clap::Parser;

use oauth::{Client, Settings};
use web::Site;

/// A demo web app with a secret, or a demo service.
#[derive(Parser)]
struct Args {
    /// Address to listen on; port 0 chooses a free one (then give --public-url too).
    #[arg(long, default_value = "127.0.0.1:8083")]
    listen: SocketAddr,
    /// Where browsers find this app, without a slash at the end [default: http://LISTEN]. Its redirect URI is
    /// PUBLIC-URL/callback.
    #[arg(long)]
    public_url: Option<String>,
    /// The issuer, written exactly as it writes itself.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    issuer: String,
    /// This client's name at the issuer.
    #[arg(long, default_value = "demo-web")]
    client_id: String,
    /// File with the secret. Not an argument of its own: arguments can be read by everybody on the machine.
    #[arg(long)]
    client_secret_file: PathBuf,
    /// The API to call; also the `resource` that tokens are asked for.
    #[arg(long, default_value = "http://127.0.0.1:8082")]
    api: String,
    /// Scope to ask for [default: "openid profile offline_access notes:read", or "notes:read" for a service].
    #[arg(long)]
    scope: Option<String>,
    /// Get a token as a service, call the API once, print the answer.
    #[arg(long)]
    client_credentials: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let secret = std::fs::read_to_string(&args.client_secret_file)
        .map_err(|error| format!("{}: {error}", args.client_secret_file.display()))?;
    let public_url = args.public_url.unwrap_or_else(|| format!("http://{}", args.listen));
    let usual =
        if args.client_credentials { "notes:read" } else { "openid profile offline_access notes:read" };
    let client = Client::new(Settings {
        issuer: args.issuer,
        client_id: args.client_id,
        secret: secret.trim_end_matches(['\r', '\n']).to_owned(),
        redirect_uri: format!("{public_url}/callback"),
        scope: args.scope.unwrap_or_else(|| usual.to_owned()),
        api: args.api,
    });

    if args.client_credentials {
        let tokens = client.client_credentials().map_err(|trouble| trouble.to_string())?;
        let answer = client.call_api(&tokens.access_token).map_err(|trouble| trouble.to_string())?;
        println!("{answer:#}");
        return Ok(());
    }

    let site = Data::new(Site::new(client, public_url));
    actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            App::new()
                .app_data(site.clone())
                .wrap(web::headers())
                .route("/", get().to(web::home))
                .route("/login", get().to(web::login))
                .route("/callback", get().to(web::callback))
                .route("/notes", get().to(web::notes))
                .route("/logout", post().to(web::logout))
        })
        .workers(1)
        .bind(args.listen)?;
        for address in server.addrs() {
            println!("confidential-client listens on http://{address}");
        }
        server.run().await
    })?;
    Ok(())
}
