//! What this client says to the issuer and to the API. All of it blocks: call it beside the event loop.

use std::fmt;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use ureq::Agent;
use url::Url;
use url::form_urlencoded::byte_serialize;

const TIMEOUT: Duration = Duration::from_secs(10);
const BODY_LIMIT_BYTES: u64 = 256 * 1024;

/// What went wrong, in words that may be shown.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The issuer or the API refused, with an error code of OAuth.
    Refused { code: String, description: String },
    /// Anything else.
    Other(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { code, description } if description.is_empty() => out.write_str(code),
            Self::Refused { code, description } => write!(out, "{description} ({code})"),
            Self::Other(text) => out.write_str(text),
        }
    }
}

/// `Debug` is left out on purpose: it holds the secret.
pub(crate) struct Settings {
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) secret: String,
    pub(crate) redirect_uri: String,
    pub(crate) scope: String,
    pub(crate) api: String,
}

/// What this client needs of the issuer's metadata (RFC 8414 §2).
#[derive(Deserialize)]
pub(crate) struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: String,
    pub(crate) jwks_uri: String,
    pub(crate) end_session_endpoint: Option<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// What is remembered between `/login` and `/callback`.
pub(crate) struct LoginRequest {
    pub(crate) state: String,
    pub(crate) nonce: String,
    verifier: String,
}

impl LoginRequest {
    pub(crate) fn new() -> Result<Self, Trouble> {
        Ok(Self { state: random_text()?, nonce: random_text()?, verifier: random_text()? })
    }
}

/// A successful answer of the token endpoint. `Debug` is left out on purpose.
pub(crate) struct Tokens {
    pub(crate) access_token: String,
    pub(crate) expires_at: Instant,
    pub(crate) refresh_token: Option<String>,
    pub(crate) id_token: Option<String>,
}

/// This client, as the issuer knows it.
pub(crate) struct Client {
    pub(crate) settings: Settings,
    agent: Agent,
    metadata: OnceLock<Metadata>,
}

impl Client {
    pub(crate) fn new(settings: Settings) -> Self {
        let agent = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            // A redirect could carry the secret or a token to somebody else.
            .max_redirects(0)
            .proxy(None)
            .http_status_as_error(false)
            .build()
            .into();
        Self { settings, agent, metadata: OnceLock::new() }
    }

    /// Read when first needed, so that this app may start before the issuer does.
    pub(crate) fn metadata(&self) -> Result<&Metadata, Trouble> {
        if let Some(metadata) = self.metadata.get() {
            return Ok(metadata);
        }
        let issuer = &self.settings.issuer;
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let metadata: Metadata = serde_json::from_value(self.get_json(&url, None)?)
            .map_err(|error| Trouble::Other(format!("the metadata at {url} cannot be used: {error}")))?;
        // OpenID Connect Discovery §4.3: "MUST be identical".
        if metadata.issuer != *issuer {
            let says = metadata.issuer;
            return Err(Trouble::Other(format!(
                "the issuer calls itself {says}, but this app is set up for {issuer}"
            )));
        }
        Ok(self.metadata.get_or_init(|| metadata))
    }

    /// Where `/login` sends the browser (RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 8707 §2).
    pub(crate) fn authorization_url(&self, login: &LoginRequest) -> Result<String, Trouble> {
        let endpoint = &self.metadata()?.authorization_endpoint;
        let mut url = Url::parse(endpoint).map_err(|error| Trouble::Other(format!("{endpoint}: {error}")))?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &self.settings.redirect_uri)
            .append_pair("scope", &self.settings.scope)
            .append_pair("resource", &self.settings.api)
            .append_pair("state", &login.state)
            .append_pair("nonce", &login.nonce)
            // A secret does not make PKCE needless: it stops a stolen code from being slipped into another login.
            .append_pair("code_challenge", &challenge(&login.verifier))
            .append_pair("code_challenge_method", "S256");
        Ok(url.into())
    }

    /// Checks the issuer's answer, as `/callback` got it, and exchanges the code.
    pub(crate) fn redeem(&self, answer: &Answer, login: &LoginRequest) -> Result<Tokens, Trouble> {
        // RFC 6749 §10.12: whoever sends another person's browser here has no state that fits that browser's cookie.
        if answer.state.as_deref() != Some(&login.state) {
            return Err(Trouble::Other("the answer does not belong to this login (state)".to_owned()));
        }
        let metadata = self.metadata()?;
        // RFC 9207 §2.4: compared before anything else of the answer is believed.
        let must_tell = metadata.authorization_response_iss_parameter_supported;
        if (must_tell || answer.iss.is_some()) && answer.iss.as_deref() != Some(&metadata.issuer) {
            return Err(Trouble::Other("the answer comes from another issuer (iss)".to_owned()));
        }
        if let Some(code) = answer.error.clone() {
            return Err(Trouble::Refused {
                code,
                description: answer.error_description.clone().unwrap_or_default(),
            });
        }
        let code = answer.code.as_deref().ok_or(Trouble::Other("the answer has no code".to_owned()))?;
        self.token(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.settings.redirect_uri),
            ("code_verifier", &login.verifier),
            ("resource", &self.settings.api),
        ])
    }

    pub(crate) fn refresh(&self, refresh_token: &str) -> Result<Tokens, Trouble> {
        self.token(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
            ("resource", &self.settings.api),
        ])
    }

    pub(crate) fn client_credentials(&self) -> Result<Tokens, Trouble> {
        self.token(&[
            ("grant_type", "client_credentials"),
            ("scope", &self.settings.scope),
            ("resource", &self.settings.api),
        ])
    }

    /// `GET {api}/notes`
    pub(crate) fn call_api(&self, access_token: &str) -> Result<Value, Trouble> {
        self.get_json(&format!("{}/notes", self.settings.api.trim_end_matches('/')), Some(access_token))
    }

    /// Who the user is, as far as the scope goes (OpenID Connect Core §5.3).
    pub(crate) fn userinfo(&self, access_token: &str) -> Result<Value, Trouble> {
        self.get_json(&self.metadata()?.userinfo_endpoint, Some(access_token))
    }

    /// A JSON document, with a token if the place asks for one.
    pub(crate) fn get_json(&self, url: &str, access_token: Option<&str>) -> Result<Value, Trouble> {
        let mut request = self.agent.get(url);
        if let Some(token) = access_token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        read(url, request.call())
    }

    fn token(&self, form: &[(&str, &str)]) -> Result<Tokens, Trouble> {
        #[derive(Deserialize)]
        struct Granted {
            access_token: String,
            token_type: String,
            expires_in: Option<u64>,
            refresh_token: Option<String>,
            id_token: Option<String>,
        }
        let url = &self.metadata()?.token_endpoint;
        let basic = basic(&self.settings.client_id, &self.settings.secret);
        let asked_at = Instant::now();
        let answer = self.agent.post(url).header("authorization", basic).send_form(form.iter().copied());
        let granted: Granted = serde_json::from_value(read(url, answer)?)
            .map_err(|error| Trouble::Other(format!("the answer of {url} cannot be used: {error}")))?;
        // RFC 6749 §7.1: "The client MUST NOT use an access token if it does not understand the token type."
        if !granted.token_type.eq_ignore_ascii_case("Bearer") {
            return Err(Trouble::Other(format!("{url} gave a token of the type {}", granted.token_type)));
        }
        Ok(Tokens {
            access_token: granted.access_token,
            // Counted from the question, so that it is never thought to live longer than it does.
            expires_at: asked_at + Duration::from_secs(granted.expires_in.unwrap_or(60).min(86_400)),
            refresh_token: granted.refresh_token,
            id_token: granted.id_token,
        })
    }
}

