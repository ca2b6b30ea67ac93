//! A resource server's public key (RFC 7517), to which its tokens are encrypted: read from a JWK or a PEM file, checked,
//! and rebuilt from an allow-list of members.

use p256::pkcs8::{Document, SubjectPublicKeyInfoRef};
use rsa::pkcs1::DecodeRsaPublicKey as _;
use rsa::pkcs8::DecodePublicKey as _;
use rsa::traits::PublicKeyParts as _;
use serde_json::{Map, Value, json};

use super::jwk::{self, JwkError, Key, MAX_JWK_BYTES};
use super::{backend, strict};
use crate::base::encoding::base64url;
use crate::oauth::algorithm::{ContentEncryption, KeyManagement};

/// Longest `kid` that is taken over: it stands in the header of every token.
const MAX_KID_BYTES: usize = 128;
/// RFC 7518 §6.2.2 and §6.3.2: the members that only a private key has.
pub(super) const PRIVATE_MEMBERS: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "oth"];

/// A checked public key with the one algorithm that it is used with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptionKey {
    algorithm: KeyManagement,
    kid: String,
    /// Whether the key itself says what it is for (RFC 7517 §4.4): then nothing else may be done with it.
    names_algorithm: bool,
    key: Key,
}

/// Why a key is not taken. No text holds key material.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncryptionKeyError {
    /// It has private parts.
    #[error(
        "this is a PRIVATE key, which nobody but the resource server may have: give its public part (`openssl pkey -in FILE \
         -pubout`), and make a new pair if this file has left the resource server"
    )]
    Private,
    /// Neither a JWK nor a PEM block of a public key.
    #[error("no public key could be read: {0}")]
    Unreadable(String),
    /// A JWK that is not taken.
    #[error(transparent)]
    Jwk(#[from] JwkError),
}

impl EncryptionKey {
    /// Reads a JWK, or PEM (`PUBLIC KEY` or `RSA PUBLIC KEY`). Without `algorithm` it is what the key says, or
    /// `RSA-OAEP-256` for an RSA key and `ECDH-ES` for one on a curve.
    ///
    /// # Errors
    /// See [`EncryptionKeyError`].
    pub fn read(text: &str, algorithm: Option<KeyManagement>) -> Result<Self, EncryptionKeyError> {
        if text.len() > MAX_JWK_BYTES {
            return Err(EncryptionKeyError::Unreadable(format!("longer than {MAX_JWK_BYTES} bytes")));
        }
        if text.contains("PRIVATE KEY-----") {
            return Err(EncryptionKeyError::Private);
        }
        let members = match text.trim_start().starts_with('{') {
            true => strict::object(text.as_bytes()).ok_or(JwkError::NotAnObject)?,
            false => pem(text).map_err(EncryptionKeyError::Unreadable)?,
        };
        Self::from_members(&members, algorithm)
    }

    /// The same from the members of a JWK. RFC 7517 §4: members that are not understood "MUST be ignored"; they are not
    /// copied either.
    ///
    /// # Errors
    /// See [`EncryptionKeyError`].
    pub fn from_members(
        members: &Map<String, Value>,
        algorithm: Option<KeyManagement>,
    ) -> Result<Self, EncryptionKeyError> {
        if PRIVATE_MEMBERS.iter().any(|name| members.contains_key(*name)) {
            return Err(EncryptionKeyError::Private);
        }
        if members.contains_key("keys") {
            let text = "this is a JWK Set; give the one key in it that is for encryption";
            return Err(EncryptionKeyError::Unreadable(text.to_owned()));
        }
        let declared = declared(members)?;
        let algorithm = match (algorithm, declared) {
            (Some(wanted), Some(declared)) if wanted != declared => {
                return Err(
                    JwkError::WrongKind(wanted.as_str(), format!("its \"alg\" is \"{declared}\"")).into()
                );
            }
            (Some(algorithm), _) | (None, Some(algorithm)) => algorithm,
            (None, None) if jwk::member(members, "kty")? == "RSA" => KeyManagement::RsaOaep256,
            (None, None) => KeyManagement::EcdhEs,
        };
        let key = match algorithm {
            KeyManagement::RsaOaep256 => jwk::rsa_key(members, algorithm.as_str())?,
            KeyManagement::EcdhEs | KeyManagement::EcdhEsA256Kw => {
                agreement_key(members, algorithm.as_str())?
            }
        };
        let kid = match members.get("kid") {
            None => key.thumbprint(),
            Some(Value::String(kid)) if is_kid(kid) => kid.clone(),
            Some(_) => return Err(JwkError::Member("kid").into()),
        };
        let key = Self { algorithm, kid, names_algorithm: declared.is_some(), key };
        key.try_out()?;
        Ok(key)
    }

