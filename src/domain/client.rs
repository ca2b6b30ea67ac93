//! Clients (RFC 6749 §2): their profile, what they may ask for, and the rules that hold at creation and at every change.

pub mod openid;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::base::{HashedToken, Id, Seconds, Timestamp};
use crate::oauth::{ClientId, GrantType, Origin, RedirectUri, Resource, Scope};

use super::Problem;
use super::exchange::{self, ExchangeRule};
use openid::OpenIdSettings;

/// The most redirect URIs, resources or secrets of one client.
pub const MAX_LIST: usize = 64;
/// The longest shown name, in bytes.
pub const MAX_NAME_BYTES: usize = 200;
/// RFC 9700 wants short lives; above this only by an explicit override, in seconds.
pub const LONGEST_ACCESS_TOKEN: Seconds = Seconds(3600);
/// A thief may use a stolen refresh token beside its owner for that long before it shows.
pub const LONGEST_REUSE_GRACE: Seconds = Seconds(60);

/// What kind of application a client is. It sets safe defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// A single-page app in a browser: public, code + PKCE.
    Spa,
    /// A web application with a server: confidential, code + PKCE, refresh tokens.
    Web,
    /// An installed app (RFC 8252): public, code + PKCE, loopback ports free.
    Native,
    /// A machine: confidential, client credentials only.
    Service,
    /// An application of the house itself: confidential, code + PKCE, no consent page.
    FirstParty,
    /// An API that asks what tokens are (RFC 7662): confidential, no grant.
    ResourceServer,
}

impl Profile {
    /// All profiles.
    pub const ALL: [Self; 6] =
        [Self::Spa, Self::Web, Self::Native, Self::Service, Self::FirstParty, Self::ResourceServer];

    /// As it is written in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spa => "spa",
            Self::Web => "web",
            Self::Native => "native",
            Self::Service => "service",
            Self::FirstParty => "first-party",
            Self::ResourceServer => "resource-server",
        }
    }

    /// RFC 6749 §2.1: whether the client can keep a secret.
    #[must_use]
    pub fn is_confidential(self) -> bool {
        matches!(self, Self::Web | Self::Service | Self::FirstParty | Self::ResourceServer)
    }

    /// The grants a client of this profile has unless it is said otherwise.
    #[must_use]
    pub fn default_grants(self) -> BTreeSet<GrantType> {
        match self {
            Self::Spa => [GrantType::AuthorizationCode].into(),
            Self::Web | Self::Native | Self::FirstParty => {
                [GrantType::AuthorizationCode, GrantType::RefreshToken].into()
            }
            Self::Service => [GrantType::ClientCredentials].into(),
            Self::ResourceServer => BTreeSet::new(),
        }
    }

    /// The identity scopes a client of this profile may ask for unless it is said otherwise.
    #[must_use]
    pub fn default_scope(self) -> &'static str {
        match self {
            Self::Spa => "openid profile email",
            Self::Web | Self::Native | Self::FirstParty => "openid profile email offline_access",
            Self::Service | Self::ResourceServer => "",
        }
    }
}

