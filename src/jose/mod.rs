//! Keys, tokens and seals: the only room that imports josekit, p256 and rsa.
//!
//! - [`jwk`]: public keys, by an allow-list of members; the RFC 7638 thumbprint that is the `kid`
//! - [`private_key`], `import`: private keys, made and taken in with their checks
//! - `backend`: which josekit algorithm stands for which of ours
//! - [`master`], [`master_file`]: the key of this node, in its file
//! - [`seal`]: compact JWE for what leaves this process and comes back (key columns, forms)
//! - [`signer`]: signs tokens; [`verifier`]: verifies this server's own tokens
//! - [`assertion`]: JWTs that clients make; [`client_keys`]: which of their keys is for what
//! - [`encryption_key`]: a resource server's public key; [`encrypt`]: signed tokens encrypted to it
//! - [`ring`]: an immutable snapshot of all signing keys, with the JWKS made once
//!
//! Private-key operations run through josekit (OpenSSL), never through the rsa crate (RUSTSEC-2023-0071). OpenSSL draws the
//! randomness of signatures, of RSA-OAEP's padding, of ephemeral ECDH keys and of the keys that p256 and rsa do not make
//! itself; all other randomness is `base::Entropy`.

pub mod assertion;
mod backend;
pub mod client_keys;
pub mod encrypt;
pub mod encryption_key;
mod import;
pub mod jwk;
pub mod master;
pub mod master_file;
pub mod private_key;
pub mod ring;
pub mod seal;
pub mod signer;
#[cfg(test)]
mod tests;
pub mod verifier;

use crate::base::strict;

pub use assertion::{Assertion, AssertionError};
pub use client_keys::{ClientKeySet, NoKey};
pub use encrypt::{Content, EncryptError, Encrypter};
pub use encryption_key::{EncryptionKey, EncryptionKeyError};
pub use jwk::{JwkError, PublicJwk};
pub use master::{MasterKey, MasterKeyError, MasterKeys};
pub use master_file::MasterKeyFile;
pub use private_key::{KeyError, PrivateKey};
pub use ring::{KeyRing, RingError, open_key};
pub use seal::{OpenError, Purpose, SealError, Sealer};
pub use signer::{SignError, Signer, TokenType};
pub use verifier::{VerificationKey, VerifyError, verify};
