//! Encrypted tokens as a resource server reads them: RFC 7516 §5.2 and RFC 7518 §4 done by hand on OpenSSL, without josekit.

use std::collections::BTreeMap;

use countersign::base::encoding::{base64url, from_base64url, sha256};
use openssl::aes::{AesKey, unwrap_key};
use openssl::bn::{BigNum, BigNumContext};
use openssl::derive::Deriver;
use openssl::ec::{EcGroup, EcKey};
use openssl::encrypt::Decrypter;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private, Public};
use openssl::rsa::{Padding, Rsa};
use openssl::sign::Signer;
use openssl::symm::{Cipher, decrypt, decrypt_aead};
use serde_json::{Map, Value, json};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Rsa,
    P256,
    P384,
    P521,
    X25519,
}

impl Kind {
    pub const ALL: [Self; 5] = [Self::Rsa, Self::P256, Self::P384, Self::P521, Self::X25519];

    /// The algorithms that this kind of key is used with.
    pub fn algorithms(self) -> &'static [&'static str] {
        if self == Self::Rsa { &["RSA-OAEP-256"] } else { &["ECDH-ES", "ECDH-ES+A256KW"] }
    }

    fn group(self) -> Option<EcGroup> {
        let nid = match self {
            Self::P256 => Nid::X9_62_PRIME256V1,
            Self::P384 => Nid::SECP384R1,
            Self::P521 => Nid::SECP521R1,
            Self::Rsa | Self::X25519 => return None,
        };
        Some(EcGroup::from_curve_name(nid).unwrap())
    }

    fn curve(self) -> (&'static str, i32) {
        match self {
            Self::P256 => ("P-256", 32),
            Self::P384 => ("P-384", 48),
            Self::P521 => ("P-521", 66),
            Self::X25519 => ("X25519", 32),
            Self::Rsa => panic!("RSA has no curve"),
        }
    }
}

/// A resource server's key pair.
pub struct Recipient {
    pub kind: Kind,
    private: PKey<Private>,
}

impl Recipient {
    pub fn new(kind: Kind) -> Self {
        let private = match (kind, kind.group()) {
            (_, Some(group)) => PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap(),
            (Kind::X25519, None) => PKey::generate_x25519().unwrap(),
            (_, None) => PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap(),
        };
        Self { kind, private }
    }

    /// A NIST curve's key from its private number.
    pub fn from_number(kind: Kind, d: &str) -> Self {
        let (group, number) =
            (kind.group().unwrap(), BigNum::from_slice(&from_base64url(d).unwrap()).unwrap());
        let mut point = openssl::ec::EcPoint::new(&group).unwrap();
        point.mul_generator2(&group, &number, &mut BigNumContext::new().unwrap()).unwrap();
        let key = EcKey::from_private_components(&group, &number, &point).unwrap();
        Self { kind, private: PKey::from_ec_key(key).unwrap() }
    }

    pub fn public_pem(&self) -> String {
        String::from_utf8(self.private.public_key_to_pem().unwrap()).unwrap()
    }

    pub fn private_pem(&self) -> String {
        String::from_utf8(self.private.private_key_to_pem_pkcs8().unwrap()).unwrap()
    }

    /// The members of the public JWK that every such key has.
    pub fn public_jwk(&self) -> Map<String, Value> {
        let jwk = match (self.kind, self.kind.group()) {
            (kind, Some(group)) => {
                let (mut x, mut y) = (BigNum::new().unwrap(), BigNum::new().unwrap());
                let key = self.private.ec_key().unwrap();
                let mut context = BigNumContext::new().unwrap();
                key.public_key().affine_coordinates(&group, &mut x, &mut y, &mut context).unwrap();
                let (crv, bytes) = kind.curve();
                let text = |number: BigNum| base64url(&number.to_vec_padded(bytes).unwrap());
                json!({ "kty": "EC", "crv": crv, "x": text(x), "y": text(y) })
            }
            (Kind::X25519, None) => {
                json!({ "kty": "OKP", "crv": "X25519", "x": base64url(&self.private.raw_public_key().unwrap()) })
            }
            (_, None) => {
                let key = self.private.rsa().unwrap();
                json!({ "kty": "RSA", "n": base64url(&key.n().to_vec()), "e": base64url(&key.e().to_vec()) })
            }
        };
        jwk.as_object().unwrap().clone()
    }

    /// RFC 7638 §3.
    pub fn thumbprint(&self) -> String {
        let sorted: BTreeMap<String, Value> = self.public_jwk().into_iter().collect();
        base64url(&sha256(serde_json::to_string(&sorted).unwrap().as_bytes()))
    }

