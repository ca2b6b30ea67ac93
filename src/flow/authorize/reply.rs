//! Where an authorization response goes, and how (RFC 6749 §4.1.2, RFC 9207 §2, OAuth 2.0 Multiple Response Type Encoding
//! Practices §2.1, OAuth 2.0 Form Post Response Mode §2, draft-sakimura-oauth-wmrm-01).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use crate::domain::Client;
use crate::oauth::redirect_uri::origin_of;
use crate::oauth::{ClientId, OAuthError, ResponseMode};

/// Everything but RFC 3986's unreserved characters.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A redirect URI that was proven to belong to the client, how the answer gets there, and the state to give back. Made by
/// the first check only (and read back from what this server sealed).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReplyTo {
    uri: String,
    state: Option<String>,
    #[serde(default)]
    mode: ResponseMode,
}

/// The parameters of a response, in the order in which they are sent.
pub type Parameters = Vec<(&'static str, String)>;

/// An authorization response on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The browser is sent to this URL.
    Redirect(String),
    /// The browser posts a form.
    Form {
        /// The redirect URI.
        to: String,
        /// The fields.
        parameters: Parameters,
    },
    /// A page of this server tells the page around it, or the one that opened it.
    Message {
        /// The only origin that may read it: that of the redirect URI.
        origin: String,
        /// What it is told.
        parameters: Parameters,
    },
}

/// Why an answer cannot reach this redirect URI of the client in this mode, if so.
pub(super) fn unfit(client: &Client, uri: &str, mode: ResponseMode) -> Option<&'static str> {
    let origin = origin_of(uri);
    match mode {
        ResponseMode::Query | ResponseMode::Fragment => None,
        ResponseMode::FormPost if origin.is_some() => None,
        ResponseMode::FormPost => Some("form_post needs a redirect_uri of http or https"),
        // Who gets the message is told by the origin alone, and that of a native app is nobody's: any program may listen on
        // a loopback port.
        ResponseMode::WebMessage if origin.is_some_and(|origin| client.has_origin(&origin)) => None,
        ResponseMode::WebMessage => {
            Some("web_message needs a redirect_uri whose origin is one of the client's")
        }
    }
}

impl ReplyTo {
    pub(super) fn proven(uri: String, state: Option<String>, mode: ResponseMode) -> Self {
        Self { uri, state, mode }
    }

    /// The redirect URI.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Hands the client its code.
    pub(super) fn grant(&self, issuer: &str, code: &str) -> Delivery {
        self.with(vec![("code", code.to_owned())], issuer)
    }

    /// Tells the client the error.
    pub(super) fn refuse(&self, issuer: &str, client: &ClientId, error: &OAuthError) -> Delivery {
        let (code, description, why) = (error.code, &error.description, &error.operator);
        tracing::info!(%client, %code, %description, %why, "authorization refused");
        let code = error.code.as_str().to_owned();
        self.with(vec![("error", code), ("error_description", description.to_string())], issuer)
    }

    /// RFC 9207 §2: `iss` stands in every response, errors too.
    fn with(&self, mut parameters: Parameters, issuer: &str) -> Delivery {
        parameters.extend(self.state.clone().map(|state| ("state", state)));
        parameters.push(("iss", issuer.to_owned()));
        match (self.mode, origin_of(&self.uri)) {
            (ResponseMode::Fragment, _) => {
                Delivery::Redirect(format!("{}#{}", self.uri, encoded(&parameters)))
            }
            (ResponseMode::FormPost, _) => Delivery::Form { to: self.uri.clone(), parameters },
            (ResponseMode::WebMessage, Some(origin)) => Delivery::Message { origin, parameters },
            (ResponseMode::Query | ResponseMode::WebMessage, _) => {
                Delivery::Redirect(self.query(&parameters))
            }
        }
    }

    /// RFC 6749 §3.1.2: the registered query component "MUST be retained when adding additional query parameters".
    fn query(&self, parameters: &Parameters) -> String {
        let separator = match self.uri.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some((_, query)) if query.ends_with('&') => "",
            Some(_) => "&",
        };
        format!("{}{separator}{}", self.uri, encoded(parameters))
    }
}

fn encoded(parameters: &Parameters) -> String {
    let mut text = String::new();
    for (name, value) in parameters {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        text.extend(utf8_percent_encode(value, QUERY));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(uri: &str, state: Option<&str>, mode: ResponseMode) -> String {
        let reply = ReplyTo::proven(uri.to_owned(), state.map(str::to_owned), mode);
        match reply.grant("https://id.example", "c") {
            Delivery::Redirect(url) => url,
            other => panic!("no redirect: {other:?}"),
        }
    }

    #[test]
    fn a_query_of_the_redirect_uri_is_kept() {
        assert_eq!(
            url("https://a.example/cb?x=1", None, ResponseMode::Query),
            "https://a.example/cb?x=1&code=c&iss=https%3A%2F%2Fid.example"
        );
        assert_eq!(
            url("https://a.example/cb?", None, ResponseMode::Query),
            "https://a.example/cb?code=c&iss=https%3A%2F%2Fid.example"
        );
        assert_eq!(
            url("https://a.example/cb?x=1", None, ResponseMode::Fragment),
            "https://a.example/cb?x=1#code=c&iss=https%3A%2F%2Fid.example"
        );
    }

    #[test]
    fn state_comes_back_as_it_was_whatever_is_in_it() {
        assert_eq!(
            url("app.example:/cb", Some("a b&iss=x#é"), ResponseMode::Query),
            "app.example:/cb?code=c&state=a%20b%26iss%3Dx%23%C3%A9&iss=https%3A%2F%2Fid.example"
        );
    }

    /// What an older node sealed has no mode in it.
    #[test]
    fn a_sealed_request_without_a_mode_is_answered_by_query() {
        let reply: ReplyTo = serde_json::from_str(r#"{"uri":"https://a.example/cb","state":null}"#).unwrap();
        assert_eq!(reply.mode, ResponseMode::Query);
    }
}
