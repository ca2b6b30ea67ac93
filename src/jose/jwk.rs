//! Public keys as JWK (RFC 7517), built from an allow-list of members: what is private is never copied, so it cannot come out.

use rsa::BoxedUint;
use rsa::traits::PublicKeyParts as _;
use serde_json::{Map, Value};

use super::{backend, strict};
use crate::base::encoding::{base64url, from_base64url, sha256};
use crate::oauth::algorithm::SigningAlgorithm;

/// Longest JWK that is read; an RSA key of 8192 bits with all its private members stays below.
pub(super) const MAX_JWK_BYTES: usize = 16 * 1024;
const MIN_RSA_BITS: usize = 2048;
const MIN_RSA_EXPONENT: u64 = 65_537;

/// A checked public signing key with the one algorithm that it is used with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicJwk {
    algorithm: SigningAlgorithm,
    kid: String,
    key: Key,
}

/// The public members per key type, in base64url.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Ec { crv: &'static str, x: String, y: String },
    Okp { crv: &'static str, x: String },
    Rsa { n: String, e: String },
}

impl Key {
    /// `kty` and the public members of the key type (RFC 7518 §6, RFC 8037 §2).
    pub(super) fn members(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::Ec { crv, x, y } => vec![("kty", "EC"), ("crv", crv), ("x", x), ("y", y)],
            Self::Okp { crv, x } => vec![("kty", "OKP"), ("crv", crv), ("x", x)],
            Self::Rsa { n, e } => vec![("kty", "RSA"), ("n", n), ("e", e)],
        }
    }

    /// RFC 7638 §3.2: the required members only, in lexicographic order, without white space.
    pub(super) fn thumbprint(&self) -> String {
        let required = match self {
            Self::Ec { crv, x, y } => format!(r#"{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}"#),
            Self::Okp { crv, x } => format!(r#"{{"crv":"{crv}","kty":"OKP","x":"{x}"}}"#),
            Self::Rsa { n, e } => format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
        };
        base64url(&sha256(required.as_bytes()))
    }
}

/// Why a JWK is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwkError {
    /// Not a JSON object, or a member twice, or far too long.
    #[error("the JWK is not a JSON object with unique members of at most {MAX_JWK_BYTES} bytes")]
    NotAnObject,
    /// A member is missing or malformed.
    #[error("the JWK's member {0:?} is missing or malformed")]
    Member(&'static str),
    /// Another kind of key than the algorithm needs.
    #[error("the JWK is not a key for {0}: {1}")]
    WrongKind(&'static str, String),
    /// Too weak or no valid key at all.
    #[error("the key is refused: {0}")]
    Refused(String),
}

impl PublicJwk {
    /// Reads the public members of a JWK, private or public, and checks them: curve and point, or RSA strength. The `kid`
    /// is computed; one that the JSON names is not taken over.
    ///
    /// # Errors
    /// See [`JwkError`].
    pub fn from_json(json: &str, algorithm: SigningAlgorithm) -> Result<Self, JwkError> {
        if json.len() > MAX_JWK_BYTES {
            return Err(JwkError::NotAnObject);
        }
        Self::from_members(&strict::object(json.as_bytes()).ok_or(JwkError::NotAnObject)?, algorithm)
    }

    pub(super) fn from_members(
        members: &Map<String, Value>,
        algorithm: SigningAlgorithm,
    ) -> Result<Self, JwkError> {
        check_declared(members, algorithm)?;
        let name = algorithm.as_str();
        let key = match algorithm {
            SigningAlgorithm::Es256 => ec(members, name, "P-256", 32)?,
            SigningAlgorithm::Es384 => ec(members, name, "P-384", 48)?,
            SigningAlgorithm::Es512 => ec(members, name, "P-521", 66)?,
            SigningAlgorithm::EdDsa => okp(members, name, "Ed25519")?,
            SigningAlgorithm::Rs256 | SigningAlgorithm::Ps256 => rsa_key(members, name)?,
        };
        let jwk = Self { algorithm, kid: key.thumbprint(), key };
        jwk.verifier().map_err(|e| JwkError::Refused(e.to_string()))?;
        Ok(jwk)
    }

    /// The key's algorithm.
    #[must_use]
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// The RFC 7638 thumbprint, with SHA-256, in base64url.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public JWK: `kty`, `use`, `alg`, `kid` and the public members of the key type. Nothing else.
    #[must_use]
    pub fn to_value(&self) -> Value {
        Value::Object(self.members())
    }

    /// [`PublicJwk::to_value`] as text.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.to_value().to_string()
    }

    fn members(&self) -> Map<String, Value> {
        let common = [("use", "sig"), ("alg", self.algorithm.as_str()), ("kid", self.kid.as_str())];
        let all = common.into_iter().chain(self.key.members());
        all.map(|(name, value)| (name.to_owned(), value.into())).collect()
    }

    pub(super) fn verifier(&self) -> Result<Box<dyn josekit::jws::JwsVerifier>, josekit::JoseError> {
        backend::verifier(self.algorithm, &josekit::jwk::Jwk::from_map(self.members())?)
    }

    /// Bytes of a signature by this key.
    pub(super) fn signature_length(&self) -> usize {
        match (&self.key, self.algorithm) {
            (Key::Rsa { n, .. }, _) => n.len() * 3 / 4,
            (_, SigningAlgorithm::Es384) => 96,
            (_, SigningAlgorithm::Es512) => 132,
            _ => 64,
        }
    }
}

/// RFC 7517 §4.2 and §4.4: where `use` and `alg` are there, they bind.
fn check_declared(members: &Map<String, Value>, algorithm: SigningAlgorithm) -> Result<(), JwkError> {
    let wrong = |what: &str, found: &Value| {
        JwkError::WrongKind(algorithm.as_str(), format!("its {what:?} is {found}"))
    };
    match (members.get("use"), members.get("alg")) {
        (Some(found), _) if found != "sig" => Err(wrong("use", found)),
        (_, Some(found)) if found != algorithm.as_str() => Err(wrong("alg", found)),
        _ => Ok(()),
    }
}

pub(super) fn member<'a>(members: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, JwkError> {
    members.get(name).and_then(Value::as_str).ok_or(JwkError::Member(name))
}

