//! `countersign client add` and `edit`: what a client says of itself to people, and of its ID tokens.

use super::output::Failure;
use crate::domain::client::openid::{OpenIdSettings, Protection};
use crate::oauth::algorithm::{ContentEncryption, KeyManagement, SigningAlgorithm};

/// An empty text takes a value away.
#[derive(clap::Args)]
pub(super) struct SaidFields {
    /// The https address of its logo; here and in the next four, an empty text takes the value away.
    #[arg(long, value_name = "URI")]
    logo_uri: Option<String>,
    /// Its home page.
    #[arg(long, value_name = "URI")]
    client_uri: Option<String>,
    /// What it does with data.
    #[arg(long, value_name = "URI")]
    policy_uri: Option<String>,
    /// Its terms of service.
    #[arg(long, value_name = "URI")]
    tos_uri: Option<String>,
    /// Where a third party starts a login.
    #[arg(long, value_name = "URI")]
    initiate_login_uri: Option<String>,
    /// How its ID tokens are signed.
    #[arg(long, value_name = "ALG")]
    id_token_signed_response_alg: Option<SigningAlgorithm>,
    /// How its ID tokens are encrypted to one of its keys.
    #[arg(long, value_name = "ALG")]
    id_token_encrypted_response_alg: Option<KeyManagement>,
    /// How the content is encrypted then: A256GCM unless it is said.
    #[arg(long, value_name = "ENC")]
    id_token_encrypted_response_enc: Option<ContentEncryption>,
    /// How its answers of userinfo are signed.
    #[arg(long, value_name = "ALG")]
    userinfo_signed_response_alg: Option<SigningAlgorithm>,
    /// How its answers of userinfo are encrypted to one of its keys.
    #[arg(long, value_name = "ALG")]
    userinfo_encrypted_response_alg: Option<KeyManagement>,
    /// How the content is encrypted then: A256GCM unless it is said.
    #[arg(long, value_name = "ENC")]
    userinfo_encrypted_response_enc: Option<ContentEncryption>,
    /// max_age where a request names none, in seconds.
    #[arg(long, value_name = "SECONDS")]
    default_max_age_s: Option<u32>,
    /// Whether auth_time stands in every ID token.
    #[arg(long, value_name = "BOOL")]
    require_auth_time: Option<bool>,
    /// A value of acr_values where a request names none. May be given several times.
    #[arg(long = "default-acr-value", value_name = "ACR")]
    default_acr_values: Option<Vec<String>>,
}

impl SaidFields {
    pub(super) fn apply(self, settings: &mut OpenIdSettings) -> Result<(), Failure> {
        let set = |field: &mut Option<String>, value: Option<String>| {
            if let Some(value) = value {
                *field = Some(value).filter(|value| !value.is_empty());
            }
        };
        set(&mut settings.logo_uri, self.logo_uri);
        set(&mut settings.client_uri, self.client_uri);
        set(&mut settings.policy_uri, self.policy_uri);
        set(&mut settings.tos_uri, self.tos_uri);
        set(&mut settings.initiate_login_uri, self.initiate_login_uri);
        protect(
            &mut settings.id_token,
            self.id_token_signed_response_alg,
            self.id_token_encrypted_response_alg,
            self.id_token_encrypted_response_enc,
        )?;
        protect(
            &mut settings.userinfo,
            self.userinfo_signed_response_alg,
            self.userinfo_encrypted_response_alg,
            self.userinfo_encrypted_response_enc,
        )?;
        settings.default_max_age_s = self.default_max_age_s.map(i64::from).or(settings.default_max_age_s);
        settings.require_auth_time = self.require_auth_time.unwrap_or(settings.require_auth_time);
        if let Some(values) = self.default_acr_values {
            settings.default_acr_values = values;
        }
        Ok(())
    }
}

fn protect(
    protection: &mut Protection,
    signing: Option<SigningAlgorithm>,
    alg: Option<KeyManagement>,
    enc: Option<ContentEncryption>,
) -> Result<(), Failure> {
    protection.signing = signing.or(protection.signing);
    let before = protection.encryption;
    protection.encryption = match (alg.or(before.map(|(alg, _)| alg)), enc) {
        (Some(alg), enc) => {
            let enc = enc.or(before.map(|(_, enc)| enc)).unwrap_or(ContentEncryption::A256Gcm);
            Some((alg, enc))
        }
        (None, None) => None,
        (None, Some(_)) => return Err(Failure::new("an encryption of the content needs the alg beside it")),
    };
    Ok(())
}

/// What `show` tells of them.
pub(super) fn lines(settings: &OpenIdSettings) -> Vec<String> {
    let mut lines = Vec::new();
    let mut each = |title: &str, value: Option<String>| {
        lines.extend(value.map(|value| format!("{title:<17} {value}")));
    };
    let protected = |protection: &Protection| {
        let signing = protection.signing.map(|algorithm| algorithm.to_string());
        let encryption = protection.encryption.map(|(alg, enc)| format!("{alg} {enc}"));
        let words: Vec<String> = signing.into_iter().chain(encryption).collect();
        (!words.is_empty()).then(|| words.join(" "))
    };
    each("id token", protected(&settings.id_token));
    each("userinfo", protected(&settings.userinfo));
    each("max age", settings.default_max_age_s.map(|age| format!("{age} s")));
    each("auth_time", settings.require_auth_time.then(|| "always".to_owned()));
    let values = &settings.default_acr_values;
    each("acr values", (!values.is_empty()).then(|| values.join(" ")));
    each("login starts at", settings.initiate_login_uri.clone());
    each("logo", settings.logo_uri.clone());
    each("home page", settings.client_uri.clone());
    each("policy", settings.policy_uri.clone());
    each("terms", settings.tos_uri.clone());
    lines
}
