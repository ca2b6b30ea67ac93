//! What a client says of itself when it registers (RFC 7591 §2, OpenID Connect Dynamic Client Registration 1.0 §2): the
//! words, the errors, and what holds for each member by itself.

mod members;

use std::fmt;

use url::Url;

use super::RedirectUri;
use super::redirect_uri::is_loopback;

pub use members::Members;

/// The members that people read, which may come in several languages: `client_name#de`.
pub const FOR_PEOPLE: [&str; 5] = ["client_name", "client_uri", "logo_uri", "policy_uri", "tos_uri"];

/// Why a registration is refused: the codes of RFC 7591 §3.2.2. The status is 400 for each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetadataCode {
    /// "The value of one or more redirection URIs is invalid."
    InvalidRedirectUri,
    /// "The value of one of the client metadata fields is invalid and the server has rejected this request."
    InvalidClientMetadata,
    /// "The software statement presented is not approved for use by this authorization server."
    UnapprovedSoftwareStatement,
}

impl MetadataCode {
    /// The value of `error`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidClientMetadata => "invalid_client_metadata",
            Self::UnapprovedSoftwareStatement => "unapproved_software_statement",
        }
    }
}

/// A refusal of what a client says of itself. What was said is not said back: it may be anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataError {
    /// The code.
    pub code: MetadataCode,
    /// `error_description`: the member, and what would be right.
    pub description: String,
}

impl MetadataError {
    /// `invalid_client_metadata`, for the member `field`.
    #[must_use]
    pub fn of(field: &str, text: impl fmt::Display) -> Self {
        Self { code: MetadataCode::InvalidClientMetadata, description: described(field, &text) }
    }

    /// `invalid_redirect_uri`.
    #[must_use]
    pub fn redirect(field: &str, text: impl fmt::Display) -> Self {
        Self { code: MetadataCode::InvalidRedirectUri, description: described(field, &text) }
    }
}

/// The characters that every JSON error of this server keeps to.
fn described(field: &str, text: &dyn fmt::Display) -> String {
    let allowed = |c: char| matches!(c, ' '..='!' | '#'..='[' | ']'..='~');
    format!("{field}: {text}").chars().map(|c| if allowed(c) { c } else { '\'' }).collect()
}

/// `application_type` (OpenID Connect Dynamic Client Registration 1.0 §2): where a client runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ApplicationType {
    /// At an https origin.
    #[default]
    Web,
    /// On the user's machine.
    Native,
}

impl ApplicationType {
    /// As it stands on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Native => "native",
        }
    }

    /// Where nothing is said: `web` by OpenID Connect. RFC 7591 does not know the member, so that an app which registers
    /// by that alone says where it runs by its redirect URIs.
    #[must_use]
    pub fn inferred(redirect_uris: &[RedirectUri]) -> Self {
        let is_native = |uri: &RedirectUri| !uri.as_str().starts_with("https:");
        if !redirect_uris.is_empty() && redirect_uris.iter().all(is_native) {
            return Self::Native;
        }
        Self::Web
    }

    /// Whether an application of this kind may be sent to `uri`.
    ///
    /// # Errors
    /// In words, what it may be.
    pub fn takes(self, uri: &RedirectUri) -> Result<(), &'static str> {
        let is_https = uri.as_str().starts_with("https:");
        match self {
            // "Web Clients […] MUST only register URLs using the https scheme as redirect_uris; they MUST NOT use
            // localhost as the hostname."
            Self::Web if !is_https => {
                Err("the application type web takes https only; an app on the user's machine is native")
            }
            Self::Web if is_local(uri.as_str()) => {
                Err("the application type web does not take this machine (localhost)")
            }
            // "Native Clients MUST only register redirect_uris using custom URI schemes or loopback URLs using the http
            // scheme". Which of those can be registered at all is for `RedirectUri` to say.
            Self::Native if is_https => {
                Err("the application type native takes loopback http or a scheme of its own, no https")
            }
            Self::Web | Self::Native => Ok(()),
        }
    }

    /// Whether an application of this kind may be sent to `uri` after a logout. OpenID Connect RP-Initiated Logout 1.0 §3.1:
    /// "These URLs SHOULD use the https scheme", and none of what OpenID Connect says of the `redirect_uris` of native
    /// applications: nothing secret is brought there.
    ///
    /// # Errors
    /// In words, what it may be.
    pub fn takes_after_logout(self, uri: &RedirectUri) -> Result<(), &'static str> {
        match self {
            Self::Native if uri.as_str().starts_with("https:") => Ok(()),
            Self::Web | Self::Native => self.takes(uri),
        }
    }
}

impl std::str::FromStr for ApplicationType {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, &'static str> {
        match text {
            "web" => Ok(Self::Web),
            "native" => Ok(Self::Native),
            _ => Err("web or native"),
        }
    }
}

/// Whether an address is on this machine, by whatever name.
fn is_local(uri: &str) -> bool {
    let Ok(url) = Url::parse(uri) else { return true };
    let named = url.domain().is_some_and(|name| {
        let name = name.trim_end_matches('.');
        name == "localhost" || name.ends_with(".localhost")
    });
    named || url.host().as_ref().is_some_and(is_loopback)
}

/// Whether a client may name this address for people to open: an endpoint, and on another machine.
#[must_use]
pub fn is_public_address(text: &str) -> bool {
    is_endpoint(text) && !is_local(text)
}

/// Whether a client may name this address for this server to ask: https, without a fragment and without a user. Which
/// machines are asked is decided when they are.
#[must_use]
pub fn is_endpoint(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    // "https:/x" names a host to this parser, and a path of the page it stands on to a browser.
    let head = text.get(..8).is_some_and(|head| head.eq_ignore_ascii_case("https://"));
    head && text.bytes().all(|b| b.is_ascii_graphic())
        && url.has_host()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_application_has_its_own_redirect_uris() {
        let takes = |kind: ApplicationType, uri: &str| kind.takes(&uri.parse().unwrap()).is_ok();
        for (uri, web, native) in [
            ("https://app.example/cb", true, false),
            ("https://localhost/cb", false, false),
            ("https://LOCALHOST./cb", false, false),
            ("https://app.localhost/cb", false, false),
            ("https://127.1/cb", false, false),
            ("https://[::1]/cb", false, false),
            ("https://localhost.app.example/cb", true, false),
            ("http://localhost:8080/cb", false, true),
            ("http://127.0.0.1/cb", false, true),
            ("http://[::1]/cb", false, true),
            ("com.example.app:/cb", false, true),
        ] {
            let found = (takes(ApplicationType::Web, uri), takes(ApplicationType::Native, uri));
            assert_eq!(found, (web, native), "{uri}");
        }
    }

    #[test]
    fn an_address_for_others_is_https_and_elsewhere() {
        assert!(is_public_address("https://app.example/logo.png?size=1"));
        for uri in [
            "http://app.example/",
            "javascript:alert(1)",
            "data:image/png;base64,AAAA",
            "https://user@app.example/",
            "https://app.example/#f",
            "https://localhost/",
            "https://127.0.0.1/",
            "https://app.example/\u{202e}gnp",
            "/logo.png",
            "",
        ] {
            assert!(!is_public_address(uri), "{uri}");
        }
    }

    #[test]
    fn an_error_keeps_to_the_characters_of_rfc_6749() {
        let error = MetadataError::of("client_name\u{202e}", "\"naïve\"\\\r\n");
        assert_eq!(error.description, "client_name': 'na've''''");
    }
}
