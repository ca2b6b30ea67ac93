//! Whose certificates are believed: those that the machine believes, and the operator's own.

use std::sync::Arc;

use rustls::crypto::ring;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};

/// The operator's certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// Not PEM.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// PEM of something else.
    #[error("there is no certificate in it")]
    Empty,
}

pub(super) fn tls(ca_pem: Option<&[u8]>) -> Result<TlsConfig, TrustError> {
    let mut trusted = of_the_machine();
    if let Some(pem) = ca_pem {
        let own = certificates(pem)?;
        if own.is_empty() {
            return Err(TrustError::Empty);
        }
        trusted.extend(own);
    }
    if trusted.is_empty() {
        tracing::warn!(
            "this machine has no certificate authorities: nothing that a client names can be fetched. Install the package \
             ca-certificates, or set outbound.ca_file"
        );
    }
    Ok(TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
        .root_certs(RootCerts::new_with_certs(&trusted))
        .build())
}

/// What cannot be read of them is left out, as other programs do.
fn of_the_machine() -> Vec<Certificate<'static>> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::debug!(%error, "a certificate authority of this machine cannot be read");
    }
    found.certs.iter().map(|der| Certificate::from_der(der).to_owned()).collect()
}

fn certificates(pem: &[u8]) -> Result<Vec<Certificate<'static>>, TrustError> {
    let mut found = Vec::new();
    for item in parse_pem(pem) {
        // A private key beside it is of no use here, and no harm.
        if let PemItem::Certificate(certificate) = item.map_err(|e| TrustError::Unreadable(e.to_string()))? {
            found.push(certificate);
        }
    }
    Ok(found)
}
