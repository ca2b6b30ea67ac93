//! `[[resource_servers]]` and `[[roles]]`, declared in the file and applied at every start.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use super::schema::{Setting, Shape, section};
use super::words::{AlgorithmName, TokenFormatName};

section! {
    /// A declared resource server (an API), applied at every start; it is known by its `id`.
    pub struct ResourceServer named by id {
        /// The absolute URI that clients name as `resource` (RFC 8707) and that stands in `aud`. Required.
        id: String = String::new();
        /// The name that people see. Left out: the `id`.
        name: Option<String> = None;
        /// Its scopes: a table `{ "notes:read" = "Read your notes" }` or a list of `{ name = …, description = … }`. The
        /// description stands on the consent page.
        scopes: Scopes = Scopes::default();
        /// The life of access tokens for it. Left out: as in `[tokens]`.
        access_token_ttl_s: Option<u32> = None, in 10..=86_400;
        /// Lets `access_token_ttl_s` be above an hour.
        allow_long_access_tokens: bool = false;
        /// What signs its access tokens; one of `keys.algorithms`. Left out: the first of them.
        signing_algorithm: Option<AlgorithmName> = None;
        /// Whether a user's roles go into its access tokens.
        include_roles: bool = false;
        /// What its access tokens say beyond that: a table from a claim's name to where its value comes from,
        /// `attribute:NAME` (of the user), `claim:NAME` (a standard claim: `email`), `roles`, `roles:PREFIX` (those that
        /// begin so, without that), `value:TEXT` or `json:JSON`.
        claims: ClaimTable = ClaimTable::default();
        /// Whether users may make API tokens for it on their own page, each with any of its scopes.
        user_api_tokens: bool = false;
        /// What its access tokens look like. `jwt`: signed; it needs the JWKS only. `opaque`: short, it asks this server
        /// what they stand for. `jwe`: signed, then encrypted to its public key.
        token_format: TokenFormatName = TokenFormatName::Jwt;
        /// For `jwe`: a file that holds its public key, as a JWK or PEM.
        encryption_key_file: Option<PathBuf> = None;
        /// For `jwe`: the public key itself, in place of the file.
        encryption_key: Option<String> = None;
        /// How the content's key is conveyed: `RSA-OAEP-256`, `ECDH-ES` or `ECDH-ES+A256KW`. Left out: what the key says,
        /// or `RSA-OAEP-256` for an RSA key and `ECDH-ES` for another.
        encryption_alg: Option<String> = None;
        /// How the content is encrypted: `A256GCM` (left out), `A128GCM`, `A256CBC-HS512` or `A128CBC-HS256`.
        encryption_enc: Option<String> = None;
    }
}

section! {
    /// A declared role, applied at every start; it is known by its `name`. Users are given roles by `countersign user`.
    pub struct Role named by name {
        /// The name, as it stands in tokens: 1 to 128 visible ASCII characters. Required.
        name: String = String::new();
        /// What it is for, for people.
        description: Option<String> = None;
    }
}

/// Custom claims: from a claim's name to where its value comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct ClaimTable(pub BTreeMap<String, String>);

impl Setting for ClaimTable {
    fn shape() -> Shape {
        Shape::Mixed
    }
    fn wording() -> String {
        "a table from claim to source".to_owned()
    }
    fn show(&self) -> Option<String> {
        Some("{}".to_owned())
    }
}

/// The scopes of a resource server, in the order of the file (a table: by name).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(pub Vec<Scope>);

/// A scope and what it means.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// The value in `scope`.
    pub name: String,
    /// What it allows, for the consent page.
    #[serde(default)]
    pub description: String,
}

impl Scopes {
    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }
}

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScopesVisitor)
    }
}

struct ScopesVisitor;

impl<'de> Visitor<'de> for ScopesVisitor {
    type Value = Scopes;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&Scopes::wording())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scopes, A::Error> {
        let mut scopes = Vec::new();
        while let Some((name, description)) = map.next_entry()? {
            scopes.push(Scope { name, description });
        }
        Ok(Scopes(scopes))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scopes, A::Error> {
        let mut scopes = Vec::new();
        while let Some(scope) = list.next_element()? {
            scopes.push(scope);
        }
        Ok(Scopes(scopes))
    }
}

impl Setting for Scopes {
    fn shape() -> Shape {
        Shape::Mixed
    }
    fn wording() -> String {
        "a table from scope to description, or a list of `{ name, description }`".to_owned()
    }
    fn show(&self) -> Option<String> {
        Some("{}".to_owned())
    }
}
