//! Redirection URIs (RFC 6749 §3.1.2, RFC 9700 §2.1, RFC 8252 §7.1 and §7.3): what may be registered, and what matches.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::Origin;

/// The longest redirection URI, in bytes.
pub const MAX_REDIRECT_URI_BYTES: usize = 2048;

/// The parameters of an authorization response: RFC 6749 §4.1.2 and §4.1.2.1, RFC 9207 §2, Session Management 1.0 §2, and
/// `response` of JARM §2.1.
const RESPONSE: [&str; 8] =
    ["code", "state", "iss", "error", "error_description", "error_uri", "session_state", "response"];
/// The parameters that come back after a logout (RP-Initiated Logout 1.0 §3).
const LOGOUT_RESPONSE: [&str; 1] = ["state"];

/// A registered redirection URI, kept exactly as it was given.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RedirectUri(String);

impl RedirectUri {
    /// As it was registered.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// RFC 9700 §4.1.3: "exact string matching"; and for native apps RFC 8252 §7.3: "The authorization server MUST allow
    /// any port to be specified at the time of the request for loopback IP redirect URIs".
    #[must_use]
    pub fn matches(&self, presented: &str, any_loopback_port: bool) -> bool {
        if self.0 == presented {
            return true;
        }
        any_loopback_port
            && match (split_loopback(&self.0), split_loopback(presented)) {
                (Some(registered), Some(presented)) => registered == presented,
                _ => false,
            }
    }

    /// Whether it may be registered for authorization responses.
    ///
    /// # Errors
    /// When its query has a parameter of those: it would come back twice, and who reads the first of the two reads the wrong
    /// one.
    pub fn takes_response(&self) -> Result<(), String> {
        self.is_free_of(&RESPONSE)
    }

    /// Whether it may be registered as a post-logout redirection URI.
    ///
    /// # Errors
    /// When its query has a `state` already.
    pub fn takes_logout_response(&self) -> Result<(), String> {
        self.is_free_of(&LOGOUT_RESPONSE)
    }

    /// RFC 6749 §3.1: "Request and response parameters MUST NOT be included more than once."
    fn is_free_of(&self, names: &[&str]) -> Result<(), String> {
        let Ok(url) = Url::parse(&self.0) else { return Ok(()) };
        let found = url.query_pairs().find(|(name, _)| names.contains(&name.as_ref()));
        found.map_or(Ok(()), |(name, _)| {
            Err(format!(
                "{self}: its query has {name}, which this server's answer has too; rename it (RFC 6749 §3.1)"
            ))
        })
    }

    /// The host a person would recognise, or the scheme of a private-use URI.
    #[must_use]
    pub fn shown_host(&self) -> String {
        shown_host(&self.0)
    }

    /// The web origin (RFC 6454) of an http or https URI, for CORS.
    #[must_use]
    pub fn origin(&self) -> Option<String> {
        origin_of(&self.0)
    }
}

/// The web origin (RFC 6454) of an http or https URI; nothing where it is no origin that a header could name.
#[must_use]
pub fn origin_of(uri: &str) -> Option<String> {
    let url = Url::parse(uri).ok()?;
    let origin: Origin = url.origin().ascii_serialization().parse().ok()?;
    Some(origin.to_string())
}

/// The host of a presented URI, for the consent page.
#[must_use]
pub fn shown_host(uri: &str) -> String {
    match Url::parse(uri) {
        Ok(url) => match (url.host_str(), url.port()) {
            (Some(host), None) => host.to_owned(),
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (None, _) => format!("{}:", url.scheme()),
        },
        Err(_) => String::new(),
    }
}

/// `http://127.0.0.1:PORT/rest` or `http://[::1]:PORT/rest` as host and rest, the port left out. Only the two literals:
/// RFC 8252 §8.3 says that `localhost` is not recommended, and `localhost.attacker.example` begins like it.
fn split_loopback(uri: &str) -> Option<(&'static str, &str)> {
    for host in ["http://127.0.0.1", "http://[::1]"] {
        let Some(rest) = uri.strip_prefix(host) else {
            continue;
        };
        let rest = match rest.strip_prefix(':') {
            Some(after) => {
                let digits = after.bytes().take_while(u8::is_ascii_digit).count();
                after[..digits].parse::<u16>().ok().filter(|port| *port > 0)?;
                &after[digits..]
            }
            None => rest,
        };
        if rest.is_empty() || rest.starts_with('/') || rest.starts_with('?') {
            return Some((host, rest));
        }
    }
    None
}

/// Whether a host is this machine.
#[must_use]
pub fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

