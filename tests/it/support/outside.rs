//! Somebody else's https server, on a port of 127.0.0.1: where clients keep their keys, and where they are told of logouts.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ProtocolVersion, ServerConfig, ServerConnection, StreamOwned};

/// What it was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    /// The version of TLS that was agreed upon.
    pub tls: Option<ProtocolVersion>,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// A parameter of the form in the body.
    pub fn form(&self, name: &str) -> Option<String> {
        let pairs = url::form_urlencoded::parse(self.body.as_bytes()).into_owned();
        pairs.into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }
}

/// What it says.
#[derive(Clone, Debug)]
pub enum Says {
    Answer {
        status: u16,
        headers: Vec<(String, String)>,
        body: String,
    },
    /// These bytes, whatever they mean.
    Bytes(Vec<u8>),
    /// The head of an answer, and then nothing until the other side hangs up.
    Silence,
    /// An answer without an end.
    Flood,
}

impl Says {
    pub fn status(status: u16) -> Self {
        Self::Answer { status, headers: Vec::new(), body: String::new() }
    }

    pub fn json(body: &str) -> Self {
        Self::json_for(body, None)
    }

    pub fn json_for(body: &str, max_age_s: Option<i64>) -> Self {
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        headers.extend(max_age_s.map(|s| ("cache-control".to_owned(), format!("public, max-age={s}"))));
        Self::Answer { status: 200, headers, body: body.to_owned() }
    }
}

type Handler = Box<dyn Fn(&Asked) -> Says + Send + Sync>;

struct Shared {
    asked: Mutex<Vec<Asked>>,
    more: Condvar,
    handler: Mutex<Handler>,
    stop: AtomicBool,
}

pub struct Outside {
    pub address: SocketAddr,
    /// The certificate to believe, in PEM.
    pub certificate_pem: String,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Outside {
    /// Its certificate is for `127.0.0.1` and `localhost`.
    pub fn start(handler: impl Fn(&Asked) -> Says + Send + Sync + 'static) -> Self {
        Self::named(&["127.0.0.1", "localhost"], handler)
    }

    pub fn named(names: &[&str], handler: impl Fn(&Asked) -> Says + Send + Sync + 'static) -> Self {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            asked: Mutex::default(),
            more: Condvar::new(),
            handler: Mutex::new(Box::new(handler)),
            stop: AtomicBool::new(false),
        });
        let for_thread = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            for socket in listener.incoming() {
                if for_thread.stop.load(Ordering::SeqCst) {
                    return;
                }
                let (shared, config) = (Arc::clone(&for_thread), Arc::clone(&config));
                std::thread::spawn(move || serve(&shared, config, socket.unwrap()));
            }
        });
        Self { address, certificate_pem: made.cert.pem(), shared, thread: Some(thread) }
    }

    pub fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.address)
    }

    /// From now on it says this.
    pub fn says(&self, handler: impl Fn(&Asked) -> Says + Send + Sync + 'static) {
        *self.shared.handler.lock().unwrap() = Box::new(handler);
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// Waits until it was asked so many times.
    pub fn wait_for(&self, count: usize) -> Vec<Asked> {
        let asked = self.shared.asked.lock().unwrap();
        let in_time = Duration::from_secs(20);
        let (asked, late) =
            self.shared.more.wait_timeout_while(asked, in_time, |asked| asked.len() < count).unwrap();
        assert!(!late.timed_out(), "asked {} times, not {count}", asked.len());
        asked.clone()
    }

    /// TOML that lets a server believe this one and reach it.
    pub fn toml(&self, folder: &Path) -> String {
        let file = self.write_certificate(folder);
        format!("[outbound]\nca_file = {file:?}\nallow = [\"127.0.0.1\"]\ntimeout_ms = 3000\n")
    }

    pub fn write_certificate(&self, folder: &Path) -> PathBuf {
        let file = folder.join(format!("outside-{}.pem", self.address.port()));
        std::fs::write(&file, &self.certificate_pem).unwrap();
        file
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// One request, one answer. Whoever does not believe the certificate hangs up, and that is no fault here.
fn serve(shared: &Shared, config: Arc<ServerConfig>, socket: TcpStream) {
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), socket);
    let Some(asked) = read(&mut stream) else { return };
    let says = (shared.handler.lock().unwrap())(&asked);
    shared.asked.lock().unwrap().push(asked);
    shared.more.notify_all();
    let _ = say(&mut stream, says);
    stream.conn.send_close_notify();
    let _ = stream.flush();
}

fn read(stream: &mut StreamOwned<ServerConnection, TcpStream>) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let (method, path) = line.split_once(' ')?;
    let (method, path) = (method.to_owned(), path.split(' ').next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_owned(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    let tls = reader.into_inner().conn.protocol_version();
    Some(Asked { method, path, headers, body: String::from_utf8_lossy(&body).into_owned(), tls })
}

fn say(stream: &mut StreamOwned<ServerConnection, TcpStream>, says: Says) -> std::io::Result<()> {
    match says {
        Says::Answer { status, headers, body } => {
            let mut head = format!("HTTP/1.1 {status} Said\r\ncontent-length: {}\r\n", body.len());
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            stream.write_all(format!("{head}\r\n{body}").as_bytes())
        }
        Says::Bytes(bytes) => stream.write_all(&bytes),
        Says::Silence => {
            stream.write_all(b"HTTP/1.1 200 Said\r\ncontent-length: 10\r\n\r\n1")?;
            stream.flush()?;
            let _ = stream.read(&mut [0; 1]);
            Ok(())
        }
        Says::Flood => {
            stream.write_all(b"HTTP/1.1 200 Said\r\ntransfer-encoding: chunked\r\n\r\n")?;
            loop {
                stream.write_all(format!("400\r\n{}\r\n", "x".repeat(0x400)).as_bytes())?;
            }
        }
    }
}
