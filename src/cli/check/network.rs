//! The issuer, the listeners, and what stands between them: proxies or TLS.

use std::io::ErrorKind;
use std::net::TcpListener;

use url::Url;

use crate::app::fetching;
use crate::config::Config;
use crate::fetch::Fetcher;
use crate::http::check_tls_files;

use super::Findings;

pub(super) fn issuer(config: &Config, findings: &mut Findings) {
    let issuer = match config.issuer() {
        Ok(issuer) => issuer,
        Err(problem) => return findings.problem("issuer", problem.to_string()),
    };
    findings.ok("issuer", issuer.as_str());
    let by_proxy = !config.server.trusted_proxies.is_empty();
    if issuer.is_https() && config.server.tls.is_none() && !by_proxy {
        findings.problem(
            "issuer",
            "is https, but nobody does TLS: set [server.tls], or name the proxy that does it in \
             server.trusted_proxies",
        );
    }
    let reachable_from_afar = config.server.listen.iter().any(|address| !address.ip().is_loopback());
    if !issuer.is_https() && reachable_from_afar {
        findings.problem(
            "issuer",
            "is http, but server.listen is open to other machines: passwords would travel in clear",
        );
    }
    if config.server.tls.is_some() && !by_proxy {
        let port = Url::parse(issuer.as_str()).ok().and_then(|url| url.port_or_known_default());
        if !config.server.listen.iter().any(|address| Some(address.port()) == port) {
            let port = port.unwrap_or_default();
            findings.warn("issuer", format!("has port {port}, and no address of server.listen has"));
        }
    }
}

pub(super) fn listeners(config: &Config, findings: &mut Findings) {
    for address in &config.server.listen {
        match TcpListener::bind(address) {
            Ok(_) => findings.ok("listener", format!("{address} is free")),
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                findings.warn("listener", format!("{address} is taken: by this server, if it runs already"));
            }
            Err(error) => findings.problem("listener", format!("{address}: {error}")),
        }
    }
}

pub(super) fn proxies(config: &Config, findings: &mut Findings) {
    let proxies = &config.server.trusted_proxies;
    for network in proxies.iter().filter(|network| network.net().prefix_len() == 0) {
        findings.problem(
            "proxies",
            format!("{network} trusts everybody: whoever sends X-Forwarded-For chooses the address that is throttled"),
        );
    }
    if proxies.is_empty() {
        return findings.ok("proxies", "none: X-Forwarded-For is not believed");
    }
    let listed: Vec<String> = proxies.iter().map(ToString::to_string).collect();
    findings.ok("proxies", format!("X-Forwarded-For is believed from {}", listed.join(", ")));
    let loopback_only = config.server.listen.iter().all(|address| address.ip().is_loopback());
    let loopback_trusted = config
        .server
        .listen
        .iter()
        .any(|address| proxies.iter().any(|network| network.contains(address.ip())));
    if loopback_only && !loopback_trusted {
        findings.problem(
            "proxies",
            "server.listen is on loopback, so the proxy comes from there too, and server.trusted_proxies lacks it",
        );
    }
}

pub(super) fn tls(config: &Config, findings: &mut Findings) {
    let Some(tls) = &config.server.tls else { return };
    match check_tls_files(&tls.certificate_file, &tls.private_key_file) {
        Ok(()) => findings.ok("tls", format!("{} and its key fit", tls.certificate_file.display())),
        Err(error) => findings.problem("tls", error.to_string()),
    }
}

/// The certificates that are believed when a client's address is asked. Nobody is asked here.
pub(super) fn outbound(config: &Config, findings: &mut Findings) {
    let made = fetching(config).and_then(|settings| Fetcher::new(settings).map_err(|e| e.to_string()));
    if let Err(why) = made {
        findings.problem("outbound", format!("outbound.ca_file: {why}"));
    }
    for client in &config.clients {
        let named =
            [("jwks_uri", &client.jwks_uri), ("backchannel_logout_uri", &client.backchannel_logout_uri)];
        for (key, uri) in named {
            let host = uri.as_deref().and_then(|uri| Url::parse(uri).ok()).and_then(|url| {
                url.host_str()
                    .filter(|host| *host == "localhost" || host.parse::<std::net::IpAddr>().is_ok())
                    .map(str::to_owned)
            });
            if let Some(host) = host
                && config.outbound.allow.is_empty()
            {
                let text = format!(
                    "{key} of client {} is at {host}: this server asks it only where outbound.allow names it",
                    client.id
                );
                findings.warn("outbound", text);
            }
        }
    }
}
