//! Binds, serves, and stops in order.

use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::rt::signal::unix::{Signal, SignalKind, signal};
use actix_web::web::{Data, PayloadConfig};
use actix_web::{App as ActixApp, HttpServer};
use futures_util::future::select;
use rustls::ServerConfig;
use socket2::{Domain, Protocol, Socket, Type};

use crate::app::App;
use crate::config::Config;

use super::{documents, routes, tls};

/// Connections that may wait to be taken: as many as actix-web lets wait.
const BACKLOG: i32 = 1_024;

/// SIGTERM and SIGINT, heard from here on.
struct Ends {
    terminate: Signal,
    interrupt: Signal,
}

impl Ends {
    fn heard() -> std::io::Result<Self> {
        let (terminate, interrupt) = (SignalKind::terminate(), SignalKind::interrupt());
        Ok(Self { terminate: signal(terminate)?, interrupt: signal(interrupt)? })
    }

    /// Comes with the first of either. The next SIGINT ends the process at once, for whoever does not want to wait.
    async fn asked(mut self) {
        select(pin!(self.terminate.recv()), pin!(self.interrupt.recv())).await;
        actix_web::rt::spawn(async move {
            self.interrupt.recv().await;
            std::process::exit(130);
        });
    }
}

/// Why the server does not serve.
#[derive(Debug)]
pub struct ServerError(pub String);

impl std::fmt::Display for ServerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ServerError {}

/// Whether SIGTERM and SIGINT end the server; requests under way are finished first.
enum Signals {
    Handled(Ends),
    LeftAlone,
}

/// The configured addresses, bound, and what TLS needs: had before anything is changed, so that a start that cannot
/// succeed leaves no trace, neither in an empty folder nor for the server that has the addresses. Nobody can connect yet.
pub struct Doors {
    sockets: Vec<(SocketAddr, Socket)>,
    tls: Option<ServerConfig>,
}

impl Doors {
    /// Reads the certificate and binds every configured address.
    ///
    /// # Errors
    /// When TLS cannot be set up or an address is taken.
    pub fn bind(config: &Config) -> Result<Self, ServerError> {
        let tls = tls_of(config)?;
        let bound = config.server.listen.iter().map(|address| {
            let socket = bound(*address).map_err(|error| taken(*address, &error))?;
            Ok((*address, socket))
        });
        Ok(Self { sockets: bound.collect::<Result<_, _>>()?, tls })
    }

    fn open(self) -> Result<(Vec<TcpListener>, Option<ServerConfig>), ServerError> {
        let opened = self.sockets.into_iter().map(|(address, socket)| {
            socket.listen(BACKLOG).map_err(|error| taken(address, &error))?;
            Ok(TcpListener::from(socket))
        });
        Ok((opened.collect::<Result<_, _>>()?, self.tls))
    }
}

fn bound(address: SocketAddr) -> std::io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // What is left of the connections of the server before does not keep the address.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn taken(address: SocketAddr, error: &std::io::Error) -> ServerError {
    ServerError(format!("cannot listen on {address}: {error}"))
}

fn tls_of(config: &Config) -> Result<Option<ServerConfig>, ServerError> {
    let files = config.server.tls.as_ref();
    let made = files.map(|tls| tls::config(&tls.certificate_file, &tls.private_key_file)).transpose();
    made.map_err(|e| ServerError(format!("TLS: {e}")))
}

/// Tells which addresses are bound, and serves until a signal comes.
///
/// # Errors
/// When a listener fails.
pub fn serve(
    app: Arc<App>,
    config: &Config,
    doors: Doors,
    bound: impl FnOnce(&[SocketAddr]),
) -> Result<(), ServerError> {
    actix_web::rt::System::new().block_on(async move {
        // Before anybody can connect: whoever sees the server may ask it to end.
        let ends = Ends::heard().map_err(|e| ServerError(format!("signals: {e}")))?;
        let (listeners, tls) = doors.open()?;
        let server = Server::new(app, config, listeners, tls, Signals::Handled(ends))?;
        bound(server.addresses());
        server.run().await.map_err(|e| ServerError(e.to_string()))
    })
}

/// A server that is bound and not yet running.
pub struct Server {
    server: actix_web::dev::Server,
    addresses: Vec<SocketAddr>,
}

impl Server {
    /// Serves on listeners that are bound already; whoever holds its handle stops it. Must be called where an actix system
    /// runs.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn on(app: Arc<App>, config: &Config, listeners: Vec<TcpListener>) -> Result<Self, ServerError> {
        Self::new(app, config, listeners, tls_of(config)?, Signals::LeftAlone)
    }

    fn new(
        app: Arc<App>,
        config: &Config,
        listeners: Vec<TcpListener>,
        tls: Option<ServerConfig>,
        signals: Signals,
    ) -> Result<Self, ServerError> {
        let data = Data::from(app);
        let cache = Data::new(documents::Cache::default());
        let base = data.site.base.clone();
        let mut server = HttpServer::new(move || {
            let base = base.clone();
            ActixApp::new()
                .app_data(data.clone())
                .app_data(cache.clone())
                .app_data(PayloadConfig::new(data.site.max_body_bytes))
                .configure(move |config| routes::configure(config, &base))
                .default_service(actix_web::web::to(routes::nowhere))
        })
        .client_request_timeout(Duration::from_millis(u64::from(config.server.client_timeout_ms)))
        .keep_alive(Duration::from_secs(u64::from(config.server.keep_alive_s)))
        .shutdown_timeout(u64::from(config.server.shutdown_timeout_s));
        server = match signals {
            Signals::Handled(ends) => server.shutdown_signal(ends.asked()),
            Signals::LeftAlone => server.disable_signals(),
        };
        if config.server.workers > 0 {
            server = server.workers(config.server.workers);
        }
        let mut addresses = Vec::new();
        for listener in listeners {
            addresses.extend(listener.local_addr());
            server = match &tls {
                Some(tls) => server.listen_rustls_0_23(listener, tls.clone()),
                None => server.listen(listener),
            }
            .map_err(|e| ServerError(e.to_string()))?;
        }
        Ok(Self { server: server.run(), addresses })
    }

    /// Where it listens.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Stops it from elsewhere.
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        self.server.handle()
    }

    /// Serves until it is stopped.
    ///
    /// # Errors
    /// When the listeners fail.
    pub async fn run(self) -> std::io::Result<()> {
        self.server.await
    }
}
