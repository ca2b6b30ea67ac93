//! A plain HTTP client, a browser that keeps cookies, and a socket for what no client would send.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::crypto::ring;
use serde_json::Value;
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};

/// An answer, read whole.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn headers_of(&self, name: &str) -> Vec<&str> {
        self.headers
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
            .collect()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {} {}", self.status, self.body))
    }

    pub fn text(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.body)).to_owned()
    }

    /// `error`, checked to be a proper error of the token endpoint.
    pub fn error(&self) -> String {
        assert!(self.status >= 400, "{} {}", self.status, self.body);
        assert_eq!(self.header("cache-control"), Some("no-store"), "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        assert!(self.json()["error_description"].is_string());
        self.text("error")
    }

    pub fn location(&self) -> &str {
        self.header("location").unwrap_or_else(|| panic!("no Location: {} {}", self.status, self.body))
    }

    /// A parameter of the Location.
    pub fn sent(&self, name: &str) -> Option<String> {
        query_of(self.location()).remove(name)
    }

    /// The value of a hidden field.
    pub fn field(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let start =
            self.body.find(&mark).unwrap_or_else(|| panic!("no field {name}: {}", self.body)) + mark.len();
        let end = start + self.body[start..].find('"').unwrap();
        self.body[start..end].to_owned()
    }

    /// The wire, with what changes at every run taken out.
    pub fn wire(&self, names: &[&str]) -> String {
        let mut text = format!("{}\n", self.status);
        for name in names {
            for value in self.headers_of(name) {
                text.push_str(&format!("{name}: {value}\n"));
            }
        }
        text.push('\n');
        text.push_str(&self.body);
        text
    }
}

pub fn query_of(url: &str) -> BTreeMap<String, String> {
    url::Url::parse(url).unwrap().query_pairs().into_owned().collect()
}

pub fn form(pairs: &[(&str, &str)]) -> String {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    pairs.iter().map(|(n, v)| format!("{}={}", encode(n), encode(v))).collect::<Vec<_>>().join("&")
}

pub fn basic(id: &str, secret: &str) -> String {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(id), encode(secret))))
}

/// Asks one server.
#[derive(Clone)]
pub struct Client {
    base: String,
    agent: ureq::Agent,
}

impl Client {
    pub fn new(base: &str) -> Self {
        Self::with(base, TlsConfig::default())
    }

    /// Over TLS; it believes this certificate (PEM) and no other.
    pub fn trusting(base: &str, certificate_pem: &str) -> Self {
        let certificate = Certificate::from_pem(certificate_pem.as_bytes()).unwrap();
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
            .root_certs(RootCerts::new_with_certs(&[certificate]));
        Self::with(base, tls.build())
    }

    fn with(base: &str, tls: TlsConfig) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .tls_config(tls)
            .build()
            .new_agent();
        Self { base: base.to_owned(), agent }
    }

    pub fn base(&self) -> String {
        self.base.clone()
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "")
    }

    pub fn post(&self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        self.send("POST", path, &[("content-type", "application/x-www-form-urlencoded")], &form(pairs))
    }

    pub fn post_as(&self, id: &str, secret: &str, path: &str, pairs: &[(&str, &str)]) -> Answer {
        let authorization = basic(id, secret);
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("authorization", authorization.as_str()),
        ];
        self.send("POST", path, &headers, &form(pairs))
    }

    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.try_send(method, path, headers, body).unwrap_or_else(|e| panic!("{method} {path}: {e}"))
    }

    /// The same against a server that may die meanwhile.
    pub fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer, ureq::Error> {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) };
        let mut request = ureq::http::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = if method == "GET" || method == "OPTIONS" || method == "HEAD" {
            self.agent.run(request.body(()).unwrap())
        } else {
            self.agent.run(request.body(body.to_owned()).unwrap())
        }?;
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let status = response.status().as_u16();
        let body = response.body_mut().read_to_string()?;
        Ok(Answer { status, headers, body })
    }

    /// Sends bytes as they are and reads until the server closes or falls silent.
    pub fn raw(&self, request: &[u8]) -> Answer {
        let url = url::Url::parse(&self.base).unwrap();
        let mut socket = TcpStream::connect((url.host_str().unwrap(), url.port().unwrap())).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        // A server that refuses early closes early: the rest of a long request may fail to go out.
        let _ = socket.write_all(request);
        let mut read = Vec::new();
        let mut buffer = [0; 4096];
        while let Ok(count) = socket.read(&mut buffer) {
            if count == 0 {
                break;
            }
            read.extend_from_slice(&buffer[..count]);
            if complete(&read) {
                break;
            }
        }
        parse(&String::from_utf8_lossy(&read))
    }
}

