//! Rules for `[registration]`.

use super::Problems;
use super::declared::{is_scope, is_uri};
use crate::config::{Config, GrantName};

pub(super) fn check(config: &Config, problems: &mut Problems) {
    let section = &config.registration;
    for grant in &section.grant_types {
        // RFC 9700 §2.4 forbids the password grant to new clients; the others want rules that only an operator can make.
        let sound = matches!(
            grant,
            GrantName::AuthorizationCode | GrantName::RefreshToken | GrantName::ClientCredentials
        );
        let text = format!("{grant} is for clients that you make yourself");
        problems.unless(sound, "registration.grant_types", text);
    }
    problems.unless(!section.grant_types.is_empty(), "registration.grant_types", "name at least one grant");
    problems.unless(
        !section.grant_types.contains(&GrantName::RefreshToken)
            || section.grant_types.contains(&GrantName::AuthorizationCode),
        "registration.grant_types",
        "refresh_token comes with authorization_code: name that too",
    );
    problems.unless(
        !section.auth_methods.is_empty(),
        "registration.auth_methods",
        "name at least one way of authentication",
    );
    for scope in &section.scopes {
        let text = format!("{scope:?} is no scope value (RFC 6749 §3.3)");
        problems.unless(is_scope(scope), "registration.scopes", text);
    }
    for resource in &section.resources {
        let text = format!("{resource:?} is no absolute URI without a fragment (RFC 8707 §2)");
        problems.unless(is_uri(resource), "registration.resources", text);
    }
}