impl FromStr for Profile {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|profile| profile.as_str() == text).ok_or_else(|| {
            "a profile is one of spa, web, native, service, first-party, resource-server".to_owned()
        })
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The plain fields of a client, before the rules were applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientDraft {
    /// `client_id`.
    pub id: ClientId,
    /// What people read on the consent page.
    pub name: String,
    /// The kind of application.
    pub profile: Profile,
    /// The grants it may use.
    pub grant_types: BTreeSet<GrantType>,
    /// Where codes may be sent.
    pub redirect_uris: Vec<RedirectUri>,
    /// Where the browser may go after a logout.
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// The scope values it may ask for.
    pub scope: Scope,
    /// The resource servers it may ask tokens for.
    pub resources: Vec<Resource>,
    /// Whether the consent page is left out.
    pub skip_consent: bool,
    /// Whether PKCE is required. Public clients always need it.
    pub require_pkce: bool,
    /// The life of its access tokens; the resource server's own wins when shorter.
    pub access_token_ttl: Option<Seconds>,
    /// Lets `access_token_ttl` be above [`LONGEST_ACCESS_TOKEN`].
    pub allow_long_access_tokens: bool,
    /// The life of a refresh family.
    pub refresh_token_ttl: Option<Seconds>,
    /// The life of one refresh token that is not used.
    pub refresh_token_idle_ttl: Option<Seconds>,
    /// How long after its use a refresh token still gets the same successor: for answers that were lost and for two tabs.
    pub refresh_reuse_grace: Option<Seconds>,
    /// Origins of its web pages, beside those of its redirect URIs.
    pub origins: Vec<Origin>,
    /// The resource servers that it speaks for at the introspection endpoint.
    pub introspects: Vec<Resource>,
    /// What it may exchange for what (RFC 8693); nothing unless it is said.
    pub exchange: Vec<ExchangeRule>,
    /// What it says of itself for OpenID Connect.
    pub openid: OpenIdSettings,
}

impl ClientDraft {
    /// A draft with the safe defaults of `profile`.
    #[must_use]
    pub fn with_defaults(id: ClientId, name: String, profile: Profile) -> Self {
        Self {
            id,
            name,
            profile,
            grant_types: profile.default_grants(),
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            scope: profile.default_scope().parse().unwrap_or_default(),
            resources: Vec::new(),
            skip_consent: profile == Profile::FirstParty,
            require_pkce: true,
            access_token_ttl: None,
            allow_long_access_tokens: false,
            refresh_token_ttl: None,
            refresh_token_idle_ttl: None,
            refresh_reuse_grace: None,
            origins: Vec::new(),
            introspects: Vec::new(),
            exchange: Vec::new(),
            openid: OpenIdSettings::default(),
        }
    }
}

/// A client that keeps the rules. The only way to one is [`Client::check`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    draft: ClientDraft,
    /// Whether it comes from the configuration file, which then is the only place to change it.
    pub declared: bool,
    /// When it was switched off, if it was.
    pub disabled_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl std::ops::Deref for Client {
    type Target = ClientDraft;
    fn deref(&self) -> &ClientDraft {
        &self.draft
    }
}

impl Client {
    /// Applies every rule, at creation and at every change alike.
    ///
    /// # Errors
    /// All problems at once.
    pub fn check(draft: ClientDraft, created_at: Timestamp) -> Result<Self, Vec<Problem>> {
        let (mut problems, wrong) = (problems(&draft), addresses(&draft));
        problems.extend(wrong);
        Self::without(problems, draft, created_at)
    }

    /// One that was stored. A rule that is younger than some databases is no reason to refuse all that is in them.
    ///
    /// # Errors
    /// All problems at once.
    pub fn stored(draft: ClientDraft, created_at: Timestamp) -> Result<Self, Vec<Problem>> {
        Self::without(problems(&draft), draft, created_at)
    }

    fn without(
        problems: Vec<Problem>,
        draft: ClientDraft,
        created_at: Timestamp,
    ) -> Result<Self, Vec<Problem>> {
        if problems.is_empty() {
            Ok(Self { draft, declared: false, disabled_at: None, created_at })
        } else {
            Err(problems)
        }
    }

    /// The fields, to change and check again.
    #[must_use]
    pub fn to_draft(&self) -> ClientDraft {
        self.draft.clone()
    }

    /// RFC 6749 §2.1.
    #[must_use]
    pub fn is_public(&self) -> bool {
        !self.profile.is_confidential()
    }

    /// Whether it may use this grant.
    #[must_use]
    pub fn may(&self, grant: GrantType) -> bool {
        self.grant_types.contains(&grant)
    }

    /// Whether a code flow of this client needs a code challenge.
    #[must_use]
    pub fn needs_pkce(&self) -> bool {
        self.is_public() || self.require_pkce
    }

