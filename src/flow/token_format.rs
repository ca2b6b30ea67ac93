//! What the tokens of a resource server look like, as an operator says it: signed, opaque, or signed and then encrypted to
//! its public key (RFC 7519 §11.2). The rules for keys are in `jose`; they hold at every change, whoever makes it.

use crate::domain::resource_server::{Encryption, TokenFormat};
use crate::domain::{Problem, ResourceServer};
use crate::jose::EncryptionKey;
use crate::oauth::algorithm::{ContentEncryption, KeyManagement};

/// What is said; the rest stays as it was.
#[derive(Default)]
pub struct Wanted {
    /// `jwt`, `opaque` or `jwe`.
    pub format: Option<String>,
    /// The resource server's public key, a JWK or PEM.
    pub key: Option<String>,
    /// How the content's key is conveyed. Left out with a new key: what fits it.
    pub alg: Option<KeyManagement>,
    /// How the content is encrypted. Left out: with `A256GCM`.
    pub enc: Option<ContentEncryption>,
}

impl Wanted {
    fn is_about_encryption(&self) -> bool {
        self.key.is_some() || self.alg.is_some() || self.enc.is_some()
    }
}

/// The format that comes of a former one and what is said.
///
/// # Errors
/// When the two do not fit, or the key is refused.
pub fn changed(former: &TokenFormat, wanted: Wanted) -> Result<TokenFormat, Problem> {
    let word = wanted.format.clone().unwrap_or_else(|| former.as_str().to_owned());
    let encryption = match former.encryption() {
        _ if word != "jwe" && wanted.is_about_encryption() => {
            return Err(Problem::new(
                "token_format",
                format!("tokens of the format {word} are not encrypted: name jwe, or no encryption"),
            ));
        }
        _ if word != "jwe" => None,
        former => encryption(former, wanted)?,
    };
    TokenFormat::from_columns(&word, encryption).map_err(|text| Problem::new("token_format", text))
}

fn encryption(former: Option<&Encryption>, wanted: Wanted) -> Result<Option<Encryption>, Problem> {
    let enc = wanted.enc.or(former.map(|former| former.enc)).unwrap_or(ContentEncryption::A256Gcm);
    let key = match (wanted.key, former) {
        (Some(text), _) => EncryptionKey::read(&text, wanted.alg),
        (None, Some(former)) => {
            EncryptionKey::from_members(&former.jwk, Some(wanted.alg.unwrap_or(former.alg)))
        }
        (None, None) => return Ok(None),
    };
    let key = key.map_err(|error| Problem::new("encryption_key", error.to_string()))?;
    Ok(Some(Encryption { alg: key.algorithm(), enc, jwk: key.to_members() }))
}

/// Applies every rule, those for the key too.
///
/// # Errors
/// All problems at once.
pub fn checked(mut server: ResourceServer) -> Result<ResourceServer, Vec<Problem>> {
    let format = changed(&server.token_format, Wanted::default());
    if let Ok(format) = &format {
        server.token_format = format.clone();
    }
    match (server.check(), format.err()) {
        (Ok(server), None) => Ok(server),
        (Ok(_), Some(problem)) => Err(vec![problem]),
        (Err(problems), more) => Err(problems.into_iter().chain(more).collect()),
    }
}