/// The parameters that the issuer's redirect may bring.
#[derive(Default)]
pub(crate) struct Answer {
    state: Option<String>,
    iss: Option<String>,
    code: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

impl Answer {
    /// RFC 6749 §3.1: "Request and response parameters MUST NOT be included more than once."
    pub(crate) fn parse(query: &str) -> Result<Self, Trouble> {
        let mut answer = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let slot = match &*name {
                "state" => &mut answer.state,
                "iss" => &mut answer.iss,
                "code" => &mut answer.code,
                "error" => &mut answer.error,
                "error_description" => &mut answer.error_description,
                _ => continue,
            };
            if slot.replace(value.into_owned()).is_some() {
                return Err(Trouble::Other(format!("the answer has {name} twice")));
            }
        }
        Ok(answer)
    }
}

/// RFC 6749 §2.3.1: both halves are form-url-encoded BEFORE they go into Basic. What most clients forget, and what a
/// secret with `%`, `+`, `:` or an umlaut then fails by.
fn basic(client_id: &str, secret: &str) -> String {
    let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{}", encode(client_id), encode(secret))))
}

/// RFC 7636 §4.2: BASE64URL(SHA256(ASCII(code_verifier)))
fn challenge(verifier: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// 256 bits that nobody guesses: 43 characters, as RFC 7636 §4.1 wants of a verifier.
pub(crate) fn random_text() -> Result<String, Trouble> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| Trouble::Other(format!("no randomness: {error}")))?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

fn read(url: &str, answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Value, Trouble> {
    let failed = |error: &dyn fmt::Display| Trouble::Other(format!("{url}: {error}"));
    let mut response = answer.map_err(|error| failed(&error))?;
    let status = response.status();
    let body = response.body_mut().with_config().limit(BODY_LIMIT_BYTES).read_to_string();
    let json: Value = serde_json::from_str(&body.map_err(|error| failed(&error))?).unwrap_or_default();
    if status.is_success() {
        return Ok(json);
    }
    match json["error"].as_str() {
        Some(code) => Err(Trouble::Refused {
            code: code.to_owned(),
            description: json["error_description"].as_str().unwrap_or_default().to_owned(),
        }),
        None => Err(failed(&format!("answered {status}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, basic, challenge, random_text};

    #[test]
    fn both_halves_of_basic_are_form_url_encoded() {
        // printf 'a%%3Ab:p%%25+%%2B%%C3%%A9' | base64
        assert_eq!(basic("a:b", "p% +é"), "Basic YSUzQWI6cCUyNSslMkIlQzMlQTk=");
    }

    #[test]
    fn the_challenge_is_that_of_rfc_7636_appendix_b() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn random_texts_are_long_and_differ() {
        let (one, other) = (random_text().unwrap(), random_text().unwrap());
        assert_eq!(one.len(), 43);
        assert_ne!(one, other);
    }

    #[test]
    fn an_answer_with_a_parameter_twice_is_refused() {
        assert!(Answer::parse("state=a&code=b&iss=c&other=d&other=e").is_ok());
        assert!(Answer::parse("state=a&code=b&state=a").is_err());
    }
}
