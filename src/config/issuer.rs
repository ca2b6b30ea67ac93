//! The issuer identifier (RFC 8414 §2, OpenID Connect Discovery 1.0 §3): configured, never guessed from a request.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

use super::schema::text_setting;

/// The longest issuer, in characters.
pub const MAX_ISSUER_CHARS: usize = 512;

/// `https://id.example` or `https://example/id`, exactly as it will stand in `iss`.
///
/// Tokens carry this text and verifiers compare it as a string, so a form that a URL parser would change (upper case in
/// the host, a default port, dot segments) is refused rather than silently normalised.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Issuer {
    text: String,
    url: Url,
}

impl Issuer {
    /// As it stands in `iss`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The path below which everything lies: empty, or `/id`; never with a slash at the end.
    #[must_use]
    pub fn path(&self) -> &str {
        self.url.path().trim_end_matches('/')
    }

    /// Scheme, host and port: what a browser sends as `Origin` from the pages.
    #[must_use]
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// The host, for people.
    #[must_use]
    pub fn host(&self) -> String {
        self.url.host_str().unwrap_or_default().to_owned()
    }

    /// Whether browsers reach it by TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The address of `path` (which begins with a slash) below the issuer.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }
}

impl FromStr for Issuer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.chars().count() > MAX_ISSUER_CHARS {
            return Err(format!("an issuer has at most {MAX_ISSUER_CHARS} characters"));
        }
        let refuse = |why: &str| Err(format!("{why}, found {text:?}"));
        let Ok(url) = Url::parse(text) else {
            return refuse("expected an absolute https URL such as https://id.example");
        };
        // RFC 8414 §2: "a URL that uses the "https" scheme and has no query or fragment components".
        match url.scheme() {
            "https" => {}
            "http" if url.host().is_some_and(|host| is_loopback(&host)) => {}
            "http" => return refuse("http is for localhost, 127.0.0.0/8 and [::1] only; expected https"),
            _ => return refuse("expected an https URL"),
        }
        if text.contains('?') {
            return refuse("an issuer has no query (RFC 8414 §2)");
        }
        if text.contains('#') {
            return refuse("an issuer has no fragment (RFC 8414 §2)");
        }
        if text.contains('@') {
            return Err("an issuer has no user, password or `@` in it".to_owned());
        }
        if text.ends_with('/') {
            return refuse(
                "an issuer ends without a slash, because clients put `/.well-known/…` behind it and compare it letter \
                 by letter: leave the last slash out",
            );
        }
        let normal = url.as_str().strip_suffix('/').unwrap_or(url.as_str());
        if text != normal {
            return refuse(&format!(
                "clients compare the issuer letter by letter, so write its normal form {normal}"
            ));
        }
        if text.contains('%') || url.path().contains("//") {
            return refuse("the path of an issuer has plain segments: no `%` and no empty one");
        }
        Ok(Self { text: text.to_owned(), url })
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Issuer({})", self.text)
    }
}

text_setting!(Issuer, "an https URL without a slash at the end, such as `https://id.example`");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_with_or_without_a_path_and_http_on_loopback_are_issuers() {
        for (text, path) in [
            ("https://id.example", ""),
            ("https://example/id/main", "/id/main"),
            ("https://id.example:8443", ""),
            ("http://127.0.0.1:8080", ""),
            ("http://[::1]:8080/a", "/a"),
            ("http://localhost", ""),
        ] {
            let issuer: Issuer = text.parse().unwrap();
            assert_eq!((issuer.as_str(), issuer.path()), (text, path));
            assert_eq!(issuer.join("/token"), format!("{text}/token"));
        }
    }

    #[test]
    fn each_other_form_is_refused_with_its_reason() {
        for (text, reason) in [
            ("", "absolute"),
            ("id.example", "absolute"),
            ("/id", "absolute"),
            ("ftp://id.example", "https"),
            ("http://id.example", "only; expected https"),
            ("http://localhost.attacker.example", "only; expected https"),
            ("https://id.example/", "slash"),
            ("https://id.example/a/", "slash"),
            ("https://id.example?a", "query"),
            ("https://id.example#a", "fragment"),
            ("https://u:geheim@id.example", "user"),
            ("https://ID.example", "normal form https://id.example,"),
            ("https://id.example:443", "normal form https://id.example,"),
            ("https://id.example/a/../b", "normal form https://id.example/b,"),
            ("HTTPS://id.example", "normal form"),
            ("https://id.example/a//b", "plain segments"),
            ("https://id.example/a%2Fb", "plain segments"),
            (" https://id.example", "normal form"),
        ] {
            let told = text.parse::<Issuer>().unwrap_err();
            assert!(told.contains(reason), "{text}: {told}");
            assert!(!told.contains("geheim"), "{told}");
        }
    }

    #[test]
    fn an_issuer_of_513_characters_is_too_long() {
        let base = "https://id.example/";
        let at_limit = format!("{base}{}", "a".repeat(MAX_ISSUER_CHARS - base.len()));
        assert!(at_limit.parse::<Issuer>().is_ok());
        assert!(format!("{at_limit}a").parse::<Issuer>().unwrap_err().contains("at most 512"));
    }
}
