//! TLS in the process: the configured certificate is served, and a new one without a restart.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign::http::check_tls_files;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, IpAddr, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::support::TestServer;
use super::support::server::Setup;

struct Made {
    certificate: CertificateDer<'static>,
    certificate_pem: String,
    key_pem: String,
}

fn make() -> Made {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    Made {
        certificate: made.cert.der().clone(),
        certificate_pem: made.cert.pem(),
        key_pem: made.signing_key.serialize_pem(),
    }
}

impl Made {
    fn write(&self, folder: &Path) {
        std::fs::write(folder.join("tls.key"), &self.key_pem).unwrap();
        std::fs::write(folder.join("tls.pem"), &self.certificate_pem).unwrap();
    }
}

fn start(folder: &Path) -> TestServer {
    let server = format!(
        "tls = {{ certificate_file = {:?}, private_key_file = {:?} }}",
        folder.join("tls.pem"),
        folder.join("tls.key")
    );
    TestServer::with(Setup { https: true, server, ..Setup::default() })
}

fn connect(server: &TestServer, trusted: &Made, alpn: &[&[u8]]) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.certificate.clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    let name = ServerName::IpAddress(IpAddr::try_from("127.0.0.1").unwrap());
    let socket = TcpStream::connect(server.base.strip_prefix("http://").unwrap()).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), socket)
}

/// The answer to a GET, by a client that trusts this certificate only.
fn get(server: &TestServer, trusted: &Made, path: &str) -> std::io::Result<String> {
    let mut stream = connect(server, trusted, &[b"http/1.1"]);
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes())?;
    let mut text = String::new();
    // The server closes without ceremony after the answer.
    match stream.read_to_string(&mut text) {
        Err(error) if text.is_empty() => Err(error),
        _ => Ok(text),
    }
}

#[test]
fn the_certificate_is_served_and_a_new_one_is_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (make(), make());
    first.write(folder.path());
    let server = start(folder.path());
    let page = get(&server, &first, "/").unwrap();
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(page.contains("strict-transport-security: max-age=31536000"), "{page}");
    let document = get(&server, &first, "/.well-known/openid-configuration").unwrap();
    assert!(document.contains(&format!("\"issuer\":\"{}\"", server.issuer)), "{document}");
    assert!(get(&server, &second, "/").is_err());

    second.write(folder.path());
    let start = Instant::now();
    while get(&server, &second, "/").is_err() {
        assert!(start.elapsed() < Duration::from_secs(10), "the new certificate is not served");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(get(&server, &first, "/").is_err());
}

/// One HTTP/2 connection could open any number of requests, and take all memory: docs/adr/0006-http-1.md.
#[test]
fn http_1_is_spoken_whatever_the_client_knows() {
    let folder = tempfile::tempdir().unwrap();
    let made = make();
    made.write(folder.path());
    let server = start(folder.path());
    for offered in [&[&b"h2"[..], b"http/1.1"][..], &[b"http/1.1"]] {
        let mut stream = connect(&server, &made, offered);
        stream.conn.complete_io(&mut stream.sock).unwrap();
        assert_eq!(stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
    }
}

#[test]
fn plain_http_is_not_answered_on_a_tls_port() {
    let folder = tempfile::tempdir().unwrap();
    make().write(folder.path());
    let server = start(folder.path());
    let answer = server.client().raw(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    assert_eq!((answer.status, answer.body.contains("html")), (0, false), "{answer:?}");
}

#[test]
fn files_that_do_not_go_together_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (make(), make());
    one.write(folder.path());
    let (certificate, key) = (folder.path().join("tls.pem"), folder.path().join("tls.key"));
    check_tls_files(&certificate, &key).unwrap();
    for (what, text) in [("another's key", other.key_pem.as_str()), ("no key", "nothing"), ("empty", "")] {
        std::fs::write(&key, text).unwrap();
        let error = check_tls_files(&certificate, &key).unwrap_err().to_string();
        assert!(error.contains("tls.key"), "{what}: {error}");
    }
    std::fs::write(&key, &one.key_pem).unwrap();
    for (what, text) in [("a key", one.key_pem.as_str()), ("empty", "")] {
        std::fs::write(&certificate, text).unwrap();
        let error = check_tls_files(&certificate, &key).unwrap_err().to_string();
        assert!(error.contains("tls.pem"), "{what}: {error}");
    }
    std::fs::remove_file(&certificate).unwrap();
    assert!(check_tls_files(&certificate, &key).unwrap_err().to_string().contains("tls.pem"));
}
