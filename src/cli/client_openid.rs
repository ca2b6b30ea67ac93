//! `countersign client add` and `edit`: how a client authenticates, and where it is told of a logout.

use std::path::PathBuf;

use crate::domain::client::openid::OpenIdSettings;
use crate::oauth::{AssertionAlgorithm, AuthMethod};

use super::output::Failure;

/// The options; what is left out stays as it is, and an empty text takes it away.
#[derive(clap::Args)]
pub(super) struct OpenIdFields {
    /// The one way in which it authenticates: client_secret_basic, client_secret_post, client_secret_jwt,
    /// private_key_jwt or none; empty: by its secret, in the header or in the body.
    #[arg(long, value_name = "METHOD")]
    auth_method: Option<String>,
    /// The one algorithm of its assertions; empty: any that belongs to its way of authentication.
    #[arg(long, value_name = "ALG")]
    auth_signing_alg: Option<String>,
    /// Whether its assertions must be for the issuer alone, not for the token endpoint.
    #[arg(long, value_name = "BOOL")]
    assertion_for_issuer_only: Option<bool>,
    /// A file with its public keys, a JWK Set in JSON; empty: none.
    #[arg(long, value_name = "FILE", conflicts_with = "jwks_uri")]
    jwks: Option<PathBuf>,
    /// Where its public keys are fetched from; empty: nowhere.
    #[arg(long, value_name = "URI")]
    jwks_uri: Option<String>,
    /// Where it is told that a session ended; empty: nowhere.
    #[arg(long, value_name = "URI")]
    backchannel_logout_uri: Option<String>,
    /// Whether it wants to be told which session ended.
    #[arg(long, value_name = "BOOL")]
    backchannel_logout_session_required: Option<bool>,
}

impl OpenIdFields {
    pub(super) fn apply(self, openid: &mut OpenIdSettings) -> Result<(), Failure> {
        if let Some(text) = self.auth_method {
            openid.auth_method = optional::<AuthMethod>(&text)?;
        }
        if let Some(text) = self.auth_signing_alg {
            openid.auth_signing_alg = optional::<AssertionAlgorithm>(&text)?;
        }
        if let Some(only) = self.assertion_for_issuer_only {
            openid.assertion_for_issuer_only = only;
        }
        if let Some(path) = self.jwks {
            openid.jwks_uri = None;
            openid.jwks = match path.as_os_str().is_empty() {
                true => None,
                false => {
                    let text = std::fs::read_to_string(&path)
                        .map_err(|e| Failure::new(format!("{}: {e}", path.display())))?;
                    if text.trim_start().starts_with("-----BEGIN") {
                        let text = "is PEM; wanted is a JWK Set, {\"keys\": […]} (RFC 7517)";
                        return Err(Failure::new(format!("{}: {text}", path.display())));
                    }
                    let read = serde_json::from_str(&text);
                    Some(read.map_err(|e| Failure::new(format!("{}: no JWK Set: {e}", path.display())))?)
                }
            };
        }
        if let Some(uri) = self.jwks_uri {
            openid.jwks = None;
            openid.jwks_uri = Some(uri).filter(|uri| !uri.is_empty());
        }
        if let Some(uri) = self.backchannel_logout_uri {
            openid.backchannel_logout_uri = Some(uri).filter(|uri| !uri.is_empty());
        }
        if let Some(required) = self.backchannel_logout_session_required {
            openid.backchannel_logout_session_required = required;
        }
        Ok(())
    }
}

fn optional<T: std::str::FromStr<Err = String>>(text: &str) -> Result<Option<T>, Failure> {
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(Failure::new) }
}

/// What `show` tells of them.
pub(super) fn lines(openid: &OpenIdSettings) -> Vec<String> {
    let mut lines = Vec::new();
    let mut each = |title: &str, value: Option<String>| {
        lines.extend(value.map(|value| format!("{title:<17} {value}")));
    };
    each("authenticates by", openid.auth_method.map(|method| method.to_string()));
    each("assertions by", openid.auth_signing_alg.map(|algorithm| algorithm.to_string()));
    each("assertions for", openid.assertion_for_issuer_only.then(|| "the issuer alone".to_owned()));
    let keys = openid.jwks.as_ref().and_then(|set| set.get("keys")?.as_array()).map(Vec::len);
    each("keys", keys.map(|count| count.to_string()));
    each("keys at", openid.jwks_uri.clone());
    each("told of logouts", openid.backchannel_logout_uri.clone());
    lines
}
