//! Foreign forms of private keys → PKCS#8. P-256 keys pass through p256, RSA keys through rsa, which check their
//! arithmetic; the others through OpenSSL.

use josekit::jwk::alg::ec::EcKeyPair;
use josekit::jwk::alg::ed::EdKeyPair;
use josekit::jwk::{Jwk, KeyPair};
use p256::pkcs8::{EncodePrivateKey as _, SecretDocument};
use rsa::BoxedUint;
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs8::DecodePrivateKey as _;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::jwk::{JwkError, MAX_JWK_BYTES, PublicJwk};
use super::private_key::{KeyError, encoded};
use super::{backend, strict};
use crate::base::encoding::from_base64url;
use crate::oauth::algorithm::SigningAlgorithm;

const MAX_PEM_BYTES: usize = 32 * 1024;
/// What a private JWK may hand to josekit; everything else in it is left behind.
const PRIVATE_MEMBERS: [&str; 5] = ["kty", "crv", "x", "y", "d"];

/// josekit writes EC keys in SEC1 when asked for DER, so the way leads through its PEM.
pub(super) fn pkcs8_of(pair: &dyn KeyPair) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let pem = Zeroizing::new(pair.to_pem_private_key());
    let text = std::str::from_utf8(&pem).map_err(|e| KeyError::Failed(e.to_string()))?;
    let (_, document) = SecretDocument::from_pem(text).map_err(|e| KeyError::Failed(e.to_string()))?;
    Ok(document.to_bytes())
}

pub(super) fn pem_to_pkcs8(pem: &str, algorithm: SigningAlgorithm) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let unreadable = |why: String| KeyError::Unreadable { algorithm, why };
    if pem.len() > MAX_PEM_BYTES {
        return Err(unreadable(format!("longer than {MAX_PEM_BYTES} bytes")));
    }
    let pem = key_block(pem).ok_or_else(|| {
        unreadable(
            "no PEM block PRIVATE KEY, EC PRIVATE KEY or RSA PRIVATE KEY (without a passphrase)".to_owned(),
        )
    })?;
    match algorithm {
        SigningAlgorithm::Es256 => {
            let key = p256::SecretKey::from_pem(pem).map_err(|e| unreadable(e.to_string()))?;
            encoded(key.to_pkcs8_der())
        }
        SigningAlgorithm::Rs256 | SigningAlgorithm::Ps256 => {
            let key = if pem.starts_with("-----BEGIN RSA PRIVATE KEY-----") {
                rsa::PrivateKey::from_pkcs1_pem(pem).map_err(|e| unreadable(e.to_string()))?
            } else {
                rsa::PrivateKey::from_pkcs8_pem(pem).map_err(|e| unreadable(e.to_string()))?
            };
            encoded(key.to_pkcs8_der())
        }
        SigningAlgorithm::Es384 | SigningAlgorithm::Es512 => {
            let pair =
                EcKeyPair::from_pem(pem, backend::curve(algorithm)).map_err(|e| unreadable(e.to_string()))?;
            pkcs8_of(&pair)
        }
        SigningAlgorithm::EdDsa => {
            let pair = EdKeyPair::from_pem(pem).map_err(|e| unreadable(e.to_string()))?;
            pkcs8_of(&pair)
        }
    }
}

/// The first private-key block: `openssl ecparam -genkey` writes the curve's parameters before it.
fn key_block(pem: &str) -> Option<&str> {
    ["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"].into_iter().find_map(|label| {
        let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
        let start = pem.find(&begin)?;
        let stop = start + pem[start..].find(&end)? + end.len();
        pem.get(start..stop)
    })
}

/// The key, and its public part as the JWK itself declares it (an OKP or EC key may leave that out).
pub(super) fn jwk_to_pkcs8(
    json: &str,
    algorithm: SigningAlgorithm,
) -> Result<(Zeroizing<Vec<u8>>, Option<PublicJwk>), KeyError> {
    if json.len() > MAX_JWK_BYTES {
        return Err(JwkError::NotAnObject.into());
    }
    let members = strict::object(json.as_bytes()).ok_or(JwkError::NotAnObject)?;
    let declared = match members.contains_key("x") || members.contains_key("n") {
        true => Some(PublicJwk::from_members(&members, algorithm)?),
        false => None,
    };
    let pkcs8 =
        if algorithm.is_rsa() { rsa_jwk(&members, algorithm)? } else { curve_jwk(&members, algorithm)? };
    Ok((pkcs8, declared))
}

fn curve_jwk(
    members: &Map<String, Value>,
    algorithm: SigningAlgorithm,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let unreadable = |why: String| KeyError::Unreadable { algorithm, why };
    if algorithm == SigningAlgorithm::Es256 {
        let d = Zeroizing::new(octets(members, "d")?);
        let key = p256::SecretKey::from_slice(&d).map_err(|e| unreadable(e.to_string()))?;
        return encoded(key.to_pkcs8_der());
    }
    let picked: Map<String, Value> = PRIVATE_MEMBERS
        .into_iter()
        .filter_map(|name| members.get(name).map(|value| (name.to_owned(), value.clone())))
        .collect();
    let jwk = Jwk::from_map(picked).map_err(|e| unreadable(e.to_string()))?;
    match algorithm {
        SigningAlgorithm::EdDsa => {
            pkcs8_of(&EdKeyPair::from_jwk(&jwk).map_err(|e| unreadable(e.to_string()))?)
        }
        _ => pkcs8_of(&EcKeyPair::from_jwk(&jwk).map_err(|e| unreadable(e.to_string()))?),
    }
}

/// RFC 7518 §6.3.2: `p` and `q` may be missing, then they are found again; `oth` (more than two primes) is refused.
fn rsa_jwk(
    members: &Map<String, Value>,
    algorithm: SigningAlgorithm,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    if members.contains_key("oth") {
        return Err(JwkError::Refused("RSA keys of more than two primes are not taken".to_owned()).into());
    }
    let n = octets(members, "n")?;
    let bits = u32::try_from(n.len() * 8).map_err(|_| JwkError::Member("n"))?;
    let number = |name| -> Result<BoxedUint, KeyError> {
        let bytes = Zeroizing::new(octets(members, name)?);
        BoxedUint::from_be_slice(&bytes, bits).map_err(|_| JwkError::Member(name).into())
    };
    let e = BoxedUint::from_be_slice_vartime(&octets(members, "e")?);
    let primes = match members.contains_key("p") || members.contains_key("q") {
        true => vec![number("p")?, number("q")?],
        false => Vec::new(),
    };
    let key = rsa::PrivateKey::from_components(number("n")?, e, number("d")?, primes)
        .map_err(|e| KeyError::Unreadable { algorithm, why: e.to_string() })?;
    encoded(key.to_pkcs8_der())
}

fn octets(members: &Map<String, Value>, name: &'static str) -> Result<Vec<u8>, JwkError> {
    members.get(name).and_then(Value::as_str).and_then(from_base64url).ok_or(JwkError::Member(name))
}
