//! What a client asks to be (RFC 7591 §2, OpenID Connect Dynamic Client Registration 1.0 §2), member by member, and what
//! its members must be together. What the operator allows is for `client` to say.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::domain::client::MAX_LIST;
use crate::domain::client::openid::OpenIdSettings;
use crate::oauth::registration::{ApplicationType, Members, MetadataCode, MetadataError};
use crate::oauth::{AuthMethod, GrantType, RedirectUri, Scope};

use super::openid;

/// What a client asks to be.
pub(super) struct Metadata {
    /// The client that says so, where it is known already.
    pub(super) client_id: Option<String>,
    /// Its secret, where it says that.
    pub(super) client_secret: Option<Zeroizing<String>>,
    pub(super) name: Option<String>,
    pub(super) application_type: ApplicationType,
    pub(super) redirect_uris: Vec<RedirectUri>,
    pub(super) post_logout_redirect_uris: Vec<RedirectUri>,
    pub(super) grant_types: BTreeSet<GrantType>,
    pub(super) auth_method: AuthMethod,
    pub(super) scope: Option<Scope>,
    pub(super) openid: OpenIdSettings,
    /// What is only told again.
    pub(super) told: Map<String, Value>,
}

impl Metadata {
    /// Reads a request. Members that no spec of this server knows, and those of request objects, which it does not
    /// support, are ignored: the answer does not have them.
    pub(super) fn read(all: Map<String, Value>) -> Result<Self, MetadataError> {
        let mut members = Members::new(all);
        if members.has("software_statement") {
            return Err(MetadataError {
                code: MetadataCode::UnapprovedSoftwareStatement,
                description: "this server approves of no software statement: register without one".to_owned(),
            });
        }
        let client_id = members.word("client_id")?;
        let client_secret = members.secret("client_secret")?;
        let redirect_uris = redirect_uris(&mut members, "redirect_uris")?;
        let kind = members.parsed("application_type")?;
        let application_type = kind.unwrap_or_else(|| ApplicationType::inferred(&redirect_uris));
        let post_logout_redirect_uris = redirect_uris_of(&mut members, "post_logout_redirect_uris")?;
        for uri in &redirect_uris {
            application_type.takes(uri).map_err(|why| MetadataError::redirect("redirect_uris", why))?;
        }
        for uri in &post_logout_redirect_uris {
            let field = "post_logout_redirect_uris";
            application_type.takes_after_logout(uri).map_err(|why| MetadataError::of(field, why))?;
        }
        let grant_types = grant_types(&mut members, &redirect_uris)?;
        let auth_method = auth_method(&mut members, application_type)?;
        let told = told(&mut members)?;
        Ok(Self {
            client_id,
            client_secret,
            name: members.name("client_name")?,
            application_type,
            scope: scope(&mut members)?,
            openid: openid::read(&mut members, auth_method, &redirect_uris)?,
            redirect_uris,
            post_logout_redirect_uris,
            grant_types,
            auth_method,
            told,
        })
    }
}

/// A wrong redirect URI has a code of its own; a wrong address for after the logout has not.
fn refused(field: &str, why: impl std::fmt::Display) -> MetadataError {
    match field {
        "redirect_uris" => MetadataError::redirect(field, why),
        _ => MetadataError::of(field, why),
    }
}

fn redirect_uris(members: &mut Members, field: &str) -> Result<Vec<RedirectUri>, MetadataError> {
    // Whatever is wrong with them has one code.
    redirect_uris_of(members, field)
        .map_err(|error| MetadataError { code: MetadataCode::InvalidRedirectUri, ..error })
}

fn redirect_uris_of(members: &mut Members, field: &str) -> Result<Vec<RedirectUri>, MetadataError> {
    let mut found: Vec<RedirectUri> = Vec::new();
    for text in members.uris(field, MAX_LIST)?.unwrap_or_default() {
        let uri: RedirectUri = text.parse().map_err(|why: String| refused(field, why))?;
        if !found.contains(&uri) {
            found.push(uri);
        }
    }
    Ok(found)
}

/// RFC 7591 §2.1: "a server supporting these fields SHOULD take steps to ensure that a client cannot register itself into an
/// inconsistent state": the response type `code` and the grant `authorization_code` go together.
fn grant_types(
    members: &mut Members,
    redirect_uris: &[RedirectUri],
) -> Result<BTreeSet<GrantType>, MetadataError> {
    let named = members.texts("grant_types", 16)?;
    let mut grants = BTreeSet::new();
    for text in named.as_deref().unwrap_or(&["authorization_code".to_owned()]) {
        grants.insert(text.parse().map_err(|_| {
            MetadataError::of("grant_types", "an unknown grant; discovery lists those that this server does")
        })?);
    }
    let by_code = grants.contains(&GrantType::AuthorizationCode);
    if let Some(types) = members.texts("response_types", 16)? {
        if types.iter().any(|one| one != "code") {
            return Err(MetadataError::of("response_types", "this server does the response type code only"));
        }
        match (types.is_empty(), by_code) {
            (false, false) => {
                return Err(MetadataError::of(
                    "response_types",
                    "code goes with the grant authorization_code, which grant_types does not name",
                ));
            }
            (true, true) => {
                return Err(MetadataError::of(
                    "response_types",
                    "the grant authorization_code goes with the response type code",
                ));
            }
            _ => {}
        }
    }
    if by_code && redirect_uris.is_empty() {
        // RFC 7591 §2: "Clients using flows with redirection MUST register their redirection URI values."
        return Err(MetadataError::redirect("redirect_uris", "the code flow needs at least one"));
    }
    if !by_code && !redirect_uris.is_empty() {
        return Err(MetadataError::redirect("redirect_uris", "they are for the grant authorization_code"));
    }
    Ok(grants)
}

/// RFC 7591 §2: "If unspecified or omitted, the default is "client_secret_basic"". An app on the user's machine cannot keep
/// a secret from whoever has that machine: there it is `none`.
fn auth_method(members: &mut Members, kind: ApplicationType) -> Result<AuthMethod, MetadataError> {
    let field = "token_endpoint_auth_method";
    match (members.parsed::<AuthMethod>(field)?, kind) {
        (None, ApplicationType::Web) => Ok(AuthMethod::ClientSecretBasic),
        (None | Some(AuthMethod::None), ApplicationType::Native) => Ok(AuthMethod::None),
        (Some(_), ApplicationType::Native) => {
            Err(MetadataError::of(field, "an application of the type native does not authenticate: none"))
        }
        (Some(method), ApplicationType::Web) => Ok(method),
    }
}

fn scope(members: &mut Members) -> Result<Option<Scope>, MetadataError> {
    let text = members.text("scope", 2048)?;
    text.map(|text| text.parse().map_err(|e| MetadataError::of("scope", e))).transpose()
}

/// What this server has no use for, and tells again.
fn told(members: &mut Members) -> Result<Map<String, Value>, MetadataError> {
    let mut told = Map::new();
    if let Some(contacts) = members.texts("contacts", 16)? {
        told.insert("contacts".to_owned(), json!(contacts));
    }
    for name in ["software_id", "software_version"] {
        if let Some(word) = members.word(name)? {
            told.insert(name.to_owned(), word.into());
        }
    }
    Ok(told)
}
