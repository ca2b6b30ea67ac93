//! `response_mode` (OAuth 2.0 Multiple Response Type Encoding Practices §2.1): how an authorization response reaches the
//! client.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How the parameters of an authorization response travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// In the query of the redirect URI: the default of `response_type=code`.
    #[default]
    Query,
    /// In the fragment of the redirect URI: no server sees it.
    Fragment,
    /// OAuth 2.0 Form Post Response Mode: as a form that the browser posts to the redirect URI.
    FormPost,
    /// draft-sakimura-oauth-wmrm-01: as a message to the page that opened or framed the request.
    WebMessage,
}

impl ResponseMode {
    /// All, in the order in which discovery lists them.
    pub const ALL: [Self; 4] = [Self::Query, Self::Fragment, Self::FormPost, Self::WebMessage];

    /// The value on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Fragment => "fragment",
            Self::FormPost => "form_post",
            Self::WebMessage => "web_message",
        }
    }
}

impl FromStr for ResponseMode {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|mode| mode.as_str() == text)
            .ok_or_else(|| "response_mode is query, fragment, form_post or web_message".to_owned())
    }
}
