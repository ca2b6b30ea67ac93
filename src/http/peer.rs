//! Who sent a request: the peer of the connection, or what a trusted proxy says of it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Once;

use actix_web::HttpRequest;
use actix_web::http::header;

use crate::app::App;

/// The address to count attempts by. `X-Forwarded-For` is read from its right end, as far as trusted proxies wrote it.
pub(super) fn address(request: &HttpRequest, app: &App) -> IpAddr {
    let direct =
        request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip().to_canonical());
    let trusted = |address: IpAddr| app.site.trusted_proxies.iter().any(|network| network.contains(address));
    let is_proxy = trusted(direct);
    explain_proxy(request, app, direct, is_proxy);
    if !is_proxy {
        return direct;
    }
    let mut address = direct;
    // What a client wrote in front may be no text at all; what the proxy wrote behind it counts all the same.
    let lines = request.headers().get_all(header::X_FORWARDED_FOR);
    let lines: Vec<_> = lines.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    let named: Vec<&str> = lines.iter().flat_map(|line| line.split(',')).map(str::trim).collect();
    for text in named.into_iter().rev() {
        if !trusted(address) {
            break;
        }
        // Some proxies write the port too.
        let next = text.parse::<IpAddr>().or_else(|_| text.parse::<SocketAddr>().map(|next| next.ip()));
        match next {
            Ok(next) => address = next.to_canonical(),
            Err(_) => break,
        }
    }
    address
}

/// The two mistakes that people make with a proxy in front, each told once: its headers are not believed, so that everybody
/// shares one throttle; or it passes on what came by http under an https issuer, where no cookie will come back.
fn explain_proxy(request: &HttpRequest, app: &App, direct: IpAddr, is_trusted: bool) {
    static UNTRUSTED: Once = Once::new();
    static PLAIN: Once = Once::new();
    let headers = request.headers();
    if !is_trusted && headers.contains_key(header::X_FORWARDED_FOR) {
        UNTRUSTED.call_once(|| {
            tracing::warn!(
                peer = %direct,
                "X-Forwarded-For is not believed: if this peer is your proxy, name it in server.trusted_proxies"
            );
        });
    }
    let by_http = || headers.get(header::X_FORWARDED_PROTO).is_some_and(|value| value == "http");
    if is_trusted && app.site.secure && by_http() {
        PLAIN.call_once(|| {
            tracing::warn!(
                peer = %direct,
                issuer = app.site.issuer,
                "the proxy passes on a request that came by http, but the issuer is https: redirect it there"
            );
        });
    }
}