fn complete(read: &[u8]) -> bool {
    let text = String::from_utf8_lossy(read);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    length.is_some_and(|length: usize| body.len() >= length)
}

fn parse(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or(0);
    let headers =
        lines.filter_map(|line| line.split_once(": ")).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    Answer { status, headers, body: body.to_owned() }
}

/// A browser without a screen: keeps cookies, follows nothing by itself.
#[derive(Clone)]
pub struct Browser {
    pub client: Client,
    pub cookies: BTreeMap<String, String>,
    pub headers: Vec<(String, String)>,
}

impl Browser {
    pub fn new(base: &str) -> Self {
        Self::of(Client::new(base))
    }

    pub fn of(client: Client) -> Self {
        Self { client, cookies: BTreeMap::new(), headers: Vec::new() }
    }

    pub fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, "")
    }

    pub fn post(&mut self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        self.send("POST", path, &form(pairs))
    }

    fn send(&mut self, method: &str, path: &str, body: &str) -> Answer {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let mut headers: Vec<(&str, &str)> =
            self.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        if !cookies.is_empty() {
            headers.push(("cookie", &cookies));
        }
        if method == "POST" {
            headers.push(("content-type", "application/x-www-form-urlencoded"));
        }
        let path = self.absolute(path);
        let answer = self.client.send(method, &path, &headers, body);
        for cookie in answer.headers_of("set-cookie") {
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if value.is_empty() || rest.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    /// Locations of this server are paths from its root; the base may have a path of its own.
    fn absolute(&self, path: &str) -> String {
        let base = url::Url::parse(&self.client.base).unwrap();
        let prefix = base.path().trim_end_matches('/');
        // `/auth/login` lies below `/auth`, `/authorize` does not.
        let below = path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if path.starts_with('/') && !prefix.is_empty() && below {
            return format!("{}{path}", base.origin().ascii_serialization());
        }
        path.to_owned()
    }

    /// Follows redirects within this server; stops at a page or at a redirect that leaves.
    pub fn follow(&mut self, mut answer: Answer) -> Answer {
        for _ in 0..10 {
            let Some(location) = answer.header("location").map(str::to_owned) else { return answer };
            if !location.starts_with('/') {
                return answer;
            }
            answer = self.get(&location);
        }
        panic!("redirected in a circle: {}", answer.location());
    }

    /// Fills in the login page.
    pub fn log_in(&mut self, page: &Answer, username: &str, password: &str) -> Answer {
        let (request, csrf) = (page.field("request"), page.field("csrf"));
        let path = action_of(page);
        let form =
            [("request", request.as_str()), ("csrf", &csrf), ("username", username), ("password", password)];
        let answer = self.post(&path, &form);
        self.follow(answer)
    }

    /// Answers the consent or logout page.
    pub fn decide(&mut self, page: &Answer, decision: &str) -> Answer {
        let (request, csrf) = (page.field("request"), page.field("csrf"));
        let path = action_of(page);
        let answer = self.post(&path, &[("request", &request), ("csrf", &csrf), ("decision", decision)]);
        self.follow(answer)
    }
}

/// Where the form of a page goes.
fn action_of(page: &Answer) -> String {
    let mark = "action=\"";
    let start = page.body.find(mark).unwrap_or_else(|| panic!("no form: {}", page.body)) + mark.len();
    let end = start + page.body[start..].find('"').unwrap();
    page.body[start..end].to_owned()
}