    /// What it is used with.
    #[must_use]
    pub fn algorithm(&self) -> KeyManagement {
        self.algorithm
    }

    /// Its own `kid`, or the RFC 7638 thumbprint.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public JWK: `kty`, `use`, `kid`, the public members of the key type, and `alg` if it had one. Nothing else.
    #[must_use]
    pub fn to_members(&self) -> Map<String, Value> {
        let mut members = self.public_members();
        members.insert("use".to_owned(), "enc".into());
        members.insert("kid".to_owned(), self.kid.clone().into());
        if self.names_algorithm {
            members.insert("alg".to_owned(), self.algorithm.as_str().into());
        }
        members
    }

    fn public_members(&self) -> Map<String, Value> {
        self.key.members().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
    }

    pub(super) fn encrypter(&self) -> Result<Box<dyn josekit::jwe::JweEncrypter>, josekit::JoseError> {
        backend::encrypter(self.algorithm, &josekit::jwk::Jwk::from_map(self.public_members())?)
    }

    /// One content key, conveyed to it: OpenSSL refuses a point that is off its curve when it reads the key, and one of
    /// small order (RFC 7748 §6.1) only when it is used.
    fn try_out(&self) -> Result<(), JwkError> {
        let refused = |e: josekit::JoseError| JwkError::Refused(e.to_string());
        let inner = self.encrypter().map_err(refused)?;
        backend::convey(&*inner, backend::content(ContentEncryption::A256Gcm), &[0; 32]).map_err(refused)?;
        Ok(())
    }
}

/// RFC 7517 §4.2, §4.3 and §4.4: where `use`, `key_ops` and `alg` are there, they bind.
fn declared(members: &Map<String, Value>) -> Result<Option<KeyManagement>, EncryptionKeyError> {
    let wrong = |what: &str, found: &Value| {
        EncryptionKeyError::from(JwkError::WrongKind("encryption", format!("its {what:?} is {found}")))
    };
    match members.get("use") {
        Some(found) if found != "enc" => return Err(wrong("use", found)),
        _ => {}
    }
    match members.get("key_ops") {
        Some(found) if signs(found) => return Err(wrong("key_ops", found)),
        _ => {}
    }
    match members.get("alg") {
        None => Ok(None),
        Some(Value::String(name)) => name.parse().map(Some).map_err(|why: String| {
            EncryptionKeyError::from(JwkError::WrongKind("encryption", format!("its \"alg\": {why}")))
        }),
        Some(found) => Err(wrong("alg", found)),
    }
}

/// Whether a key's operations say that it is for signatures. A browser's public ECDH key has none at all.
fn signs(operations: &Value) -> bool {
    let list = operations.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().any(|operation| operation == "sign" || operation == "verify")
}

