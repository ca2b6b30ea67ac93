#![allow(missing_docs, unused, unused_variables)]
//! stub
use crate::base::*;
use crate::domain::*;
use crate::oauth::algorithm::SigningAlgorithm;
use std::path::Path;
#[derive(Debug)]
pub struct RingError;
impl std::fmt::Display for RingError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}
pub enum OpenError {
    Expired,
    Malformed,
}
pub type SealError = RingError;
pub type KeyError = RingError;
#[derive(Clone, Copy)]
pub enum Purpose {
    SigningKey,
    AuthorizationRequest,
    ConsentTicket,
    LogoutRequest,
}
#[derive(Clone, Copy)]
pub enum TokenType {
    AccessToken,
    IdToken,
}
pub struct MasterKey;
impl MasterKey {
    pub fn load_or_create(p: &Path, may: bool, e: &dyn Entropy) -> Result<Self, RingError> {
        todo!()
    }
    pub fn from_bytes(b: [u8; 32]) -> Self {
        Self
    }
}
pub struct MasterKeys {
    pub current: MasterKey,
    pub previous: Vec<MasterKey>,
}
pub struct Sealer;
impl Sealer {
    pub fn new(m: MasterKeys) -> Self {
        Self
    }
    pub fn seal(&self, p: Purpose, b: &[u8], now: Timestamp) -> Result<String, RingError> {
        todo!()
    }
    pub fn open(
        &self,
        p: Purpose,
        t: &str,
        max: Option<Seconds>,
        now: Timestamp,
    ) -> Result<Vec<u8>, OpenError> {
        todo!()
    }
}
pub struct Signer;
impl Signer {
    pub fn sign(&self, t: TokenType, c: &[u8]) -> Result<String, RingError> {
        todo!()
    }
}
pub struct Jwks {
    pub etag: String,
    pub bytes: Vec<u8>,
}
pub struct KeyRing;
impl KeyRing {
    pub fn open(r: Vec<SigningKeyRecord>, s: &Sealer, now: Timestamp) -> Result<Self, RingError> {
        todo!()
    }
    pub fn signer(&self, a: SigningAlgorithm) -> Option<&Signer> {
        todo!()
    }
    pub fn jwks(&self) -> &Jwks {
        todo!()
    }
    pub fn next_change(&self) -> Option<Timestamp> {
        todo!()
    }
    pub fn verify(
        &self,
        t: &str,
        k: TokenType,
    ) -> Result<serde_json::Map<String, serde_json::Value>, RingError> {
        todo!()
    }
}
pub struct PrivateKey;
impl PrivateKey {
    pub fn generate(a: SigningAlgorithm, e: &dyn Entropy) -> Result<Self, RingError> {
        todo!()
    }
    pub fn generate_rsa(a: SigningAlgorithm, b: u32, e: &dyn Entropy) -> Result<Self, RingError> {
        todo!()
    }
    pub fn to_record(&self, s: &Sealer, now: Timestamp) -> Result<SigningKeyRecord, SealError> {
        todo!()
    }
    pub fn from_record(r: &SigningKeyRecord, s: &Sealer, now: Timestamp) -> Result<Self, RingError> {
        todo!()
    }
}