    /// The registered redirect URI that `presented` matches.
    #[must_use]
    pub fn redirect_uri(&self, presented: &str) -> Option<&RedirectUri> {
        let any_loopback_port = self.profile == Profile::Native;
        self.redirect_uris.iter().find(|uri| uri.matches(presented, any_loopback_port))
    }

    /// The origins of its web pages: those of its redirect URIs, and those that were named beside them.
    pub fn web_origins(&self) -> impl Iterator<Item = String> + '_ {
        let named = self.origins.iter().map(ToString::to_string);
        self.redirect_uris.iter().filter_map(RedirectUri::origin).chain(named)
    }

    /// Whether this is the origin of one of its web pages, letter by letter.
    #[must_use]
    pub fn has_origin(&self, origin: &str) -> bool {
        self.web_origins().any(|known| known == origin)
    }
}

/// Redirect URIs that an answer cannot be added to.
fn addresses(draft: &ClientDraft) -> impl Iterator<Item = Problem> + '_ {
    let back = draft.redirect_uris.iter().filter_map(|uri| uri.takes_response().err());
    let bye = draft.post_logout_redirect_uris.iter().filter_map(|uri| uri.takes_logout_response().err());
    back.map(|text| Problem::new("redirect_uris", text))
        .chain(bye.map(|text| Problem::new("post_logout_redirect_uris", text)))
}

fn problems(draft: &ClientDraft) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut refuse = |field: &'static str, text: &str| found.push(Problem::new(field, text));
    let code = draft.grant_types.contains(&GrantType::AuthorizationCode);
    let public = !draft.profile.is_confidential();

    if draft.name.trim().is_empty()
        || draft.name.len() > MAX_NAME_BYTES
        || draft.name.chars().any(char::is_control)
    {
        refuse("name", "a name has 1 to 200 bytes and no control characters");
    }
    if draft.grant_types.is_empty() && draft.introspects.is_empty() {
        refuse(
            "grant_types",
            "a client without a grant can do nothing; name at least one, or what it introspects",
        );
    }
    if public && draft.grant_types.contains(&GrantType::ClientCredentials) {
        // RFC 6749 §4.4: "The client credentials grant type MUST only be used by confidential clients."
        refuse(
            "grant_types",
            "client_credentials is for confidential clients only; use the profile service or web",
        );
    }
    if draft.profile == Profile::Spa && draft.grant_types.contains(&GrantType::RefreshToken) {
        refuse("grant_types", "a single-page app gets no refresh token; it renews with prompt=none");
    }
    if draft.grant_types.contains(&GrantType::RefreshToken)
        && !code
        && !draft.grant_types.contains(&GrantType::Password)
    {
        refuse("grant_types", "refresh_token needs a grant that gives one: authorization_code or password");
    }
    if code && draft.redirect_uris.is_empty() {
        refuse("redirect_uris", "authorization_code needs at least one redirect URI");
    }
    if !code && !draft.redirect_uris.is_empty() {
        refuse(
            "redirect_uris",
            "redirect URIs are of no use without the authorization_code grant (grants that are named replace the profile's)",
        );
    }
    if draft.profile != Profile::Native {
        for uri in draft.redirect_uris.iter().filter(|uri| uri.origin().is_none()) {
            refuse(
                "redirect_uris",
                &format!("{uri}: it has no web origin; a private-use scheme is for the profile native"),
            );
        }
    }
    if draft.redirect_uris.len() > MAX_LIST || draft.post_logout_redirect_uris.len() > MAX_LIST {
        refuse("redirect_uris", "at most 64 of each kind");
    }
    if draft.resources.len() > MAX_LIST {
        refuse("resources", "at most 64");
    }
    if draft.origins.len() > MAX_LIST {
        refuse("origins", "at most 64");
    }
    if draft.grant_types.contains(&GrantType::Session) {
        check_session_grant(draft, &mut refuse);
    }
    if public && !draft.require_pkce {
        refuse("require_pkce", "a public client always needs PKCE (RFC 9700 §2.1.1)");
    }
    check_lifetimes(draft, &mut refuse);
    check_introspection(draft, &mut refuse);
    exchange::check(draft, &mut refuse);
    openid::check(draft, &mut refuse);
    found
}

