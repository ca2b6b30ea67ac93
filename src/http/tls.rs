//! TLS in the process: certificate files that are read again when they change.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Why there is no TLS; the text names the file.
#[derive(Debug)]
pub struct TlsError(pub String);

impl std::fmt::Display for TlsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Debug)]
struct Current(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// Whether the two files can be used together.
///
/// # Errors
/// With the name of the file and what is wrong with it.
pub fn check_files(certificate: &Path, key: &Path) -> Result<(), TlsError> {
    load(&Files { certificate: certificate.to_owned(), key: key.to_owned() }).map(|_| ())
}

/// The server's side of TLS, and a thread that follows the files.
pub(super) fn config(certificate: &Path, key: &Path) -> Result<ServerConfig, TlsError> {
    let files = Files { certificate: certificate.to_owned(), key: key.to_owned() };
    let current = Arc::new(Current(ArcSwap::from_pointee(load(&files)?)));
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| TlsError(e.to_string()))?
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
    // No h2: see docs/adr/0006-http-1.md.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    follow(files, &current)?;
    Ok(config)
}

fn follow(files: Files, current: &Arc<Current>) -> Result<(), TlsError> {
    let current = Arc::downgrade(current);
    let mut seen = changed_at(&files);
    let watch = move || {
        loop {
            std::thread::sleep(LOOK_EVERY);
            let Some(current) = current.upgrade() else { return };
            let now = changed_at(&files);
            if now == seen {
                continue;
            }
            match load(&files) {
                Ok(key) => {
                    current.0.store(Arc::new(key));
                    seen = now;
                    tracing::info!(certificate = %files.certificate.display(), "certificate reloaded");
                }
                // The two files change one after the other: what does not fit now fits at the next look.
                Err(error) => tracing::warn!(%error, "the new certificate cannot be used; the old one stays"),
            }
        }
    };
    std::thread::Builder::new()
        .name("certificates".to_owned())
        .spawn(watch)
        .map_err(|e| TlsError(e.to_string()))?;
    Ok(())
}

fn changed_at(files: &Files) -> [Option<SystemTime>; 2] {
    [&files.certificate, &files.key].map(|path| path.metadata().and_then(|data| data.modified()).ok())
}

fn load(files: &Files) -> Result<CertifiedKey, TlsError> {
    let named = |path: &Path, e: &dyn std::fmt::Display| TlsError(format!("{}: {e}", path.display()));
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect)
        .map_err(|e| named(&files.certificate, &e))?;
    if chain.is_empty() {
        return Err(named(&files.certificate, &"no certificate in it"));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|e| named(&files.key, &e))?;
    CertifiedKey::from_der(chain, key, &ring::default_provider())
        .map_err(|e| named(&files.certificate, &format!("does not go with {}: {e}", files.key.display())))
}
