//! Which josekit algorithm stands for which of ours.

use josekit::JoseError;
use josekit::jwe::enc::{A128CBC_HS256, A128GCM, A256CBC_HS512, A256GCM};
use josekit::jwe::{ECDH_ES, ECDH_ES_A256KW, JweContentEncryption, JweEncrypter, JweHeader, RSA_OAEP_256};
use josekit::jwk::Jwk;
use josekit::jwk::KeyPair;
use josekit::jwk::alg::ec::{EcCurve, EcKeyPair};
use josekit::jwk::alg::ed::{EdCurve, EdKeyPair};
use josekit::jwk::alg::rsa::RsaKeyPair;
use josekit::jws::{ES256, ES384, ES512, EdDSA, JwsSigner, JwsVerifier, PS256, RS256};

use zeroize::Zeroizing;

use crate::oauth::algorithm::{ContentEncryption, KeyManagement, SigningAlgorithm};

/// The NIST curve of an algorithm, if it has one.
pub(super) fn curve(algorithm: SigningAlgorithm) -> Option<EcCurve> {
    match algorithm {
        SigningAlgorithm::Es256 => Some(EcCurve::P256),
        SigningAlgorithm::Es384 => Some(EcCurve::P384),
        SigningAlgorithm::Es512 => Some(EcCurve::P521),
        SigningAlgorithm::Rs256 | SigningAlgorithm::Ps256 | SigningAlgorithm::EdDsa => None,
    }
}

/// A new key pair, made by OpenSSL; for the algorithms that neither p256 nor rsa make.
pub(super) fn generate(algorithm: SigningAlgorithm) -> Result<Box<dyn KeyPair>, JoseError> {
    Ok(match curve(algorithm) {
        Some(curve) => Box::new(EcKeyPair::generate(curve)?),
        None => Box::new(EdKeyPair::generate(EdCurve::Ed25519)?),
    })
}

/// The key pair in a PKCS#8 document, which must be of the algorithm's own kind and curve.
pub(super) fn key_pair(algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Result<Box<dyn KeyPair>, JoseError> {
    Ok(match algorithm {
        SigningAlgorithm::Es256 | SigningAlgorithm::Es384 | SigningAlgorithm::Es512 => {
            Box::new(EcKeyPair::from_der(pkcs8, curve(algorithm))?)
        }
        SigningAlgorithm::Rs256 | SigningAlgorithm::Ps256 => Box::new(RsaKeyPair::from_der(pkcs8)?),
        SigningAlgorithm::EdDsa => {
            let pair = EdKeyPair::from_der(pkcs8)?;
            if pair.curve() != EdCurve::Ed25519 {
                return Err(JoseError::InvalidKeyFormat(
                    std::io::Error::other("the curve is not Ed25519").into(),
                ));
            }
            Box::new(pair)
        }
    })
}

/// josekit's signer. Its `sign` makes one OpenSSL digest context per call and shares the key, which OpenSSL counts
/// references to; there is no lock of ours around it.
pub(super) fn signer(algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Result<Box<dyn JwsSigner>, JoseError> {
    Ok(match algorithm {
        SigningAlgorithm::Es256 => Box::new(ES256.signer_from_der(pkcs8)?),
        SigningAlgorithm::Es384 => Box::new(ES384.signer_from_der(pkcs8)?),
        SigningAlgorithm::Es512 => Box::new(ES512.signer_from_der(pkcs8)?),
        SigningAlgorithm::Rs256 => Box::new(RS256.signer_from_der(pkcs8)?),
        SigningAlgorithm::Ps256 => Box::new(PS256.signer_from_der(pkcs8)?),
        SigningAlgorithm::EdDsa => Box::new(EdDSA.signer_from_der(pkcs8)?),
    })
}

/// josekit's verifier. OpenSSL refuses a point that is not on its curve here.
pub(super) fn verifier(algorithm: SigningAlgorithm, jwk: &Jwk) -> Result<Box<dyn JwsVerifier>, JoseError> {
    Ok(match algorithm {
        SigningAlgorithm::Es256 => Box::new(ES256.verifier_from_jwk(jwk)?),
        SigningAlgorithm::Es384 => Box::new(ES384.verifier_from_jwk(jwk)?),
        SigningAlgorithm::Es512 => Box::new(ES512.verifier_from_jwk(jwk)?),
        SigningAlgorithm::Rs256 => Box::new(RS256.verifier_from_jwk(jwk)?),
        SigningAlgorithm::Ps256 => Box::new(PS256.verifier_from_jwk(jwk)?),
        SigningAlgorithm::EdDsa => Box::new(EdDSA.verifier_from_jwk(jwk)?),
    })
}

/// josekit's encrypter. OpenSSL refuses a point that is not on its curve here.
pub(super) fn encrypter(algorithm: KeyManagement, jwk: &Jwk) -> Result<Box<dyn JweEncrypter>, JoseError> {
    Ok(match algorithm {
        KeyManagement::RsaOaep256 => Box::new(RSA_OAEP_256.encrypter_from_jwk(jwk)?),
        KeyManagement::EcdhEs => Box::new(ECDH_ES.encrypter_from_jwk(jwk)?),
        KeyManagement::EcdhEsA256Kw => Box::new(ECDH_ES_A256KW.encrypter_from_jwk(jwk)?),
    })
}

/// josekit's cipher.
pub(super) fn content(encryption: ContentEncryption) -> &'static dyn JweContentEncryption {
    match encryption {
        ContentEncryption::A128CbcHs256 => &A128CBC_HS256,
        ContentEncryption::A256CbcHs512 => &A256CBC_HS512,
        ContentEncryption::A128Gcm => &A128GCM,
        ContentEncryption::A256Gcm => &A256GCM,
    }
}

/// A content key on its way to the one who may decrypt.
pub(super) struct Conveyed {
    /// The key itself: the one that was drawn, or the one that was agreed on.
    pub(super) key: Zeroizing<Vec<u8>>,
    /// What goes into the token for it; nothing where it was agreed on (RFC 7516 §5.1 step 5).
    pub(super) encrypted_key: Vec<u8>,
    /// The ephemeral public key of an agreement (RFC 7518 §4.6.1.1).
    pub(super) epk: Option<serde_json::Value>,
}

/// Conveys `drawn`; direct agreement leaves it unused. josekit makes the ephemeral keys, anew for each call.
pub(super) fn convey(
    encrypter: &dyn JweEncrypter,
    content: &dyn JweContentEncryption,
    drawn: &[u8],
) -> Result<Conveyed, JoseError> {
    let (given, mut added) = (JweHeader::new(), JweHeader::new());
    let agreed = encrypter.compute_content_encryption_key(content, &given, &mut added)?;
    let key = Zeroizing::new(agreed.map_or_else(|| drawn.to_vec(), std::borrow::Cow::into_owned));
    let encrypted_key = encrypter.encrypt(&key, &given, &mut added)?.unwrap_or_default();
    Ok(Conveyed { key, encrypted_key, epk: added.claim("epk").cloned() })
}