/// The user is not asked before the session grant gives something: it is for the house's own pages only.
fn check_session_grant(draft: &ClientDraft, refuse: &mut impl FnMut(&'static str, &str)) {
    if draft.profile != Profile::Spa {
        refuse("grant_types", "the session grant is for web pages: the profile spa");
    }
    if !draft.skip_consent {
        refuse(
            "grant_types",
            "the session grant is for the house's own pages, whose users are not asked: first_party",
        );
    }
    if draft.redirect_uris.is_empty() && draft.origins.is_empty() {
        refuse("origins", "the session grant needs the origin of the pages: origins, or redirect_uris");
    }
}

fn check_introspection(draft: &ClientDraft, refuse: &mut impl FnMut(&'static str, &str)) {
    if draft.introspects.len() > MAX_LIST {
        refuse("introspects", "at most 64");
    }
    if !draft.profile.is_confidential() && !draft.introspects.is_empty() {
        // RFC 7662 §2.1: "the endpoint MUST also require some form of authorization to access this endpoint".
        refuse(
            "introspects",
            "introspection is for confidential clients only; use the profile resource-server",
        );
    }
}

fn check_lifetimes(draft: &ClientDraft, refuse: &mut impl FnMut(&'static str, &str)) {
    if let Some(ttl) = draft.access_token_ttl {
        if ttl.0 < 10 {
            refuse("access_token_ttl_s", "at least 10 seconds");
        } else if ttl > LONGEST_ACCESS_TOKEN && !draft.allow_long_access_tokens {
            refuse("access_token_ttl_s", "above 3600 seconds only with allow_long_access_tokens = true");
        } else if ttl.0 > 86_400 * 30 {
            refuse("access_token_ttl_s", "at most 30 days");
        }
    }
    if let Some(ttl) = draft.refresh_token_ttl
        && !(60..=86_400 * 366).contains(&ttl.0)
    {
        refuse("refresh_token_ttl_s", "between a minute and 366 days");
    }
    if let Some(idle_ttl) = draft.refresh_token_idle_ttl {
        if !(60..=86_400 * 366).contains(&idle_ttl.0) {
            refuse("refresh_token_idle_ttl_s", "between a minute and 366 days");
        } else if draft.refresh_token_ttl.is_some_and(|ttl| idle_ttl > ttl) {
            refuse("refresh_token_idle_ttl_s", "longer than refresh_token_ttl_s, so it would never count");
        }
    }
    if let Some(grace) = draft.refresh_reuse_grace
        && !(0..=LONGEST_REUSE_GRACE.0).contains(&grace.0)
    {
        refuse("refresh_reuse_grace_s", "at most 60 seconds; 0 switches it off");
    }
}

/// A secret of a client, as stored. Several may be valid at once, so that they can be changed without a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSecret {
    /// Names it on the command line.
    pub id: Id,
    /// Whose it is.
    pub client_id: ClientId,
    /// SHA-256 of the generated secret.
    pub hash: HashedToken,
    /// The secret itself under the master key, where the client authenticates assertions with it (`client_secret_jwt`) or
    /// reads it back (RFC 7592).
    pub sealed: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// Whether it was found where others can read it: it never counts again.
    pub leaked: bool,
}

impl ClientSecret {
    /// Whether `presented` is this secret and it still counts.
    #[must_use]
    pub fn accepts(&self, presented: &str, now: Timestamp) -> bool {
        self.hash.matches(presented) && self.is_alive(now)
    }

    /// Whether it still counts.
    #[must_use]
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|at| !at.is_past(now))
    }
}