impl FromStr for RedirectUri {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() > MAX_REDIRECT_URI_BYTES {
            return Err(format!("a redirect URI is at most {MAX_REDIRECT_URI_BYTES} bytes long"));
        }
        if !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err("a redirect URI has no blank, control or non-ASCII character; encode them".to_owned());
        }
        // RFC 6749 §3.1.2: "The redirection endpoint URI MUST be an absolute URI […]. The endpoint URI MUST NOT include a
        // fragment component."
        if text.contains('#') {
            return Err("a redirect URI has no fragment (RFC 6749 §3.1.2)".to_owned());
        }
        let url = Url::parse(text).map_err(|e| format!("not an absolute URI: {e}"))?;
        if text.contains('*') {
            return Err("a redirect URI is compared exactly: no wildcards (RFC 9700 §2.1)".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("a redirect URI has no user or password in it".to_owned());
        }
        // "https:/x" and "https:x" name a host to this parser, and a path of the page they stand on to a browser.
        let is_web = ["http", "https"].contains(&url.scheme());
        if is_web && !text[url.scheme().len()..].starts_with("://") {
            return Err("a web address has two slashes and then its host".to_owned());
        }
        match url.scheme() {
            "https" => Ok(()),
            "http" if url.host().is_some_and(|host| is_loopback(&host)) => Ok(()),
            "http" => Err("http is for loopback addresses only; use https".to_owned()),
            // RFC 8252 §7.1: "apps MUST use a URI scheme based on a domain name under their control".
            scheme if scheme.contains('.') => Ok(()),
            scheme => Err(format!(
                "the scheme {scheme} is not allowed: use https, http on a loopback address, or a reversed domain name \
                 such as com.example.app (RFC 8252 §7.1)"
            )),
        }?;
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for RedirectUri {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<RedirectUri> for String {
    fn from(uri: RedirectUri) -> String {
        uri.0
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> RedirectUri {
        text.parse().unwrap()
    }

    #[test]
    fn what_cannot_be_registered() {
        for text in [
            "/cb",
            "https://app.example/cb#f",
            "https://*.app.example/cb",
            "https://user@app.example/cb",
            "http://app.example/cb",
            "http://localhost.attacker.example/cb",
            "javascript:alert(1)",
            "data:text/html,x",
            "myapp:/cb",
            "https://app.example/c b",
            "https:/login?a=1",
            "https:app.example/cb",
            "https:\\\\app.example/cb",
            "http:/127.0.0.1/cb",
        ] {
            assert!(text.parse::<RedirectUri>().is_err(), "{text}");
        }
    }

    /// RFC 6749 §3.1: "Request and response parameters MUST NOT be included more than once."
    #[test]
    fn the_query_has_no_parameter_of_the_answer() {
        for name in RESPONSE.into_iter().chain(["%63ode", "%73%74ate"]) {
            for uri in [
                uri(&format!("https://app.example/cb?{name}=1")),
                uri(&format!("https://app.example/cb?a=b&{name}")),
                uri(&format!("com.example.app:/cb?{name}=")),
            ] {
                assert!(uri.takes_response().is_err(), "{uri}");
                let is_state = ["state", "%73%74ate"].contains(&name);
                assert_eq!(uri.takes_logout_response().is_err(), is_state, "{uri}");
            }
        }
        for text in ["https://app.example/cb", "https://app.example/code?Code=1&states=2&a=state&=code"] {
            assert_eq!(uri(text).takes_response(), Ok(()));
            assert_eq!(uri(text).takes_logout_response(), Ok(()));
        }
    }

    #[test]
    fn the_port_of_a_loopback_literal_is_free_for_native_apps_only() {
        let registered = uri("http://127.0.0.1/cb");
        assert!(registered.matches("http://127.0.0.1:51004/cb", true));
        assert!(!registered.matches("http://127.0.0.1:51004/cb", false));
        assert!(uri("http://[::1]:1/cb").matches("http://[::1]:65535/cb", true));
    }

    #[test]
    fn nothing_but_the_port_of_a_literal_is_free() {
        let registered = uri("http://127.0.0.1/cb");
        for text in [
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:65536/cb",
            "http://127.0.0.1:/cb",
            "http://127.0.0.1:80@evil.example/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://127.0.0.1:51004/cb/",
            "http://127.0.0.1:51004/cb?x",
            "http://127.0.0.1:51004/CB",
            "https://127.0.0.1:51004/cb",
            "http://localhost:51004/cb",
        ] {
            assert!(!registered.matches(text, true), "{text}");
        }
        assert!(!uri("http://localhost/cb").matches("http://localhost:3000/cb", true));
    }
}
