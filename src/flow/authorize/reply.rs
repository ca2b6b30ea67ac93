//! Where an authorization response goes (RFC 6749 §4.1.2, RFC 9207 §2).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use crate::oauth::{ClientId, OAuthError};

/// Everything but RFC 3986's unreserved characters.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A redirect URI that was proven to belong to the client, and the state to give back. Made by the first check only (and
/// read back from what this server sealed).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReplyTo {
    uri: String,
    state: Option<String>,
}

impl ReplyTo {
    pub(super) fn proven(uri: String, state: Option<String>) -> Self {
        Self { uri, state }
    }

    /// The redirect URI.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The URL that hands the client its code.
    pub(super) fn grant(&self, issuer: &str, code: &str) -> String {
        self.with(&[("code", code)], issuer)
    }

    /// The URL that tells the client the error.
    pub(super) fn refuse(&self, issuer: &str, client: &ClientId, error: &OAuthError) -> String {
        let (code, description, why) = (error.code, &error.description, &error.operator);
        tracing::info!(%client, %code, %description, %why, "authorization refused");
        self.with(&[("error", error.code.as_str()), ("error_description", &error.description)], issuer)
    }

    /// RFC 6749 §3.1.2: the registered query component "MUST be retained when adding additional query parameters".
    /// RFC 9207 §2: `iss` stands in every response, errors too.
    fn with(&self, pairs: &[(&str, &str)], issuer: &str) -> String {
        let mut url = self.uri.clone();
        let mut separator = match self.uri.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some((_, query)) if query.ends_with('&') => "",
            Some(_) => "&",
        };
        let state = self.state.as_deref().map(|state| ("state", state));
        for (name, value) in pairs.iter().copied().chain(state).chain([("iss", issuer)]) {
            url.push_str(separator);
            url.push_str(name);
            url.push('=');
            url.extend(utf8_percent_encode(value, QUERY));
            separator = "&";
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(uri: &str, state: Option<&str>) -> String {
        ReplyTo::proven(uri.to_owned(), state.map(str::to_owned)).grant("https://id.example", "c")
    }

    #[test]
    fn a_query_of_the_redirect_uri_is_kept() {
        assert_eq!(
            url("https://a.example/cb?x=1", None),
            "https://a.example/cb?x=1&code=c&iss=https%3A%2F%2Fid.example"
        );
        assert_eq!(
            url("https://a.example/cb?", None),
            "https://a.example/cb?code=c&iss=https%3A%2F%2Fid.example"
        );
    }

    #[test]
    fn state_comes_back_as_it_was_whatever_is_in_it() {
        assert_eq!(
            url("app.example:/cb", Some("a b&iss=x#é")),
            "app.example:/cb?code=c&state=a%20b%26iss%3Dx%23%C3%A9&iss=https%3A%2F%2Fid.example"
        );
    }
}