pub(super) fn octets(members: &Map<String, Value>, name: &'static str) -> Result<Vec<u8>, JwkError> {
    from_base64url(member(members, name)?).ok_or(JwkError::Member(name))
}

fn expect(
    members: &Map<String, Value>,
    algorithm: &'static str,
    name: &'static str,
    wanted: &str,
) -> Result<(), JwkError> {
    match member(members, name)? {
        found if found == wanted => Ok(()),
        found => Err(JwkError::WrongKind(algorithm, format!("its {name:?} is {found:?}, not {wanted:?}"))),
    }
}

/// RFC 7518 §6.2.1.2: "The length of this octet string MUST be the full size of a coordinate for the curve".
pub(super) fn ec(
    members: &Map<String, Value>,
    algorithm: &'static str,
    crv: &'static str,
    coordinate_bytes: usize,
) -> Result<Key, JwkError> {
    expect(members, algorithm, "kty", "EC")?;
    expect(members, algorithm, "crv", crv)?;
    let (x, y) = (octets(members, "x")?, octets(members, "y")?);
    for (name, value) in [("x", &x), ("y", &y)] {
        if value.len() != coordinate_bytes {
            return Err(JwkError::Member(name));
        }
    }
    if crv == "P-256" {
        let point = [&[4], x.as_slice(), y.as_slice()].concat();
        p256::PublicKey::from_sec1_bytes(&point)
            .map_err(|_| JwkError::Refused("the point is not on the curve P-256".to_owned()))?;
    }
    Ok(Key::Ec { crv, x: base64url(&x), y: base64url(&y) })
}

/// RFC 8037 §2, with curves of 32 octets only: Ed25519, X25519.
pub(super) fn okp(
    members: &Map<String, Value>,
    algorithm: &'static str,
    crv: &'static str,
) -> Result<Key, JwkError> {
    expect(members, algorithm, "kty", "OKP")?;
    expect(members, algorithm, "crv", crv)?;
    let x = octets(members, "x")?;
    if x.len() != 32 {
        return Err(JwkError::Member("x"));
    }
    Ok(Key::Okp { crv, x: base64url(&x) })
}

/// RFC 7518 §3.3: "A key of size 2048 bits or larger MUST be used with these algorithms."
pub(super) fn rsa_key(members: &Map<String, Value>, algorithm: &'static str) -> Result<Key, JwkError> {
    expect(members, algorithm, "kty", "RSA")?;
    let n = BoxedUint::from_be_slice_vartime(&octets(members, "n")?);
    let e = BoxedUint::from_be_slice_vartime(&octets(members, "e")?);
    let key = rsa::PublicKey::new_with_size_limits(n, e, MIN_RSA_BITS..=rsa::PublicKey::MAX_SIZE)
        .map_err(|error| JwkError::Refused(format!("RSA of at least {MIN_RSA_BITS} bits: {error}")))?;
    if key.e() < &BoxedUint::from(MIN_RSA_EXPONENT) || key.e_bytes().last().is_none_or(|last| last % 2 == 0) {
        return Err(JwkError::Refused(format!(
            "the RSA exponent must be odd and at least {MIN_RSA_EXPONENT}"
        )));
    }
    // Without leading zero octets (RFC 7518 §6.3.1.1), so that one key has one thumbprint.
    Ok(Key::Rsa { n: base64url(&key.n_bytes()), e: base64url(&key.e_bytes()) })
}