fn is_kid(text: &str) -> bool {
    (1..=MAX_KID_BYTES).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// A key for ECDH (RFC 7518 §6.2, RFC 8037 §3.2).
fn agreement_key(members: &Map<String, Value>, algorithm: &'static str) -> Result<Key, JwkError> {
    let wrong = |what: &str, found: &str, known: &str| {
        Err(JwkError::WrongKind(algorithm, format!("its {what:?} is {found:?}, not {known}")))
    };
    let kty = jwk::member(members, "kty")?;
    if kty != "EC" && kty != "OKP" {
        return wrong("kty", kty, "EC or OKP");
    }
    match jwk::member(members, "crv")? {
        "P-256" => jwk::ec(members, algorithm, "P-256", 32),
        "P-384" => jwk::ec(members, algorithm, "P-384", 48),
        "P-521" => jwk::ec(members, algorithm, "P-521", 66),
        "X25519" => jwk::okp(members, algorithm, "X25519"),
        other => wrong("crv", other, "P-256, P-384, P-521 or X25519"),
    }
}

/// The JWK of a public key in PEM.
fn pem(text: &str) -> Result<Map<String, Value>, String> {
    let of_rsa = |key: &rsa::PublicKey| {
        let (n, e) = (base64url(&key.n_bytes()), base64url(&key.e_bytes()));
        members(json!({ "kty": "RSA", "n": n, "e": e }))
    };
    if let Some(block) = block(text, "PUBLIC KEY") {
        let (_, document) = Document::from_pem(block).map_err(|e| e.to_string())?;
        let info = SubjectPublicKeyInfoRef::try_from(document.as_bytes()).map_err(|e| e.to_string())?;
        let parameters = info.algorithm.parameters_oid().map(|oid| oid.to_string()).unwrap_or_default();
        let point = info.subject_public_key.raw_bytes();
        return match (&*info.algorithm.oid.to_string(), &*parameters) {
            ("1.2.840.113549.1.1.1", _) => {
                let key =
                    rsa::PublicKey::from_public_key_der(document.as_bytes()).map_err(|e| e.to_string())?;
                Ok(of_rsa(&key))
            }
            ("1.2.840.10045.2.1", "1.2.840.10045.3.1.7") => ec_members("P-256", point),
            ("1.2.840.10045.2.1", "1.3.132.0.34") => ec_members("P-384", point),
            ("1.2.840.10045.2.1", "1.3.132.0.35") => ec_members("P-521", point),
            ("1.3.101.110", _) => {
                Ok(members(json!({ "kty": "OKP", "crv": "X25519", "x": base64url(point) })))
            }
            (kind, curve) => Err(format!(
                "keys of the kind {kind} {curve} are not encrypted to: RSA, P-256, P-384, P-521 and X25519 are"
            )),
        };
    }
    if let Some(block) = block(text, "RSA PUBLIC KEY") {
        let key = rsa::PublicKey::from_pkcs1_pem(block).map_err(|e| e.to_string())?;
        return Ok(of_rsa(&key));
    }
    if text.contains("-----BEGIN CERTIFICATE-----") {
        return Err(
            "this is a certificate; `openssl x509 -in FILE -pubkey -noout` gives the key in it".to_owned()
        );
    }
    Err("neither a JWK nor a PEM block PUBLIC KEY".to_owned())
}

/// The first PEM block of this label.
fn block<'a>(text: &'a str, label: &str) -> Option<&'a str> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let start = text.find(&begin)?;
    let stop = start + text[start..].find(&end)? + end.len();
    text.get(start..stop)
}

/// SEC 1 §2.3.3: 4, then both coordinates; 2 or 3, then one.
fn ec_members(crv: &str, point: &[u8]) -> Result<Map<String, Value>, String> {
    let Some((4, coordinates)) = point.split_first() else {
        return Err(
            "the point is compressed; `openssl ec -pubin -conv_form uncompressed` writes it out".to_owned()
        );
    };
    let (x, y) = coordinates.split_at(coordinates.len() / 2);
    Ok(members(json!({ "kty": "EC", "crv": crv, "x": base64url(x), "y": base64url(y) })))
}

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