    /// The header and the content, for the algorithms that the resource server asked for and no others.
    pub fn open(&self, token: &str, alg: &str, enc: &str) -> (Map<String, Value>, String) {
        let parts: Vec<&str> = token.split('.').collect();
        let [encoded, encrypted_key, nonce, ciphertext, tag] = parts[..] else { panic!("no JWE: {token}") };
        let header: Map<String, Value> = serde_json::from_slice(&from_base64url(encoded).unwrap()).unwrap();
        assert_eq!((&header["alg"], &header["enc"]), (&json!(alg), &json!(enc)), "its own choice");
        let bytes = match enc {
            "A128GCM" => 16,
            "A128CBC-HS256" | "A256GCM" => 32,
            "A256CBC-HS512" => 64,
            other => panic!("{other}"),
        };
        let encrypted_key = from_base64url(encrypted_key).unwrap();
        let epk = || header["epk"].as_object().unwrap();
        let key = match alg {
            "RSA-OAEP-256" => self.oaep(&encrypted_key),
            "ECDH-ES" => {
                assert!(encrypted_key.is_empty(), "RFC 7516 §5.2 step 10");
                self.agreed(epk(), enc, bytes, b"", b"")
            }
            "ECDH-ES+A256KW" => {
                let wrapping = AesKey::new_decrypt(&self.agreed(epk(), alg, 32, b"", b"")).unwrap();
                let mut key = vec![0; encrypted_key.len() - 8];
                unwrap_key(&wrapping, None, &mut key, &encrypted_key).unwrap();
                key
            }
            other => panic!("{other}"),
        };
        let (nonce, tag) = (from_base64url(nonce).unwrap(), from_base64url(tag).unwrap());
        assert_eq!(key.len(), bytes);
        let ciphertext = from_base64url(ciphertext).unwrap();
        let content = match enc {
            "A128GCM" => gcm(Cipher::aes_128_gcm(), &key, &nonce, encoded, &ciphertext, &tag),
            "A256GCM" => gcm(Cipher::aes_256_gcm(), &key, &nonce, encoded, &ciphertext, &tag),
            "A128CBC-HS256" => {
                let hash = MessageDigest::sha256();
                cbc_hmac(Cipher::aes_128_cbc(), hash, &key, &nonce, encoded, &ciphertext, &tag)
            }
            _ => {
                let hash = MessageDigest::sha512();
                cbc_hmac(Cipher::aes_256_cbc(), hash, &key, &nonce, encoded, &ciphertext, &tag)
            }
        };
        (header, String::from_utf8(content).unwrap())
    }

    /// RFC 7518 §4.3: OAEP with SHA-256, and MGF1 with SHA-256.
    fn oaep(&self, encrypted_key: &[u8]) -> Vec<u8> {
        let mut decrypter = Decrypter::new(&self.private).unwrap();
        decrypter.set_rsa_padding(Padding::PKCS1_OAEP).unwrap();
        decrypter.set_rsa_oaep_md(MessageDigest::sha256()).unwrap();
        decrypter.set_rsa_mgf1_md(MessageDigest::sha256()).unwrap();
        let mut key = vec![0; decrypter.decrypt_len(encrypted_key).unwrap()];
        let length = decrypter.decrypt(encrypted_key, &mut key).unwrap();
        key.truncate(length);
        key
    }

    /// RFC 7518 §4.6.2: the Concat KDF, 32 octets a round.
    pub fn agreed(
        &self,
        epk: &Map<String, Value>,
        id: &str,
        bytes: usize,
        apu: &[u8],
        apv: &[u8],
    ) -> Vec<u8> {
        let peer = self.peer(epk);
        let mut deriver = Deriver::new(&self.private).unwrap();
        deriver.set_peer(&peer).unwrap();
        let mut input = deriver.derive_to_vec().unwrap();
        for part in [id.as_bytes(), apu, apv] {
            input.extend(u32::try_from(part.len()).unwrap().to_be_bytes());
            input.extend(part);
        }
        input.extend(u32::try_from(bytes * 8).unwrap().to_be_bytes());
        let round = |number: u32| sha256(&[&number.to_be_bytes()[..], &input].concat());
        [round(1), round(2)].concat()[..bytes].to_vec()
    }

    /// RFC 7518 §4.6.1.1: the ephemeral key is on the curve of the resource server's own, and has public members only.
    fn peer(&self, epk: &Map<String, Value>) -> PKey<Public> {
        let octets = |name: &str| from_base64url(epk[name].as_str().unwrap()).unwrap();
        let (crv, bytes) = self.kind.curve();
        assert_eq!((&epk["crv"], octets("x").len()), (&json!(crv), usize::try_from(bytes).unwrap()));
        match self.kind.group() {
            Some(group) => {
                assert_eq!((&epk["kty"], epk.len()), (&json!("EC"), 4));
                let number = |name: &str| BigNum::from_slice(&octets(name)).unwrap();
                let key =
                    EcKey::from_public_key_affine_coordinates(&group, &number("x"), &number("y")).unwrap();
                PKey::from_ec_key(key).unwrap()
            }
            None => {
                assert_eq!((&epk["kty"], epk.len()), (&json!("OKP"), 3));
                PKey::public_key_from_raw_bytes(&octets("x"), Id::X25519).unwrap()
            }
        }
    }
}

/// RFC 7518 §5.3: 96 bits of nonce, 128 of tag.
fn gcm(cipher: Cipher, key: &[u8], nonce: &[u8], aad: &str, ciphertext: &[u8], tag: &[u8]) -> Vec<u8> {
    assert_eq!((nonce.len(), tag.len()), (12, 16));
    decrypt_aead(cipher, key, Some(nonce), aad.as_bytes(), ciphertext, tag).unwrap()
}

/// RFC 7518 §5.2.2.2, undoing RFC 7518 §5.2.2.1 (with SHA-512: RFC 7518 §5.2.5): the first half of the key
/// is the MAC's, the second the cipher's; the tag is half of the MAC.
fn cbc_hmac(
    cipher: Cipher,
    hash: MessageDigest,
    key: &[u8],
    nonce: &[u8],
    aad: &str,
    ciphertext: &[u8],
    tag: &[u8],
) -> Vec<u8> {
    let (mac_key, cipher_key) = key.split_at(key.len() / 2);
    let bits = u64::try_from(aad.len() * 8).unwrap();
    let input = [aad.as_bytes(), nonce, ciphertext, &bits.to_be_bytes()].concat();
    let mac_key = PKey::hmac(mac_key).unwrap();
    let mac = Signer::new(hash, &mac_key).unwrap().sign_oneshot_to_vec(&input).unwrap();
    assert_eq!((nonce.len(), tag), (16, &mac[..mac.len() / 2]));
    decrypt(cipher, cipher_key, Some(nonce), ciphertext).unwrap()
}
