//! Who sent a request: the peer of the connection, or what a trusted proxy says of it.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::HttpRequest;

use crate::app::App;

/// The address to count attempts by. `X-Forwarded-For` is read from its right end, as far as trusted proxies wrote it.
pub(super) fn address(request: &HttpRequest, app: &App) -> IpAddr {
    let direct =
        request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip().to_canonical());
    let trusted = |address: IpAddr| app.site.trusted_proxies.iter().any(|network| network.contains(address));
    if !trusted(direct) {
        return direct;
    }
    let mut address = direct;
    let named: Vec<&str> = request
        .headers()
        .get_all("x-forwarded-for")
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    for text in named.into_iter().rev() {
        if !trusted(address) {
            break;
        }
        match text.parse::<IpAddr>() {
            Ok(next) => address = next.to_canonical(),
            Err(_) => break,
        }
    }
    address
}
